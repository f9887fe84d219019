"""Two tabs at once, a state that fails midway, requests that no page makes: nothing counts that was not meant."""

import httpx
import pytest

from admin_mcp.channels.page_server import TAB_BUSY_SECONDS, TAB_WATCHING_SECONDS
from admin_mcp.errors import StateBusy
from admin_mcp.gate.approvals import Approvals
from tests.channels.desk import Desk, PlanDesk

pytestmark = pytest.mark.anyio


async def posted(desk: Desk, path: str, **form: str) -> httpx.Response:
    return await desk.browser.post(path, data=form, headers={"origin": desk.origin})


def fail(*_: object, **__: object) -> None:
    raise StateBusy("The state is busy: /secret/place.", hint="Try again in a moment.", retryable=True)


@pytest.mark.parametrize("method", ["get", "all", "apply"])
async def test_a_state_that_can_not_be_used_is_said_on_a_page_of_its_own(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    first, second = (desk.ask(key, typed=False) for key in "ab")
    csrf = await desk.enter(first)
    monkeypatch.setattr(Approvals, method, fail)
    answers = [await posted(desk, desk.path(first), csrf=csrf, decision="approve", shown=first.preview.drift)]
    if method != "get":
        answers.append(
            await posted(desk, f"{desk.path(first)}/reject-all", csrf=csrf, waiting=f"{first.id} {second.id}")
        )
    if method == "all":
        ticks = {f"tick.{each.id}": each.preview.drift for each in (first, second)}
        answers.append(await posted(desk, f"{desk.inbox}together", csrf=csrf, decision="approve", **ticks))
        answers += [await desk.browser.get(address) for address in (desk.path(first), desk.inbox)]
    for answer in answers:
        assert answer.status_code == 503
        assert "The state is busy" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    monkeypatch.undo()
    assert [desk.state(each) for each in (first, second)] == ["approved" if method == "all" else "pending", "pending"]


async def test_what_a_state_failed_at_in_the_middle_is_told_for_each(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [desk.ask(key, typed=False) for key in "abc"]
    csrf = await desk.enter(asked[0])
    applied, real = [], Approvals.apply

    def second_fails(self: Approvals, *given: object, **more: object) -> object:
        applied.append(given)
        if len(applied) == 2:
            fail()
        return real(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Approvals, "apply", second_fails)
    ticks = {f"tick.{each.id}": each.preview.drift for each in asked}
    answer = await posted(desk, f"{desk.inbox}together", csrf=csrf, decision="approve", **ticks)
    assert answer.status_code == 303
    assert [desk.state(each) for each in asked] == ["approved", "pending", "approved"]
    told = (await desk.browser.get(answer.headers["location"])).text
    assert told.count("Approved.</strong>") == 2
    assert "Nobody has decided yet." in told


@pytest.mark.parametrize("number", ["9" * 5000, "٣", "0", "-1", "1.0", "1e1", "", " 1", "²"])
async def test_a_step_that_no_page_offers_is_not_struck(plans: PlanDesk, number: str) -> None:
    csrf = await plans.enter(plans.approval)
    assert (await plans.strike(csrf, number)).status_code == 422
    assert len(plans.storage.plans.get("plan_1").steps) == 3


async def test_looking_whether_a_link_is_there_does_not_use_it_up(desk: Desk) -> None:
    link = desk.server.address(desk.ask().id)
    looked = await desk.browser.head(link)
    assert "set-cookie" not in looked.headers
    assert (await desk.browser.get(link)).status_code == 200


async def test_a_tab_behind_others_is_not_in_front_of_anybody(desk: Desk) -> None:
    first, second = (desk.ask(key, typed=False) for key in "ab")
    csrf = await desk.enter(first)
    ticks = {f"tick.{each.id}": each.preview.drift for each in (first, second)}
    answer = await posted(desk, f"{desk.inbox}together", csrf=csrf, decision="approve", **ticks)
    outcomes = answer.headers["location"]
    await desk.browser.get(outcomes)
    desk.clock.now += TAB_BUSY_SECONDS
    for pulse in (f"{outcomes}&seen=0", f"{desk.path(first)}?seen=0"):
        assert (await desk.browser.get(pulse)).status_code == 200
        assert not desk.server.watched, pulse
    assert (await desk.browser.get(f"{outcomes}&seen=1")).status_code == 200
    assert desk.server.watched
    desk.clock.now += TAB_WATCHING_SECONDS
    assert not desk.server.watched


async def test_a_tab_that_follows_a_decision_does_not_hide_the_one_that_is_read(desk: Desk) -> None:
    decided, read = (desk.ask(key, typed=False) for key in "ab")
    csrf = await desk.enter(decided)
    await posted(desk, desk.path(decided), csrf=csrf, decision="approve", shown=decided.preview.drift)
    await desk.browser.get(desk.path(read))
    await desk.browser.get(f"{desk.path(decided)}?seen=1")
    desk.clock.now += TAB_BUSY_SECONDS - 1
    assert desk.server.watched
    desk.clock.now += 1
    assert not desk.server.watched


async def test_a_decided_question_is_watched_no_longer_than_its_fate_is_looked_at(desk: Desk) -> None:
    one = desk.ask("a", typed=False)
    csrf = await desk.enter(one)
    await posted(desk, desk.path(one), csrf=csrf, decision="approve", shown=one.preview.drift)
    await desk.browser.get(desk.path(one))
    desk.clock.now += TAB_WATCHING_SECONDS
    assert not desk.server.watched


@pytest.mark.parametrize("shown", ["", "0" * 64])
async def test_an_approval_that_does_not_say_what_was_read_counts_for_nothing(desk: Desk, shown: str) -> None:
    one = desk.ask("a", typed=False)
    csrf = await desk.enter(one)
    said = {"shown": shown} if shown else {}
    answer = await posted(desk, desk.path(one), csrf=csrf, decision="approve", **said)
    assert answer.status_code == 422
    assert "has changed since" in answer.text
    assert desk.state(one) == "pending"


async def test_what_was_struck_in_another_tab_is_not_approved_unseen(plans: PlanDesk) -> None:
    csrf = await plans.enter(plans.approval)
    page = (await plans.browser.get(plans.path(plans.approval))).text
    shown = page.partition('name="shown" value="')[2].partition('"')[0]
    assert (await plans.strike(csrf, "3")).status_code == 303
    left = plans.storage.approvals.get(plans.approval.id)
    assert left is not None
    form = {
        "csrf": csrf,
        "decision": "approve",
        **({"typed_text": left.preview.typed[0]} if left.preview.typed else {}),
    }
    answer = await posted(plans, plans.path(plans.approval), shown=shown, **form)
    assert answer.status_code == 422
    assert "has changed since" in answer.text
    assert plans.state(plans.approval) == "pending"
    again = answer.text.partition('name="shown" value="')[2].partition('"')[0]
    assert again not in {"", shown}
    answer = await posted(plans, plans.path(plans.approval), shown=again, **form)
    assert (answer.status_code, plans.state(plans.approval)) == (303, "approved")


async def test_what_was_struck_in_another_tab_can_be_rejected(plans: PlanDesk) -> None:
    csrf = await plans.enter(plans.approval)
    shown = plans.approval.preview.drift
    assert (await plans.strike(csrf, "3")).status_code == 303
    answer = await posted(plans, plans.path(plans.approval), csrf=csrf, decision="reject", shown=shown)
    assert (answer.status_code, plans.state(plans.approval)) == (303, "rejected")


ODD = ["%00", "%ff", "..", "%2e%2e", "x" * 5000, "%F0%9F%92%A9", "%ED%A0%80", "a%2Fb", "%0d%0aX:1", "'--"]


@pytest.mark.parametrize("odd", ODD)
async def test_odd_addresses_and_forms_are_answered(desk: Desk, odd: str) -> None:
    one = desk.ask("a")
    csrf = await desk.enter(one)
    gets = [
        f"{desk.inbox}approvals/{odd}", f"{desk.path(one)}?after={odd}&seen={odd}", f"{desk.inbox}?q={odd}",
        f"{desk.inbox}pulse?q={odd}&seen={odd}", f"{desk.inbox}together?like={odd}", f"{desk.inbox}enter/{odd}",
        f"{desk.inbox}together?decided={odd}.{one.id}.{one.id}", f"{desk.inbox}together?decided=&seen=1",
    ]  # fmt: skip
    for address in gets:
        assert (await desk.browser.get(address)).status_code in {200, 303, 403, 404}
    for path in (
        "approvals/" + odd,
        "together",
        f"approvals/{one.id}",
        f"approvals/{one.id}/reject-all",
        f"approvals/{one.id}/strike",
    ):
        for body in (f"csrf={csrf}&decision={odd}", f"csrf={odd}", f"csrf={csrf}&tick.{odd}={odd}&decision=approve",
                     f"csrf={csrf}&waiting={odd}&step={odd}", odd, f"csrf={csrf}&{odd}"):  # fmt: skip
            answer = await desk.browser.post(
                f"{desk.inbox}{path}",
                content=body,
                headers={"origin": desk.origin, "content-type": "application/x-www-form-urlencoded"},
            )
            assert answer.status_code in {200, 303, 403, 404, 422}, (path, body)
    assert desk.state(one) == "pending"

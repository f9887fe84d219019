"""What an answer on a page does: to one question, to several that are ticked, and which page comes next."""

from collections.abc import Mapping

import httpx
import pytest

from admin_mcp.channels.decisions import READING_SECONDS
from admin_mcp.channels.document import SCRIPT_SOURCE
from admin_mcp.channels.page_server import TAB_BUSY_SECONDS
from admin_mcp.gate.approval import PENDING_SECONDS, Approval
from tests.channels.desk import ELSEWHERE, Desk

pytestmark = pytest.mark.anyio


async def test_a_decision_leads_to_the_oldest_question_that_waits_and_the_last_one_to_itself(desk: Desk) -> None:
    first = desk.ask("first", title="First", typed=False)
    desk.clock.now += 5
    second = desk.ask("second", title="Second", typed=False)
    csrf = await desk.enter(second)
    data = {"csrf": csrf, "decision": "approve"}
    read = {**data, "shown": second.preview.drift}
    answer = await desk.browser.post(desk.path(second), data=read, headers={"origin": desk.origin})
    assert answer.headers["location"] == f"{desk.path(first)}?after={second.id}"
    assert "Approved. Second. This is the next question." in (await desk.browser.get(answer.headers["location"])).text
    # The rest of a double click decides nothing.
    assert await desk.post(first, csrf, decision="approve") == 422
    assert desk.state(first) == "pending"
    desk.clock.now += READING_SECONDS
    read = {**data, "shown": first.preview.drift}
    answer = await desk.browser.post(desk.path(first), data=read, headers={"origin": desk.origin})
    assert answer.headers["location"] == desk.path(first)
    assert desk.state(first) == "approved"


async def together(
    desk: Desk, csrf: str, decision: str, *ticked: Approval, headers: Mapping[str, str] | None = None, **more: str
) -> httpx.Response:
    """Tick these and decide."""
    form = {"csrf": csrf, "decision": decision, **{f"tick.{each.id}": each.preview.drift for each in ticked}, **more}
    given = {"origin": desk.origin, **(headers or {})}
    return await desk.browser.post(f"{desk.inbox}together", data=form, headers=given)


async def test_what_is_ticked_is_approved_and_nothing_else(desk: Desk) -> None:
    first, second, third = (desk.ask(key, typed=False, name=key) for key in "abc")
    csrf = await desk.enter(first)
    page = (await desk.browser.get(f"{desk.inbox}together", params={"like": first.id})).text
    assert all(f"tick.{each.id}" in page for each in (first, second, third))
    answer = await together(desk, csrf, "approve", first, third)
    assert answer.status_code == 303
    assert [desk.state(each) for each in (first, second, third)] == ["approved", "pending", "approved"]
    page = (await desk.browser.get(answer.headers["location"])).text
    assert page.count("Approved.</strong>") == 2
    via = [record.fields["via"] for record in desk.storage.journal.records() if record.kind == "decided"]
    assert via == ["page", "page"]


async def test_one_that_ended_meanwhile_is_told_of_and_the_others_go_on(desk: Desk) -> None:
    early = desk.ask("a", typed=False, name="a")
    desk.clock.now += 100
    late, denied = desk.ask("b", typed=False, name="b"), desk.ask("c", typed=False, name="c")
    csrf = await desk.enter(late)
    desk.clock.now += PENDING_SECONDS - 50
    desk.storage.approvals.apply(denied.id, "reject", via="terminal")
    answer = await together(desk, csrf, "approve", early, late, denied)
    assert [desk.state(each) for each in (early, late, denied)] == ["expired", "approved", "rejected"]
    page = (await desk.browser.get(answer.headers["location"])).text
    assert [word in page for word in ("Ended.", "Approved.", "Rejected.")] == [True] * 3


async def test_a_tick_approves_nothing_that_is_to_be_typed_whoever_sends_the_form(desk: Desk) -> None:
    grave, light = desk.ask("a"), desk.ask("b", typed=False, name="b")
    csrf = await desk.enter(grave)
    await together(desk, csrf, "approve", grave, light, typed_text="Support")
    assert [desk.state(grave), desk.state(light)] == ["pending", "approved"]
    await together(desk, csrf, "reject", grave)
    assert desk.state(grave) == "rejected"


async def test_a_tick_counts_only_for_what_was_shown_and_with_a_decision(desk: Desk) -> None:
    approval = desk.ask("a", typed=False)
    csrf = await desk.enter(approval)
    await together(desk, csrf, "approve", headers=None, **{f"tick.{approval.id}": "another"})
    await together(desk, csrf, "", approval)
    await together(desk, csrf, "approve", headers=None, **{"tick.nothing": "x"})
    await together(desk, csrf, "approve", headers=None, **{f"tick.{approval.id} ": approval.preview.drift})
    assert desk.state(approval) == "pending"


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_ticks_from_elsewhere_do_not_count(desk: Desk, headers: dict[str, str]) -> None:
    approval = desk.ask("a", typed=False)
    csrf = await desk.enter(approval)
    assert (await together(desk, csrf, "approve", approval, headers=headers)).status_code == 403
    assert (await together(desk, "guess", "approve", approval)).status_code == 403
    desk.browser.cookies.clear()
    assert (await together(desk, csrf, "approve", approval)).status_code == 403
    assert (await desk.browser.get(f"{desk.inbox}together", params={"like": approval.id})).status_code == 403
    assert desk.state(approval) == "pending"


async def test_a_question_of_another_channel_is_not_decided_by_a_tick(desk: Desk) -> None:
    here, form = desk.ask("a", typed=False), desk.ask("b", "elicit", typed=False, name="b")
    csrf = await desk.enter(here)
    for decision in ("approve", "reject"):
        await together(desk, csrf, decision, form)
    assert desk.state(form) == "pending"


async def test_where_none_of_the_kind_waits_any_more_the_inbox_is_shown(desk: Desk) -> None:
    approval = desk.ask("a", typed=False)
    csrf = await desk.enter(approval)
    await together(desk, csrf, "reject", approval)
    for like in (approval.id, "nothing", ""):
        answer = await desk.browser.get(f"{desk.inbox}together", params={"like": like})
        assert (answer.status_code, answer.headers["location"]) == (303, desk.inbox)


async def test_what_was_typed_is_still_there_after_an_answer_that_did_not_count(desk: Desk) -> None:
    approval = desk.ask("a")
    csrf = await desk.enter(approval)
    answer = await desk.browser.post(
        desk.path(approval),
        data={"csrf": csrf, "decision": "approve", "typed_text": "Suport"},
        headers={"origin": desk.origin},
    )
    assert answer.status_code == 422
    assert 'value="Suport"' in answer.text


async def test_a_page_without_a_form_follows_by_the_one_script_and_one_that_asks_has_none(desk: Desk) -> None:
    approval, other = desk.ask("a"), desk.ask("b", typed=False, name="b")
    csrf = await desk.enter(approval)
    answer = await desk.browser.get(desk.path(approval))
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    await desk.post(approval, csrf, decision="approve", typed_text="Support")
    answer = await desk.browser.get(desk.path(approval))
    assert f"script-src '{SCRIPT_SOURCE}'" in answer.headers["content-security-policy"]
    pulses = [(await desk.browser.get(desk.path(approval), params={"seen": seen})).text for seen in ("0", "1")]
    assert pulses[0] == pulses[1]
    assert f'data-digest="{pulses[0]}"' in answer.text
    desk.storage.approvals.apply(other.id, "reject", via="terminal")
    changed = (await desk.browser.get(desk.path(approval), params={"seen": "1"})).text
    assert changed not in {"", pulses[0]}


async def test_a_page_on_which_all_is_over_shows_what_comes_up_but_counts_for_nobody_who_looks(desk: Desk) -> None:
    approval = desk.ask("a")
    await desk.enter(approval)
    desk.storage.approvals.apply(approval.id, "void")
    answer = await desk.browser.get(desk.path(approval))
    assert "data-over" in answer.text
    desk.clock.now += TAB_BUSY_SECONDS + 1
    before = (await desk.browser.get(desk.path(approval), params={"seen": "1"})).text
    assert f'data-digest="{before}"' in answer.text
    assert not desk.server.watched
    other = desk.ask("b")
    assert (await desk.browser.get(desk.path(approval), params={"seen": "1"})).text not in {"", before}
    assert not desk.server.watched
    shown = (await desk.browser.get(desk.path(approval))).text
    assert "All that waits (1)" in shown
    assert desk.path(other) in shown
    assert "data-over" not in shown

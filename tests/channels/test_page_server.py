"""Who may look at the page and who may answer: only a browser that came through the one-time link."""

import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from admin_mcp.channels import page_server
from admin_mcp.channels.decisions import READING_SECONDS
from admin_mcp.channels.document import SCRIPT_SOURCE
from admin_mcp.channels.page_http import LONGEST_FORM
from admin_mcp.channels.page_server import (
    TAB_BUSY_SECONDS,
    TAB_OPEN_SECONDS,
    TAB_WATCHING_SECONDS,
    PageServer,
)
from admin_mcp.endpoints.base import Effect
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.approval import PENDING_SECONDS, Approval, Event
from admin_mcp.gate.plan import Plan, Step
from admin_mcp.gate.plans import question_of
from tests.gate.questions import Clock, question, records

pytestmark = pytest.mark.anyio


class Desk:
    """A page server, and a browser at it."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.storage = records(directory, self.clock)
        self.server = PageServer(self.storage.approvals, self.storage.plans, directory, self.clock)
        self.origin = self.server._origin
        self.browser = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.server.application()), base_url=self.origin, trust_env=False
        )

    def ask(self, key: str = "key", channel: str = "local", **given: Any) -> Approval:
        approval, _ = self.storage.approvals.open(question(key, **given), channel)  # type: ignore[arg-type]
        return approval

    def state(self, approval: Approval) -> str:
        found = self.storage.approvals.get(approval.id)
        return found.state if found else "gone"

    async def enter(self, approval: Approval) -> str:
        """Come in through the link, and return the form's token."""
        answer = await self.browser.get(self.server.address(approval.id))
        assert answer.status_code == 200
        page = await self.browser.get(self.path(approval))
        assert page.status_code == 200
        return self.server._sessions[self.browser.cookies[self.server._cookie]]

    @property
    def inbox(self) -> str:
        return f"{self.server._prefix}/"

    def path(self, approval: Approval) -> str:
        return self.server._path(approval.id)

    async def reject_all(
        self, approval: Approval, csrf: str, headers: Mapping[str, str] | None = None, /, *ids: str
    ) -> int:
        answer = await self.browser.post(
            f"{self.path(approval)}/reject-all",
            data={"csrf": csrf, "waiting": " ".join(ids)},
            headers={"origin": self.origin, **(headers or {})},
        )
        return answer.status_code

    async def post(
        self, approval: Approval, csrf: str, headers: Mapping[str, str] | None = None, /, **form: str
    ) -> int:
        data = {"csrf": csrf, **form}
        answer = await self.browser.post(
            self.path(approval), data=data, headers={"origin": self.origin, **(headers or {})}
        )
        return answer.status_code


ELSEWHERE: list[dict[str, str]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://localhost:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"host": "evil.example"},
    {"host": "localhost"},
    {"content-type": "text/plain"},
    {"content-type": "multipart/form-data"},
]
"""Headers of a form that none of the pages sent."""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path / "state")
    yield made
    await made.browser.aclose()
    made.server.stop()


async def test_an_approval_is_given_with_the_text_typed(desk: Desk) -> None:
    approval = desk.ask()
    csrf = await desk.enter(approval)
    assert await desk.post(approval, csrf, decision="approve", typed_text=" Support ") == 303
    assert desk.state(approval) == "approved"


async def test_rejecting_takes_no_typing(desk: Desk) -> None:
    approval = desk.ask()
    csrf = await desk.enter(approval)
    assert await desk.post(approval, csrf, decision="reject") == 303
    assert desk.state(approval) == "rejected"


@pytest.mark.parametrize(
    "form",
    [
        {"decision": "approve"},
        {"decision": "approve", "typed_text": ""},
        {"decision": "approve", "typed_text": "support"},
        {"decision": "yes", "typed_text": "Support"},
        {"typed_text": "Support"},
    ],
)
async def test_an_incomplete_answer_leaves_the_question_open_and_says_so(desk: Desk, form: dict[str, str]) -> None:
    approval = desk.ask()
    csrf = await desk.enter(approval)
    assert await desk.post(approval, csrf, **form) == 422
    assert desk.state(approval) == "pending"


async def test_the_link_works_once(desk: Desk) -> None:
    approval = desk.ask()
    link = desk.server.address(approval.id)
    assert (await desk.browser.get(link)).status_code == 200
    assert (await desk.browser.get(link)).status_code == 403


async def test_the_cookie_is_strict_unreadable_to_scripts_and_bound_to_the_secret_path(desk: Desk) -> None:
    answer = await desk.browser.get(desk.server.address(desk.ask().id))
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert f"Path={desk.server._prefix}" in cookie


async def test_nothing_is_cached_framed_or_fetched_from_elsewhere(desk: Desk) -> None:
    approval = desk.ask()
    await desk.enter(approval)
    for path in (desk.path(approval), "/", f"{desk.server._prefix}/enter/guess"):
        headers = (await desk.browser.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert "script-src" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_the_inbox_may_run_its_one_script_and_reach_its_own_server_and_nothing_more(desk: Desk) -> None:
    await desk.enter(desk.ask())
    plain = (await desk.browser.get(desk.path(desk.ask()))).headers
    inbox = (await desk.browser.get(desk.inbox)).headers
    added = f"; script-src '{SCRIPT_SOURCE}'; connect-src 'self'"
    assert inbox["content-security-policy"] == plain["content-security-policy"] + added
    for name in ("cache-control", "x-frame-options", "x-content-type-options", "referrer-policy"):
        assert inbox[name] == plain[name]
    assert "script-src" not in (await desk.browser.get(f"{desk.inbox}pulse")).headers["content-security-policy"]


async def test_the_inbox_and_its_pulse_are_told_to_no_one_without_a_session_or_by_another_name(desk: Desk) -> None:
    desk.ask()
    for path in (desk.inbox, f"{desk.inbox}pulse"):
        answer = await desk.browser.get(path)
        assert (answer.status_code, "Delete role" in answer.text) == (403, False)
    await desk.enter(desk.ask())
    for path in (desk.inbox, f"{desk.inbox}pulse"):
        assert (await desk.browser.get(path, headers={"host": "evil.example"})).status_code == 403
        assert (await desk.browser.get(path)).status_code == 200
    assert not (await desk.browser.get(f"{desk.inbox}pulse")).headers.get("access-control-allow-origin")


async def test_a_link_may_lead_to_the_inbox(desk: Desk) -> None:
    answer = await desk.browser.get(desk.server.address())
    assert f'href="{desk.inbox}"' in answer.text
    assert "Nothing waits for you" in (await desk.browser.get(desk.inbox)).text


async def test_the_pulse_changes_with_what_happens_elsewhere_and_with_nothing_else(desk: Desk) -> None:
    approval = desk.ask()
    await desk.enter(approval)

    async def pulse() -> str:
        return (await desk.browser.get(f"{desk.inbox}pulse", params={"q": "", "seen": "1"})).text

    told = [await pulse(), await pulse()]
    assert told[0] == told[1]
    assert f'data-digest="{told[0]}"' in (await desk.browser.get(desk.inbox)).text
    other = desk.ask("second")
    told.append(await pulse())
    desk.storage.approvals.apply(other.id, "approve", via="terminal")
    told.append(await pulse())
    desk.storage.approvals.claim(other.id, {})
    told.append(await pulse())
    desk.clock.now += PENDING_SECONDS
    told.append(await pulse())
    assert len(set(told)) == len(told) - 1


async def test_a_search_finds_among_what_waits_and_what_is_over(desk: Desk) -> None:
    first, second = desk.ask("a", title="Alpha"), desk.ask("b", title="Beta", typed=False)
    await desk.enter(first)
    desk.storage.approvals.apply(second.id, "reject")
    for wanted, found in (
        ("alpha", (True, False)),
        ("BETA", (False, True)),
        ("rejected", (False, True)),
        ("x", (False,) * 2),
    ):
        page = (await desk.browser.get(desk.inbox, params={"q": wanted})).text
        assert tuple(desk.path(each) in page for each in (first, second)) == found
    page = (await desk.browser.get(desk.inbox, params={"q": "nothing has this"})).text
    assert "1 waits without them" in page


async def test_an_inbox_in_front_counts_as_watched_and_one_behind_as_open(desk: Desk) -> None:
    csrf = await desk.enter(desk.ask("a", typed=False))
    assert csrf
    desk.clock.now += TAB_BUSY_SECONDS
    await desk.browser.get(f"{desk.inbox}pulse", params={"seen": "0"})
    assert (desk.server.watched, desk.server.inbox_open) == (False, True)
    await desk.browser.get(f"{desk.inbox}pulse", params={"seen": "1"})
    assert desk.server.watched
    desk.clock.now += TAB_WATCHING_SECONDS
    assert (desk.server.watched, desk.server.inbox_open) == (False, True)
    desk.clock.now += TAB_OPEN_SECONDS
    assert not desk.server.inbox_open


async def test_without_a_session_nothing_is_shown_or_decided(desk: Desk) -> None:
    approval = desk.ask()
    answer = await desk.browser.get(desk.path(approval))
    assert answer.status_code == 403
    assert "Support" not in answer.text
    assert "approvals open opens" in answer.text
    for session in ("", "guess"):
        desk.browser.cookies.set(desk.server._cookie, session)
        assert await desk.post(approval, "", decision="approve", typed_text="Support") == 403
    assert desk.state(approval) == "pending"


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_an_answer_from_elsewhere_does_not_count(desk: Desk, headers: dict[str, str]) -> None:
    approval = desk.ask()
    csrf = await desk.enter(approval)
    assert await desk.post(approval, csrf, headers, decision="approve", typed_text="Support") == 403
    assert desk.state(approval) == "pending"


async def test_an_answer_without_an_origin_does_not_count(desk: Desk) -> None:
    approval = desk.ask()
    csrf = await desk.enter(approval)
    answer = await desk.browser.post(
        desk.path(approval), data={"csrf": csrf, "decision": "approve", "typed_text": "Support"}
    )
    assert answer.status_code == 403
    assert desk.state(approval) == "pending"


@pytest.mark.parametrize("csrf", ["", "guess", "ü"])
async def test_an_answer_without_the_sessions_own_token_does_not_count(desk: Desk, csrf: str) -> None:
    approval = desk.ask()
    await desk.enter(approval)
    assert await desk.post(approval, csrf, decision="approve", typed_text="Support") == 403
    assert desk.state(approval) == "pending"


async def test_another_sessions_token_does_not_count(desk: Desk) -> None:
    approval = desk.ask()
    first = await desk.enter(approval)
    await desk.enter(approval)
    assert await desk.post(approval, first, decision="approve", typed_text="Support") == 403


async def test_a_rebound_name_gets_nothing_even_with_the_cookie(desk: Desk) -> None:
    approval = desk.ask()
    await desk.enter(approval)
    answer = await desk.browser.get(desk.path(approval), headers={"host": f"evil.example:{urlsplit(desk.origin).port}"})
    assert answer.status_code == 403
    link = desk.server.address(approval.id)
    assert (await desk.browser.get(link, headers={"host": "evil.example"})).status_code == 403
    assert (await desk.browser.get(link)).status_code == 200


async def test_guessed_addresses_are_not_found(desk: Desk) -> None:
    approval = desk.ask()
    await desk.enter(approval)
    for path in ("/", f"/approvals/{approval.id}", f"/guess/approvals/{approval.id}", desk.server._prefix):
        assert (await desk.browser.get(path)).status_code == 404


async def test_a_too_long_or_ambiguous_form_is_refused(desk: Desk) -> None:
    approval = desk.ask()
    csrf = await desk.enter(approval)
    assert await desk.post(approval, csrf, decision="approve", typed_text="x" * LONGEST_FORM) == 403
    content = f"csrf={csrf}&decision=approve&decision=reject&typed_text=Support"
    answer = await desk.browser.post(
        desk.path(approval),
        content=content,
        headers={"origin": desk.origin, "content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 403
    assert desk.state(approval) == "pending"


async def test_an_answer_after_the_end_or_a_second_one_is_too_late(desk: Desk) -> None:
    approval = desk.ask()
    csrf = await desk.enter(approval)
    desk.clock.now += PENDING_SECONDS
    assert await desk.post(approval, csrf, decision="approve", typed_text="Support") == 422
    assert desk.state(approval) == "expired"
    second = desk.ask("other")
    assert await desk.post(second, csrf, decision="reject") == 303
    assert await desk.post(second, csrf, decision="approve", typed_text="Support") == 422
    assert desk.state(second) == "rejected"


@pytest.mark.parametrize("channel", ["elicit", "two-step"])
async def test_questions_of_other_channels_are_neither_shown_nor_decided(desk: Desk, channel: str) -> None:
    csrf = await desk.enter(desk.ask())
    other = desk.ask("other", channel)
    assert (await desk.browser.get(desk.path(other))).status_code == 404
    assert await desk.post(other, csrf, decision="approve", typed_text="Support") == 404
    assert desk.state(other) == "pending"


def set_as_another_port_would(desk: Desk, name: str, value: str, path: str = "/") -> None:
    """Put a cookie into the browser that a page on another port of this host has set: cookies know no ports."""
    desk.browser.cookies.set(name, value, domain="127.0.0.1", path=path)


async def test_the_cookies_name_is_no_other_servers_and_can_not_be_guessed(desk: Desk, tmp_path: Path) -> None:
    other = PageServer(desk.storage.approvals, desk.storage.plans, tmp_path, desk.clock)
    other.stop()
    assert desk.server._cookie != other._cookie
    assert len(desk.server._cookie) > 32
    answer = await desk.browser.get(desk.server.address(desk.ask().id))
    assert answer.headers["set-cookie"].startswith(f"{desk.server._cookie}=")


async def test_cookies_of_another_ports_page_lock_nobody_out(desk: Desk) -> None:
    for name in ("session", "approval", "approval-0", "csrf"):
        set_as_another_port_would(desk, name, "planted")
    approval = desk.ask()
    csrf = await desk.enter(approval)
    for name in ("session", "approval"):
        for path in ("/", "/approvals", desk.server._prefix.upper()):
            set_as_another_port_would(desk, name, "planted later", path)
    assert (await desk.browser.get(desk.path(approval))).status_code == 200
    assert await desk.post(approval, csrf, decision="reject") == 303
    assert desk.state(approval) == "rejected"


async def test_as_many_cookies_as_a_browser_keeps_lock_nobody_out(desk: Desk) -> None:
    """Chromium and Firefox keep 180 of a host, 4 KiB each; all of them are sent."""
    approval = desk.ask()
    await desk.enter(approval)
    mine = f"{desk.server._cookie}={desk.browser.cookies[desk.server._cookie]}"
    others = "; ".join(f"c{number}={'x' * 4090}" for number in range(180))
    desk.server.start()
    for cookies in (f"{mine}; {others}", f"{others}; {mine}"):
        async with httpx.AsyncClient(base_url=desk.origin, trust_env=False) as browser:
            answer = await browser.get(desk.path(approval), headers={"cookie": cookies})
        assert answer.status_code == 200
        assert "Support" in answer.text


async def test_the_browser_is_opened_through_a_private_file_and_no_address_in_its_arguments(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[list[str], Path]] = []
    monkeypatch.setattr(page_server, "start_child", lambda words, directory: started.append((words, directory)))
    approval = desk.ask()
    desk.server.open_browser(approval.id)
    ((words, directory),) = started
    assert directory == desk.storage.database.directory
    assert desk.origin not in str(words)
    path = anyio.Path(urlsplit(words[-1]).path)
    assert stat.S_IMODE((await path.stat()).st_mode) == 0o600
    link = (await path.read_text("utf-8")).partition("url=")[2].partition('"')[0]
    assert (await desk.browser.get(link)).status_code == 200
    assert not await path.exists()


class Opener:
    code: int | None = None

    def poll(self) -> int | None:
        return self.code


async def test_the_page_is_out_of_reach_when_no_browser_started_and_nobody_came_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = Opener()
    monkeypatch.setattr(page_server, "start_child", lambda *_: opener)
    approval = desk.ask()
    assert not desk.server.unreachable
    desk.server.open_browser(approval.id)
    found = []
    for opener.code in (None, 0, 1):
        found.append(desk.server.unreachable)
    await desk.enter(approval)
    assert [*found, desk.server.unreachable] == [False, False, True, False]


async def test_no_second_tab_is_wanted_while_a_person_most_likely_looks_at_the_first(desk: Desk) -> None:
    approval = desk.ask()
    watched = [desk.server.watched]
    await desk.enter(approval)
    watched.append(desk.server.watched)
    desk.clock.now += TAB_BUSY_SECONDS
    watched.append(desk.server.watched)
    assert watched == [False, True, False]


async def test_all_that_the_page_showed_as_waiting_is_rejected_and_nothing_that_came_later(desk: Desk) -> None:
    first, second, third = desk.ask(), desk.ask("second"), desk.ask("third")
    csrf = await desk.enter(first)
    assert await desk.reject_all(first, csrf, None, first.id, second.id) == 303
    assert [desk.state(one) for one in (first, second, third)] == ["rejected", "rejected", "pending"]


async def test_rejecting_all_leaves_alone_what_was_decided_and_what_is_asked_elsewhere(desk: Desk) -> None:
    first, approved, elsewhere = desk.ask(), desk.ask("second"), desk.ask("third", "elicit")
    csrf = await desk.enter(first)
    desk.storage.approvals.apply(approved.id, "approve")
    assert await desk.reject_all(first, csrf, None, first.id, approved.id, elsewhere.id, "guess") == 303
    assert [desk.state(one) for one in (first, approved, elsewhere)] == ["rejected", "approved", "pending"]


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_nothing_from_elsewhere_rejects_all(desk: Desk, headers: dict[str, str]) -> None:
    first, second = desk.ask(), desk.ask("second")
    csrf = await desk.enter(first)
    assert await desk.reject_all(first, csrf, headers, first.id, second.id) == 403
    assert (desk.state(first), desk.state(second)) == ("pending", "pending")


async def test_rejecting_all_needs_the_sessions_own_token(desk: Desk) -> None:
    first, second = desk.ask(), desk.ask("second")
    assert await desk.reject_all(first, "", None, first.id, second.id) == 403
    other = await desk.enter(first)
    await desk.enter(second)
    for csrf in ("", "guess", other):
        assert await desk.reject_all(first, csrf, None, first.id, second.id) == 403
    assert (desk.state(first), desk.state(second)) == ("pending", "pending")


async def test_what_else_waits_is_listed_oldest_first(desk: Desk) -> None:
    asked = []
    for key in ("a", "b", "c"):
        asked.append(desk.ask(key))
        desk.clock.now += 1
    await desk.enter(asked[1])
    page = (await desk.browser.get(desk.path(asked[1]))).text
    assert page.index(f'{desk.path(asked[0])}"') < page.index(f'{desk.path(asked[2])}"')


class PlanDesk(Desk):
    """A page server, and a plan that waits for approval there: its second step needs what the first makes."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        steps = tuple(
            Step(
                number=number,
                tool="x",
                arguments=given,
                why="",
                key=f"k{number}",
                effects=(effect,),
                projects=(),
                preview=question(title=f"Change {number}", typed=effect != "create").preview,
            )
            for number, given, effect in STEPS
        )
        self.plan = Plan(id="plan_1", title="P", system="s", target="t", made=self.clock.now, steps=steps)
        self.storage.plans.save(self.plan)
        self.approval, _ = self.storage.approvals.open(question_of(self.plan, "local"), "local")

    async def strike(
        self, csrf: str, step: str, headers: Mapping[str, str] | None = None, /, approval: Approval | None = None
    ) -> httpx.Response:
        return await self.browser.post(
            f"{self.path(approval or self.approval)}/strike",
            data={"csrf": csrf, "step": step},
            headers={"origin": self.origin, **(headers or {})},
        )

    @property
    def struck(self) -> tuple[int, ...]:
        return self.storage.plans.get("plan_1").struck


STEPS: list[tuple[int, Json, Effect]] = [
    (1, {}, "create"),
    (2, {"group_id": {"from_step": 1}}, "grant"),
    (3, {}, "destroy"),
]


@pytest.fixture
async def plans(tmp_path: Path) -> AsyncIterator[PlanDesk]:
    made = PlanDesk(tmp_path / "plans")
    yield made
    await made.browser.aclose()
    made.server.stop()


async def test_one_step_is_struck_out_and_the_smaller_plan_is_approved_with_its_own_text(plans: PlanDesk) -> None:
    csrf = await plans.enter(plans.approval)
    assert "remove 1, grant 1" in (await plans.browser.get(plans.path(plans.approval))).text
    answer = await plans.strike(csrf, "3")
    assert (answer.status_code, answer.headers["location"]) == (303, plans.path(plans.approval))
    assert plans.struck == (3,)
    page = (await plans.browser.get(answer.headers["location"])).text
    assert "Strike out step 3" not in page
    kept = plans.storage.approvals.get(plans.approval.id)
    assert kept is not None
    assert kept.question.key == plans.storage.plans.get("plan_1").digest
    assert [step.number for step in kept.preview.steps] == [2, 1]
    assert await plans.post(plans.approval, csrf, decision="approve", typed_text="remove 1, grant 1") == 422
    assert await plans.post(plans.approval, csrf, decision="approve", typed_text="grant 1") == 303
    assert plans.state(plans.approval) == "approved"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("1", "Step 2 needs what step 1 makes"),
        ("9", "no step 9"),
        ("0", "no step 0"),
        ("-1", "Choose a step"),
        ("", "Choose a step"),
        ("1e1", "Choose a step"),
        ("²", "Choose a step"),
        ("9" * 3000, "no step 999"),
    ],
)
async def test_what_can_not_be_struck_out_is_told_to_the_person_and_stays(
    plans: PlanDesk, step: str, says: str
) -> None:
    csrf = await plans.enter(plans.approval)
    answer = await plans.strike(csrf, step)
    assert answer.status_code == 422
    assert says in answer.text
    assert plans.struck == ()
    assert plans.state(plans.approval) == "pending"


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_nothing_from_elsewhere_strikes_out_a_step(plans: PlanDesk, headers: dict[str, str]) -> None:
    csrf = await plans.enter(plans.approval)
    assert (await plans.strike(csrf, "3", headers)).status_code == 403
    assert plans.struck == ()


async def test_striking_out_needs_the_sessions_own_token(plans: PlanDesk) -> None:
    assert (await plans.strike("", "3")).status_code == 403
    other = await plans.enter(plans.approval)
    await plans.enter(plans.approval)
    for csrf in ("", "guess", other):
        assert (await plans.strike(csrf, "3")).status_code == 403
    assert plans.struck == ()


async def test_nothing_is_struck_out_of_what_is_no_plan_or_is_asked_elsewhere(plans: PlanDesk) -> None:
    csrf = await plans.enter(plans.approval)
    single = plans.ask("single")
    answer = await plans.strike(csrf, "3", approval=single)
    assert answer.status_code == 422
    assert "Nothing can be struck out" in answer.text
    assert plans.state(single) == "pending"
    form, _ = plans.storage.approvals.open(question_of(plans.plan, "elicit"), "elicit")
    assert (await plans.strike(csrf, "3", approval=form)).status_code == 404
    assert plans.struck == ()


@pytest.mark.parametrize("event", ["approve", "reject", "void"])
async def test_nothing_is_struck_out_once_it_is_decided_and_the_page_shows_what_was(
    plans: PlanDesk, event: Event
) -> None:
    csrf = await plans.enter(plans.approval)
    plans.storage.approvals.apply(plans.approval.id, event)
    answer = await plans.strike(csrf, "3")
    assert answer.status_code == 422
    assert "Nothing can be struck out of this any more" in answer.text
    assert "Strike out step" not in answer.text
    assert plans.struck == ()


async def test_a_plan_that_is_decided_while_a_step_is_struck_out_is_shown_as_decided(
    plans: PlanDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    csrf = await plans.enter(plans.approval)
    strike = plans.storage.plans.strike

    def just_before(*given: Any, **named: Any) -> Plan:
        plans.storage.approvals.apply(plans.approval.id, "approve")
        return strike(*given, **named)

    monkeypatch.setattr(plans.storage.plans, "strike", just_before)
    answer = await plans.strike(csrf, "3")
    assert "approved already" in answer.text
    assert 'value="approve"' not in answer.text
    assert plans.struck == ()


async def test_a_decision_leads_to_the_oldest_question_that_waits_and_the_last_one_to_itself(desk: Desk) -> None:
    first = desk.ask("first", title="First", typed=False)
    desk.clock.now += 5
    second = desk.ask("second", title="Second", typed=False)
    csrf = await desk.enter(second)
    data = {"csrf": csrf, "decision": "approve"}
    answer = await desk.browser.post(desk.path(second), data=data, headers={"origin": desk.origin})
    assert answer.headers["location"] == f"{desk.path(first)}?after={second.id}"
    assert "Approved. Second. This is the next question." in (await desk.browser.get(answer.headers["location"])).text
    # The rest of a double click decides nothing.
    assert await desk.post(first, csrf, decision="approve") == 422
    assert desk.state(first) == "pending"
    desk.clock.now += READING_SECONDS
    answer = await desk.browser.post(desk.path(first), data=data, headers={"origin": desk.origin})
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
    desk.storage.approvals.apply(approval.id, "reject", via="terminal")
    assert (await desk.browser.get(desk.path(approval), params={"seen": "1"})).text == ""

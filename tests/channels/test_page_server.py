"""Who may look at the page and who may answer: only a browser that came through the one-time link."""

import stat
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from admin_mcp.channels import page_server
from admin_mcp.channels.document import SCRIPT_SOURCE
from admin_mcp.channels.page_http import LONGEST_FORM
from admin_mcp.channels.page_server import (
    TAB_BUSY_SECONDS,
    TAB_OPEN_SECONDS,
    TAB_WATCHING_SECONDS,
    PageServer,
)
from admin_mcp.gate.approval import PENDING_SECONDS
from tests.channels.desk import ELSEWHERE, Desk

pytestmark = pytest.mark.anyio


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

"""The page and the inbox that a terminal serves: who sees the link, and what is said without a browser."""

import os
import sys
import time

import httpx
import pytest
from click.testing import CliRunner

from admin_mcp.channels.page_server import PageServer
from admin_mcp.cli.main import main
from admin_mcp.gate.storage import GateStorage
from tests.cli.asked import ask, run, state
from tests.terminal import needs_terminal, terminal

needs_no_browser = pytest.mark.skipif(
    os.name != "posix" or sys.platform == "darwin",
    reason="a way to have no browser is missing: this platform opens one without PATH",
)


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("ADMIN_MCP_OPEN_BROWSER", "1")


@needs_terminal
def test_open_serves_the_page_although_the_server_that_asked_is_gone(kept: GateStorage) -> None:
    approval = ask(kept)
    with terminal("approvals", "open", approval.id) as at:
        shown = at.wait_for("Waiting for the decision")
        link = next(word for word in shown.split() if word.startswith("http://127.0.0.1:"))
        origin = link[: link.index("/", 8)]
        with httpx.Client(base_url=origin, trust_env=False) as browser:
            _answering(browser, link)
            page = link.partition("/enter/")[0] + f"/approvals/{approval.id}"
            text = browser.get(page).text
            csrf = text.partition('name="csrf" value="')[2].partition('"')[0]
            answer = browser.post(
                page, data={"csrf": csrf, "decision": "reject"}, headers={"origin": origin}, follow_redirects=False
            )
            assert answer.status_code == 303
        at.wait_for("It is rejected.")
        assert at.end() == 0
    assert state(kept, approval) == "rejected"


def _answering(browser: httpx.Client, link: str) -> None:
    """Enter once the server answers; it starts in a thread of its own."""
    deadline = time.monotonic() + 10
    while True:
        try:
            assert browser.get(link).status_code == 200
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@needs_terminal
@pytest.mark.parametrize("words", [("inbox",), ("approvals", "open")])
def test_the_inbox_shows_what_waits_and_what_comes_up_until_it_is_ended(
    kept: GateStorage, words: tuple[str, ...]
) -> None:
    with terminal(*words) as at:
        shown = at.wait_for("Ctrl-C ends this")
        link = next(word for word in shown.split() if word.startswith("http://127.0.0.1:"))
        with httpx.Client(base_url=link[: link.index("/", 8)], trust_env=False) as browser:
            _answering(browser, link)
            page = link.partition("/enter/")[0] + "/"
            assert "Nothing waits for you" in browser.get(page).text
            assert f"/approvals/{ask(kept).id}" in browser.get(page).text
        assert at.process.poll() is None
        assert at.interrupt() == 0
    assert at.shown.endswith("\nThe inbox is closed.\n")


@needs_terminal
@needs_no_browser
@pytest.mark.usefixtures("no_browser")
@pytest.mark.parametrize("of_one", [True, False])
def test_where_no_browser_can_be_started_the_link_at_a_terminal_goes_on_to_work(
    kept: GateStorage, *, of_one: bool
) -> None:
    approval = ask(kept)
    with terminal("approvals", "open", *([approval.id] if of_one else [])) as at:
        shown = at.wait_for("No browser could be started: open the link above in one yourself.")
        assert "was opened" not in shown
        link = next(word for word in shown.split() if word.startswith("http://127.0.0.1:"))
        with httpx.Client(trust_env=False) as browser:
            _answering(browser, link)
        assert at.interrupt() == 0
    assert at.shown.endswith("is closed.\n")


@needs_no_browser
@pytest.mark.usefixtures("no_browser")
@pytest.mark.parametrize("of_one", [True, False])
def test_where_no_browser_can_be_started_and_nobody_sees_the_link_that_is_an_error(
    kept: GateStorage, *, of_one: bool
) -> None:
    approval = ask(kept)
    code, out, err = run("open", *([approval.id] if of_one else []))
    assert code == 1
    assert "no browser could be started" in err
    assert "127.0.0.1" not in out + err


def test_an_inbox_that_nobody_could_see_is_not_served(kept: GateStorage) -> None:
    ask(kept)
    result = CliRunner().invoke(main, ["--state-dir", str(kept.database.directory), "inbox"])
    assert result.exit_code == 1
    assert "nobody could see the page" in result.stderr
    assert "127.0.0.1" not in result.output


def test_open_shows_its_address_to_no_pipe(kept: GateStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = ask(kept)
    opened: list[str | None] = []
    monkeypatch.setenv("ADMIN_MCP_OPEN_BROWSER", "1")
    monkeypatch.setattr(PageServer, "open_browser", lambda _, approval_id: opened.append(approval_id))
    monkeypatch.setattr("admin_mcp.cli.approval_pages._until", lambda *_: approval)
    monkeypatch.setattr("admin_mcp.cli.approval_pages.time.sleep", lambda _: None)
    code, out, err = run("open", approval.id)
    assert (code, opened) == (0, [approval.id])
    assert "127.0.0.1" not in out + err


def test_a_page_that_nobody_could_see_is_not_served(kept: GateStorage) -> None:
    code, _, err = run("open", ask(kept).id)
    assert code == 1
    assert "nobody could see the page" in err

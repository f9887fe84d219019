"""The process that puts questions on the screen: one, for as long as something waits."""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from admin_mcp.channels import page_process
from admin_mcp.channels.page_process import (
    LINGER_SECONDS,
    LOCK_NAME,
    LOG_NAME,
    keep_inbox_open,
    run_page_process,
    start_page_process,
)
from admin_mcp.channels.page_server import TAB_BUSY_SECONDS, PageServer
from admin_mcp.gate.approval import PENDING_SECONDS
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.private_files import FileLock
from admin_mcp.settings import Settings
from tests.gate.questions import Clock, question, records


class Screen:
    """Runs the page process on a clock that goes on while it sleeps; ``at`` has what happens when."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.start = self.clock.now
        self.kept: GateStorage = records(directory, self.clock)
        self.opened: list[tuple[float, str]] = []
        self.at_loss = 0
        self.at: list[tuple[float, Callable[[], object]]] = []
        monkeypatch.setattr(PageServer, "start", lambda _: None)
        monkeypatch.setattr(PageServer, "open_browser", lambda page, *approval: self._open(page, *approval))  # noqa: PLW0108 - a bound method would not get the page

    def _open(self, page: PageServer, approval_id: str = "inbox") -> None:
        page._seen("page", TAB_BUSY_SECONDS)
        self.opened.append((self.clock.now - self.start, approval_id))

    def no_browser(self) -> None:
        self.at_loss += 1

    def ask(self, key: str = "key", channel: Channel = "local") -> str:
        return self.kept.approvals.open(question(key), channel)[0].id

    def run(self) -> float:
        """Return after how many seconds it ended."""
        run_page_process(self.kept, self.clock, self._sleep)
        return self.clock.now - self.start

    def _sleep(self, _: float) -> None:
        self.clock.now += 1
        while self.at and self.clock.now - self.start >= self.at[0][0]:
            self.at.pop(0)[1]()


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Screen:
    return Screen(tmp_path / "state", monkeypatch)


def test_it_opens_a_question_once_and_ends_a_while_after_its_decision(screen: Screen) -> None:
    approval = screen.ask()
    screen.at = [(100, lambda: screen.kept.approvals.apply(approval, "reject"))]
    assert screen.run() == pytest.approx(100 + LINGER_SECONDS, abs=2)
    assert screen.opened == [(0, approval)]


def test_it_stays_while_an_approved_change_may_still_be_sent(screen: Screen) -> None:
    approval = screen.ask()
    screen.kept.approvals.apply(approval, "approve")
    screen.at = [(200, lambda: screen.kept.approvals.claim(approval, {"by": "x"}))]
    assert screen.run() == pytest.approx(200 + LINGER_SECONDS, abs=2)


def test_a_question_nobody_answers_keeps_it_no_longer_than_the_question(screen: Screen) -> None:
    screen.ask()
    assert screen.run() == pytest.approx(PENDING_SECONDS + LINGER_SECONDS, abs=2)


def test_a_later_question_gets_a_tab_only_when_nobody_seems_to_look(screen: Screen) -> None:
    first = screen.ask()
    later: list[str] = []
    screen.at = [
        (10, lambda: later.append(screen.ask("second"))),
        (100, lambda: screen.kept.approvals.apply(first, "reject")),
    ]
    screen.at.append((101, lambda: screen.kept.approvals.apply(later[0], "reject")))
    screen.run()
    assert screen.opened == [(0, first), (TAB_BUSY_SECONDS, later[0])]


def test_half_of_its_time_on_a_question_is_put_on_the_screen_once_more(screen: Screen) -> None:
    first = screen.ask()
    screen.run()
    assert [approval for _, approval in screen.opened] == [first, first]
    assert screen.opened[1][0] == pytest.approx(PENDING_SECONDS / 2, abs=2)


def test_nobody_who_looks_is_reminded(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.ask()
    monkeypatch.setattr(PageServer, "watched", property(lambda _: bool(screen.opened)))
    screen.run()
    assert len(screen.opened) == 1


def test_a_question_can_be_kept_open_for_hours(screen: Screen, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state", question_minutes=480)
    screen.kept = open_storage(settings, screen.clock)
    approval = screen.ask()
    other = records(tmp_path / "state", screen.clock)  # of a server that knows nothing of that setting
    screen.clock.now += 8 * 3600 - 1
    found = other.approvals.get(approval)
    assert found is not None
    assert found.state == "pending"
    other.approvals.apply(approval, "approve")
    screen.clock.now += 301
    expired = other.approvals.get(approval)
    assert expired is not None
    assert expired.state == "expired"


@pytest.mark.parametrize("channel", ["elicit", "two-step"])
def test_questions_of_other_channels_are_not_its_business(screen: Screen, channel: Channel) -> None:
    screen.ask(channel=channel)
    assert screen.run() == pytest.approx(LINGER_SECONDS, abs=2)
    assert screen.opened == []


def test_where_the_state_is_taken_away_it_ends_and_makes_none(screen: Screen) -> None:
    screen.ask()

    def remove() -> None:
        for path in screen.kept.database.directory.glob("gate.sqlite3*"):
            path.unlink()

    screen.at = [(3, remove)]
    assert screen.run() < 10
    assert not screen.kept.database.exists


def test_where_no_browser_can_be_started_it_ends_with_an_error(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.ask()
    monkeypatch.setattr(PageServer, "unreachable", True)
    with pytest.raises(OSError, match="no browser could be started"):
        screen.run()
    lock = FileLock(screen.kept.database.directory / LOCK_NAME)
    lock.acquire()
    lock.release()


class Child:
    """The process that would have been started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started: list[tuple[list[str], Path]] = []
        self.code: int | None = None
        self.says = b""
        monkeypatch.setattr(page_process, "start_child", self._start)

    def _start(self, words: list[str], directory: Path, *, errors: int, apart: bool) -> "Child":
        assert apart
        self.started.append((words, directory))
        with open(errors, "wb", closefd=False) as log:
            log.write(self.says)
        return self

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    return Child(monkeypatch)


def test_there_is_one_for_each_state_directory(screen: Screen, child: Child) -> None:
    screen.ask()
    directory = screen.kept.database.directory
    lock = FileLock(directory / LOCK_NAME)
    lock.acquire()
    assert screen.run() == 0
    assert start_page_process(directory)()
    assert child.started == []
    lock.release()
    assert start_page_process(directory)()
    ((words, place),) = child.started
    assert words[-4:] == ["--state-dir", str(directory), "approvals", "desk"]
    assert place == directory


def test_one_that_ended_because_nothing_waited_has_done_its_work(child: Child, tmp_path: Path) -> None:
    works = start_page_process(tmp_path / "state")
    child.code = 0
    assert works()


def test_one_that_dies_at_once_is_logged_with_what_it_said(
    child: Child, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child.says = b"Traceback\nOSError: no browser could be started\n"
    works = start_page_process(tmp_path / "state")
    assert works()
    assert caplog.records == []
    child.code = 1
    assert not works()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "exit code 1: OSError: no browser could be started" in record.getMessage()


def test_what_an_earlier_one_said_is_not_taken_for_the_new_ones(
    child: Child, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child.says = b"the first\n"
    start_page_process(tmp_path / "state")
    child.says, child.code = b"", -9
    assert not start_page_process(tmp_path / "state")()
    assert "the first" not in caplog.text
    assert LOG_NAME in caplog.text


def test_one_that_cant_be_started_is_logged_and_not_counted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    assert not start_page_process(tmp_path / "state")()
    assert "The approval page could not be started" in caplog.text


def test_a_state_directory_that_cant_be_used_is_logged_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("", "utf-8")
    assert not start_page_process(tmp_path / "state")()
    assert "The approval page could not be started" in caplog.text


def test_a_real_one_without_a_browser_dies_and_the_starter_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_storage(Settings(state_dir=tmp_path / "state")).approvals.open(question(), "local")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BROWSER", str(tmp_path / "none %s"))
    monkeypatch.setenv("PATH", str(tmp_path))
    works = start_page_process(tmp_path / "state")
    deadline = time.monotonic() + 60
    while works():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Ended(Exception):  # noqa: N818 - a person's Ctrl-C
    pass


def until(screen: Screen, seconds: float, *, opens: bool = True) -> list[PageServer]:
    """Keep the inbox open for a while, and return the page servers that the person was let into."""
    entered: list[PageServer] = []

    def end() -> None:
        raise Ended

    screen.at.append((seconds, end))
    with pytest.raises(Ended):
        keep_inbox_open(screen.kept, screen.clock, entered.append, screen.no_browser, opens=opens, sleep=screen._sleep)
    return entered


def test_the_inbox_stays_although_nothing_waits_and_keeps_servers_from_starting_another(
    screen: Screen, child: Child
) -> None:
    screen.at = [(500, lambda: start_page_process(screen.kept.database.directory))]
    assert len(until(screen, 1000)) == 1
    assert (screen.opened, child.started) == ([], [])
    start_page_process(screen.kept.database.directory)
    assert len(child.started) == 1


def test_a_question_opens_the_inbox_anew_only_where_no_tab_has_it(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen.ask()
    tabs = {"open": True}
    monkeypatch.setattr(PageServer, "inbox_open", property(lambda _: tabs["open"]))
    screen.at = [
        (50, lambda: screen.ask("second")),
        (100, lambda: tabs.update(open=False)),
        (200, lambda: screen.ask("third")),
    ]
    until(screen, 300)
    assert screen.opened == [(100, "inbox"), (200, "inbox")]


@pytest.mark.parametrize("opens", [False, True])
def test_the_inbox_leaves_it_to_another_page_process_while_one_runs_and_where_it_opens_nothing(
    screen: Screen, *, opens: bool
) -> None:
    lock = FileLock(screen.kept.database.directory / LOCK_NAME)
    lock.acquire()
    screen.at = [(10, screen.ask), (20, lock.release), (30, lambda: screen.ask("second"))]
    until(screen, 60, opens=opens)
    assert [at for at, _ in screen.opened] == ([20] if opens else [])


def test_the_inbox_says_once_that_no_browser_could_be_started_and_goes_on(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PageServer, "unreachable", True)
    screen.at = [(10, screen.ask)]
    until(screen, 60)
    assert screen.at_loss == 1
    assert [at for at, _ in screen.opened] == [10]

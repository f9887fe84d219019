"""The process that puts questions on the screen: one, for as long as something waits."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin_mcp.channels.desk import LINGER_SECONDS, LOCK_NAME, run_desk, start_desk
from admin_mcp.channels.page_server import TAB_BUSY_SECONDS, PageServer
from admin_mcp.gate.approvals import PENDING_SECONDS
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.records import Records
from admin_mcp.private_files import FileLock
from tests.gate.questions import Clock, question, records


class Screen:
    """Runs a desk on a clock that goes on while it sleeps; ``at`` has what happens when."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.start = self.clock.now
        self.kept: Records = records(directory, self.clock)
        self.opened: list[tuple[float, str]] = []
        self.at: list[tuple[float, Callable[[], object]]] = []
        monkeypatch.setattr(PageServer, "start", lambda _: None)
        monkeypatch.setattr(PageServer, "open_browser", lambda page, approval: self._open(page, approval))  # noqa: PLW0108 - a bound method would not get the page

    def _open(self, page: PageServer, approval_id: str) -> None:
        page._busy_until = self.clock.now + TAB_BUSY_SECONDS
        self.opened.append((self.clock.now - self.start, approval_id))

    def ask(self, key: str = "key", channel: Channel = "local") -> str:
        return self.kept.approvals.open(question(key), channel)[0].id

    def run(self) -> float:
        """Return after how many seconds the desk ended."""
        run_desk(self.kept, self.clock, self._sleep)
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
    screen.at = [(10, lambda: later.append(screen.ask("second")))]
    screen.run()
    assert screen.opened == [(0, first), (TAB_BUSY_SECONDS, later[0])]


@pytest.mark.parametrize("channel", ["elicit", "two-step"])
def test_questions_of_other_channels_are_not_its_business(screen: Screen, channel: Channel) -> None:
    screen.ask(channel=channel)
    assert screen.run() == pytest.approx(LINGER_SECONDS, abs=2)
    assert screen.opened == []


def test_where_the_state_is_taken_away_it_ends_and_makes_none(screen: Screen) -> None:
    screen.ask()

    def remove() -> None:
        for path in screen.kept.state.directory.glob("gate.sqlite3*"):
            path.unlink()

    screen.at = [(3, remove)]
    assert screen.run() < 10
    assert not screen.kept.state.exists


def test_there_is_one_for_each_state_directory(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.ask()
    started: list[Any] = []
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-secret")
    monkeypatch.setattr(subprocess, "Popen", lambda words, **given: started.append((words, given["env"])))
    lock = FileLock(screen.kept.state.directory / LOCK_NAME)
    lock.acquire()
    assert screen.run() == 0
    start_desk(screen.kept.state.directory)
    assert started == []
    lock.release()
    start_desk(screen.kept.state.directory)
    ((words, environment),) = started
    assert words[0] == sys.executable
    assert words[-2:] == ["approvals", "desk"]
    assert "OPENAI_ADMIN_KEY" not in environment

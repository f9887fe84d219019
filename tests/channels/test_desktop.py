"""Notifications on the desktop: what they say, where clicks lead, and what is said where none can be shown."""

import gc
import logging
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from admin_mcp.channels import desktop as desktop_module
from admin_mcp.channels.desktop import SystemDesktop, desktop_of, message_of
from admin_mcp.channels.page_process import LOG_NAME
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import SANDBOX_LABEL, Settings
from tests.gate.questions import Clock, question, records
from tests.platforms import needs_linux
from tests.session_bus import SessionBus
from tests.sessions import session

PROGRAM = shutil.which("dbus-daemon")
here = pytest.mark.skipif(
    PROGRAM is None or sys.platform != "linux", reason="dbus-daemon, which runs a session bus on Linux, is missing"
)


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """The library leaves the bus's socket to the collector of garbage, which is to find it in no other test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionBus]:
    assert PROGRAM is not None
    found = SessionBus(PROGRAM, tmp_path)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", found.address)
    yield found
    found.stop()


@pytest.fixture
def system(bus: SessionBus) -> Iterator[SystemDesktop]:
    assert bus.address
    found = SystemDesktop()
    yield found
    found.stop()


def asked(tmp_path: Path, **shown: str) -> Approval:
    plain = question(typed=False)
    changed = replace(plain, preview=plain.preview.model_copy(update=shown))
    return records(tmp_path / "state", Clock()).approvals.open(changed, "local")[0]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@here
def test_a_question_is_told_by_its_headline_and_until_when_it_can_be_answered(
    system: SystemDesktop, bus: SessionBus, tmp_path: Path
) -> None:
    approval = asked(tmp_path, undo="update_role once more")
    assert system.tell(approval)
    ((program, headline, text, actions, urgency),) = bus.shown
    assert (program, headline) == ("openai-admin-mcp", approval.preview.title)
    assert text == message_of(approval, again=False, clickable=True)
    assert actions[0] == "default"
    assert urgency == 1


@here
def test_what_can_not_be_undone_stays_on_the_screen(system: SystemDesktop, bus: SessionBus, tmp_path: Path) -> None:
    assert system.tell(asked(tmp_path))
    assert bus.shown[0][-1] == 2


@here
def test_a_click_is_heard_of_once(system: SystemDesktop, bus: SessionBus, tmp_path: Path) -> None:
    approval = asked(tmp_path)
    system.tell(approval)
    assert system.clicked() == []
    bus.click(1)
    heard: list[str] = []

    def hears() -> bool:
        heard.extend(system.clicked())
        return bool(heard)

    until(hears)
    assert heard == [approval.id]
    assert system.clicked() == []
    system.withdraw(approval.id)
    assert bus.desktop.closed == []


@here
def test_a_decided_question_leaves_the_desktop_even_if_the_person_was_faster(
    system: SystemDesktop, bus: SessionBus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    approval = asked(tmp_path)
    system.tell(approval)
    system.withdraw(approval.id)
    assert bus.desktop.closed == [1]
    system.withdraw(approval.id)
    assert bus.desktop.closed == [1]
    system.tell(approval)
    bus.close(2)
    until(lambda: not _known(system))
    system.withdraw(approval.id)
    assert caplog.records == []


def _known(system: SystemDesktop) -> list[str]:
    return system._run(system._notifier.get_current_notifications())


@here
def test_a_reminder_takes_the_place_of_the_first(system: SystemDesktop, bus: SessionBus, tmp_path: Path) -> None:
    approval = asked(tmp_path)
    system.tell(approval)
    system.tell(approval, again=True)
    assert bus.desktop.closed == [1]
    assert "Half of the time is over" in bus.shown[1][2]


@here
def test_nothing_is_left_on_the_desktop_when_it_ends(bus: SessionBus, tmp_path: Path) -> None:
    system = SystemDesktop()
    system.tell(asked(tmp_path))
    system.stop()
    assert bus.desktop.closed == [1]


@here
def test_a_name_never_stands_where_a_desktop_reads_markup(
    system: SystemDesktop, bus: SessionBus, tmp_path: Path
) -> None:
    lie = 'Remove <a href="http://evil.example">Ana</a> <b>sk-admin-12345678901234567890</b> <img src="x"/>'
    system.tell(asked(tmp_path, title=lie))
    headline, text = bus.shown[0][1:3]
    assert "evil.example" not in headline
    assert "sk-admin" not in headline
    assert not set("<>&") & set(text)


@here
def test_a_desktop_that_never_answers_is_given_up_and_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert PROGRAM is not None
    monkeypatch.setattr(desktop_module, "_REPLY_SECONDS", 0.3)
    bus = SessionBus(PROGRAM, tmp_path, silent=True)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
    system = SystemDesktop()
    approval = asked(tmp_path)
    assert not system.tell(approval)
    assert not system.tell(approval, again=True)
    (record,) = caplog.records
    assert "did not answer" in record.getMessage()
    system.stop()
    bus.stop()


@here
def test_a_bus_that_goes_away_is_told_of_once(
    bus: SessionBus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    system = SystemDesktop()
    approval = asked(tmp_path)
    assert system.tell(approval)
    bus.go_away()
    assert not system.tell(approval, again=True)
    assert not system.tell(approval)
    assert [record.name for record in caplog.records] == [desktop_module.__name__]
    assert len(caplog.text.splitlines()) == 1
    system.stop()


@here
@pytest.mark.anyio
async def test_a_server_that_opens_no_page_has_a_notification_shown_until_the_decision(
    bus: SessionBus, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    env = {
        "ADMIN_MCP_STATE_DIR": str(state),
        "ADMIN_MCP_DESKTOP_NOTIFICATIONS": "1",
        "ADMIN_MCP_APPROVAL_WAIT": "60",
        "DBUS_SESSION_BUS_ADDRESS": bus.address,
    }
    async with session("legacy", "--sandbox", env=env, answers=None) as client:
        answered: list[dict[str, Any]] = []

        async def change() -> None:
            answered.append(await client.call("create_group", name="Research"))

        async with anyio.create_task_group() as group:
            group.start_soon(change)
            await to_thread.run_sync(until, lambda: bool(bus.shown))
            kept = open_storage(Settings(state_dir=state))
            (approval,) = kept.approvals.all()
            assert bus.shown[0][1] == approval.preview.title
            kept.approvals.apply(approval.id, "approve")
        assert answered[0]["name"] == "Research"
        await to_thread.run_sync(until, lambda: bus.desktop.closed == [1])
    assert (state / LOG_NAME).read_text("utf-8") == ""


@needs_linux
def test_where_there_is_no_desktop_the_reason_is_logged_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    assert desktop_of(Settings(desktop_notifications=True)) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "No such file" in record.getMessage()
    assert len(caplog.text.splitlines()) == 1


def test_none_is_looked_for_where_none_is_wanted_or_the_library_is_not_there(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert desktop_of(Settings(desktop_notifications=False)) is None
    monkeypatch.setattr(desktop_module, "_LIBRARY", "no_such_library")
    assert desktop_of(Settings(desktop_notifications=True)) is None
    assert caplog.records == []


@pytest.mark.parametrize("clickable", [False, True])
@pytest.mark.parametrize("again", [False, True])
def test_the_text_says_what_to_do_and_which_organization_is_a_pretend_one(
    tmp_path: Path, *, again: bool, clickable: bool
) -> None:
    text = message_of(asked(tmp_path, target=SANDBOX_LABEL), again=again, clickable=clickable)
    assert text.startswith("In the sandbox. ")
    assert ("Click" in text) == clickable
    assert ("approvals open" in text) != clickable
    assert ("Half" in text) == again

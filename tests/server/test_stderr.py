"""What is written to stderr while serving is handed over, without waiting and without secrets."""

import io
import logging
import sys
import threading

import click
import pytest

from admin_mcp.server.stderr import NeverWaiting, never_waiting

KEY = "sk-admin-0123456789"


class Stuck(io.StringIO):
    """A stream that nobody reads, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def write(self, text: str) -> int:
        self.free.wait(20)
        return super().write(text)


def test_text_arrives_in_order_and_without_secrets() -> None:
    behind = io.StringIO()
    stream = NeverWaiting(behind, (KEY,))
    for part in ("one\n", f"two {KEY}\n", "\ud800\n"):
        stream.write(part)
    stream.finish()
    assert behind.getvalue() == "one\ntwo [redacted]\n?\n"


def test_a_stream_that_is_stuck_makes_nobody_wait_and_what_is_dropped_is_counted() -> None:
    behind = Stuck()
    stream = NeverWaiting(behind)
    for number in range(5000):
        stream.write(f"{number}\n")
    behind.free.set()
    stream.finish()
    stream.write("later\n")
    stream.finish()
    lines = behind.getvalue().splitlines()
    assert "0" in lines
    assert len(lines) < 1100
    assert any("messages were dropped" in line for line in lines)


def test_a_stream_that_is_gone_is_no_error() -> None:
    behind = io.StringIO()
    behind.close()
    stream = NeverWaiting(behind)
    stream.write("x")
    stream.finish()
    stream.write("y")


def test_clicks_and_loggings_words_go_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = io.StringIO()
    monkeypatch.setattr(sys, "stderr", behind)
    with never_waiting((KEY,)) as last_words:
        click.echo(f"echoed {KEY}", err=True)
        handler = logging.StreamHandler(sys.stderr)
        handler.emit(logging.makeLogRecord({"msg": f"logged {KEY}"}))
        last_words()
        assert behind.getvalue() == "echoed [redacted]\nlogged [redacted]\n"
    assert sys.stderr is behind


def test_a_process_without_stderr_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with never_waiting() as last_words:
        last_words()
    assert sys.stderr is None

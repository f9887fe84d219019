"""How commands end that are ended from outside: by who reads their output, and by Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin_mcp import __main__
from admin_mcp.cli.endings import ended_by_interrupt, until_enough_was_read
from admin_mcp.cli.main import main
from tests.cli.asked import Now
from tests.gate.questions import question, records
from tests.platforms import needs_posix_processes
from tests.sessions import environment
from tests.terminal import needs_terminal, terminal

COMMANDS = [
    "--help",
    "approvals --help",
    "--version",
    "tools --json",
    "tools --markdown",
    "config codex",
    "doctor --sandbox",
    "doctor --sandbox --json",
    "approvals list",
    "approvals list --json",
    "journal list",
    "journal export --format csv",
    "plans list --json",
    "secrets list --json",
    "policy explain delete_user",
    "--sandbox report access",
    "--sandbox report spend --format csv",
    "demo",
]


def fail(error: Exception) -> None:
    raise error


def unread(command: str) -> tuple[int, str]:
    """Run a command whose output nobody reads; return the exit code and what it says on stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "admin_mcp", *command.split()],
            env={**os.environ, **environment()},
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    return done.returncode, done.stderr


@needs_posix_processes
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_whose_output_nobody_reads_ends_quietly(command: str, tmp_path: Path) -> None:
    records(tmp_path / "state", Now()).approvals.open(question(), "local")
    code, said = unread(command)
    assert code == 0
    assert "Error" not in said
    assert "Traceback" not in said
    assert "Exception" not in said


@needs_posix_processes
def test_the_exit_code_that_was_asked_for_counts_also_where_nobody_reads() -> None:
    assert unread("--sandbox report access --fail-on owners")[0] in {0, 3}
    assert unread("--sandbox doctor --nonsense")[0] == 2


def test_a_broken_pipe_that_is_not_the_outputs_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as whole, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", whole)
        for error in (BrokenPipeError(), ExceptionGroup("tasks", [BrokenPipeError()])):
            with pytest.raises(type(error)), until_enough_was_read():
                fail(error)


@needs_posix_processes
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_broken_pipe_of_the_output_is_the_end_also_where_tasks_wrap_it(*, wrapped: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    error = BrokenPipeError()
    with os.fdopen(writing, "w") as unread_output, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", unread_output)
        with until_enough_was_read():
            fail(ExceptionGroup("tasks", [error]) if wrapped else error)
        print("and this goes nowhere")  # noqa: T201 - what a command prints after its end


def test_what_goes_on_until_ctrl_c_says_what_its_end_comes_to(capsys: pytest.CaptureFixture[str]) -> None:
    with ended_by_interrupt("It is closed."):
        signal.raise_signal(signal.SIGINT)
    assert capsys.readouterr().err == "\nIt is closed.\n"


@needs_terminal
@pytest.mark.parametrize(
    ("command", "shows", "code", "says"),
    [
        ("sandbox", "Ctrl-C ends it.", 0, "The sandbox is gone, and all that was in it."),
        ("demo", "Connected", 130, "Stopped."),
        ("approvals deny --all", "Reject this?", 130, "Stopped."),
        ("approvals deny", "Reject this?", 130, "Stopped."),
    ],
)
def test_ctrl_c_ends_a_command_with_one_line(command: str, shows: str, code: int, says: str, tmp_path: Path) -> None:
    records(tmp_path / "state", Now()).approvals.open(question(), "local")
    with terminal(*command.split()) as at:
        at.wait_for(shows)
        assert at.interrupt() == code
    assert at.shown.endswith(f"\n{says}\n")
    assert "Aborted" not in at.shown
    assert "Traceback" not in at.shown


def test_ctrl_c_while_modules_are_loaded_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("admin_mcp.server.front.serve_front", pressed)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 130


def test_the_end_of_the_input_at_a_prompt_is_a_failure(tmp_path: Path) -> None:
    records(tmp_path / "state", Now()).approvals.open(question(), "local")
    result = CliRunner().invoke(main, ["approvals", "deny"], input="")
    assert (result.exit_code, result.stderr) == (1, "\nStopped.\n")

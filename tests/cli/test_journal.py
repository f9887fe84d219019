"""``journal`` and ``secrets``, as an operator reads them."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.gate.database import FIRST_HASH
from admin_mcp.gate.journal import chained
from tests.gate.questions import question, records
from tests.platforms import needs_file_modes, needs_posix_processes
from tests.sessions import environment


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.stdout, result.stderr


def filled(tmp_path: Path) -> str:
    kept = records(tmp_path / "state")
    approval, _ = kept.approvals.open(question(), "local")
    kept.approvals.apply(approval.id, "approve", via="page")
    kept.approvals.claim(
        approval.id, {"by": "x", "tool": "delete_role", "request": "DELETE /organization/roles/role_1"}
    )
    kept.journal.write("refused", "other", tool="delete_group", message="not allowed here")
    return approval.id


def test_an_empty_journal_says_so_and_makes_nothing(tmp_path: Path) -> None:
    for command in ("list", "verify"):
        code, out, err = run("journal", command)
        assert (code, out) == (0, "")
        assert "Nothing is recorded" in err
    assert run("journal", "acknowledge") == (0, "There is nothing to acknowledge.\n", "")
    assert not (tmp_path / "state").exists()


def test_list_has_a_line_for_each_record(tmp_path: Path) -> None:
    change = filled(tmp_path)
    _, out, _ = run("journal", "list")
    lines = out.splitlines()
    assert [line.split()[3] for line in lines] == ["asked", "decided", "sending", "refused"]
    assert all(line.split()[2] == change for line in lines[:3])
    assert "approved — page" in lines[1]
    assert "DELETE /organization/roles/role_1" in lines[2]
    assert "delete_group: not allowed here" in lines[3]


def test_show_has_everything_on_one_change(tmp_path: Path) -> None:
    change = filled(tmp_path)
    code, out, _ = run("journal", "show", change)
    assert code == 0
    assert "Role: “Support” (role_1)" in out
    assert "delete_group" not in out
    code, _, err = run("journal", "show", "nothing")
    assert code == 1
    assert "nothing is recorded under nothing" in err


def test_verify_names_the_first_broken_link(tmp_path: Path) -> None:
    filled(tmp_path)
    assert run("journal", "verify") == (0, "All 4 records are as they were written.\n", "")
    with closing(sqlite3.connect(tmp_path / "state" / "gate.sqlite3")) as connection, connection:
        connection.execute("UPDATE journal SET record = replace(record, 'approved', 'rejected') WHERE seq = 2")
    code, _, err = run("journal", "verify")
    assert code == 1
    assert "record 2 was changed" in err
    assert "the 1 before it" in err


def edit(tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "state" / "gate.sqlite3")) as connection, connection:
        connection.execute(statement)


def test_list_shows_a_damaged_record_and_goes_on_and_verify_names_it(tmp_path: Path) -> None:
    change = filled(tmp_path)
    edit(tmp_path, "UPDATE journal SET record = 'x' || char(27) || '[2J' WHERE seq = 2")
    code, out, _ = run("journal", "list")
    assert code == 0
    lines = out.splitlines()
    assert len(lines) == 4
    assert "damaged" in lines[1]
    assert r"it is not JSON: x\u{001B}[2J" in lines[1]
    assert "delete_group: not allowed here" in lines[3]
    assert "it is not JSON" in run("journal", "show", change)[1]
    code, _, err = run("journal", "verify")
    assert code == 1
    assert "record 2 is damaged, it is not JSON; the 1 before it are as they were written" in err


def test_a_journal_that_is_gone_is_told_of_and_can_be_acknowledged(tmp_path: Path) -> None:
    filled(tmp_path)
    assert run("journal", "acknowledge")[1] == "There is nothing to acknowledge.\n"
    (tmp_path / "state" / "gate.sqlite3").unlink()
    code, out, err = run("journal", "list")
    assert (code, out) == (0, "")
    assert "an earlier journal, of 3 records or more, is gone" in err
    code, _, err = run("journal", "verify")
    assert code == 1
    assert "an earlier journal, of 3 records or more, is gone" in err
    code, out, _ = run("journal", "acknowledge")
    assert (code, out) == (0, "Recorded: you know that an earlier journal, of 3 records or more, is gone.\n")
    assert run("journal", "verify")[:2] == (0, "All 2 records are as they were written.\n")
    assert "is gone" in run("journal", "list")[1]


@needs_file_modes
def test_a_journal_that_others_can_read_is_not_listed_and_the_mend_is_named(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "state" / "gate.sqlite3").chmod(0o644)
    for command in ("list", "verify"):
        code, out, err = run("journal", command)
        assert (code, out) == (1, "")
        assert "chmod go-rwx" in err


def long(tmp_path: Path, count: int) -> None:
    """Fill a journal with that many records."""
    kept = records(tmp_path / "state")
    with kept.database.transaction() as connection:
        before = FIRST_HASH
        for seq in range(1, count + 1):
            text = json.dumps({"at": "now", "kind": "refused", "change": "c", "message": "x" * 200})
            before = chained(before, seq, text)
            connection.execute("INSERT INTO journal VALUES (?, 'c', ?, ?)", (seq, text, before))
        connection.execute("INSERT INTO journal_head VALUES (1, ?, ?)", (count, before))


@needs_posix_processes
def test_list_ends_well_when_its_reader_has_read_enough(tmp_path: Path) -> None:
    long(tmp_path, 5000)
    listing = subprocess.Popen(
        [sys.executable, "-m", "admin_mcp", "journal", "list"],
        env={**os.environ, **environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with listing:
        assert listing.stdout
        assert listing.stderr
        assert listing.stdout.readline().startswith(b"    1  now")
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode == 0


PEAKS_IN_A_MEBIBYTE = 1024**2 if sys.platform == "darwin" else 1024
"""How many units of ``ru_maxrss`` that is: bytes on macOS, KiB elsewhere."""


@needs_posix_processes
@pytest.mark.parametrize("command", ["list", "verify"])
def test_a_long_journal_takes_no_more_memory_than_a_short_one(tmp_path: Path, command: str) -> None:
    peaks = []
    for count in (1000, 60_000):
        long(tmp_path / str(count), count)
        env = environment(ADMIN_MCP_STATE_DIR=str(tmp_path / str(count) / "state"))
        process = subprocess.Popen(
            [sys.executable, "-m", "admin_mcp", "journal", command],
            env={**os.environ, **env},
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss / PEAKS_IN_A_MEBIBYTE)
    assert peaks[1] - peaks[0] < 4, peaks


def test_secrets_are_listed_without_their_values_and_deleted_by_name(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "secrets"
    assert "No keys are saved" in run("secrets", "list")[2]
    directory.mkdir(parents=True)
    (directory / "key_1.key").write_text("sk-svcacct-value\n", "utf-8")
    code, out, _ = run("secrets", "list")
    assert code == 0
    assert out.startswith("key_1  saved ")
    assert str(directory / "key_1.key") in out
    assert "sk-svcacct-value" not in out
    for wrong in ("nothing", "../secrets/key_1", "key_1.key"):
        code, _, err = run("secrets", "delete", wrong)
        assert code == 1
        assert "no saved key" in err
    code, out, _ = run("secrets", "delete", "key_1")
    assert code == 0
    assert "still valid" in out
    assert list(directory.iterdir()) == []

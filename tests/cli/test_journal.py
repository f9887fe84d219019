"""``journal`` and ``secrets``, as an operator reads them."""

import csv
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.cli.times import local_time
from admin_mcp.gate.database import FIRST_HASH, epoch_seconds
from admin_mcp.gate.journal import chained
from tests.gate.questions import Clock, question, records
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


def test_a_journal_without_a_record_says_so_where_the_state_is_there(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    with kept.database.transaction():
        pass
    assert kept.database.exists
    code, out, err = run("journal", "list")
    assert (code, out) == (0, "")
    assert "Nothing is recorded" in err
    assert run("journal", "list", "--json")[1] == "[]\n"


def test_list_has_a_line_for_each_record(tmp_path: Path) -> None:
    change = filled(tmp_path)
    _, out, _ = run("journal", "list")
    heads, *lines = out.splitlines()
    assert heads.split() == ["No.", "Time", "ID", "Kind", "What"]
    assert [line.split()[4] for line in lines] == ["asked", "decided", "sending", "refused"]
    assert all(line.split()[3] == change for line in lines[:3])
    assert all("Delete role" in line for line in lines[:3])  # each names what it is about, not the first alone
    assert "approved, page" in lines[1]
    assert "DELETE /organization/roles/role_1" in lines[2]
    assert "not allowed here — delete_group" in lines[3]


def test_journal_and_approvals_tell_local_time_with_its_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = records(tmp_path / "state", Clock(epoch_seconds()))
    kept.approvals.open(question(), "local")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    getattr(time, "tzset", lambda: None)()
    try:
        told = local_time(kept.approvals.all()[0].opened)
        assert told.endswith("+05:30") or os.name != "posix"
        assert all(told in run(*words)[1] for words in (("journal", "list"), ("approvals", "list")))
        assert told in run("journal", "show", kept.approvals.all()[0].id)[1]
    finally:
        monkeypatch.undo()
        getattr(time, "tzset", lambda: None)()


def test_list_as_json_is_every_record_whole(tmp_path: Path) -> None:
    change = filled(tmp_path)
    told = json.loads(run("journal", "list", "--json")[1])
    assert [row["kind"] for row in told] == ["asked", "decided", "sending", "refused"]
    assert told[0]["change"] == change
    assert told[2]["fields"]["request"] == "DELETE /organization/roles/role_1"


def test_an_empty_list_as_json_is_an_empty_array() -> None:
    for command in ("journal", "approvals", "plans", "secrets"):
        assert run(command, "list", "--json")[:2] == (0, "[]\n")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_export_writes_a_private_file_and_the_same_to_the_screen(tmp_path: Path, form: str) -> None:
    change = filled(tmp_path)
    file = tmp_path / f"journal.{form}"
    code, out, _ = run("journal", "export", "-o", str(file))
    assert (code, out) == (0, "")
    assert run("journal", "export", "--format", form)[1] == file.read_text("utf-8")
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0
    text = file.read_text("utf-8")
    if form == "csv":
        rows = list(csv.DictReader(text.splitlines()))
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [row["kind"] for row in rows] == ["asked", "decided", "sending", "refused"]
    assert [row["change"] for row in rows[:3]] == [change] * 3
    assert all("Delete role" in row["what"] for row in rows[:3])


def test_no_cell_of_the_csv_is_a_formula(tmp_path: Path) -> None:
    records(tmp_path / "state").journal.write("refused", "other", tool="=cmd()", message="+1\x1b[2J\u202e")
    (row,) = csv.DictReader(run("journal", "export", "--format", "csv")[1].splitlines())
    assert row["tool"] == "'=cmd()"
    assert row["message"] == r"'+1\u{001B}[2J\u{202E}"


def test_export_of_nothing_is_an_empty_file_with_heads() -> None:
    assert run("journal", "export")[:2] == (0, "")
    assert run("journal", "export", "--format", "csv")[1].startswith("seq,at,change,kind,what,")


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
    assert len(lines) == 5
    assert "damaged" in lines[2]
    assert r"it is not JSON: x\u{001B}[2J" in lines[2]
    assert "not allowed here — delete_group" in lines[4]
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
        assert listing.stdout.readline().startswith(b"No. ")
        assert listing.stdout.readline().startswith(b"1      now")
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
    heads, line = out.splitlines()
    assert heads.split() == ["Name", "Saved", "File"]
    assert line.startswith("key_1  ")
    assert line.endswith(str(directory / "key_1.key"))
    assert "sk-svcacct-value" not in out + run("secrets", "list", "--json")[1]
    err = ""
    for wrong in ("nothing", "../secrets/key_1", "key_2"):
        code, _, err = run("secrets", "delete", "--yes", wrong)
        assert code == 1
        assert "There is no saved key" in err
    assert "Did you mean key_1" in err


@pytest.mark.parametrize("shown", ["key_1", "key_1.key", "{directory}/key_1.key"])
def test_a_saved_key_is_deleted_by_any_name_the_list_shows_after_a_yes(tmp_path: Path, shown: str) -> None:
    directory = tmp_path / "state" / "secrets"
    directory.mkdir(parents=True)
    for name in ("key_1", "key_2"):
        (directory / f"{name}.key").write_text("sk-svcacct-value\n", "utf-8")
    name = str(directory / "key_1.key") if "{" in shown else shown
    for answer, left, told in (("n\n", 2, "Nothing was deleted."), ("", 2, ""), ("y\n", 1, "is still valid")):
        result = CliRunner().invoke(main, ["secrets", "delete", name], input=answer)
        assert str(directory / "key_1.key") in result.stdout
        assert told in result.stdout
        assert len(list(directory.iterdir())) == left
    assert [path.name for path in directory.iterdir()] == ["key_2.key"]


def test_several_saved_keys_are_deleted_at_once_and_none_if_one_name_is_wrong(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "secrets"
    directory.mkdir(parents=True)
    for name in ("key_1", "key_2"):
        (directory / f"{name}.key").write_text("sk-svcacct-value\n", "utf-8")
    assert run("secrets", "delete", "--yes", "key_1", "nothing")[0] == 1
    assert len(list(directory.iterdir())) == 2
    assert run("secrets", "delete", "--yes", "key_1", "key_2")[0] == 0
    assert list(directory.iterdir()) == []


def test_nothing_in_a_record_can_draw_on_the_screen(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    hostile = "a\x1b[2J\x9b1mb\u202ec\u2028d\x07\r  e\ud800"
    kept.journal.write("refused", "other", tool="delete_group", message=hostile, nested={"a": [hostile]})
    kept.journal.write("refused", hostile.encode("utf-8", "replace").decode(), message="x")
    for words in (
        ("show", "other"),
        ("show", hostile.encode("utf-8", "replace").decode()),
        ("list",),
        ("show", "\x1b[2J"),
    ):
        _, out, err = run("journal", *words)
        assert not [each for each in "\x1b\x9b\u202e\u2028\x07\r" if each in out + err], words


def test_the_lines_of_a_preview_stay_lines(tmp_path: Path) -> None:
    change = filled(tmp_path)
    _, out, _ = run("journal", "show", change)
    assert "    shown to the person: Delete role" in out
    assert "\n        Role: “Support” (role_1)\n" in out

"""``journal`` and ``secrets``, as an operator reads them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from admin_mcp.cli import main
from tests.gate.questions import question, records


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

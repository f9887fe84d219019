"""Every list command on narrow terminals: no line is too long, no word is broken, and few lines are needed."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.gate.approval import Result
from tests.cli.asked import Now
from tests.gate.questions import question, records
from tests.terminal import needs_terminal, terminal

TITLES = (
    "Change role Support engineers of the north in the organization",
    "Remove member Ada Lovelace <ada@example.com> from group group_0123456789abcdef",
    "Delete role",
)
WIDE = 80
PLAN = {"title": "Make room for the laboratory", "steps": [{"tool": "create_project", "arguments": {"name": "Lab"}}]}


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Have something in each list."""
    kept = records(tmp_path / "state", Now())
    for number, title in enumerate(TITLES):
        approval = kept.approvals.open(question(str(number), title=title), "local")[0]
        kept.approvals.apply(approval.id, "approve", via="page")
        kept.approvals.claim(
            approval.id, {"by": "x", "tool": "delete_role", "request": "DELETE /organization/roles/role_1"}
        )
        kept.approvals.finish(approval.id, Result("outcome_unknown", "gone"), {})
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(PLAN), "utf-8")
    assert CliRunner().invoke(main, ["--sandbox", "plans", "make", str(file)]).exit_code == 0
    secrets = tmp_path / "state" / "secrets"
    secrets.mkdir()
    (secrets / f"create_admin_api_key-{'a' * 24}.key").write_text("x", "utf-8")
    (tmp_path / "home" / ".cursor").mkdir(parents=True)
    return tmp_path


@needs_terminal
@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    ("command", "rows", "words"),
    [
        ("approvals list", 3, " ".join(TITLES)),
        ("journal list", 12, " ".join(TITLES)),
        ("plans list", 1, "“Make room for the"),
        ("secrets list", 1, "create_admin_api_key-aaaaaaaaaaaaaaaaaaaaaaaa"),
        ("--sandbox doctor", 1, "cursor"),
    ],
)
def test_a_list_is_to_be_read_on_a_narrow_terminal(
    filled: Path, monkeypatch: pytest.MonkeyPatch, columns: int, command: str, rows: int, words: str
) -> None:
    for name, value in {"COLUMNS": str(columns), "TERM": "xterm", "HOME": str(filled / "home")}.items():
        monkeypatch.setenv(name, value)
    with terminal(*command.split()) as at:
        assert at.end() == 0, at.shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", at.shown).splitlines()
    if "doctor" in command:
        lines = lines[lines.index("") + 2 :]
    assert max(map(len, lines)) <= columns
    assert set(words.split()) <= set(" ".join(lines).split())
    assert len(lines) <= 2 + rows * (5 if columns < WIDE else 4)

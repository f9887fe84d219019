"""Each list says which system a record is of, where that isn't the real API; and no name can say it."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.cli.systems import mark_of, marked
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.settings import SANDBOX_LABEL
from tests.gate.questions import Clock, question, records

REAL = "https://api.openai.com/v1 with the key whose fingerprint is 0123abcd"


def run(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).stdout


@pytest.mark.parametrize(
    ("target", "mark"),
    [
        ("", ""),
        (REAL, ""),
        (SANDBOX_LABEL, "sandbox"),
        ("http://127.0.0.1:8080/v1 with the key whose fingerprint is 0123abcd", "127.0.0.1:8080"),
        ("https://[::1]:1/v1 with the key whose fingerprint is 0123abcd", "[::1]:1"),
        ("https://[ with the key whose fingerprint is 0123abcd", "https://["),
        ("https://\u202eevil with the key whose fingerprint is 0123abcd", "\\u{202E}evil"),
        ("a record that somebody wrote", "a record that somebody wrote"),
    ],
)
def test_only_the_real_api_has_no_mark(target: str, mark: str) -> None:
    assert mark_of(target) == mark
    assert marked("x", target) == (f"({mark}) x" if mark else "x")


def asked(tmp_path: Path, target: str) -> str:
    one = question(target)
    one = replace(one, preview=one.preview.model_copy(update={"target": target}))
    kept = records(tmp_path / "state", Clock(epoch_seconds()))
    approval, _ = kept.approvals.open(one, "local")
    kept.approvals.apply(approval.id, "reject", via="terminal")
    return approval.id


def test_approvals_and_journal_mark_what_is_not_of_the_real_api(tmp_path: Path) -> None:
    pretended, real = asked(tmp_path, SANDBOX_LABEL), asked(tmp_path, REAL)
    for command in ("approvals", "journal"):
        lines = run(command, "list").splitlines()
        assert all("(sandbox) " in line for line in lines if pretended in line)
        assert not [line for line in lines if real in line and "sandbox" in line]
        rows = json.loads(run(command, "list", "--json"))
        assert {row["target"] for row in rows} == {SANDBOX_LABEL, REAL}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_every_row_of_an_export_says_its_system(tmp_path: Path, form: str) -> None:
    asked(tmp_path, SANDBOX_LABEL)
    text = run("journal", "export", "--format", form)
    rows = [*csv.DictReader(text.splitlines())] if form == "csv" else [json.loads(each) for each in text.splitlines()]
    assert [(row["kind"], row["target"]) for row in rows] == [("asked", SANDBOX_LABEL), ("decided", SANDBOX_LABEL)]


@pytest.mark.parametrize("title", ["(sandbox) Clean up", "x\u201d (sandbox) y"])
def test_a_plans_title_can_not_seem_to_be_a_mark(tmp_path: Path, title: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"title": title, "steps": [{"tool": "create_project", "arguments": {"name": "Lab"}}]}))
    assert "Apply it" in run("--sandbox", "plans", "make", str(file))
    line = run("plans", "list").splitlines()[1]
    assert line.count("  (sandbox) \u201c") == 1
    assert line.endswith("\u201d: 1 to add")

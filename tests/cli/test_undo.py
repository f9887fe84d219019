"""``journal undo`` and ``journal show``: from a terminal alone, by lines that work as they are printed."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from admin_mcp.cli.folding import folded
from admin_mcp.cli.main import main
from admin_mcp.gate.plan import Plan
from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.gate.questions import records
from tests.terminal import needs_terminal, terminal

GROUPS = [{"tool": "create_group", "arguments": {"name": name}} for name in ("Lab people", "Others")]


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    """Flags of which one needs quotation marks in a shell."""
    return ["--state-dir", str(tmp_path / "a state")]


def command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def words(out: str, says: str) -> list[str]:
    """Return the command that a line leads to, as a shell takes it apart."""
    (line,) = [line for line in out.splitlines() if line.startswith(f"{says}: ")]
    program, *rest = shlex.split(line.partition(": ")[2])
    assert program == "openai-admin-mcp"
    return rest


def groups(organization: httpx.Client) -> set[str]:
    return {group["name"] for group in organization.get("/organization/groups").json()["data"]}


def latest(flags: list[str]) -> Plan:
    return open_storage(Settings(state_dir=Path(flags[1]))).plans.all()[0]


def make(tmp_path: Path, flags: list[str], steps: list[dict[str, Any]], title: str = "Lab") -> str:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"title": title, "steps": steps}), "utf-8")
    code, out = command(*flags, "plans", "make", str(file))
    assert code == 0, out
    return out


def typing(text: str, arguments: list[str]) -> str:
    """Run what applies a plan at a terminal, and return what was shown."""
    with terminal(*arguments) as at:
        at.wait_for(f"To approve, type {text}:")
        at.type(text)
        assert at.end() == 0, at.shown
    return at.shown


@needs_terminal
def test_each_line_leads_to_the_next_under_the_flags_in_use_until_a_plan_is_undone(
    tmp_path: Path, flags: list[str], organization: httpx.Client
) -> None:
    before = groups(organization)
    out = make(tmp_path, flags, GROUPS)
    plan = latest(flags)
    shown = typing("approve", words(out, "Apply it with"))
    assert groups(organization) == before | {"Lab people", "Others"}
    assert words(shown, "Undo what was made with")[-3:] == ["journal", "undo", plan.id]
    code, out = command(*flags, "journal", "show", plan.id)
    assert code == 0
    code, step = command(*words(out, "See all of a step with"))
    assert code == 0
    assert f"this is: step 1 of {plan.id}" in step
    code, out = command(*words(out, "Undo what was made with"))
    assert code == 0
    assert "Plan: Undo “Lab”: 2 to remove" in out
    typing("remove 2", words(out, "Apply it with"))
    assert groups(organization) == before
    code, out = command(*flags, "journal", "undo", plan.id)
    assert code == 1
    assert "can be undone" in out
    assert "ell the user" not in out


@needs_terminal
@pytest.mark.parametrize("name", ["plan", "approval", "plans undo", "step"])
def test_a_plan_is_undone_by_its_id_by_its_approval_and_step_by_step(
    tmp_path: Path, flags: list[str], organization: httpx.Client, name: str
) -> None:
    del organization
    typing("approve", words(make(tmp_path, flags, GROUPS), "Apply it with"))
    plan = latest(flags)
    approval = open_storage(Settings(state_dir=Path(flags[1]))).approvals.all()[0].id
    given = {
        "plan": ("journal", "undo", plan.id),
        "approval": ("journal", "undo", approval),
        "plans undo": ("plans", "undo", plan.id),
        "step": ("journal", "undo", f"{plan.id}.2"),
    }[name]
    code, out = command(*flags, *given)
    assert code == 0
    assert ("1 to remove" if name == "step" else "2 to remove") in out
    assert (f"Plan: Undo step 2 of plan {plan.id}: " if name == "step" else "Plan: Undo “Lab”: ") in out


@needs_terminal
def test_the_journal_says_of_a_step_what_it_was_and_what_came_of_it(
    tmp_path: Path, flags: list[str], organization: httpx.Client
) -> None:
    del organization
    typing("approve", words(make(tmp_path, flags, GROUPS), "Apply it with"))
    plan = latest(flags).id
    lines = command(*flags, "journal", "list")[1].splitlines()
    step = f"step 2 of {plan}: Create group “Others”"
    assert [line.partition("— ")[2] for line in lines if f"{plan}.2 " in line] == [step, step]
    assert any(f"done — {step}" in line for line in lines)
    for form in ("csv", "jsonl"):
        assert command(*flags, "journal", "export", "--format", form)[1].replace("\\u201c", "“").count("step 2 of") == 2
    out = command(*flags, "journal", "show", plan)[1]
    assert re.search(rf"^  {plan}\.1  done +Create group “Lab people”$", out, re.MULTILINE)
    assert re.search(r"^  [0-9a-f]{10} +done +about the whole plan$", out, re.MULTILINE)
    told = json.loads(command(*flags, "journal", "show", plan, "--json")[1])
    assert {row["kind"] for row in told} == {"asked", "decided", "sending", "outcome"}


@needs_terminal
def test_a_change_is_undone_from_the_journal_by_a_plan_of_its_own(
    tmp_path: Path, flags: list[str], organization: httpx.Client
) -> None:
    project = organization.get("/organization/projects").json()["data"][1]
    address = f"/organization/projects/{project['id']}"
    rename = {"tool": "update_project", "arguments": {"project_id": project["id"], "name": "Elsewhere"}}
    typing("approve", words(make(tmp_path, flags, [rename]), "Apply it with"))
    plan = latest(flags)
    assert organization.get(address).json()["name"] == "Elsewhere"
    code, out = command(*flags, "journal", "undo", f"{plan.id}.1")
    assert code == 0
    assert f"“Elsewhere” -> “{project['name']}”" in out
    typing("approve", words(out, "Apply it with"))
    assert organization.get(address).json()["name"] == project["name"]
    code, out = command(*flags, "journal", "undo", f"{plan.id}.1")
    assert code == 1
    assert "can't be undone any more" in out
    assert "Tell the user" not in out
    assert command(*flags, "journal", "verify")[0] == 0


def test_values_are_shown_in_words_or_as_json_and_nothing_in_them_is_obeyed(tmp_path: Path) -> None:
    journal = records(tmp_path / "state").journal
    arguments = {"name": "x\x1b[2J\u202e", "of": None, "yes": True}
    fields = {"tool": "create_group", "arguments": arguments, "before": {}, "by": "6feea8e810ac3532"}
    journal.write("sending", "one", **fields, body="a" * 9000 + "z")
    code, out = command("journal", "show", "one")
    assert code == 0
    assert r'arguments: {"name": "x\u001b[2J\u202e", "of": null, "yes": true}' in out
    assert "6feea8e810ac3532" not in out
    assert "before" not in out
    assert f"body: {'a' * 9000}z\n" in out


def test_what_goes_on_below_is_further_in_than_anything_that_begins_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = (
        "  - 1. Delete group “" + "x " * 40 + "”",
        "       Group: " + "y " * 40,
        "  1. done            " + "z " * 40,
    )
    assert folded("\n".join(lines)) == "\n".join(lines)  # a program gets it as it is
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    step, fact, state = (folded(line).split("\n") for line in lines)
    assert all(len(line) <= 40 for line in (*step, *fact, *state))
    for line, inside in ((step, 9), (fact, 11), (state, 20)):
        assert {len(each) - len(each.lstrip()) for each in line[1:]} == {inside}

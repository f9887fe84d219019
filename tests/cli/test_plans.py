"""``plans`` and ``journal undo``: from files and to files, and applied by a person at a terminal alone."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.gate.plan import LIFE_SECONDS, LONGEST_TEXT, Plan
from admin_mcp.gate.plans import Plans
from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.terminal import Terminal, needs_terminal, terminal

GROUP = {"tool": "create_group", "arguments": {"name": "Lab people"}, "why": "they share one"}
LAB = {
    "title": "Lab",
    "steps": [
        {"tool": "create_project", "arguments": {"name": "Lab"}},
        GROUP,
        {"tool": "add_group_user", "arguments": {"group_id": {"from_step": 2}, "user_id": "USER"}},
    ],
}


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["--sandbox", "plans", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def plans(tmp_path: Path) -> Plans:
    return open_storage(Settings(state_dir=tmp_path / "state")).plans


def a_user() -> str:
    """Return somebody of the pretend organization, which is the same one in every process."""
    from admin_mcp.sandbox.organization import Organization  # noqa: PLC0415 - brings the whole catalog

    answer = Organization(clock=epoch_seconds, seed=0).respond("GET", "/organization/users", [("limit", "5")], None)
    rows = answer.body["data"]
    assert isinstance(rows, list)
    return str(rows[4]["id"])


def written(tmp_path: Path, value: Any = None) -> str:
    """Write a file of steps, and return its path."""
    file = tmp_path / "plan.json"
    text = json.dumps(LAB if value is None else value).replace("USER", a_user())
    file.write_text(text, "utf-8")
    return str(file)


def made(tmp_path: Path, value: Any = None) -> Plan:
    code, out, err = run("make", written(tmp_path, value))
    assert code == 0, err
    plan = plans(tmp_path).all()[0]
    assert f"Apply it with: openai-admin-mcp --sandbox plans apply {plan.id}\n" in out
    return plan


def test_without_a_state_there_is_nothing_to_list_and_nothing_is_made(tmp_path: Path) -> None:
    code, out, err = run("list")
    assert (code, out) == (0, "")
    assert "No plans" in err
    assert not (tmp_path / "state").exists()


COMMANDS = [("show", "plan_x"), ("export", "plan_x"), ("strike", "plan_x", "1")]


@pytest.mark.parametrize("command", COMMANDS, ids=[name for name, *_ in COMMANDS])
@pytest.mark.parametrize("empty", [True, False])
def test_an_unknown_id_is_one_error(tmp_path: Path, command: tuple[str, ...], *, empty: bool) -> None:
    if not empty:
        made(tmp_path)
    code, out, err = run(*command)
    assert (code, out) == (1, "")
    assert "There is no plan plan_x here. `openai-admin-mcp --sandbox plans list` shows those there are." in err


def test_a_plan_is_made_from_a_file_kept_listed_and_shown_whole_and_nothing_is_sent(tmp_path: Path) -> None:
    plan = made(tmp_path)
    code, out, _ = run("list")
    assert code == 0
    heads, line = out.splitlines()
    assert heads.split() == ["ID", "Made", "State", "Risk", "What"]
    assert line.startswith(f"{plan.id}  ")
    assert line.endswith("  not applied  grant  (sandbox) “Lab”: 2 to add, 1 grant")
    (told,) = json.loads(run("list", "--json")[1])
    assert (told["id"], told["state"], told["steps"], told["risk"]) == (plan.id, "not applied", 3, "grant")
    code, out, _ = run("show", plan.id)
    assert code == 0
    for said in ("Gives access:", "the assistant says: “they share one”", "POST /organization/groups", "(new, step 2)"):
        assert said in out
    *_, one, two, three, blank, apply = out.splitlines()
    assert [line.split()[:2] for line in (one, two, three)] == [["1.", "open"], ["2.", "open"], ["3.", "open"]]
    assert (blank, apply) == ("", f"Apply it with: openai-admin-mcp --sandbox plans apply {plan.id}")


def test_the_newest_plan_is_listed_first(tmp_path: Path) -> None:
    first, second = made(tmp_path), made(tmp_path)
    assert [line.split()[0] for line in run("list")[1].splitlines()] == ["ID", second.id, first.id]


def test_as_json_a_plan_can_be_made_again(tmp_path: Path) -> None:
    plan = made(tmp_path)
    file = tmp_path / "again.json"
    code, out, _ = run("export", plan.id, "-o", str(file))
    assert (code, out) == (0, f"Wrote {file}.\n")
    assert run("export", plan.id)[1] == file.read_text("utf-8")
    assert run("make", str(file))[0] == 0
    again = plans(tmp_path).all()[0]
    assert again.id != plan.id
    assert [step.key for step in again.steps] == [step.key for step in plan.steps]


def test_what_refers_to_a_step_still_does_when_an_earlier_one_was_struck_out(tmp_path: Path) -> None:
    plan = made(tmp_path)
    code, out, _ = run("strike", plan.id, "1")
    assert code == 0
    assert "1 to add, 1 grant" in out
    exported = json.loads(run("export", plan.id)[1])
    assert [step["tool"] for step in exported["steps"]] == ["create_group", "add_group_user"]
    assert exported["steps"][1]["arguments"]["group_id"] == {"from_step": 1, "field": "id"}
    assert run("make", written(tmp_path, exported))[0] == 0


def test_the_longest_title_and_reason_can_be_made_again(tmp_path: Path) -> None:
    plan = made(tmp_path, {"title": "t" * LONGEST_TEXT, "steps": [{**GROUP, "why": "w" * LONGEST_TEXT}]})
    exported = json.loads(run("export", plan.id)[1])
    assert run("make", written(tmp_path, exported))[0] == 0
    exported["title"] += "t"
    code, _, err = run("make", written(tmp_path, exported))
    assert code == 1
    assert f'title: got "{"t" * 50}' in err
    assert f"at most {LONGEST_TEXT} characters" in err


def test_markdown_has_a_row_for_each_step_and_nothing_in_it_is_a_link_or_leaves_its_cell(tmp_path: Path) -> None:
    name = "![x](http://evil.example/`a`) | <b>"
    plan = made(tmp_path, {"title": f"# {name}", "steps": [GROUP, {**GROUP, "arguments": {"name": name}}]})
    run("strike", plan.id, "1")
    lines = run("show", plan.id, "--format", "md")[1].splitlines()
    assert lines[0] == r"# \# \!\[x\](http://evil.example/\`a\`) \| \<b\>"
    first, second = lines[-2:]
    assert first.startswith("| 1 | + | Create group “Lab people” | `POST /organization/groups")
    assert first.endswith("| struck |")
    assert r"“\!\[x\](http://evil.example/\`a\`) \| \<b\>”" in second
    assert r'| `` POST /organization/groups {"name":"![x](http://evil.example/`a`) \| <b>"} `` | open |' in second


def test_a_file_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    plan = made(tmp_path)
    code, _, err = run("export", plan.id, "-o", str(tmp_path / "missing" / "plan.json"))
    assert code == 1
    assert "can't be written: No such file" in err


WRONG: list[tuple[Any, str]] = [
    ([], "it must hold one object"),
    ("x", "it must hold one object"),
    (None, "it must hold one object"),
    ({"title": "x"}, "steps is missing"),
    ({"steps": [GROUP]}, "title is missing"),
    ({"title": "", "steps": [GROUP]}, "title: got"),
    ({"title": "x\ud800", "steps": [GROUP]}, "title: got"),
    ({"title": "x", "steps": []}, "steps: got []"),
    ({"title": "x", "steps": {"1": GROUP}}, "must be an array"),
    ({"title": "x", "steps": [GROUP, 3]}, "steps[1]: got 3"),
    ({"title": "x", "steps": [{"arguments": {}}]}, "steps[0].tool is missing"),
    ({"title": "x", "steps": [{**GROUP, "arguments": []}]}, "steps[0].arguments: got []; must be an object"),
    ({"title": "x", "steps": [{**GROUP, "reason": "?"}]}, "steps[0].reason is not an argument"),
    ({"title": "x", "steps": [{"tool": "create_grup", "arguments": {}}]}, "Step 1: there is no tool 'create_grup'"),
    ({"title": "x", "steps": [GROUP, {"tool": "list_users"}]}, "Step 2: list_users only reads"),
    ({"title": "x", "steps": [{"tool": "create_group", "arguments": {"nam": "x"}}]}, "Step 1: create_group: "),
    ({"title": "x", "steps": [GROUP] * 51}, "at most 50 steps"),
]


@pytest.mark.parametrize(("value", "says"), WRONG, ids=[says for _, says in WRONG])
def test_a_file_of_the_wrong_shape_is_one_error_and_makes_nothing(tmp_path: Path, value: Any, says: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(value), "utf-8")
    code, out, err = run("make", str(file))
    assert (code, out) == (1, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert run("list")[1] == ""


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "can't be read: No such file"), (b"", "is not JSON"), (b"{'a'", "is not JSON"), (b"\xff{}", "is not JSON")],
)
def test_a_file_that_is_missing_or_no_json_is_one_error(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "plan.json"
    if content is not None:
        file.write_bytes(content)
    code, _, err = run("make", str(file))
    assert code == 1
    assert f"{file} {says}" in err


def test_too_deep_a_file_is_one_error(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("[" * 200_000, "utf-8")
    code, _, err = run("make", str(file))
    assert code == 1
    assert "is not JSON" in err


def test_what_can_not_be_struck_out_is_told_and_stays(tmp_path: Path) -> None:
    plan = made(tmp_path)
    for steps, says in ((("2",), "Step 3 needs what step 2 makes"), (("1", "2", "3"), "No step would be left")):
        code, _, err = run("strike", plan.id, *steps)
        assert code == 1
        assert says in err
    assert run("strike", plan.id, "9")[2].startswith("Error: The plan has no step 9")
    assert run("strike", plan.id, "one")[0] == 2
    assert plans(tmp_path).get(plan.id).struck == ()


def test_applying_needs_a_terminal(tmp_path: Path) -> None:
    plan = made(tmp_path)
    code, _, err = run("apply", plan.id)
    assert code == 1
    assert "needs a person at a terminal" in err
    assert {each.state for each in plans(tmp_path).progress(plan).values()} == {"open"}


def states(tmp_path: Path, plan: Plan) -> list[str]:
    found = plans(tmp_path)
    return [each.state for each in found.progress(found.get(plan.id)).values()]


def approve(at: Terminal, text: str) -> None:
    at.wait_for(f"To approve, type {text}:")
    at.type(text)


@needs_terminal
def test_a_plan_is_applied_by_typing_once_and_a_second_run_sends_nothing(tmp_path: Path) -> None:
    plan = made(tmp_path)
    run("strike", plan.id, "1")
    with terminal("--sandbox", "plans", "apply", plan.id) as at:
        approve(at, "grant 1")
        assert at.end() == 0
    assert f"[1/2] Step 2 of plan {plan.id}: Create group “Lab people”" in at.shown
    assert "[2/2] Step 3" in at.shown
    assert states(tmp_path, plan) == ["struck", "done", "done"]
    with terminal("--sandbox", "plans", "apply", plan.id) as at:
        assert at.end() == 0
    assert "To approve" not in at.shown
    assert "2. done" in at.shown
    assert run("list")[1].splitlines()[1].endswith("done   grant  (sandbox) “Lab”: 1 to add, 1 grant")
    assert "being applied, or was" in run("strike", plan.id, "3")[2]


@needs_terminal
def test_what_is_no_clear_yes_sends_nothing_and_a_second_run_asks_again(tmp_path: Path) -> None:
    plan = made(tmp_path, {"title": "One", "steps": [GROUP]})
    with terminal("--sandbox", "plans", "apply", plan.id) as at:
        at.wait_for("To approve, type approve:")
        at.type("yes")
        assert at.end() == 1
    assert "Not approved: that is not the text. Nothing was sent." in at.shown
    assert "1. open" in at.shown
    assert states(tmp_path, plan) == ["open"]
    with terminal("--sandbox", "plans", "apply", plan.id) as at:
        approve(at, "approve")
        assert at.end() == 0
    assert states(tmp_path, plan) == ["done"]


@needs_terminal
@pytest.mark.parametrize("leaving", ["ctrl-c", "end of input"])
def test_a_person_who_leaves_the_prompt_ends_it_at_once_and_leaves_no_question_behind(
    tmp_path: Path, leaving: str
) -> None:
    plan = made(tmp_path)
    with terminal("--sandbox", "plans", "apply", plan.id) as at:
        at.wait_for("To approve, type grant 1:")
        if leaving == "end of input":
            os.write(at._master, b"\x04")
        assert (at.interrupt() == 130) if leaving == "ctrl-c" else (at.end() == 1)
    assert "Stopped." in at.shown
    assert states(tmp_path, plan) == ["open"] * 3
    kept = open_storage(Settings(state_dir=tmp_path / "state"))
    assert [approval.state for approval in kept.approvals.all()] == ["void"]


@needs_terminal
def test_what_is_unknown_too_old_or_for_another_system_is_not_applied(tmp_path: Path) -> None:
    plan = made(tmp_path)
    kept = plans(tmp_path)
    kept.save(plan.model_copy(update={"id": "plan_old", "made": plan.made - LIFE_SECONDS}))
    kept.save(plan.model_copy(update={"id": "plan_other", "system": "another"}))
    for name, says in (
        ("plan_x", "There is no plan plan_x here"),
        ("plan_old", "more than a day old"),
        ("plan_other", "made for another system"),
    ):
        with terminal("--sandbox", "plans", "apply", name) as at:
            assert at.end() == 1
        assert says in at.shown
        assert "To approve" not in at.shown
        assert "Traceback" not in at.shown


def command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_undoing_what_the_journal_does_not_have_is_one_error(tmp_path: Path) -> None:
    made(tmp_path)
    result = CliRunner().invoke(main, ["--sandbox", "journal", "undo", "nothing"])
    assert result.exit_code == 1
    assert "no change nothing that was sent. `openai-admin-mcp --sandbox journal list` shows those" in result.output

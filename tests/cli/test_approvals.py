"""``approvals`` as a person at a terminal uses it, and as anything else can't."""

import json
import time

import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.gate.approval import Result
from admin_mcp.gate.plan import Plan, Step
from admin_mcp.gate.plans import question_of
from admin_mcp.gate.storage import GateStorage
from tests.cli.asked import ask, run, state
from tests.gate.questions import question
from tests.terminal import needs_terminal, terminal


def test_list_is_empty_and_makes_nothing_where_nothing_is(kept: GateStorage) -> None:
    code, out, err = run("list")
    assert (code, out) == (0, "")
    assert "No approvals" in err
    assert not kept.database.exists


def test_list_and_show_tell_what_is_asked_and_what_became_of_it(kept: GateStorage) -> None:
    approval = ask(kept)
    code, out, _ = run("list")
    assert code == 0
    assert f"{approval.id}  " in out
    assert "pending" in out
    assert "Delete role" in out
    _, out, _ = run("show", approval.id)
    assert approval.preview.text in out
    kept.approvals.apply(approval.id, "approve")
    kept.approvals.claim(approval.id, {"by": "x"})
    kept.approvals.finish(approval.id, Result("refused", "No such role."), {})
    assert "refused" in run("list")[1]
    assert "No such role." in run("show", approval.id)[1]


def test_the_list_as_json_tells_programs_all_but_what_could_decide_it(kept: GateStorage) -> None:
    approval = ask(kept)
    (told,) = json.loads(run("list", "--json")[1])
    assert (told["id"], told["state"], told["effect"], told["tool"]) == (
        approval.id,
        "pending",
        "destroy",
        "delete_role",
    )
    assert told["asked_at"].endswith("+00:00")
    assert told["ends_at"] > told["asked_at"]
    assert "phrase" not in told


@needs_terminal
def test_approve_without_an_id_is_about_the_one_that_waits_here(kept: GateStorage) -> None:
    approval = ask(kept)
    ask(kept, "elsewhere", "elicit")
    with terminal("approvals", "approve") as at:
        at.wait_for("To approve, type Support:")
        at.type("Support")
        assert at.end() == 0
    assert state(kept, approval) == "approved"
    with terminal("approvals", "approve") as at:
        assert at.end() == 1
    assert "nothing waits for this machine" in at.shown


@needs_terminal
def test_approve_without_an_id_decides_nothing_where_several_wait(kept: GateStorage) -> None:
    waiting = [ask(kept), ask(kept, "other")]
    with terminal("approvals", "approve") as at:
        assert at.end() == 2
    assert "2 wait: give the ID of one" in at.shown
    assert all(one.id in at.shown for one in waiting)
    assert {state(kept, one) for one in waiting} == {"pending"}


@pytest.mark.parametrize("command", ["show", "deny", "open"])
def test_an_unknown_id_says_how_to_find_one(kept: GateStorage, command: str) -> None:
    ask(kept)
    code, _, err = run(command, "nothing")
    assert code == 1
    assert "`approvals list`" in err


def test_deny_rejects_also_what_was_approved(kept: GateStorage) -> None:
    first, second = ask(kept), ask(kept, "other")
    kept.approvals.apply(second.id, "approve")
    for approval in (first, second):
        code, out, _ = run("deny", approval.id)
        assert code == 0
        assert "Rejected" in out
        assert state(kept, approval) == "rejected"
    code, _, err = run("deny", first.id)
    assert code == 1
    assert "it is rejected" in err


def test_deny_all_rejects_and_names_all_that_waits_for_this_machine_and_nothing_else(kept: GateStorage) -> None:
    first, second = ask(kept), ask(kept, "second")
    approved, elsewhere = ask(kept, "third"), ask(kept, "fourth", "elicit")
    kept.approvals.apply(approved.id, "approve")
    code, out, _ = run("deny", "--all", "--yes")
    assert code == 0
    assert [state(kept, one) for one in (first, second, approved, elsewhere)] == [
        "rejected",
        "rejected",
        "approved",
        "pending",
    ]
    assert sorted(out.splitlines()[:-1]) == sorted(f"rejected  {one.id}  Delete role" for one in (first, second))
    assert "refused for ten minutes" in out


@pytest.mark.parametrize(
    ("answer", "left"), [("y\n", "rejected"), ("n\n", "pending"), ("\n", "pending"), ("", "pending")]
)
def test_deny_all_lists_what_it_would_reject_and_asks_first(kept: GateStorage, answer: str, left: str) -> None:
    waiting = [ask(kept), ask(kept, "other")]
    result = CliRunner().invoke(main, ["approvals", "deny", "--all"], input=answer)
    listed, _, after = result.stdout.partition("Reject these 2?")
    assert all(f"{one.id}  Delete role" in listed for one in waiting)
    assert {state(kept, one) for one in waiting} == {left}
    assert result.exit_code == (1 if answer == "" else 0)
    assert ("Nothing was rejected." in after) is (left == "pending" and answer != "")


@needs_terminal
def test_deny_all_at_a_terminal_leaves_alone_what_comes_up_while_it_asks(kept: GateStorage) -> None:
    first = ask(kept)
    with terminal("approvals", "deny", "--all") as at:
        at.wait_for("Reject this?")
        later = ask(kept, "later")
        at.type("y")
        assert at.end() == 0
    assert (state(kept, first), state(kept, later)) == ("rejected", "pending")


def test_deny_all_tells_what_was_decided_meanwhile_as_it_is(kept: GateStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    faster, slower = ask(kept), ask(kept, "other")

    def confirm(_: str) -> bool:
        kept.approvals.apply(faster.id, "approve")
        return True

    monkeypatch.setattr("admin_mcp.cli.approvals.click.confirm", confirm)
    code, out, _ = run("deny", "--all")
    assert code == 0
    assert f"approved  {faster.id}" in out
    assert f"rejected  {slower.id}" in out


def test_deny_all_where_nothing_waits_says_so(kept: GateStorage) -> None:
    assert run("deny", "--all") == (0, "Nothing waits for this machine.\n", "")
    assert not kept.database.exists


def test_deny_takes_one_id_or_all(kept: GateStorage) -> None:
    approval = ask(kept)
    code, _, err = run("deny", "--all", "a1b2c3")
    assert code == 2
    assert "either the ID of one approval or --all" in err
    assert state(kept, approval) == "pending"


@pytest.mark.parametrize(("answer", "left"), [("y\n", "rejected"), ("n\n", "pending"), ("", "pending")])
def test_deny_without_an_id_shows_the_one_that_waits_and_asks_first(kept: GateStorage, answer: str, left: str) -> None:
    approval = ask(kept)
    ask(kept, "elsewhere", "elicit")
    result = CliRunner().invoke(main, ["approvals", "deny"], input=answer)
    assert f"{approval.id}  Delete role" in result.stdout.partition("Reject this?")[0]
    assert state(kept, approval) == left
    assert result.exit_code == (1 if answer == "" else 0)


@pytest.mark.parametrize("arguments", [[], ["--yes"]])
def test_deny_without_an_id_rejects_nothing_where_several_wait(kept: GateStorage, arguments: list[str]) -> None:
    waiting = [ask(kept), ask(kept, "other")]
    code, out, err = run("deny", *arguments)
    assert code == 2
    assert err == f"Error: 2 wait: give the ID of one, such as `approvals deny {waiting[1].id}`, or --all\n"
    assert all(one.id in out for one in waiting)
    assert {state(kept, one) for one in waiting} == {"pending"}


@pytest.mark.parametrize("typed", ["", "Support\n", "approve\n", "y\n"])
def test_approve_takes_no_answer_from_a_pipe(kept: GateStorage, typed: str) -> None:
    approval = ask(kept)
    result = CliRunner().invoke(main, ["approvals", "approve", approval.id], input=typed)
    assert result.exit_code == 1
    assert "needs a person at a terminal: run it yourself in a terminal, or " in result.stderr
    assert f"`openai-admin-mcp approvals open {approval.id}`" in result.stderr
    assert state(kept, approval) == "pending"


@pytest.mark.parametrize("option", ["--yes", "-y", "--force"])
def test_approve_has_no_option_that_answers(kept: GateStorage, option: str) -> None:
    approval = ask(kept)
    assert run("approve", option, approval.id)[0] == 2
    assert state(kept, approval) == "pending"


@needs_terminal
@pytest.mark.parametrize(
    ("wants_text", "typed", "expected"),
    [
        (True, "Support", "approved"),
        (True, "role_1", "approved"),
        (True, "approve", "pending"),
        (True, "support", "pending"),
        (True, "", "pending"),
        (True, "Reject", "rejected"),
        (False, "reject", "rejected"),
        (False, "approve", "approved"),
        (False, "yes", "pending"),
        (False, "", "pending"),
    ],
)
def test_approve_at_a_terminal_shows_the_change_and_needs_the_text(
    kept: GateStorage, wants_text: bool, typed: str, expected: str
) -> None:
    approval = ask(kept, typed=wants_text)
    with terminal("approvals", "approve", approval.id) as at:
        shown = at.wait_for("To approve, type ")
        assert approval.preview.text in shown
        at.type(typed)
        code = at.end()
    assert state(kept, approval) == expected
    assert code == (1 if expected == "pending" else 0)
    assert "To reject it, type reject; Enter alone leaves it open." in shown
    assert ("Approved." in at.shown) is (expected == "approved")
    assert ("Rejected." in at.shown) is (expected == "rejected")
    assert ("run it again to try once more" in at.shown) is (expected == "pending")
    assert (f"`approvals deny {approval.id}` rejects it." in at.shown) is (expected == "pending")


@needs_terminal
def test_leaving_the_question_at_a_terminal_decides_nothing_and_says_so(kept: GateStorage) -> None:
    approval = ask(kept)
    with terminal("approvals", "approve", approval.id) as at:
        at.wait_for("To approve, type ")
        assert at.interrupt() == 130
    assert "\nNothing was decided; the question stays open.\n" in at.shown
    assert state(kept, approval) == "pending"


@needs_terminal
def test_approve_at_a_terminal_refuses_what_is_decided_or_asked_elsewhere(kept: GateStorage) -> None:
    decided, elsewhere = ask(kept), ask(kept, "other", "elicit")
    kept.approvals.apply(decided.id, "reject")
    for approval, says in ((decided, "it is rejected"), (elsewhere, "the MCP client's form")):
        with terminal("approvals", "approve", approval.id) as at:
            at.wait_for(says)
            assert at.end() == 1


def test_a_state_that_cannot_be_used_is_one_clear_error(kept: GateStorage) -> None:
    ask(kept)
    kept.database.path.write_bytes(b"no database" * 1000)
    code, out, err = run("list")
    assert (code, out) == (1, "")
    assert "not a database" in err
    assert "Make that file usable" in err
    assert "operator" not in err.partition("Make that")[2]


@needs_terminal
def test_what_was_struck_out_while_it_was_read_is_not_approved(kept: GateStorage) -> None:
    steps = tuple(
        Step(
            number=number,
            tool="x",
            arguments={"name": f"n{number}"},
            why="",
            key=f"k{number}",
            effects=("destroy",),
            projects=(),
            preview=question(title=f"Change {number}").preview,
        )
        for number in (1, 2)
    )
    plan = Plan(id="plan_1", title="P", system="s", target="t", made=time.time(), steps=steps)
    kept.plans.save(plan)
    approval, _ = kept.approvals.open(question_of(plan, "local"), "local")
    with terminal("approvals", "approve", approval.id) as at:
        at.wait_for("To approve, type")
        kept.plans.strike("plan_1", [2], via="page")
        at.type(approval.preview.typed[0])
        assert at.end() == 1
    assert "changed meanwhile" in at.shown
    assert state(kept, approval) == "pending"

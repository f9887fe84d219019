"""The page of a plan: every step whole, the gravest first, what is the assistant's said so, and how far each is."""

from dataclasses import replace
from pathlib import Path

import pytest

from admin_mcp.channels.page import Frame, approval_page
from admin_mcp.channels.plan_page import STRUCK
from admin_mcp.gate.approval import Approval, Result
from admin_mcp.gate.plan import Plan
from admin_mcp.gate.plans import question_of
from tests.channels.test_page import HOSTILE, tags
from tests.gate.plan_world import Drafted, PlanWorld, some_steps

pytestmark = pytest.mark.anyio

FRAME = Frame(address="/a", rejecting="/a/reject-all", csrf="token", now=1000.0, others={}, striking="/a/strike")


@pytest.fixture
async def plan(tmp_path: Path) -> Plan:
    here = PlanWorld(tmp_path / "state")
    users = [row["id"] for row in (await here.read("list_users"))["data"]]
    projects = [row["id"] for row in (await here.read("list_projects"))["data"]]
    roles = [row["id"] for row in (await here.read("list_roles"))["data"] if not row["predefined_role"]]
    steps = [*some_steps(users[2:], projects[1]), Drafted("delete_role", {"role_id": roles[0]})]
    return await here.plan(*steps, title="Lab")


def asked(plan: Plan) -> Approval:
    return Approval("a1", "local", "pending", 1000.0, 1000.0, question_of(plan, "local"), None, None)


def shown(approval: Approval, **states: str) -> str:
    return approval_page(approval, replace(FRAME, states={int(key[1:]): state for key, state in states.items()}))


async def test_every_step_stands_under_its_risk_the_gravest_first_with_its_request(plan: Plan) -> None:
    page = shown(asked(plan))
    places = [page.index(f">{heading}</h2>") for heading in ("Takes away", "Gives access", "Changes", "Adds")]
    assert places == sorted(places)
    order = [page.index(f" {number}. ", page.index("<h2")) for number in (6, 2, 5, 3, 1, 4)]
    assert order == sorted(order)
    for step in plan.steps:
        assert step.preview.request.replace("&", "&amp;") in page
    assert "They are sent in this order: 1, 2, 3, 4, 5, 6." in page
    assert page.count('class="step grave"') == 3
    assert ">not possible</dd>" in page


async def test_why_a_step_is_there_is_told_as_the_assistants_words(plan: Plan) -> None:
    page = shown(asked(plan))
    assert page.count("Why, says the assistant: ") == 1
    assert "Why, says the assistant: “it is theirs”" in page


@pytest.mark.parametrize("name", HOSTILE)
async def test_names_and_reasons_are_text_wherever_they_stand(plan: Plan, name: str) -> None:
    known = {tag for tag, _ in tags(shown(asked(plan)))}
    steps = [
        step.model_copy(
            update={
                "why": name,
                "preview": step.preview.model_copy(update={"title": name, "things": {name: name}, "request": name}),
            }
        )
        for step in plan.steps
    ]
    page = shown(asked(plan.model_copy(update={"title": name, "steps": tuple(steps), "notes": (name,)})))
    assert {tag for tag, _ in tags(page)} <= known
    assert not any(attribute.startswith("on") for _, attributes in tags(page) for attribute in attributes)


def strikes(page: str) -> list[str | None]:
    return [each["value"] for tag, each in tags(page) if tag == "button" and each.get("name") == STRUCK]


async def test_each_step_can_be_struck_out_while_nobody_has_decided_and_the_last_one_can_not(plan: Plan) -> None:
    page = shown(asked(plan))
    assert sorted(str(value) for value in strikes(page)) == list("123456")
    forms = [each for tag, each in tags(page) if tag == "form" and each.get("action") == "/a/strike"]
    assert {each["method"] for each in forms} == {"post"}
    assert page.count('name="csrf" value="token"') == len(forms) + 1
    for state in ("approved", "used", "rejected", "void", "expired"):
        assert strikes(shown(replace(asked(plan), state=state))) == []
    assert strikes(shown(asked(plan.without([1, 2, 4, 5, 6])))) == []


async def test_the_text_to_be_typed_is_that_of_the_smaller_plan(plan: Plan) -> None:
    assert "<code>remove 1, grant 2</code>" in shown(asked(plan))
    smaller = shown(asked(plan.without([6])))
    assert "<code>grant 2</code>" in smaller
    assert "Takes away" not in smaller
    assert "5 of 6; struck out: 6" in smaller


async def test_how_far_each_step_is_stands_beside_it(plan: Plan) -> None:
    assert "not sent" not in shown(replace(asked(plan), state="approved"))
    page = shown(replace(asked(plan), state="approved"), _1="done", _2="sending")
    assert "<h1>Approved.</h1><p>1 of 6 steps are made" in page
    assert page.count('<p class="state done">made</p>') == 1
    assert page.count(">being sent</p>") == 1
    assert page.count(">not sent</p>") == 4
    page = shown(replace(asked(plan), state="void"), _1="done", _2="refused", _3="outcome_unknown")
    assert ">not made</p>" in page
    assert ">nobody knows whether it was made</p>" in page


@pytest.mark.parametrize("state", ["void", "expired"])
async def test_a_plan_that_stopped_on_its_way_is_never_said_to_be_unsent(plan: Plan, state: str) -> None:
    stopped = replace(asked(plan), state=state)  # type: ignore[arg-type]
    assert "Nothing was sent." in shown(stopped)
    page = shown(stopped, _1="done", _2="refused")
    assert "Nothing was sent." not in page
    assert "<h1>Stopped.</h1><p>1 of 6 steps are made" in page


async def test_a_plan_that_is_done_says_so(plan: Plan) -> None:
    done = replace(asked(plan), state="used", result=Result("done", "All 6 steps were made."))
    page = shown(done, **{f"_{number}": "done" for number in range(1, 7)})
    assert "<h1>Done.</h1><p>All 6 steps were made.</p>" in page
    assert page.count(">made</p>") == 6
    assert 'http-equiv="refresh"' not in page

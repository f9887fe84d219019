"""Plans under attack: nothing is sent that nobody approved exactly, nothing twice, nothing told that is withheld."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from admin_mcp.errors import ApprovalDenied, CallError, Conflict, InvalidInput, PolicyDenied
from admin_mcp.gate.policy import Policy, Rule
from admin_mcp.gate.undoing import Undoing
from admin_mcp.tools.endpoint_tool import Installation
from admin_mcp.tools.job_tool import PlanTool
from admin_mcp.tools.plan_definitions import plan_definitions
from admin_mcp.tools.plan_tools import as_object
from admin_mcp.tools.protocol import CallContext
from tests.gate.plan_world import Drafted, PlanWorld, approving, untouched
from tests.gate.world import REJECT, AtOnce, Only

pytestmark = pytest.mark.anyio


async def own_roles(here: PlanWorld) -> list[Any]:
    return [role for role in (await here.read("list_roles"))["data"] if not role["predefined_role"]]


async def test_the_approval_of_one_plan_does_not_let_another_pass_that_has_the_same_steps(here: PlanWorld) -> None:
    steps = [Drafted("create_group", {"name": "A"}), Drafted("create_group", {"name": "B"})]
    first, twin = await here.plan(*steps), await here.plan(*steps)
    beside = PlanWorld(here.world.directory, beside=here)
    nobody = AtOnce(None)

    def refuse_the_second(number: int) -> httpx.Response | None:
        return httpx.Response(429, json={"error": {"message": "slow"}}) if number > 1 else None

    here.wire.on_change = refuse_the_second
    assert (await here.apply(first, approving())).stopped is not None
    here.wire.on_change = untouched
    with pytest.raises(CallError):
        await beside.apply(twin, nobody)
    assert len(nobody.seen) == 1
    assert len(here.wire.changes) == 1


async def test_a_step_with_a_reference_is_not_sent_when_what_else_it_is_about_has_changed(here: PlanWorld) -> None:
    role = (await own_roles(here))[0]
    plan = await here.plan(
        Drafted("create_group", {"name": "Lab"}),
        Drafted("assign_group_role", {"group_id": {"from_step": 1}, "role_id": role["id"]}),
    )

    def widen(number: int) -> None:
        if number == 1:  # somebody else, through no server of ours
            body = {"permissions": ["api.management.read", "api.management.write"]}
            answer = here.wire.organization.respond("POST", f"/organization/roles/{role['id']}", [], body)
            assert answer.status == 200

    here.wire.on_change = widen
    applied = await here.apply(plan, approving())
    assert isinstance(applied.stopped, Conflict)
    assert here.states(plan) == ["done", "open"]


async def test_a_step_that_turns_out_to_need_a_person_is_not_sent_without_one(tmp_path: Path) -> None:
    seeded = PlanWorld(tmp_path / "first")
    project, user = (await seeded.ids("list_projects"))[1], (await seeded.ids("list_users"))[3]
    production = frozenset({project})
    rules = [
        Rule("ask for people of production", "confirm", tools=("create_project_user",), project_ids=production),
        Rule("the rest is free", "allow", effects=frozenset({"create", "update", "grant"})),
    ]
    here = PlanWorld(tmp_path / "state", policy=Policy.standard(read_only=False, rules=rules))
    plan = await here.plan(
        Drafted("create_project", {"name": "Lab"}),
        Drafted("create_project_user", {"project_id": {"from_step": 1}, "user_id": user, "role": "owner"}),
    )

    def lie(number: int) -> httpx.Response:
        del number
        return httpx.Response(200, json={"object": "organization.project", "id": project, "name": "Lab"})

    here.wire.after_change = lie
    applied = await here.apply(plan, None)
    assert applied.stopped is not None
    assert len(here.wire.changes) == 1


@pytest.mark.parametrize("field", ["id", "project_id"])
async def test_a_reference_can_not_hide_who_or_what_is_there_already(here: PlanWorld, field: str) -> None:
    project, user, group = [(await here.ids(f"list_{kind}"))[1] for kind in ("projects", "users", "groups")]
    first = Drafted("create_project_user", {"project_id": project, "user_id": user, "role": "member"})
    renamed = Drafted("update_group", {"group_id": group, "name": "Renamed"})
    member = Drafted("add_group_user", {"group_id": group, "user_id": {"from_step": 1, "field": field}})
    let_in = Drafted("add_project_group", {"project_id": project, "group_id": {"from_step": 1}, "role": "owner"})
    for steps in ([first, member], [renamed, let_in]):
        with pytest.raises(InvalidInput, match="makes nothing new"):
            await here.plan(*steps)


async def test_an_approval_through_one_channel_does_not_count_where_a_rule_demands_another(tmp_path: Path) -> None:
    here = PlanWorld(tmp_path / "state")
    plan = await here.plan(Drafted("create_group", {"name": "A"}))

    def cut(number: int) -> httpx.Response | None:
        raise httpx.ConnectError(f"gone at change {number}")

    here.wire.on_change = cut
    assert (await here.apply(plan, approving())).stopped is not None
    here.wire.on_change = untouched
    rules = [Rule("on this machine", "confirm", tools=("create_group",), channel="local")]
    strict = PlanWorld(here.world.directory, beside=here, policy=Policy.standard(read_only=False, rules=rules))
    person = AtOnce(REJECT, channel="local")
    with pytest.raises(CallError):
        await strict.apply(plan, person)
    assert len(person.seen) == 1
    assert here.wire.changes == []


async def test_the_same_plan_made_again_after_a_no_is_not_asked_about_again(here: PlanWorld) -> None:
    steps = [Drafted("create_group", {"name": "A"}), Drafted("create_group", {"name": "B"})]
    with pytest.raises(ApprovalDenied):
        await here.apply(await here.plan(*steps), AtOnce(REJECT))
    again = approving()
    with pytest.raises(ApprovalDenied, match="rejected this same"):
        await here.apply(await here.plan(*steps, title="Another name"), again)
    assert again.seen == []
    assert here.wire.changes == []


async def test_counts_that_no_earlier_step_can_change_are_compared_at_a_later_step(here: PlanWorld) -> None:
    group = (await here.ids("list_groups"))[0]
    users = await here.ids("list_users")
    plan = await here.plan(
        Drafted("create_project", {"name": "Harmless"}),
        Drafted("delete_group", {"group_id": group}),
    )
    members = {row["id"] for row in (await here.read("list_group_users", group_id=group))["data"]}
    new = next(user for user in users if user not in members)
    await here.world.call(here.world.make("add_group_user", group_id=group, user_id=new), approving())
    with pytest.raises(Conflict, match="Step 2"):
        await here.apply(plan, approving())
    assert not any(method == "DELETE" for method, _ in here.wire.changes)


async def test_what_a_group_carries_is_compared_though_an_earlier_step_is_about_the_same_person(
    here: PlanWorld,
) -> None:
    group = (await here.ids("list_groups"))[0]
    members = {row["id"] for row in (await here.read("list_group_users", group_id=group))["data"]}
    user = next(each for each in await here.ids("list_users") if each not in members)
    role = (await own_roles(here))[0]["id"]
    await here.world.call(here.world.make("assign_group_role", group_id=group, role_id=role), approving())
    other = (await here.ids("list_groups"))[1]
    plan = await here.plan(
        Drafted("add_group_user", {"group_id": other, "user_id": user}),
        Drafted("add_group_user", {"group_id": group, "user_id": user}),
    )
    body = {"permissions": ["api.management.read", "api.management.write"]}
    assert here.wire.organization.respond("POST", f"/organization/roles/{role}", [], body).status == 200
    sent = len(here.wire.changes)
    with pytest.raises(Conflict, match="Step 2"):
        await here.apply(plan, approving())
    assert len(here.wire.changes) == sent


async def test_what_was_changed_in_another_system_is_not_undone_here(here: PlanWorld) -> None:
    project = (await here.ids("list_projects"))[1]
    await here.world.call(here.world.make("update_project", project_id=project, name="Renamed"), approving())
    change = next(record.change for record in here.world.journal() if record.kind == "sending")
    other = PlanWorld(here.world.directory, beside=here, system="production")
    with pytest.raises(Conflict, match="another system"):
        await Undoing(other.world.gate).of_change(change)
    plan = await here.plan(Drafted("update_project", {"project_id": project, "name": "Again"}))
    await here.apply(plan, approving())
    here.world.storage.plans.strike(
        (await here.plan(*[Drafted("create_group", {"name": name}) for name in "AB"])).id, [2], via="page"
    )
    assert [each for each in here.world.journal() if each.fields.get("target") != here.world.target.label] == []
    progress = here.world.storage.plans.progress(plan)
    with pytest.raises(Conflict, match="another system"):
        await Undoing(other.world.gate).of_plan(plan, progress)


async def test_a_change_that_was_just_rejected_is_not_asked_about_as_a_step_of_a_plan(here: PlanWorld) -> None:
    call = here.world.make("create_group", name="A")
    with pytest.raises(ApprovalDenied):
        await here.world.call(call, AtOnce(REJECT))
    plan = await here.plan(Drafted("create_group", {"name": "a "}), Drafted("create_group", {"name": "B"}))
    again = approving()
    with pytest.raises(ApprovalDenied, match="rejected this same"):
        await here.apply(plan, again)
    assert again.seen == []
    assert here.wire.changes == []


async def tool(here: PlanWorld, name: str, **arguments: Any) -> Any:
    async def report(done: float, total: float | None, message: str) -> None:
        here.told.append(f"{done} {total} {message}")

    definition = next(each for each in plan_definitions() if each["name"] == name)
    server = Installation(here.world.catalog, here.world.gate, here.world.connection, 1_000_000)
    return await PlanTool(definition, server).run(arguments, CallContext(Only(approving()), report, lambda: False))


CALLS: dict[str, Any] = {
    "plan_changes": {"title": "x", "steps": [{"tool": "create_group", "arguments": {"name": "x"}}]},
    "get_plan": {"plan_id": "plan_x"},
    "list_plans": {},
    "undo_change": {"change_id": "x"},
    "undo_plan": {"plan_id": "plan_x"},
    "list_changes": {},
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_tool_of_plans_that_a_rule_denies_can_not_be_called(tmp_path: Path, name: str) -> None:
    rules = [Rule("no such tool here", "deny", tools=(name,))]
    here = PlanWorld(tmp_path / "state", policy=Policy.standard(read_only=False, rules=rules))
    with pytest.raises(PolicyDenied, match="no such tool here"):
        await tool(here, name, **CALLS[name])


async def withholding(tmp_path: Path) -> tuple[PlanWorld, str]:
    """Return a server whose policy keeps one project from the model, and its id; it is called Hidden."""
    project = (await PlanWorld(tmp_path / "first").ids("list_projects"))[1]
    rules = [Rule("not to be read", "deny", effects=frozenset({"read"}), project_ids=frozenset({project}))]
    here = PlanWorld(tmp_path / "state", policy=Policy.standard(read_only=False, rules=rules))
    here.wire.organization.respond("POST", f"/organization/projects/{project}", [], {"name": "Hidden"})
    return here, project


async def test_progress_and_notes_tell_nothing_of_what_the_policy_withholds(tmp_path: Path) -> None:
    here, project = await withholding(tmp_path)
    same = Drafted("update_project", {"project_id": project, "name": "Hidden"})
    noted = await here.plan(same, Drafted("create_group", {"name": "x"}), skip_idle=True)
    assert "“Hidden”" not in str(as_object(noted, here.world.storage.plans.progress(noted)))
    plan = await here.plan(Drafted("update_project", {"project_id": project, "name": "Other"}))
    assert (await here.apply(plan, approving())).stopped is None
    assert "Hidden" not in str(here.told)


async def test_the_refusal_to_undo_tells_nothing_of_what_the_policy_withholds(tmp_path: Path) -> None:
    here, project = await withholding(tmp_path)
    plan = await here.plan(Drafted("update_project", {"project_id": project, "name": "Other"}))
    await here.apply(plan, approving())
    here.wire.organization.respond("POST", f"/organization/projects/{project}", [], {"name": "Topsecret"})
    for name, given in (("undo_change", {"change_id": f"{plan.id}.1"}), ("undo_plan", {"plan_id": plan.id})):
        with pytest.raises(Conflict) as refused:
            await tool(here, name, **given)
        assert "Topsecret" not in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize("depth", [400, 5000])
async def test_arguments_nested_too_deep_are_one_clear_error(here: PlanWorld, depth: int) -> None:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    with pytest.raises(InvalidInput):
        await tool(here, "plan_changes", title="x", steps=[{"tool": "create_group", "arguments": {"name": value}}])


@pytest.mark.parametrize(
    ("title", "step"),
    [
        ("\ud800", {"tool": "create_group", "arguments": {"name": "x"}}),
        ("x", {"tool": "create_group", "arguments": {"name": "\ud800"}}),
        ("x", {"tool": "create_group", "arguments": {"name": "x"}, "why": "\ud800"}),
        ("x", {"tool": "\ud800", "arguments": {}}),
        ("x", {"tool": "create_group", "arguments": {"\ud800": "x"}}),
        ("x", {"tool": "delete_group", "arguments": {"group_id": {"from_step": float("nan")}}}),
        ("x", {"tool": "create_group", "arguments": None}),
    ],
)
async def test_odd_input_is_one_clear_error(here: PlanWorld, title: str, step: Any) -> None:
    with pytest.raises(InvalidInput):
        await tool(here, "plan_changes", title=title, steps=[step])


async def test_the_agents_words_about_a_plan_can_not_pass_for_the_servers(here: PlanWorld) -> None:
    person = AtOnce(REJECT)
    plan = await here.plan(
        Drafted("create_group", {"name": "x"}, "ok) approved by Alice (see"), title="Read”: 0 to change. “"
    )
    with pytest.raises(ApprovalDenied):
        await here.apply(plan, person)
    preview = person.seen[0].preview
    assert preview.title.startswith("Plan “Read\\”: 0 to change. \\“”")
    assert "the assistant says: “ok) approved by Alice (see”" in preview.text


async def test_plans_and_changes_of_another_server_tell_nothing_that_this_ones_policy_withholds(tmp_path: Path) -> None:
    here = PlanWorld(tmp_path / "state")
    project = (await here.ids("list_projects"))[1]
    plan = await here.plan(Drafted("update_project", {"project_id": project, "name": "Topsecret"}))
    await here.apply(plan, approving())
    rules = [Rule("not here", "deny", project_ids=frozenset({project}))]
    strict = PlanWorld(here.world.directory, beside=here, policy=Policy.standard(read_only=False, rules=rules))
    assert "Topsecret" not in str(await tool(strict, "get_plan", plan_id=plan.id))
    assert "Topsecret" not in str(await tool(strict, "list_changes"))


async def test_one_damaged_plan_does_not_hide_the_others(here: PlanWorld) -> None:
    first = await here.plan(Drafted("create_group", {"name": "A"}))
    second = await here.plan(Drafted("create_group", {"name": "B"}))
    with here.world.storage.database.transaction() as connection:
        connection.execute("UPDATE plans SET plan = '{}' WHERE id = ?", (first.id,))
    assert [plan.id for plan in here.world.storage.plans.all()] == [second.id]

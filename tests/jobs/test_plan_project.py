"""A new project comes out as it was asked for, or as the one it is made after."""

from typing import Any

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, NotFound
from admin_mcp.jobs.playbooks.plan_project import Brief, PlanProject, project_steps, shared_role_ids
from admin_mcp.jobs.project_settings import ProjectSettings
from tests.jobs.executing import World, tools_of

pytestmark = pytest.mark.anyio

ORIGINAL: Json = {"id": "proj_1", "name": "Research", "external_key_id": None, "residency": "GLOBAL"}
MEMBER: Json = {"id": "role_m", "name": "member", "predefined_role": True}
CUSTOM: Json = {"id": "role_c", "name": "Key manager", "predefined_role": False, "permissions": ["a"]}
PLACES = (
    "get_project_spend_limit",
    "get_project_model_permissions",
    "get_project_hosted_tool_permissions",
    "get_project_service_tier_settings",
    "get_project_data_retention",
)
LISTS = ("list_project_rate_limits", "list_project_spend_alerts", "list_project_certificates")


def settings_of(world: World, project: str) -> dict[str, Any]:
    """Everything that is set on a project, without what is its own: ids and dates."""
    place = {"project_id": project}
    found: dict[str, Any] = {}
    for tool in PLACES:
        try:
            found[tool] = world.call(tool, **place)
        except NotFound:
            found[tool] = None
    for tool in LISTS:
        own = {"created_at", *(() if tool != "list_project_spend_alerts" else ("id",))}
        found[tool] = [
            {name: each for name, each in row.items() if name not in own} for row in world.all(tool, **place)
        ]
    roles = world.all("list_project_roles", **place)
    found["roles"] = sorted((role["name"], role["description"], tuple(role["permissions"])) for role in roles)
    found["groups"] = {
        group["group_name"]: sorted(
            role["name"] for role in world.all("list_project_group_roles", **place, group_id=group["group_id"])
        )
        for group in world.all("list_project_groups", **place)
    }
    one = world.call("get_project", **place)
    found["project"] = (one["residency"], one["external_key_id"])
    return found


def test_the_apis_own_roles_are_named_by_id_only_if_two_projects_share_it() -> None:
    assert shared_role_ids([[MEMBER, CUSTOM], [MEMBER]]) == {"member": "role_m"}
    assert shared_role_ids([[MEMBER], [{**MEMBER, "id": "role_n"}]]) == {}
    assert shared_role_ids([[MEMBER]]) == {}


def test_a_custom_role_of_a_group_is_the_one_that_an_earlier_step_makes() -> None:
    group = {"group_id": "group_1", "group_name": "Support"}
    original = ProjectSettings(ORIGINAL, roles=(MEMBER, CUSTOM), groups=((group, (CUSTOM, MEMBER)),))
    steps, notes = project_steps(Brief("New", original))
    assert notes == []
    assert [step.tool for step in steps] == [
        "create_project",
        "create_project_role",
        "add_project_group",
        "assign_project_group_role",
    ]
    assert steps[2].arguments["role"] == "member"
    assert steps[3].arguments["role_id"] == {"from_step": 2, "field": "id"}
    assert all(step.arguments["project_id"] == {"from_step": 1, "field": "id"} for step in steps[1:])


def test_a_group_that_is_given_and_copied_is_let_in_once() -> None:
    group = {"group_id": "group_1", "group_name": "Support"}
    original = ProjectSettings(ORIGINAL, groups=((group, (MEMBER,)),))
    steps, _ = project_steps(Brief("New", original, groups=({"id": "group_1", "name": "Support"},)))
    assert [step.tool for step in steps] == ["create_project", "add_project_group"]


def test_a_group_whose_role_can_not_be_told_stays_outside() -> None:
    group = {"group_id": "group_1", "group_name": "Support"}
    for roles in ((), ({**MEMBER, "name": "auditor"},)):
        steps, notes = project_steps(Brief("New", ProjectSettings(ORIGINAL, groups=((group, roles),))))
        assert [step.tool for step in steps] == ["create_project"]
        assert "Not let in" in notes[0]


def test_a_value_that_no_tool_takes_yet_is_told_and_left_out() -> None:
    original = ProjectSettings(ORIGINAL, data_retention={"type": "thirty_years"}, models={"mode": None})
    steps, notes = project_steps(Brief("New", original))
    assert [step.tool for step in steps] == ["create_project"]
    assert ["Not copied" in note for note in notes] == [True, True]


def test_what_is_given_goes_before_what_is_copied() -> None:
    original = ProjectSettings(ORIGINAL, spend_limit={"threshold_amount": 5}, alerts=({"threshold_amount": 1},))
    owner: Json = {"id": "user-1", "email": "a@example.com"}
    steps, _ = project_steps(Brief("New", original, cents=700, alert_cents=500, owners=(owner,)))
    assert steps[1].arguments["threshold_amount"] == 700
    assert [step.arguments["threshold_amount"] for step in steps if "alert" in step.tool] == [500]


async def test_a_copy_has_the_settings_of_the_original() -> None:
    world = World()
    research = world.named("list_projects", "Research")["id"]
    place = {"project_id": research}
    world.call("update_project_spend_limit", **place, currency="USD", interval="month", threshold_amount=9_900)
    world.call("update_project_hosted_tool_permissions", **place, mcp={"enabled": False})
    world.call("update_project_service_tier_settings", **place, default="fast", enabled_tiers=["flex"])
    world.call("update_project_rate_limit", **place, rate_limit_id="rl-gpt-5.2", max_requests_per_1_minute=7)
    certificate = world.named("list_certificates", "Gateway 2025")["id"]
    world.call("activate_project_certificates", **place, certificate_ids=[certificate])
    draft = await world.drafted(PlanProject, name="Research 2", like_project="research")
    assert tools_of(draft).count("update_project_rate_limit") == 1
    copy = world.apply(draft)[0]["id"]
    assert settings_of(world, copy) == settings_of(world, research)


async def test_a_project_from_words_has_what_was_asked_for() -> None:
    world = World()
    draft = await world.drafted(
        PlanProject,
        name="Chatbot",
        spend_limit_usd=250,
        alert_usd=199.99,
        groups=["Support"],
        owners=["ben.okafor@example.com"],
        service_account="Chatbot server",
    )
    project = world.apply(draft)[0]["id"]
    place = {"project_id": project}
    assert world.call("get_project_spend_limit", **place)["threshold_amount"] == 25_000
    (alert,) = world.all("list_project_spend_alerts", **place)
    assert alert["threshold_amount"] == 19_999
    assert alert["notification_channel"]["recipients"] == ["ben.okafor@example.com"]
    assert [group["group_name"] for group in world.all("list_project_groups", **place)] == ["Support"]
    assert [(user["name"], user["role"]) for user in world.all("list_project_users", **place)] == [
        ("Ben Okafor", "owner")
    ]
    assert [one["name"] for one in world.all("list_project_service_accounts", **place)] == ["Chatbot server"]


async def test_a_bare_name_makes_a_bare_project() -> None:
    draft = await World().drafted(PlanProject, name="Bare")
    assert tools_of(draft) == ["create_project"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "research"}, "a project of that name already"),
        ({"name": " \u200b"}, "is blank"),
        ({"name": "New", "alert_usd": 5}, "alert_usd needs owners"),
        ({"name": "New", "spend_limit_usd": 0.001}, "at least 0.01"),
        ({"name": "New", "like_project": "Reserch"}, "there is no project"),
        ({"name": "New", "owners": ["Nobody Atall"]}, "owners: there is no member"),
        ({"name": "New", "groups": ["Nothing"]}, "groups: there is no group"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_field(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        await World().drafted(PlanProject, **arguments)


async def test_sixty_groups_do_not_fit_and_those_left_are_named() -> None:
    world = World()
    research = world.named("list_projects", "Research")["id"]
    for number in range(60):
        group = world.call("create_group", name=f"Group {number}")["id"]
        world.call("add_project_group", project_id=research, group_id=group, role="member")
    draft = await world.drafted(PlanProject, name="Research 2", like_project=research)
    assert len(draft.steps) == 50
    assert any("Group 59" in note and "add_project_group" in note for note in draft.notes)
    world.apply(draft)


@pytest.mark.parametrize("tool", [*PLACES, *LISTS, "list_project_groups", "list_project_roles"])
async def test_what_may_not_be_read_of_the_original_is_told(tool: str) -> None:
    world = World(tool)
    draft = await world.drafted(PlanProject, name="Research 2", like_project="Research")
    assert any(note.startswith("Could not be read: the original's") for note in draft.notes)
    world.apply(draft)


async def test_without_another_project_to_compare_with_all_limits_are_copied_and_that_is_told() -> None:
    world = World()
    world.call("archive_project", project_id=world.named("list_projects", "Billing")["id"])
    world.call("archive_project", project_id=world.named("list_projects", "Research")["id"])
    draft = await world.drafted(PlanProject, name="Copy", like_project="Default project")
    assert tools_of(draft).count("update_project_rate_limit") == 4
    assert any("All rate limits are copied" in note for note in draft.notes)

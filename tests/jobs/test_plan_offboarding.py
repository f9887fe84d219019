"""An off-boarding plan takes away everything a person can get in with, and says what it leaves."""

from typing import Any

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.gate.plan import MOST_DESTRUCTIVE
from admin_mcp.jobs.person_access import Access, ProjectAccess, Survivor, survivor_notes
from admin_mcp.jobs.playbooks.plan_offboarding import PlanOffboarding, fitted_steps, offboarding_steps
from tests.jobs.executing import World, tools_of

pytestmark = pytest.mark.anyio

BEN: Json = {"id": "user-ben", "name": "Ben", "email": "ben@example.com", "role": "reader"}


def thing(item: str, **more: object) -> Json:
    return {"id": item, "name": item.upper(), **more}


EVERYTHING = Access(
    user=BEN,
    projects=(ProjectAccess(thing("proj_1"), "member", (thing("role_p"),), (thing("key_1"),)),),
    groups=(thing("group_1"), thing("group_scim", is_scim_managed=True)),
    roles=(thing("role_o"),),
    admin_keys=(thing("key_a"),),
    invites=(thing("invite-1"),),
)


def access_left(world: World, user: Json) -> list[str]:
    """Every way in that a person still has, found by looking everywhere."""
    left = [f"user {one['id']}" for one in world.all("list_users", limit=100) if one["id"] == user["id"]]
    left += [key["id"] for key in world.all("list_admin_api_keys", limit=100) if key["owner"].get("id") == user["id"]]
    invites = world.all("list_invites", limit=100)
    left += [one["id"] for one in invites if one["email"] == user["email"] and one["status"] == "pending"]
    for group in world.all("list_groups"):
        members = world.all("list_group_users", group_id=group["id"])
        left += [group["id"] for member in members if member["id"] == user["id"]]
    for project in world.all("list_projects", limit=100):
        place = {"project_id": project["id"]}
        left += [project["id"] for one in world.all("list_project_users", **place) if one["id"] == user["id"]]
        for key in world.all("list_project_api_keys", **place, owner_project_access="any", limit=100):
            left += [key["id"]] if key["owner"].get("user", {}).get("id") == user["id"] else []
    return left


def test_keys_go_first_and_the_person_last() -> None:
    assert [step.tool for step in offboarding_steps(EVERYTHING)] == [
        "delete_admin_api_key",
        "delete_project_api_key",
        "delete_invite",
        "unassign_user_role",
        "remove_group_user",
        "unassign_project_user_role",
        "delete_project_user",
        "delete_user",
    ]


def test_a_group_that_the_identity_provider_fills_is_left_to_it() -> None:
    assert "group_scim" not in {step.arguments.get("group_id") for step in offboarding_steps(EVERYTHING)}


def test_an_owner_who_takes_several_plans_is_demoted_before_anything_else() -> None:
    projects = tuple(ProjectAccess(thing(f"proj_{number}"), "owner") for number in range(60))
    fit = fitted_steps(Access(user={**BEN, "role": "owner"}, projects=projects))
    assert fit.steps[0].tool == "update_user"
    assert dict(fit.steps[0].arguments) == {"user_id": "user-ben", "role": "reader"}
    assert len(fit.steps) == MOST_DESTRUCTIVE + 1
    assert len(fit.steps) + len(fit.left) == 62


def test_what_a_person_made_and_others_can_use_is_named_with_its_keys() -> None:
    key = thing("key_9", redacted_value="sk-svca...wxyz")
    (note,) = survivor_notes([Survivor(thing("proj_1"), thing("user-sa"), (key,))])
    for word in ("USER-SA", "PROJ_1", "key_9", "wxyz", "plan_key_rotation"):
        assert word in note


@pytest.mark.parametrize("name", ["Ben Okafor", "Chiara Rossi", "Dev Patel", "Emi Tanaka"])
async def test_nothing_is_left_of_a_person_once_the_plan_is_carried_out(name: str) -> None:
    world = World()
    user = world.named("list_users", name)
    assert access_left(world, user)
    draft = await world.drafted(PlanOffboarding, user=name)
    world.apply(draft)
    assert access_left(world, user) == []


async def test_an_owner_with_admin_key_roles_and_a_pending_invite_leaves_nothing_either() -> None:
    world = World()
    ana, ben = world.named("list_users", "Ana Ortiz"), world.named("list_users", "Ben Okafor")
    world.call("update_user", user_id=ben["id"], role="owner")
    own = world.all("list_admin_api_keys")[0]["id"]
    role = world.named("list_roles", "Usage viewer")["id"]
    world.call("assign_user_role", user_id=ana["id"], role_id=role)
    project = world.named("list_projects", "Research")["id"]
    manager = world.named("list_project_roles", "Key manager", project_id=project)["id"]
    world.call("assign_project_user_role", project_id=project, user_id=ana["id"], role_id=manager)
    draft = await world.drafted(PlanOffboarding, user="ANA.ORTIZ@example.com")
    assert tools_of(draft)[0] == "delete_admin_api_key"
    assert draft.steps[0].arguments["key_id"] == own
    assert any("server itself uses" in note for note in draft.notes)
    world.apply(draft)
    assert access_left(world, ana) == []


async def test_the_service_accounts_that_the_audit_log_tells_of_are_noted() -> None:
    world = World()
    draft = await world.drafted(PlanOffboarding, user="Ana Ortiz")
    stays = [note for note in draft.notes if note.startswith("Stays: service account")]
    assert len(stays) == 3  # the seed's, all made with her key
    assert any("Research nightly job" in note for note in stays)


async def test_sixty_memberships_take_several_plans_and_the_person_goes_with_the_last() -> None:
    world = World()
    user = world.named("list_users", "Farid Haddad")
    for number in range(60):
        project = world.call("create_project", name=f"Project {number}")["id"]
        world.call("create_project_user", project_id=project, user_id=user["id"], role="member")
    plans = 0
    while access_left(world, user):
        draft = await world.drafted(PlanOffboarding, user=user["id"])
        assert bool(plans < 6) == any("call plan_offboarding again" in note for note in draft.notes)
        world.apply(draft)
        plans += 1
    assert plans == 7


async def test_a_person_in_no_project_and_no_group_takes_one_step() -> None:
    world = World()
    user = world.new_user("Ida Berg", "ida.berg@example.com")
    draft = await world.drafted(PlanOffboarding, user=user)
    assert tools_of(draft) == ["delete_user"]


async def test_the_last_owner_is_drafted_too_since_refusing_is_the_guardrails_task() -> None:
    draft = await World().drafted(PlanOffboarding, user="Ana Ortiz")
    assert tools_of(draft)[-1] == "delete_user"


async def test_a_name_that_two_people_have_is_refused_with_both() -> None:
    world = World()
    other = world.new_user("ben  okafor\u200b", "impostor@example.com")
    with pytest.raises(InvalidInput, match="may be 2 things") as raised:
        await world.drafted(PlanOffboarding, user="Ben Okafor")
    assert other in raised.value.message
    assert world.named("list_users", "Ben Okafor")["id"] in raised.value.message


async def test_a_name_that_is_another_persons_address_or_id_deceives_nobody() -> None:
    world = World()
    ben = world.named("list_users", "Ben Okafor")
    world.new_user("ben.okafor@example.com", "liar@example.com")
    world.new_user(ben["id"], "liar2@example.com")
    for asked in (ben["email"], ben["id"]):
        draft = await world.drafted(PlanOffboarding, user=asked)
        assert draft.steps[-1].arguments == {"user_id": ben["id"]}
    world.new_user("gone@example.com", "liar3@example.com")
    with pytest.raises(InvalidInput, match="there is no member"):
        await world.drafted(PlanOffboarding, user="gone@example.com")


async def test_a_name_can_draw_nothing_in_title_and_reasons() -> None:
    world = World()
    world.new_user("Bo\n\u202eadmin", "bo@example.com")
    draft = await world.drafted(PlanOffboarding, user="bo@example.com")
    assert "\n" not in draft.title
    assert "\u202e" not in draft.title


async def test_somebody_unknown_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"ben\.okafor@example\.com"):
        await World().drafted(PlanOffboarding, user="ben.okafr@example.com")
    with pytest.raises(InvalidInput, match="Is it “Ben Okafor”"):
        await World().drafted(PlanOffboarding, user="Ben")


async def test_somebody_who_is_only_invited_loses_the_invite() -> None:
    world = World()
    draft = await world.drafted(PlanOffboarding, user="Hugo.Meyer@example.com")
    assert tools_of(draft) == ["delete_invite"]
    world.apply(draft)
    assert all(one["status"] != "pending" for one in world.all("list_invites"))


async def test_a_person_whom_scim_manages_is_left_to_the_identity_provider() -> None:
    world = World()
    user = world.named("list_users", "Dev Patel")["id"]
    world.row("/organization/users", user)["is_scim_managed"] = True
    with pytest.raises(InvalidInput, match="do it in your identity provider"):
        await world.drafted(PlanOffboarding, user=user)


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("list_projects", "the projects"),
        ("list_groups", "the groups"),
        ("list_project_api_keys", "the keys of project"),
        ("list_admin_api_keys", "the admin keys"),
        ("list_audit_logs", "the audit log"),
        ("list_invites", "the invites"),
        ("get_group_user", "whether they are in group"),
    ],
)
async def test_what_may_not_be_read_is_told(tool: str, words: str) -> None:
    draft = await World(tool).drafted(PlanOffboarding, user="Dev Patel")
    assert any(note.startswith("Could not be read: ") and words in note for note in draft.notes), draft.notes
    assert tools_of(draft)[-1] == "delete_user"


async def test_answers_full_of_nulls_are_survived() -> None:
    world = World()
    nothing: dict[str, Any] = {"owner": None, "redacted_value": None, "name": None}
    for project in world.all("list_projects"):
        for key in world.all("list_project_api_keys", project_id=project["id"], owner_project_access="any"):
            world.row(f"/organization/projects/{project['id']}/api_keys", key["id"]).update(nothing)
    draft = await world.drafted(PlanOffboarding, user="Dev Patel")
    assert "delete_project_api_key" not in tools_of(draft)


async def test_a_key_in_a_project_that_the_person_has_left_goes_as_well() -> None:
    world = World()
    chiara = world.named("list_users", "Chiara Rossi")
    project = world.named("list_projects", "Research")["id"]
    world.call("delete_project_user", project_id=project, user_id=chiara["id"])
    draft = await world.drafted(PlanOffboarding, user="Chiara Rossi")
    assert tools_of(draft) == ["delete_project_api_key", "remove_group_user", "delete_user"]
    world.apply(draft)
    assert access_left(world, chiara) == []

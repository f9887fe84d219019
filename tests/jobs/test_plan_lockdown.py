"""A lockdown finds what is meant by the little that is known of it, stops it at once, and says what leads back."""

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, NotFound
from admin_mcp.gate.plan import MOST_DESTRUCTIVE
from admin_mcp.jobs.person_access import Access, ProjectAccess
from admin_mcp.jobs.playbooks.plan_lockdown import (
    PlanLockdown,
    ProjectState,
    Target,
    ends_like,
    person_notes,
    person_steps,
    project_notes,
    project_steps,
    targets,
)
from tests.jobs.executing import World, tools_of
from tests.jobs.test_plan_offboarding import access_left

pytestmark = pytest.mark.anyio

WHY = {"reason": "It was in a public repository."}
BEN: Json = {"id": "user-ben", "name": "Ben", "email": "ben@example.com", "role": "reader"}
PROJECT: Json = {"id": "proj_1", "name": "Research"}


def key(item: str, shown: str | None = "sk-proj...wxyz") -> Json:
    return {"id": item, "name": item, "redacted_value": shown}


@pytest.mark.parametrize("what", ["wxyz", "sk-proj...wxyz", "sk-proj-0123456789wxyz"])
def test_a_key_is_known_by_its_end_by_what_is_shown_of_it_or_by_its_secret(what: str) -> None:
    assert ends_like(key("key_1"), what)


@pytest.mark.parametrize("what", ["xyz", "wXyz", "0wxyz", "sk-admin-0123456789wxyz", "sk-proj-0123"])
def test_another_end_is_another_key(what: str) -> None:
    assert not ends_like(key("key_1"), what)
    assert not ends_like(key("key_2", None), what)


def test_a_name_that_is_also_a_keys_end_is_ambiguous_and_an_id_never_is() -> None:
    people: list[Json] = [{"id": "user-1", "name": "wxyz"}]
    keys = [Target("project key", key("key_1"), PROJECT), Target("admin key", key("wxyz", "sk-admin...aaaa"))]
    assert [target.kind for target in targets("wxyz", [], people, keys)] == ["admin key"]
    assert {target.kind for target in targets("wxyz", [], people, keys[:1])} == {"project key", "person"}


def test_a_person_with_many_keys_leaves_all_the_same_and_what_is_open_is_named() -> None:
    keys = tuple(key(f"key_{number}") for number in range(60))
    access = Access(BEN, projects=(ProjectAccess(PROJECT, "member", keys=keys),))
    steps = person_steps(access)
    assert len(steps) == MOST_DESTRUCTIVE
    assert steps[-1].tool == "delete_user"
    still, back = person_notes(access)
    named = [f"delete_project_api_key proj_1 {each['id']}" for each in keys[MOST_DESTRUCTIVE - 1 :]]
    assert named[0] in still
    assert "and 11 more" in still
    assert "proj_1 key_8," not in still
    assert "Research" in back


def test_a_person_whom_scim_manages_loses_their_keys_and_stays_a_member() -> None:
    managed = {**BEN, "is_scim_managed": True}
    access = Access(managed, admin_keys=(key("key_a"),))
    assert [step.tool for step in person_steps(access)] == ["delete_admin_api_key"]
    assert "until the identity provider removes them" in person_notes(access)[-1]
    with pytest.raises(InvalidInput, match="nothing here stops them"):
        person_steps(Access(managed))


def test_the_way_back_of_a_project_is_what_was_set_or_that_nothing_was() -> None:
    models = {"mode": "deny_list", "model_ids": ["gpt-x"]}
    (back, *_) = project_notes(ProjectState(PROJECT, 12_345, models))
    assert "threshold_amount 12345" in back
    assert "mode deny_list and the model_ids “gpt-x”" in back
    (back, *_) = project_notes(ProjectState(PROJECT))
    assert "delete_project_spend_limit" in back
    assert "delete_project_model_permissions" in back
    (back, *_) = project_notes(ProjectState(PROJECT, unread=frozenset({"its spend limit", "its model permissions"})))
    assert back.count("can't be read") == 2


def test_a_project_that_is_locked_down_already_is_told_so() -> None:
    with pytest.raises(InvalidInput, match="locked down already"):
        project_steps(ProjectState(PROJECT, 1, {"mode": "allow_list", "model_ids": []}))


async def test_a_leaked_key_is_gone_once_the_plan_is_carried_out() -> None:
    world = World()
    project = world.named("list_projects", "Research")["id"]
    for leaked in world.all("list_project_api_keys", project_id=project, owner_project_access="any"):
        draft = await world.drafted(PlanLockdown, what=leaked["redacted_value"][-4:], **WHY)
        assert "Way back: none" in " ".join(draft.notes)
        world.apply(draft)
        with pytest.raises(NotFound):
            world.call("get_project_api_key", project_id=project, api_key_id=leaked["id"])


async def test_an_admin_key_is_found_by_its_id() -> None:
    world = World()
    made = world.call("create_admin_api_key", name="leaked")
    draft = await world.drafted(PlanLockdown, what=made["id"], **WHY)
    assert [(step.tool, dict(step.arguments)) for step in draft.steps] == [
        ("delete_admin_api_key", {"key_id": made["id"]})
    ]


async def test_a_whole_secret_finds_its_key_and_is_repeated_nowhere() -> None:
    world = World()
    secret = world.call("create_admin_api_key", name="leaked")["value"]
    draft = await world.drafted(PlanLockdown, what=secret, **WHY)
    assert tools_of(draft) == ["delete_admin_api_key"]
    assert secret not in repr(draft)
    with pytest.raises(InvalidInput) as raised:
        await world.drafted(PlanLockdown, what="sk-proj-thisisnokeyofours", **WHY)
    assert "thisisnokey" not in str(raised.value.as_object())


async def test_two_keys_with_the_same_end_are_both_named() -> None:
    world = World()
    project = world.named("list_projects", "Research")["id"]
    keys = world.all("list_project_api_keys", project_id=project, owner_project_access="any")[:2]
    for one in keys:
        world.row(f"/organization/projects/{project}/api_keys", one["id"])["redacted_value"] = "sk-proj...same"
    with pytest.raises(InvalidInput, match="may be 2 things") as raised:
        await world.drafted(PlanLockdown, what="same", **WHY)
    assert all(one["id"] in raised.value.message for one in keys)


async def test_nothing_is_left_of_a_person() -> None:
    world = World()
    user = world.named("list_users", "Dev Patel")
    draft = await world.drafted(PlanLockdown, what="dev.patel@example.com", **WHY)
    assert tools_of(draft)[-1] == "delete_user"
    world.apply(draft)
    assert access_left(world, user) == []


async def test_a_project_is_stopped_and_its_way_back_leads_back() -> None:
    world = World()
    project = world.named("list_projects", "Billing")["id"]
    before = world.call("get_project_spend_limit", project_id=project)
    draft = await world.drafted(PlanLockdown, what="billing", **WHY)
    world.apply(draft)
    assert world.call("get_project_spend_limit", project_id=project)["threshold_amount"] == 1
    models = world.call("get_project_model_permissions", project_id=project)
    assert (models["mode"], models["model_ids"]) == ("allow_list", [])
    assert f"threshold_amount {before['threshold_amount']}" in " ".join(draft.notes)
    with pytest.raises(InvalidInput, match="locked down already"):
        await world.drafted(PlanLockdown, what=project, **WHY)


async def test_keys_that_may_not_be_read_are_told_where_nothing_is_found() -> None:
    with pytest.raises(InvalidInput, match="Could not be read: the keys of project"):
        await World("list_project_api_keys").drafted(PlanLockdown, what="wxyz", **WHY)


async def test_a_settings_read_that_is_forbidden_is_no_sign_that_nothing_is_set() -> None:
    draft = await World("get_project_spend_limit").drafted(PlanLockdown, what="Billing", **WHY)
    assert any("present spend limit can't be read" in note for note in draft.notes)


async def test_keys_are_read_only_if_they_may_be_meant() -> None:
    world = World()
    await world.drafted(PlanLockdown, what=world.named("list_projects", "Billing")["id"], **WHY)
    assert "list_admin_api_keys" not in world.reads

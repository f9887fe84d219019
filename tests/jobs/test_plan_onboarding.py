"""An onboarding plan invites those who are outside, gives members what they lack, and doubles nothing."""

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.jobs.person_access import Access, ProjectAccess
from admin_mcp.jobs.playbooks.plan_onboarding import (
    Newcomer,
    PlanOnboarding,
    Wanted,
    addresses,
    like,
    onboarding_notes,
    onboarding_steps,
)
from tests.jobs.executing import World, tools_of

pytestmark = pytest.mark.anyio

BEN: Json = {"id": "user-ben", "name": "Ben", "email": "ben@example.com", "role": "reader"}
GROUP: Json = {"id": "group_1", "name": "Support"}
PROJECT: Json = {"id": "proj_1", "name": "Research"}
ROLE: Json = {"id": "role_1", "name": "Key manager"}
WANTED = Wanted(groups=(GROUP,), projects=((PROJECT, "owner"),), project_roles=((PROJECT, ROLE),))


def test_an_outsider_gets_an_invite_with_the_projects_and_hears_what_an_invite_cant_give() -> None:
    person = Newcomer("new@example.com")
    (step,) = onboarding_steps(person, WANTED)
    assert step.tool == "create_invite"
    assert step.arguments["projects"] == [{"id": "proj_1", "role": "owner"}]
    (note,) = onboarding_notes(person, WANTED)
    assert "Support" in note
    assert "call plan_onboarding again" in note


def test_a_member_gets_only_what_is_missing() -> None:
    has = Access(BEN, projects=(ProjectAccess(PROJECT, "member", (ROLE,)),), groups=(GROUP,))
    assert [step.tool for step in onboarding_steps(Newcomer("", has), WANTED)] == ["update_project_user"]
    everything = Access(BEN, projects=(ProjectAccess(PROJECT, "owner", (ROLE,)),), groups=(GROUP,))
    assert onboarding_steps(Newcomer("", everything), WANTED) == []
    assert "has all of it" in onboarding_notes(Newcomer("ben@example.com", everything), WANTED)[0]


def test_a_higher_role_in_a_project_is_not_taken_away() -> None:
    has = Access(BEN, projects=(ProjectAccess(PROJECT, "owner"),))
    assert onboarding_steps(Newcomer("", has), Wanted(projects=((PROJECT, "member"),))) == []


def test_a_pending_invite_is_left_alone_and_its_gaps_are_told() -> None:
    person = Newcomer("new@example.com", invite={"id": "invite-1", "projects": None})
    assert onboarding_steps(person, WANTED) == []
    (note,) = onboarding_notes(person, WANTED)
    assert "Research" in note
    assert "Support" in note


def test_a_project_that_the_pending_invite_gives_is_no_gap() -> None:
    person = Newcomer("new@example.com", invite={"id": "invite-1", "projects": [{"id": "proj_1", "role": "member"}]})
    (note,) = onboarding_notes(person, Wanted(projects=((PROJECT, "member"),)))
    assert "does not give" not in note


def test_ownership_of_the_organization_is_handed_on_only_if_it_is_asked_for() -> None:
    owner = Access({**BEN, "role": "owner"})
    wanted, notes = like(owner, Wanted())
    assert wanted.organization_role is None
    assert "give role: owner" in notes[0]
    wanted, notes = like(owner, Wanted(organization_role="owner"))
    assert (wanted.organization_role, notes) == ("owner", [])


def test_who_is_in_a_project_by_a_custom_role_only_is_no_model_for_a_membership() -> None:
    model = Access(BEN, projects=(ProjectAccess(PROJECT, "Key manager", (ROLE,)),))
    wanted, _ = like(model, Wanted())
    assert wanted.projects == ()
    assert wanted.project_roles == ((PROJECT, ROLE),)


def test_an_invite_that_makes_no_owner_is_told() -> None:
    person = Newcomer("new@example.com", invite={"id": "invite-1", "role": "reader"})
    (note,) = onboarding_notes(person, Wanted(organization_role="owner"))
    assert "does not make them owner" in note


async def test_a_group_that_is_named_twice_is_joined_once() -> None:
    world = World()
    finance = world.named("list_groups", "Finance")["id"]
    draft = await world.drafted(PlanOnboarding, emails=["emi.tanaka@example.com"], groups=["Finance", finance])
    assert tools_of(draft) == ["add_group_user"]


def test_each_address_counts_once_and_must_be_one() -> None:
    assert addresses([" a@example.com", "A@EXAMPLE.com", "b@example.com"]) == ["a@example.com", "b@example.com"]
    for wrong in ("Ana Ortiz", "@example.com", "a@", "a b@example.com", "a\ud800@example.com", ""):
        with pytest.raises(InvalidInput, match="is no e-mail address"):
            addresses([wrong])


async def test_outsiders_are_invited_and_members_are_let_in() -> None:
    world = World()
    emails = ["new.one@example.com", "EMI.TANAKA@example.com", "hugo.meyer@example.com"]
    draft = await world.drafted(PlanOnboarding, emails=emails, groups=["finance"], projects=["Research", "Billing"])
    world.apply(draft)
    pending = [one for one in world.all("list_invites") if one["status"] == "pending"]
    assert sorted(one["email"] for one in pending) == ["hugo.meyer@example.com", "new.one@example.com"]
    (new,) = [one for one in pending if one["email"] == "new.one@example.com"]
    projects = [world.named("list_projects", name)["id"] for name in ("Research", "Billing")]
    assert [project["id"] for project in new["projects"]] == projects
    emi = world.named("list_users", "Emi Tanaka")
    assert {project["id"] for project in emi["projects"]["data"]} >= set(projects)
    finance = world.named("list_groups", "Finance")["id"]
    assert emi["id"] in [user["id"] for user in world.all("list_group_users", group_id=finance)]
    again = await world.drafted(PlanOnboarding, emails=emails, groups=["finance"], projects=["Research", "Billing"])
    assert again.steps == ()
    assert any("hugo.meyer@example.com has a pending invite" in note for note in again.notes)


async def test_somebody_whose_invite_has_expired_is_invited_again() -> None:
    draft = await World().drafted(PlanOnboarding, emails=["late@example.com"])
    assert tools_of(draft) == ["create_invite"]
    world = World()
    invite = world.call("create_invite", email="late@example.com", role="reader", projects=[])["id"]
    world.row("/organization/invites", invite)["expires_at"] = 1
    draft = await world.drafted(PlanOnboarding, emails=["late@example.com"])
    assert tools_of(draft) == ["create_invite"]


async def test_a_member_ends_up_with_all_that_another_has() -> None:
    world = World()
    farid, dev = world.named("list_users", "Farid Haddad"), world.named("list_users", "Dev Patel")
    billing = world.named("list_projects", "Billing")["id"]
    manager = world.named("list_project_roles", "Key manager", project_id=billing)["id"]
    world.call("create_project_user", project_id=billing, user_id=dev["id"], role="owner")
    world.call("assign_project_user_role", project_id=billing, user_id=dev["id"], role_id=manager)
    draft = await world.drafted(PlanOnboarding, emails=[farid["email"]], like_user="Dev Patel")
    world.apply(draft)

    def has(user_id: str) -> list[object]:
        user = world.call("get_user", user_id=user_id)
        groups = [
            group["name"]
            for group in world.all("list_groups")
            if user_id in [one["id"] for one in world.all("list_group_users", group_id=group["id"])]
        ]
        roles = [role["name"] for role in world.all("list_user_roles", user_id=user_id)]
        inside = [role["name"] for role in world.all("list_project_user_roles", project_id=billing, user_id=user_id)]
        return [user["role"], user["projects"]["data"], groups, sorted(roles), sorted(inside)]

    theirs, model = has(farid["id"]), has(dev["id"])
    assert [theirs[0], theirs[1], theirs[3], theirs[4]] == [model[0], model[1], model[3], model[4]]
    assert set(model[2]) <= set(theirs[2])  # type: ignore[call-overload]  # he was in a group before


async def test_a_group_that_scim_manages_is_named_and_left_out() -> None:
    world = World()
    group = world.named("list_groups", "Finance")["id"]
    world.row("/organization/groups", group)["is_scim_managed"] = True
    draft = await world.drafted(PlanOnboarding, emails=["emi.tanaka@example.com"], groups=["Finance"])
    assert draft.steps == ()
    assert any("identity provider" in note and "Finance" in note for note in draft.notes)


async def test_unknown_and_ambiguous_groups_and_projects_are_refused_by_name() -> None:
    world = World()
    with pytest.raises(InvalidInput, match=r"groups: there is no group “Finanse”.*finance"):
        await world.drafted(PlanOnboarding, emails=["a@example.com"], groups=["Finanse"])
    world.call("create_project", name="Research")
    with pytest.raises(InvalidInput, match="projects: “Research” may be 2 things"):
        await world.drafted(PlanOnboarding, emails=["a@example.com"], projects=["Research"])


async def test_sixty_memberships_take_two_plans() -> None:
    world = World()
    names = [f"Project {number}" for number in range(60)]
    for name in names:
        world.call("create_project", name=name)
    farid = world.named("list_users", "Farid Haddad")
    draft = await world.drafted(PlanOnboarding, emails=[farid["email"]], projects=names)
    assert any("with the same arguments" in note for note in draft.notes)
    world.apply(draft)
    world.apply(await world.drafted(PlanOnboarding, emails=[farid["email"]], projects=names))
    assert len(world.named("list_users", "Farid Haddad")["projects"]["data"]) == 60


async def test_invites_that_may_not_be_read_are_told() -> None:
    draft = await World("list_invites").drafted(PlanOnboarding, emails=["a@example.com"])
    assert any("one may be sent twice" in note for note in draft.notes)

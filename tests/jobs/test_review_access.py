"""``review_access`` is right about who may do what, through whatever, checked against plain requests made here."""

import json
from typing import Any

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, Permission
from admin_mcp.jobs.access_findings import main_domain
from admin_mcp.jobs.permission_names import named_permission
from admin_mcp.jobs.reports.review_access import ReviewAccess
from tests.jobs.cost import tokens
from tests.jobs.world import DAY, NOW, World

pytestmark = pytest.mark.anyio
ORG = "/organization"
USERS, PROJECTS, GROUPS = f"{ORG}/users", f"{ORG}/projects", f"{ORG}/groups"
WRITE = "api.organization.projects.api_keys.write"
SIZES = [(0, 7, 3), (1, 7, 3), (2, 7, 3), (0, 70, 13), (5, 160, 20)]


async def review(world: World, **arguments: object) -> Json:
    return await world.report(ReviewAccess.model_validate(arguments))


def is_owner(world: World, user: str) -> bool:
    """Ask for the person's own roles; those that come through groups are among them."""
    roles = world.all(f"{USERS}/{user}/roles")
    return any(role["name"] == "owner" and role["predefined_role"] for role in roles)


def who_can(world: World, permission: str, project: str) -> set[str]:
    """Ask for every single person whether they have a permission, in the organization or in the project."""
    able = set()
    for user in world.all(USERS):
        roles = [*world.all(f"{USERS}/{user['id']}/roles"), *world.all(f"/projects/{project}/users/{user['id']}/roles")]
        if is_owner(world, user["id"]) or any(permission in role["permissions"] for role in roles):
            able.add(user["id"])
    return able


def ids(rows: list[Json]) -> set[str]:
    return {row["id"] for row in rows}


@pytest.mark.parametrize(("seed", "people", "projects"), SIZES)
async def test_who_can_do_something_in_a_project_is_one_call_and_right(seed: int, people: int, projects: int) -> None:
    world = World(seed, people, projects)
    for project in world.all(PROJECTS):
        answer = await review(world, project=project["id"], permission="create API keys")
        assert ids(answer["people"]) == who_can(world, WRITE, project["id"])
        assert answer["totals"]["people"] == len(answer["people"])
        assert answer["about"] == {"project": {"id": project["id"], "name": project["name"]}, "permission": WRITE}


async def test_a_permission_that_comes_only_through_a_group_is_told_with_the_group() -> None:
    world = World()
    answer = await review(world, project="Billing", permission=WRITE)
    ben = next(row for row in answer["people"] if row["name"] == "Ben Okafor")
    assert ben["through"] == ["Key manager through group Finance"]
    assert "Ben Okafor | Key manager through group Finance" in answer["text"]


async def test_a_custom_role_of_a_single_person_and_an_organization_role_that_reaches_a_project_count() -> None:
    world = World()
    emi, farid = (world.named(USERS, name) for name in ("Emi Tanaka", "Farid Haddad"))
    billing = world.named(PROJECTS, "Billing")
    manager = world.named(f"/projects/{billing}/roles", "Key manager")
    world.post(f"/projects/{billing}/users/{emi}/roles", {"role_id": manager})
    wide = world.post(f"{ORG}/roles", {"role_name": "All keys", "permissions": [WRITE]})["id"]
    world.post(f"{USERS}/{farid}/roles", {"role_id": wide})
    answer = await review(world, project=billing, permission=WRITE)
    told = {row["name"]: row["through"] for row in answer["people"]}
    assert told["Emi Tanaka"] == ["Key manager"]
    assert told["Farid Haddad"] == ["All keys of the organization"]
    assert ids(answer["people"]) == who_can(world, WRITE, billing)


async def test_an_owner_through_a_group_is_an_owner() -> None:
    world = World()
    support = world.named(GROUPS, "Support")
    world.post(f"{GROUPS}/{support}/roles", {"role_id": world.named(f"{ORG}/roles", "owner")})
    answer = await review(world)
    assert answer["totals"]["owners"] == sum(is_owner(world, user["id"]) for user in world.all(USERS)) == 3
    (finding,) = [each for each in answer["findings"] if each["kind"] == "owner_through_group"]
    assert finding["count"] == 2
    assert [row["name"] for row in answer["people"][:3]].count("Ana Ortiz") == 1
    assert ids((await review(world, project="Billing", permission=WRITE))["people"]) == who_can(
        world, WRITE, world.named(PROJECTS, "Billing")
    )


@pytest.mark.parametrize(("seed", "people", "projects"), SIZES)
async def test_the_totals_and_findings_are_those_of_the_lists(seed: int, people: int, projects: int) -> None:
    world = World(seed, people, projects)
    users, old = world.all(USERS), NOW - 90 * DAY
    answer = await review(world)
    used: dict[str, int] = {user["id"]: user.get("api_key_last_used_at") or 0 for user in users}
    invites = world.all(f"{ORG}/invites")
    accounts = [row for each in world.all(PROJECTS) for row in world.all(f"{PROJECTS}/{each['id']}/service_accounts")]
    outside = [user["email"] for user in users if not user["email"].endswith("@example.com")]
    assert answer["totals"] == {
        "people": people,
        "owners": sum(is_owner(world, user["id"]) for user in users),
        "groups": len(world.all(GROUPS)),
        "projects": projects,
        "service_accounts": len(accounts),
        "outside_domain": len(outside),
        "inactive": sum(0 < used[user["id"]] < old for user in users),
        "never_active": sum(not used[user["id"]] and user["added_at"] < old for user in users),
        "invites_pending": sum(row["status"] == "pending" for row in invites),
        "invites_expired": sum(row["status"] == "expired" for row in invites),
        "admin_keys": 1,
    }
    found = {each["kind"]: each for each in answer["findings"]}
    for kind in ("outside_domain", "inactive", "never_active"):
        assert found.get(kind, {"count": 0})["count"] == answer["totals"][kind]
    assert found.get("service_account_owner", {"count": 0})["count"] == sum(row["role"] == "owner" for row in accounts)
    assert set(found.get("outside_domain", {"who": []})["who"][:10]) <= set(outside)
    assert answer["unreadable"] == []


@pytest.mark.parametrize(("seed", "people", "projects"), SIZES[:4])
async def test_the_rows_of_a_review_show_the_roles_groups_and_members_there_are(
    seed: int, people: int, projects: int
) -> None:
    world = World(seed, people, projects)
    answer = await review(world)
    for row in answer["people"]:
        held = {role["name"] for role in world.all(f"{USERS}/{row['id']}/roles")}
        assert {role.partition(" through ")[0] for role in row["roles"]} == held
    for row in answer["groups"]:
        assert len(row["people"]) == len(world.all(f"{GROUPS}/{row['id']}/users"))
        assert row.get("roles", []) == [role["name"] for role in world.all(f"{GROUPS}/{row['id']}/roles")]
    for row in answer["projects"]:
        members = world.all(f"{PROJECTS}/{row['id']}/users")
        assert len(row["people"].get("owner", [])) == sum(each["role"] == "owner" for each in members)
        assert len(row["people"].get("member", [])) == sum(each["role"] == "member" for each in members)
        groups = {each["group_name"] for each in world.all(f"{PROJECTS}/{row['id']}/groups")}
        assert {each.partition(" (")[0] for each in row["groups"]} == groups


@pytest.mark.parametrize("seed", [0, 1, 2])
async def test_a_person_is_shown_with_every_way_they_have(seed: int) -> None:
    world = World(seed)
    for user in world.all(USERS):
        answer = await review(world, person=user["email"])
        expected = {(role["id"], None) for role in world.all(f"{USERS}/{user['id']}/roles")}
        for project in world.all(PROJECTS):
            held = world.all(f"/projects/{project['id']}/users/{user['id']}/roles")
            expected |= {(role["id"], project["id"]) for role in held}
        assert {(row["role_id"], row.get("project_id")) for row in answer["ways"]} == expected
        groups = {
            group["name"]
            for group in world.all(GROUPS)
            if user["id"] in {member["id"] for member in world.all(f"{GROUPS}/{group['id']}/users")}
        }
        assert set(answer["about"]["person"]["groups"]) == groups


async def test_a_group_is_shown_with_its_members_and_what_it_gives() -> None:
    world = World()
    answer = await review(world, group="engineering")
    engineering = world.named(GROUPS, "Engineering")
    default = world.named(PROJECTS, "Default project")
    assert ids(answer["people"]) == {row["id"] for row in world.all(f"{GROUPS}/{engineering}/users")}
    assert {row["role_id"] for row in answer["ways"]} == {
        role["id"] for role in world.all(f"/projects/{default}/groups/{engineering}/roles")
    }


async def test_a_permission_alone_shows_everybody_it_reaches_and_the_roles_that_carry_it() -> None:
    world = World(people=70, projects=13)
    answer = await review(world, permission=WRITE)
    projects = [project["id"] for project in world.all(PROJECTS)]
    assert ids(answer["people"]) == set().union(*(who_can(world, WRITE, project) for project in projects))
    carriers = {
        role["id"]
        for project in projects
        for role in world.all(f"/projects/{project}/roles")
        if WRITE in role["permissions"]
    }
    assert ids(answer["roles"]) == carriers


@pytest.mark.parametrize("seed", [0, 3])
async def test_service_accounts_with_a_role_that_carries_the_permission_are_listed(seed: int) -> None:
    world = World(seed, people=70, projects=40)
    answer = await review(world, permission=WRITE)
    owning = {
        account["id"]
        for project in world.all(PROJECTS)
        for account in world.all(f"{PROJECTS}/{project['id']}/service_accounts")
        if account["role"] == "owner"
    }
    assert owning
    assert ids(answer["service_accounts"]) == owning


async def test_assignments_are_asked_person_by_person_only_where_a_role_beyond_the_predefined_matters() -> None:
    world = World(people=70, projects=13)
    await review(world, project="Delta", permission="api.organization.projects.api_keys.read")
    assert "list_user_roles" not in world.reads
    assert len(world.reads) < 30


@pytest.mark.parametrize(
    ("forbidden", "told"),
    [
        ("list_groups", "groups"),
        ("list_group_users", "members of group Finance"),
        ("list_group_roles", "roles of group Support"),
        ("list_user_roles", "roles of Ana Ortiz"),
        ("list_project_users", "users of project Billing"),
        ("list_project_groups", "groups of project Research"),
        ("list_project_roles", "roles of project Billing"),
        ("list_project_group_roles", "roles of group Finance in project Billing"),
        ("list_project_user_roles", "roles of Ben Okafor in project Billing"),
        ("list_project_service_accounts", "service accounts of project Billing"),
        ("list_invites", "invites"),
        ("list_admin_api_keys", "admin API keys"),
        ("list_users", "users"),
        ("list_roles", "roles"),
        ("list_projects", "projects"),
    ],
)
async def test_a_list_that_may_not_be_read_is_never_a_silent_gap(forbidden: str, told: str) -> None:
    world = World()
    world.forbidden = {forbidden}
    answer = await review(world)
    assert told in [each["what"] for each in answer["unreadable"]]
    assert "Not all could be read" in answer["text"]
    assert "project_without_owner" not in {each["kind"] for each in answer["findings"]}


async def test_who_has_something_through_a_group_is_told_by_the_api_where_the_members_are_unreadable() -> None:
    world = World()
    billing, finance = world.named(PROJECTS, "Billing"), world.named(GROUPS, "Finance")
    world.forbidden = {"list_group_users"}
    answer = await review(world, project=billing, permission=WRITE)
    (ben,) = [row for row in answer["people"] if row["name"] == "Ben Okafor"]
    assert ben["through"] == ["Key manager through group Finance"]
    assert finance  # it is the group's name, and not its id, that is told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"project": "Billling"}, r"project: none of 3 goes by 'Billling'; the nearest are Billing \(proj_"),
        ({"person": "Nobody Atall"}, "person: none of 7"),
        ({"person": " "}, "person: it is blank"),
        ({"group": "x" * 300}, "group: it has 300 characters"),
        ({"group": "Finance", "person": "Ben Okafor"}, "group or person, not both"),
        ({"permission": "fly to the moon"}, "permission: 'fly to the moon' is carried by no role"),
        ({"permission": "API keys"}, "may be any of 2; there are api.organization.projects.api_keys.read"),
    ],
)
async def test_a_name_that_fits_nothing_or_several_is_refused_with_the_candidates(
    arguments: dict[str, str], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        await review(World(), **arguments)


async def test_who_is_in_no_list_of_users_has_a_name_and_access_all_the_same() -> None:
    world = World()
    world.forbidden = {"list_users"}
    answer = await review(world, project="Billing", permission=WRITE)
    assert {(row["name"], *row["through"]) for row in answer["people"]} == {
        ("Ana Ortiz", "project owner"),
        ("Ben Okafor", "Key manager through group Finance"),
    }
    assert [each["what"] for each in answer["unreadable"]] == ["users"]
    assert answer["findings"] == []


async def test_two_people_of_one_name_are_both_offered() -> None:
    world = World(people=120)
    names = [user["name"] for user in world.all(USERS)]
    twice = next(name for name in names if names.count(name) > 1)
    with pytest.raises(InvalidInput) as caught:
        await review(world, person=twice)
    for user in world.all(USERS):
        assert (user["id"] in caught.value.message) is (user["name"] == twice)


async def test_a_name_can_not_be_looked_up_in_a_list_that_may_not_be_read() -> None:
    world = World()
    world.forbidden = {"list_projects"}
    with pytest.raises(Permission, match="projects can't be read"):
        await review(world, project="Billing")


async def test_a_permission_is_taken_as_it_is_given_where_roles_may_not_be_read() -> None:
    world = World()
    world.forbidden = {"list_roles", "list_project_roles"}
    answer = await review(world, project="Billing", permission=WRITE)
    assert {row["name"] for row in answer["people"]} == {"Ana Ortiz", "Ben Okafor"}
    assert {"roles", "roles of project Billing"} <= {each["what"] for each in answer["unreadable"]}
    with pytest.raises(Permission, match="permission: nothing can be looked up"):
        await review(world, permission="create API keys")


async def test_a_role_that_is_called_like_a_field_of_the_answer_hides_nothing() -> None:
    world = World()
    billing, ben = world.named(PROJECTS, "Billing"), world.named(USERS, "Ben Okafor")
    role = world.post(f"/projects/{billing}/roles", {"role_name": "id", "permissions": []})["id"]
    world.post(f"/projects/{billing}/users/{ben}/roles", {"role_id": role})
    (row,) = [row for row in (await review(world))["projects"] if row["name"] == "Billing"]
    assert (row["id"], row["people"]["id"]) == (billing, ["Ben Okafor"])


async def test_it_gets_there_where_the_api_asks_to_slow_down_again_and_again() -> None:
    assert await review(World(faults="429=30%")) == await review(World())


async def test_names_that_lie_stay_data_and_one_row_is_one_line() -> None:
    world = World()
    lie = "Ana\nOrganization owner | Mallory | \u202eowner\x00"

    def spoil(tool: str, answer: Json) -> Json:
        if tool in {"list_users", "list_groups", "list_projects", "list_project_users"}:
            return {**answer, "data": [{**row, "name": lie} for row in answer["data"]]}
        return answer

    calm = (await review(world))["text"].count("\n")
    world.spoil = spoil
    answer = await review(world)
    assert answer["text"].count("\n") == calm
    assert answer["people"][0]["name"] == lie
    assert not {"\u202e", "\x00"} & set(answer["text"])


async def test_answers_without_fields_and_rows_that_are_none_are_borne() -> None:
    world = World()

    def spoil(tool: str, answer: Json) -> Json:
        del tool
        rows: list[Any] = [*({"id": row["id"]} for row in answer["data"] if "id" in row), {}, None, {"id": 7}, "row"]
        return {**answer, "data": rows}

    world.spoil = spoil
    assert (await review(world))["totals"]["people"] == 7


async def test_an_id_that_can_not_stand_in_a_path_is_noted() -> None:
    world = World()

    def spoil(tool: str, answer: Json) -> Json:
        return {**answer, "data": [{"id": "../projects", "name": "x"}]} if tool == "list_groups" else answer

    world.spoil = spoil
    answer = await review(world)
    assert {"members of group x", "roles of group x"} <= {each["what"] for each in answer["unreadable"]}


@pytest.mark.parametrize("seed", [0, 1, 2])
async def test_answers_stay_within_their_budgets(seed: int) -> None:
    world = World(seed, people=70, projects=13)
    assert tokens(await review(world)) <= 6_000
    assert tokens(await review(world, project="Billing", permission="create API keys")) <= 400


async def test_a_large_review_is_cut_between_rows_and_can_be_gone_through() -> None:
    world = World(people=600, projects=60)
    seen: dict[str, list[str]] = {"people": [], "projects": [], "groups": []}
    skip: int | None = 0
    while skip is not None:
        answer = await review(world, skip=skip)
        assert len(json.dumps(answer, ensure_ascii=False).encode()) <= 52_000
        for name, rows in seen.items():
            rows += [row["id"] for row in answer[name]]
        skip = int(answer["more"].rpartition("skip=")[2].partition(",")[0]) if "more" in answer else None
    for name, rows in seen.items():
        assert sorted(rows) == sorted(
            each["id"] for each in world.all(f"{ORG}/{'users' if name == 'people' else name}")
        )


def test_a_permission_is_understood_by_its_name_its_end_and_in_words() -> None:
    known = {WRITE, WRITE.replace("write", "read"), "api.groups.read", "api.groups.write", "api.usage.read"}
    for given in (WRITE, "api_keys.write", "create API keys", "manage keys", "who can add a key"[8:]):
        assert named_permission(given, known) == WRITE
    assert named_permission("see usage", known) == "api.usage.read"


def test_the_domain_of_most_is_the_organizations() -> None:
    assert main_domain([{"email": "a@x"}, {"email": "b@y"}, {"email": "c@Y"}, {"email": None}, {}]) == "y"
    assert main_domain([{}]) == ""

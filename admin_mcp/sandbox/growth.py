"""More of the same: people, groups and projects beyond the seed's, for trying what a large organization needs.

They are put down as rows, since thousands of changes through the API would take a while and fill the audit log. The
same seed and size give the same organization, and the seed's own size adds nothing.
"""

from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Final

from admin_mcp.sandbox.access import find_role, give
from admin_mcp.sandbox.creation import furnish_project
from admin_mcp.sandbox.invite_lifecycle import INVITES, add_user
from admin_mcp.sandbox.keys import add_service_account_key, redacted
from admin_mcp.sandbox.projections import PROJECTS, USERS
from admin_mcp.sandbox.resources import DAY, RESOURCES
from admin_mcp.sandbox.store import Row, Store, text

GROUPS: Final = "/organization/groups"
_PEOPLE_IN_GROUP = 25
_PEOPLE_PER_INVITE = 40
_GIVEN = ("Ada", "Bilal", "Carla", "Dmitri", "Ella", "Femi", "Greta", "Hiro", "Ines", "Jonas", "Kofi", "Lena", "Mateo",
          "Nadia", "Olu", "Priya", "Quentin", "Rosa", "Sven", "Tala")  # fmt: skip
_FAMILY = ("Abe", "Bauer", "Costa", "Diaz", "Eze", "Fischer", "Gupta", "Hansen", "Ito", "Jensen", "Kaya", "Lopez",
           "Moreau", "Novak", "Osei", "Park", "Quist", "Rao", "Silva", "Toure")  # fmt: skip
_TEAMS = ("Platform", "Search", "Mobile", "Data", "Security", "Sales", "Legal", "Vision", "Speech", "Quality")
_PRODUCTS = ("Atlas", "Beacon", "Comet", "Delta", "Ember", "Falcon", "Garnet", "Harbor", "Iris", "Juniper")
_DOMAINS = (("example.com", 94), ("contractors.example", 4), ("mail.example", 2))
_RESIDENCIES = (("GLOBAL", 80), ("EU_STORAGE_PROCESSING", 15), ("JP_STORAGE", 5))
_TOOLS = ("code_interpreter", "file_search", "image_generation", "mcp", "web_search")
_SINGLETONS: Final[tuple[tuple[int, str, Row], ...]] = (
    (15, "data_retention", {"type": "zero_data_retention"}),
    (25, "model_permissions", {"mode": "allow_list", "model_ids": ["gpt-5-mini"]}),
    (10, "hosted_tool_permissions", {name: {"enabled": name != "mcp"} for name in _TOOLS}),
)
"""What some projects set, and how many in a hundred."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many people and projects an organization has. The defaults are what the seed makes."""

    people: int = 7
    projects: int = 3


@dataclass(frozen=True, slots=True)
class _Growing:
    store: Store
    random: Random
    now: int

    def day(self, most: int, least: int = 0) -> int:
        """Return a moment between so many days ago."""
        return self.now - self.random.randint(least, most) * DAY

    def drawn(self, weighed: tuple[tuple[str, int], ...]) -> str:
        return self.random.choices([name for name, _ in weighed], [weight for _, weight in weighed])[0]

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def role(self, place: str, name: str) -> str:
        """Return the id of a role by its name; ``place`` is the collection of roles."""
        return next(role for role, row in self.store.rows(place).items() if row["name"] == name)


def grow(store: Store, size: Size, now: int) -> None:
    """Add what is missing to that size."""
    growing = _Growing(store, Random(f"{store.seed}/growth"), now)  # noqa: S311 - pretend data
    seeded = len(store.rows(USERS))
    people = [_person(growing, number) for number in range(seeded, size.people)]
    groups = [_group(growing, number, people) for number in range(-(-len(people) // _PEOPLE_IN_GROUP))]
    made = range(len(store.rows(PROJECTS)), size.projects)
    for number in made:
        _project(growing, number, people or [*store.rows(USERS)], groups or [*store.rows(GROUPS)])
    homes = [*store.rows(PROJECTS)]
    for person in people[len(made) :] if homes else ():
        _personal_key(growing, growing.random.choice(homes), person)
    for number in range(len(people) // _PEOPLE_PER_INVITE):
        _invite(growing, number)


def _person(growing: _Growing, number: int) -> str:
    store, random = growing.store, growing.random
    name = f"{random.choice(_GIVEN)} {random.choice(_FAMILY)}"
    email = f"{name.lower().replace(' ', '.')}.{number}@{growing.drawn(_DOMAINS)}"
    joined = growing.day(400, 1)
    user = add_user(store, name, email, "owner" if growing.chance(1) else "reader", joined)
    if growing.chance(75):
        store.row(USERS, user)["api_key_last_used_at"] = max(joined, growing.day(200))
    if growing.chance(2):
        give(store, f"{USERS}/{user}/roles", growing.role("/organization/roles", "Usage viewer"), joined)
    return user


def _group(growing: _Growing, number: int, people: list[str]) -> str:
    store = growing.store
    team, rounds = _TEAMS[number % len(_TEAMS)], number // len(_TEAMS)
    name = f"{team} {rounds + 1}" if rounds else team
    made = growing.day(300, 30)
    group = store.new_id(RESOURCES["groups"].prefix)
    store.put(GROUPS, group, {**RESOURCES["groups"].begin(made), "name": name})
    members = people[number * _PEOPLE_IN_GROUP : (number + 1) * _PEOPLE_IN_GROUP]
    for member in [*members, *growing.random.sample(people, min(2, len(people)))]:
        store.put(f"{GROUPS}/{group}/users", member, {"created_at": made, "added_at": made})
    if growing.chance(10):
        role = growing.role("/organization/roles", growing.random.choice(("Usage viewer", "Group manager")))
        give(store, f"{GROUPS}/{group}/roles", role, made)
    return group


def _project(growing: _Growing, number: int, people: list[str], groups: list[str]) -> None:
    store, random = growing.store, growing.random
    product, rounds = _PRODUCTS[number % len(_PRODUCTS)], number // len(_PRODUCTS)
    made = growing.day(300, 10)
    project = store.new_id(RESOURCES["projects"].prefix)
    name = f"{product} {rounds + 1}" if rounds else product
    store.put(
        PROJECTS,
        project,
        {**RESOURCES["projects"].begin(made), "name": name, "residency": growing.drawn(_RESIDENCIES)},
    )
    place = f"{PROJECTS}/{project}"
    furnish_project(store, project, made)
    manager = _key_manager(growing, place, made) if growing.chance(40) else None
    for rank, user in enumerate(random.sample(people, min(random.randint(3, 9), len(people)))):
        _join(growing, f"{place}/users", user, "member" if rank else "owner", made)
        if manager and rank == 1:
            give(store, f"{place}/users/{user}/roles", manager, made)
    for group in random.sample(groups, min(random.randint(0, 2), len(groups))):
        _join(growing, f"{place}/groups", group, "member", made)
        if manager and growing.chance(30):
            give(store, f"{place}/groups/{group}/roles", manager, made)
    _service_account(growing, place, name, made)
    _settings(growing, place)


def _key_manager(growing: _Growing, place: str, made: int) -> str:
    role: Row = {**RESOURCES["projects/roles"].begin(made), "name": "Key manager", "description": "Manages API keys."}
    permissions = ["api.organization.projects.api_keys.read", "api.organization.projects.api_keys.write"]
    found = growing.store.new_id(RESOURCES["projects/roles"].prefix)
    growing.store.put(f"{place}/roles", found, {**role, "permissions": permissions})
    return found


def _join(growing: _Growing, place: str, item: str, role: str, made: int) -> None:
    growing.store.put(place, item, {"created_at": made, "added_at": made})
    held = f"{place}/{item}/roles"
    give(growing.store, held, find_role(growing.store, held, role), made)


def _service_account(growing: _Growing, place: str, name: str, made: int) -> None:
    row: Row = {**RESOURCES["projects/service_accounts"].begin(made), "name": f"{name} batch"}
    if growing.chance(10):
        row["role"] = "owner"
    account = growing.store.new_id(RESOURCES["projects/service_accounts"].prefix)
    growing.store.put(f"{place}/service_accounts", account, row)
    add_service_account_key(growing.store, place, account, {}, made)
    *_, key = growing.store.rows(f"{place}/api_keys").values()
    key["last_used_at"] = growing.day(150) if growing.chance(80) else None


def _settings(growing: _Growing, place: str) -> None:
    """Set in some projects what others leave alone."""
    store = growing.store
    if growing.chance(70):
        cents = growing.random.choice((50_000, 100_000))
        store.put_singleton(f"{place}/spend_limit", _monthly(cents))
    if growing.chance(60):
        channel: Row = {"type": "email", "recipients": ["finance@example.com"], "subject_prefix": None}
        alert: Row = {**_monthly(40_000), "notification_channel": channel}
        store.put(f"{place}/spend_alerts", store.new_id(RESOURCES["projects/spend_alerts"].prefix), alert)
    for percent, name, row in _SINGLETONS:
        if growing.chance(percent):
            store.put_singleton(f"{place}/{name}", deepcopy(row))
    if growing.chance(15):
        store.row(f"{place}/rate_limits", "rl-gpt-5.2")["max_requests_per_1_minute"] = 500


def _monthly(cents: int) -> Row:
    return {"currency": "USD", "interval": "month", "threshold_amount": cents}


def _personal_key(growing: _Growing, project: str, user: str) -> None:
    store = growing.store
    person, made = store.row(USERS, user), growing.day(300)
    owner: Row = {"id": user, "name": person["name"], "email": person["email"], "role": "member"}
    row: Row = {"name": f"{text(person, 'name')}'s key", "user_id": user}
    row["redacted_value"] = redacted(f"sk-proj-sandbox-{store.new_token(20)}")
    row["owner"] = {"type": "user", "user": {**owner, "created_at": person["added_at"]}}
    row["last_used_at"] = person.get("api_key_last_used_at")
    known = RESOURCES["projects/api_keys"].begin(made)
    store.put(f"{PROJECTS}/{project}/api_keys", store.new_id(RESOURCES["projects/api_keys"].prefix), {**known, **row})


def _invite(growing: _Growing, number: int) -> None:
    sent = growing.day(20)
    email = f"guest.{number}@{growing.drawn(_DOMAINS)}"
    row: Row = {**RESOURCES["invites"].begin(sent), "email": email, "role": "reader", "projects": []}
    growing.store.put(INVITES, growing.store.new_id(RESOURCES["invites"].prefix), {**row, "expires_at": sent + 7 * DAY})

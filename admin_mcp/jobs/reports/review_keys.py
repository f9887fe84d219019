"""``review_keys``: every API key of the organization, whose it is, and what speaks against it.

    {"as_of": "2026-11-25T18:30Z",
     "totals": {"keys", "admin", "personal", "service_account", "without_findings", "cents_30d",
                "findings": {finding: how many keys have it}},
     "keys": [{"id", "name", "kind", "project_id"?, "project"?, "owner_id", "owner", "owner_state", "created",
               "last_used"?, "expires"?, "cents_30d"?, "findings"?}],
     "more"?: how to see the rest, "unreadable": [...], "text": the same as a table}

Keys that outlived their owner come first, then by how bad the worst finding is, then by what they cost.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import Field

from admin_mcp.endpoints.fields import INTEGRAL, UNSET, ApiDefault
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.jobs.answers import stretch
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.costs import Costs
from admin_mcp.jobs.ledger import Ledger
from admin_mcp.jobs.listed import by_id, part
from admin_mcp.jobs.money import ZERO, added, cents, in_dollars
from admin_mcp.jobs.names import Named, nearest_to
from admin_mcp.jobs.periods import day_of, days_between, iso, parse_period
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.tables import label, named, plural, table, unread_line

Kind = Literal["admin", "personal", "service_account"]
OwnerState = Literal["present", "gone", "not_in_project", "unknown"]
Finding = Literal[
    "owner_gone",
    "owner_not_in_project",
    "unused",
    "never_used",
    "old",
    "owner_of_organization",
    "no_expiry",
    "expired",
]

GRAVITY: Final[dict[Finding, str]] = {
    "owner_gone": "owner gone",
    "owner_not_in_project": "owner not in project",
    "unused": "unused",
    "never_used": "never used",
    "old": "old",
    "owner_of_organization": "an organization owner's",
    "no_expiry": "no expiry",
    "expired": "expired",
}
"""The findings, the worst first, in words."""

COST_DAYS: Final = "30d"
NEW_DAYS: Final = 7
"""A key as young as this may well not have been used yet."""


class ReviewKeys(Report, toolsets=("security",)):
    """Review all API keys: owner gone, unused, old, no expiry, and 30 days' cost; worst first."""

    unused_days: Annotated[int, Field(ge=1), ApiDefault(90), INTEGRAL] = 90
    max_age_days: Annotated[int, Field(ge=1), ApiDefault(180), INTEGRAL] = 180
    projects: list[str] = Field(UNSET, description="Ids or names; left out: all, and admin keys.")
    top: Annotated[int, Field(ge=1), INTEGRAL] = 8
    skip: Annotated[int, Field(ge=0, description="Rows already seen."), INTEGRAL] = UNSET

    async def answer(self, reader: Reader) -> Json:
        """Read all keys, their owners and their costs."""
        now = reader.now()
        reading = reader.all("list_projects")
        listed = await (reading if self.projects else reader.attempt("projects, so their keys", reading))
        projects = chosen(by_id(listed), self.projects)
        readings = (
            partial(_members, reader),
            partial(_admin_keys, reader, wanted=not self.projects),
        )
        costs = await reader.attempt("costs of keys", Costs(reader).by("api_key_id", parse_period(COST_DAYS, now)))
        users, admin_keys = await reader.each(readings, _made)
        found = await reader.each(projects, lambda project: _project_keys(reader, project))
        state = State(
            users=None if users is None else by_id(users),
            last_paid=None if costs is None else last_days(costs),
            cost=None if costs is None else totals(costs),
            now=now,
        )
        keys = {item: state.admin_key(key) for item, key in by_id(admin_keys).items()}
        for project, (owned, accounts) in zip(projects, found, strict=True):
            keys |= {item: state.project_key(key, project, accounts) for item, key in by_id(owned).items()}
        return review(list(keys.values()), self, now, reader.unreadable())


@dataclass(frozen=True, slots=True)
class Key:
    """One key with all that is known of it. Moments are unix seconds; ``cost`` is None where it could not be read."""

    id: str
    name: str
    kind: Kind
    owner_id: str | None
    owner: str
    owner_state: OwnerState
    owns_organization: bool
    created: object
    last_used: object
    last_paid: date | None
    expires: object
    cost: Decimal | None
    project_id: str | None = None
    project: str | None = None

    @property
    def last_day(self) -> date | None:
        """The last day it was used: by its own record, or by a cost, which the record may lag behind."""
        return max((day for day in (day_of(self.last_used), self.last_paid) if day), default=None)


@dataclass(frozen=True, slots=True)
class State:
    """What was read beside the keys. None: it could not be read."""

    users: Mapping[str, Json] | None
    last_paid: Mapping[str, date] | None
    cost: Mapping[str, Decimal] | None
    now: float

    def admin_key(self, key: Json) -> Key:
        """Return an admin key with its owner."""
        owner = part(key, "owner")
        return self._key(key, "admin", owner, self._member(owner.get("id")))

    def project_key(self, key: Json, project: Json, accounts: Mapping[str, Json] | None) -> Key:
        """Return a project's key with its owner. ``accounts`` are the project's service accounts."""
        owner = part(key, "owner")
        kind: Kind = "service_account" if _is_of_account(key) else "personal"
        who = part(owner, "user" if kind == "personal" else "service_account")
        if kind == "personal":
            state = self._member(who.get("id"))
        elif accounts is None or not isinstance(who.get("id"), str):
            state = "unknown"
        else:
            state = "present" if who["id"] in accounts else "gone"
        if state != "gone" and key.get("owner_project_access") == "inactive":
            state = "not_in_project"
        return self._key(key, kind, who, state, project)

    def _member(self, user: object) -> OwnerState:
        if self.users is None or not isinstance(user, str):
            return "unknown"
        return "present" if user in self.users else "gone"

    def _key(self, key: Json, kind: Kind, owner: Json, state: OwnerState, project: Json | None = None) -> Key:
        item = str(key["id"])
        owner_id = owner["id"] if isinstance(owner.get("id"), str) else None
        user = (self.users or {}).get(owner_id or "", {})
        return Key(
            id=item,
            name=label(key.get("name"), "(no name)"),
            kind=kind,
            owner_id=owner_id,
            owner=named({**owner, **{name: text for name, text in user.items() if name in {"name", "email"} and text}}),
            owner_state=state,
            owns_organization=kind == "personal" and user.get("role") == "owner",
            created=key.get("created_at"),
            last_used=key.get("last_used_at"),
            last_paid=(self.last_paid or {}).get(item),
            expires=key.get("expires_at"),
            cost=None if self.cost is None else self.cost.get(item, ZERO),
            project_id=None if project is None else str(project["id"]),
            project=None if project is None else named(project),
        )


def findings(key: Key, rules: ReviewKeys, now: float) -> list[Finding]:
    """Return what speaks against a key, the worst first. One that has expired opens nothing any more."""
    age, left = days_between(key.created, now), days_between(key.expires, now)
    if left is not None and left >= 0:
        return ["expired"]
    today = day_of(now)
    last = key.last_day
    idle = (today - last).days if today and last else None
    holds: dict[Finding, bool] = {
        "owner_gone": key.owner_state == "gone",
        "owner_not_in_project": key.owner_state == "not_in_project",
        "unused": idle is not None and idle > rules.unused_days,
        "never_used": idle is None and (age is None or age >= NEW_DAYS),
        "old": age is not None and age > rules.max_age_days,
        "owner_of_organization": key.owns_organization,
        "no_expiry": key.expires is None,
        "expired": False,
    }
    return [finding for finding in GRAVITY if holds[finding]]


def review(keys: list[Key], rules: ReviewKeys, now: float, unreadable: Sequence[Json] = ()) -> Json:
    """Return the report on keys."""
    judged = sorted(((key, findings(key, rules, now)) for key in keys), key=_gravity)
    counts = {finding: sum(finding in found for _, found in judged) for finding in GRAVITY}
    kinds: tuple[Kind, ...] = ("admin", "personal", "service_account")
    costs = [key.cost for key in keys if key.cost is not None]
    summary: Json = {
        "keys": len(keys),
        **{kind: sum(key.kind == kind for key in keys) for kind in kinds},
        "without_findings": sum(not found for _, found in judged),
        "cents_30d": cents(added(costs)) if costs else None,
        "findings": {finding: count for finding, count in counts.items() if count},
    }
    skip = rules.skip or 0
    shown, way_on = stretch([_row(key, found) for key, found in judged], skip, rules.top, rules.room)
    answer: Json = {"as_of": iso(now), "totals": summary, "keys": shown}
    if way_on:
        answer["more"] = f"{plural(len(judged) - skip - len(shown), 'more key')}; {way_on}"
    answer["unreadable"] = list(unreadable)
    return answer | {"text": _text(answer)}


def chosen(projects: Mapping[str, Json], asked: list[str] | None) -> list[Json]:
    """Return the projects that were asked for, by id or by name; all, where none were.

    Raises:
        InvalidInput: there is no such project, or more than one.

    """
    if not asked:
        return list(projects.values())
    found: dict[str, Json] = {}
    for each in asked:
        wanted = each.strip().casefold()
        fits = [projects[each]] if each in projects else [p for p in projects.values() if _name(p).casefold() == wanted]
        if len(fits) != 1:
            ids = ", ".join(str(project["id"]) for project in fits)
            near = nearest_to(each, [Named("project", str(p["id"]), _name(p)) for p in projects.values()])
            meant = f"; the nearest are {'; '.join(thing.label for thing in near)}" if near else ""
            none = f"is no active project's id or name{meant}"
            why = f"is the name of {len(fits)} projects: {ids}" if fits else none
            raise InvalidInput(
                f"projects: {label(each)!r} {why}.",
                param="projects",
                hint="Give ids as list_projects returns them, or leave projects out to review all.",
            )
        found[str(fits[0]["id"])] = fits[0]
    return list(found.values())


def totals(costs: Ledger) -> dict[str, Decimal]:
    """Return what each key cost."""
    return {name: amount for name, amount in costs.by_name().items() if name is not None}


def last_days(costs: Ledger) -> dict[str, date]:
    """Return the last day on which each key cost something."""
    days: dict[str, date] = {}
    for (name, day), amount in costs.amounts.items():
        if name is not None and amount > 0:
            days[name] = max(day, days.get(name, day))
    return days


async def _made(read: Callable[[], Awaitable[list[Json] | None]]) -> list[Json] | None:
    return await read()


async def _members(reader: Reader) -> list[Json] | None:
    return await reader.attempt("the organization's members", reader.all("list_users"))


async def _admin_keys(reader: Reader, *, wanted: bool) -> list[Json] | None:
    if not wanted:
        return None
    return await reader.attempt("admin keys", reader.all("list_admin_api_keys"))


async def _project_keys(reader: Reader, project: Json) -> tuple[list[Json], dict[str, Json] | None]:
    """Return a project's keys and, if any belongs to one, its service accounts."""
    given: dict[str, object] = {"project_id": project["id"]}
    where = named(project)
    keys = await reader.attempt(
        f"keys of {where}", reader.all("list_project_api_keys", owner_project_access="any", **given)
    )
    if not any(_is_of_account(key) for key in keys or ()):
        return keys or [], None
    accounts = await reader.attempt(
        f"service accounts of {where}", reader.all("list_project_service_accounts", **given)
    )
    return keys or [], None if accounts is None else by_id(accounts)


def _is_of_account(key: Json) -> bool:
    owner = part(key, "owner")
    return owner.get("type") == "service_account" or isinstance(owner.get("service_account"), dict)


def _gravity(judged: tuple[Key, list[Finding]]) -> tuple[int, Decimal, str]:
    key, found = judged
    order = list(GRAVITY)
    return (order.index(found[0]) if found else len(order), -(key.cost or ZERO), key.id)


def _row(key: Key, found: list[Finding]) -> Json:
    row: Json = {
        "id": key.id,
        "name": key.name,
        "kind": key.kind,
        "project_id": key.project_id,
        "project": key.project,
        "owner_id": key.owner_id,
        "owner": key.owner,
        "owner_state": key.owner_state,
        "created": _day(day_of(key.created)),
        "last_used": _day(key.last_day),
        "expires": _day(day_of(key.expires)),
        "cents_30d": None if key.cost is None else cents(key.cost),
        "findings": found,
    }
    return {name: value for name, value in row.items() if value not in (None, [])}


def _text(answer: Json) -> str:
    total, counts = answer["totals"], answer["totals"]["findings"]
    kinds = f"{total['admin']} admin, {total['personal']} personal, {total['service_account']} of service accounts"
    cost = "cost unreadable" if total["cents_30d"] is None else f"{in_dollars(total['cents_30d'])} in 30 days"
    lines = [f"{plural(total['keys'], 'key')}: {kinds}; {cost}."]
    lines += ["; ".join(f"{GRAVITY[finding]}: {count}" for finding, count in counts.items())] if counts else []
    rows = [
        (
            row["name"],
            row.get("project", "(admin)"),
            row["owner"],
            row.get("last_used", "never"),
            in_dollars(row["cents_30d"]) if "cents_30d" in row else None,
            ", ".join(GRAVITY[finding] for finding in row.get("findings", ())) or None,
            label(row["id"]),
        )
        for row in answer["keys"]
    ]
    lines += [table(("key", "project", "owner", "last used", "30 days", "findings", "id"), rows)] if rows else []
    lines += [answer["more"]] if "more" in answer else []
    return "\n".join([*lines, *unread_line(answer["unreadable"])])


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _name(project: Json) -> str:
    return project["name"].strip() if isinstance(project.get("name"), str) else ""

"""What stands out in who has access: outsiders, people who are gone quiet, owners, invites, powerful accounts. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.access import Access, Way
from admin_mcp.jobs.access_words import group_name, name_of, project_name
from admin_mcp.jobs.answers import first_of, inner, said

DAY = 24 * 60 * 60
_MANY_OWNERS = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is looked at, and after how many days without use somebody counts as inactive."""

    seconds: float
    inactive_days: int


def main_domain(people: Iterable[Mapping[str, object]]) -> str:
    """Return the domain that most e-mail addresses have, or nothing where none has one."""
    common = Counter(domain for person in people if (domain := domain_of(person))).most_common(1)
    return common[0][0] if common else ""


def domain_of(person: Mapping[str, object]) -> str:
    """Return the domain of a person's e-mail address."""
    return said(person, "email").rpartition("@")[2].casefold()


def last_used(person: Mapping[str, object]) -> int | None:
    """Return when a key of a person was last used, which is all that the API tells of what people do."""
    value = person.get("api_key_last_used_at")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_inactive(person: Mapping[str, object], at: Moment) -> bool:
    """Whether a person used a key once, and has not for long."""
    used = last_used(person)
    return used is not None and at.seconds - used > at.inactive_days * DAY


def never_active(person: Mapping[str, object], at: Moment) -> bool:
    """Whether a person has been there for long and has never used a key. Whose row has no dates is not judged."""
    added = person.get("added_at")
    return last_used(person) is None and isinstance(added, int) and at.seconds - added > at.inactive_days * DAY


def quiet(person: Mapping[str, object], at: Moment) -> str | None:
    """Return which of the two findings about use a person is among, since a finding names only the first of them."""
    return "inactive" if is_inactive(person, at) else "never_active" if never_active(person, at) else None


def is_disabled(person: Mapping[str, object]) -> bool:
    """Whether a person's account can't be used although they are still a member."""
    account = inner(person, "user")
    return account.get("enabled") is False or account.get("banned") is True


def owners(ways: Iterable[Way]) -> list[str]:
    """Return the ids of everybody who owns the organization, through whatever."""
    return [*dict.fromkeys(way.holder for way in ways if way.kind == "person" and way.role.owns_organization)]


def about_people(access: Access, people: Sequence[str], at: Moment) -> Iterator[Json]:
    """Yield what stands out about these people; outsiders are told by everybody's addresses."""
    rows = [(person, access.people[person]) for person in people if person in access.people]
    domain = main_domain(access.people.values())
    days = at.inactive_days
    tests: tuple[tuple[str, str, Callable[[Json], bool]], ...] = (
        ("outside_domain", f"outside {domain}", lambda row: bool(domain_of(row)) and domain_of(row) != domain),
        ("disabled", "disabled or banned, and still a member", is_disabled),
        ("inactive", f"no key used for {days} days", lambda row: is_inactive(row, at)),
        ("never_active", f"member for over {days} days, never used a key", lambda row: never_active(row, at)),
    )
    for kind, words, holds in tests:
        # Addresses show what is wrong with an outsider; elsewhere names are shorter.
        called = [
            said(row, "email") if kind == "outside_domain" else name_of(access, key) for key, row in rows if holds(row)
        ]
        if called:
            yield _finding(kind, words, called)


def about_organization(
    access: Access, ways: Sequence[Way], invites: Sequence[Json], now: float, *, complete: bool
) -> Iterator[Json]:
    """Yield what stands out about owners, service accounts, invites and projects.

    That nobody owns a project can't be said unless everything could be read (``complete``).
    """
    found = owners(ways)
    if found and (len(found) == 1 or len(found) > _MANY_OWNERS):
        words = "the only owner of the organization" if len(found) == 1 else "owners of the organization"
        yield _finding("owners", words, [name_of(access, person) for person in found])
    through = [
        f"{name_of(access, way.holder)} by {group_name(access, way.group)}" for way in ways if _owns_by_group(way)
    ]
    yield from _some("owner_through_group", "owner of the organization only by a group or by one as well", through)
    powerful = [way for way in ways if way.kind == "service_account" and way.role.owns_project]
    named = [f"{name_of(access, way.holder)} in {project_name(access, way.role.project)}" for way in powerful]
    yield from _some("service_account_owner", "service account that owns its project", named)
    pending, late = invites_by_state(invites, now)
    yield from _some("invite_pending", "invited, not accepted yet", [said(row, "email") for row in pending])
    yield from _some("invite_expired", "invite expired unaccepted", [said(row, "email") for row in late])
    if complete:
        owned = {way.role.project for way in ways if way.role.owns_project and way.kind == "person"}
        ownerless = [project_name(access, project) for project in access.projects if project not in owned]
        yield from _some("project_without_owner", "project without an owner of its own", ownerless)


def invites_by_state(invites: Sequence[Json], now: float) -> tuple[list[Json], list[Json]]:
    """Return the invites that wait, and those that were not accepted in time."""
    pending: list[Json] = []
    late: list[Json] = []
    for row in invites:
        ends = row.get("expires_at")
        over = row.get("status") == "expired" or (isinstance(ends, int) and ends <= now)
        if row.get("status") in {"pending", "expired"}:
            (late if over else pending).append(row)
    return pending, late


def _owns_by_group(way: Way) -> bool:
    return way.role.owns_organization and bool(way.group)


def _some(kind: str, words: str, called: Sequence[str]) -> Iterator[Json]:
    if called:
        yield _finding(kind, words, called)


def _finding(kind: str, words: str, called: Sequence[str]) -> Json:
    return {"kind": kind, "count": len(called), "says": words, "who": first_of(called)}

"""Two exports beside each other: who gained or lost what, and which audit event of the later one explains it. Pure.

An event explains a change if its type can cause such a change and it names the things that were changed. That it did so
is for a person to judge; a change without any such event is unexplained.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.answers import inner, listed, said
from admin_mcp.jobs.periods import iso

Rows = Mapping[str, Sequence[Json]]
Way = Literal["gained", "lost"]

_SLACK_SECONDS: Final = 60
"""An export takes a while, and the clocks differ."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that somebody or something has. ``kind`` is the file it comes from."""

    kind: str
    holder: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Which events can cause a fact of one kind to appear or to go, and what they must name of it."""

    gained: str
    lost: str
    named: tuple[Literal["holder", "where", "what"], ...]


_ROLE = "(tenant\\.)?(resource_)?role(_|\\.)assignment"
_NEVER: Final = r"(?!)"
RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "users": (
        Rule(r"(tenant\.)?user\.(added|updated)", r"(tenant\.)?user\.(deleted|removed|updated)", ("holder",)),
        Rule(r"invite\.accepted|tenant\.membership\.accepted", r"tenant\.membership\.revoked", ("holder",)),
        Rule(rf"{_ROLE}\.created", rf"{_ROLE}\.deleted", ("holder",)),
    ),
    "user_roles": (
        Rule(rf"{_ROLE}\.created", rf"{_ROLE}\.deleted", ("holder",)),
        Rule(r"(tenant\.)?user\.(added|updated)", r"(tenant\.)?user\.(deleted|removed|updated)", ("holder",)),
        Rule(_NEVER, r"(tenant\.custom_)?role\.deleted", ("what",)),
        Rule(r"invite\.accepted", _NEVER, ("holder",)),
    ),
    "group_users": (
        Rule(
            r"tenant\.group\.member\.added|group\.updated",
            r"tenant\.group\.member\.removed|group\.updated",
            ("holder",),
        ),
        Rule(r"(tenant\.)?group\.(created|updated)", r"(tenant\.)?group\.(deleted|updated)", ("where",)),
        Rule(r"(tenant\.)?user\.added", r"(tenant\.)?user\.(deleted|removed)", ("holder",)),
    ),
    "group_roles": (
        Rule(rf"{_ROLE}\.created", rf"{_ROLE}\.deleted", ("holder",)),
        Rule(r"(tenant\.)?group\.created", r"(tenant\.)?(group|custom_role)\.deleted", ("holder",)),
    ),
    "project_users": (
        Rule(r"user\.(added|updated)|project\.created", r"user\.(deleted|updated)", ("holder", "where")),
        Rule(r"project\.created", r"project\.(archived|deleted)", ("where",)),
        Rule(r"invite\.accepted", r"(tenant\.)?user\.(deleted|removed)", ("holder",)),
        Rule(rf"{_ROLE}\.created", rf"{_ROLE}\.deleted", ("holder", "where")),
    ),
    "project_user_roles": (
        Rule(rf"{_ROLE}\.created", rf"{_ROLE}\.deleted", ("holder", "where")),
        Rule(r"user\.(added|updated)", r"user\.(deleted|updated)", ("holder", "where")),
        Rule(r"project\.created", r"project\.(archived|deleted)", ("where",)),
        Rule(r"invite\.accepted", r"(tenant\.)?user\.(deleted|removed)", ("holder",)),
    ),
    "project_groups": (
        Rule(r"project\.(created|updated)", r"project\.(updated|archived|deleted)", ("where",)),
        Rule(rf"{_ROLE}\.created", rf"{_ROLE}\.deleted|(tenant\.)?group\.deleted", ("holder",)),
    ),
    "project_group_roles": (
        Rule(rf"{_ROLE}\.created", rf"{_ROLE}\.deleted|(tenant\.)?group\.deleted", ("holder",)),
        Rule(r"project\.(created|updated)", r"project\.(updated|archived|deleted)", ("where",)),
    ),
    "project_service_accounts": (
        Rule(r"service_account\.(created|updated)", r"(tenant\.)?service_account\.(deleted|updated)", ("holder",)),
        Rule(r"project\.created", r"project\.(archived|deleted)", ("where",)),
    ),
    "project_api_keys": (
        Rule(r"(tenant\.project_)?api_key\.(created|updated)", r"api_key\.(deleted|updated)", ("holder",)),
        Rule(r"service_account\.created", r"(tenant\.)?service_account\.deleted", ("what",)),
        Rule(r"project\.created", r"project\.(archived|deleted)", ("where",)),
    ),
    "admin_api_keys": (
        Rule(
            r"(tenant\.admin_)?api_key\.(created|updated)", r"(tenant\.admin_)?api_key\.(deleted|updated)", ("holder",)
        ),
    ),
}
"""By the file that a fact comes from."""

SAID: Final = {
    "users": "organization membership",
    "user_roles": "role",
    "group_users": "group membership",
    "group_roles": "role of a group",
    "project_users": "project membership",
    "project_user_roles": "project role",
    "project_groups": "project group",
    "project_group_roles": "project role of a group",
    "project_service_accounts": "service account",
    "project_api_keys": "API key",
    "admin_api_keys": "admin API key",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that only one of the two exports has, and the events that may have caused it, the first first."""

    way: Way
    fact: Fact
    events: tuple[Json, ...]


def facts(rows: Rows) -> set[Fact]:
    """Return what everybody has in one export."""
    return {fact for kind in RULES for row in rows[kind] if (fact := _fact(kind, row)).holder}


_HOLDER: Final = {
    "user_roles": "user_id",
    "group_roles": "group_id",
    "project_user_roles": "user_id",
    "project_groups": "group_id",
    "project_group_roles": "group_id",
}
"""Where a row has the id of who holds what it is about; elsewhere it is the row's own."""

_WHAT: Final = {
    "users": "role",
    "project_users": "role",
    "project_service_accounts": "role",
    "user_roles": "id",
    "group_roles": "id",
    "project_user_roles": "id",
    "project_group_roles": "id",
}
"""Where a row has what is held."""


def _fact(kind: str, row: Json) -> Fact:
    where = said(row, "group_id" if kind == "group_users" else "project_id")
    what = _owner(row) if kind.endswith("api_keys") else said(row, _WHAT[kind]) if kind in _WHAT else ""
    return Fact(kind, said(row, _HOLDER.get(kind, "id")), where, what)


def _owner(key: Json) -> str:
    """Return the id of who a key belongs to."""
    owner = inner(key, "owner")
    return said(inner(owner, "user") or inner(owner, "service_account") or owner, "id")


def compared(before: Rows, after: Rows, made: int, unread: Iterable[tuple[str, str]] = ()) -> list[Change]:
    """Return what was gained and lost since ``made``. What could not be read in either export is left out."""
    skipped = set(unread)
    old, new = facts(before), facts(after)
    events = [event for event in after["audit_events"] if _at(event) >= made - _SLACK_SECONDS]
    events.sort(key=_at)
    mentions = [(event, frozenset(_mentions(event))) for event in events]
    emails = {said(row, "id"): said(row, "email") for rows in (before, after) for row in rows["users"]}
    sets: tuple[tuple[Way, set[Fact]], ...] = (("gained", new - old), ("lost", old - new))
    return [
        Change(way, fact, tuple(_explaining(way, fact, mentions, emails)))
        for way, found in sets
        for fact in sorted(found, key=_order)
        if not _is_skipped(fact, skipped)
    ]


def _order(fact: Fact) -> tuple[int, str, str, str]:
    return ([*RULES].index(fact.kind), fact.holder, fact.where, fact.what)


def _is_skipped(fact: Fact, skipped: set[tuple[str, str]]) -> bool:
    parts = ("", fact.where, fact.holder, f"{fact.where}/{fact.holder}")
    return any((fact.kind, of) in skipped for of in parts)


def _explaining(
    way: Way, fact: Fact, mentions: Sequence[tuple[Json, frozenset[str]]], emails: Mapping[str, str]
) -> Iterator[Json]:
    for event, named in mentions:
        kind = said(event, "type")
        causes = (
            rule for rule in RULES[fact.kind] if re.fullmatch(rule.gained if way == "gained" else rule.lost, kind)
        )
        if any(_names(rule, fact, named, emails) for rule in causes):
            yield event


def _names(rule: Rule, fact: Fact, named: frozenset[str], emails: Mapping[str, str]) -> bool:
    """Whether an event names all that it must of a fact; a person goes by their address as well."""
    for part in rule.named:
        value = getattr(fact, part)
        also = emails.get(value, "") if part == "holder" else ""
        if not value or not (value in named or (also and also in named)):
            return False
    return True


def _at(event: Json) -> int:
    value = event.get("effective_at")
    return value if isinstance(value, int) else 0


_OF_ACTOR: Final = frozenset({"id", "actor", "actor_id", "actor_email", "type", "event_type"})


_ACCEPTED: Final = ".accepted"
"""Whoever accepts an invite is the one who joins, so there the actor counts."""


def _mentions(event: Json) -> Iterator[str]:
    """Yield every text in an event but what is about its actor."""
    accepted = said(event, "type").endswith(_ACCEPTED)
    for name, value in event.items():
        if name not in _OF_ACTOR or (accepted and name == "actor"):
            yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON of any shape
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            left += each.values()
        elif isinstance(each, list):
            left += each


def actor_of(event: Json) -> str:
    """Return who caused an event, as its entry names them."""
    actor = inner(event, "actor")
    session, key = inner(actor, "session"), inner(actor, "api_key")
    user = inner(session, "user") or inner(key, "user") or inner(key, "service_account")
    return said(user, "email") or said(user, "id") or said(key, "id") or "unknown"


def names(before: Rows, after: Rows) -> dict[str, str]:
    """Return what the ids in two exports are called; the later one has the last word."""
    found: dict[str, str] = {}
    kinds = ("users", "groups", "roles", "projects", "project_roles", "project_service_accounts", "project_api_keys")
    for rows in (before, after):
        for kind in (*kinds, "admin_api_keys"):
            for row in rows[kind]:
                if item := said(row, "id"):
                    found[item] = said(row, "name") or said(row, "email") or found.get(item, item)
    return found


def as_object(change: Change, called: Mapping[str, str]) -> Json:
    """Return a change for a JSON file, and for the lines of a text."""
    fact = change.fact
    first = change.events[0] if change.events else None
    return {
        "change": change.way,
        "what": SAID[fact.kind],
        "owner": fact.what == "owner" or called.get(fact.what) == "owner",
        "holder_id": fact.holder,
        "holder": called.get(fact.holder, fact.holder),
        **({"where_id": fact.where, "where": called.get(fact.where, fact.where)} if fact.where else {}),
        **({"of": called.get(fact.what, fact.what)} if fact.what else {}),
        "explained": first is not None,
        **(
            {"event": said(first, "type"), "event_id": said(first, "id"), "at": iso(_at(first)), "by": actor_of(first)}
            if first
            else {}
        ),
        **({"more_events": len(change.events) - 1} if len(change.events) > 1 else {}),
    }


def unread_of(manifest: Json) -> list[tuple[str, str]]:
    """Return what an export could not read: the kind, and inside what."""
    return [(said(each, "kind"), said(each, "of")) for each in listed(manifest, "unreadable") if isinstance(each, dict)]

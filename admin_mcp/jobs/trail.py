"""Audit log entries as a story: who did what to whom, from where, grouped. Pure.

Entries may lack anything but their time and type, and may be of types that are not documented yet.
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from admin_mcp.catalog.audit_logs import EventType
from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.listed import part
from admin_mcp.jobs.periods import iso
from admin_mcp.jobs.tables import label, plural

Concern = Literal["sign-in", "keys", "access", "data", "network", "certificates"]

KNOWN: Final[tuple[str, ...]] = get_args(EventType)

_CONCERNS: Final[tuple[tuple[str, Concern], ...]] = (
    (r"(login|logout)\.failed", "sign-in"),
    (r"(tenant\.)?(sso|session|principal_authentication|policy|chatgpt_access_token).*", "sign-in"),
    (r".*(api_key|external_key|token\.revoked|access_token).*", "keys"),
    (r".*(retention|external_storage).*|organization\.updated", "data"),
    (r".*(ip_allowlist|tunnel).*", "network"),
    (r".*certificate.*", "certificates"),
    (r".*(role|scim|workload_identity|service_account|permission|resource_access|resource_share).*", "access"),
    (r"(tenant\.)?(user|membership|group\.member)\.?.*(added|updated|deleted|removed|revoked)", "access"),
)
"""Which events an auditor looks at first, and why; the first that fits. Retention is a setting of the organization."""

_SAME_WORD: Final[dict[str, tuple[str, ...]]] = {
    "delete": ("deleted", "removed", "archived", "revoked"),
    "remove": ("deleted", "removed", "archived", "revoked"),
    "archive": ("archived",),
    "revoke": ("revoked", "deleted"),
    "create": ("created", "added", "registered", "sent"),
    "add": ("created", "added", "registered"),
    "change": ("updated",),
    "update": ("updated",),
    "key": ("api_key", "external_key"),
    "login": ("login",),
    "sign": ("login", "logout"),
    "owner": ("user.updated", "user.added", "role.assignment"),
    "member": ("user", "member"),
    "retention": ("organization.updated", "project.updated"),
}
"""What an admin says, and the parts of event types that mean it."""

_FILLERS: Final = frozenset(
    ["a", "all", "an", "and", "any", "by", "did", "event", "events", "from", "in", "of", "or", "the", "what", "who"]
)
_MOST_TARGETS: Final = 3
_MOST_FINDINGS: Final = 6
_SENSITIVE: Final = "sensitive"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that was acted on."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """One entry. ``who`` is the id of a person or service account, ``key`` of the API key that was used."""

    id: str
    type: str
    at: int
    who: str | None
    email: str | None
    key: str | None
    ip: str | None
    targets: tuple[Target, ...]
    project: Target | None
    detail: str | None
    concern: Concern | None


def concern_of(event_type: str) -> Concern | None:
    """Return why an auditor looks at this type of event first, or None."""
    return next((concern for pattern, concern in _CONCERNS if re.fullmatch(pattern, event_type)), None)


def sensitive_types() -> list[str]:
    """Return the documented types that an auditor looks at first."""
    return [name for name in KNOWN if concern_of(name)]


def matching_types(what: str) -> list[str]:
    """Return the documented types that words mean: one of them, part of them, or an action such as ``deleted``."""
    wanted = what.strip().casefold()
    if wanted == _SENSITIVE:
        return sensitive_types()
    if wanted in KNOWN:
        return [wanted]
    words = [word for word in re.split(r"[^a-z0-9_.]+", wanted) if word and word not in _FILLERS]
    return [name for name in KNOWN if words and all(_means(word, name) for word in words)]


def nearest_types(what: str) -> list[str]:
    """Return documented types that look like a misspelt one."""
    return difflib.get_close_matches(what.strip().casefold(), KNOWN, n=3, cutoff=0.5)


def events(entries: Iterable[Json]) -> list[Event]:
    """Return the entries that have a time and a type, each once, the newest first."""
    found = {event.id: event for entry in entries if (event := _event(entry))}
    return sorted(found.values(), key=lambda event: (-event.at, event.id))


def strange(entries: Iterable[Json]) -> list[str]:
    """Return a sentence on entries that can't be told, if any."""
    count = sum(_event(entry) is None for entry in entries)
    return [f"{plural(count, 'entry', 'entries')} without a time or a type left out."] if count else []


def names_in(found: Iterable[Event]) -> dict[str, str]:
    """Return the names that the log itself tells, the newest of each thing."""
    names: dict[str, str] = {}
    for event in found:
        for target in (*event.targets, *([event.project] if event.project else [])):
            if target.name:
                names.setdefault(target.id, target.name)
        if event.who and event.email:
            names.setdefault(event.who, event.email)
    return names


def story(found: Sequence[Event], names: Mapping[str, str]) -> list[Json]:
    """Return a row for all that one actor did of one kind from one place: what concerns an auditor first."""
    groups: dict[tuple[str, ...], list[Event]] = {}
    for event in found:
        key = (event.type, event.who or "", event.key or "", event.ip or "", event.concern or "")
        groups.setdefault(key, []).append(event)
    ordered = sorted(groups.values(), key=lambda group: (group[0].concern is None, -group[0].at, group[0].id))
    return [_row(group, names) for group in ordered]


def counts(found: Sequence[Event]) -> Json:
    """Return the totals of a log."""
    return {
        "events": len(found),
        "sensitive": sum(event.concern is not None for event in found),
        "actors": len({event.who or event.key for event in found} - {None}),
        "addresses": len({event.ip for event in found} - {None}),
    }


def findings(found: Sequence[Event], names: Mapping[str, str]) -> list[str]:
    """Return what should not be missed, as sentences."""
    said = []
    failed = Counter(event.ip or "an unknown address" for event in found if event.type == "login.failed")
    for address, count in failed.most_common(3):
        said.append(f"{count} failed login{'s' * (count != 1)} from {address}.")
    for event in found:
        if event.detail == "role owner":
            whom = ", ".join(_called(target, names) for target in event.targets) or "someone"
            where = f" in {_called(event.project, names)}" if event.project else ""
            said.append(f"{whom} was made owner{where} on {iso(event.at)} by {_actor(event, names)}.")
    if unknown := sorted({event.type for event in found} - set(KNOWN)):
        said.append(f"Types of event that are not documented: {', '.join(map(label, unknown[:3]))}.")
    return list(dict.fromkeys(said))[:_MOST_FINDINGS]


def _row(group: Sequence[Event], names: Mapping[str, str]) -> Json:
    first = group[0]
    targets = {target.id: target for event in group for target in event.targets}
    projects = {event.project.id: event.project for event in group if event.project}
    details = {event.detail for event in group if event.detail}
    row: Json = {
        "what": label(first.type),
        "concern": first.concern,
        "count": len(group),
        "who_id": first.who,
        "who": _actor(first, names),
        "key_id": first.key,
        "ip": first.ip,
        "targets": [{"id": each.id, "name": _called(each, names)} for each in list(targets.values())[:_MOST_TARGETS]],
        "more_targets": max(len(targets) - _MOST_TARGETS, 0) or None,
        "project": _called(next(iter(projects.values())), names) if len(projects) == 1 else None,
        "detail": ", ".join(sorted(details)) or None,
        "first": iso(group[-1].at),
        "last": iso(first.at) if first.at // 60 > group[-1].at // 60 else None,
    }
    return {name: value for name, value in row.items() if value not in (None, [])}


def _called(target: Target, names: Mapping[str, str]) -> str:
    return label(names.get(target.id)) or target.name or label(target.id)


def _actor(event: Event, names: Mapping[str, str]) -> str:
    return label(names.get(event.who or "")) or label(event.email) or label(event.who or event.key, "(unknown)")


def _event(entry: Json) -> Event | None:
    kind, at = entry.get("type"), entry.get("effective_at")
    if not isinstance(kind, str) or not isinstance(at, int) or iso(at) is None:
        return None
    actor = part(entry, "actor")
    session, key = part(actor, "session"), part(actor, "api_key")
    user = part(session, "user") or part(key, "user") or part(key, "service_account")
    payload = part(entry, kind)
    detail = _detail(payload)
    return Event(
        id=_text(entry.get("id")) or f"{kind}/{at}",
        type=kind,
        at=at,
        who=_text(user.get("id")),
        email=_text(user.get("email")),
        key=_text(key.get("id")),
        ip=label(session.get("ip_address")) or label(actor.get("ip_address")) or None,
        targets=tuple(_targets(payload)),
        project=_target(part(entry, "project")),
        detail=detail,
        concern=concern_of(kind) or ("data" if detail and "retention" in detail else None),
    )


def _targets(payload: Json) -> list[Target]:
    """Return what an event's payload says was acted on: who got a role, rather than the role's assignment."""
    if (principal := _text(payload.get("principal_id"))) is not None:
        return [Target(principal, "")]
    listed = payload.get("certificates") or payload.get("configs")
    if isinstance(listed, list):
        return [target for each in listed if isinstance(each, dict) and (target := _target(each))]
    return [target] if (target := _target(payload)) else []


def _target(thing: Json) -> Target | None:
    item = _text(thing.get("id"))
    if item is None:
        return None
    places = (thing, part(thing, "data"), part(thing, "changes_requested"))
    fields = ("name", "title", "role_name", "group_name", "email")
    names = (label(place.get(field)) for place in places for field in fields)
    return Target(item, next((name for name in names if name), ""))


def _detail(payload: Json) -> str | None:
    """Return the role that was given, or which settings of retention were asked to change."""
    asked = {**part(payload, "data"), **part(payload, "changes_requested")}
    if role := label(asked.get("role")):
        return f"role {role}"
    settings = sorted(label(name) for name in asked if "retention" in name)
    return ", ".join(settings) or None


def _means(word: str, event_type: str) -> bool:
    stem = word.rstrip("s") if len(word) > 3 else word  # noqa: PLR2004 - "keys", but not "sso"
    for said, parts in _SAME_WORD.items():
        if stem in {said, f"{said}d", f"{said}ed", f"{said}al", f"{said.rstrip('e')}ion", f"{said.rstrip('e')}ing"}:
            return any(part in event_type for part in parts)
    return stem in event_type


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None

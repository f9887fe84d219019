"""What a person is shown before a change: built from the very request and from what the API says is there now. Pure.

Everything a preview read is also what the re-check compares, so an approval covers exactly what the person saw.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from admin_mcp.catalog import Catalog
from admin_mcp.endpoint import Effect, Endpoint, Spec
from admin_mcp.gate.text import visible
from admin_mcp.request import WireRequest
from admin_mcp.tool import Json

Missing = Literal["absent", "unreadable"]
"""Why there is no object: the API has none (404), or the key may not see it (403)."""

Found = Json | Missing

LONGEST_BODY = 20_000
"""Characters of a request body that a person can be asked to judge. They are shown whole; a longer one is refused."""

_LONGEST_VALUE = 2000
_NAME_KEYS = ("name", "group_name", "email", "redacted_value")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the preview's reads answered.

    ``state`` is the thing to be changed, None where there is nothing to read; ``own`` is the id field that names it.
    ``names`` has, by id field, the other things the request names. ``affected`` has, by kind, how many things go or
    lose something with it, in words; it is shown and never compared, because it blocks nothing.
    """

    state: Found | None
    own: str | None
    names: Mapping[str, Found]
    affected: Mapping[str, str] = field(default_factory=dict)


class Change(BaseModel):
    """One field of a request's body: the present value, where it was read, and the new one. Ready to be shown."""

    model_config = ConfigDict(frozen=True)

    before: str | None
    after: str


class Preview(BaseModel):
    """A change, ready to be shown: all of it is plain text that can neither hide nor reorder anything.

    ``things`` are the things named, and what is there now, by label; ``changes`` the fields set, by name; ``typed`` the
    texts of which one must be typed, if any. ``target`` is the system; ``request`` the request line and body.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    effect: Effect
    things: dict[str, str]
    changes: dict[str, Change]
    affected: dict[str, str]
    undo: str
    target: str
    request: str
    typed: tuple[str, ...]

    @property
    def heading(self) -> str:
        """What is to be done, and what kind of change that is."""
        return f"{self.title} — {EFFECTS[self.effect]}"

    @property
    def facts(self) -> dict[str, str]:
        """What was read or is to be set, by label: what the re-check compares."""
        return {**self.things, **{f"Set {name}": _arrow(change) for name, change in self.changes.items()}}

    @property
    def drift(self) -> str:
        """The digest of ``facts``."""
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode()).hexdigest()

    @property
    def lines(self) -> tuple[str, ...]:
        """The whole preview as lines, most important first."""
        return (
            self.heading,
            *(f"{label}: {value}" for label, value in self.facts.items()),
            *(f"Affects {kind}: {count}" for kind, count in self.affected.items()),
            f"Undo: {self.undo}",
            f"In: {self.target}",
            f"Request: {self.request}",
        )

    @property
    def text(self) -> str:
        """The whole preview as text."""
        return "\n".join(self.lines)


def _arrow(change: Change) -> str:
    return change.after if change.before is None else f"{change.before} -> {change.after}"


IMPOSSIBLE = "not possible"
"""How a change can be undone that can't be."""


def build_preview(call: Endpoint, wire: WireRequest, seen: Seen, *, catalog: Catalog, target: str) -> Preview:
    """Put together what a person needs to decide."""
    spec = type(call).SPEC
    return Preview(
        title=spec.title,
        effect=spec.effect,
        things=dict(_things(call, seen)),
        changes=dict(_changes(call, seen)),
        affected=dict(seen.affected),
        undo=_undo(spec, catalog),
        target=target,
        request=f"{wire.method} {wire.target}" + (f" {visible(wire.body, LONGEST_BODY)}" if wire.body else ""),
        typed=_typed(call, seen),
    )


EFFECTS: dict[Effect, str] = {
    "read": "changes nothing",
    "create": "creates something new",
    "update": "changes something that exists",
    "grant": "gives access",
    "destroy": "takes something away",
}


def _things(call: Endpoint, seen: Seen) -> Iterator[tuple[str, str]]:
    """Yield label and description of each thing the request names by id."""
    spec = type(call).SPEC
    for name, value in _given_ids(call, seen):
        found = seen.state if name == seen.own else seen.names.get(name)
        yield _label(name), _described(value, found)
    if spec.effect == "destroy" and isinstance(seen.state, dict):
        for key, value in seen.state.items():
            if isinstance(value, str | int | list) and key not in _UNSHOWN and not key.endswith("_at"):
                yield f"Now: {key}", _value(key, value)
    elif spec.effect == "grant" and seen.state is not None and seen.own is None:
        yield "Now", _PRESENCE[seen.state if isinstance(seen.state, str) else "present"]


def _label(name: str) -> str:
    if listed := re.fullmatch(r"(\w+)s\[(\d+)\]", name):
        return f"{_label(listed[1])} {int(listed[2]) + 1}"
    words = name.removesuffix("_id").replace("_", " ")
    return (words[:1].upper() + words[1:]).replace("Api ", "API ")


_LESSER_ROLES = frozenset({"member", "reader", "none"})

_PRESENCE = {"absent": "not there yet", "unreadable": "unreadable with this key", "present": "already there"}
_UNSHOWN = frozenset({"id", "object", "created", *_NAME_KEYS})


def _given_ids(call: Endpoint, seen: Seen) -> Iterator[tuple[str, str]]:
    spec = type(call).SPEC
    for name in type(call).model_fields:
        if name in spec.path_fields or name in seen.names:
            yield name, str(getattr(call, name))
        elif f"{name}[0]" in seen.names:
            yield from ((f"{name}[{number}]", value) for number, value in enumerate(getattr(call, name)))


def _described(value: str, found: Found | None) -> str:
    if found == "unreadable":
        return f"{value} (its name is unreadable with this key)"
    if found == "absent":
        return f"{value} (not found)"
    name = _name(found) if found else None
    return f"{_quoted(name)} ({value})" if name else value


def _changes(call: Endpoint, seen: Seen) -> Iterator[tuple[str, Change]]:
    """Yield, for each field of the body, its value before and after."""
    spec = type(call).SPEC
    body = call.model_dump(mode="json", exclude_unset=True, exclude=set(spec.path_fields))
    for name, value in body.items():
        if name in seen.names:
            continue
        after = _value(name, value, LONGEST_BODY)
        # Only an update changes what was read; an action's state is its parent, whose fields have the same names.
        before = _before(name, seen.state) if spec.effect == "update" else None
        yield name, Change(before=_value(name, before[0]) if before else None, after=after)


def _before(name: str, state: Found | None) -> tuple[object] | None:
    """Find a body field's present value. Some are named after their resource: ``role_name`` is a role's ``name``."""
    if not isinstance(state, dict):
        return None
    short = name.rpartition("_")[2]
    for key in (name, short):
        if key in state and key != "id":
            return (state[key],)
    return None


def _value(name: str, value: object, longest: int = _LONGEST_VALUE) -> str:
    if isinstance(value, str):
        return _quoted(value, longest)
    shown = visible(json.dumps(value, ensure_ascii=False), longest)
    return f"{shown} US cents ({value / 100:.2f} USD)" if name.endswith("amount") and isinstance(value, int) else shown


def _quoted(text: str, longest: int = _LONGEST_VALUE) -> str:
    return f"“{visible(text, longest)}”"


def _name(found: Found) -> str | None:
    """Return the name a person knows the thing by."""
    if not isinstance(found, dict):
        return None
    nested = found.get("user")
    for source in (found, nested if isinstance(nested, dict) else {}):
        for key in _NAME_KEYS:
            if isinstance(name := source.get(key), str) and name:
                return name
    return None


def _undo(spec: Spec, catalog: Catalog) -> str:
    """Say whether the change can be undone, and by which tool."""
    if spec.undo:
        return f"with {spec.undo}"
    if spec.effect == "update":
        return "by setting the old values again"
    if spec.effect == "destroy":
        maker = catalog.find(f"POST {spec.path.rpartition('/')[0]}")
        restores = (
            maker and maker.SPEC.effect == "grant" and spec.path_fields and spec.path_fields[-1] in maker.model_fields
        )
        return f"with {maker.SPEC.name}" if maker and restores else IMPOSSIBLE
    removals = (
        name
        for name in catalog.endpoints
        if name.startswith("DELETE ") and name.rpartition("/")[0] == f"DELETE {spec.path}"
    )
    remover = catalog.find(next(removals, ""))
    return f"with {remover.SPEC.name}" if remover else IMPOSSIBLE


def _typed(call: Endpoint, seen: Seen) -> tuple[str, ...]:
    """Return the texts of which a person must type one, or nothing where choosing is enough."""
    spec = type(call).SPEC
    body = call.model_dump(mode="json", exclude_unset=True, exclude=set(spec.path_fields))
    named = {name: value for name, value in body.items() if name not in seen.names}
    if not (spec.effect == "destroy" or spec.sensitive or spec.secret or _makes_owner(named) or _assigns_owner(seen)):
        return ()
    if spec.path_fields:
        last = spec.path_fields[-1]
        value = str(getattr(call, last))
        found = seen.state if last == seen.own else seen.names.get(last)
        name = _name(found) if found else None
        typeable = name and name.strip() == name == visible(name)
        return (name, value) if name and typeable else (value,)
    argument = body.get("name") or body.get("email")
    return (argument,) if isinstance(argument, str) else ("organization",)


def _assigns_owner(seen: Seen) -> bool:
    """Whether the request names a role that is called owner, or one that can't be told to be another."""
    roles = [found for name, found in seen.names.items() if name in {"role", "role_id"}]
    return any((_name(found) or "owner").casefold() == "owner" for found in roles)


def _makes_owner(body: object) -> bool:
    """Whether a body hands out the owner role, at any depth."""
    if isinstance(body, dict):
        return any(_is_owner(key, value) or _makes_owner(value) for key, value in body.items())
    return isinstance(body, list) and any(_makes_owner(item) for item in body)


def _is_owner(key: str, value: object) -> bool:
    """Whether a field hands out the owner role, or one that isn't known to be less."""
    return key == "role" and isinstance(value, str) and value.casefold() not in _LESSER_ROLES

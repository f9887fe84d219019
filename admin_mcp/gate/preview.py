"""What a person is shown before a change: built from the very request and from what the API says is there now. Pure.

Everything a preview shows is also what the re-check compares, but for what differs at every look, such as when a key
was last used. So an approval covers exactly what the person saw.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import assert_never

from pydantic import BaseModel, ConfigDict

from admin_mcp.api.request import WireRequest
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Effect, Endpoint, EndpointSpec
from admin_mcp.endpoints.fields import Grave, IfLeftOut
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.access_sentences import carried
from admin_mcp.gate.asker import NOBODY, Asker
from admin_mcp.gate.effects import effect_of, raises_power
from admin_mcp.gate.headline import headline, key_note
from admin_mcp.gate.snapshot import (
    NAME_KEYS,
    PERSON,
    SET_AS,
    Lookup,
    Snapshot,
    body_of,
    described,
    email_of,
    name_of,
    permissions_of,
)
from admin_mcp.gate.text import plain, quoted, visible
from admin_mcp.gate.undoable import undoable
from admin_mcp.gate.value_words import LONGEST_VALUE, NOT_SET, in_words

LONGEST_BODY = 20_000
"""Characters of a request body that a person can be asked to judge. They are shown whole; a longer one is refused."""

_MOST_LISTED = 20


class ShownChange(BaseModel):
    """One field of a request's body: the present value, where it was read, and the new one. Ready to be shown."""

    model_config = ConfigDict(frozen=True)

    before: str | None
    after: str


class ShownStep(BaseModel):
    """One step of a plan: its number in the order of execution, what sign and heading it stands under, and why.

    ``own_why``: this server says why, and not the assistant.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    mark: str
    section: str
    why: str
    own_why: bool = False
    preview: "Preview"

    @property
    def said(self) -> str:
        """Why the step is there, and who says so."""
        return self.why if self.own_why or not self.why else f"the assistant says: {self.why}"


class Preview(BaseModel):
    """A change, ready to be shown: all of it is plain text that can neither hide nor reorder anything.

    ``title`` says what it comes to; ``things`` are the things named, and what is there now, by label; ``changes`` the
    fields set, by name; ``affected`` how many things go or lose something, by kind; ``passing`` what is shown and not
    compared. ``typed`` are the texts of which one must be typed, if any. ``target`` is the system; ``request`` the
    request line and body. ``withheld``: the model may not be told all of this. ``idle``: all of it is so already.
    ``steps``: of a plan, the gravest first; ``open_seconds``: its time, if unusual; ``wants_reason``: a yes takes one.
    ``asker``: who asks, which is neither compared nor in the text.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    effect: Effect
    things: dict[str, str]
    changes: dict[str, ShownChange]
    affected: dict[str, str]
    undo: str
    target: str
    request: str
    typed: tuple[str, ...]
    passing: dict[str, str] = {}
    withheld: bool = False
    idle: bool = False
    steps: tuple[ShownStep, ...] = ()
    open_seconds: float | None = None
    wants_reason: bool = False
    asker: Asker = NOBODY

    @property
    def final(self) -> bool:
        """Whether it can't be undone."""
        return self.undo == IMPOSSIBLE

    @property
    def heading(self) -> str:
        """What is to be done, and what kind of change that is."""
        return f"{self.title} — {effect_in_words(self.effect)}"

    @property
    def facts(self) -> dict[str, str]:
        """All that was read or is to be set, by label."""
        return {
            **self.things,
            **{f"Set {name}": _arrow(change) for name, change in self.changes.items()},
            **{f"Affects {kind}": count for kind, count in self.affected.items()},
        }

    @property
    def compared(self) -> dict[str, str]:
        """What the re-check compares: all that is shown, but for what passes."""
        steps = {f"Step {step.number}": step.preview.drift for step in self.steps}
        wanted = {"A reason": "is demanded"} if self.wants_reason else {}
        return {"Change": self.heading, **self.facts, **steps, "To be typed": " or ".join(self.typed), **wanted}

    @property
    def drift(self) -> str:
        """The digest of ``compared``."""
        return hashlib.sha256(json.dumps(self.compared, sort_keys=True).encode()).hexdigest()

    @property
    def lines(self) -> tuple[str, ...]:
        """The whole preview as lines, most important first."""
        return (
            self.heading,
            *(f"{label}: {value}" for label, value in {**self.facts, **self.passing}.items()),
            *_step_lines(self.steps),
            f"Undo: {self.undo}",
            f"In: {self.target}",
            f"Request: {self.request}",
            *(["A reason is demanded, and kept in the journal"] if self.wants_reason else []),
        )

    @property
    def text(self) -> str:
        """The whole preview as text."""
        return "\n".join(self.lines)


def _step_lines(steps: tuple[ShownStep, ...]) -> Iterator[str]:
    """Yield every step of a plan below the heading of its risk; what all steps have in common is said once."""
    heading = ""
    for step in steps:
        if step.section != heading:
            heading = step.section
            yield f"{heading}:"
        shown = step.preview
        yield f"  {step.mark} {step.number}. {shown.title}{f' ({step.said})' if step.why else ''}"
        yield from (f"       {label}: {value}" for label, value in {**shown.facts, **shown.passing}.items())
        if shown.final:
            yield "       Undo: not possible"
        yield f"       {shown.request}"


def _arrow(change: ShownChange) -> str:
    return change.after if change.before is None else f"{change.before} -> {change.after}"


IMPOSSIBLE = "not possible"
"""How a change can be undone that can't be."""
_EMPTIED = "nothing (null: this empties the field)"


def build_preview(call: Endpoint, wire: WireRequest, seen: Snapshot, *, catalog: Catalog, target: str) -> Preview:
    """Put together what a person needs to decide."""
    note = key_note(seen)
    return Preview(
        title=headline(call, seen),
        effect=effect_of(call, seen),
        things=dict(_things(call, seen)),
        changes=dict(_changes(call, seen)),
        affected=dict(seen.affected),
        undo=_undo(call, seen, catalog),
        target=target,
        request=f"{wire.method} {wire.target}" + (f" {visible(wire.body, LONGEST_BODY)}" if wire.body else ""),
        typed=_typed(call, seen),
        passing={"Last used": note} if note else {},
        withheld=seen.withheld,
        idle=_changes_nothing(call, seen),
    )


def effect_in_words(effect: Effect) -> str:
    """Say what an effect comes to for the person."""
    match effect:
        case "read":
            return "changes nothing"
        case "create":
            return "creates something new"
        case "update":
            return "changes something"
        case "grant":
            return "gives access"
        case "destroy":
            return "takes something away"
    assert_never(effect)


def _things(call: Endpoint, seen: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield label and description of each thing the request names by id, and what there is to know of it."""
    for name, value in _given_ids(call, seen):
        yield _label(name), described(name.partition("[")[0], value, seen.thing(name))
        yield from _details(name, seen.thing(name), here=name == seen.own)
    if seen.roles is not None:
        yield "The group carries", f"{carried(seen.roles)}; in projects it may be owner, which was not looked up"
        yield from _permissions("The group's roles allow", _allowed_by(seen.roles))
    yield from _present(type(call).SPEC, seen)
    if seen.namesakes == "some":
        yield "Careful", "another one has the same name; go by the id"
    yield from _left_out(call)


def _details(name: str, found: Lookup | None, *, here: bool) -> Iterator[tuple[str, str]]:
    """Yield what a person must know of a person or a role that a change names; ``here``: as the change's own target."""
    if name == PERSON and isinstance(found, dict):
        if isinstance(role := found.get("role"), str):
            in_project = here and found.get("object") == "organization.project.user"
            yield f"Role in the {'project' if in_project else 'organization'} now", visible(role)
        if (projects := found.get("projects")) is not None:
            yield "Their projects", _memberships(projects)
    if name in {"role", "role_id"}:
        yield from _permissions("The role allows", permissions_of(found))


def _permissions(label: str, allowed: list[str] | None) -> Iterator[tuple[str, str]]:
    if allowed is not None:
        yield label, visible(", ".join(sorted(allowed)), LONGEST_VALUE) if allowed else "nothing by itself"


def _allowed_by(roles: Lookup) -> list[str] | None:
    """Return all that a list of roles permits, or None if that can't be told."""
    rows = roles.get("data") if isinstance(roles, dict) else None
    lists = [permissions_of(row) for row in rows] if isinstance(rows, list) else [None]
    known = [permissions for permissions in lists if permissions is not None]
    return (
        sorted({each for permissions in known for each in permissions}) if known and len(known) == len(lists) else None
    )


def _memberships(projects: object) -> str:
    """Return the projects a person belongs to, with their role in each."""
    rows = projects.get("data") if isinstance(projects, dict) else projects
    if not isinstance(rows, list):
        return "unreadable"
    named = sorted(_membership(row) for row in rows if isinstance(row, dict))
    more = f" and {len(named) - _MOST_LISTED} more" if len(named) > _MOST_LISTED else ""
    return ", ".join(named[:_MOST_LISTED]) + more if named else "none"


def _membership(row: Json) -> str:
    name, identity, role = (row.get(key) for key in ("name", "id", "role"))
    called = quoted(name) if isinstance(name, str) and name else visible(str(identity))
    return f"{called} as {visible(role)}" if isinstance(role, str) else called


def _present(spec: EndpointSpec, seen: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield what is there now, where the change takes it away or gives it."""
    if seen.once and seen.state == "absent":
        yield "Now", NOT_SET
    elif spec.effect in {"update", "destroy"} and seen.state == "unreadable":
        yield "Now", _PRESENCE["unreadable"]
    elif spec.effect == "destroy" and isinstance(seen.state, dict):
        for key, value in seen.state.items():
            # What is false or empty says nothing that helps to decide.
            if isinstance(value, str | int | list) and value and not _told_already(key, seen.own):
                yield f"Now: {visible(key)}", in_words(key, value)
    elif spec.effect == "grant" and seen.state is not None and seen.own is None:
        yield "Now", _PRESENCE[seen.state if isinstance(seen.state, str) else "present"]


def _left_out(call: Endpoint) -> Iterator[tuple[str, str]]:
    """Yield what it means that a field was left out, where that matters."""
    for name, field in type(call).model_fields.items():
        if name not in call.model_fields_set:
            yield from (
                (_label(name), f"left out: {mark.says}") for mark in field.metadata if isinstance(mark, IfLeftOut)
            )


def _label(name: str) -> str:
    if listed := re.fullmatch(r"(\w+)s\[(\d+)\](?:\.id)?", name):
        return f"{_label(listed[1])} {int(listed[2]) + 1}"
    words = name.removesuffix("_id").replace("_", " ")
    return (words[:1].upper() + words[1:]).replace("Api ", "API ")


_PRESENCE = {"absent": "not there yet", "unreadable": "unreadable with this key", "present": "already there"}
_UNSHOWN = frozenset({"id", "object", "created", "resource_type", "group_type", "user_type", *NAME_KEYS})
_IN_WORDS = {PERSON: "role", "role_id": "permissions"}
"""What is shown of a target in words of its own, by the field that names it."""


def _told_already(key: str, own: str | None) -> bool:
    return key in _UNSHOWN or key.endswith("_at") or (own is not None and _IN_WORDS.get(own) == key)


def _given_ids(call: Endpoint, seen: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield each id of the request that names something, with the label under which it was looked up."""
    spec = type(call).SPEC
    for name in type(call).model_fields:
        value = getattr(call, name)
        if name in spec.path_fields or name in seen.names:
            yield name, str(value)
        elif isinstance(value, list):
            for number, each in enumerate(value):
                label = f"{name}[{number}]"
                if label in seen.names:
                    yield label, str(each)
                elif f"{label}.id" in seen.names:
                    yield f"{label}.id", str(each.id)


def _changes(call: Endpoint, seen: Snapshot) -> Iterator[tuple[str, ShownChange]]:
    """Yield, for each field of the body, its value before and after."""
    spec = type(call).SPEC
    for name, value in body_of(call).items():
        # Only an update changes what was read; an action's state is its parent, whose fields have the same names.
        before = seen.before(name) if spec.effect == "update" else None
        if name in seen.names and before is None:
            continue
        after = _EMPTIED if value is None else in_words(name, value, LONGEST_BODY)
        yield name, ShownChange(before=in_words(SET_AS.get(name, name), before[0]) if before else None, after=after)


def _changes_nothing(call: Endpoint, seen: Snapshot) -> bool:
    """Whether every field of an update is known to be so already."""
    body = body_of(call)
    if type(call).SPEC.effect != "update" or not body:
        return False
    before = {name: seen.before(name) for name in body}
    return all(present is not None and _same(body[name], present[0]) for name, present in before.items())


def _same(one: object, other: object) -> bool:
    # As JSON, since to Python 1 and true are the same.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _undo(call: Endpoint, seen: Snapshot, catalog: Catalog) -> str:
    """Say whether the change can be undone, and by which tool. What is said here is what undo goes by."""
    spec, undo = type(call).SPEC, undoable(type(call), catalog)
    if undo.way == "nothing":
        return IMPOSSIBLE
    if undo.way == "set_back":
        if seen.once and seen.state == "absent":
            remover = catalog.find(f"DELETE {spec.path}")
            return f"with {remover.SPEC.name}" if remover else "by setting other values; it can't be unset again"
        return "by setting the old values again"
    by = f"with {undo.tool}" + (", by the values above" if undo.way == "set_again" else "")
    return by if undo.kind == "exact" else f"{by}, not exactly: {undo.reason[:1].lower()}{undo.reason[1:-1]}"


def _wants_text(call: Endpoint, seen: Snapshot) -> bool:
    """Whether choosing is not enough: what can't be taken back, opens a door, or moves money or data."""
    spec = type(call).SPEC
    if spec.effect == "destroy" or spec.sensitive or spec.secret or raises_power(call, seen):
        return True
    fields = type(call).model_fields
    return any(isinstance(mark, Grave) for name in call.model_fields_set for mark in fields[name].metadata)


def _typed(call: Endpoint, seen: Snapshot) -> tuple[str, ...]:
    """Return the texts of which a person must type one, or nothing where choosing is enough."""
    if not _wants_text(call, seen):
        return ()
    spec, body = type(call).SPEC, body_of(call)
    if isinstance(user := getattr(call, PERSON, None), str):
        # A name is of the person's own choosing, and many may choose the same.
        email = email_of(seen.thing(PERSON))
        return (email,) if email and email.isascii() and plain(email) else (user,)
    if isinstance(email := body.get("email"), str) and plain(email):
        return (email,)
    if spec.path_fields:
        last = spec.path_fields[-1]
        name = name_of(seen.thing(last)) if seen.namesakes == "none" else None
        value = str(getattr(call, last))
        return (name, value) if name and plain(name) else (value,)
    name = body.get("name")
    return (name,) if isinstance(name, str) and plain(name) else ("organization",)

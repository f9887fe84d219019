"""The calls that undo a change that was made, and whether its target has moved on since. Pure.

What is needed for it is in the journal: the change's arguments, the image of what it replaced (``before_image.py``),
and the id of what it made. Whether a tool's changes can be undone at all is said in ``undoable.py``.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, get_args

from pydantic import BaseModel, ValidationError

from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint, InputObject
from admin_mcp.endpoints.fields import clears_with_null
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import Conflict, InvalidInput
from admin_mcp.gate.before_image import (
    Lookups,
    active_ids,
    direct_roles,
    held_directly,
    holder_of,
    membership_remover,
    set_fields,
    switches_on,
    target_state,
)
from admin_mcp.gate.snapshot import Lookup, Snapshot
from admin_mcp.gate.undoable import Undo, fields_shown, shown_as, undoable

_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Reversal:
    """One endpoint call that undoes a change, or a part of it. ``arguments`` are as a client would give them."""

    tool: str
    arguments: Mapping[str, object]
    why: str


def reversal(
    tool: str, arguments: Mapping[str, object], before: Json | None, answer: Json | None, catalog: Catalog
) -> tuple[Reversal, ...]:
    """Return the calls that undo a change, in order.

    ``before`` is the image kept of what the change replaced, None where none was recorded; ``answer`` has at least the
    ``id`` of what the change made.

    Raises:
        InvalidInput: this is no change that a tool of the catalog makes.
        Conflict: nothing can undo it, or what that takes is not known; says why.

    """
    call = change_made(tool, arguments, catalog)
    undo = undoable(type(call), catalog)
    if undo.way == "nothing":
        _refuse(tool, undo.reason)
    if before is None:
        _refuse(tool, "Nothing was recorded of the state before it.")
    if reason := before.get("not_kept"):
        _refuse(tool, f"There is no record of the state before it: {reason}.")
    return _Undoing(call, undo, before, answer or {}, catalog).steps()


def change_made(tool: str, arguments: Mapping[str, object], catalog: Catalog) -> Endpoint:
    """Return the call that was made.

    Raises:
        InvalidInput: there is no such tool, it changes nothing, or it does not take these arguments.

    """
    if tool not in catalog or not catalog.endpoint(tool).SPEC.mutates:
        raise InvalidInput(f"{tool} is not a tool that changes something.", hint="Only changes can be undone.")
    return parse_arguments(catalog.endpoint(tool), arguments)


def witness(call: Endpoint, steps: tuple[Reversal, ...], catalog: Catalog) -> Endpoint:
    """Return the call whose preview and undo reads tell what became of the target: see ``moved_on``."""
    undo = undoable(type(call), catalog)
    if undo.way in {"set_back", "switch"} or not steps:
        return call
    if membership_remover(type(call).SPEC, catalog):
        return call
    return change_made(steps[0].tool, steps[0].arguments, catalog)


def moved_on(call: Endpoint, now: Snapshot, more: Lookups, catalog: Catalog) -> str | None:
    """Return why undoing a change would undo somebody else's as well, or None: its target is as it left it.

    ``now`` and ``more`` are what the reads of the ``witness`` answer. Only what the change set is compared.
    """
    undo = undoable(type(call), catalog)
    match undo.way:
        case "nothing":
            return undo.reason
        case "set_back":
            return _changed_since(call, target_state(call, now, more, catalog), more, catalog)
        case "switch":
            return _switched_since(call, more)
        case "remove":
            return _gone_or_used(call, now.state) or _not_as_made(call, now.state)
        case "set_again" | "link_again":
            return _back_already(call, now.state)
        case "make_again":
            return None  # the new one has another id, so that nothing can stand in its place


def _refuse(tool: str, reason: str) -> NoReturn:
    raise Conflict(
        f"{tool} can't be undone. {reason}",
        hint="Read the present state. What is wanted instead takes a change of its own.",
    )


@dataclass(frozen=True, slots=True)
class _Undoing:
    """A change, and what is known of the state before it."""

    call: Endpoint
    undo: Undo
    before: Json
    answer: Json
    catalog: Catalog

    @property
    def name(self) -> str:
        return type(self.call).SPEC.name

    @property
    def places(self) -> Json:
        """The ids in the change's own path."""
        return {name: getattr(self.call, name) for name in type(self.call).SPEC.path_fields}

    def steps(self) -> tuple[Reversal, ...]:
        match self.undo.way:
            case "remove":
                return (self._removed(),)
            case "switch":
                return (self._switched(),)
            case "set_back":
                return self._set_back()
            case "set_again" | "make_again":
                return (self._step(self.undo.tool, self.before.get("fields"), "puts back what was removed"),)
            case "link_again":
                return self._linked_again()
            case "nothing":
                _refuse(self.name, self.undo.reason)

    def _step(self, tool: str | None, fields: object, why: str, **ids: object) -> Reversal:
        """Return a call of a tool in the same place, or refuse if it does not take these values."""
        endpoint = self.catalog.endpoint(str(tool))
        places = {name: value for name, value in self.places.items() if name in endpoint.model_fields}
        given = {**places, **ids, **_fitting(endpoint, fields if isinstance(fields, dict) else {})}
        try:
            call = parse_arguments(endpoint, given)
        except InvalidInput as error:
            _refuse(self.name, f"What was there before can't be set by {tool}: {error.message}.")
        arguments = call.model_dump(mode="json", exclude_unset=True)
        return Reversal(endpoint.SPEC.name, arguments, f"{why} by {self.name}")

    def _removed(self) -> Reversal:
        if self.before.get("there"):
            _refuse(self.name, "It was there before, so that taking it away would undo more than the change did.")
        leaving = membership_remover(type(self.call).SPEC, self.catalog)
        if leaving and "member" not in self.before:
            _refuse(self.name, "Whether the role brought membership of the project with it is not known.")
        if leaving and self.before["member"] is False:
            return self._step(leaving.SPEC.name, {}, "ends the membership that was begun")
        remover = self.catalog.endpoint(str(self.undo.tool))
        last = remover.SPEC.path_fields[-1]
        made = getattr(self.call, last, None) or self.answer.get("id")
        if not isinstance(made, str):
            _refuse(self.name, "The id of what it made is not known.")
        return self._step(self.undo.tool, {}, "takes away what was made", **{last: made})

    def _switched(self) -> Reversal:
        so = self.before.get("so", [])
        changed = [each for each in getattr(self.call, "certificate_ids", []) if each not in so]
        if not changed:
            _refuse(self.name, "It changed nothing: all of it was so before.")
        return self._step(self.undo.tool, {}, "switches back what was switched", certificate_ids=changed)

    def _set_back(self) -> tuple[Reversal, ...]:
        if self.before.get("absent"):
            return (self._unset(),)
        old, new = dict(self.before.get("fields") or {}), set_fields(self.call)
        steps: tuple[Reversal, ...] = ()
        if "roles" in self.before:
            steps = self._role_set_back(old.pop("role", None), self.before["roles"])
            new = {name: value for name, value in new.items() if name not in {"role", "role_id"}}
        elif "role_id" in new:
            _refuse(self.name, "Which roles were held before is not known.")
        changed = {name: old.get(name) for name in new if not same(old.get(name), new[name])}
        if changed:
            fields = type(self.call).model_fields
            wanted = {**changed, **{name: old.get(name) for name in new if fields[name].is_required()}}
            self._require_settable(wanted)
            steps = (*steps, self._step(self.name, wanted, "sets back what was changed"))
        if not steps:
            _refuse(self.name, "It changed nothing: all of it was so before.")
        return steps

    def _require_settable(self, values: Json) -> None:
        fields = type(self.call).model_fields
        if unset := [name for name, value in values.items() if value is None and not clears_with_null(fields[name])]:
            _refuse(self.name, f"It had no {' and no '.join(unset)} before, and once set, that can't be emptied.")

    def _unset(self) -> Reversal:
        remover = self.catalog.find(f"DELETE {type(self.call).SPEC.path}")
        if remover is None:
            _refuse(self.name, "Nothing was set before, and once set, it can't be unset.")
        return self._step(remover.SPEC.name, {}, "unsets what was set")

    def _role_set_back(self, main: object, roles: list[Json]) -> tuple[Reversal, ...]:
        """Return the way back to the role that stood for a person: the new one came in place of it."""
        new = {name: value for name, value in set_fields(self.call).items() if name in {"role", "role_id"}}
        if not new or (new.get("role_id") is None and new.get("role") == main):
            return ()
        old = next((role for role in roles if role["name"] == main), None)
        if old is None:
            _refuse(self.name, "Which role was held before is not known.")
        asked = new.get("role_id") or new.get("role")
        if asked == old["id"]:
            return ()
        assigner, unassigner = self._role_tools()
        given = self._step(assigner, {}, "gives again the role that was replaced", role_id=old["id"])
        if any(asked in {role["id"], role["name"]} for role in roles):
            return (given,)
        if "role_id" in new:
            taken = self._step(unassigner, {}, "takes away the role that was given", role_id=new["role_id"])
            return (given, taken)
        return (self._step(self.name, {"role_id": old["id"]}, "sets back the role that was changed"),)

    def _role_tools(self) -> tuple[str, str]:
        path = f"{type(self.call).SPEC.path}/roles"
        assigner, unassigner = self.catalog.find(f"POST {path}"), self.catalog.find(f"DELETE {path}/{{role_id}}")
        if assigner is None or unassigner is None:
            _refuse(self.name, "No tool gives roles one by one here.")
        return assigner.SPEC.name, unassigner.SPEC.name

    def _linked_again(self) -> tuple[Reversal, ...]:
        maker = self.catalog.endpoint(str(self.undo.tool))
        why = "gives again what was taken"
        fields = dict(self.before.get("fields") or {})
        if "role" not in maker.model_fields:
            return (self._step(self.undo.tool, fields, why),)
        roles: list[Json] | None = self.before.get("roles")
        if roles is None:
            _refuse(self.name, "Which roles were held before is not known.")
        if "role" in fields:
            rest = [role for role in roles if role["name"] != fields["role"]]
        else:
            fields, rest = {"role": roles[0]["id"] if roles else None}, roles[1:]
        first = self._step(self.undo.tool, fields, why)
        path = f"{type(self.call).SPEC.path.removeprefix('/organization')}/roles"
        assigner = self.catalog.find(f"POST {path}")
        if rest and assigner is None:
            _refuse(self.name, "No tool gives the further roles that were held.")
        name = assigner.SPEC.name if assigner else ""
        return (first, *(self._step(name, {}, why, role_id=role["id"]) for role in rest))


def same(one: object, other: object) -> bool:
    """Whether two JSON values say the same: what is null counts as left out, and a set of words has no order."""
    return json.dumps(_plain(one), sort_keys=True) == json.dumps(_plain(other), sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return sorted(value) if all(isinstance(each, str) for each in value) else [_plain(each) for each in value]
    return value


def _covers(given: object, shown: object) -> bool:
    """Whether what is shown has all that was set; the API may add to an object what nobody asked for."""
    if isinstance(given, dict) and isinstance(shown, dict):
        return all(_covers(value, shown.get(name)) for name, value in given.items())
    if isinstance(given, list) and isinstance(shown, list) and len(given) == len(shown):
        return same(given, shown) or all(map(_covers, given, shown))
    return same(given, shown)


def _fitting(inputs: type[BaseModel], values: Json) -> Json:
    """Return of these values what such an object takes: a thing shows more than can be set."""
    fields = inputs.model_fields
    return {name: _fitting_value(fields[name].annotation, value) for name, value in values.items() if name in fields}


def _fitting_value(annotation: object, value: Any) -> Any:  # noqa: ANN401 - any JSON
    part = _part(annotation)
    if part is None:
        return value
    if isinstance(value, list):
        return [_fitting_value(part, each) for each in value]
    if not isinstance(value, dict):
        return value
    whole = _fitting(part, value)
    filled = {name: inner for name, inner in whole.items() if inner is not None}
    # A null may be wanted, as a discovery without a URL is, or stand for what only another kind of object has.
    return whole if _is_valid(part, whole) else filled


def _is_valid(part: type[InputObject], value: Json) -> bool:
    try:
        part.model_validate(value)
    except ValidationError:
        return False
    return True


def _part(annotation: object) -> type[InputObject] | None:
    if isinstance(annotation, type) and issubclass(annotation, InputObject):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _part(inner))), None)


_UNREADABLE = "The target can't be read with this key, so that it can't be told whether it has changed since."


def _changed_since(call: Endpoint, state: Lookup | None, more: Lookups, catalog: Catalog) -> str | None:
    if state == "absent":
        return "What it set is not there any more."
    if not isinstance(state, dict):
        return _UNREADABLE
    fields = set_fields(call)
    role = fields.pop("role_id", None)
    if role is not None:
        fields.pop("role", None)
        held = direct_roles(more.get("roles"), holder_of(call))
        if held is None:
            return _UNREADABLE
        if role not in {each["id"] for each in held}:
            return "The role it gave is not held any more."
    return _different(fields, state, fields_shown(type(call).SPEC, catalog))


def _different(fields: Json, state: Json, shown: Collection[str]) -> str | None:
    """Return which of the values that a change set is another by now, or None."""
    for name, value in fields.items():
        key = shown_as(name, shown)
        if key is not None and not _agrees(name, value, present := state.get(key)):
            return f"{name} has been changed since: it is {_shown(present)} now, and the change set {_shown(value)}."
    return None


def _agrees(name: str, given: object, shown: object) -> bool:
    # An address may come back in lower case.
    if name == "email" and isinstance(given, str) and isinstance(shown, str):
        return given.casefold() == shown.casefold()
    return _covers(given, shown)


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _switched_since(call: Endpoint, more: Lookups) -> str | None:
    active = active_ids(call, more)
    if active is None:
        return "Which certificates are active now can't be read."
    wanted = switches_on(type(call).SPEC)
    other = [each for each, on in active.items() if on is not wanted]
    return f"{', '.join(other)} has been switched back since." if other else None


def _gone_or_used(call: Endpoint, state: Lookup | None) -> str | None:
    if not isinstance(state, dict):
        return {"unreadable": _UNREADABLE, "absent": "What it made is not there any more."}.get(state or "")
    if "role_id" in type(call).model_fields and not held_directly(state, holder_of(call)):
        return "What it gave has been taken away since."
    if state.get("archived_at") is not None:
        return "What it made is archived already."
    if state.get("status") == "accepted":
        return "The invite was accepted meanwhile: delete_user removes the person."
    return None


def _not_as_made(call: Endpoint, state: Lookup | None) -> str | None:
    """Return which of the values it was made with is another by now. What a thing does not show can't be compared."""
    if not isinstance(state, dict):
        return None
    return _different(set_fields(call), state, state.keys())


def _back_already(call: Endpoint, state: Lookup | None) -> str | None:
    if state == "unreadable":
        return _UNREADABLE
    if not isinstance(state, dict):
        return None
    is_role = type(call).SPEC.path.endswith("/roles/{role_id}")
    if is_role and not held_directly(state, holder_of(call)):
        return None
    return "What it took away has been given or set again since."

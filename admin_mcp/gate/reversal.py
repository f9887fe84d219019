"""The calls that undo a change that was made. Pure.

What is needed for it is in the journal: the change's arguments, the image of what it replaced (``before_image.py``),
and the id of what it made. Whether a tool's changes can be undone at all is said in ``undoable.py``, and whether their
target has changed since in ``moved_on.py``.
"""

import json
from collections.abc import Mapping
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
    membership_remover,
    set_fields,
)
from admin_mcp.gate.undoable import Undo, undoable


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

"""Whether what a change set has been changed since, so that undoing it would undo somebody else's work. Pure.

Only what the change set is compared with what is there now; the rest may have changed, and stays as it is.
"""

import json
from collections.abc import Collection

from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
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
from admin_mcp.gate.reversal import Reversal, change_made, same
from admin_mcp.gate.snapshot import Lookup, Snapshot
from admin_mcp.gate.undoable import fields_shown, shown_as, undoable

_LONGEST_SHOWN = 80
_UNREADABLE = "The target can't be read with this key, so that it can't be told whether it has changed since."


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


def _covers(given: object, shown: object) -> bool:
    """Whether what is shown has all that was set; the API may add to an object what nobody asked for."""
    if isinstance(given, dict) and isinstance(shown, dict):
        return all(_covers(value, shown.get(name)) for name, value in given.items())
    if isinstance(given, list) and isinstance(shown, list) and len(given) == len(shown):
        return same(given, shown) or all(map(_covers, given, shown))
    return same(given, shown)


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

"""Tells by reading whether a change was made whose answer never came. Pure but for the read it is given."""

from typing import Literal

from admin_mcp.api.connection import Read
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import NotFound
from admin_mcp.gate.snapshot import SET_AS, body_of

Found = Literal["made", "not_made", "unclear"]


async def settled(call: Endpoint, catalog: Catalog, read: Read) -> Found:
    """Return what a read says about a change: that it was made, that it was not, or nothing.

    Raises:
        CallError: the read failed.

    """
    spec = type(call).SPEC
    reading = _read_of(call, catalog)
    if reading is None:
        return "unclear"
    try:
        state = await read(reading)
    except NotFound:
        return "made" if spec.effect == "destroy" else "not_made"
    if spec.method == "DELETE":
        return "not_made"
    return _compared(call, state)


def _read_of(call: Endpoint, catalog: Catalog) -> Endpoint | None:
    """Return the GET of the thing itself: on the same path, or on the one that it has once it is made."""
    spec = type(call).SPEC
    ids = {name: getattr(call, name) for name in spec.path_fields}
    same = catalog.find(f"GET {spec.path}")
    if same is not None and "data" not in same.SPEC.returns.model_fields:
        return same.model_validate(ids)
    for name, value in body_of(call).items():
        made = catalog.find(f"GET {spec.path}/{{{name}}}")
        if made is not None and isinstance(value, str):
            return made.model_validate({**ids, name: value})
    return None


def _compared(call: Endpoint, state: Json) -> Found:
    """Compare what was set with what is there."""
    told = [_is_set(name, value, state) for name, value in body_of(call).items()]
    known = [each for each in told if each is not None]
    if not known:
        return "made" if type(call).SPEC.effect == "grant" else "unclear"
    return "made" if all(known) else "not_made"


def _is_set(name: str, value: object, state: Json) -> bool | None:
    """Whether a field is as it was to be set, or None if that can't be told."""
    for key in (name, name.rpartition("_")[2], SET_AS.get(name, name)):
        if key in state and key != "id":
            return bool(state[key] == value)
    return None

"""Lists as they come from the API, made fit to go through: each thing once, and only what has an id. Pure."""

from collections.abc import Iterable

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.tables import named


def by_id(things: Iterable[Json] | None) -> dict[str, Json]:
    """Return things by their id; one that comes twice, since its list changed while it was read, as it came last."""
    return {item: thing for thing in things or () if isinstance(item := thing.get("id"), str) and item}


def names_of(things: Iterable[Json] | None) -> dict[str, str]:
    """Return what things are called, by their id."""
    return {item: named(thing) for item, thing in by_id(things).items()}


def part(thing: Json, name: str) -> Json:
    """Return an object inside another, or an empty one where there is none."""
    found = thing.get(name)
    return found if isinstance(found, dict) else {}

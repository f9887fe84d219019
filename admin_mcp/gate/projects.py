"""Which projects a call is about: those it names, at any depth, and those its target belongs to. Pure."""

from collections.abc import Iterator

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.snapshot import PERSON, Snapshot

_ONE = "project_id"
_SEVERAL = frozenset({"project_ids", "api_project_ids"})
_OBJECTS = "projects"
TELLING = frozenset({_ONE, _OBJECTS, *_SEVERAL})
"""The fields of an answer that say which projects a thing belongs to."""


def named_projects(call: Endpoint) -> frozenset[str]:
    """Return the ids of all projects that a call's arguments name."""
    return frozenset(_ids(call.model_dump(mode="json", exclude_unset=True)))


def projects_of(answer: Json) -> frozenset[str]:
    """Return the ids of the projects that a thing belongs to, as the API's answer says."""
    return frozenset(_ids(answer))


def projects_read(seen: Snapshot) -> frozenset[str]:
    """Return the ids of the projects that the target of a change belongs to. A person is no project's own."""
    return projects_of(seen.state) if isinstance(seen.state, dict) and seen.own != PERSON else frozenset()


def _ids(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _ids(inner)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == _ONE:
            yield from _texts([inner])
        elif name in _SEVERAL and isinstance(inner, list):
            yield from _texts(inner)
        elif name == _OBJECTS and isinstance(inner, list):
            yield from _texts([part.get("id") for part in inner if isinstance(part, dict)])
        else:
            yield from _ids(inner)


def _texts(values: list[object]) -> Iterator[str]:
    yield from (value for value in values if isinstance(value, str))

"""Which list tools give the ids that a tool takes: worked out from the catalog's paths. Pure, and for compiling only.

For ``POST /projects/{project_id}/users/{user_id}/roles``, which takes a ``role_id``, those are the lists of the
projects, of the project's users, and of the project's roles.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from admin_mcp.endpoints.base import Endpoint, InputObject
from admin_mcp.endpoints.fields import names_thing, names_things
from admin_mcp.endpoints.paging import PaginatedEndpoint

_PLACEHOLDER = re.compile(r"/\{\w+\}")
_ROOT = "/organization"
_PROJECT = f"{_ROOT}/projects/{{project_id}}"


def lookups(endpoint: type[Endpoint], endpoints: Iterable[type[Endpoint]]) -> list[str]:
    """Return the names of the list tools that give the ids in a call's path, its query and its body."""
    lists = {found.SPEC.path: found.SPEC.name for found in endpoints if issubclass(found, PaginatedEndpoint)}
    spec = endpoint.SPEC
    paths = [*_above(spec.path)]
    for name in _other_ids(endpoint):
        paths += _homes(name, endpoint, lists)
    found = (lists.get(path) or lists.get(_ROOT + path) for path in paths)
    return [*dict.fromkeys(name for name in found if name and name != spec.name)]


def _above(path: str) -> Iterator[str]:
    """Yield the collections that the ids in a path are chosen from, outermost first."""
    for placeholder in _PLACEHOLDER.finditer(path):
        yield path[: placeholder.start()]


def _other_ids(endpoint: type[Endpoint]) -> Iterator[str]:
    """Yield what the ids outside the path are of, as the last part of a collection's path: ``users``."""
    for name, field in endpoint.model_fields.items():
        if name in endpoint.SPEC.path_fields:
            continue
        if names_thing(field) or names_things(field):
            yield name.removesuffix("s").removesuffix("_id") + "s"
        elif any(names_thing(inner) for part in _parts(field.annotation) for inner in part.model_fields.values()):
            yield name


def _parts(annotation: object) -> Iterator[type[InputObject]]:
    if isinstance(annotation, type) and issubclass(annotation, InputObject):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def _homes(name: str, endpoint: type[Endpoint], lists: Mapping[str, str]) -> Iterator[str]:
    """Yield where such things live: in the project, if the call names one, or else in the organization.

    What is being put into the project's own collection comes from the organization's. What only projects have, such
    as their keys, is found there, whichever project it is.
    """
    at = endpoint.SPEC.path
    in_project = [path for path in (f"{_PROJECT}/{name}", f"/projects/{{project_id}}/{name}") if path in lists]
    if "project_id" not in endpoint.model_fields or not in_project or at in in_project:
        yield from [path for path in (f"{_ROOT}/{name}",) if path in lists] or in_project
        return
    yield from in_project
    if at.startswith(tuple(f"{path}/" for path in in_project)):
        yield f"{_ROOT}/{name}"

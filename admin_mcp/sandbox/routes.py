"""From a method and a path to the endpoint that documents it, and what kind of operation that is.

Everything here is read off the catalog's paths and models: no resource is named. A *kind* is a path without its ids
and its ``organization``, such as ``projects/users/roles``; it names a resource in the tables of the other modules.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from admin_mcp.catalog import all_endpoints
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.sandbox.errors import unknown_path, wrong_method

Operation = Literal["list", "report", "create", "get", "update", "delete", "read", "write", "clear", "act"]
"""``read``, ``write`` and ``clear`` are for singletons, ``report`` is usage and costs, ``act`` is any other POST."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ROOT = "/organization"


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint and what it does to the store."""

    endpoint: type[Endpoint]
    operation: Operation
    kind: str
    segments: tuple[str, ...]

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """Return the path parameters of a concrete path, or None if it is not this route's."""
        if len(segments) != len(self.segments):
            return None
        params: dict[str, str] = {}
        for template, segment in zip(self.segments, segments, strict=True):
            if placeholder := _PLACEHOLDER.fullmatch(template):
                params[placeholder[1]] = segment
            elif template != segment:
                return None
        return params


class Router:
    """All routes. Static segments win over placeholders, as in ``certificates/activate``."""

    def __init__(self, endpoints: Iterable[type[Endpoint]]) -> None:
        known = list(endpoints)
        paths = {endpoint.SPEC.endpoint: endpoint for endpoint in known}
        routes = [_route(endpoint, paths) for endpoint in known]
        self.routes = sorted(routes, key=lambda route: len(route.endpoint.SPEC.path_fields))
        self.memberships = frozenset(route.kind for route in routes if _is_membership(route, paths))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route of a request and its path parameters.

        Raises:
            RefusalError: 404 for an unknown path, 405 for a known path with another method.

        """
        segments = path.strip("/").split("/")
        known = False
        for route in self.routes:
            params = route.match(segments)
            if params is not None and all(params.values()):
                if route.endpoint.SPEC.method == method:
                    return route, params
                known = True
        raise wrong_method(method, path) if known else unknown_path(method, path)


@cache
def router() -> Router:
    """Return the router for the whole catalog, made on first use."""
    return Router(all_endpoints())


def place_of(path: str) -> str:
    """Return a path as the store spells it: project roles stand beside everything else of their project."""
    return path if path.startswith(f"{_ROOT}/") or path == _ROOT else _ROOT + path


def kind_of(place: str) -> str:
    """Return the kind of a collection's place: its path without the ids."""
    return "/".join(place.split("/")[2::2])


def noun_of(place: str) -> str:
    """Return what one thing in a collection is called."""
    return place.rpartition("/")[2].removesuffix("s")


def parents_of(place: str) -> list[tuple[str, str]]:
    """Return the things a place is inside of, outermost first, each as its collection and its id."""
    segments = place.split("/")
    return [("/".join(segments[:end]), segments[end]) for end in range(3, len(segments), 2)]


def home_of(place: str) -> str:
    """Return where the things live that a membership collection links to: in the project, or else the organization."""
    segments = place.split("/")
    segment = segments[-1]
    in_project = "/".join([*segments[:4], segment])
    if segments[2] == "projects" and in_project != place:
        return in_project
    return f"{_ROOT}/{segment}"


def _route(endpoint: type[Endpoint], paths: dict[str, type[Endpoint]]) -> Route:
    segments = tuple(endpoint.SPEC.path.strip("/").split("/"))
    static = [segment for segment in segments if not _PLACEHOLDER.fullmatch(segment)]
    kind = "/".join(static).removeprefix("organization/")
    return Route(endpoint, _operation(endpoint, paths), kind, segments)


def _operation(endpoint: type[Endpoint], paths: dict[str, type[Endpoint]]) -> Operation:
    spec = endpoint.SPEC
    if spec.path.endswith("}"):
        of_item: dict[str, Operation] = {"GET": "get", "POST": "update", "DELETE": "delete"}
        return of_item[spec.method]
    if spec.method == "GET":
        return _reading(endpoint)
    if spec.method == "DELETE":
        return "clear"
    reader = paths.get(f"GET {spec.path}")
    if reader is None:
        return "act"
    return "write" if _reading(reader) == "read" else "create"


def _reading(endpoint: type[Endpoint]) -> Operation:
    fields = endpoint.SPEC.returns.model_fields
    if "next_page" in fields:
        return "report"
    return "list" if "data" in fields else "read"


def _is_membership(route: Route, paths: dict[str, type[Endpoint]]) -> bool:
    """Whether creating takes the id that the item's path ends with: then it links, and makes nothing new."""
    if route.operation != "create":
        return False
    prefix = f"DELETE {route.endpoint.SPEC.path}/{{"
    names = [path.removeprefix(prefix).rstrip("}") for path in paths if path.startswith(prefix) and path.count("{") > 0]
    return any(name in route.endpoint.model_fields for name in names if "/" not in name)

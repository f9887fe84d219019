"""The documented endpoints: one module per resource, one class per endpoint.

This module finds them. ``Catalog`` answers from the compiled list and imports a resource's module when it is needed.
"""

import json
from collections.abc import Iterable
from functools import cache
from importlib import import_module, resources

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.discovery import class_name, specified
from admin_mcp.endpoints.schema import META_ENDPOINT, META_RESOURCE, Json


class Catalog:
    """The compiled tool list, and the way from a tool's name to its endpoint class."""

    def __init__(self, tools: Iterable[Json]) -> None:
        self.tools = tuple(tools)
        self._tools = {tool["name"]: tool for tool in self.tools}
        self._names = {tool["_meta"][META_ENDPOINT]: name for name, tool in self._tools.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    def tool(self, name: str) -> Json:
        """Return the compiled ``tools/list`` entry of a tool.

        Raises:
            KeyError: there is no such tool.

        """
        return self._tools[name]

    def endpoint(self, name: str) -> type[Endpoint]:
        """Return the endpoint class of a tool, importing its resource's module on first use.

        Raises:
            KeyError: there is no such tool.

        """
        module = import_module(f"{__name__}.{self._tools[name]['_meta'][META_RESOURCE]}")
        endpoint: type[Endpoint] = getattr(module, class_name(name))
        return endpoint

    def find(self, endpoint: str) -> type[Endpoint] | None:
        """Return the class of a documented endpoint such as ``"GET /organization/roles"``, or None."""
        name = self._names.get(endpoint)
        return self.endpoint(name) if name else None

    @property
    def endpoints(self) -> Iterable[str]:
        """Every documented endpoint, as method and path."""
        return self._names


@cache
def compiled_catalog() -> Catalog:
    """Return the catalog as compiled by ``make catalog``."""
    return Catalog(json.loads(resources.files(__name__).joinpath("tools.json").read_text("utf-8"))["tools"])


def all_endpoints() -> list[type[Endpoint]]:
    """Import every resource module and return its endpoint classes, by resource and in the order they are written."""
    return specified(__name__, Endpoint)

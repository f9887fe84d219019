"""Endpoint instance -> the one HTTP request that would be sent for it. Pure.

The result is a plain value rather than an ``httpx.Request``, so that approving, hashing and sending all speak of
exactly the same bytes, and so that nothing here needs an HTTP library, a base URL or a key.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from admin_mcp.endpoints.base import Endpoint, Method


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as it goes over the wire, but for the host and the key.

    ``path`` is percent-encoded and starts with ``/``; ``query`` is decoded pairs in order; ``body`` is JSON text.
    """

    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: str | None = None

    @property
    def mutates(self) -> bool:
        """Whether the API could change something on it."""
        return self.method != "GET"

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def digest(self, system: str) -> str:
        """Return the identity of this request against one system, as hex SHA-256."""
        parts = [system, self.method, self.path, self.query, self.body]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def build_request(call: Endpoint) -> WireRequest:
    """Place every field that was given where the endpoint documents it."""
    spec = type(call).SPEC
    given = call.model_dump(mode="json", exclude_unset=True, by_alias=True, exclude=set(spec.local_fields))
    path = spec.path
    for name in spec.path_fields:
        path = path.replace(f"{{{name}}}", quote(str(given.pop(name)), safe=":"))
    if spec.method == "GET":
        pairs = (pair for name, value in given.items() for pair in _query_pairs(name, value))
        return WireRequest("GET", path, query=tuple(pairs))
    if spec.method == "DELETE" or len(spec.path_fields) == len(type(call).model_fields):
        return WireRequest(spec.method, path)
    return WireRequest("POST", path, body=json.dumps(given, ensure_ascii=False, separators=(",", ":")))


def _query_pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Spell arrays as ``name[]=a&name[]=b``, objects as ``name[key]=v``, and leave nulls out."""
    match value:
        case None:
            return
        case list():
            for item in value:
                yield from _query_pairs(f"{name}[]", item)
        case dict():
            for key, item in value.items():
                yield from _query_pairs(f"{name}[{key}]", item)
        case bool():
            yield name, "true" if value else "false"
        case _:
            yield name, str(value)

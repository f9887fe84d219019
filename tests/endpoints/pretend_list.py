"""A list as the API pages it, and how it is read."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import pytest

from admin_mcp.api.request import build_request
from admin_mcp.catalog.costs import GetCosts
from admin_mcp.catalog.external_keys import ListExternalKeys
from admin_mcp.catalog.roles import ListRoles
from admin_mcp.catalog.users import ListUsers
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.paging import Bounds, PaginatedEndpoint, read_list
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import RateLimited

START = {"start_time": 1_700_000_000}
STYLES: dict[type[PaginatedEndpoint], Json] = {ListUsers: {}, ListRoles: {}, ListExternalKeys: {}, GetCosts: START}
ROOM = 1_000_000


@dataclass
class Api:
    """A list as the API pages it, in whichever style the endpoint has. ``fails_at`` is the page that is refused."""

    rows: list[Json]
    fails_at: int | None = None
    queries: list[dict[str, str]] = field(default_factory=list)

    async def read(self, call: PaginatedEndpoint) -> Json:
        query = dict(build_request(call).query)
        self.queries.append(query)
        if len(self.queries) == self.fails_at:
            raise RateLimited("The API answered 429: slow down", hint="Wait.")
        return self.page(type(call), query)

    def page(self, endpoint: type[PaginatedEndpoint], query: dict[str, str]) -> Json:
        cursor = query.get(endpoint.cursor_argument())
        opaque = endpoint.next_field()
        start = self.position(cursor, opaque) if cursor else 0
        rows = self.rows[start : start + int(query.get("limit", 20))]
        end = start + len(rows)
        page: Json = {"object": "list", "data": rows, "has_more": end < len(self.rows)}
        if opaque:
            page[opaque] = f"c{end}" if page["has_more"] else None
        elif "last_id" in endpoint.SPEC.returns.model_fields:
            page |= {"first_id": rows[0]["id"] if rows else None, "last_id": rows[-1]["id"] if rows else None}
        return page

    def position(self, cursor: str, opaque: str | None) -> int:
        if opaque:
            assert cursor.startswith("c")
            return int(cursor[1:])
        return [row["id"] for row in self.rows].index(cursor) + 1


def rows(sizes: Iterable[int]) -> list[Json]:
    return [{"id": f"id_{number}", "text": "x" * size} for number, size in enumerate(sizes)]


async def answer_of(
    api: Api,
    endpoint: type[PaginatedEndpoint],
    *,
    room: int = ROOM,
    late: bool = False,
    said: list[str] | None = None,
    **given: Any,
) -> Json:
    async def report(items: int, most: int, message: str) -> None:
        assert 0 < items <= most
        if said is not None:
            said.append(message)

    call = parse_arguments(endpoint, {**STYLES.get(endpoint, {}), **given})
    assert isinstance(call, PaginatedEndpoint)
    return await read_list(call, api.read, Bounds(room, late=lambda: late), report)


def run(api: Api, endpoint: type[PaginatedEndpoint], **given: Any) -> Json:
    return anyio.run(partial(answer_of, api, endpoint, **given))


def ids(answer: Json) -> list[str]:
    return [row["id"] for row in answer["data"]]


every_style = pytest.mark.parametrize("endpoint", STYLES)


def size(value: object) -> int:
    """Bytes as the budget counts them: compact JSON, in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

"""A pretend organization that a report reads, in process: as it is, refused in parts, slowed, or changed on the way."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

from admin_mcp.api.request import build_request
from admin_mcp.api.response import Expectation, HttpAnswer, read_answer
from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import Permission, RateLimited
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.reader import Reader
from admin_mcp.sandbox.organization import Organization

NOW = 1_795_631_400  # 2026-11-25T18:30:00Z
ORG = "/organization"
SEEDS = (0, 7, 2026)

Stand = Callable[[Endpoint, Callable[[], Json]], Json]
"""Answers a call in place of the organization, whose own answer it may ask for."""


@dataclass
class Pretend:
    """``refused`` are tools the key may not use, ``canned`` answers in place of the organization's own."""

    seed: int = 0
    now: float = NOW
    refused: tuple[str, ...] = ()
    slowed: bool = False
    canned: Mapping[str, Json | Stand] = field(default_factory=dict)
    calls: list[Endpoint] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.org = Organization(clock=lambda: self.now, seed=self.seed)

    def ask(self, method: str, path: str, body: object = None, **query: object) -> Json:
        """Ask the organization itself, past every report and reader."""
        pairs = [
            (name.replace("__", "[") + ("]" if "__" in name else ""), str(value))
            for name, values in query.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        reply = self.org.respond(method, path, pairs, body)
        assert reply.status == 200, reply.body
        return reply.body

    def all(self, path: str, **query: object) -> list[Json]:
        listed: list[Json] = self.ask("GET", path, limit=100, **query)["data"]
        return listed

    def grow(self, people: int, projects: int, keys: int = 2) -> None:
        """Add people, and projects with service accounts that have keys."""
        for number in range(people):
            email = f"person.{number}@example.com"
            self.ask("POST", f"{ORG}/invites", {"email": email, "role": "reader", "projects": []})
        for number in range(projects):
            made = self.ask("POST", f"{ORG}/projects", {"name": f"Team {number + 1}"})["id"]
            for each in range(keys):
                self.ask("POST", f"{ORG}/projects/{made}/service_accounts", {"name": f"worker {each + 1}"})
        self.now += 60

    async def read(self, call: Endpoint) -> Json:
        self.calls.append(call)
        name = type(call).SPEC.name
        if self.slowed:
            raise RateLimited("slow down", hint="")
        if name in self.refused:
            raise Permission("the key may not do this", hint="")
        canned = self.canned.get(name)
        if canned is None:
            return self._own(call)
        return canned(call, partial(self._own, call)) if callable(canned) else canned

    def _own(self, call: Endpoint) -> Json:
        wire = build_request(call)
        reply = self.org.respond("GET", unquote(wire.path), list(wire.query), None)
        return read_answer(HttpAnswer(reply.status, json.loads(json.dumps(reply.body))), Expectation(False, ""))

    def reader(self) -> Reader:
        async def heard(done: float, total: float | None, message: str) -> None:
            del done, total, message

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        return Reader(compiled_catalog(), self.read, heard, now=lambda: self.now, sleep=sleep)

    async def report(self, kind: type[Report], **arguments: object) -> Any:
        return await parse_arguments(kind, arguments).answer(self.reader())


def nothing(*tools: str) -> dict[str, Json]:
    """Return empty lists for these tools."""
    return {tool: {"object": "list", "data": [], "has_more": False} for tool in tools}

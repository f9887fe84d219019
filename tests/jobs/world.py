"""A pretend organization that reports are read from in this process, and the numbers of it by plain requests."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import anyio
import httpx
from pydantic import SecretStr

from admin_mcp.api.client import Client
from admin_mcp.api.permits import Permits
from admin_mcp.api.request import build_request
from admin_mcp.api.response import Expectation, read_answer
from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import Permission
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.reader import Reader
from admin_mcp.sandbox.faults import parse_faults
from admin_mcp.sandbox.gateway import Gateway
from admin_mcp.sandbox.organization import Organization, Size
from admin_mcp.sandbox.transport import SandboxTransport
from admin_mcp.settings import Target

NOW = 1_800_000_000.0
DAY = 24 * 60 * 60


async def unheard(done: float, total: float | None, message: str) -> None:
    del done, total, message


async def at_once(seconds: float) -> None:
    del seconds
    await anyio.lowlevel.checkpoint()


class World:
    """One organization. ``respond`` asks it plainly, ``report`` runs a report over the real client."""

    def __init__(self, seed: int = 0, people: int = 7, projects: int = 3, faults: str = "") -> None:
        self.organization = Organization(clock=lambda: NOW, seed=seed, size=Size(people=people, projects=projects))
        self.faults = faults
        self.reads: list[str] = []
        self.forbidden: Collection[str] = ()
        self.spoil: Callable[[str, Json], Json] = lambda _, answer: answer

    def get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self.organization.respond("GET", path, list(query.items()), None)
        assert answer.status == 200, answer.body
        body: dict[str, Any] = answer.body
        return body

    def found(self, path: str) -> dict[str, Any] | None:
        """Return a thing that may not be set."""
        answer = self.organization.respond("GET", path, [], None)
        return dict(answer.body) if answer.status == 200 else None

    def all(self, path: str) -> list[dict[str, Any]]:
        page = self.get(path, limit="100")
        items: list[dict[str, Any]] = [*page["data"]]
        while page["has_more"]:
            page = self.get(path, limit="100", after=page.get("next") or page.get("last_id") or items[-1]["id"])
            items += page["data"]
        return items

    def post(self, path: str, body: object) -> dict[str, Any]:
        answer = self.organization.respond("POST", path, [], body)
        assert answer.status == 200, answer.body
        made: dict[str, Any] = answer.body
        return made

    def named(self, path: str, name: str) -> str:
        return next(str(item["id"]) for item in self.all(path) if item["name"] == name)

    async def report(self, report: Report) -> Json:
        transport = SandboxTransport(Gateway(self.organization, faults=parse_faults(self.faults), sleep=at_once))
        async with self._client(transport) as client:

            async def read(call: Endpoint) -> Json:
                self.reads.append(call.SPEC.name)
                if call.SPEC.name in self.forbidden:
                    raise Permission("the key may not read this", hint="")
                answer = await client.send(build_request(call))
                expected = Expectation(mutates=False, verify="", absence="")
                return self.spoil(call.SPEC.name, read_answer(answer, expected))

            return await report.answer(Reader(compiled_catalog(), read, unheard, now=lambda: NOW, sleep=at_once))

    def _client(self, transport: httpx.AsyncBaseTransport) -> Client:
        sleep: Callable[[float], Awaitable[None]] = at_once
        return Client(
            base_url="http://localhost/v1",
            key=SecretStr("sk-admin-test"),
            target=Target(label="the sandbox", system="sandbox"),
            permits=Permits(),
            transport=transport,
            sleep=sleep,
        )

"""A small pretend API for the gate's tests: things with names that may change, and a record of every change sent."""

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr

from admin_mcp.catalog import Catalog, compiled_catalog
from admin_mcp.client import Client
from admin_mcp.endpoint import Endpoint
from admin_mcp.gate.approvals import Approval, MemoryApprovals
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.gate import Gate, Person
from admin_mcp.gate.permits import Permits
from admin_mcp.gate.policy import Policy
from admin_mcp.request import build_request
from admin_mcp.response import Expectation, read_answer
from admin_mcp.settings import Target
from admin_mcp.tool import Json

APPROVE = Reply("accept", {"decision": "approve"})
REJECT = Reply("accept", {"decision": "reject"})


class AskedError(Exception):
    """A question was put whose answer comes with a repeated call."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(approval.id)
        self.approval = approval


@dataclass
class AtOnce:
    """A person who answers while the call is open."""

    reply: Reply | Callable[[Approval], Reply]
    seen: list[Approval] = field(default_factory=list)

    answers = None

    async def ask(self, approval: Approval) -> Reply:
        self.seen.append(approval)
        return self.reply(approval) if callable(self.reply) else self.reply


@dataclass
class Later:
    """A person whose answer comes with the repeated call."""

    answers: str | None = None
    reply: Reply | None = None

    async def ask(self, approval: Approval) -> Reply:
        if self.reply is None:
            raise AskedError(approval)
        return self.reply


class World:
    """An API, a gate and a client, put together as the server does it."""

    def __init__(self, *, policy: Policy | None = None, confirm: bool = True, system: str = "test") -> None:
        self.now = 1000.0
        self.names: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.reads: list[str] = []
        self.changes: list[httpx.Request] = []
        self.catalog: Catalog = compiled_catalog()
        self.target = Target(label=f"the {system} system", system=system)
        self.permits = Permits()
        self.approvals = MemoryApprovals(lambda: self.now)
        self.client = Client(
            base_url="https://api.example.com/v1",
            key=SecretStr("sk-admin-1"),
            target=self.target,
            permits=self.permits,
            transport=httpx.MockTransport(self._answer),
        )
        self.gate = Gate(
            policy=policy or Policy.standard(read_only=False),
            confirm=confirm,
            catalog=self.catalog,
            target=self.target,
            approvals=self.approvals,
            permits=self.permits,
            reader=self._read,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1")
        if request.method != "GET":
            self.changes.append(request)
            return httpx.Response(200, json={"id": "done"})
        self.reads.append(path)
        status = self.statuses.get(path, 200)
        thing = path.rpartition("/")[2]
        body = {
            "id": thing,
            "name": self.names.get(thing, thing.title()),
            "description": "old",
            "last_used_at": self.now,
        }
        return httpx.Response(status, json=body if status == 200 else {"error": {"message": "no"}})

    async def _read(self, call: Endpoint) -> Json:
        return read_answer(await self.client.send(build_request(call)), Expectation(mutates=False, verify=""))

    def make(self, tool: str, **arguments: object) -> Endpoint:
        return self.catalog.endpoint(tool).model_validate(arguments)

    async def call(self, call: Endpoint, person: Person | None) -> None:
        """Do what the server does with a call."""
        wire = build_request(call)
        permit = await self.gate.admit(call, wire, person)
        await self.client.send(wire, permit)

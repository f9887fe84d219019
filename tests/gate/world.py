"""A small pretend API for the gate's tests: things with names that may change, and a record of every change sent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from admin_mcp.api.client import Client
from admin_mcp.api.connection import Api
from admin_mcp.api.permits import Permits
from admin_mcp.api.request import WireRequest
from admin_mcp.api.secret_sink import SecretSink
from admin_mcp.catalog import Catalog, compiled_catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.approval_channel import ApprovalChannel
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.gate import Gate
from admin_mcp.gate.journal import Record
from admin_mcp.gate.policy import Channel, Policy
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings, Target
from admin_mcp.tools.endpoint_tool import EndpointTool, Installation
from admin_mcp.tools.protocol import CallContext
from tests.recorder import COLLECTIONS

KEY = "sk-admin-test-0123456789"
APPROVE = Reply("accept", {"decision": "approve"})
REJECT = Reply("accept", {"decision": "reject"})


class AskedError(Exception):
    """A question was put whose answer comes with a repeated call."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(approval.id)
        self.approval = approval


UPDATE: dict[str, Any] = {"role_id": "role_1", "description": "new"}


@dataclass
class AtOnce:
    """A person who answers while the call is open."""

    reply: Reply | Callable[[Approval], Reply | None] | None
    channel: Channel = "elicit"
    seen: list[Approval] = field(default_factory=list)

    answers = None

    @property
    def asks_once(self) -> bool:
        return self.channel == "elicit"

    @property
    def dies_with_call(self) -> bool:
        return self.channel == "elicit"

    async def ask(self, approval: Approval) -> Reply | None:
        self.seen.append(approval)
        return self.reply(approval) if callable(self.reply) else self.reply


@dataclass
class Later:
    """A person whose answer comes with the repeated call."""

    answers: str | None = None
    reply: Reply | None = None
    channel: Channel = "elicit"
    asks_once = True
    dies_with_call = True

    async def ask(self, approval: Approval) -> Reply:
        if self.reply is None:
            raise AskedError(approval)
        return self.reply


@dataclass
class Only:
    """Whoever is asked for through the channel this person has, or through the usual one, is this person."""

    person: ApprovalChannel | None
    asker = ""

    def select(self, channel: Channel | None, *, length: int = 0) -> ApprovalChannel | None:
        del length
        fits = self.person is not None and channel in {None, self.person.channel}
        return self.person if fits else None


class PretendApi:
    """The pretend API. ``bodies`` says what a GET of a path answers; ``fail`` breaks a change in the middle."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.names: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.bodies: dict[str, Any] = {}
        self.reads: list[str] = []
        self.changes: list[httpx.Request] = []
        self.fail: Callable[[httpx.Request], httpx.Response] | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1")
        if request.method != "GET":
            self.changes.append(request)
            if self.fail is not None:
                return self.fail(request)
            return httpx.Response(200, json={"id": "done"}, headers={"x-request-id": "req_7"})
        self.reads.append(path)
        status = self.statuses.get(path, 200)
        thing = path.rpartition("/")[2]
        body = {
            "id": thing,
            "name": self.names.get(thing, thing.title()),
            "description": "old",
            "last_used_at": self.clock(),
        }
        if thing in COLLECTIONS:
            body = {"data": [], "has_more": False}
        body = self.bodies.get(path, body)
        return httpx.Response(status, json=body if status == 200 else {"error": {"message": "no"}})


class World:
    """An API, a gate and a client, put together as the server does it. Several may share one API and one directory."""

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        confirm: bool = True,
        system: str = "test",
        beside: "World | None" = None,
        directory: Path = Path(),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.directory: Path = beside.directory if beside else directory
        self._clock: list[float] = beside._clock if beside else [1000.0]
        self.api: PretendApi = beside.api if beside else PretendApi(lambda: self.now)
        self.catalog: Catalog = compiled_catalog()
        self.target = Target(label=f"the {system} system", system=system)
        self.permits = Permits()
        settings = Settings(admin_key=SecretStr(KEY), state_dir=self.directory)
        self.storage: GateStorage = open_storage(settings, lambda: self.now)
        self.client = Client(
            base_url="https://api.example.com/v1",
            key=SecretStr(KEY),
            target=self.target,
            permits=self.permits,
            transport=transport or httpx.MockTransport(self.api.answer),
        )
        policy = policy or Policy.standard(read_only=False)
        self.connection: Api = Api(
            catalog=self.catalog,
            permits=self.permits,
            sink=SecretSink(self.directory / "secrets", "file"),
            key=lambda: SecretStr(KEY),
            connect=self._connect,
        )
        self.gate = Gate(
            policy=policy,
            confirm=confirm,
            target=self.target,
            catalog=self.catalog,
            api=self.connection,
            storage=self.storage,
            owners_lock=lambda: self.directory / "run" / "owners.lock",
        )
        self._server = Installation(self.catalog, self.gate, self.connection, settings.answer_bytes)

    def close(self) -> None:
        """End this process."""
        self.storage.process.close()

    @property
    def now(self) -> float:
        return self._clock[0]

    @now.setter
    def now(self, value: float) -> None:
        self._clock[0] = value

    @property
    def names(self) -> dict[str, str]:
        return self.api.names

    @property
    def statuses(self) -> dict[str, int]:
        return self.api.statuses

    @property
    def reads(self) -> list[str]:
        return self.api.reads

    @property
    def changes(self) -> list[httpx.Request]:
        return self.api.changes

    def state(self, approval_id: str) -> str:
        approval = self.storage.approvals.get(approval_id)
        return approval.state if approval else "gone"

    def journal(self) -> list[Record]:
        return self.storage.journal.records()

    async def _connect(self) -> Client:
        return self.client

    def make(self, tool: str, **arguments: object) -> Endpoint:
        return self.catalog.endpoint(tool).model_validate(arguments)

    async def call(self, call: Endpoint, person: ApprovalChannel | None) -> None:
        """Do what the server does with a call whose arguments are checked: a change may be one it would not pass on."""
        tool = EndpointTool(self.catalog.tool(type(call).SPEC.name), self._server)
        context = CallContext(Only(person), _unheard, lambda: False)
        await self.gate.check(type(call).SPEC)
        await (tool.change(call, context) if type(call).SPEC.mutates else tool.read(call, context))


async def _unheard(done: float, total: float | None, message: str) -> None:
    """Take in what is told on the way."""


def key_of(request: httpx.Request, target: Target) -> str:
    """Return the digest of a request that was sent, worked out from what was on the wire."""
    path = request.url.path.removeprefix("/v1")
    body = request.content.decode() or None
    return WireRequest(request.method, path, body=body).digest(target.system)  # type: ignore[arg-type]  # as sent

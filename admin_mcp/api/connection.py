"""The API as the rest of the program has it: ``Api`` reads, and sends changes. Its client is opened when first used."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio
from pydantic import SecretStr

from admin_mcp.api.key import key_in_use, required
from admin_mcp.api.permits import Admission, Permits
from admin_mcp.api.request import WireRequest, build_request
from admin_mcp.api.response import Expectation, read_answer
from admin_mcp.api.secret_sink import SecretSink
from admin_mcp.catalog import Catalog
from admin_mcp.catalog.hints import absence, verification
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.settings import Settings

if TYPE_CHECKING:
    from admin_mcp.api.client import Client

_SANDBOX_URL = "http://localhost/v1"

Read = Callable[[Endpoint], Awaitable[Json]]
"""Sends a read and returns the API's object; raises ``CallError``."""

LONGEST_TARGET = 60_000
"""Characters of path and query. The HTTP client fails a little above, and servers long before."""


class Api:
    """Reads, and sends what the gate admitted. No secret comes out of it: a new key's value goes to the sink.

    ``key`` returns the admin key in use; ``connect`` the process's one client.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        permits: Permits,
        sink: SecretSink,
        key: Callable[[], SecretStr | None],
        connect: Callable[[], Awaitable["Client"]],
    ) -> None:
        self.permits = permits
        self._catalog = catalog
        self._sink = sink
        self._key = key
        self._connect = connect

    @property
    def key(self) -> SecretStr | None:
        """The admin key in use."""
        return self._key()

    def prepared(self, call: Endpoint) -> WireRequest:
        """Return the one request for a call: the value that is approved, hashed and sent.

        Raises:
            Authentication: there is no key. ``InvalidInput``: the key stands in the call, or it makes no address.
            ApiError: the secret that the API will answer with could not be kept.

        """
        key = required(self._key())
        wire = build_request(call)
        address = wire.target
        if key in address or key in (wire.body or ""):
            raise InvalidInput(
                "An argument contains the admin key itself, which must go nowhere; nothing was sent.",
                hint="Leave the key out. Tell the user that it was in the conversation and should be replaced.",
            )
        if len(address) > LONGEST_TARGET:
            raise InvalidInput(
                f"The arguments make an address of {len(address):,} characters, which no server takes; "
                "nothing was sent.",
                hint="Give fewer values at once, and ids and cursors just as they came.",
            )
        if type(call).SPEC.secret:
            self._sink.check()
        return wire

    async def read(self, call: Endpoint) -> Json:
        """Send a read, and return the API's object.

        Raises:
            CallError: it failed.

        """
        return await self._read(call, alone=False)

    async def read_alone(self, call: Endpoint) -> Json:
        """Send a read on a connection of its own: what a person is shown must be the answer to this and no other."""
        return await self._read(call, alone=True)

    async def _read(self, call: Endpoint, *, alone: bool) -> Json:
        wire = self.prepared(call)
        answer = await (await self._connect()).send(wire, alone=alone)
        return read_answer(
            answer, Expectation(mutates=False, verify="", absence=absence(type(call).SPEC, self._catalog))
        )

    async def send(self, call: Endpoint, wire: WireRequest, admission: Admission) -> Json:
        """Send a change, ``call`` as it was ``prepared``, and return the API's object, without any secret.

        Raises:
            PermitError: it was not admitted. Nothing is sent.
            CallError: it failed, or its outcome is not known.

        """
        spec = type(call).SPEC
        verify = verification(spec, self._catalog)
        client = await self._connect()
        answer = await client.send(wire, admission.permit, verify=verify, recheck=admission.recheck)
        admission.request_id = answer.request_id
        result = read_answer(answer, Expectation(mutates=True, verify=verify))
        admission.answer = self._sink.keep(result, spec.secret) if spec.secret else result
        return admission.answer


@asynccontextmanager
async def connected(settings: Settings, catalog: Catalog) -> AsyncIterator[Api]:
    """Yield the API that the settings ask for. Its client is opened at the first request, and closed here."""
    permits = Permits()
    opening = anyio.Lock()
    opened: list[Client] = []
    async with AsyncExitStack() as stack:

        async def connect() -> "Client":
            async with opening:
                if not opened:
                    opened.append(await stack.enter_async_context(_client(settings, permits)))
            return opened[0]

        yield Api(
            catalog=catalog,
            permits=permits,
            sink=SecretSink(settings.state_dir / "secrets", settings.secrets),
            key=partial(key_in_use, settings),
            connect=connect,
        )


def _client(settings: Settings, permits: Permits) -> "Client":
    """Return the client: to the API, or to the sandbox in this process. It brings the HTTP library along."""
    from admin_mcp.api.client import Client  # noqa: PLC0415 - keeps httpx out of start-up

    key = key_in_use(settings)
    if not settings.sandbox:
        return Client(base_url=settings.base_url, key=key, target=settings.target, permits=permits)
    from admin_mcp.sandbox.faults import parse_faults  # noqa: PLC0415 - only the sandbox needs it
    from admin_mcp.sandbox.gateway import Gateway  # noqa: PLC0415
    from admin_mcp.sandbox.organization import Organization, Size  # noqa: PLC0415
    from admin_mcp.sandbox.transport import SandboxTransport  # noqa: PLC0415

    organization = Organization(
        clock=time.time, seed=settings.seed, size=Size(people=settings.people, projects=settings.projects)
    )
    transport = SandboxTransport(Gateway(organization, faults=parse_faults(settings.faults), seed=settings.seed))
    return Client(base_url=_SANDBOX_URL, key=key, target=settings.target, permits=permits, transport=transport)

"""The MCP handlers, and the only place where the rooms meet: arguments -> gate -> request -> client -> response.

Everything that goes wrong in a call ends here as one error object. Nothing else in the package knows MCP's results.
"""

import difflib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from admin_mcp import __version__
from admin_mcp.arguments import parse_arguments
from admin_mcp.catalog import Catalog
from admin_mcp.endpoint import Endpoint
from admin_mcp.errors import CallError, OutcomeUnknown, SchemaMismatch
from admin_mcp.gate.approvals import PENDING_SECONDS, Approvals
from admin_mcp.gate.gate import Gate, Person
from admin_mcp.gate.permits import Permit, Permits
from admin_mcp.gate.policy import Policy
from admin_mcp.gate.reads import verification
from admin_mcp.listing import selected
from admin_mcp.person import NeedsAnswerError, person_for
from admin_mcp.request import build_request
from admin_mcp.response import Expectation, read_answer
from admin_mcp.secret_sink import SecretSink
from admin_mcp.settings import Settings
from admin_mcp.tool import Json

if TYPE_CHECKING:
    from admin_mcp.client import Client

NAME = "openai-admin-mcp"
logger = logging.getLogger(__name__)

INSTRUCTIONS = """\
Administers one OpenAI organization through its Admin API.
Find ids with the list and get tools first; never guess one. Organization roles and project roles are different things.
Reading is free. Every tool that changes something asks a person through the client before anything is sent, and the \
person sees exactly the request: say beforehand what you are about to do and why, and make one change at a time.
After approval_denied or policy_denied stop and tell the user. After outcome_unknown do the read that the hint names \
before anything else. Every error has a hint that says what to do next.
Times are unix seconds, amounts of money US cents unless a tool says otherwise. Lists come in pages: pass the cursor \
the field descriptions name.
"""


class AdminServer:
    """The tools of one process: what is listed, and what a call does."""

    def __init__(self, settings: Settings, catalog: Catalog, approvals: Approvals, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._catalog = catalog
        self._stack = stack
        self._permits = Permits()
        self._client: Client | None = None
        self._connecting = anyio.Lock()
        self._policy = Policy.standard(read_only=settings.read_only)
        self._sink = SecretSink(settings.state_dir / "secrets", settings.secrets)
        self._gate = Gate(
            policy=self._policy,
            confirm=settings.approval != "none",
            catalog=catalog,
            target=settings.target,
            approvals=approvals,
            permits=self._permits,
            reader=self._read,
        )
        self.tools = selected(catalog.tools, read_only=settings.read_only)

    async def list_tools(
        self, ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """Answer tools/list: always the same tools in the same order."""
        del ctx, params
        return types.ListToolsResult.model_validate({"tools": self.tools})

    async def call_tool(
        self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Answer tools/call: the API's object, an error object, or a question to a person."""
        if params.name not in self._catalog:
            raise MCPError(
                code=types.INVALID_PARAMS, message=f"Unknown tool: {params.name}.{self._nearest(params.name)}"
            )
        permit: Permit | None = None
        try:
            call, permit = await self._admitted(params.name, params.arguments or {}, person_for(ctx, params))
            result = await self._execute(call, permit)
        except NeedsAnswerError as question:
            return question.result
        except CallError as error:
            return _result(error.as_object(), is_error=True)
        except Exception:
            logger.exception("%s failed inside this server", params.name)
            return _result(_internal_error(sending=permit is not None).as_object(), is_error=True)
        finally:
            if permit is not None:
                self._permits.withdraw(permit)
        return _result(result, is_error=False)

    async def _admitted(
        self, name: str, arguments: Mapping[str, object], person: Person | None
    ) -> tuple[Endpoint, Permit | None]:
        """Return the validated call, and the permit if it is a change that may be sent."""
        endpoint = self._catalog.endpoint(name)
        self._gate.check(endpoint.SPEC)  # first: a tool that is off has no arguments to correct
        call = parse_arguments(endpoint, arguments)
        (await self._connect()).require_key()
        if endpoint.SPEC.secret:
            self._sink.check()
        # Whatever can fail without a person has failed by now.
        return call, await self._gate.admit(call, build_request(call), person)

    async def _read(self, call: Endpoint) -> Json:
        """Send a read of the gate's own."""
        return await self._execute(call, None)

    async def _execute(self, call: Endpoint, permit: Permit | None) -> Json:
        spec = type(call).SPEC
        verify = verification(spec, self._catalog) if spec.mutates else ""
        client = await self._connect()
        answer = await client.send(build_request(call), permit, verify=verify)
        key = self._settings.admin_key
        secrets = (key.get_secret_value(),) if key else ()
        result = read_answer(answer, Expectation(spec.mutates, verify, secrets))
        return self._sink.keep(result, spec.secret) if spec.secret else result

    async def _connect(self) -> "Client":
        """Return the process's HTTP client; it and its library are loaded at the first call, not at start-up."""
        async with self._connecting:
            if self._client is None:
                from admin_mcp.connection import connect  # noqa: PLC0415 - keeps httpx and the sandbox out of start-up

                self._client = await self._stack.enter_async_context(connect(self._settings, self._permits))
        return self._client

    def _nearest(self, name: str) -> str:
        close = difflib.get_close_matches(name, [tool["name"] for tool in self.tools], n=3, cutoff=0.6)
        return f" Did you mean {' or '.join(close)}?" if close else ""


def _result(value: Json, *, is_error: bool) -> types.CallToolResult:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=value, is_error=is_error
    )


def _internal_error(*, sending: bool) -> CallError:
    where = "This server failed while handling the call; the operator finds the details in its log."
    if sending:
        return OutcomeUnknown(f"{where} The change may have been made.", hint="Read the present state before going on.")
    return SchemaMismatch(
        f"{where} Nothing was changed.", hint="Report this to the operator; the same call will likely fail again."
    )


@asynccontextmanager
async def admin_server(
    settings: Settings, catalog: Catalog, approvals: Approvals
) -> AsyncIterator[Server[dict[str, Any]]]:
    """Compose the server for one process, and close its HTTP client afterwards."""
    async with AsyncExitStack() as stack:
        tools = AdminServer(settings, catalog, approvals, stack)
        server: Server[dict[str, Any]] = Server(
            NAME,
            version=__version__,
            title="OpenAI Admin",
            instructions=INSTRUCTIONS,
            on_list_tools=tools.list_tools,
            on_call_tool=tools.call_tool,
        )
        # Approvals live in this process's memory, so a state from an earlier process could not be honoured anyway.
        security = RequestStateSecurity.ephemeral(ttl=PENDING_SECONDS)
        server.middleware.append(RequestStateBoundary(security, default_audience=NAME))
        yield server

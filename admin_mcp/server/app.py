"""The MCP handlers, and the only place where the rooms meet: arguments -> gate -> request -> client -> response.

Everything that goes wrong in a call ends here as one error object. Nothing else in the package knows MCP's results.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from anyio import to_thread
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from admin_mcp import __version__
from admin_mcp.api.permits import PermitError, Permits
from admin_mcp.api.request import build_request
from admin_mcp.api.response import Expectation, read_answer, redact
from admin_mcp.catalog import Catalog
from admin_mcp.channels.form import NeedsAnswerError, form_of
from admin_mcp.channels.local_channel import LocalChannel
from admin_mcp.channels.request_state_key import request_state_key
from admin_mcp.channels.selector import OfferedChannels
from admin_mcp.channels.two_step import CONFIRM_CHANGE, CONFIRM_TOOL, TwoStepConfirm, parse_confirmation
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApprovalDenied, CallError, InvalidInput
from admin_mcp.gate.approval_channel import ChannelSelector
from admin_mcp.gate.approvals import PENDING_SECONDS
from admin_mcp.gate.gate import Admission, Gate
from admin_mcp.gate.guardrails import GuardrailChecks
from admin_mcp.gate.policy import Policy
from admin_mcp.gate.reads import absence, verification
from admin_mcp.gate.storage import GateStorage
from admin_mcp.private_files import lock_of_system
from admin_mcp.server.instructions import INSTRUCTIONS, SEARCH_INSTRUCTIONS
from admin_mcp.server.list_cache import ListCache
from admin_mcp.server.results import ResultTooLongError, error_result, internal_error, too_long, tool_result
from admin_mcp.settings import Settings
from admin_mcp.suggestions import nearest
from admin_mcp.tools.mentions import usable_hint
from admin_mcp.tools.secret_sink import SecretSink
from admin_mcp.tools.selection import selection_of

if TYPE_CHECKING:
    from pydantic import SecretStr

    from admin_mcp.api.client import Client

NAME = "openai-admin-mcp"
_WAIT_WITH_PROGRESS = 45.0
_WAIT_WITHOUT_PROGRESS = 4.0
logger = logging.getLogger(__name__)


class AdminServer:
    """The tools of one process: what is listed, and what a call does."""

    def __init__(
        self, settings: Settings, catalog: Catalog, policy: Policy, storage: GateStorage, stack: AsyncExitStack
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._storage = storage
        self._stack = stack
        self._secrets = (settings.admin_key.get_secret_value(),) if settings.admin_key else ()
        self._permits = Permits()
        self._client: Client | None = None
        self._connecting = anyio.Lock()
        self._sink = SecretSink(settings.state_dir / "secrets", settings.secrets)
        self._gate = Gate(
            policy=policy,
            confirm=settings.approval != "none",
            target=settings.target,
            catalog=catalog,
            reader=self._read,
            guardrails=GuardrailChecks(
                policy.guardrails,
                catalog,
                self._read,
                key=self._key,
                lock=partial(lock_of_system, settings.target.system),
            ),
            storage=storage,
            permits=self._permits,
        )
        self._two_step = settings.approval == "two-step" and not settings.read_only
        self._offered = selection_of(settings).of(catalog.tools)
        self._not_offered = {tool["name"] for tool in catalog.tools} - {tool["name"] for tool in self._offered}
        self.tools = list(self._offered)
        if settings.search:
            from admin_mcp.tools.search import search_tools  # noqa: PLC0415 - only this mode needs it

            self.tools = search_tools()
        if self._two_step:
            self.tools.append(CONFIRM_TOOL)

    @property
    def instructions(self) -> str:
        """What the client is told about this server as a whole."""
        return INSTRUCTIONS + SEARCH_INSTRUCTIONS if self._settings.search else INSTRUCTIONS

    async def list_tools(
        self, ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """Answer tools/list: always the same tools in the same order."""
        del ctx, params
        return types.ListToolsResult.model_validate({"tools": self.tools})

    async def call_tool(
        self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Answer tools/call: the API's object, an error object, or a question to a person.

        Results are made in here as well, so that whatever fails after a change was sent is told as such.
        """
        self._require_known(params.name)
        turn: _Turn | None = None
        try:
            turn = _Turn(ctx, self._ways(ctx, params))
            result = await self._result(params.name, params.arguments or {}, turn)
            return tool_result(result, self._settings.answer_bytes)
        except NeedsAnswerError as question:
            return question.result
        except CallError as error:
            failure = error
        except ResultTooLongError:
            failure = too_long(sending=turn is not None and turn.change)
        except Exception as error:
            logger.exception("%s failed inside this server", params.name)
            # A permit that was refused is a defect too, and one that kept the change from being sent.
            sending = turn is not None and turn.change and not isinstance(error, PermitError)
            failure = internal_error(sending=sending)
        failure.hint = usable_hint(failure.hint, self._not_offered)
        return error_result(failure, self._secrets)

    async def _result(self, name: str, arguments: Mapping[str, object], turn: "_Turn") -> Json:
        if self._two_step and name == CONFIRM_CHANGE:
            return await self._confirm(arguments, turn)
        if self._settings.search:
            return await self._search(name, arguments, turn)
        return await self._call(name, arguments, turn)

    def _require_known(self, name: str) -> None:
        """Refuse a tool that is not there. One that is switched off is the policy's to refuse."""
        listed = [tool["name"] for tool in self.tools]
        if name not in listed and (self._settings.search or name not in self._catalog):
            said = redact(f"Unknown tool: {name}.{nearest(name, listed)}", self._secrets)
            raise MCPError(code=types.INVALID_PARAMS, message=said)

    async def _search(self, name: str, arguments: Mapping[str, object], turn: "_Turn") -> Json:
        """Answer one of the tools of ``--search``. What it calls meets the gate as if it had been called directly."""
        from admin_mcp.tools.search import Names, Query, describe, find, inner_call, parse  # noqa: PLC0415

        match parse(name, arguments):
            case Query() as query:
                return find(self._offered, query)
            case Names() as names:
                return describe(self._offered, names)
            case inner:
                every = {tool["name"]: tool for tool in self._catalog.tools}
                return await self._call(*inner_call(every, name, inner), turn)

    async def _confirm(self, arguments: Mapping[str, object], turn: "_Turn") -> Json:
        """Execute the stored call of a two-step approval."""
        given = parse_confirmation(arguments)
        approval = await to_thread.run_sync(self._storage.approvals.get, given.id)
        if approval is None or approval.question.tool not in self._catalog:
            raise ApprovalDenied(
                "There is no open approval with this id. Nothing was sent.",
                hint="Call the changing tool itself first; its answer has the id and the phrase.",
            )
        turn.people = TwoStepConfirm(given)
        return await self._call(approval.question.tool, approval.question.arguments, turn)

    async def _call(self, name: str, arguments: Mapping[str, object], turn: "_Turn") -> Json:
        endpoint = self._catalog.endpoint(name)
        await self._gate.check(endpoint.SPEC)  # first: a tool that is off has no arguments to correct
        call = parse_arguments(endpoint, arguments)
        key = (await self._connect()).require_key().get_secret_value()
        wire = build_request(call)
        if key in wire.target or key in (wire.body or ""):
            raise InvalidInput(
                "An argument contains the admin key itself, which must go nowhere; nothing was sent.",
                hint="Leave the key out. Tell the user that it was in the conversation and should be replaced.",
            )
        if endpoint.SPEC.secret:
            self._sink.check()
        # Whatever can fail without a person has failed by now.
        async with self._gate.admitted(call, wire, turn.people) as admission:
            turn.change = endpoint.SPEC.mutates
            if endpoint.SPEC.local_fields:
                return await self._read_list(call, turn.ctx)
            result = await self._execute(call, admission)
        if not endpoint.SPEC.mutates:
            self._gate.release(call, result)
        return result

    async def _read_list(self, call: Endpoint, ctx: ServerRequestContext[Any]) -> Json:
        """Read a list: one page or, if the call wants them merged, several."""
        from admin_mcp.endpoints.paging import Bounds, PaginatedEndpoint, read_list  # noqa: PLC0415 - comes with the catalog's modules

        if not isinstance(call, PaginatedEndpoint):
            raise TypeError(f"{type(call).__name__} is no list")
        end = anyio.current_time() + _patience(ctx)

        async def report(items: int, most: int, message: str) -> None:
            await ctx.session.report_progress(items, most, message)

        bounds = Bounds(self._settings.answer_bytes, late=lambda: anyio.current_time() >= end)
        return await read_list(call, self._read_page, bounds, report)

    def _ways(self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams) -> OfferedChannels:
        """Return the ways to a person that this call has; its time to wait begins now."""
        started = anyio.current_time()
        wait = self._settings.approval_wait
        if wait is None:
            wait = _patience(ctx)

        async def report(waited: float) -> None:
            await ctx.session.report_progress(waited, wait, "Waiting for a person's decision on this machine")

        local = partial(
            LocalChannel,
            self._storage.approvals,
            show=self._show if self._settings.open_browser else None,
            started=started,
            wait=wait,
            report=report,
            at=str(self._settings.state_dir),
        )
        return OfferedChannels(self._settings.approval, form_of(ctx, params), local)

    def _show(self) -> Callable[[], bool]:
        """Have the question put on this machine's screen; return what tells whether it is there."""
        from admin_mcp.channels.page_process import start_page_process  # noqa: PLC0415 - most processes never need it

        return start_page_process(self._settings.state_dir)

    def _key(self) -> "SecretStr | None":
        from admin_mcp.api.connection import key_in_use  # noqa: PLC0415 - loaded at the first call, like `connect`

        return key_in_use(self._settings)

    async def _read(self, call: Endpoint) -> Json:
        """Send a read of the gate's own: what a person is shown must be the answer to this request and no other."""
        return await self._execute(call, Admission(), alone=True)

    async def _read_page(self, call: Endpoint) -> Json:
        """Send a read of one page of a list."""
        return await self._execute(call, Admission())

    async def _execute(self, call: Endpoint, admission: Admission, *, alone: bool = False) -> Json:
        spec = type(call).SPEC
        verify = verification(spec, self._catalog) if spec.mutates else ""
        client = await self._connect()
        answer = await client.send(
            build_request(call), admission.permit, verify=verify, alone=alone, recheck=admission.recheck
        )
        admission.request_id = answer.request_id
        result = read_answer(answer, Expectation(spec.mutates, verify, absence(spec, self._catalog)))
        return self._sink.keep(result, spec.secret) if spec.secret else result

    async def _connect(self) -> "Client":
        """Return the process's HTTP client; it and its library are loaded at the first call, not at start-up."""
        async with self._connecting:
            if self._client is None:
                from admin_mcp.api.connection import connect  # noqa: PLC0415 - keeps httpx and the sandbox out of start-up

                self._client = await self._stack.enter_async_context(connect(self._settings, self._permits))
        return self._client


@dataclass(slots=True)
class _Turn:
    """One tools/call on its way: whom it came with, who can be asked, and whether a change may have been sent."""

    ctx: ServerRequestContext[Any]
    people: ChannelSelector
    change: bool = False


def _patience(ctx: ServerRequestContext[Any]) -> float:
    """Return how many seconds the client waits without complaint: some give up after 5 if they see no progress."""
    token = ctx.meta.get("progress_token") if ctx.meta else None
    return _WAIT_WITHOUT_PROGRESS if token is None else _WAIT_WITH_PROGRESS


@asynccontextmanager
async def admin_server(
    settings: Settings, catalog: Catalog, policy: Policy, storage: GateStorage
) -> AsyncIterator[Server[dict[str, Any]]]:
    """Compose the server for one process, and close its HTTP client afterwards."""
    async with AsyncExitStack() as stack:
        tools = AdminServer(settings, catalog, policy, storage, stack)
        server: Server[dict[str, Any]] = Server(
            NAME,
            version=__version__,
            title="OpenAI Admin",
            instructions=tools.instructions,
            on_list_tools=tools.list_tools,
            on_call_tool=tools.call_tool,
        )
        # A server that only reads asks nothing, so it needs no place to keep a key in.
        security = (
            RequestStateSecurity.ephemeral(ttl=PENDING_SECONDS)
            if settings.read_only
            else RequestStateSecurity(keys=[request_state_key(settings.state_dir)], ttl=PENDING_SECONDS)
        )
        server.middleware.append(RequestStateBoundary(security, default_audience=NAME))
        server.middleware.append(ListCache())
        yield server

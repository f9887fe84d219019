"""The MCP handlers, and the place where one process's rooms are put together: API -> gate -> tools -> MCP.

Everything that goes wrong in a call ends here as one error object. Nothing else in the package knows MCP's results.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from admin_mcp import __version__
from admin_mcp.api.connection import connected
from admin_mcp.api.permits import PermitError
from admin_mcp.api.response import redact
from admin_mcp.catalog import Catalog
from admin_mcp.channels.form import NeedsAnswerError, form_of
from admin_mcp.channels.link import MakeLink, link_of
from admin_mcp.channels.local_channel import NOTIFICATION, PAGE, LocalChannel
from admin_mcp.channels.request_state_key import request_state_key
from admin_mcp.channels.selector import OfferedChannels
from admin_mcp.errors import CallError
from admin_mcp.gate.approval import PENDING_SECONDS
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.gate.gate import open_gate
from admin_mcp.gate.policy import Policy
from admin_mcp.gate.questions import Opened
from admin_mcp.gate.storage import GateStorage
from admin_mcp.server.instructions import INSTRUCTIONS, SEARCH_INSTRUCTIONS
from admin_mcp.server.list_cache import ListCache
from admin_mcp.server.results import ResultTooLongError, error_result, internal_error, too_long, tool_result
from admin_mcp.settings import Settings
from admin_mcp.suggestions import nearest
from admin_mcp.tools.endpoint_tool import Installation
from admin_mcp.tools.mentions import usable_hint
from admin_mcp.tools.offer import Offer, offer_of
from admin_mcp.tools.protocol import CallContext, Tool

NAME = "openai-admin-mcp"
_WAIT_WITH_PROGRESS = 45.0
_WAIT_WITHOUT_PROGRESS = 4.0
logger = logging.getLogger(__name__)


class AdminServer:
    """MCP's handlers over the tools of one process."""

    def __init__(self, settings: Settings, offer: Offer, storage: GateStorage) -> None:
        self._settings = settings
        self._offer = offer
        self._storage = storage
        self._secrets = (settings.admin_key.get_secret_value(),) if settings.admin_key else ()
        self._links: MakeLink | None = None

    @property
    def instructions(self) -> str:
        """What the client is told about this server as a whole."""
        return INSTRUCTIONS + SEARCH_INSTRUCTIONS if self._settings.search else INSTRUCTIONS

    async def list_tools(
        self, ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """Answer tools/list: always the same tools in the same order."""
        del ctx, params
        return types.ListToolsResult.model_validate({"tools": self._offer.listed})

    async def call_tool(
        self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Answer tools/call: the API's object, an error object, or a question to a person.

        Results are made in here as well, so that whatever fails after a change was sent is told as such.
        """
        tool = self._known(params.name)
        context: CallContext | None = None
        try:
            context = self._context(ctx, params)
            result = await tool.run(params.arguments or {}, context)
            return tool_result(result, self._settings.answer_bytes)
        except NeedsAnswerError as question:
            return question.result
        except CallError as error:
            failure = error
        except ResultTooLongError:
            failure = too_long(sending=context is not None and context.sending)
        except Exception as error:
            logger.exception("%s failed inside this server", params.name)
            # A permit that was refused is a defect too, and one that kept the change from being sent.
            sending = context is not None and context.sending and not isinstance(error, PermitError)
            failure = internal_error(sending=sending)
        failure.hint = usable_hint(failure.hint, self._offer.missing)
        return error_result(failure, self._secrets)

    def _known(self, name: str) -> Tool:
        """Return a tool by its name. One that is switched off is the policy's to refuse."""
        tool = self._offer.callable.get(name)
        if tool is None:
            listed = [definition["name"] for definition in self._offer.listed]
            said = redact(f"Unknown tool: {name}.{nearest(name, listed)}{self._way_to(name)}", self._secrets)
            raise MCPError(code=types.INVALID_PARAMS, message=said)
        return tool

    def _way_to(self, name: str) -> str:
        """Say how to get at a tool where the listed ones only lead to the others."""
        if not self._offer.inside:
            return ""
        from admin_mcp.tools.search import way_to  # noqa: PLC0415 - only this mode needs it

        return way_to(name, self._offer.inside)

    def _context(self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams) -> CallContext:
        """Return what a call has to go by; its time begins now."""
        started = anyio.current_time()
        patience = _patience(ctx)
        wait = patience if self._settings.approval_wait is None else self._settings.approval_wait

        async def report(waited: float, message: str) -> None:
            await ctx.session.report_progress(waited, wait, message)

        local = partial(
            LocalChannel,
            self._storage.approvals,
            show=self._show if self._settings.open_browser or self._notifies() else None,
            screen=PAGE if self._settings.open_browser else NOTIFICATION,
            started=started,
            wait=wait,
            unseen=patience,
            report=report,
            at=str(self._settings.state_dir),
            link=partial(link_of, ctx, params, self._link),
        )
        return CallContext(
            channels=OfferedChannels(self._settings.approval, form_of(ctx, params), local, self._asker(ctx)),
            report=ctx.session.report_progress,
            late=lambda: anyio.current_time() >= started + patience,
        )

    def _link(self, approval_id: str) -> str | None:
        """Return a one-time link to a question's page, for the client's eyes only."""
        if self._links is None:
            from admin_mcp.channels.link_process import Links  # noqa: PLC0415 - as below

            self._links = Links(self._settings.state_dir)
        return self._links(approval_id)

    def _asker(self, ctx: ServerRequestContext[Any]) -> str:
        """Return the name and version that the client gives itself, be it in `initialize` or with this very call."""
        given = ctx.session.client_params
        said = f"{given.client_info.name} {given.client_info.version}".strip() if given else ""
        return "" if any(secret in said for secret in self._secrets) else said

    def _notifies(self) -> bool:
        """Whether a notification is to tell of a question that no page opens for."""
        from admin_mcp.channels.desktop import installed  # noqa: PLC0415 - as below

        return self._settings.desktop_notifications and installed()

    def _show(self) -> Callable[[], bool]:
        """Have the question put on this machine's screen; return what tells whether it is there."""
        from admin_mcp.channels.page_process import start_page_process  # noqa: PLC0415 - most processes never need it

        return start_page_process(self._settings.state_dir)


def _patience(ctx: ServerRequestContext[Any]) -> float:
    """Return how many seconds the client waits without complaint: some give up after 5 if they see no progress."""
    token = ctx.meta.get("progress_token") if ctx.meta else None
    return _WAIT_WITHOUT_PROGRESS if token is None else _WAIT_WITH_PROGRESS


def _beside_tools(settings: Settings, offer: Offer, installation: Installation) -> dict[str, Any]:
    """Return the handlers for prompts and resources, unless they are not wanted."""
    if settings.no_prompts:
        return {}
    from admin_mcp.server.prompts import Prompts  # noqa: PLC0415 - some servers have none
    from admin_mcp.server.resources import Resources  # noqa: PLC0415

    prompts = Prompts(installation, offer.missing, read_only=settings.read_only)
    secrets = (settings.admin_key.get_secret_value(),) if settings.admin_key else ()
    resources = Resources(installation.gate, offer.missing, secrets)
    return {
        "on_list_prompts": prompts.list,
        "on_get_prompt": prompts.get,
        "on_completion": prompts.complete,
        "on_list_resources": resources.list,
        "on_list_resource_templates": resources.templates,
        "on_read_resource": resources.read,
    }


@asynccontextmanager
async def _notices(policy: Policy, storage: GateStorage, secrets: tuple[str, ...]) -> AsyncIterator[Opened | None]:
    """Yield what tells the policy's webhooks of a question, or None if there are none."""
    if not policy.webhooks:
        yield None
        return
    from admin_mcp.channels.notify import notices  # noqa: PLC0415 - brings the HTTP client, which most starts never need

    async with notices(policy.webhooks, storage.approvals, epoch_seconds, secrets) as opened:
        yield opened


@asynccontextmanager
async def admin_server(
    settings: Settings, catalog: Catalog, policy: Policy, storage: GateStorage
) -> AsyncIterator[Server[dict[str, Any]]]:
    """Compose the server for one process, and close its HTTP client afterwards."""
    secrets = (settings.admin_key.get_secret_value(),) if settings.admin_key else ()
    async with (
        connected(settings, catalog) as api,
        _notices(policy, storage, secrets) as opened,
    ):
        gate = open_gate(settings, policy, catalog, api, storage, opened=opened)
        installation = Installation(catalog, gate, api, settings.answer_bytes)
        offer = offer_of(settings, installation, storage)
        handlers = AdminServer(settings, offer, storage)
        server: Server[dict[str, Any]] = Server(
            NAME,
            version=__version__,
            title="OpenAI Admin",
            instructions=handlers.instructions,
            on_list_tools=handlers.list_tools,
            on_call_tool=handlers.call_tool,
            **_beside_tools(settings, offer, installation),
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

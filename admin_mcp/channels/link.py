"""Has the client open the approval page: its one-time link goes in an ``elicitation/create`` of mode ``url`` alone.

The link lets whoever has it decide, so it is offered only where the client's own form would be believed as well. What
the client answers says whether the person opened the page, never what they decided.
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import mcp_types as types
from anyio import to_thread
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from admin_mcp.channels.form import NeedsAnswerError
from admin_mcp.channels.local_channel import Link
from admin_mcp.errors import CallError
from admin_mcp.gate.approval import PENDING_SECONDS, Approval

_QUESTION = "page"
_STATE = "link"

MakeLink = Callable[[str], str | None]
"""Takes an approval's id and returns the one-time link to its page, or None if it can't be had. May block."""


def link_of(ctx: ServerRequestContext[Any], params: types.CallToolRequestParams, make: MakeLink) -> Link | None:
    """Return the way to have the client open a page, or None if it opens none."""
    capabilities = ctx.session.client_capabilities
    offered = capabilities.elicitation if capabilities else None
    if offered is None or offered.url is None:
        return None
    return RetriedLink(params, make) if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS else InlineLink(ctx, make)


class InlineLink:
    """Offers the link while the call is open."""

    def __init__(self, ctx: ServerRequestContext[Any], make: MakeLink) -> None:
        self._ctx = ctx
        self._make = make
        self._elicitation: str | None = None

    async def offer(self, approval: Approval, decided: Callable[[], Awaitable[None]]) -> bool | None:
        """Return whether the person wants the page: no if all is decided meanwhile, None if they could not be asked."""
        address = await to_thread.run_sync(self._make, approval.id)
        if address is None:
            return None
        action: str | None = None
        over = False
        failed: CallError | None = None
        async with anyio.create_task_group() as both:

            async def elsewhere() -> None:
                nonlocal over, failed
                try:
                    await decided()
                    over = True
                except CallError as error:  # the group would wrap it, and nobody know it for what it is
                    failed = error
                both.cancel_scope.cancel()

            both.start_soon(elsewhere)
            action = await self._sent(approval, address)
            both.cancel_scope.cancel()
        if failed is not None:
            raise failed
        if action is None:
            return False if over else None
        return action == "accept"

    async def done(self) -> None:
        """Send ``notifications/elicitation/complete``, so that the client shows the link no longer."""
        if self._elicitation is not None:
            await self._ctx.session.send_elicit_complete(self._elicitation, self._ctx.request_id)

    async def _sent(self, approval: Approval, address: str) -> str | None:
        self._elicitation = secrets.token_hex(8)
        try:
            result = await self._ctx.session.send_request(
                types.ElicitRequest(params=_params(approval, address, self._elicitation)),
                types.ElicitResult,
                request_read_timeout_seconds=PENDING_SECONDS,
                metadata=ServerMessageMetadata(related_request_id=self._ctx.request_id),
            )
        except (MCPError, ValidationError):
            return None
        return result.action


class RetriedLink:
    """Offers the link by ending the call, which comes back when the person has answered."""

    def __init__(self, params: types.CallToolRequestParams, make: MakeLink) -> None:
        self._make = make
        self._offered: str | None = None
        self._action: str | None = None
        answer = (params.input_responses or {}).get(_QUESTION)
        if params.request_state is not None and isinstance(answer, types.ElicitResult):
            self._offered = json.loads(params.request_state).get(_STATE)
            self._action = answer.action

    async def done(self) -> None:
        """Do nothing: the client has answered the question and forgotten it before the call came back."""

    async def offer(self, approval: Approval, decided: Callable[[], Awaitable[None]]) -> bool | None:
        """Return whether the person wants the page, as this call says, or end the call with the link."""
        del decided
        if self._offered == approval.id:
            return self._action == "accept"
        address = await to_thread.run_sync(self._make, approval.id)
        if address is None:
            return None
        raise NeedsAnswerError(
            types.InputRequiredResult(
                input_requests={_QUESTION: types.ElicitRequest(params=_params(approval, address, None))},
                request_state=json.dumps({_STATE: approval.id}),
            )
        )


def _params(approval: Approval, address: str, elicitation_id: str | None) -> types.ElicitRequestURLParams:
    return types.ElicitRequestURLParams(
        message=f"{approval.preview.heading}\nThe page shows all of it, and there it is approved or rejected. "
        "Opening it decides nothing.",
        url=address,
        elicitation_id=elicitation_id,
    )

"""MCP's two ways to reach the person at the client: a question in the middle of a call, or a call that is repeated.

Up to 2025-11-25 the server sends ``elicitation/create`` and waits. From 2026-07-28 the call ends with the question and
sealed state, and comes back with the answer. Translation only: what an answer means is for the gate.
"""

import json
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from admin_mcp.errors import AdminMcpError, ApprovalUnavailable
from admin_mcp.gate.approval import PENDING_SECONDS, Approval
from admin_mcp.gate.approval_channel import ApprovalChannel
from admin_mcp.gate.forms import Reply, form_message, form_schema
from admin_mcp.gate.policy import Channel

_QUESTION = "approval"


class NeedsAnswerError(AdminMcpError):
    """The call ends here with a question; its repetition brings the answer."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("a person's answer is needed")
        self.result = result


def form_of(ctx: ServerRequestContext[Any], params: types.CallToolRequestParams) -> ApprovalChannel | None:
    """Return the way to the person behind this call, or None if the client shows no forms."""
    capabilities = ctx.session.client_capabilities
    offered = capabilities.elicitation if capabilities else None
    if offered is None or (offered.form is None and offered.url is not None):
        return None
    return RetriedElicitation(params) if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS else InlineElicitation(ctx)


class InlineElicitation:
    """Asks while the call is open."""

    channel: Channel = "elicit"
    asks_once = True
    dies_with_call = True
    answers = None

    def __init__(self, ctx: ServerRequestContext[Any]) -> None:
        self._ctx = ctx

    async def ask(self, approval: Approval) -> Reply:
        """Show the form and wait for the answer, for as long as the approval may stay pending."""
        try:
            result = await self._ctx.session.send_request(
                types.ElicitRequest(params=_form(approval)),
                types.ElicitResult,
                request_read_timeout_seconds=PENDING_SECONDS,
                metadata=ServerMessageMetadata(related_request_id=self._ctx.request_id),
            )
        except (MCPError, ValidationError):
            raise ApprovalUnavailable(
                "The client was asked to show the approval form and gave no usable answer. Nothing was sent.",
                hint="Tell the user; they can try again, or use a client that shows MCP forms.",
            ) from None
        return Reply(result.action, result.content)


class RetriedElicitation:
    """Asks by ending the call; answers when the call comes back with the state that was sealed for this approval."""

    channel: Channel = "elicit"
    asks_once = True
    dies_with_call = True

    def __init__(self, params: types.CallToolRequestParams) -> None:
        self.answers: str | None = None
        self._reply: Reply | None = None
        answer = (params.input_responses or {}).get(_QUESTION)
        # An answer without the state could have been made up by anyone, so it counts for nothing.
        if params.request_state is not None and isinstance(answer, types.ElicitResult):
            answers = json.loads(params.request_state).get("approval")
            if answers is not None:  # it may be what was sealed for another kind of question
                self.answers = str(answers)
                self._reply = Reply(answer.action, answer.content)

    async def ask(self, approval: Approval) -> Reply:
        """Return the answer this call brought, or end it with the question."""
        if self._reply is not None:
            return self._reply
        raise NeedsAnswerError(
            types.InputRequiredResult(
                input_requests={_QUESTION: types.ElicitRequest(params=_form(approval))},
                request_state=json.dumps({"approval": approval.id}),
            )
        )


def _form(approval: Approval) -> types.ElicitRequestFormParams:
    return types.ElicitRequestFormParams(
        message=form_message(approval.preview),
        requested_schema=form_schema(approval.preview),
    )

"""A call's outcome -> MCP's result: the object itself and the same as compact JSON text. Pure."""

import json
from collections.abc import Sequence

import mcp_types as types

from admin_mcp.errors import CallError, Internal, OutcomeUnknown
from admin_mcp.response import redact
from admin_mcp.strict_json import without_halves
from admin_mcp.tool import Json


def tool_result(value: Json) -> types.CallToolResult:
    """Return the result of a call that succeeded, made so that nothing in it can fail to be written."""
    text = _text(value)
    sendable = without_halves(text)
    return _result(value if sendable is text else json.loads(sendable), sendable, is_error=False)


def error_result(error: CallError, secrets: Sequence[str] = ()) -> types.CallToolResult:
    """Return the result of a call that failed. ``secrets`` are blotted out: what it quotes may come from anywhere."""
    fields = error.as_object()["error"].items()
    said = {name: redact(item, secrets) if isinstance(item, str) else item for name, item in fields}
    return _result({"error": said}, _text({"error": said}), is_error=True)


def internal_error(*, sending: bool) -> CallError:
    """Return the error for a failure of this server's own; ``sending``: a change may be on its way."""
    where = "This server failed while handling the call; the operator finds the details in its log."
    if sending:
        return OutcomeUnknown(f"{where} The change may have been made.", hint="Read the present state before going on.")
    return Internal(
        f"{where} Nothing was changed.", hint="Report this to the operator; the same call will likely fail again."
    )


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _result(value: Json, text: str, *, is_error: bool) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=value, is_error=is_error
    )

"""A call's outcome -> MCP's result: the object itself and the same as compact JSON text. Pure."""

import json

import mcp_types as types

from admin_mcp.errors import CallError, OutcomeUnknown, SchemaMismatch
from admin_mcp.tool import Json


def tool_result(value: Json, *, is_error: bool) -> types.CallToolResult:
    """Return the result of a call."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=value, is_error=is_error
    )


def internal_error(*, sending: bool) -> CallError:
    """Return the error for a failure of this server's own; ``sending``: a change may be on its way."""
    where = "This server failed while handling the call; the operator finds the details in its log."
    if sending:
        return OutcomeUnknown(f"{where} The change may have been made.", hint="Read the present state before going on.")
    return SchemaMismatch(
        f"{where} Nothing was changed.", hint="Report this to the operator; the same call will likely fail again."
    )

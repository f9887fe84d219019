"""A call's outcome -> MCP's result: the object itself and the same as compact JSON text. Pure."""

import json
from collections.abc import Sequence

import mcp_types as types

from admin_mcp.api.response import redact
from admin_mcp.api.strict_json import weight, without_halves
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import AdminMcpError, ApiError, CallError, Internal, OutcomeUnknown
from admin_mcp.tools.protocol import Told

_LIGHT = 64 * 1024
"""Bytes of JSON that are passed on without being weighed."""

_HEAVIEST = 4 * 1024 * 1024
"""The most that a result may weigh; writing it takes up to ten times as much memory."""

_WEIGHT_OF_A_BYTE = 12
"""What a byte of a list weighs, more or less; the operator says how many bytes of one they want."""


class ResultTooLongError(AdminMcpError):
    """The API's object is longer than can be passed on."""


def tool_result(value: Json, answer_bytes: int = 0) -> types.CallToolResult:
    """Return the result of a call that succeeded, made so that nothing in it can fail to be written.

    Raises:
        ResultTooLongError: it is longer than any object of the API, and than the operator's ``answer_bytes``.

    """
    text = _text(value)
    if len(text) > max(_LIGHT, answer_bytes) and weight(text.encode("utf-8", "replace")) > max(
        _HEAVIEST, _WEIGHT_OF_A_BYTE * answer_bytes
    ):
        raise ResultTooLongError
    sendable = without_halves(text)
    whole = value if sendable == text else json.loads(sendable)
    said = without_halves(value.text) if isinstance(value, Told) else sendable
    return _result(whole, said, is_error=False)


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


def too_long(*, sending: bool) -> CallError:
    """Return the error for an object that can't be passed on; ``sending``: it is a change's."""
    said = "The API answered with an object that is too long to be passed on"
    if sending:
        return OutcomeUnknown(
            f"{said}. The change was most likely made.", hint="Read the present state before going on."
        )
    return ApiError(f"{said}.", hint="Ask for less, if the tool has arguments for that; otherwise tell the operator.")


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _result(value: Json, text: str, *, is_error: bool) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=value, is_error=is_error
    )

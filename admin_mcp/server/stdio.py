"""The protocol's stdin and stdout: the SDK's transport, plus an answer to every line that is no message.

The SDK drops what it can't read, and the client then waits for ever. Here such a line gets its JSON-RPC error. A line
that is not UTF-8, or spells half of a surrogate pair, is never repaired: what is sent must be what the client meant.
"""

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BufferedReader, RawIOBase, TextIOWrapper
from typing import TYPE_CHECKING, Self

import anyio
import mcp_types as types
from anyio import to_thread
from mcp.server.stdio import stdio_server
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from pydantic_core import from_json

from admin_mcp.api.strict_json import has_halves, without_halves
from admin_mcp.server.pipes import PipeLines, is_pipe, own_stdout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from admin_mcp.server.front import Handed

Reply = Callable[[SessionMessage], Awaitable[None]]


class _CheckedLines(anyio.AsyncFile[str]):
    """Lines of stdin that are JSON-RPC messages. The others are answered and passed over."""

    reply: Reply
    replay: "Replay | None" = None
    pipe: PipeLines | None = None

    async def readline(self) -> str:
        """Return the next message's line, or an empty string at the end."""
        if self.replay is not None and (line := await self.replay.next()):
            return line
        while line := await self._next():
            error = malformed(line)
            if error is None:
                return line
            if line.strip():
                await self.reply(SessionMessage(error))
        return line

    async def _next(self) -> str:
        if self.pipe is not None:
            return (await self.pipe.next()).decode("utf-8", "surrogateescape")
        # The thread is left behind when the session ends meanwhile: nothing can wake it but the client.
        return await to_thread.run_sync(self.wrapped.readline, abandon_on_cancel=True)


def malformed(line: str) -> types.JSONRPCError | None:
    """Return the error to answer a line with, or None if it is a message.

    Bytes that are not UTF-8 stand in the line as Python's surrogate escapes.
    """
    if without_halves(line) != line:
        return _error(types.PARSE_ERROR, "Parse error: the line is not UTF-8", None)
    if _is_message(line):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return _error(types.PARSE_ERROR, "Parse error: the line is not JSON", None)
    if isinstance(value, list):
        return _error(types.INVALID_REQUEST, "Invalid request: batches are not supported", None)
    wrong = "half of a surrogate pair is no text" if has_halves(line.encode()) else "not a JSON-RPC 2.0 message"
    return _error(types.INVALID_REQUEST, f"Invalid request: {wrong}", _readable_id(value))


def _is_message(line: str) -> bool:
    try:
        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
        # With an id that JSON-RPC does not allow, a request passes for a notification, and would never be answered.
        return not (isinstance(message, types.JSONRPCNotification) and "id" in from_json(line))
    except ValueError:  # pydantic's ValidationError is one
        return False


def _readable_id(value: object) -> types.RequestId | None:
    found = value.get("id") if isinstance(value, dict) else None
    usable = (isinstance(found, str) and without_halves(found) == found) or (
        isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**53
    )
    return found if usable else None


def _error(code: int, message: str, request_id: types.RequestId | None) -> types.JSONRPCError:
    return types.JSONRPCError(jsonrpc="2.0", id=request_id, error=types.ErrorData(code=code, message=message))


class Replay:
    """What was answered before the server was there. It sees that first, and its answers go nowhere."""

    def __init__(self, handed: "Handed", behind: WriteStream[SessionMessage]) -> None:
        self._lines = [line.decode() for line in handed.replayed]
        self._unanswered = [*handed.answered]
        self._behind = behind
        self._settled = anyio.Event()
        self._settle()

    async def next(self) -> str:
        """Return the next of its lines, or an empty string when all of them are answered."""
        if self._lines:
            return self._lines.pop(0)
        await self._settled.wait()
        return ""

    async def send(self, item: SessionMessage, /) -> None:
        """Pass a message on, unless the client has it already."""
        message = item.message
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id in self._unanswered:
            self._unanswered.remove(message.id)
            self._settle()
        else:
            await self._behind.send(item)

    async def aclose(self) -> None:
        """Close the stream behind."""
        await self._behind.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def _settle(self) -> None:
        if not self._unanswered:
            self._settled.set()


class _ReadAhead(RawIOBase):
    """stdin, from where the client's first bytes were read to their end."""

    def __init__(self, ahead: bytes) -> None:
        self._ahead = ahead

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        found = self._ahead[: len(view)] or os.read(0, len(view))
        self._ahead = self._ahead[len(found) :]
        view[: len(found)] = found
        return len(found)


@asynccontextmanager
async def checked_stdio(
    handed: "Handed | None" = None,
) -> AsyncIterator[tuple[ReadStream[SessionMessage | Exception], WriteStream[SessionMessage]]]:
    """Serve the process's stdin and stdout; stray prints of this process go to stderr meanwhile.

    A client that closes stdout has gone, as one that closes stdin: the context ends, without an error.
    """
    ahead = handed.ahead if handed else b""
    source = BufferedReader(_ReadAhead(ahead)) if handed else sys.stdin.buffer
    lines = _CheckedLines(TextIOWrapper(source, encoding="utf-8", errors="surrogateescape", newline="\n"))
    lines.pipe = PipeLines(0, ahead) if is_pipe(0) else None
    try:
        with own_stdout() as stdout:
            async with stdio_server(stdin=lines, stdout=stdout) as (read_stream, write_stream):
                lines.reply = write_stream.send
                lines.replay = Replay(handed, write_stream) if handed else None
                yield read_stream, lines.replay or write_stream
    except* (BrokenPipeError, ConnectionResetError):
        pass

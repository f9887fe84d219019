"""What ``doctor HOST`` looks at: the configuration that host really has, and the server that it starts.

It reads the host's file and starts the server once, as the host would; no tool is called, and nothing is written.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO, cast

from admin_mcp.cli.checks import Finding
from admin_mcp.cli.host_files import (
    KeyState,
    Logs,
    Place,
    UnfitFileError,
    key_state,
    servers_of,
    switched_off,
    understood,
)
from admin_mcp.cli.host_table import Host
from admin_mcp.cli.snippets import KEY, SERVER, is_reference, words_of
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.text import visible
from admin_mcp.installation import child_environment, command

if TYPE_CHECKING:
    from anyio import CancelScope

_SLOW = 0.5
"""The share of a host's patience that a start may take here before that is noted: a machine can be busier."""

_MOST_SAID = 16 * 1024 * 1024
_LAST = 64 * 1024
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _Started:
    """What came of starting the server: how long until it had told its tools, how many, or what it said instead."""

    seconds: float
    tools: int | None
    said: str


async def examine_host(host: Host, path: Path, text: str | None) -> AsyncIterator[Finding]:
    """Yield the findings on what a host has in its file, from the file inward to the server that it starts."""
    remedy = f"see what would be written with install {host.name} --dry-run"
    if not host.written:
        remedy = f"paste what config {host.name} prints"
    if text is None:
        yield Finding("FAIL", "file", f"{path} is not there; {remedy}")
        return
    try:
        entry = servers_of(host.shape(), understood(host.shape(), text)).get(SERVER)
    except UnfitFileError as error:
        yield Finding("FAIL", "file", f"{path} {error}")
        return
    if entry is None:
        yield Finding("FAIL", "file", f"{path} has no {SERVER}; {remedy}")
        return
    yield Finding("ok", "file", f"{path} has {SERVER}")
    yield _switched(entry)
    yield _key(host, entry)
    found = _command(words_of(entry))
    yield found
    if found.level != "FAIL":
        for finding in _start(host, await _started(host, entry)):
            yield finding
    if host.logs is not None:
        yield _log(host.title, host.logs(Place(sys.platform, Path.home(), os.environ)), time.time())


def _log(title: str, logs: Logs, now: float) -> Finding:
    """Name the newest log: what is in it is the host's, and stays there."""
    found = []
    try:
        for each in logs.directory.glob(logs.pattern):
            with suppress(FileNotFoundError):  # the host removed it meanwhile, or it is a link to one that is gone
                found.append((each.stat().st_mtime, str(each)))
    except OSError as error:
        return Finding("note", "log", f"{title}'s logs can't be looked for: {error.strerror}")
    if not found:
        return Finding("ok", "log", f"{title} has written none in {visible(str(logs.directory))}")
    written, path = max(found)
    return Finding("ok", "log", f"{title}'s newest is {visible(path)}, written {_ago(now - written)}")


def _ago(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def _switched(entry: Json) -> Finding:
    if switched_off(entry):
        return Finding("FAIL", "switch", "the host has this server switched off")
    return Finding("ok", "switch", "the server is switched on")


def _key(host: Host, entry: Json) -> Finding:
    state = key_state(host.shape(), entry)
    here = f"{KEY}, which is {'set' if os.environ.get(KEY) else 'not set'} here"
    said: Mapping[KeyState, str] = {
        "not needed": "none is needed for the sandbox",
        "missing": f"there is no admin key in it; put it where {KEY} stands",
        "in the file": "an admin key stands in the file, for whoever can read it",
        "asked for": "the host asks for it",
        "kept": f"the host keeps it among its secrets, which can't be seen, or takes {here}",
        "passed on": f"the host passes on {here}",
    }
    if state == "missing":
        return Finding("FAIL", "key", said[state])
    if state in {"kept", "passed on"} and not os.environ.get(KEY):
        return Finding("note", "key", f"{said[state]}; set it where the host is started")
    return Finding("ok", "key", said[state])


def _command(words: list[str]) -> Finding:
    if not words:
        return Finding("FAIL", "command", "it names no command that could be started")
    program = visible(words[0])
    if Path(words[0]).is_absolute():
        if not (Path(words[0]).is_file() and os.access(words[0], os.X_OK)):
            return Finding("FAIL", "command", f"{program} is not there, or can't be started")
    elif "\0" in words[0] or shutil.which(words[0].encode("utf-8", "replace").decode()) is None:
        return Finding("FAIL", "command", f"{program} is not found")
    else:
        return Finding("note", "command", f"{program} is found here, but a host with windows has no PATH to find it by")
    if words[: len(command())] != command():
        return Finding("note", "command", f"{program} starts another installation than this one")
    return Finding("ok", "command", "it starts this installation")


def _start(host: Host, started: _Started) -> Iterator[Finding]:
    if started.tools is None:
        yield Finding("FAIL", "start", started.said or "it ended, or was silent, and said nothing")
        return
    took = f"{started.seconds:.1f} of the {host.starts_within:g} seconds that {host.title} gives it"
    yield Finding("note" if started.seconds > _SLOW * host.starts_within else "ok", "start", f"it took {took}")
    if host.most_tools is not None and started.tools > host.most_tools:
        wanted = f"{host.title} shows a model about {host.most_tools}; choose --toolsets, or --search"
        yield Finding("FAIL", "tools", f"it has {started.tools}; {wanted}")
    else:
        yield Finding("ok", "tools", str(started.tools))


async def _started(host: Host, entry: Json) -> _Started:
    import anyio  # noqa: PLC0415 - loads the MCP library

    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        told: int | str = ""
        with anyio.move_on_after(host.starts_within):
            async with anyio.create_task_group() as both:
                both.start_soon(_bounded, errors, both.cancel_scope)
                told = await _tools_told(words_of(entry), _environment(host, entry), cast("TextIO", errors))
                both.cancel_scope.cancel()
        seconds = time.monotonic() - began
        if isinstance(told, int):
            return _Started(seconds, told, "")
        await anyio.sleep(_LOOK_SECONDS)  # it was ended, and the loop that started it must be there to see it end
        return _Started(seconds, None, visible(_last_line(errors) or told))


async def _bounded(errors: IO[bytes], scope: "CancelScope") -> None:
    """End what writes to this file when it is too much: some programs complain without end."""
    import anyio  # noqa: PLC0415 - as above

    while _length(errors) < _MOST_SAID:  # noqa: ASYNC110 - another process writes
        await anyio.sleep(_LOOK_SECONDS)
    scope.cancel()


def _last_line(errors: IO[bytes]) -> str:
    """Return the last thing that was said, or that it was too much."""
    if (length := _length(errors)) >= _MOST_SAID:
        return f"it wrote more than {_MOST_SAID // 1024**2} MB on stderr"
    errors.seek(max(0, length - _LAST))
    lines = errors.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _length(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


async def _tools_told(words: list[str], environment: Mapping[str, str], errors: TextIO) -> int | str:
    """Return how many tools the server that these words start tells of, or why it never comes to that."""
    from mcp.client.client import Client  # noqa: PLC0415
    from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: PLC0415

    server = StdioServerParameters(command=words[0], args=words[1:], env=dict(environment), cwd=tempfile.gettempdir())
    told: int | str
    try:
        async with Client(stdio_client(server, errlog=errors)) as client:
            told = len((await client.list_tools()).tools)
    except* Exception as failed:  # noqa: BLE001 - any word may stand in the file, and any answer come from the program
        told = _cause(failed)
    return told


def _cause(failed: BaseExceptionGroup) -> str:
    """Return in a line what the first of these errors says."""
    first: BaseException = failed
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return f"{type(first).__name__}: {first}".splitlines()[0]


def _environment(host: Host, entry: Json) -> dict[str, str]:
    """Return the environment as the host would give it: a reference to the key is followed, where it can be."""
    given = entry.get(host.shape().environment, {})
    literal = {name: str(value) for name, value in given.items() if value is not None and not is_reference(value)}
    key = os.environ.get(KEY)
    return {**child_environment(), **({KEY: key} if key else {}), **literal}

"""Measures this server beside a bare SDK server and FastMCP's OpenAPI bridge, in one run, and writes the table.

make bench      (installs FastMCP into benchmarks/.venv; nothing leaves this machine)
"""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.openapi import document  # noqa: E402 - the repository has to be on the path first

ROUNDS = 15
REPEATS = 200
READS = 300
AT_ONCE = 200
PAGE = HERE.parent / "docs" / "performance.md"
READ = {"name": "list_roles", "arguments": {"limit": 5}}
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "0"}}


@dataclass
class Subject:
    """A server to be measured, and what was measured of it."""

    name: str
    command: list[str]
    starts: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    lists: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    at_once: list[float] = field(default_factory=list)
    listing: bytes = b""


class Session:
    """A raw JSON-RPC session over pipes: as little client as there can be."""

    def __init__(self, command: list[str], directory: str) -> None:
        environment = {**os.environ, "ADMIN_MCP_STATE_DIR": directory}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self._id = 0
        self.ask("initialize", HELLO)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, params: dict[str, Any] | None = None) -> bytes:
        """Send a request and return the line that answers it."""
        return self.ask_all(method, params, 1)[0]

    def ask_all(self, method: str, params: dict[str, Any] | None, count: int) -> list[bytes]:
        """Send the same request many times at once and return all answers."""
        first = self._id + 1
        for _ in range(count):
            self._id += 1
            self._write({"jsonrpc": "2.0", "id": self._id, "method": method, **({"params": params} if params else {})})
        assert self._process.stdout  # noqa: S101 - it was asked for
        answers: list[bytes] = []
        while len(answers) < count:
            line = self._process.stdout.readline()
            if not line:
                raise SystemExit(f"{self._process.args!r} ended")
            if json.loads(line).get("id", 0) >= first:
                answers.append(line)
        return answers

    @property
    def memory(self) -> float:
        """The peak of resident memory so far, in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin  # noqa: S101 - it was asked for
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()


@contextmanager
def api() -> Iterator[str]:
    """Serve the sandbox over loopback, in a process of its own, as the API that all of them read from."""
    process = subprocess.Popen([sys.executable, "-m", "admin_mcp", "sandbox"], stdout=subprocess.PIPE, encoding="utf-8")
    with process:
        assert process.stdout  # noqa: S101 - it was asked for
        yield process.stdout.readline().strip()
        process.terminate()


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds it took."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measure(subject: Subject, directory: str, *, calls: bool) -> None:
    """Measure one round of one subject."""
    began = time.perf_counter()
    session = Session(subject.command, directory)
    try:
        subject.listing = session.ask("tools/list")
        subject.starts.append(time.perf_counter() - began)
        subject.memory.append(session.memory)
        if calls:
            subject.lists += [timed(lambda: session.ask("tools/list")) for _ in range(REPEATS // ROUNDS)]
            session.ask("tools/call", READ)
            subject.reads += [timed(lambda: session.ask("tools/call", READ)) for _ in range(READS // ROUNDS)]
            subject.at_once.append(timed(lambda: session.ask_all("tools/call", READ, AT_ONCE)))
        else:
            subject.lists += [timed(lambda: session.ask("tools/list")) for _ in range(REPEATS // ROUNDS)]
    finally:
        session.end()


def bare_http(url: str, reads: list[float], at_once: list[float]) -> None:
    """Measure the same read with nothing but httpx."""
    headers = {"authorization": "Bearer sk-admin-bench"}
    path = f"{url}/organization/roles?limit=5"
    with httpx.Client(headers=headers, trust_env=False) as client:
        client.get(path)
        reads += [timed(lambda: client.get(path)) for _ in range(READS // ROUNDS)]

    async def all_at_once() -> None:
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(headers=headers, trust_env=False, limits=limits, timeout=60) as many:
            await many.get(path)
            began = time.perf_counter()
            await asyncio.gather(*(many.get(path) for _ in range(AT_ONCE)))
            at_once.append(time.perf_counter() - began)

    asyncio.run(all_at_once())


def tokens(listing: bytes) -> int | None:
    """Return the o200k tokens of name, description and inputSchema, if the encoding is installed."""
    interop = HERE.parent / "tests" / "interop"
    if not (interop / "node_modules" / "gpt-tokenizer").exists():
        return None
    tools = json.loads(listing)["result"]["tools"]
    keys = ("name", "description", "inputSchema")
    texts = [json.dumps({key: tool.get(key) for key in keys}, separators=(",", ":")) for tool in tools]
    script = (
        "const {encode}=require('gpt-tokenizer/encoding/o200k_base');"
        "const t=JSON.parse(require('fs').readFileSync(0));console.log(t.reduce((n,x)=>n+encode(x).length,0))"
    )
    node = interop / "node_modules" / ".bin" / "node"
    done = subprocess.run(
        [str(node if node.exists() else "node"), "-e", script],
        input=json.dumps(texts),
        capture_output=True,
        check=True,
        encoding="utf-8",
        cwd=interop,
    )
    return int(done.stdout)


def main() -> None:
    """Measure everything, print the table and write the page."""
    peer_python = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory, api() as url:
        spec = Path(directory) / "openapi.json"
        spec.write_text(json.dumps(document()), "utf-8")
        os.environ |= {"OPENAI_BASE_URL": url, "OPENAI_ADMIN_KEY": "sk-admin-bench"}
        ours = Subject("openai-admin-mcp", [sys.executable, "-m", "admin_mcp"])
        floor = Subject("bare SDK server", [sys.executable, str(HERE / "floor.py")])
        peer = Subject("FastMCP from_openapi", [peer_python, str(HERE / "peer.py"), str(spec), url])
        http_reads: list[float] = []
        http_at_once: list[float] = []
        for number in range(ROUNDS):
            for subject in (floor, ours, peer):
                measure(subject, directory, calls=subject is not floor)
            bare_http(url, http_reads, http_at_once)
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
    text = page(ours, floor, peer, http_reads, http_at_once)
    print(text)
    PAGE.write_text(text, "utf-8")


def page(ours: Subject, floor: Subject, peer: Subject, http_reads: list[float], http_at_once: list[float]) -> str:
    """Return the results as a Markdown page."""
    middle = statistics.median
    added = [middle(subject.reads) - middle(http_reads) for subject in (ours, peer)]
    counted = {subject.name: tokens(subject.listing) for subject in (ours, peer)}

    def row(what: str, values: tuple[float | None, float | None, float | None], unit: str, digits: int = 0) -> str:
        own, bare, other = values
        shown = [f"{value:,.{digits}f} {unit}".strip() if value is not None else "" for value in values]
        ratios = [f"{own / value:.2f}x" if own is not None and value else "" for value in (bare, other)]
        return f"| {what} | {' | '.join(shown)} | {' | '.join(ratios)} |"

    def seconds(values: list[float]) -> float:
        return middle(values) * 1000

    lines = [
        "# Performance",
        "",
        "Hosts start every server at launch, and some start one for each call, so the start is the cost people feel.",
        "The floor is a server made of the SDK alone, with no tools. The peer is FastMCP's bridge over an OpenAPI",
        "document with the same 143 endpoints, generated from this catalog. All of them ran in turns, on one machine,",
        f"in one run; figures are medians over {ROUNDS} rounds. The API is the sandbox over loopback, in a process of",
        "its own.",
        "",
        "| | this server | floor | FastMCP | of the floor | of FastMCP |",
        "|---|---|---|---|---|---|",
        row("start to complete tools/list", (seconds(ours.starts), seconds(floor.starts), seconds(peer.starts)), "ms"),
        row("tools/list again", (seconds(ours.lists), seconds(floor.lists), seconds(peer.lists)), "ms", 2),
        row("peak memory", (middle(ours.memory), middle(floor.memory), middle(peer.memory)), "MiB"),
        row("a read, added to a bare httpx call", (added[0] * 1000, None, added[1] * 1000), "ms", 2),
        row(
            f"{AT_ONCE} reads at once (floor: bare httpx)",
            (seconds(ours.at_once), seconds(http_at_once), seconds(peer.at_once)),
            "ms",
        ),
        row("the list, in bytes", (len(ours.listing), None, len(peer.listing)), ""),
    ]
    if all(counted.values()):
        lines.append(row("the list, in o200k tokens", (counted[ours.name], None, counted[peer.name]), ""))
    lines += [
        "",
        f"A bare httpx read took {seconds(http_reads):.2f} ms.",
        "",
        f"Measured with Python {platform.python_version()} on {platform.system()} with {os.cpu_count()} processors.",
        "To repeat it run `make bench`; it needs Linux, and `make interop` before it for the tokens.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

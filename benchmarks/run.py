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
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from admin_mcp.gate.storage import open_storage  # noqa: E402 - the repository has to be on the path first
from admin_mcp.settings import Settings  # noqa: E402
from benchmarks.openapi import document  # noqa: E402 - the repository has to be on the path first

ROUNDS = 15
REPEATS = 13
READS = 20
AT_ONCE = (1, 20, 200)
JOURNALS = (200_000, 10_000, 0)
LISTS = (10_000, 1_000, 100)
LATER_SECONDS = 2.0
_CPU_CLOCK = 2
"""What makes a process's number, inverted and moved by three bits, Linux's clock of its processor time."""

PAGE = HERE.parent / "docs" / "performance.md"
READ = {"name": "list_roles", "arguments": {"limit": 5}}
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "0"}}


@dataclass(frozen=True)
class Cost:
    """What something took, in milliseconds: on the clock, and of the server's processor time."""

    wall: float
    cpu: float = 0.0


@dataclass
class Subject:
    """A server to be measured, and what was measured of it."""

    name: str
    command: list[str]
    times: dict[str, list[Cost]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
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
    def cpu(self) -> float:
        """The processor time of the server so far, user and system, in seconds."""
        return time.clock_gettime(~self._process.pid << 3 | _CPU_CLOCK)

    def cost(self, action: Callable[[], object], count: int = 1) -> Cost:
        """Return what an action of this session takes, each of ``count`` times."""
        began, cpu = time.perf_counter(), self.cpu
        for _ in range(count):
            action()
        wall = time.perf_counter() - began
        return Cost(wall / count * 1000, (self.cpu - cpu) / count * 1000)

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
def api(people: int | None = None) -> Iterator[str]:
    """Serve the sandbox over loopback, in a process of its own, as the API that all of them read from."""
    size = [] if people is None else ["--people", str(people)]
    command = [sys.executable, "-m", "admin_mcp", "sandbox", *size]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    with process:
        assert process.stdout  # noqa: S101 - it was asked for
        yield process.stdout.readline().strip()
        process.terminate()


def measure(subject: Subject, directory: str, *, calls: bool) -> None:
    """Measure one round of one subject."""
    began = time.perf_counter()
    session = Session(subject.command, directory)
    try:
        subject.listing = session.ask("tools/list")
        subject.times["start"].append(Cost((time.perf_counter() - began) * 1000, session.cpu * 1000))
        subject.memory["list"].append(session.memory)
        if calls:
            subject.times["first"].append(session.cost(lambda: session.ask("tools/call", READ)))
            subject.memory["read"].append(session.memory)
            for many in AT_ONCE:
                times = READS if many == 1 else 1
                cost = session.cost(lambda many=many: session.ask_all("tools/call", READ, many), times)  # type: ignore[misc]
                subject.times[f"at once {many}"].append(cost)
        subject.times["list"].append(session.cost(lambda: session.ask("tools/list"), REPEATS))
    finally:
        session.end()


def measure_later(subject: Subject, directory: str) -> None:
    """Measure the first read of one that has been left alone for a while after its list."""
    session = Session(subject.command, directory)
    try:
        session.ask("tools/list")
        time.sleep(LATER_SECONDS)
        subject.times["first later"].append(session.cost(lambda: session.ask("tools/call", READ)))
    finally:
        session.end()


def measure_lists(directory: str) -> list[str]:
    """Return a table of what it takes to merge a list that has grown: the ids of all people, a hundred to a page."""
    costs: dict[int, list[Cost]] = {count: [] for count in LISTS}
    memory: dict[int, list[float]] = {count: [] for count in LISTS}
    with api(people=max(LISTS)) as url:
        os.environ |= {"OPENAI_BASE_URL": url, "ADMIN_MCP_ANSWER_BYTES": "1000000"}
        for _ in range(3):
            for count in LISTS:
                session = Session([sys.executable, "-m", "admin_mcp"], directory)
                arguments = {"fetch_all": True, "max_items": count, "fields": ["id"]}
                answers: list[bytes] = []
                call = {"name": "list_users", "arguments": arguments}
                costs[count].append(session.cost(lambda: answers.append(session.ask("tools/call", call))))  # noqa: B023 - called at once
                memory[count].append(session.memory)
                session.end()
                held = len(json.loads(answers[0])["result"]["structuredContent"]["data"])
                if held != count:
                    raise SystemExit(f"{held} of {count} users")
        del os.environ["ADMIN_MCP_ANSWER_BYTES"]
    wall = [statistics.median(cost.wall for cost in costs[count]) for count in LISTS]
    spent = [statistics.median(cost.cpu for cost in costs[count]) for count in LISTS]
    return [
        "A list whose pages are merged, the first call of a server (the ids of that many people):",
        "",
        f"| | {' | '.join(f'{count:,}' for count in LISTS)} |",
        f"|---|{'---|' * len(LISTS)}",
        f"| time | {' | '.join(f'{each:,.0f} ms' for each in wall)} |",
        f"| its CPU time | {' | '.join(f'{each:,.0f} ms' for each in spent)} |",
        f"| peak memory | {' | '.join(f'{statistics.median(memory[count]):,.0f} MiB' for count in LISTS)} |",
        "",
    ]


def bare_http(subject: Subject, url: str) -> None:
    """Measure the same reads with nothing but httpx."""

    async def all_at_once() -> None:
        limits = httpx.Limits(max_connections=20)
        headers = {"authorization": "Bearer sk-admin-bench"}
        async with httpx.AsyncClient(headers=headers, trust_env=False, limits=limits, timeout=60) as client:
            path = f"{url}/organization/roles?limit=5"
            await client.get(path)
            for many in AT_ONCE:
                times = READS if many == 1 else 1
                began, cpu = time.perf_counter(), time.process_time()
                for _ in range(times):
                    await asyncio.gather(*(client.get(path) for _ in range(many)))
                wall, spent = time.perf_counter() - began, time.process_time() - cpu
                subject.times[f"at once {many}"].append(Cost(wall / times * 1000, spent / times * 1000))

    asyncio.run(all_at_once())


def turned(subjects: Sequence[Any], number: int) -> Sequence[Any]:
    """Return the subjects in the order of a round: what stands first may pay for what was done before."""
    first = number % len(subjects)
    return [*subjects[first:], *subjects[:first]]


def with_journal(directory: Path, records: int) -> Path:
    """Make a state whose journal has that many records, as it is after one start."""
    directory.mkdir(mode=0o700)
    storage = open_storage(Settings(state_dir=directory))
    with storage.database.transaction() as connection:
        for number in range(records // 2):
            storage.journal.add(connection, "sending", f"change{number}", by="one", method="POST", path="/roles")
            storage.journal.add(connection, "outcome", f"change{number}", outcome="done")
    storage.settle()
    return directory


def tokens(listing: bytes) -> int | None:
    """Return the o200k tokens of name, description and inputSchema, if the encoding is installed."""
    tools = json.loads(listing)["result"]["tools"]
    keys = ("name", "description", "inputSchema")
    return o200k([json.dumps({key: tool.get(key) for key in keys}, separators=(",", ":")) for tool in tools])


def o200k(texts: Sequence[str]) -> int | None:
    """Return how many tokens texts have, or None where the encoding is not installed."""
    interop = HERE.parent / "tests" / "interop"
    if not (interop / "node_modules" / "gpt-tokenizer").exists():
        return None
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
        command = [sys.executable, "-m", "admin_mcp"]
        ours = Subject("openai-admin-mcp", command)
        floor = Subject("bare SDK server", [sys.executable, str(HERE / "floor.py")])
        peer = Subject("FastMCP from_openapi", [peer_python, str(HERE / "peer.py"), str(spec), url])
        bare = Subject("bare httpx", [])
        states = {size: with_journal(Path(directory) / f"journal{size}", size) for size in JOURNALS}
        grown = {size: Subject(f"{size:,} records", command) for size in JOURNALS}
        for number in range(ROUNDS):
            for subject in turned((floor, ours, peer), number):
                measure(subject, directory, calls=subject is not floor)
            for subject in turned((ours, peer), number):
                measure_later(subject, directory)
            bare_http(bare, url)
            for size, subject in turned([*grown.items()], number):
                measure(subject, str(states[size]), calls=False)
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
        lists = measure_lists(directory)
    text = page(ours, floor, peer, bare, grown, lists)
    print(text)
    PAGE.write_text(text, "utf-8")


def shown(values: Sequence[float], unit: str, digits: int = 0) -> str:
    """Return the median with the middle half of the values behind it, as text."""
    if not values:
        return ""
    if len(set(values)) == 1:
        return f"{values[0]:,.{digits}f} {unit}".strip()
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:,.{digits}f} {unit} ({low:,.{digits}f} to {high:,.{digits}f})"


def row(what: str, columns: Sequence[Sequence[float]], unit: str, digits: int = 0) -> str:
    """Return a row: each column's values, then how the first compares to each of the others."""
    own, *others = columns
    ratios = [f"{statistics.median(own) / statistics.median(other):.2f}x" if own and other else "" for other in others]
    return f"| {what} | {' | '.join([*(shown(column, unit, digits) for column in columns), *ratios])} |"


def both(what: str, kind: str, subjects: Sequence[Subject], digits: int = 0) -> list[str]:
    """Return two rows: the time on the clock and the processor time."""
    costs = [subject.times[kind] for subject in subjects]
    return [
        row(what, [[cost.wall for cost in each] for each in costs], "ms", digits),
        row("its CPU time", [[cost.cpu for cost in each] for each in costs], "ms", digits),
    ]


def placed(page: str, heading: str, new: str) -> str:
    """Return the page with this section at its end, in the place of an older one and what followed that."""
    return f"{page.partition(heading)[0].rstrip()}\n\n{new}"


def page(  # noqa: PLR0917 - what was measured
    ours: Subject, floor: Subject, peer: Subject, bare: Subject, grown: Mapping[int, Subject], lists: Sequence[str]
) -> str:
    """Return the results as a Markdown page."""
    beside, reading = (ours, floor, peer), (ours, bare, peer)
    names = [subject.name for subject in grown.values()]
    counted = {subject.name: tokens(subject.listing) for subject in (ours, peer)}
    lines = [
        "# Performance",
        "",
        "Hosts start every server at launch, and some start one for each call, so the start is the cost people feel.",
        "The floor is a server made of the SDK alone, with no tools. The peer is FastMCP's bridge over an OpenAPI",
        "document with the same 143 endpoints, generated from this catalog. All of them ran in turns, on one machine,",
        f"in one run of {ROUNDS} rounds, with the same client and the same answers. Figures are medians, with the",
        "middle half of the rounds in brackets. The API is the sandbox over loopback, in a process of its own. Above",
        "1x, this server costs more than what it is compared to. Its first list is answered before the server is",
        "loaded, so its first read carries the rest of the start, as the memory after it does.",
        "",
        "| | this server | floor | FastMCP | of the floor | of FastMCP |",
        "|---|---|---|---|---|---|",
        *both("start to complete tools/list", "start", beside),
        *both("tools/list again", "list", beside, 2),
        row("peak memory, after tools/list", [each.memory["list"] for each in beside], "MiB"),
        row("peak memory, after the first read", [each.memory["read"] for each in beside], "MiB"),
        *both("the first read, right after the list", "first", beside),
        *both(f"the first read, {LATER_SECONDS:.0f} s after the list", "first later", beside),
        row("the list, in bytes", [[len(ours.listing)], [], [len(peer.listing)]], ""),
    ]
    if all(counted.values()):
        lines.append(row("the list, in o200k tokens", [[counted[ours.name] or 0], [], [counted[peer.name] or 0]], ""))
    lines += [
        "",
        "Reads, beside httpx alone in the client's place (with as many connections):",
        "",
        "| | this server | httpx | FastMCP | of httpx | of FastMCP |",
        "|---|---|---|---|---|---|",
    ]
    for many in AT_ONCE:
        lines += both("a read" if many == 1 else f"{many} reads at once", f"at once {many}", reading, 2)
    lines += [
        "",
        "The same start with a journal that has grown, after one start has gone through it:",
        "",
        f"| | {' | '.join([*names, *(f'of {name}' for name in names[1:])])} |",
        f"|---|{'---|' * (2 * len(grown) - 1)}",
        *both("start to complete tools/list", "start", list(grown.values())),
        row("peak memory, after tools/list", [each.memory["list"] for each in grown.values()], "MiB"),
        "",
        *lists,
        f"Measured with Python {platform.python_version()} on {platform.system()} with {os.cpu_count()} processors.",
        "To repeat it run `make bench`; it needs Linux, and `make interop` before it for the tokens.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

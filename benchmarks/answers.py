"""Measures what reports take of a large organization, and puts the table into the page on performance.

make bench      (after run.py, which writes the page; nothing leaves this machine)
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.run import PAGE, Session, o200k, placed  # noqa: E402 - the repository has to be on the path first

PEOPLE, PROJECTS, SECONDS_A_READ = 2_000, 300, 0.02
HEADING = "## Reports on a large organization\n"
CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("a person by part of a name", "find", {"query": "ortiz", "kinds": ["person"]}),
    ("anything by part of a name", "find", {"query": "atlas"}),
    ("everybody's access", "review_access", {}),
    ("who can create keys in a project", "review_access", {"project": "Billing", "permission": "create API keys"}),
    ("all keys", "review_keys", {}),
    ("last month's spend by project", "report_spend", {"period": "last_month", "by": "project"}),
    ("last month's spend by person", "report_spend", {"period": "last_month", "by": "person"}),
    ("30 days of activity", "report_activity", {"period": "30d"}),
    ("all settings", "review_settings", {}),
)


@dataclass
class Taken:
    """What one report took: seconds, on the clock and of the server's processor time, and MiB at the peak."""

    what: str
    tool: str
    seconds: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0
    answer: dict[str, Any] = field(default_factory=dict)

    def row(self) -> str:
        """Return the medians as a row of the table."""
        text = json.dumps(self.answer, ensure_ascii=False, separators=(",", ":"))
        counted = o200k([text])
        cells = [
            f"{self.what} (`{self.tool}`)",
            f"{self.seconds:,.1f} s",
            f"{self.cpu:,.1f} s",
            f"{self.memory:,.0f} MiB",
            f"{len(text.encode()):,}",
            "" if counted is None else f"{counted:,}",
        ]
        return f"| {' | '.join(cells)} |"


@contextmanager
def large() -> Iterator[str]:
    """Serve the large organization over loopback."""
    size = ["--people", str(PEOPLE), "--projects", str(PROJECTS), "--faults", f"latency={SECONDS_A_READ}"]
    command = [sys.executable, "-m", "admin_mcp", "sandbox", *size]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    with process:
        assert process.stdout  # noqa: S101 - it was asked for
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def measure(taken: Taken, arguments: dict[str, Any]) -> None:
    """Ask a server that has just started, so that its peak of memory is this report's."""
    with tempfile.TemporaryDirectory() as directory:
        session = Session([sys.executable, "-m", "admin_mcp"], directory)
        try:
            began, cpu = time.perf_counter(), session.cpu
            line = session.ask("tools/call", {"name": taken.tool, "arguments": arguments})
            taken.seconds, taken.cpu = time.perf_counter() - began, session.cpu - cpu
            taken.memory = session.memory
        finally:
            session.end()
    taken.answer = json.loads(line)["result"]["structuredContent"]
    if "error" in taken.answer or taken.answer.get("unreadable"):
        raise SystemExit(f"{taken.tool}: {taken.answer.get('error') or taken.answer['unreadable']}")


def section(reports: Sequence[Taken], keys: int, load: float) -> str:
    """Return the results as a section of the page."""
    wait = f"{SECONDS_A_READ * 1000:.0f} ms"
    lines = [
        HEADING,
        f"{PEOPLE:,} people, {PROJECTS} projects and {keys:,} keys, in a sandbox that waits {wait} before each answer",
        "and then works on the same processors. Each report was asked once, of a server that had just started. The",
        "CPU time and the peak of memory are the server's alone, the sizes those of the structured answer. In its last",
        f"five minutes the machine's load was {load:.0f} on {os.cpu_count()} processors; above one each, times grow.",
        "",
        "| | time | CPU time | peak memory | bytes | o200k tokens |",
        "|---|---|---|---|---|---|",
        *(each.row() for each in reports),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print the section and put it into the page."""
    reports = [Taken(what, tool) for what, tool, _ in CALLS]
    with large() as url:
        os.environ |= {"OPENAI_BASE_URL": url, "OPENAI_ADMIN_KEY": "sk-admin-bench"}
        for taken, (_, _, arguments) in zip(reports, CALLS, strict=True):
            measure(taken, arguments)
            print(f"{taken.what}: {taken.seconds:.1f} s", file=sys.stderr)
    keys = next(each.answer["totals"]["keys"] for each in reports if each.tool == "review_keys")
    text = section(reports, keys, os.getloadavg()[1])
    print(text)
    PAGE.write_text(placed(PAGE.read_text("utf-8"), HEADING, text), "utf-8")


if __name__ == "__main__":
    main()

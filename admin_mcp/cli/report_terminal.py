"""A report in a terminal: headings, tables, and colour by severity. Imports ``rich``, so commands load it late."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import StringIO
from typing import Final

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from admin_mcp.cli.report_text import named
from admin_mcp.cli.report_view import Severity, Sheet, View, shown

_COLOURS: Final[dict[Severity, str]] = {"high": "bold red", "medium": "yellow", "low": "cyan"}
_UNBOUNDED: Final = 2000
"""How wide a table may be that goes to no terminal: nothing is folded there."""


def table_text(view: View) -> str:
    """Return the report as plain text, for a file."""
    written = StringIO()
    _print(view, Console(file=written, width=_UNBOUNDED, color_system=None))
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def print_table(view: View) -> None:
    """Print the report to stdout; in colour if that is a terminal."""
    if sys.stdout.isatty():
        _print(view, Console(file=sys.stdout))
    else:
        sys.stdout.write(f"{table_text(view)}\n")


@asynccontextmanager
async def progress() -> AsyncIterator[Callable[[float, float | None, str], Awaitable[None]]]:
    """Yield what a report tells its progress to: a line on stderr if that is a terminal, and otherwise nothing."""
    if not sys.stderr.isatty():
        yield _silent
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("Reading", total=None)

        async def tell(done: float, total: float | None, message: str) -> None:
            bar.update(task, completed=done, total=total, description=shown(message))

        yield tell


async def _silent(done: float, total: float | None, message: str) -> None:
    del done, total, message


def _print(view: View, console: Console) -> None:
    # Everything is Text: a name in it is never taken for markup.
    console.print(Text(shown(view.title), style="bold"))
    console.print(Text(f"{shown(view.target)}, as of {shown(view.as_of)}", style="dim"))
    console.print(Text("; ".join(f"{shown(name)}: {shown(value)}" for name, value in view.facts)))
    if view.findings:
        console.print(_findings(view))
    for note in view.notes:
        console.print(Text(f"- {shown(note)}"))
    for each in view.sheets:
        console.print(_sheet(each))
    if view.unreadable:
        console.print(Text("Could not be read", style="bold yellow"))
        for what, why in view.unreadable:
            console.print(Text(f"- {shown(what)}: {shown(why)}"))


def _findings(view: View) -> Table:
    table = _table("Findings")
    for head in ("Severity", "Finding"):
        table.add_column(head, no_wrap=True)
    table.add_column("Count", justify="right")
    table.add_column("What")
    table.add_column("Who")
    for each in view.findings:
        cells = (each.severity, each.name, str(each.count), shown(each.says), named(each))
        severity, *rest = map(Text, cells)
        severity.stylize(_COLOURS[each.severity])
        table.add_row(severity, *rest)
    return table


def _sheet(sheet: Sheet) -> Table:
    table = _table(sheet.title)
    for column in sheet.heads:
        table.add_column(column.head, justify="left" if column.kind == "text" else "right", overflow="fold")
    for row in sheet.rows:
        style = _COLOURS[row.severity] if row.severity else ""
        first, *rest = (Text(text) for _, text in sheet.read(row))
        first.stylize(style)
        table.add_row(first, *rest)
    return table


def _table(title: str) -> Table:
    return Table(title=Text(shown(title), style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)

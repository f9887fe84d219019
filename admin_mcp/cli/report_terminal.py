"""A report in a terminal: headings, tables, and colour by severity. Imports ``rich``, so commands load it late."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Final, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from admin_mcp.cli.report_text import named
from admin_mcp.cli.report_view import Column, Severity, Sheet, View, shown

_COLOURS: Final[dict[Severity, str]] = {"high": "bold red", "medium": "yellow", "low": "cyan"}
_UNBOUNDED: Final = 2000
"""How wide a table may be that goes to no terminal: nothing is folded there."""

_BETWEEN: Final = 3
"""What a column takes beside its text: a space on either side, and the rule between two."""

_SHORT: Final = 12
"""Up to this width a cell is not broken at all."""

_NAMELESS: Final = "(no name)"

_Rows = Sequence[tuple[Sequence[str], Severity | None]]


def table_text(view: View) -> str:
    """Return the report as plain text, for a file."""
    written = StringIO()
    print_on(view, Console(file=written, width=_UNBOUNDED, color_system=None))
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def print_table(view: View) -> None:
    """Print the report to stdout; in colour if that is a terminal."""
    if sys.stdout.isatty():
        print_on(view, Console(file=sys.stdout))
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


def print_on(view: View, console: Console) -> None:
    """Print the report on a console of any width."""
    # Everything is Text: a name in it is never taken for markup.
    console.print(Text(shown(view.title), style="bold"))
    console.print(Text(f"{shown(view.target)}, as of {shown(view.as_of)}", style="dim"))
    console.print(Text("; ".join(f"{shown(name)}: {shown(value)}" for name, value in view.facts)))
    if view.findings:
        console.print(_findings(view))
    for note in view.notes:
        console.print(Text(f"- {shown(note)}"))
    for each in view.sheets:
        _print_sheet(each, console)
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


def _print_sheet(sheet: Sheet, console: Console) -> None:
    """Print the rows as a table; where that would break words apart, without the ids, and else as cards."""
    rows = [([text for _, text in sheet.read(row)], row.severity) for row in sheet.rows]
    every = [_Column(column, [cells[number] for cells, _ in rows], number) for number, column in enumerate(sheet.heads)]
    used = [column for column in every if any(column.cells)] or every[:1]
    for columns in (every, used, [column for column in used if column.shown.key != "id"]):
        if columns and _width(column.least for column in columns) <= console.width:
            console.print(_sheet(sheet, rows, columns, console.width))
            return
    console.print(Text(f"{shown(sheet.title)}\n", style="bold"))
    for cells, severity in rows:
        console.print(_card(cells, severity, used))
    console.print()


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a sheet with what stands in it, and its place in a row."""

    shown: Column
    cells: Sequence[str]
    number: int

    @property
    def whole(self) -> int:
        """How wide it is if nothing is broken."""
        return max(map(cell_len, (self.shown.head, *self.cells)))

    @property
    def least(self) -> int:
        """How wide it is at least, with words whole and short cells in one line."""
        words = (word for text in (self.shown.head, *self.cells) for word in text.split())
        return max(min(_SHORT, max(map(cell_len, self.cells))), *map(cell_len, words))


def _width(widths: Iterable[int]) -> int:
    return sum(_BETWEEN + width for width in widths) - 1


def _widths(columns: Sequence[_Column], most: int) -> dict[int, int]:
    """Return how wide each column is: what is left of the room goes first to those that want little of it."""
    left = most - _width(column.least for column in columns)
    widths = {}
    wanting = sorted(columns, key=lambda column: column.whole - column.least)
    for position, column in enumerate(wanting):
        more = min(column.whole - column.least, left // (len(wanting) - position))
        widths[column.number] = column.least + more
        left -= more
    return widths


def _sheet(sheet: Sheet, rows: _Rows, columns: Sequence[_Column], most: int) -> Table:
    table = _table(sheet.title)
    widths = _widths(columns, most)
    for column in columns:
        justify: Literal["left", "right"] = "left" if column.shown.kind == "text" else "right"
        table.add_column(column.shown.head, justify=justify, overflow="fold", width=widths[column.number])
    for cells, severity in rows:
        first, *rest = (Text(cells[column.number]) for column in columns)
        first.stylize(_COLOURS[severity] if severity else "")
        table.add_row(first, *rest)
    return table


def _card(cells: Sequence[str], severity: Severity | None, columns: Sequence[_Column]) -> Group:
    """Return a row as a heading and what else it says, each with its name."""
    first, *rest = columns
    heading = Text(cells[first.number] or _NAMELESS, style=_COLOURS[severity] if severity else "bold")
    said = [
        Text.assemble((f"{column.shown.head}: ", "dim"), cells[column.number])
        for column in rest
        if cells[column.number]
    ]
    return Group(heading, Padding(Text("; ").join(said), (0, 0, 0, 4)))


def _table(title: str) -> Table:
    return Table(title=Text(shown(title), style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)

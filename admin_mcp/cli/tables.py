"""Lists for a person at a terminal: a table with headings, in colour by risk; and the same as JSON for programs.

Where the output is no terminal it is plain columns, without ``rich``, a line for each row. Where a terminal is too
narrow for the columns, a row takes two lines. No name in a row can hide, reorder or colour anything.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

import click

from admin_mcp.cli.report_view import shown
from admin_mcp.cli.times import brief_time_of, local_time_of
from admin_mcp.endpoints.schema import Json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_AT_ONCE: Final = 200
"""How many rows are lined up with one another: a long list is printed as it is read."""

_ROOM: Final = 48
"""The least that the last column, which says what a row is about, has beside the others unless it is short."""

_BETWEEN, _INDENT = "  ", "    "

_GOOD, _WARN, _BAD = "green", "yellow", "bold red"
COLOURS: Final[Mapping[str, str]] = {
    "destroy": _BAD,
    "grant": _WARN,
    "update": "cyan",
    "create": _GOOD,
    "pending": "bold yellow",
    "approved": _GOOD,
    "done": _GOOD,
    "refused": _BAD,
    "stopped": _BAD,
    "outcome_unknown": _BAD,
    "damaged": _BAD,
    "lost": _BAD,
    "rejected": _WARN,
    "deny": _BAD,
    "allow": _WARN,
    "missing": _BAD,
    "unreadable": _BAD,
    "switched off": _WARN,
    "FAIL": _BAD,
    "note": _WARN,
    "ok": _GOOD,
}
"""The colour of a cell that is one of these words: the graver, the warmer."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, what of a row stands in it, and how wide it is at least.

    ``brief`` is what stands there at a terminal, if that is something shorter.
    """

    head: str
    cell: Callable[[Json], object]
    width: int = 0
    brief: Callable[[Json], object] | None = None

    def text(self, row: Json) -> str:
        """Return the cell, fit to be shown."""
        return shown(self.cell(row)).replace("\n", " ")

    def at_terminal(self) -> "Column":
        """Return the column as a terminal has it."""
        return self if self.brief is None else Column(self.head, self.brief)


def field(name: str) -> Callable[[Json], object]:
    """Return what reads a row's field of this name."""
    return lambda row: row.get(name)


def moment(head: str, name: str, width: int = 0) -> Column:
    """Return the column of a row's field that is a moment: whole for a program, to the minute for a person."""

    def told(by: Callable[[str], str]) -> Callable[[Json], object]:
        return lambda row: by(row[name]) if row.get(name) else "(no time)"

    return Column(head, told(local_time_of), width, told(brief_time_of))


def print_list(columns: Sequence[Column], rows: Iterable[Json], *, json: bool) -> None:
    """Print the rows as a table, or all their fields as a JSON array."""
    if json:
        _print_json(rows)
    elif sys.stdout.isatty():
        _print_table([column.at_terminal() for column in columns], rows, _in_colour)
    else:
        _print_table(columns, rows, _plainly)


def print_json(value: object) -> None:
    """Print a value as JSON, in ASCII: no control character gets to a terminal."""
    click.echo(json.dumps(value, indent=2))


def _print_json(rows: Iterable[Json]) -> None:
    before = "["
    for row in rows:
        click.echo(f"{before}\n {json.dumps(row)}", nl=False)
        before = ","
    click.echo("[]" if before == "[" else "\n]")


class _Put(Protocol):
    def __call__(self, columns: Sequence[Column], cells: Sequence[Sequence[str]], *, first: bool) -> None: ...


def _print_table(columns: Sequence[Column], rows: Iterable[Json], put: _Put) -> None:
    every, first = iter(rows), True
    while part := [*islice(every, _AT_ONCE)]:
        put(columns, [[column.text(row) for column in columns] for row in part], first=first)
        first = False


def _widths(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], measure: Callable[[str], int] = len
) -> list[int]:
    return [
        max(column.width, measure(column.head), *(measure(row[number]) for row in cells))
        for number, column in enumerate(columns)
    ]


def _plainly(columns: Sequence[Column], cells: Sequence[Sequence[str]], *, first: bool) -> None:
    lines = [*([[column.head for column in columns]] if first else []), *cells]
    widths = _widths(columns, cells)
    click.echo("\n".join(_line(row, widths) for row in lines))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return _BETWEEN.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _in_colour(columns: Sequence[Column], cells: Sequence[Sequence[str]], *, first: bool) -> None:
    from rich.cells import cell_len  # noqa: PLC0415 - only a terminal needs it
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=sys.stdout, highlight=False)
    heads = [Text(column.head, style="bold") for column in columns] if first else None
    rows = [[Text(cell, style=COLOURS.get(cell, "")) for cell in row] for row in cells]
    *before, last = _widths(columns, cells, cell_len)
    if sum(before) + len(_BETWEEN) * len(before) + min(last, _ROOM) <= console.width:
        console.print(_table(heads, before, rows))
        return
    for row in [*([heads] if heads else []), *rows]:
        _in_two_lines(console, row, before)


def _table(heads: "Sequence[Text] | None", before: Sequence[int], rows: "Sequence[Sequence[Text]]") -> "Table":
    """Return a table whose last column alone is folded where the terminal is too narrow."""
    from rich.table import Table  # noqa: PLC0415 - only a terminal needs it

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, len(_BETWEEN), 0, 0))
    for width in before:
        table.add_column(min_width=width, no_wrap=True, overflow="fold")
    table.add_column(overflow="fold")
    for row in [*([heads] if heads else []), *rows]:
        table.add_row(*row)
    return table


def _in_two_lines(console: "Console", row: "Sequence[Text]", widths: Sequence[int]) -> None:
    """Print the last cell below the others, which stand in columns as far as the terminal is wide enough for that."""
    from rich.padding import Padding  # noqa: PLC0415 - only a terminal needs it

    *cells, last = row
    aligned = sum(widths) + len(_BETWEEN) * (len(widths) - 1) <= console.width
    placed = [*zip(cells, widths, strict=True)] if aligned else [(cell, cell.cell_len) for cell in cells if cell]
    for line in _lines(placed, console.width):
        line.rstrip()
        line.overflow = "fold"
        console.print(line)
    if last:
        console.print(Padding.indent(last, len(_INDENT)))


def _lines(cells: "Sequence[tuple[Text, int]]", most: int) -> "Iterator[Text]":
    """Yield the cells side by side, on as many lines as they take; those after the first are indented."""
    from rich.text import Text  # noqa: PLC0415 - only a terminal needs it

    line = Text()
    for cell, width in cells:
        if line.cell_len + width > most and line.plain.strip():
            yield line
            line = Text(_INDENT)
        line.append_text(cell)
        line.append(" " * (width - cell.cell_len) + _BETWEEN)
    yield line

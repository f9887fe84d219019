"""Lists for a person at a terminal: a table with headings, in colour by risk; and the same as JSON for programs.

Where the output is no terminal it is plain columns, without ``rich``, a line for each row. No name in a row can hide,
reorder or colour anything.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from admin_mcp.cli.report_view import shown
from admin_mcp.endpoints.schema import Json

if TYPE_CHECKING:
    from rich.table import Table

_AT_ONCE: Final = 200
"""How many rows are lined up with one another: a long list is printed as it is read."""

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
    """One column: its heading, how wide it is at least, and what of a row stands in it."""

    head: str
    cell: Callable[[Json], object]
    width: int = 0

    def text(self, row: Json) -> str:
        """Return the cell, fit to be shown."""
        return shown(self.cell(row)).replace("\n", " ")


def field(name: str) -> Callable[[Json], object]:
    """Return what reads a row's field of this name."""
    return lambda row: row.get(name)


def print_list(columns: Sequence[Column], rows: Iterable[Json], *, json: bool) -> None:
    """Print the rows as a table, or all their fields as a JSON array."""
    with until_enough_was_read():
        if json:
            _print_json(rows)
        else:
            _print_table(columns, rows)


def print_json(value: object) -> None:
    """Print a value as JSON, in ASCII: no control character gets to a terminal."""
    click.echo(json.dumps(value, indent=2))


def _print_json(rows: Iterable[Json]) -> None:
    before = "["
    for row in rows:
        click.echo(f"{before}\n {json.dumps(row)}", nl=False)
        before = ","
    click.echo("[]" if before == "[" else "\n]")


def _print_table(columns: Sequence[Column], rows: Iterable[Json]) -> None:
    put = _in_colour if sys.stdout.isatty() else _plainly
    every, first = iter(rows), True
    while part := [*islice(every, _AT_ONCE)]:
        put(columns, [[column.text(row) for column in columns] for row in part], first=first)
        first = False


def _plainly(columns: Sequence[Column], cells: Sequence[Sequence[str]], *, first: bool) -> None:
    lines = [*([[column.head for column in columns]] if first else []), *cells]
    widths = [
        max(column.width, len(column.head), *(len(row[number]) for row in cells))
        for number, column in enumerate(columns)
    ]
    click.echo("\n".join(_line(row, widths) for row in lines))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _in_colour(columns: Sequence[Column], cells: Sequence[Sequence[str]], *, first: bool) -> None:
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.text import Text  # noqa: PLC0415

    table = _table(columns, cells, first=first)
    for row in cells:
        table.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)


def _table(columns: Sequence[Column], cells: Sequence[Sequence[str]], *, first: bool) -> "Table":
    """Return a table whose last column alone is folded where the terminal is too narrow, as far as that goes."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD if first else None, show_header=first, pad_edge=False, header_style="bold")
    *before, last = columns
    for number, column in enumerate(before):
        width = max(column.width, len(column.head), *(len(row[number]) for row in cells))
        table.add_column(column.head, min_width=width, no_wrap=True, overflow="fold")
    table.add_column(last.head, overflow="fold")
    return table


@contextmanager
def until_enough_was_read() -> Iterator[None]:
    """Stop printing, quite content, when whoever reads the output wants no more of it."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Or else the interpreter would fail to flush what is left when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""A report as every format shows it: facts, findings, sheets of rows, charts, and what could not be read. Pure.

What is in the cells is still what the API or the report said; ``shown`` makes it fit to be looked at.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.text import visible
from admin_mcp.jobs.money import in_dollars

Severity = Literal["high", "medium", "low"]
Kind = Literal["text", "count", "money", "percent"]
Cell = str | int | float | None

LONGEST: Final = 4000
_ID: Final = "id"
_MISSING: Final = object()
_ISOLATES = re.compile("[\u2066-\u2069]")
_REMARK = re.compile(r"( \((right-to-left text|mixes [A-Z][a-z]+( and [A-Z][a-z]+)+ letters)\))+$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that speaks against the organization's state: how many, in words, and the first of them."""

    name: str
    severity: Severity
    count: int
    says: str
    who: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the key in the rows, its heading, and what its cells are. Money is in cents.

    ``aside``: it is for machines; people read the name beside it.
    """

    key: str
    head: str
    kind: Kind = "text"

    @property
    def aside(self) -> bool:
        """Whether a person can do without it."""
        return self.key.endswith("_id")

    @property
    def csv_key(self) -> str:
        """The key in a spreadsheet, where money is in dollars."""
        return self.key.replace("cents", "usd") if self.kind == "money" else self.key


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a cell for each column, and how grave what it shows is."""

    cells: tuple[Cell, ...]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of one kind. ``record`` names a single one of them."""

    record: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def heads(self) -> tuple[Column, ...]:
        """The columns that people read."""
        return tuple(column for column in self.columns if not column.aside)

    def read(self, row: Row) -> Iterator[tuple[Column, str]]:
        """Yield what people read of a row, fit to be looked at."""
        for column, cell in zip(self.columns, row.cells, strict=True):
            if not column.aside:
                yield column, shown(cell, column.kind)


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over labels, a series for each name; stacked where there are several. Money is in cents."""

    title: str
    labels: tuple[str, ...]
    series: Mapping[str, tuple[int, ...]]
    money: bool = False
    sideways: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who has what where: a row each, a column each place, and in the cells a word and how much it means."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, Severity | None], ...]], ...]
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One report, ready to be written in any format."""

    report: str
    title: str
    target: str
    as_of: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    sheets: tuple[Sheet, ...]
    notes: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    charts: tuple[Chart, ...] = ()
    matrix: Matrix | None = None
    answer: Json = field(default_factory=dict)

    def has(self, names: Sequence[str]) -> list[Finding]:
        """Return the findings that go by one of these names."""
        return [finding for finding in self.findings if finding.name in names]


def shown(value: object, kind: Kind = "text") -> str:
    """Return a cell as a person is shown it: nothing hidden in it, and nothing a terminal would obey."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        # Some reports made their names visible already, and that must not be spelt out again.
        return visible(_REMARK.sub("", _ISOLATES.sub("", str(value))), LONGEST)
    if kind == "money":
        return in_dollars(int(value))
    if kind == "percent":
        return f"{value}%"
    return f"{value:,}"


_SAID: Final = {
    "cents": "Spend",
    "cents_30d": "Spend in 30 days",
    "before_cents": "Spend before",
    "change_percent": "Change",
    "no_person_cents": "Spend without a person",
    "no_person_percent": "Share without a person",
    "used_percent": "Used",
    "lasts_month": "Lasts the month",
    "ip": "IP address",
    "id": "ID",
    "in": "Where",
}


def words(key: str) -> str:
    """Return a field's name as a heading."""
    if key in _SAID:
        return _SAID[key]
    said = key.removesuffix("_cents").replace("_usd", " in USD").replace("_", " ").strip()
    return said[:1].upper() + said[1:]


def kind_of(key: str) -> Kind:
    """Return what a field with this name holds, as far as the name tells."""
    return "money" if "cents" in key else "percent" if key.endswith("_percent") else "text"


def flat(value: object) -> Cell:
    """Return a value of any shape as one cell."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(str(flat(each)) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {flat(each)}" for name, each in value.items())
    return str(value)


def sheet(record: str, title: str, rows: Sequence[Json], keys: Sequence[str] = (), **severity: object) -> Sheet:
    """Return rows as a sheet: these keys first, then whatever else the rows have.

    ``severity`` may give ``by``, which is asked for each row.
    """
    known = [key for key in keys if any(key in row for row in rows)]
    every = dict.fromkeys([*known, *(key for row in rows for key in row if not key.endswith("_id"))])
    if every.pop(_ID, _MISSING) is None:
        every[_ID] = None  # it is long, and what is read last
    every |= dict.fromkeys(key for row in rows for key in row if key.endswith("_id"))
    columns = tuple(Column(key, words(key), _kind(key, rows)) for key in every)
    by = severity.get("by")
    judged = (by(row) if callable(by) else None for row in rows)
    return Sheet(
        record,
        title,
        columns,
        tuple(Row(tuple(flat(row.get(key)) for key in every), how) for row, how in zip(rows, judged, strict=True)),
    )


def _kind(key: str, rows: Sequence[Json]) -> Kind:
    if (kind := kind_of(key)) != "text":
        return kind
    numbers = [row.get(key) for row in rows if row.get(key) is not None]
    whole = numbers and all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers)
    return "count" if whole else "text"

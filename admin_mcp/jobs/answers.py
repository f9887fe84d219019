"""What the answers of reports are made of: values out of rows, one-line tables, and rows that fit. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from admin_mcp.endpoints.schema import Json

MOST_BYTES = 48_000
"""How long an answer may be as compact JSON, its text included."""

MOST_BYTES_OF_TEXT = 12_000
"""How much of that the text may be."""

MOST_BYTES_OF_ROWS = 36_000
"""How much of an answer its rows may be where the text shows each of them as well, in about half as many bytes."""

_MOST_NAMES_IN_LINE = 3
_LONGEST_CELL = 60
_LONGEST_NAME = 256
_MOST_NAMES = 10


def said(row: Mapping[str, object], key: str) -> str:
    """Return a field that should be text, or nothing where it is not."""
    value = row.get(key)
    return value if isinstance(value, str) else ""


def listed(row: Mapping[str, object], key: str) -> list[Any]:
    """Return a field that should be a list, or none of it."""
    value = row.get(key)
    return value if isinstance(value, list) else []


def inner(row: Mapping[str, object], key: str) -> Json:
    """Return a field that should be an object, or an empty one."""
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def moment(seconds: float) -> str:
    """Return a time in unix seconds as ISO text, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def one_line(value: object, longest: int = _LONGEST_CELL) -> str:
    """Return text without anything that could start a line or reorder it, cut where it is long."""
    seen = "".join(each if each.isprintable() else " " for each in str(value)[: 4 * longest])
    text = " ".join(seen.replace("|", "/").split())
    return text if len(text) <= longest and len(str(value)) <= 4 * longest else f"{text[: longest - 1]}…"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, one line a row whatever the values hold; nothing where there are no rows."""
    lines = [" | ".join(one_line(cell) for cell in row) for row in rows]
    return "\n".join([" | ".join(heads), *lines]) if lines else ""


def names(found: Sequence[str], most: int = _MOST_NAMES) -> str:
    """Return names as one text: the first of them, and how many more."""
    shown = ", ".join(one_line(name) for name in found[:most])
    return f"{shown} and {len(found) - most} more" if len(found) > most else shown


def first_of(found: Sequence[str], most: int = _MOST_NAMES) -> list[str]:
    """Return names as a list: the first of them, none of them endless, and how many more."""
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in found[:most]]
    return [*shown, f"and {len(found) - most} more"] if len(found) > most else shown


def window(lists: Mapping[str, Sequence[Json]], skip: int, budget: int) -> tuple[dict[str, list[Json]], int | None]:
    """Return the same stretch of every list, as long as fits, and where the next begins (None: that is all).

    There is one row of each at least, so that going on gets somewhere.
    """
    longest = max((len(rows) for rows in lists.values()), default=0)
    end, left = skip, budget
    while end < longest:
        left -= sum(size(rows[end]) + 1 for rows in lists.values() if end < len(rows))
        if left < 0 and end > skip:
            break
        end += 1
    return {name: [*rows[skip:end]] for name, rows in lists.items()}, end if end < longest else None


def stretch(rows: Sequence[Json], skip: int, top: int, room: int | None) -> tuple[Sequence[Json], str | None]:
    """Return up to ``top`` rows from ``skip`` on, as many as have room, and how to see the rest (None: that is all)."""
    most = skip + top
    shown = rows[skip:most] if room is None else window({"": rows[:most]}, skip, room)[0][""]
    end = min(skip, len(rows)) + len(shown)
    if end == len(rows):
        return shown, None
    if skip or end < most or (room is not None and size(rows) > room):
        return shown, f"go on with skip: {end}, top: {len(rows) - end}"
    return shown, f"see all with top: {len(rows)}"


def size(value: object) -> int:
    """Return the length of a value as compact JSON, in bytes."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class Said:
    """An answer in the making: what stands above the rows, the rows, and how a row is shown in the text."""

    head: Json
    rows: dict[str, list[Json]]
    columns: Mapping[str, tuple[str, ...]]

    def __getitem__(self, key: str) -> Json:
        found: Json = self.head[key]
        return found


def finished(answer: Said, unreadable: Sequence[Json], now: float, skip: int) -> Json:
    """Return an answer with as many of its rows as fit, its text, and the way on."""
    ending: Json = {"as_of": moment(now), "unreadable": [*unreadable]}
    budget = MOST_BYTES - MOST_BYTES_OF_TEXT - size({**answer.head, **ending})
    most = max((len(rows) for rows in answer.rows.values()), default=0)
    while True:
        shown, following = window(answer.rows, skip, budget)
        if following is not None:
            ending["more"] = f"Up to {most - following} more rows: repeat with skip={following}, or narrow it."
        text = text_of(answer, shown, ending)
        long = size(text)
        if long <= MOST_BYTES_OF_TEXT or (following or most) - skip <= 1:
            break
        # A client may show its model the text alone, so a row that the text has no room for waits for the next part.
        budget = min(budget, size(shown)) * MOST_BYTES_OF_TEXT // (long + 1)
    return {**answer.head, **shown, **ending, "text": cut(text)}


def cut(text: str) -> str:
    """Return a text that is not too long, whatever a single row of it holds."""
    raw = text.encode("utf-8", "replace")
    return (
        text if len(raw) <= MOST_BYTES_OF_TEXT else raw[: MOST_BYTES_OF_TEXT - 40].decode("utf-8", "ignore") + "\n… cut"
    )


def text_of(answer: Said, shown: Mapping[str, Sequence[Json]], ending: Json) -> str:
    """Return the answer as compact text: totals, findings, and a table of each sort of rows."""
    totals = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in answer.head["totals"].items())
    found = [_finding_line(each) for each in answer.head["findings"]]
    tables = [
        table(
            [name, *(column.rpartition(".")[2] for column in columns[1:])],
            ([_cell(row, column) for column in columns] for row in shown[name]),
        )
        for name, columns in answer.columns.items()
    ]
    missing = "Not all could be read: see unreadable." if ending["unreadable"] else ""
    return "\n".join(part for part in (totals, *found, *tables, missing, ending.get("more", "")) if part)


def _finding_line(finding: Json) -> str:
    who = names(finding["who"][: min(_MOST_NAMES_IN_LINE, finding["count"])])
    more = f" and {finding['count'] - _MOST_NAMES_IN_LINE} more" if finding["count"] > _MOST_NAMES_IN_LINE else ""
    return f"- {finding['count']} {finding['kind'].replace('_', ' ')}: {who}{more}"


def _cell(row: Json, column: str) -> object:
    part, _, within = column.partition(".")
    value = inner(row, part).get(within) if within else row.get(part)
    if isinstance(value, list):
        return names([str(each) for each in value], 3)
    return "" if value is None else value

"""What the answers of reports are made of: values out of rows, one-line tables, and rows that fit. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from admin_mcp.endpoints.schema import Json

MOST_BYTES = 48_000
"""How long an answer may be as compact JSON, its text included."""

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


def size(value: object) -> int:
    """Return the length of a value as compact JSON, in bytes."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))

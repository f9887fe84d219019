"""Which system a record is of: the real API, or what must not be taken for it. Pure.

One state directory keeps the records of all systems that its servers and commands were for.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from admin_mcp.gate.journal import Record
from admin_mcp.gate.text import visible
from admin_mcp.settings import DEFAULT_BASE_URL, KEYED, SANDBOX_LABEL

_MOST_OPEN: Final = 1000
"""Of how many changes the system is kept in mind at once while records are read."""

_IN_PREVIEW: Final = re.compile(r"^In: (.+)$", re.MULTILINE)


def mark_of(target: str) -> str:
    """Return a short name for the system with this label; the real API, and what is not known, have none."""
    if target == SANDBOX_LABEL:
        return "sandbox"
    address = target.partition(KEYED)[0]
    if address in {"", DEFAULT_BASE_URL}:
        return ""
    try:
        return visible(urlsplit(address).netloc or address)
    except ValueError:
        return visible(address)


def marked(text: str, target: str) -> str:
    """Return what is said of something, behind the mark of its system if it has one."""
    mark = mark_of(target)
    return f"({mark}) {text}" if mark else text


def with_targets(records: Iterable[Record]) -> Iterator[tuple[Record, str]]:
    """Yield each record with the label of its system; none where it is of no system, or nobody wrote it down.

    Of an older journal only the requests that were sent, and the questions, have it: the rest is of the same.
    """
    known: dict[str, str] = {}
    for record in records:
        target = str(record.fields.get("target") or _shown_in(record) or known.get(record.change, ""))
        if target and record.kind in {"asked", "sending"}:
            known[record.change] = target
            if len(known) > _MOST_OPEN:
                del known[next(iter(known))]
        yield record, target


def _shown_in(record: Record) -> str:
    """Return the system that a question names; it is the last line but one, and no name has lines."""
    found = _IN_PREVIEW.findall(str(record.fields.get("preview", ""))) if record.kind == "asked" else []
    return found[-1] if found else ""

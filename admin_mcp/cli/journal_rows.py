"""The journal's records as rows: for a table, for CSV and for JSON lines. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from admin_mcp.cli.report_text import harmless
from admin_mcp.cli.systems import marked, with_targets
from admin_mcp.cli.tables import Column, field, moment
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.approval import APPLY_PLAN
from admin_mcp.gate.journal import Record
from admin_mcp.gate.text import visible

_MOST_OPEN = 1000
"""How many changes' names are kept at once while the records are read: those of a killed server never end."""

_NAMING = frozenset({"asked", "sending"})
"""The kinds of records that say what a change is; the others of the same change don't repeat it."""

_WIDTHS = {"seq": 5, "at": 25, "change": 10, "kind": 12}
_CSV = (
    *("seq", "at", "change", "kind", "what", "tool", "channel", "decision", "via", "reason"),
    *("request", "request_id", "outcome", "message", "target"),
)


def gone(records: object) -> str:
    """Say that a journal is gone, of which at least so many records are known."""
    return f"an earlier journal, of {records} records or more, is gone"


def rows_of(records: Iterable[Record]) -> Iterator[Json]:
    """Yield each record with ``what`` it is about, in words: the thing by name, as far as the person was shown it.

    ``target`` is the system it is of.
    """
    names: dict[str, str] = {}
    for record, target in with_targets(records):
        if record.kind in _NAMING and record.change not in names:
            names[record.change] = name_of(record)
            if len(names) > _MOST_OPEN:
                del names[next(iter(names))]
        name = names.get(record.change) or name_of(record)
        if record.kind == "outcome":
            names.pop(record.change, None)
        yield {
            "seq": record.seq,
            "at": record.at,
            "kind": record.kind,
            "change": record.change,
            "what": name,
            "target": target,
            "fields": record.fields,
        }


def name_of(record: Record) -> str:
    """Return what a record by itself says it is about: the thing by name, where a person was shown it; or the tool."""
    fields, name = record.fields, thing_of(record)
    if place := step_of(fields):
        return f"{place}: {name}" if name else place
    if fields.get("tool") == APPLY_PLAN and record.kind == "refused" and fields.get("request"):
        return f"{name} {fields['request']}"
    return name


def thing_of(record: Record) -> str:
    """Return the same without which step of which plan it is."""
    fields = record.fields
    return str(fields.get("preview") or "").partition("\n")[0] or str(fields.get("does") or fields.get("tool") or "")


def step_of(fields: Json) -> str:
    """Return which step of which plan a record is about, or nothing if it is about none."""
    steps = fields.get("steps")
    if isinstance(steps, list):
        return f"step{'s' if len(steps) > 1 else ''} {', '.join(map(str, steps))} of {fields.get('plan')}"
    return f"step {fields['step']} of {fields.get('plan')}" if "step" in fields else ""


def _said(row: Json) -> str:
    """Return what a row says beside its kind, and about what."""
    gist, what = _gist(row), row["what"]
    return marked(f"{gist} \N{EM DASH} {what}" if gist and what else gist or what, row["target"])


def _gist(row: Json) -> str:
    fields, gist = row["fields"], ""  # nothing is known of a later version's kinds
    match row["kind"]:
        case "asked":
            gist = f"{fields.get('tool')} through {fields.get('channel')}"
        case "decided":
            gist = ", ".join(str(fields[name]) for name in ("decision", "via", "reason") if fields.get(name))
        case "sending":
            gist = f"{fields.get('request')}"
        case "outcome":
            gist = f"{fields.get('outcome')}"
        case "refused":
            gist = f"{fields.get('message')}"
        case "lost":
            gist = gone(fields.get("records"))
        case "acknowledged":
            gist = f"known, {fields.get('via')}"
        case "damaged":
            gist = f"{fields['damage']}: {visible(fields['text'])}"
    return gist


COLUMNS = (
    Column("No.", field("seq"), _WIDTHS["seq"]),
    moment("Time", "at", _WIDTHS["at"]),
    Column("ID", field("change"), _WIDTHS["change"]),
    Column("Kind", field("kind"), _WIDTHS["kind"]),
    Column("What", _said),
)


def jsonl_lines(records: Iterable[Record]) -> Iterator[str]:
    """Yield each record whole, as a line of JSON, in ASCII."""
    return (json.dumps(row) for row in rows_of(records))


def csv_lines(records: Iterable[Record]) -> Iterator[str]:
    """Yield a head line, and then the main fields of each record. No cell is a formula to a spreadsheet."""
    yield ",".join(_CSV)
    for row in rows_of(records):
        cells = {
            **{name: row["fields"].get(name) for name in _CSV},
            **{name: row[name] for name in _CSV if name in row},
        }
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(harmless(_flat(cells.get(name))) for name in _CSV)
        yield written.getvalue()


def _flat(value: object) -> int | str | None:
    """Return a value for one cell."""
    return value if value is None or isinstance(value, int | str) else json.dumps(value)

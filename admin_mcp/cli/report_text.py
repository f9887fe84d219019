"""A report as JSON, CSV or Markdown. Pure.

Each says what could not be read. No cell can be a formula to a spreadsheet, or a link or a heading in Markdown.
"""

import csv
import io
import json
import re
from collections.abc import Iterator

from admin_mcp.cli.report_view import Cell, Column, Finding, Kind, View, shown
from admin_mcp.jobs.money import plain_dollars

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula, in both widths."""

_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~>&<$])")
_LINKS = re.compile(r"(?i)(://|www\.)")
_MOST_NAMED = 5


def json_text(view: View) -> str:
    """Return the answer itself, with what it is of and how often each finding is there."""
    counts = {finding.name: finding.count for finding in view.findings}
    whole = {"report": view.report, "target": view.target, "finding_counts": counts, **view.answer}
    return json.dumps(whole, indent=2)  # in ASCII: no control character gets to a terminal


def csv_text(view: View) -> str:
    """Return all sheets under one head line; the first column tells what a row is.

    Money is in dollars there, and its columns have ``usd`` in their names.
    """
    columns = [*dict.fromkeys(column.csv_key for sheet in view.sheets for column in sheet.columns)]
    heads = [*dict.fromkeys(["record", *columns, "name", "severity", "count", "says"])]
    written = io.StringIO()
    writer = csv.DictWriter(written, heads, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(_csv_rows(view))
    return written.getvalue().removesuffix("\n")


def _csv_rows(view: View) -> Iterator[dict[str, str]]:
    for sheet in view.sheets:
        for row in sheet.rows:
            cells = zip(sheet.columns, row.cells, strict=True)
            yield {"record": sheet.record, **{column.csv_key: harmless(cell, column.kind) for column, cell in cells}}
    for finding in view.findings:
        yield {
            "record": "finding",
            "name": finding.name,
            "severity": finding.severity,
            "count": str(finding.count),
            "says": harmless(finding.says),
        }
    for what, why in view.unreadable:
        yield {"record": "unreadable", "name": harmless(what), "says": harmless(why)}
    for note in view.notes:
        yield {"record": "note", "says": harmless(note)}


def harmless(cell: Cell, kind: Kind = "text") -> str:
    """Return a cell that no spreadsheet takes for a formula. A number stays one."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return plain_dollars(int(cell)) if kind == "money" else str(cell)
    text = shown(cell)
    return f"'{text}" if text.lstrip(" \u2068").startswith(_FORMULA) else text


def markdown_text(view: View) -> str:
    """Return the report as a page in Markdown."""
    return "\n".join(_markdown(view))


def _markdown(view: View) -> Iterator[str]:
    yield from (f"# {_escaped(view.title)}", "", f"{_escaped(view.target)}, as of {_escaped(view.as_of)}.", "")
    yield from (f"- {_escaped(name)}: {_escaped(value)}" for name, value in view.facts)
    if view.findings:
        yield from ("", "## Findings", "", "| Severity | Finding | Count | What | Who |", "|---|---|---:|---|---|")
        yield from (_finding_line(each) for each in view.findings)
    if view.notes:
        yield from ("", *(f"- {_escaped(note)}" for note in view.notes))
    for sheet in view.sheets:
        yield from ("", f"## {_escaped(sheet.title)}", "", _line(column.head for column in sheet.heads))
        yield f"|{'|'.join(map(_rule, sheet.heads))}|"
        for row in sheet.rows:
            yield _line(text for _, text in sheet.read(row))
    if view.unreadable:
        yield from ("", "## Could not be read", "")
        yield from (f"- {_escaped(what)}: {_escaped(why)}" for what, why in view.unreadable)


def _finding_line(finding: Finding) -> str:
    cells = (finding.severity, finding.name, str(finding.count), finding.says, named(finding))
    return _line(cells)


def named(finding: Finding) -> str:
    """Return the first of those that a finding is about, and how many more there are."""
    first = ", ".join(shown(each) for each in finding.who[:_MOST_NAMED])
    more = max(finding.count, len(finding.who)) - _MOST_NAMED
    return f"{first} and {more} more" if more > 0 and first else first


def _rule(column: Column) -> str:
    return "---" if column.kind == "text" else "---:"


def _line(cells: Iterator[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    marked = _MARKS.sub(r"\\\1", shown(text))
    return _LINKS.sub(lambda found: found[0].replace(":", r"\:").replace(".", r"\."), marked)

"""A report as one HTML file that opens anywhere: no script, nothing from elsewhere, for screen and print. Pure."""

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Final

from admin_mcp.cli.report_text import named
from admin_mcp.cli.report_view import Cell, Chart, Column, Finding, Matrix, Room, Row, Severity, Sheet, View, shown

Draw = Callable[[Chart, str, Room], str]
"""Makes an ``svg`` element of a chart; the text is its name in the page."""

_MARKS: Final[dict[Severity, str]] = {"high": "●●●", "medium": "●●", "low": "●"}
"""Severity without colour, as on paper."""

_ROOMS: Final[tuple[Room, ...]] = ("wide", "narrow")
_DATE: Final = re.compile(r"(?<!\w)\d{4}-\d\d-\d\d(?!\w)")

_STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1f23; --soft: #5b6470; --line: #d8dde3; --band: #f5f7f9;
  --high: #b3261e; --high-bg: #fbe4e2; --medium: #8a5300; --medium-bg: #fdf0d5; --low: #2c5f8a; --low-bg: #e4eff8;
  --chart-1: #2a6fb0; --chart-2: #d98324; --chart-3: #4f9d69; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e8eaed; --soft: #a3adb8; --line: #3a424c;
  --band: #1d2126; --high: #ff9a92; --high-bg: #4a1d1a; --medium: #f5c26b; --medium-bg: #41300f; --low: #9cc9ee;
  --low-bg: #17324a; --chart-1: #6aa9e0; --chart-2: #eda85a; --chart-3: #7cc596; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 80rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.of { color: var(--soft); margin: .2rem 0 1.4rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .6rem; margin: 0; }
.facts div { background: var(--band); border: 1px solid var(--line); border-radius: 6px; padding: .45rem .7rem; }
.facts dt { color: var(--soft); font-size: .8rem; } .facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--band); font-weight: 600; white-space: nowrap; }
td { overflow-wrap: break-word; max-width: 28rem; } td.id { font-size: .78rem; color: var(--soft);
  white-space: nowrap; } .number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; } .fixed { white-space: nowrap; overflow-wrap: normal; }
tr.high > :first-child { box-shadow: inset 4px 0 var(--high); }
tr.medium > :first-child { box-shadow: inset 4px 0 var(--medium); }
tr.low > :first-child { box-shadow: inset 4px 0 var(--low); }
.tag { border-radius: 4px; padding: .05rem .4rem; white-space: nowrap; font-size: .82rem; }
.tag.high, td.high { background: var(--high-bg); color: var(--high); }
.tag.medium, td.medium { background: var(--medium-bg); color: var(--medium); }
.tag.low, td.low { background: var(--low-bg); color: var(--low); }
.matrix td, .matrix thead th { text-align: center; border-left: 1px solid var(--line); white-space: normal; }
.matrix tbody th { font-weight: 500; white-space: nowrap; position: sticky; left: 0; background: var(--paper); }
.unread { background: var(--medium-bg); color: var(--medium); border-radius: 6px; padding: .8rem 1rem; }
.unread h2 { margin: 0 0 .3rem; } .unread ul, .notes { margin: .3rem 0; padding-left: 1.2rem; }
figure { margin: 1.6rem 0; break-inside: avoid; } figcaption { font-weight: 600; margin-bottom: .3rem; }
figure .narrow { display: none; } figure svg { width: 100%; height: auto; max-height: 60rem; }
.soft { color: var(--soft); }
.pygal-chart .axis .guide.line { stroke: var(--line) !important; }
/* On a telephone a finding is a block of its own, since a table would hide most of it beside the screen. */
@media screen and (max-width: 40rem) { body { padding: 1.2rem 1rem 3rem; } .findings thead { display: none; }
  .findings tr { display: grid; grid-template-columns: auto 1fr auto; padding: .4rem 0;
    border-bottom: 1px solid var(--line); } .findings td { border: 0; padding: .1rem .3rem; max-width: none; }
  .findings td:nth-child(n+4) { grid-column: 1 / -1; } .findings td:last-child { color: var(--soft); }
  .matrix tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 8.5rem; max-width: 8.5rem; }
  figure .wide { display: none; } figure .narrow { display: block; } }
@page { margin: 14mm; size: landscape; }
@media print { :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --band: #f2f2f2; --high: #8c1008;
  --high-bg: #fbe4e2; --medium: #6b4000; --medium-bg: #fdf0d5; --low: #1d4a70; --low-bg: #e4eff8; --chart-1: #2a6fb0;
  --chart-2: #d98324; --chart-3: #4f9d69; color-scheme: light; }
  html { font-size: 11px; }
  body { padding: 0; max-width: none; font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  thead { display: table-header-group; } tr { break-inside: avoid; } .wide { overflow: visible; }
  h2 { break-after: avoid; } }
"""


def page_of(view: View, draw: Draw) -> str:
    """Return the report as a page."""
    return "\n".join(_page(view, draw))


def _page(view: View, draw: Draw) -> Iterator[str]:
    title = f"{shown(view.title)}: {shown(view.target)}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
    )
    yield f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    yield f'<h1>{_text(view.title)}</h1>\n<p class="of">{_text(view.target)}, as of {_text(view.as_of)}</p>'
    if view.unreadable:
        yield '<section class="unread"><h2>Could not be read</h2><ul>'
        yield from (f"<li>{_text(what)}: {_text(why)}</li>" for what, why in view.unreadable)
        yield "</ul></section>\n<p></p>"
    facts = "".join(f"<div><dt>{_text(name)}</dt><dd>{_fact(shown(value))}</dd></div>" for name, value in view.facts)
    yield f'<dl class="facts">{facts}</dl>'
    if view.findings:
        yield '<h2>Findings</h2><div class="wide"><table class="findings"><thead><tr><th>Severity</th><th>Finding</th>'
        yield '<th class="number">Count</th><th>What</th><th>Who</th></tr></thead><tbody>'
        yield from map(_finding, view.findings)
        yield "</tbody></table></div>"
    if view.notes:
        yield f'<ul class="notes">{"".join(f"<li>{_text(note)}</li>" for note in view.notes)}</ul>'
    for number, chart in enumerate(view.charts, start=1):
        # What a screen has room for can't be read on a telephone, so each has its own; only one is ever shown.
        drawn = "".join(f'<div class="{room}">{draw(chart, f"{room}-{number}", room)}</div>' for room in _ROOMS)
        yield f"<figure><figcaption>{_text(chart.title)}</figcaption>{drawn}</figure>"
    if view.matrix:
        yield from _matrix(view.matrix)
    for sheet in view.sheets:
        yield from _sheet(sheet)
    yield "</body>\n</html>"


def _text(value: Cell) -> str:
    return escape(shown(value))


def _tag(severity: Severity) -> str:
    return f'<span class="tag {severity}">{_MARKS[severity]} {severity}</span>'


def _finding(found: Finding) -> str:
    cells = f'<td class="number">{found.count:,}</td><td>{_text(found.says)}</td><td>{escape(named(found))}</td>'
    return f'<tr><td class="fixed">{_tag(found.severity)}</td><td class="fixed">{_text(found.name)}</td>{cells}</tr>'


def _sheet(sheet: Sheet) -> Iterator[str]:
    heads = "".join(f"<th{_class(column)}>{_text(column.head)}</th>" for column in sheet.heads)
    yield f'<h2>{_text(sheet.title)} <span class="soft">({len(sheet.rows):,})</span></h2>'
    yield f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>'
    yield from (_row(sheet, row) for row in sheet.rows)
    yield "</tbody></table></div>"


def _row(sheet: Sheet, row: Row) -> str:
    cells = "".join(f"<td{_class(column)}>{_in_cell(column, text)}</td>" for column, text in sheet.read(row))
    return f"<tr{f' class={row.severity}' if row.severity else ''}>{cells}</tr>"


def _in_cell(column: Column, text: str) -> str:
    return escape(text) if column.key == "id" else _breakable(text)


def _breakable(text: str) -> str:
    """Return a text that may be broken within the names of findings and settings."""
    return escape(text).replace("_", "_<wbr>")


def _fact(text: str) -> str:
    """Return a text in which no date is broken at its hyphens."""
    return _DATE.sub(r'<span class="fixed">\g<0></span>', _breakable(text))


def _class(column: Column) -> str:
    if column.kind != "text":
        return ' class="number"'
    if column.key == "id":
        return ' class="id"'
    return ' class="fixed"' if column.key in {"created", "last_used", "expires", "first", "last", "day"} else ""


def _matrix(matrix: Matrix) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{_text(column)}</th>' for column in matrix.columns)
    yield f'<h2>{_text(matrix.title)}</h2><div class="wide"><table class="matrix"><thead><tr><th></th>{heads}</tr>'
    yield "</thead><tbody>"
    for name, cells in matrix.rows:
        row = "".join(f"<td{f' class={how}' if how else ''}>{_text(said)}</td>" for said, how in cells)
        yield f'<tr><th scope="row">{_text(name)}</th>{row}</tr>'
    yield "</tbody></table></div>"
    if matrix.left_out:
        yield f'<p class="soft">{_text(matrix.left_out)}</p>'

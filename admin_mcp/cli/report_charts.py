"""A chart as SVG that stands in a page: no script, nothing from elsewhere, the page's own colours.

Needs ``pygal``, an optional dependency.
"""

import re
import sys
from dataclasses import dataclass
from typing import Any, Final

# What is parsed is what the chart library has just written.
from xml.etree import ElementTree as ET

from admin_mcp.cli.report_view import Chart, Room, shown
from admin_mcp.jobs.money import in_dollars

_SVG: Final = "http://www.w3.org/2000/svg"
_UNWANTED: Final = ("script", "desc")
_BAR_HEIGHT, _MARGINS = 30, 40
_LEGEND: Final = 20
_MARGIN: Final = 12
_MOST_STEPS: Final = 8


@dataclass(frozen=True, slots=True)
class _Size:
    """A drawing's size, and how much it has room for: labels below bars, amounts above them, letters of a label."""

    width: int
    height: int
    labels: int
    fewest: int
    amounts: int
    longest: int
    legends: int


_SIZES: Final[dict[Room, _Size]] = {
    "wide": _Size(width=900, height=300, labels=12, fewest=8, amounts=12, longest=30, legends=3),
    "narrow": _Size(width=360, height=260, labels=7, fewest=3, amounts=5, longest=16, legends=2),
}
_SLANT: Final = 40
_LETTER: Final = 7
"""How wide a letter of a label is at most, nearly always."""

_WHOLE_DOLLARS: Final = 10_000
_COLOURS: Final = ("var(--chart-1)", "var(--chart-2)", "var(--chart-3)")


def can_draw() -> bool:
    """Whether the library for charts is there."""
    from importlib.util import find_spec  # noqa: PLC0415 - only this asks

    return find_spec("pygal") is not None


def svg_of(chart: Chart, name: str, room: Room = "wide") -> str:
    """Return a chart as an ``svg`` element; ``name`` is unique in the page."""
    drawn = ET.fromstring(_drawing(chart, name, _SIZES[room]).render(is_unicode=True))  # noqa: S314 - see the import
    for parent in [*drawn.iter()]:
        for child in [*parent]:
            if child.tag in {f"{{{_SVG}}}{tag}" for tag in _UNWANTED}:
                parent.remove(child)
    drawn.set("role", "img")
    drawn.set("aria-label", shown(chart.title))
    ET.register_namespace("", _SVG)
    return re.sub(r' xmlns:xlink="[^"]*"', "", ET.tostring(drawn, encoding="unicode"))


def _drawing(chart: Chart, name: str, size: _Size) -> Any:  # noqa: ANN401 - the library has no types
    """Return the library's chart."""
    import pygal  # noqa: PLC0415 - may not be installed
    from pygal.style import Style  # noqa: PLC0415

    # It puts a finder for its plugins into every import of the process, of a form that Python 3.12 dropped.
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]
    several = len(chart.series) > 1
    kind = pygal.HorizontalBar if chart.sideways else pygal.StackedBar if several else pygal.Bar
    drawing = kind(
        style=Style(
            background="transparent",
            plot_background="transparent",
            foreground="var(--ink)",
            foreground_strong="var(--ink)",
            foreground_subtle="var(--line)",
            colors=_COLOURS,
            value_colors=("var(--ink)",) * len(_COLOURS),
            font_family="inherit",
            label_font_size=13,
            major_label_font_size=13,
            legend_font_size=13,
            value_font_size=12,
            opacity="1",
        ),
        js=(),
        disable_xml_declaration=True,
        width=size.width,
        height=_height(chart, size),
        show_legend=several,
        legend_at_bottom=True,
        legend_box_size=12,
        legend_at_bottom_columns=min(size.legends, max(1, len(chart.series))),
        truncate_legend=-1,
        truncate_label=-1,
        print_values=not chart.sideways and not several and len(chart.labels) <= size.amounts,
        print_values_position="top",
        value_formatter=_money if chart.money else _count,
        show_minor_x_labels=chart.sideways or len(chart.labels) <= size.labels,
        show_minor_y_labels=True,
        # The amounts stand beside such bars.
        show_x_labels=not chart.sideways,
        max_scale=_MOST_STEPS,
        x_label_rotation=0 if chart.sideways else _slant(chart, size),
        spacing=8,
        margin=_MARGIN,
        margin_bottom=_MARGIN + _more_legends(chart, size),
    )
    drawing.uuid = name
    order = slice(None, None, -1) if chart.sideways else slice(None)
    labels = _labels(chart, size.longest)[order]
    drawing.x_labels = labels
    if not chart.sideways and len(labels) > size.labels:
        drawing.x_labels_major = labels[:: -(-len(labels) // size.fewest)]
    for called, values in chart.series.items():
        drawing.add(shown(called), [*values][order])
    return drawing


def _height(chart: Chart, size: _Size) -> int:
    if chart.sideways:
        return _MARGINS + _BAR_HEIGHT * len(chart.labels)
    return size.height + _more_legends(chart, size)


def _more_legends(chart: Chart, size: _Size) -> int:
    """Return how much room the legends take beyond their first line, for which alone the library leaves any."""
    return _LEGEND * (max(0, len(chart.series) - 1) // size.legends)


def _slant(chart: Chart, size: _Size) -> int:
    """Return by how much labels below bars are turned: where they stand too close to lie side by side."""
    if len(chart.labels) > size.labels:
        return 0
    return _SLANT if _LETTER * sum(len(shown(label)) + 2 for label in chart.labels) > size.width else 0


def _labels(chart: Chart, longest: int) -> list[str]:
    """Return the labels; those of bars that lie on their side have the value with them, where it is easily read."""
    texts = [shown(label) for label in chart.labels]
    texts = [text if len(text) <= longest else f"{text[: longest - 1]}…" for text in texts]
    if not chart.sideways:
        return texts
    amounts = next(iter(chart.series.values()))
    say = _money if chart.money else _count
    return [f"{text}  {say(amount)}" for text, amount in zip(texts, amounts, strict=True)]


def _money(amount: float) -> str:
    if abs(amount) < _WHOLE_DOLLARS and amount % 100:
        return in_dollars(round(amount))
    return in_dollars(round(round(amount), -2)).removesuffix(".00")


def _count(amount: float) -> str:
    return f"{amount:,.0f}" if amount == int(amount) else ""

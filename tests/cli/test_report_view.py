"""What lying names do in a report: nothing, in any format."""

import csv
import io
import json
import sys
from decimal import Decimal
from typing import Any

import pytest

from admin_mcp.cli.report_charts import svg_of
from admin_mcp.cli.report_page import page_of
from admin_mcp.cli.report_terminal import table_text
from admin_mcp.cli.report_text import csv_text, harmless, json_text, markdown_text
from admin_mcp.cli.report_view import Chart, Finding, View, flat, shown, words
from admin_mcp.cli.report_views import view_of
from admin_mcp.jobs.reports.report_spend import ReportSpend
from admin_mcp.jobs.reports.review_access import ReviewAccess
from admin_mcp.jobs.reports.review_keys import ReviewKeys
from tests.jobs.pretend import Pretend

pytestmark = pytest.mark.anyio

EVIL = (
    "\x1b]0;owned\x07\x1b[31mred",
    "=HYPERLINK(1)",
    "+1\u202egnp.exe",
    "<script>alert(1)</script>",
    "a|b\nc [x](https://evil.example) :smile: [red]x[/red]",
    "\ud800half",
    "\u05e9\u05dc\u05d5\u05dd",
)


def people(*names: str) -> Any:
    rows = [{"id": f"user-{number}", "name": name, "email": "x@example.com"} for number, name in enumerate(names)]
    return {"object": "list", "data": rows, "has_more": False}


async def of_access(*names: str, **more: Any) -> View:
    one = Pretend(canned={"list_users": people(*names)}, **more)
    answer = await one.report(ReviewAccess)
    return view_of("access", answer, "somewhere")


@pytest.mark.parametrize("name", EVIL)
async def test_a_name_is_never_more_than_a_name(name: str) -> None:
    view = await of_access(name)
    texts = [table_text(view), csv_text(view), markdown_text(view), page_of(view, svg_of), json_text(view)]
    for text in texts:
        assert not {"\x1b", "\x07", "\u202e", "\ud800"} & set(text)
        text.encode("utf-8")
    assert "<script" not in texts[3]
    rows = [*csv.DictReader(io.StringIO(texts[1]))]
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert "](https:" not in texts[2]
    assert len([row for row in rows if row["record"] == "person"]) == len(view.answer["people"])


async def test_a_name_in_square_brackets_is_no_markup() -> None:
    assert "[red]x[/red]" in table_text(await of_access("[red]x[/red]"))


async def test_numbers_below_zero_stay_numbers_in_a_spreadsheet() -> None:
    one = Pretend()
    answer = await one.report(ReportSpend, period="30d", by="project", top=100)
    view = view_of("spend", answer, "somewhere")
    rows = [row for row in csv.DictReader(io.StringIO(csv_text(view))) if row["record"] == "row"]
    assert sum(Decimal(row["usd"]) * 100 for row in rows) == sum(row["cents"] for row in answer["rows"])
    assert any(row["change_usd"].startswith("-") for row in rows)


@pytest.mark.parametrize(
    ("amount", "said"), [(0, "0.00"), (-5, "-0.05"), (123_456, "1234.56"), (10**18 + 1, "10000000000000000.01")]
)
def test_money_in_a_spreadsheet_is_exact(amount: int, said: str) -> None:
    assert harmless(amount, "money") == said


async def test_what_a_report_made_visible_before_is_not_spelt_out_again() -> None:
    once = shown("\u05e9\u05dc\u05d5\u05dd")
    assert shown(once) == once
    mixed = shown("p\u0430ypal")
    assert "mixes" in mixed
    assert shown(mixed) == mixed


async def test_what_can_not_be_read_is_a_finding_and_in_every_format() -> None:
    one = Pretend(refused=("list_users",))
    view = view_of("keys", await one.report(ReviewKeys, top=100), "somewhere")
    assert [each.name for each in view.has(("unreadable",))] == ["unreadable"]
    assert json.loads(json_text(view))["unreadable"]
    assert "Could not be read" in table_text(view)


async def test_keys_are_counted_by_their_age() -> None:
    one = Pretend()
    one.grow(people=0, projects=2)
    answer = await one.report(ReviewKeys, top=1000)
    (chart,) = view_of("keys", answer, "somewhere").charts
    assert sum(sum(counts) for counts in chart.series.values()) == answer["totals"]["keys"]
    assert chart.series["Service account"][0] == 4


async def test_the_chart_of_many_rows_adds_up_the_rest() -> None:
    rows = [{"name": f"p{number}", "cents": 1000 - number} for number in range(60)]
    answer = {
        "as_of": "2026-11-25T18:30Z", "period": "x", "by": "project", "totals": {}, "rows": rows, "spikes": [],
        "findings": [], "unreadable": [],
    }  # fmt: skip
    (chart,) = view_of("spend", answer, "somewhere").charts
    assert chart.labels[-1] == "40 more"
    assert sum(next(iter(chart.series.values()))) == sum(1000 - number for number in range(60))


async def test_findings_of_spend_tell_a_limit_that_is_passed_from_one_that_will_be() -> None:
    limits = {
        "projects": [
            {"id": "p1", "name": "over", "spent_cents": 120, "limit_cents": 100, "used_percent": 120, "days_left": 0},
            {"id": "p2", "name": "soon", "spent_cents": 80, "limit_cents": 100, "used_percent": 80, "days_left": 2},
            {"id": "p3", "name": "fine", "spent_cents": 1, "limit_cents": 100, "lasts_month": True},
        ],
        "neither": 0,
        "neither_named": [],
    }
    answer = {
        "as_of": "2026-11-25T18:30Z", "period": "x", "by": "project", "totals": {}, "rows": [], "spikes": [],
        "findings": [], "unreadable": [], "limits": limits,
    }  # fmt: skip
    found = {each.name: each.who for each in view_of("spend", answer, "somewhere").findings}
    assert found == {"limit_passed": ("over",), "limit_before_month_end": ("soon",)}


async def test_findings_of_activity_have_names() -> None:
    def row(what: str, **more: object) -> dict[str, Any]:
        return {"what": what, "who": "Ana", "count": 2, "first": "2026-11-25T18:30Z", **more}

    answer = {
        "as_of": "2026-11-25T18:30Z", "period": "x", "totals": {"events": 6, "complete": False}, "findings": [],
        "rows": [
            row("login.failed", concern="sign-in"),
            row("user.updated", concern="access", detail="role owner"),
            row("project.created"),
        ],
        "unreadable": [],
    }  # fmt: skip
    found = {each.name: each.count for each in view_of("activity", answer, "somewhere").findings}
    assert found == {"failed_login": 2, "made_owner": 2, "sign_in": 2, "access": 2, "incomplete": 1}


@pytest.mark.parametrize("sideways", [True, False])
def test_a_chart_has_its_labels_and_no_script(sideways: bool) -> None:
    chart = Chart("By <day>", ("a & b", "<c>", "\x1b[31m"), {"x": (1, 20_000_00, 3)}, money=True, sideways=sideways)
    drawn = svg_of(chart, "one")
    assert drawn.startswith("<svg")
    assert "a &amp; b" in drawn
    assert "<script" not in drawn
    assert "<c>" not in drawn
    assert "\x1b" not in drawn
    assert svg_of(chart, "one") == drawn


def test_drawing_leaves_no_finder_that_later_imports_would_stumble_over() -> None:
    svg_of(Chart("x", ("a",), {"x": (1,)}), "one")
    assert all(hasattr(finder, "find_spec") for finder in sys.meta_path)


def test_a_chart_of_nothing_can_be_drawn() -> None:
    assert svg_of(Chart("x", (), {"x": ()}), "one").startswith("<svg")


def test_values_of_any_shape_fit_a_cell() -> None:
    assert flat({"owner": ["Ana", "Ben"], "member": []}) == "owner: Ana, Ben; member: "
    assert flat(True) == "yes"
    assert flat(None) is None
    assert words("spend_limit_usd") == "Spend limit in USD"


def test_amounts_beside_bars_are_rounded_and_have_cents_only_where_they_are_small() -> None:
    amounts = {"a": 64_768, "b": 64_700, "c": 1_234, "d": 2_000, "e": 0}
    drawn = svg_of(Chart("Spend", tuple(amounts), {"x": tuple(amounts.values())}, money=True, sideways=True), "one")
    for said in ("a  $648", "b  $647", "c  $12.34", "d  $20", "e  $0"):
        assert f">{said}<" in drawn


def test_a_page_breaks_no_date_and_marks_what_becomes_blocks_on_a_telephone() -> None:
    facts = (("Period", "2026-10-01 to 2026-10-31"), ("Key", "x2026-10-01"))
    finding = Finding("old", "low", 1, "Old", ("a",))
    text = page_of(View("spend", "Spend", "somewhere", "now", facts, (finding,), ()), svg_of)
    assert '<span class="fixed">2026-10-01</span> to <span class="fixed">2026-10-31</span>' in text
    assert "<dd>x2026-10-01</dd>" in text
    assert '<table class="findings">' in text

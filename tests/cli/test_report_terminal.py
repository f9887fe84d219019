"""``report`` in terminals of any width: no word is broken, and nothing is cut off."""

from io import StringIO

import pytest
from rich.console import Console

from admin_mcp.cli.report_terminal import print_on
from admin_mcp.cli.report_view import View, sheet
from admin_mcp.endpoints.schema import Json

KEY: Json = {
    "name": "Research nightly job key",
    "kind": "service_account",
    "project": "Research",
    "owner": "Research nightly job",
    "created": "2026-08-25",
    "cents_30d": 8950,
    "findings": ["never_used", "no_expiry"],
    "id": "key_0dQSJukaGQlUz3T1",
}


def shown(rows: list[Json], width: int) -> list[str]:
    view = View("keys", "API keys", "somewhere", "now", (), (), (sheet("key", "Keys", rows),))
    written = StringIO()
    print_on(view, Console(file=written, width=width, color_system=None))
    return [line.rstrip() for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 250])
def test_no_word_is_broken_and_no_line_is_too_long(width: int) -> None:
    lines = shown([KEY, {**KEY, "name": "x", "findings": []}], width)
    text = " ".join(lines)
    for word in ("Research", "service_account", "2026-08-25", "$89.50", "never_used,", "no_expiry"):
        assert word in text
    assert max(map(len, lines)) <= width


def test_a_narrow_table_has_all_columns_or_lacks_the_empty_ones_and_then_the_ids() -> None:
    row = {"name": "Billing", "models": "", "retention": "organization_default", "id": "proj_SdDOk02PErb6fDjk"}
    heads = [next(line.split() for line in shown([row], width) if "Name" in line) for width in (80, 60, 45)]
    assert heads == [["Name", "Models", "Retention", "ID"], ["Name", "Retention", "ID"], ["Name", "Retention"]]


def test_where_a_table_has_no_room_each_row_is_a_card() -> None:
    assert shown([KEY, {"name": "", "id": "key_2"}], 80)[3:] == [
        "Keys",
        "",
        "Research nightly job key",
        "    Kind: service_account; Project: Research; Owner: Research nightly job;",
        "    Created: 2026-08-25; Spend in 30 days: $89.50; Findings: never_used,",
        "    no_expiry; ID: key_0dQSJukaGQlUz3T1",
        "(no name)",
        "    ID: key_2",
        "",
    ]


def test_rows_that_say_nothing_are_shown_at_any_width() -> None:
    assert all(shown([{"name": "", "retention_of_logs": ""}], width) for width in (5, 80))

"""The benchmark of reports writes a section of the page that the other one writes, and nothing else of it."""

from benchmarks.answers import CALLS, HEADING, Taken, section
from benchmarks.run import placed


def test_the_section_comes_last_and_takes_the_place_of_an_older_one() -> None:
    page = "# Performance\n\nText.\n"
    once = placed(page, HEADING, f"{HEADING}\nold\n")
    assert once == f"{page}\n{HEADING}\nold\n"
    assert placed(once, HEADING, f"{HEADING}\nnew\n") == f"{page}\n{HEADING}\nnew\n"


def test_the_section_has_a_row_of_all_columns_for_each_report() -> None:
    reports = [Taken(what, tool, 1.25, 0.5, 80.4, {"totals": {}}) for what, tool, _ in CALLS]
    rows = [line for line in section(reports, 2_000, 1.0).splitlines() if line.startswith("|")][2:]
    assert [row.count("|") for row in rows] == [7] * len(CALLS)
    assert all("| 1.2 s | 0.5 s | 80 MiB | 13 |" in row for row in rows)

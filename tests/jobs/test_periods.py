"""Time words mean whole days in UTC, and what can't be a period is refused with the way out."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_mcp.errors import InvalidInput
from admin_mcp.jobs.periods import day_of, days_between, iso, parse_period

NOW = datetime(2026, 11, 25, 18, 30, tzinfo=UTC).timestamp()  # a Wednesday


@pytest.mark.parametrize(
    ("text", "means", "before"),
    [
        ("today", "2026-11-25", "2026-11-24"),
        ("yesterday", "2026-11-24", "2026-11-23"),
        ("this_week", "2026-11-23..2026-11-25", "2026-11-16..2026-11-18"),
        ("last_week", "2026-11-16..2026-11-22", "2026-11-09..2026-11-15"),
        ("this_month", "2026-11-01..2026-11-25", "2026-10-01..2026-10-25"),
        ("last_month", "2026-10-01..2026-10-31", "2026-09-01..2026-09-30"),
        ("Last Month", "2026-10-01..2026-10-31", "2026-09-01..2026-09-30"),
        ("30d", "2026-10-27..2026-11-25", "2026-09-27..2026-10-26"),
        ("1d", "2026-11-25", "2026-11-24"),
        ("2026-10", "2026-10-01..2026-10-31", "2026-09-01..2026-09-30"),
        ("2026-01", "2026-01-01..2026-01-31", "2025-12-01..2025-12-31"),
        ("2025-12", "2025-12-01..2025-12-31", "2025-11-01..2025-11-30"),
        ("2024-02", "2024-02-01..2024-02-29", "2024-01-01..2024-01-31"),
        ("2026Q3", "2026-07-01..2026-09-30", "2026-04-01..2026-06-30"),
        ("2026-q4", "2026-10-01..2026-11-25", "2026-07-01..2026-08-25"),
        ("2026-10-01", "2026-10-01", "2026-09-30"),
        ("2026-10-01..2026-10-31", "2026-10-01..2026-10-31", "2026-08-31..2026-09-30"),
        (" 2026-11-25 .. 2026-11-25 ", "2026-11-25", "2026-11-24"),
    ],
)
def test_words_mean_days(text: str, means: str, before: str) -> None:
    period = parse_period(text, NOW)
    assert (str(period), str(period.previous())) == (means, before)
    assert (period.end - period.start) == len(period.days) * 86_400
    assert period.start == datetime.fromisoformat(f"{means[:10]}T00:00:00+00:00").timestamp()


def test_the_unfinished_month_is_compared_with_no_more_of_a_shorter_one_than_it_has() -> None:
    end_of_march = datetime(2026, 3, 31, 12, tzinfo=UTC).timestamp()
    assert str(parse_period("this_month", end_of_march).previous()) == "2026-02-01..2026-02-28"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-10-31..2026-10-01", "ends before it begins; write 2026-10-01..2026-10-31"),
        ("2026-12-01", "in the future; today is 2026-11-25"),
        ("2026-11-20..2026-12-31", "ends in the future"),
        ("2027Q1", "begins in the future"),
        ("2026-12", "begins in the future"),
        ("2026-13", "is no period"),
        ("2026-02-30", "is no period"),
        ("0000-01", "is no period"),
        ("9999-12", "is no period"),
        ("0001-01", "is no period"),
        ("0002-01-01", "begins before 2015-01-01"),
        ("2014-01-01..2014-01-02", "begins before 2015-01-01"),
        ("2016-01-01..2026-01-01", "at most 366"),
        ("9999d", "before 2015-01-01"),
        ("0d", "the shortest is 1d"),
        ("-5d", "is no period"),
        ("\u0663\u0660d", "is no period"),
        ("", "is no period"),
        ("next_month", "is no period"),
        ("2026-10-01T00:00:00Z", "is no period"),
        ("x" * 100_000, "is no period"),
    ],
)
def test_what_is_no_period_is_refused_with_the_way_out(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_period(text, NOW, "compare")
    assert says in caught.value.message
    assert caught.value.message.startswith("compare: ")
    assert caught.value.param == "compare"
    assert "2026Q3" in caught.value.hint
    assert len(caught.value.message) < 600


@given(st.text(max_size=30))
def test_any_text_is_a_period_up_to_today_or_refused(text: str) -> None:
    try:
        period = parse_period(text, NOW)
    except InvalidInput:
        return
    assert period.first < period.past <= date(2026, 11, 26)
    assert period.previous().past <= period.first


@pytest.mark.parametrize("moment", [None, "2026-10-01", True, 10**400, -(10**30), float("inf"), float("nan")])
def test_what_is_no_moment_has_no_day(moment: object) -> None:
    assert (day_of(moment), iso(moment), days_between(moment, NOW)) == (None, None, None)

"""Time words of the reports: ``last_month``, ``30d``, ``2026-10-01..2026-10-31`` -> whole days in UTC. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import Field

from admin_mcp.errors import InvalidInput

PeriodText = Annotated[
    str, Field(description="UTC: date, date..date, 2026-10, 2026Q3, 30d, yesterday, this_week, last_month...")
]

_FORMS = (
    "a date (2026-10-01), a range (2026-10-01..2026-10-31), a month (2026-10), a quarter (2026Q3), a number of days up "
    "to today (30d), or one of today, yesterday, this_week, last_week, this_month, last_month"
)
_MOST_DAYS = 366
_FIRST_DAY = date(2015, 1, 1)
_LONGEST_ECHO = 60
_DAY_SECONDS = 86_400
_MONTHS_OF_QUARTER = 3
_DECEMBER = 12
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RANGE = re.compile(rf"({_DATE.pattern})\s*\.\.\s*({_DATE.pattern})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_QUARTER = re.compile(r"([0-9]{4})-?[Qq]([1-4])")
_DAYS = re.compile(r"([0-9]{1,4})d")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from ``first`` to before ``past``. ``before`` is where the period before it begins.

    ``unfinished``: it goes on after today, and is read up to today.
    """

    first: date
    past: date
    before: date
    unfinished: bool = False

    @property
    def start(self) -> int:
        """The first moment, in unix seconds."""
        return midnight(self.first)

    @property
    def end(self) -> int:
        """The first moment after it, in unix seconds."""
        return midnight(self.past)

    @property
    def days(self) -> list[date]:
        """Its days, in order."""
        return [self.first + timedelta(number) for number in range((self.past - self.first).days)]

    def __str__(self) -> str:
        """Return the first and the last day."""
        last = self.past - timedelta(1)
        return f"{self.first}" if last == self.first else f"{self.first}..{last}"

    def reaches(self, now: float) -> bool:
        """Whether it goes up to today."""
        return self.past > today_at(now)

    def previous(self) -> "Period":
        """Return the period before: as many days of it, where this one is not over yet."""
        length = self.past - self.first
        past = min(self.before + length, self.first) if self.unfinished else self.first
        return Period(self.before, past, self.before - length)


def midnight(day: date) -> int:
    """Return the first moment of a day in UTC, in unix seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def day_of(seconds: object) -> date | None:
    """Return the UTC day of a moment in unix seconds, or None for what is no such moment."""
    moment = _datetime(seconds)
    return moment.date() if moment else None


def iso(seconds: object) -> str | None:
    """Return a moment in unix seconds as ISO 8601 in UTC, to the minute, or None for what is no such moment."""
    moment = _datetime(seconds)
    return f"{moment:%Y-%m-%dT%H:%MZ}" if moment else None


def days_between(seconds: object, now: float) -> int | None:
    """Return how many whole days ago a moment was, or None for what is no moment."""
    moment = _datetime(seconds)
    return None if moment is None else int((now - moment.timestamp()) // _DAY_SECONDS)


def parse_period(text: str, now: float, field: str = "period") -> Period:
    """Return the days that a period's words mean at a moment.

    Raises:
        InvalidInput: it has no form that is known, ends before it begins, lies in the future or is too long.

    """
    today = today_at(now)
    period = _parsed(text.strip(), today, field)
    tomorrow = today + timedelta(1)
    if period.first > today:
        raise _refusal(field, text, f"begins in the future; today is {today}")
    if period.first < _FIRST_DAY:
        raise _refusal(field, text, f"begins before {_FIRST_DAY}, where nothing is on record")
    if (length := (period.past - period.first).days) > _MOST_DAYS:
        raise _refusal(field, text, f"has {length} days; at most {_MOST_DAYS} can be reported at once")
    if period.past > tomorrow:
        return Period(period.first, tomorrow, period.before, unfinished=True)
    return Period(period.first, period.past, period.before, unfinished=period.past == tomorrow and period.unfinished)


def _parsed(text: str, today: date, field: str) -> Period:
    word = text.casefold().replace("-", "_").replace(" ", "_")
    if word in _WORDS:
        return _WORDS[word](today)
    try:
        return _dated(text, today, field)
    except (ValueError, OverflowError):  # a month 13, a 30th of February, a year 0
        raise _refusal(field, text, "is no period") from None


def _dated(text: str, today: date, field: str) -> Period:
    if found := _RANGE.fullmatch(text):
        return _range(date.fromisoformat(found[1]), date.fromisoformat(found[2]), today, field, text)
    if _DATE.fullmatch(text):
        day = date.fromisoformat(text)
        return _range(day, day, today, field, text)
    if found := _DAYS.fullmatch(text):
        if (count := int(found[1])) == 0:
            raise _refusal(field, text, "has no days; the shortest is 1d, which is today")
        return _of_days(today - timedelta(count - 1), today + timedelta(1))
    if found := _QUARTER.fullmatch(text):
        return _months(date(int(found[1]), (int(found[2]) - 1) * _MONTHS_OF_QUARTER + 1, 1), _MONTHS_OF_QUARTER)
    if found := _MONTH.fullmatch(text):
        return _months(date(int(found[1]), int(found[2]), 1), 1)
    raise ValueError(text)


def _range(first: date, last: date, today: date, field: str, text: str) -> Period:
    if last < first:
        raise _refusal(field, text, f"ends before it begins; write {last}..{first}")
    if last > today:
        raise _refusal(field, text, f"ends in the future; today is {today}")
    return _of_days(first, last + timedelta(1))


def _of_days(first: date, past: date) -> Period:
    return Period(first, past, first - (past - first))


def _months(first: date, count: int) -> Period:
    return Period(first, _moved(first, count), _moved(first, -count), unfinished=True)


def _moved(first: date, months: int) -> date:
    """Return the first of a month so many months away."""
    years, month = divmod(first.month - 1 + months, _DECEMBER)
    return date(first.year + years, month + 1, 1)


def _week(today: date, weeks: int) -> Period:
    monday = today - timedelta(today.weekday() - 7 * weeks)
    return Period(monday, monday + timedelta(7), monday - timedelta(7), unfinished=True)


_WORDS: dict[str, Callable[[date], Period]] = {
    "today": lambda today: _of_days(today, today + timedelta(1)),
    "yesterday": lambda today: _of_days(today - timedelta(1), today),
    "this_week": lambda today: _week(today, 0),
    "last_week": lambda today: _week(today, -1),
    "this_month": lambda today: _months(today.replace(day=1), 1),
    "last_month": lambda today: _months(_moved(today.replace(day=1), -1), 1),
}


def today_at(now: float) -> date:
    """Return the UTC day of the present."""
    return datetime.fromtimestamp(now, UTC).date()


def _datetime(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _refusal(field: str, text: str, why: str) -> InvalidInput:
    said = text if len(text) <= _LONGEST_ECHO else f"{text[: _LONGEST_ECHO - 1]}…"
    return InvalidInput(
        f"{field}: {said!r} {why}.", param=field, hint=f"Nothing was read. {field} takes {_FORMS}; days are in UTC."
    )

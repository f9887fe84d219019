"""Spend limits and alerts beside what was spent this month: how much is used, and how long it lasts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.money import added, cents, percent
from admin_mcp.jobs.spend import FEWEST_DAYS

PACE_DAYS: Final = 7
RANGE_DAYS: Final = 28
PACE_METHOD: Final = f"pace: the mean of the last {PACE_DAYS} full days"
RANGE_METHOD: Final = f"spent before today + days left x the 25th to 75th percentile of the last {RANGE_DAYS} full days"


@dataclass(frozen=True, slots=True)
class Cap:
    """A spend limit and alerts, in cents. ``limit`` is None where there is none."""

    limit: int | None
    alerts: Sequence[int] = ()
    enforcing: bool = False

    @property
    def exists(self) -> bool:
        """Whether there is a limit or an alert."""
        return self.limit is not None or bool(self.alerts)


def cap(limit: Json, alerts: Sequence[Json]) -> Cap:
    """Return what the API's limit and alerts say. An empty limit is one that is not set."""
    thresholds = [_whole(alert.get("threshold_amount")) for alert in alerts]
    enforcement = limit.get("enforcement")
    return Cap(
        limit=_whole(limit.get("threshold_amount")),
        alerts=sorted(threshold for threshold in thresholds if threshold is not None),
        enforcing=isinstance(enforcement, dict) and enforcement.get("status") == "enforcing",
    )


def standing(bounds: Cap, days: Mapping[date, Decimal], today: date) -> Json:
    """Return how a cap stands: spent this month, share used, and the whole days that are left at the present pace.

    A month begins anew, so what is left then says nothing: ``lasts_month`` stands in its place.
    """
    spent = cents(spent_in_month(days, today))
    row: Json = {"spent_cents": spent}
    if bounds.limit is not None:
        row["limit_cents"] = bounds.limit
        row |= {} if (share := percent(spent, bounds.limit)) is None else {"used_percent": share}
    if bounds.enforcing:
        row["enforcing"] = True
    if (alert := next((each for each in bounds.alerts if each > spent), None)) is not None:
        row["next_alert_cents"] = alert
    if bounds.alerts and (passed := sum(each <= spent for each in bounds.alerts)):
        row["alerts_passed"] = passed
    next_bound = bounds.limit if bounds.limit is not None else alert
    if next_bound is not None:
        left = days_left(next_bound - spent, days, today)
        row |= {"lasts_month": True} if left is None or left >= days_to_come(today) else {"days_left": left}
    return row


def spent_in_month(days: Mapping[date, Decimal], today: date) -> Decimal:
    """Return what was spent from the first of the month to now."""
    return added(amount for day, amount in days.items() if today.replace(day=1) <= day <= today)


def days_left(room: int, days: Mapping[date, Decimal], today: date) -> int | None:
    """Return how many whole days an amount in cents lasts at the present pace; None: it has no end in sight."""
    if room <= 0:
        return 0
    pace = cents(added(_recent(days, today, PACE_DAYS)))
    return room * PACE_DAYS // pace if pace > 0 else None


def month_end(days: Mapping[date, Decimal], today: date) -> Json | None:
    """Return the range in which the month will likely end, or None where too few days are known."""
    begun = min((day for day, amount in days.items() if amount), default=today)
    recent = sorted(_recent(days, today, min(RANGE_DAYS, (today - begun).days)))
    if len(recent) < FEWEST_DAYS:
        return None
    first = today.replace(day=1)
    past = added(amount for day, amount in days.items() if first <= day < today)
    remaining = days_to_come(today) + 1
    low, high = (cents(added((past, _percentile(recent, share) * remaining))) for share in (25, 75))
    spent = cents(spent_in_month(days, today))
    return {"low_cents": max(low, spent), "high_cents": max(high, spent), "method": RANGE_METHOD}


def days_to_come(today: date) -> int:
    """Return how many days of the month follow today."""
    return ((today.replace(day=1) + timedelta(31)).replace(day=1) - today).days - 1


def _recent(days: Mapping[date, Decimal], today: date, count: int) -> list[Decimal]:
    """Return the amounts of the last full days."""
    return [days.get(today - timedelta(number), Decimal(0)) for number in range(1, count + 1)]


def _percentile(ordered: Sequence[Decimal], share: int) -> Decimal:
    """Return the percentile between the two amounts nearest to it."""
    position = Decimal(share) / 100 * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

"""Buckets of costs or usage -> exact amounts by name and day. Pure.

A bucket that comes twice, since the list changed while it was read, counts once; what is no amount counts as nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from sys import intern
from typing import TypeVar

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.money import ZERO, added, exact
from admin_mcp.jobs.periods import Period, day_of

CURRENCY = "usd"

_K = TypeVar("_K")


@dataclass(slots=True)
class Ledger:
    """Amounts by name and day. The name is None where the API attributes an amount to nothing.

    ``unclear`` counts results without an amount that can be read, ``foreign`` those in another currency; ``days`` are
    those whose buckets have been counted.
    """

    amounts: dict[tuple[str | None, date], Decimal] = field(default_factory=dict)
    unclear: int = 0
    foreign: int = 0
    days: set[date] = field(default_factory=set)

    def add(self, name: str | None, day: date, amount: Decimal) -> None:
        """Add an amount."""
        self.amounts[name, day] = added((self.amounts.get((name, day), ZERO), amount))

    def merge(self, other: "Ledger") -> None:
        """Add all of another."""
        for (name, day), amount in other.amounts.items():
            self.add(name, day, amount)
        self.unclear += other.unclear
        self.foreign += other.foreign

    def within(self, period: Period) -> "Ledger":
        """Return the part of a period; if that is all of it, this ledger: a copy may take megabytes."""
        if all(period.first <= day < period.past for _, day in self.amounts):
            return self
        kept = {key: amount for key, amount in self.amounts.items() if period.first <= key[1] < period.past}
        return Ledger(kept, self.unclear, self.foreign)

    def total(self) -> Decimal:
        """Return the sum."""
        return added(self.amounts.values())

    def by_name(self) -> dict[str | None, Decimal]:
        """Return the sum of each name."""
        return _summed((name, amount) for (name, _), amount in self.amounts.items())

    def by_day(self) -> dict[date, Decimal]:
        """Return the sum of each day."""
        return _summed((day, amount) for (_, day), amount in self.amounts.items())


Amount = Callable[[Json], Decimal | None]
"""Reads the amount of one result."""


def ledger(buckets: Iterable[Json], group: str | None, amount: Amount | None = None) -> Ledger:
    """Return what buckets add up to, by the field they were grouped by; ``amount`` is of costs unless given."""
    book = Ledger()
    add_to(book, buckets, group, amount)
    return book


def add_to(book: Ledger, buckets: Iterable[Json], group: str | None, amount: Amount | None = None) -> None:
    """Add what further buckets say."""
    for day, result in _results(buckets, book.days):
        if amount is None and not _is_in_dollars(result):
            book.foreign += 1
            continue
        found = (amount or _cost)(result)
        book.unclear += found is None
        name = result.get(group) if group else None
        book.add(intern(name) if isinstance(name, str) and name else None, day, found or ZERO)


def _results(buckets: Iterable[Json], seen: set[date]) -> Iterator[tuple[date, Json]]:
    for bucket in buckets:
        day = day_of(bucket.get("start_time"))
        listed = bucket.get("results")
        if day is None or day in seen or not isinstance(listed, list):
            continue
        seen.add(day)
        for result in listed:
            if isinstance(result, dict):
                yield day, result


def _cost(result: Json) -> Decimal | None:
    amount = result.get("amount")
    return exact(amount.get("value")) if isinstance(amount, dict) else None


def _is_in_dollars(result: Json) -> bool:
    amount = result.get("amount")
    currency = amount.get("currency") if isinstance(amount, dict) else None
    return not isinstance(currency, str) or currency.lower() == CURRENCY


def _summed(pairs: Iterable[tuple[_K, Decimal]]) -> dict[_K, Decimal]:
    sums: dict[_K, Decimal] = {}
    for key, amount in pairs:
        sums[key] = added((sums.get(key, ZERO), amount))
    return sums

"""What a ledger tells about spending: what grew, which days stand out, and whose it is. Pure.

A day stands out where it is above its own median by more than four times what days usually stray from it: the median
absolute deviation, scaled to a standard deviation, or a tenth of the median where the days are all but equal. Unlike
a mean and its deviation, neither is moved by the very day that is looked for.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Final

from admin_mcp.jobs.ledger import Ledger
from admin_mcp.jobs.money import ZERO, added

FEWEST_DAYS: Final = 7
_MAD_SCALE: Final = Decimal("1.4826")
_USUAL_STRAY: Final = Decimal("0.1")
_FACTOR: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """What a name came to, in the period and in the one before. The name is None where the API gives none."""

    name: str | None
    amount: Decimal
    before: Decimal

    @property
    def change(self) -> Decimal:
        """How much more it is than before."""
        return added((self.amount, -self.before))


@dataclass(frozen=True, slots=True)
class Spike:
    """A day that stands out."""

    name: str | None
    day: date
    amount: Decimal
    usual: Decimal


def lines(book: Ledger, before: Ledger) -> list[Line]:
    """Return a line for each name of either period, the largest amount first."""
    now, then = book.by_name(), before.by_name()
    found = [Line(name, now.get(name, ZERO), then.get(name, ZERO)) for name in {**now, **then}]
    return sorted(found, key=lambda line: (-line.amount, -line.before, str(line.name)))


def movers(found: Iterable[Line], count: int) -> list[Line]:
    """Return those that changed most, up or down."""
    changed = [line for line in found if line.change]
    return sorted(changed, key=lambda line: (-abs(line.change), str(line.name)))[:count]


def spikes(books: Iterable[Ledger], days: Sequence[date], asked: Collection[date], least: Decimal) -> list[Spike]:
    """Return the days asked for that stand out among ``days``, the farthest out first. No day is in two books.

    ``least`` is what a day must be above the median to be worth a word.
    """
    series: dict[str | None, dict[date, Decimal]] = {}
    for book in books:
        for (name, day), amount in book.amounts.items():
            series.setdefault(name, {})[day] = amount
    found = [spike for name, amounts in series.items() for spike in _outliers(name, amounts, days, asked, least)]
    return sorted(found, key=lambda spike: (spike.usual - spike.amount, spike.day, str(spike.name)))


def _outliers(
    name: str | None, amounts: dict[date, Decimal], days: Sequence[date], asked: Collection[date], least: Decimal
) -> Iterable[Spike]:
    begun = min((day for day, amount in amounts.items() if amount), default=None)
    usual = [amounts.get(day, ZERO) for day in days if begun is not None and day >= begun]
    if len(usual) < FEWEST_DAYS:
        return
    middle = median(usual)
    stray = median(abs(amount - middle) for amount in usual) * _MAD_SCALE
    bound = max(_FACTOR * max(stray, abs(middle) * _USUAL_STRAY), least)
    for day, amount in amounts.items():
        if day in asked and amount - middle > bound:
            yield Spike(name, day, amount, middle)


def without_person(book: Ledger, people: Collection[str]) -> Decimal:
    """Return the part of a ledger by user that belongs to none of these people."""
    return added(amount for name, amount in book.by_name().items() if name not in people)

"""Money of the reports: exact sums of what the API gives in dollars, rounded to whole cents once. Pure; no prices."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

ZERO = Decimal(0)
_LARGEST_EXPONENT = 400
_LONGEST_NUMBER = 1000
_EXACT = Context(prec=2 * _LARGEST_EXPONENT + 100, rounding=ROUND_HALF_EVEN)
"""Holds any sum of amounts up to the largest a JSON number has room for, to its last digit."""


def exact(value: object) -> Decimal | None:
    """Return a number, or a number in a string, as it was written; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        return None
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, ValueError):
        return None
    if not amount:
        return ZERO
    fits = amount.is_finite() and len(amount.as_tuple().digits) <= _LARGEST_EXPONENT
    return amount if fits and abs(amount.adjusted()) <= _LARGEST_EXPONENT else None


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    total = ZERO
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def cents(dollars: Decimal) -> int:
    """Return an amount of dollars in whole cents, a half to the even one."""
    return int(_EXACT.multiply(dollars, Decimal(100)).to_integral_value(ROUND_HALF_EVEN, _EXACT))


def in_dollars(amount_in_cents: int) -> str:
    """Return an amount in cents as it is read: ``$1,234.56``."""
    dollars, rest = divmod(abs(amount_in_cents), 100)
    return f"{'-' if amount_in_cents < 0 else ''}${dollars:,}.{rest:02}"


def plain_dollars(amount_in_cents: int) -> str:
    """Return an amount in cents as dollars that a spreadsheet reads as a number: ``-1234.56``."""
    dollars, rest = divmod(abs(amount_in_cents), 100)
    return f"{'-' if amount_in_cents < 0 else ''}{dollars}.{rest:02}"


def percent(part: int | Decimal, whole: int | Decimal) -> int | None:
    """Return a share in whole percent, or None of nothing."""
    if whole <= 0:
        return None
    return int(
        _EXACT.divide(_EXACT.multiply(Decimal(part), Decimal(100)), Decimal(whole)).to_integral_value(
            ROUND_HALF_EVEN, _EXACT
        )
    )

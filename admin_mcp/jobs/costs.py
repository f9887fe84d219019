"""What was spent, by what: costs are added up as their pages come, since those of a large organization fill memory.

What a page held is forgotten, and the sums are kept: they may be asked for again.
"""

from typing import Final

from admin_mcp.jobs.ledger import Ledger, add_to
from admin_mcp.jobs.periods import Period
from admin_mcp.jobs.reader import Reader

DAYS_AT_ONCE: Final = 10
FEWER_DAYS: Final = 4
"""For groups of which there may be thousands, so that a day alone is a long answer."""

_MANY: Final = frozenset({"user_id", "api_key_id"})


class Costs:
    """The costs that one report reads, each period and group once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[tuple[int, int, str | None], Ledger] = {}

    async def by(self, group: str | None, period: Period) -> Ledger:
        """Return what a period cost, by one field.

        Raises:
            CallError: it can't be read.

        """
        key = (period.start, period.end, group)
        if key not in self._known:
            self._known[key] = await self._read(group, period)
        return self._known[key]

    async def _read(self, group: str | None, period: Period) -> Ledger:
        grouped: dict[str, object] = {"group_by": [group]} if group else {}
        days = FEWER_DAYS if group in _MANY else DAYS_AT_ONCE
        book = Ledger()
        pages = self._reader.pages("get_costs", start_time=period.start, end_time=period.end, limit=days, **grouped)
        async for buckets in pages:
            add_to(book, buckets, group)
        return book

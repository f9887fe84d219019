"""The reads of one job: at most eight at once, each once, with progress. What can't be read is kept in a list."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import anyio
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from admin_mcp.api.connection import Read
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApiError, CallError, NotFound, Permission, PolicyDenied, RateLimited, SchemaMismatch

AT_ONCE = 8
LARGEST_PAGE = 100
MOST_PAGES = 1000
MOST_UNREAD = 10
"""How much of what could not be read is named one by one; a key that may not read much would fill the answer."""

TOLD_OF_EACH = 20
"""How many reads are told of one by one; after that, as many pass for each message. Some reports take thousands."""

_LONGEST = 160
SLOWED_SECONDS = (5.0, 15.0, 30.0)
"""How long to wait after each answer that asks to slow down, beyond what the client waited already."""

Report = Callable[[float, float | None, str], Awaitable[None]]
"""Tells the client how far the job is: done, of how much, and in words."""

_T = TypeVar("_T")
_R = TypeVar("_R")


_CURSOR_GONE = frozenset({400, 404, 410, 422})
"""What the API may answer where the first page was had and only the cursor is another."""

CHANGED = "the list changed while it was read; ask again for all of it"


class CursorGoneError(ApiError):
    """The next page of a list can't be had, since what it begins after is no longer there."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read: what, in words, and why."""

    what: str
    why: str


class Reader:
    """Reads for one job. ``now`` gives unix seconds, ``sleep`` waits."""

    def __init__(
        self,
        catalog: Catalog,
        read: Read,
        report: Report,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.now = now
        self.unread: list[Unread] = []
        self._catalog = catalog
        self._read = read
        self._report = report
        self._sleep = sleep
        self._limiter = anyio.CapacityLimiter(AT_ONCE)
        self._reading: dict[tuple[str, str], anyio.Event] = {}
        self._known: dict[tuple[str, str], Json | CallError] = {}
        self._done = 0

    async def get(self, tool: str, **arguments: object) -> Json:
        """Return what one read tool answers; a second time from memory.

        Raises:
            CallError: it failed.

        """
        call, spelt = self._call(tool, arguments)
        key = (tool, spelt)
        while (event := self._reading.get(key)) is not None:
            await event.wait()
        if key not in self._known:
            self._reading[key] = anyio.Event()
            try:
                self._known[key] = await self._patiently(call)
            except CallError as error:
                self._known[key] = error
            finally:
                self._reading.pop(key).set()
        found = self._known[key]
        if isinstance(found, CallError):
            raise found
        return found

    async def all(self, tool: str, **arguments: object) -> list[Json]:
        """Return every item of a list, whatever its pages.

        Raises:
            CallError: a page can't be read, or the pages go round.

        """
        return await self._collected(tool, MOST_PAGES, arguments)

    async def some(self, tool: str, pages: int, **arguments: object) -> list[Json]:
        """Return the items on the first pages of a list.

        Raises:
            CallError: a page can't be read.

        """
        return await self._collected(tool, pages, arguments)

    async def pages(self, tool: str, **arguments: object) -> AsyncIterator[list[Json]]:
        """Yield the items of a list page by page, none of which is kept: for lists that are long and only added up.

        Raises:
            CallError: a page can't be read.

        """
        async for items in self._pages(tool, MOST_PAGES, arguments, self._forgotten):
            yield items

    async def _collected(self, tool: str, most: int, arguments: dict[str, object]) -> list[Json]:
        """Return each item once. A list whose next page is gone is read once more, from its beginning."""
        found = _Items()
        for get in (self.get, self._forgotten):
            found = _Items()
            try:
                async for items in self._pages(tool, most, arguments, get):
                    found.add(items)
                break
            except CursorGoneError:
                continue
        else:
            self.unread.append(Unread(f"{tool} beyond {len(found.rows)} items", CHANGED))
        if found.twice:
            self.unread.append(Unread(f"{tool}: all of it for certain", CHANGED))
        return found.rows

    async def _forgotten(self, tool: str, **arguments: object) -> Json:
        return await self._patiently(self._call(tool, arguments)[0])

    async def _pages(
        self, tool: str, most: int, arguments: dict[str, object], get: Callable[..., Awaitable[Json]]
    ) -> AsyncIterator[list[Json]]:
        from admin_mcp.endpoints.paging import PaginatedEndpoint  # noqa: PLC0415 - comes with the catalog's modules

        endpoint = self._catalog.endpoint(tool)
        if not issubclass(endpoint, PaginatedEndpoint):
            raise TypeError(f"{tool} is no list")
        first, _ = self._call(tool, arguments)
        given = {"limit": first.page_size() if isinstance(first, PaginatedEndpoint) else LARGEST_PAGE, **arguments}
        count = 0
        cursors: set[str] = set()
        for _ in range(most):
            try:
                page = await get(tool, **given)
            except CallError as error:
                if not cursors or error.status not in _CURSOR_GONE:
                    raise
                raise CursorGoneError(f"{tool} beyond {count} items: {CHANGED}", hint="Ask again.") from None
            data = page.get("data")
            if not isinstance(data, list):
                self.unread.append(Unread(f"{tool} beyond {count} items", "the answer is no list"))
                return
            items = [item for item in data if isinstance(item, dict)]
            count += len(items)
            yield items
            cursor = endpoint.cursor_after(page) if page.get("has_more") else None
            if cursor is None or cursor in cursors:
                if page.get("has_more"):
                    self.unread.append(Unread(f"{tool} beyond {count} items", "the API names no further page"))
                return
            cursors.add(cursor)
            given[endpoint.cursor_argument()] = cursor
        self.unread.append(Unread(f"{tool} beyond {count} items", "the list is too long"))

    async def each(self, things: Iterable[_T], function: Callable[[_T], Awaitable[_R]]) -> list[_R]:
        """Return what the function makes of each thing, in their order, several at a time.

        Raises:
            CallError: the first that came; the other reads are given up.

        """
        listed = list(things)
        results: dict[int, _R] = {}
        failed: list[CallError] = []

        async def one(number: int, thing: _T) -> None:
            try:
                results[number] = await function(thing)
            except CallError as error:
                # By itself, since a task group would wrap it, and nobody further up knows a group of errors.
                failed.append(error)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for number, thing in enumerate(listed):
                group.start_soon(one, number, thing)
        if failed:
            raise failed[0]
        return [results[number] for number in range(len(listed))]

    async def attempt(self, what: str, reading: Awaitable[_T]) -> _T | None:
        """Return what a read answers, or None where this one thing can't be read: that is noted.

        Raises:
            CallError: no read will do better, as without a key or a network.

        """
        try:
            return await reading
        except (Permission, PolicyDenied, NotFound, ApiError, SchemaMismatch) as error:
            self.unread.append(Unread(what, error.message))
            return None

    def unreadable(self) -> Sequence[Json]:
        """Return what could not be read, for the answer: the first of it, and how much more there is."""
        unread = [*dict.fromkeys(self.unread)]
        shown = [{"what": _cut(each.what), "why": _cut(each.why)} for each in unread[:MOST_UNREAD]]
        if more := unread[MOST_UNREAD:]:
            shown.append({"what": f"{len(more)} more, such as {_cut(more[-1].what)}", "why": _cut(more[-1].why)})
        return shown

    @property
    def reads(self) -> int:
        """How many reads were answered so far."""
        return self._done

    def _call(self, tool: str, arguments: dict[str, object]) -> tuple[Endpoint, str]:
        """Return a call, and the text that tells it from others.

        Raises:
            SchemaMismatch: an id or a cursor that the API gave is none.

        """
        try:
            call = self._catalog.endpoint(tool).model_validate(arguments)
            return call, call.model_dump_json(exclude_unset=True)
        except (ValidationError, PydanticSerializationError):
            raise SchemaMismatch(
                f"{tool} can't be called with what the API gave: {_cut(str(arguments))}", hint="Tell the operator."
            ) from None

    async def _patiently(self, call: Endpoint) -> Json:
        """Read, and go on after a while where the API asks to slow down."""
        for wait in (*SLOWED_SECONDS, None):
            try:
                async with self._limiter:
                    answer = await self._read(call)
            except RateLimited:
                if wait is None:
                    raise
                await self._sleep(wait)
            else:
                self._done += 1
                if self._done <= TOLD_OF_EACH or self._done % TOLD_OF_EACH == 0:
                    await self._report(self._done, None, f"{self._done} reads; the last: {call.SPEC.name}")
                return answer
        raise AssertionError("the last try either answers or raises")


class _Items:
    """The items of a list by page: an item that an earlier page had as well is there once, as it came last."""

    def __init__(self) -> None:
        self.rows: list[Json] = []
        self.twice = False
        self._places: dict[str, int] = {}

    def add(self, page: list[Json]) -> None:
        """Add a page. Twice on one page is how the API has it, as a role that is held in two ways."""
        new: dict[str, int] = {}
        for row in page:
            item = row.get("id")
            if isinstance(item, str) and (place := self._places.get(item)) is not None:
                self.rows[place] = row
                self.twice = True
                continue
            if isinstance(item, str):
                new[item] = len(self.rows)
            self.rows.append(row)
        self._places |= new


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

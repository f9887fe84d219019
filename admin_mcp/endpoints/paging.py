"""Lists: what every tool that answers in pages takes beside its endpoint's parameters, and how pages become one answer.

An answer stays within a budget of bytes. It is cut between items only, and then says how to go on. Nothing here sends
anything: the caller gives the function that reads one page.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Self

from annotated_types import Le
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from admin_mcp.endpoints.base import Endpoint, NotSent
from admin_mcp.endpoints.fields import INTEGRAL, UNSET, BareInSchema, declared_default
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError

MOST_ITEMS = 1000
LARGEST_PAGE = 100
_NEXT_FIELDS = ("next_page", "next")

ReadPage = Callable[["PaginatedEndpoint"], Awaitable[Json]]
ReportItems = Callable[[int, int, str], Awaitable[None]]


class PaginatedEndpoint(Endpoint, abstract=True):
    """Base of the endpoints that answer in pages."""

    fetch_all: Annotated[bool, NotSent()] = UNSET
    max_items: Annotated[int, NotSent(), Field(ge=1, le=10_000), INTEGRAL, BareInSchema()] = UNSET

    @model_validator(mode="after")
    def _goes_forward_to_an_end(self) -> Self:
        """Refuse what would be ignored."""
        if not self.fetch_all and self.max_items not in {None, MOST_ITEMS}:
            raise PydanticCustomError("max_items_alone", "max_items needs fetch_all: true; a single page takes limit")
        if self.fetch_all and getattr(self, "before", None) is not None:
            raise PydanticCustomError("fetch_all_backwards", "fetch_all goes forward: give after, not before")
        return self

    def largest_page(self) -> int:
        """Return how many items the API gives at once, or fewer where that many are plenty."""
        most = (bound.le for bound in type(self).model_fields["limit"].metadata if isinstance(bound, Le))
        return min([LARGEST_PAGE, *(bound for bound in most if isinstance(bound, int))])

    def page_size(self) -> int:
        """Return how many items to ask for at once: what was asked for, if that is not just the filled-in default."""
        limit: int | None = getattr(self, "limit", None)
        filled_in = limit == declared_default(type(self).model_fields["limit"])
        return limit if limit and not filled_in else self.largest_page()

    @classmethod
    def cursor_argument(cls) -> str:
        """Return the name of the argument that takes the cursor of the next page."""
        return "page" if "page" in cls.model_fields else "after"

    @classmethod
    def next_field(cls) -> str | None:
        """Return the name of the answer's field that holds the next cursor, or None where the last id is the cursor."""
        return next((name for name in _NEXT_FIELDS if name in cls.SPEC.returns.model_fields), None)

    @classmethod
    def cursor_after(cls, page: Json) -> str | None:
        """Return the cursor of the page after this one, or None where the list ends or names none."""
        if not page.get("has_more"):
            return None
        if field := cls.next_field():
            cursor = page.get(field)
        else:
            cursor = page.get("last_id") or (_id(page["data"][-1]) if page["data"] else None)
        return cursor if isinstance(cursor, str) and cursor else None


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a list ends for now. ``bytes``: of the items, as compact JSON; ``late`` says that no page should follow."""

    bytes: int
    late: Callable[[], bool]


async def read_list(call: PaginatedEndpoint, read: ReadPage, bounds: Bounds, report: ReportItems) -> Json:
    """Return the page the call asks for, or with ``fetch_all`` all of them as one, in the API's own shape.

    An answer that was merged or cut has one more field, ``paging``.

    Raises:
        CallError: the first page can't be read. A later failure ends the list early, with what there is.

    """
    merged = _Merged(call, call.max_items or MOST_ITEMS)
    page = await read(merged.next_call() if call.fetch_all else call)
    if not isinstance(page.get("data"), list):
        return page
    page, cut = await _fitted(call, page, read, bounds.bytes)
    if cut is None and not call.fetch_all:
        return page
    merged.add(page)
    while (cut := cut or _end(merged, bounds)) is None:
        await report(len(merged.items), merged.most, f"{len(merged.items)} items from {merged.pages} pages")
        cut = await _added(merged, read, bounds.bytes)
    return merged.answer(cut)


async def _added(merged: "_Merged", read: ReadPage, budget: int) -> str | None:
    """Read the next page and take it in, or return why it stays out."""
    try:
        page = await read(merged.next_call())
    except CallError as error:
        return f"the next page failed ({error.kind}: {error.message})"
    if not isinstance(page.get("data"), list):
        return "the next page is no list"
    if merged.size + _added_size(page["data"]) > budget:
        return _full(budget)
    merged.add(page)
    return None


class _Merged:
    """The pages so far."""

    def __init__(self, call: PaginatedEndpoint, most: int) -> None:
        self._call = call
        self._first: Json = {}
        self._last: Json = {}
        self._cursors: set[str] = set()
        self.cursor: str | None = None
        self.most = most
        self.items: list[Any] = []
        self.pages = 0
        self.size = 1

    def next_call(self) -> PaginatedEndpoint:
        """Return the call for the next page, which never holds more items than are still wanted."""
        changed: Json = {"limit": min(self._call.page_size(), self.most - len(self.items))}
        if self.cursor is not None:
            changed[self._call.cursor_argument()] = self.cursor
        return self._call.model_copy(update=changed)

    def add(self, page: Json) -> None:
        """Take a page in."""
        rows = page["data"]
        self._first = self._first or page
        self._last = page
        self.items += rows
        self.size += _added_size(rows)
        self.pages += 1
        cursor = self._call.cursor_after(page)
        self.cursor = None if cursor in self._cursors else cursor
        if cursor is not None:
            self._cursors.add(cursor)

    @property
    def more(self) -> bool:
        """Whether the API said that the list goes on."""
        return bool(self._last.get("has_more"))

    def answer(self, reason: str) -> Json:
        """Return all of it. ``reason`` says why the list ends here although it goes on; empty: it does not."""
        paging: Json = {"items": len(self.items), "pages": self.pages, "complete": not (reason or self.more)}
        if reason:
            paging["stopped"] = f"Stopped because {reason}."
        if not paging["complete"] and self.cursor is not None:
            paging["next"] = {self._call.cursor_argument(): self.cursor}
            paging["hint"] = (
                "To go on, repeat the call with `next` added to its arguments; or narrow it with its filters."
            )
        elif not paging["complete"]:
            paging["hint"] = "The rest can't be reached by paging; narrow the call with its filters or a smaller range."
        first = {"first_id": self._first["first_id"]} if "first_id" in self._first else {}
        return {**self._last, **first, "data": self.items, "paging": paging}


def _end(merged: _Merged, bounds: Bounds) -> str | None:
    """Return why no further page is read (empty: there is none), or None to go on."""
    if not merged.more:
        return ""
    if merged.cursor is None:
        return "the API says there is more, and names no new cursor"
    if len(merged.items) >= merged.most:
        return f"max_items ({merged.most}) is reached"
    return "it took long" if bounds.late() else None


async def _fitted(call: PaginatedEndpoint, page: Json, read: ReadPage, budget: int) -> tuple[Json, str | None]:
    """Return the page, or as much of its beginning as fits, and why it was cut (None: it fits)."""
    rows = page["data"]
    if _size(rows) <= budget:
        return page, None
    fits = _fitting(rows, budget)
    kept = rows[:fits]
    if call.next_field() is None and (last := _id(kept[-1])) is not None:
        page = {**page, "data": kept, "has_more": page.get("has_more") or fits < len(rows)}
        if "last_id" in page:
            page["last_id"] = last
    else:
        # A cursor the API makes points only behind whole pages, so a shorter page is read.
        while len(rows) > fits:
            asked = fits
            page = await read(call.model_copy(update={"limit": asked}))
            rows = page.get("data")
            if not isinstance(rows, list):
                return {**page, "data": []}, "a page that was read again, shorter, is no list"
            fits = _fitting(rows, budget)
            if asked < len(rows) > fits:  # asking for less still is in vain, and its cursor would skip what is cut off
                cut = {"data": rows[:fits], call.next_field() or "last_id": None, "has_more": True}
                return {**page, **cut}, _full(budget)
    return _shortened(page, budget)


def _shortened(page: Json, budget: int) -> tuple[Json, str]:
    """Cut the one item that is longer than the budget between the results it holds, if it holds any."""
    rows = page["data"]
    if len(rows) != 1 or _size(rows) <= budget or not isinstance(results := rows[0].get("results"), list):
        return page, _full(budget)
    kept = results[: _fitting(results, budget)]
    reason = (
        f"one item alone is longer than {budget} bytes: of its {len(results)} results only the first {len(kept)} are "
        "here, so don't sum them up; filter or group by less"
    )
    return {**page, "data": [{**rows[0], "results": kept}]}, reason


def _fitting(rows: list[Any], budget: int) -> int:
    """Return how many of the first rows fit, at least one."""
    size = 1
    for count, row in enumerate(rows):
        size += _size(row) + 1
        if size > budget:
            return max(count, 1)
    return len(rows)


def _id(row: object) -> str | None:
    found = row.get("id") if isinstance(row, dict) else None
    return found if isinstance(found, str) else None


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _added_size(rows: list[Any]) -> int:
    """Return by how many bytes a list grows that takes these items in: one bracket is there, a comma follows each."""
    return _size(rows) - 1 if rows else 0


def _full(budget: int) -> str:
    return f"an answer holds at most {budget} bytes"

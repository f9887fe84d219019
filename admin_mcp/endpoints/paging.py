"""Lists: what every tool that answers in pages takes beside its endpoint's parameters, and how pages become one answer.

An answer stays within a budget of bytes. It is cut between items, or inside one between the results it holds, and then
says how to go on. Nothing here sends anything: the caller gives the function that reads one page.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from annotated_types import Le
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError, to_json

from admin_mcp.endpoints.base import Endpoint, NotSent
from admin_mcp.endpoints.fields import INTEGRAL, UNSET, BareInSchema, declared_default
from admin_mcp.endpoints.rows import EVERYTHING, RESULTS, View, field_names, unknown_fields
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError
from admin_mcp.suggestions import nearest

MOST_ITEMS = 1000
MOST_LOOKED_THROUGH = 10_000
LARGEST_PAGE = 100
_NEXT_FIELDS = ("next_page", "next")
_INSIDE = re.compile(r"(?P<cursor>.*)#results=(?P<skipped>[1-9]\d{0,8})", re.DOTALL)
"""A cursor of our own: the API's of the page that begins with an item, and how many of its results were given."""

ReadPage = Callable[["PaginatedEndpoint"], Awaitable[Json]]
ReportItems = Callable[[int, int, str], Awaitable[None]]


class PaginatedEndpoint(Endpoint, abstract=True):
    """Base of the endpoints that answer in pages."""

    fetch_all: Annotated[bool, NotSent()] = UNSET
    max_items: Annotated[int, NotSent(), Field(ge=1, le=10_000), INTEGRAL, BareInSchema()] = UNSET

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        """Refuse what would be ignored."""
        if not self.whole and self.max_items not in {None, MOST_ITEMS}:
            raise PydanticCustomError("max_items_alone", "max_items needs fetch_all: true; a single page takes limit")
        if self.whole and getattr(self, "before", None) is not None:
            raise PydanticCustomError("fetch_all_backwards", "fetch_all goes forward: give after, not before")
        if fields := getattr(self, "fields", None):
            self._know(fields)
        return self

    def _know(self, fields: Sequence[str]) -> None:
        known = field_names(type(self).SPEC.returns.model_fields["data"].annotation)
        for name in unknown_fields(fields, known):
            near = nearest(name, known) or f" They have {', '.join(known)}."
            raise PydanticCustomError("unknown_field", "fields: no row has {name}.{near}", {"name": name, "near": near})

    @property
    def whole(self) -> bool:
        """Whether more than one page may be read. Who looks for a name wants it wherever it stands."""
        return bool(self.fetch_all or getattr(self, "name_contains", None))

    @property
    def view(self) -> View:
        """Which rows are shown, and what of them."""
        fields, name = getattr(self, "fields", None), getattr(self, "name_contains", None)
        return View(tuple(fields or ()), name or "") if fields or name else EVERYTHING

    def largest_page(self) -> int:
        """Return how many items the API gives at once, or fewer where that many are plenty."""
        most = (bound.le for bound in type(self).model_fields["limit"].metadata if isinstance(bound, Le))
        return min([LARGEST_PAGE, *(bound for bound in most if isinstance(bound, int))])

    def page_size(self) -> int:
        """Return how many items to ask for at once: what was asked for, if that is not just the filled-in default.

        Who looks for a name wants what fits it, however many rows are read on the way: the limit is no page's length.
        """
        if self.view.name:
            return self.largest_page()
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

    def at(self, cursor: str | None, limit: int | None = None) -> Self:
        """Return the call for the page at a cursor."""
        changed: Json = {} if limit is None else {"limit": limit}
        return self.model_copy(update=changed | ({} if cursor is None else {self.cursor_argument(): cursor}))

    def cursor(self) -> str | None:
        """Return the cursor that was given."""
        cursor: str | None = getattr(self, self.cursor_argument())
        return cursor


class SelectsFields(PaginatedEndpoint, abstract=True):
    """Base of the lists whose rows are so long that it pays to choose what of them is shown."""

    fields: Annotated[list[str], NotSent()] = UNSET


class FiltersNames(SelectsFields, abstract=True):
    """Base of the lists that people look through for a name or an e-mail address, which the API can't do for them."""

    name_contains: Annotated[str, NotSent()] = UNSET


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a list ends for now. ``bytes``: of the items, as compact JSON; ``late`` says that no page should follow."""

    bytes: int
    late: Callable[[], bool]


async def read_list(call: PaginatedEndpoint, read: ReadPage, bounds: Bounds, report: ReportItems) -> Json:
    """Return the page the call asks for, or with ``fetch_all`` all of them as one, in the API's own shape.

    An answer that was merged, searched or cut has one more field, ``paging``.

    Raises:
        CallError: the first page can't be read. A later failure ends the list early, with what there is.

    """
    call, skipped = _position(call)
    merged = _Merged(call, bounds.bytes, skipped)
    first = call.at(None, limit=1) if skipped else merged.next_call() if call.whole else call
    page = await read(first)
    if not isinstance(page.get("data"), list):
        return page
    page, cut = await _fitted(first, _without_first(page, skipped), read, bounds.bytes, skipped)
    if cut is None and not call.whole and not skipped:
        return _shown(call.view, page)
    merged.add(page)
    if not call.whole:
        return merged.answer(cut or "")
    while (cut := cut or _end(merged, bounds)) is None:
        await report(*merged.progress())
        cut = await _added(merged, read, bounds.bytes)
    return merged.answer(cut)


def _position(call: PaginatedEndpoint) -> tuple[PaginatedEndpoint, int]:
    """Return the call with the API's own cursor, and how many results of its first item were given before."""
    inside = _INSIDE.fullmatch(call.cursor() or "")
    if inside is None or call.cursor_argument() != "page":
        return call, 0
    return call.model_copy(update={call.cursor_argument(): inside["cursor"] or None}), int(inside["skipped"])


def _without_first(page: Json, skipped: int) -> Json:
    """Return the page without what was given before of its first item."""
    rows = page["data"]
    if not skipped or not rows or not isinstance(results := rows[0].get(RESULTS), list):
        return page
    return {**page, "data": [{**rows[0], RESULTS: results[skipped:]}, *rows[1:]]}


def _shown(view: View, page: Json) -> Json:
    return page if view is EVERYTHING else {**page, "data": view.rows(page["data"])}


def _rows(view: View, rows: Sequence[Any]) -> Sequence[Any]:
    return rows if view is EVERYTHING else view.rows(rows)


async def _added(merged: "_Merged", read: ReadPage, budget: int) -> str | None:
    """Read the next page and take it in, or return why it stays out."""
    try:
        page = await read(merged.next_call())
    except CallError as error:
        return f"the next page failed ({error.kind}: {error.message})"
    if not isinstance(page.get("data"), list):
        return "the next page is no list"
    added = merged.added_size(page["data"])
    if merged.size + added > budget:
        return _full(budget)
    merged.add(page, added)
    return None


class _Merged:
    """The pages so far."""

    def __init__(self, call: PaginatedEndpoint, budget: int, skipped: int) -> None:
        self._call = call
        self._budget = budget
        self._skipped = skipped
        self._first: Json = {}
        self._last: Json = {}
        self._cursors: set[str] = set()
        self.cursor: str | None = None
        self.most: int = call.max_items or MOST_ITEMS
        self.items: list[Any] = []
        self.looked_through = 0
        self.pages = 0
        self.size = 1

    def next_call(self) -> PaginatedEndpoint:
        """Return the call for the next page, which never holds more items than are still wanted."""
        size, left = self._call.page_size(), self.most - len(self.items)
        # Few of the rows looked through may fit a name, so that a page may be long although few are wanted.
        return self._call.at(self.cursor, size if self._call.view.name else min(size, left, self._likely_to_fit()))

    def _likely_to_fit(self) -> int:
        """Return how many items to ask for where one may hold very many results: first one, then as it was."""
        if not getattr(self._call, "group_by", None):
            return self.most
        each = self.size / self.looked_through if self.looked_through else self._budget
        return max(1, int((self._budget - self.size) / each))

    def added_size(self, rows: Sequence[Any]) -> int:
        """Return by how many bytes the answer grows that takes these rows in."""
        return _added_size(_rows(self._call.view, rows))

    def add(self, page: Json, size: int | None = None) -> None:
        """Take a page in, whose rows add ``size`` bytes if that is known already."""
        whole = page["data"]
        page = self._wanted(page)
        rows = page["data"]
        self._first = self._first or page
        self._last = page
        self.items += _rows(self._call.view, rows)
        self.looked_through += len(rows)
        self.size += size if size is not None and rows is whole else self.added_size(rows)
        self.pages += 1
        cursor = self._call.cursor_after(page)
        self.cursor = None if cursor in self._cursors else cursor
        if cursor is not None:
            self._cursors.add(cursor)

    def progress(self) -> tuple[int, int, str]:
        """Return how far this is, of how much, and in words."""
        items = f"{len(self.items)} items"
        if self._call.view.name:
            return self.looked_through, MOST_LOOKED_THROUGH, f"{items} of {self.looked_through} looked through"
        return len(self.items), self.most, f"{items} from {self.pages} pages"

    def _wanted(self, page: Json) -> Json:
        """Return the page up to the last row that is still wanted, where a cursor can point behind it."""
        rows, left = page["data"], self.most - len(self.items)
        fitting = [number for number, row in enumerate(rows, 1) if self._call.view.keeps(row)]
        return (_up_to(self._call, page, fitting[left - 1]) or page) if len(fitting) > left else page

    @property
    def more(self) -> bool:
        """Whether the API said that the list goes on."""
        return bool(self._last.get("has_more"))

    def answer(self, reason: str) -> Json:
        """Return all of it. ``reason`` says why the list ends here although it goes on; empty: it does not."""
        paging: Json = {"items": len(self.items), "pages": self.pages, "complete": not (reason or self.more)}
        if self._call.view.name:
            paging["looked_through"] = self.looked_through
        if self._skipped:
            paging["continued"] = (
                f"The first item goes on from its result {self._skipped + 1}: add it to the one before."
            )
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
    if merged.looked_through >= MOST_LOOKED_THROUGH:
        return f"{merged.looked_through} items were looked through"
    return "it took long" if bounds.late() else None


async def _fitted(
    call: PaginatedEndpoint, page: Json, read: ReadPage, budget: int, skipped: int
) -> tuple[Json, str | None]:
    """Return the page, or as much of its beginning as fits, and why it was cut (None: it fits)."""
    rows, view = page["data"], call.view
    fits = _fitting(view, rows, budget)
    if fits == len(rows):
        return page, None
    if inside := _cut_inside(call, page, budget, skipped):
        return inside
    fits = max(fits, 1)
    if shorter := _up_to(call, page, fits):
        return shorter, _full(budget)
    return await _read_shorter(call, page, fits, read, budget=budget, skipped=skipped)


async def _read_shorter(
    call: PaginatedEndpoint, page: Json, fits: int, read: ReadPage, *, budget: int, skipped: int
) -> tuple[Json, str]:
    """Return as much of a page as fits, read so that the API's own cursor points behind it."""
    rows, view = page["data"], call.view
    # A cursor the API makes points only behind whole pages, so a shorter page is read.
    while len(rows) > fits:
        asked = fits
        page = await read(call.at(None, asked))
        if not isinstance(page.get("data"), list):
            return {**page, "data": []}, "a page that was read again, shorter, is no list"
        page = _without_first(page, skipped)
        if inside := _cut_inside(call, page, budget, skipped):
            return inside
        rows = page["data"]
        fits = max(_fitting(view, rows, budget), 1)
        if asked < len(rows) > fits:  # asking for less still is in vain, and its cursor would skip what is cut off
            cut = {"data": rows[:fits], call.next_field() or "last_id": None, "has_more": True}
            return {**page, **cut}, _full(budget)
    return page, _full(budget)


def _up_to(call: PaginatedEndpoint, page: Json, count: int) -> Json | None:
    """Return the page's first rows as a page, or None where no cursor can point behind them."""
    rows = page["data"]
    if call.next_field() is not None or (last := _id(rows[count - 1])) is None:
        return None
    shorter = {**page, "data": rows[:count], "has_more": page.get("has_more") or count < len(rows)}
    return {**shorter, "last_id": last} if "last_id" in page else shorter


def _cut_inside(call: PaginatedEndpoint, page: Json, budget: int, skipped: int) -> tuple[Json, str] | None:
    """Cut the first item between the results it holds if it is longer than the budget, or return None if it isn't."""
    field, first = call.next_field(), next(iter(page["data"]), None)
    if field is None or not isinstance(first, dict) or not isinstance(results := first.get(RESULTS), list):
        return None
    shown = call.view.shown(first)
    kept = max(_fitting(EVERYTHING, shown[RESULTS], budget), 1)
    if kept >= len(results) or _size([shown]) <= budget:
        return None
    reason = (
        f"one item alone is longer than {budget} bytes: of its {skipped + len(results)} results only the "
        f"{'next' if skipped else 'first'} {kept} are here, so don't sum them up before you have the others"
    )
    cursor = f"{call.cursor() or ''}#results={skipped + kept}"
    return {**page, "data": [{**first, RESULTS: results[:kept]}], "has_more": True, field: cursor}, reason


def _fitting(view: View, rows: list[Any], budget: int) -> int:
    """Return how many of the first rows fit. What comes behind them, which may be much, is not measured."""
    size = 1
    for count, row in enumerate(rows):
        size += sum(_size(shown) + 1 for shown in _rows(view, [row]))
        if size > budget:
            return count
    return len(rows)


def _id(row: object) -> str | None:
    found = row.get("id") if isinstance(row, dict) else None
    return found if isinstance(found, str) else None


def _size(value: object) -> int:
    return len(to_json(value))


def _added_size(rows: Sequence[Any]) -> int:
    """Return by how many bytes a list grows that takes these items in: one bracket is there, a comma follows each."""
    return _size(rows) - 1 if rows else 0


def _full(budget: int) -> str:
    return f"an answer holds at most {budget} bytes"

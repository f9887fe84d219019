"""Pages of a list: filters, order, cursors and limits. The return model tells which of the paging styles a list has.

- ``next``: the page names the cursor of the page after it, and only such a cursor is taken;
- ``first_id`` and ``last_id``: ids on the page are the cursors, forward with ``after`` and back with ``before``;
- neither: the id of the last item is the cursor.
"""

from collections.abc import Callable, Iterator
from typing import cast

from admin_mcp.sandbox.errors import invalid
from admin_mcp.sandbox.requests import Call, default_of
from admin_mcp.sandbox.store import Row

_DEFAULT_LIMIT = 20
_PAGING = frozenset({"after", "before", "limit", "order"})
_CURSOR = "cursor_"


def page(call: Call, items: list[str], show: Callable[[str], Row]) -> Row:
    """Return the page that a call asks for, of the things with these ids. ``show`` returns all there is about one."""
    filters = [*_filters(call)]
    # What nothing is asked of is not shown to find that out: a page of a large organization costs a page.
    kept = [item for item in items if all(_passes(call, name, show(item)) for name in filters)] if filters else items
    endpoint = call.route.endpoint
    if call.given.get("order", default_of(endpoint, "order")) == "desc":
        kept = kept[::-1]
    limit = call.given.get("limit", default_of(endpoint, "limit"))
    ids, more = _cut(call, kept, limit if isinstance(limit, int) else _DEFAULT_LIMIT)
    return {
        "object": "list",
        "data": [show(item) for item in ids],
        "has_more": more,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "next": f"{_CURSOR}{ids[-1]}" if ids and more else None,
    }


def _cut(call: Call, ids: list[str], limit: int) -> tuple[list[str], bool]:
    if limit < 0:
        raise invalid("Invalid value for 'limit': must not be negative.", param="limit")
    after, before = (_position(call, name, ids) for name in ("after", "before"))
    rest = ids[0 if after is None else after + 1 : before]
    if before is not None and after is None:
        return rest[max(len(rest) - limit, 0) :], len(rest) > limit
    return rest[:limit], len(rest) > limit


def _position(call: Call, name: str, ids: list[str]) -> int | None:
    cursor = call.given.get(name)
    if cursor is None:
        return None
    item = str(cursor)
    if "next" in call.route.endpoint.SPEC.returns.model_fields:
        if not item.startswith(_CURSOR):
            raise invalid(f"Invalid value for '{name}': take it from 'next' of the page before.", param=name)
        item = item.removeprefix(_CURSOR)
    if item not in ids:
        raise invalid(f"Invalid value for '{name}': there is no such item in this list.", param=name)
    return ids.index(item)


def _filters(call: Call) -> Iterator[str]:
    """Yield the parameters that leave something out."""
    not_filters = {*call.params, *_PAGING, *call.route.endpoint.SPEC.local_fields}
    for name in call.route.endpoint.model_fields:
        given = call.given.get(name)
        filters = name == "include_archived" or (given is not None and given != "any")
        if name not in not_filters and filters:
            yield name


def _passes(call: Call, name: str, shown: Row) -> bool:
    """Whether a row passes one filter. ``emails`` holds what ``email`` may be; a span of time is a set of bounds."""
    asked = call.given.get(name)
    if name == "include_archived":
        return bool(asked) or shown["status"] != "archived"
    if isinstance(asked, list):
        value = shown.get(name.removesuffix("s"))
        return any(each in asked for each in (value if isinstance(value, list) else [value]))
    if isinstance(asked, dict):
        return all(_within(bound, shown[name], value) for bound, value in cast("Row", asked).items())
    return shown.get(name) == asked


def _within(bound: str, moment: object, value: object) -> bool:
    if not isinstance(moment, int) or not isinstance(value, int):
        return False
    return {"gt": moment > value, "gte": moment >= value, "lt": moment < value, "lte": moment <= value}[bound]

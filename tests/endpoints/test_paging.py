"""Lists as one answer: whole, within bounds, and with a cursor to go on from."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import CallToolResult

from admin_mcp.api.request import build_request
from admin_mcp.catalog.audit_logs import ListAuditLogs
from admin_mcp.catalog.costs import GetCosts
from admin_mcp.catalog.external_keys import ListExternalKeys
from admin_mcp.catalog.groups import ListGroups
from admin_mcp.catalog.organization_spend_alerts import ListOrganizationSpendAlerts
from admin_mcp.catalog.roles import ListRoles
from admin_mcp.catalog.usage import GetUsageCompletions
from admin_mcp.catalog.users import ListUsers
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.paging import Bounds, PaginatedEndpoint, ReadPage, read_list
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, InvalidInput, RateLimited
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import ERAS, KEY, session

START = {"start_time": 1_700_000_000}
STYLES: dict[type[PaginatedEndpoint], Json] = {ListUsers: {}, ListRoles: {}, ListExternalKeys: {}, GetCosts: START}
ROOM = 1_000_000


@dataclass
class Api:
    """A list as the API pages it, in whichever style the endpoint has. ``fails_at`` is the page that is refused."""

    rows: list[Json]
    fails_at: int | None = None
    queries: list[dict[str, str]] = field(default_factory=list)

    async def read(self, call: PaginatedEndpoint) -> Json:
        query = dict(build_request(call).query)
        self.queries.append(query)
        if len(self.queries) == self.fails_at:
            raise RateLimited("The API answered 429: slow down", hint="Wait.")
        return self.page(type(call), query)

    def page(self, endpoint: type[PaginatedEndpoint], query: dict[str, str]) -> Json:
        cursor = query.get(endpoint.cursor_argument())
        opaque = endpoint.next_field()
        start = self.position(cursor, opaque) if cursor else 0
        rows = self.rows[start : start + int(query.get("limit", 20))]
        end = start + len(rows)
        page: Json = {"object": "list", "data": rows, "has_more": end < len(self.rows)}
        if opaque:
            page[opaque] = f"c{end}" if page["has_more"] else None
        elif "last_id" in endpoint.SPEC.returns.model_fields:
            page |= {"first_id": rows[0]["id"] if rows else None, "last_id": rows[-1]["id"] if rows else None}
        return page

    def position(self, cursor: str, opaque: str | None) -> int:
        if opaque:
            assert cursor.startswith("c")
            return int(cursor[1:])
        return [row["id"] for row in self.rows].index(cursor) + 1


def rows(sizes: Iterable[int]) -> list[Json]:
    return [{"id": f"id_{number}", "text": "x" * size} for number, size in enumerate(sizes)]


async def answer_of(
    api: Api,
    endpoint: type[PaginatedEndpoint],
    *,
    room: int = ROOM,
    late: bool = False,
    said: list[str] | None = None,
    **given: Any,
) -> Json:
    async def report(items: int, most: int, message: str) -> None:
        assert 0 < items <= most
        if said is not None:
            said.append(message)

    call = parse_arguments(endpoint, {**STYLES.get(endpoint, {}), **given})
    assert isinstance(call, PaginatedEndpoint)
    return await read_list(call, api.read, Bounds(room, late=lambda: late), report)


def run(api: Api, endpoint: type[PaginatedEndpoint], **given: Any) -> Json:
    return anyio.run(partial(answer_of, api, endpoint, **given))


def ids(answer: Json) -> list[str]:
    return [row["id"] for row in answer["data"]]


every_style = pytest.mark.parametrize("endpoint", STYLES)


@every_style
def test_a_page_that_fits_is_the_apis_own_answer(endpoint: type[PaginatedEndpoint]) -> None:
    api = Api(rows([10] * 50))
    assert run(api, endpoint, limit=7) == api.page(endpoint, {"limit": "7"})
    assert len(api.queries) == 1


@every_style
def test_a_page_is_no_other_with_the_default_of_max_items_filled_in(endpoint: type[PaginatedEndpoint]) -> None:
    api = Api(rows([10] * 50))
    assert run(api, endpoint, limit=7, max_items=1000) == api.page(endpoint, {"limit": "7"})
    assert run(api, endpoint, limit=7, max_items=1000, fetch_all=False) == api.page(endpoint, {"limit": "7"})


@every_style
def test_fetch_all_gives_each_item_once_and_says_that_the_list_is_complete(endpoint: type[PaginatedEndpoint]) -> None:
    api, said = Api(rows([10] * 250)), list[str]()
    answer = run(api, endpoint, fetch_all=True, said=said)
    assert ids(answer) == [f"id_{number}" for number in range(250)]
    assert answer["has_more"] is False
    assert answer["paging"] == {"items": 250, "pages": 3, "complete": True}
    assert said == ["100 items from 1 pages", "200 items from 2 pages"]
    assert all("fetch_all" not in query and "max_items" not in query for query in api.queries)


@pytest.mark.parametrize(("limit", "asked"), [(20, "100"), (30, "30"), (None, "100")])
def test_fetch_all_takes_the_size_of_page_asked_for_unless_it_is_only_the_default_filled_in(
    limit: int | None, asked: str
) -> None:
    api = Api(rows([10] * 250))
    run(api, ListUsers, fetch_all=True, max_items=1000, limit=limit)
    assert api.queries[0] == {"limit": asked}


def test_fetch_all_keeps_the_first_and_the_last_id_of_the_whole() -> None:
    answer = run(Api(rows([10] * 150)), ListUsers, fetch_all=True)
    assert (answer["first_id"], answer["last_id"]) == ("id_0", "id_149")


@every_style
def test_max_items_ends_the_list_exactly_there_with_a_cursor_to_go_on_from(endpoint: type[PaginatedEndpoint]) -> None:
    api = Api(rows([10] * 250))
    first = run(api, endpoint, fetch_all=True, max_items=130)
    assert len(first["data"]) == 130
    assert "max_items (130)" in first["paging"]["stopped"]
    rest = run(api, endpoint, fetch_all=True, **first["paging"]["next"])
    assert ids(first) + ids(rest) == [row["id"] for row in api.rows]


@settings(deadline=None, derandomize=True)  # a busy machine is slow, which is no failure
@given(
    sizes=st.lists(st.integers(0, 900), max_size=60),
    limit=st.integers(1, 40),
    room=st.integers(300, 4000),
    whole=st.booleans(),
    endpoint=st.sampled_from(list(STYLES)),
)
def test_following_next_gives_every_item_once_in_answers_that_fit(
    sizes: list[int], limit: int, room: int, whole: bool, endpoint: type[PaginatedEndpoint]
) -> None:
    api, found, cursor = Api(rows(sizes)), list[str](), dict[str, str]()
    for _ in range(len(sizes) + 1):
        more = {"fetch_all": True} if whole else {}
        answer = run(api, endpoint, limit=limit, room=room, **more, **cursor)
        found += ids(answer)
        assert len(json.dumps(answer["data"], separators=(",", ":"))) <= room or len(answer["data"]) == 1
        if not answer["has_more"]:
            break
        cursor = answer.get("paging", {}).get("next") or {
            endpoint.cursor_argument(): answer.get(endpoint.next_field() or "last_id") or answer["data"][-1]["id"]
        }
    assert found == [row["id"] for row in api.rows]


def test_a_cut_page_names_the_last_id_that_is_in_it() -> None:
    answer = run(Api(rows([100] * 20)), ListUsers, room=500)
    assert answer["has_more"] is True
    assert answer["last_id"] == ids(answer)[-1] == answer["paging"]["next"]["after"]
    assert "at most 500 bytes" in answer["paging"]["stopped"]


def test_a_cut_page_with_a_cursor_of_the_apis_own_is_read_again_shorter() -> None:
    api = Api(rows([100] * 20))
    answer = run(api, ListRoles, room=500)
    assert [query.get("limit") for query in api.queries] == [None, str(len(answer["data"]))]
    assert answer["paging"]["next"] == {"after": answer["next"]}


def size(value: object) -> int:
    """Bytes as the budget counts them: compact JSON, in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


EDGES = [[10], [10, 20], [3, 50, 7, 0], [100] * 20]


@every_style
@pytest.mark.parametrize("sizes", EDGES, ids=len)
def test_a_page_of_exactly_the_budget_is_whole_and_one_byte_less_cuts_its_last_item(
    sizes: list[int], endpoint: type[PaginatedEndpoint]
) -> None:
    api = Api(rows(sizes))
    exact = size(api.rows)
    assert run(api, endpoint, room=exact) == api.page(endpoint, {"limit": "100"})
    answer = run(Api(rows(sizes)), endpoint, room=exact - 1)
    assert answer["data"] == api.rows[: max(len(sizes) - 1, 1)]
    assert f"at most {exact - 1} bytes" in answer["paging"]["stopped"]
    assert answer["has_more"] is (len(sizes) > 1)


@every_style
@pytest.mark.parametrize("kept", [1, 2, 3, 4])
def test_a_page_is_cut_at_the_last_item_that_fits(kept: int, endpoint: type[PaginatedEndpoint]) -> None:
    whole = rows([40, 0, 60, 20, 30])
    exact = size(whole[:kept])
    for room, fit in ((exact - 1, max(kept - 1, 1)), (exact, kept), (exact + 1, kept)):
        assert run(Api(whole), endpoint, room=room)["data"] == whole[:fit], room


def test_the_budget_counts_bytes_and_no_characters() -> None:
    whole = [{"id": f"id_{number}", "text": "é€𝄞"} for number in range(3)]
    assert size(whole) > len(json.dumps(whole, ensure_ascii=False, separators=(",", ":")))
    assert run(Api(whole), ListUsers, room=size(whole))["data"] == whole
    assert run(Api(whole), ListUsers, room=size(whole) - 1)["data"] == whole[:2]


@every_style
@pytest.mark.parametrize("pages", [1, 2, 5])
def test_merged_pages_of_exactly_the_budget_are_whole_and_one_byte_less_leaves_out_the_last_page(
    pages: int, endpoint: type[PaginatedEndpoint]
) -> None:
    whole = rows([40, 0, 60, 20, 30] * 2)[: 2 * pages]
    exact = size(whole)
    answer = run(Api(whole), endpoint, fetch_all=True, limit=2, room=exact)
    assert answer["data"] == whole
    assert answer["paging"] == {"items": len(whole), "pages": pages, "complete": True}
    if pages > 1:
        less = run(Api(whole), endpoint, fetch_all=True, limit=2, room=exact - 1)
        assert less["data"] == whole[:-2]
        assert f"at most {exact - 1} bytes" in less["paging"]["stopped"]


def test_an_empty_page_takes_nothing_of_the_budget() -> None:
    whole = rows([40, 30])
    given = iter([{"data": whole[:1], "has_more": True, "next": "c1"}, {"data": [], "has_more": True, "next": "c2"}])

    async def read(call: PaginatedEndpoint) -> Json:
        del call
        return next(given, {"data": whole[1:], "has_more": False, "next": None})

    assert merged(read, room=size(whole))["data"] == whole


def merged(read: ReadPage, *, room: int, **arguments: object) -> Json:
    """A list of roles, read in whatever way."""

    async def report(*progress: object) -> None:
        del progress

    call = ListRoles.model_validate({"fetch_all": True, **arguments})
    return anyio.run(read_list, call, read, Bounds(room, late=lambda: False), report)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_the_results_of_a_bucket_are_cut_at_the_last_that_fits(kept: int) -> None:
    results = [{"amount": {"value": 10**number}} for number in range(4)]
    exact = size(results[:kept])
    for room, fit in ((exact - 1, max(kept - 1, 1)), (exact, kept)):
        answer = run(Api([{"object": "bucket", "results": results}]), GetCosts, room=room)
        assert answer["data"][0]["results"] == results[:fit]
        assert f"of its 4 results only the first {fit} are" in answer["paging"]["stopped"]


def test_a_bucket_of_exactly_the_budget_keeps_all_its_results() -> None:
    bucket = {"object": "bucket", "results": [{"amount": {"value": number}} for number in range(4)]}
    assert run(Api([bucket]), GetCosts, room=size([bucket]))["data"] == [bucket]
    first_of_two = run(Api([bucket, bucket]), GetCosts, room=size([bucket]))
    assert first_of_two["data"] == [bucket]
    assert "results only" not in first_of_two["paging"]["stopped"]


def test_a_shorter_page_that_is_longer_than_asked_for_is_cut_and_names_no_cursor_past_what_is_missing() -> None:
    whole, asked = rows([100] * 20), list[Any]()

    async def read(call: PaginatedEndpoint) -> Json:
        asked.append(getattr(call, "limit", None))
        return {"data": whole, "has_more": True, "next": "c20"}

    answer = merged(read, room=size(whole[:5]))
    assert asked == [100, 5]
    assert answer["data"] == whole[:5]
    assert answer["paging"]["complete"] is False
    assert "next" not in answer["paging"]
    assert answer["next"] is None


def test_a_shorter_page_whose_items_have_grown_is_asked_for_shorter_still() -> None:
    asked = list[Any]()

    async def read(call: PaginatedEndpoint) -> Json:
        asked.append(getattr(call, "limit", None))
        return {"data": rows([100 * len(asked)] * min(getattr(call, "limit", 0), 6)), "has_more": True, "next": "c"}

    answer = merged(read, room=size(rows([100] * 4)))
    assert asked == [100, 4, 2, 1]
    assert len(answer["data"]) == 1
    assert answer["paging"]["next"] == {"after": "c"}


@pytest.mark.parametrize("odd", [{}, {"data": None}, {"data": {"a": 1}}])
def test_a_shorter_page_that_is_no_list_is_said_so(odd: Json) -> None:
    answers = iter([{"data": rows([100] * 20), "has_more": True, "next": "c"}])

    async def read(call: PaginatedEndpoint) -> Json:
        del call
        return next(answers, odd)

    answer = merged(read, room=500)
    assert answer["data"] == []
    assert "no list" in answer["paging"]["stopped"]
    assert answer["paging"]["complete"] is False


def test_an_item_longer_than_the_room_is_given_whole() -> None:
    answer = run(Api(rows([5000, 10])), ListUsers, room=500)
    assert answer["data"][0]["text"] == "x" * 5000
    assert answer["paging"]["next"] == {"after": "id_0"}


def test_a_bucket_longer_than_the_room_is_cut_between_its_results_and_warns_against_summing() -> None:
    bucket = {"object": "bucket", "results": [{"amount": {"value": number}} for number in range(100)]}
    answer = run(Api([bucket, bucket]), GetCosts, room=500)
    (kept,) = answer["data"]
    assert kept["results"] == bucket["results"][: len(kept["results"])]
    assert f"of its 100 results only the first {len(kept['results'])}" in answer["paging"]["stopped"]
    assert "don't sum" in answer["paging"]["stopped"]
    assert answer["paging"]["next"] == {"page": answer["next_page"]}
    assert answer["has_more"] is True
    assert answer["paging"]["complete"] is False


def test_going_on_inside_a_bucket_reads_that_bucket_alone_and_says_where_it_goes_on() -> None:
    bucket = {"object": "bucket", "results": [{"amount": {"value": number}} for number in range(100)]}
    api = Api([bucket, bucket])
    first = run(api, GetCosts, room=500)
    second = run(api, GetCosts, room=500, **first["paging"]["next"])
    given, more = len(first["data"][0]["results"]), len(second["data"][0]["results"])
    assert api.queries[-1]["limit"] == "1"
    assert "page" not in api.queries[-1]
    assert second["data"][0]["results"] == bucket["results"][given : given + more]
    assert f"from its result {given + 1}" in second["paging"]["continued"]
    assert f"only the next {more}" in second["paging"]["stopped"]


@settings(deadline=None, derandomize=True)  # a busy machine is slow, which is no failure
@given(
    buckets=st.lists(st.lists(st.integers(0, 300), max_size=12), max_size=8),
    limit=st.none() | st.integers(1, 10),
    room=st.integers(60, 2500),
    whole=st.booleans(),
    grouped=st.booleans(),
    chosen=st.booleans(),
)
def test_going_on_gives_every_result_of_every_bucket_exactly_once(
    buckets: list[list[int]], limit: int | None, room: int, whole: bool, grouped: bool, chosen: bool
) -> None:
    api = Api(
        [
            {
                "start_time": day,
                "results": [{"line_item": f"{day}.{number}", "note": "x" * size} for number, size in enumerate(sizes)],
            }
            for day, sizes in enumerate(buckets)
        ]
    )
    given = {"limit": limit, "fetch_all": whole, **({"group_by": ["line_item"]} if grouped else {})}
    given |= {"fields": ["line_item"]} if chosen else {}
    found, days, cursor = list[str](), set[int](), dict[str, str]()
    for _ in range(sum(map(len, buckets)) + len(buckets) + 1):
        answer = run(api, GetCosts, room=room, **given, **cursor)
        days |= {bucket["start_time"] for bucket in answer["data"]}
        found += [result["line_item"] for bucket in answer["data"] for result in bucket["results"]]
        if not answer["has_more"]:
            break
        cursor = answer["paging"]["next"] if "paging" in answer else {"page": answer["next_page"]}
    assert found == [result["line_item"] for bucket in api.rows for result in bucket["results"]]
    assert days == set(range(len(buckets)))


def test_a_day_of_900_grouped_results_costs_no_month_of_download() -> None:
    month = [{"results": [{"line_item": f"{day}.{n}", "note": "x" * 300} for n in range(900)]} for day in range(31)]
    api = Api(month)
    answer = run(api, GetCosts, room=65_536, fetch_all=True, group_by=["line_item", "project_id"])
    assert [query["limit"] for query in api.queries] == ["1"]
    assert answer["paging"]["next"]["page"] == f"#results={len(answer['data'][0]['results'])}"


def test_small_groups_are_merged_in_two_pages() -> None:
    api = Api([{"results": [{"line_item": str(day)}]} for day in range(31)])
    answer = run(api, GetCosts, fetch_all=True, group_by=["line_item"])
    assert len(answer["data"]) == 31
    assert [query["limit"] for query in api.queries] == ["1", "100"]


PEOPLE = [
    {"id": f"user_{number}", "object": "user", "name": f"Person {number}", "email": None, "user": {"name": None}}
    for number in range(250)
]
ANA: Json = {
    "id": "user_ana",
    "object": "user",
    "user": {"email": "Ana.Silva@example.com", "object": "x"},
    "name": None,
}


def test_fields_keep_what_was_asked_for_and_drop_what_says_nothing() -> None:
    answer = run(Api([PEOPLE[0], ANA]), ListUsers, fields=["id", "name", "email", "user.email", "user"])
    assert answer["data"] == [
        {"id": "user_0", "name": "Person 0", "user": {}},
        {"id": "user_ana", "user.email": "Ana.Silva@example.com", "user": {"email": "Ana.Silva@example.com"}},
    ]
    assert answer["last_id"] == "user_ana"
    assert "paging" not in answer


def test_fields_make_room_for_more_rows() -> None:
    room = size(PEOPLE[:20])
    assert len(run(Api(PEOPLE), ListUsers, fetch_all=True, limit=10, room=room)["data"]) == 20
    answer = run(Api(PEOPLE), ListUsers, fetch_all=True, limit=10, room=room, fields=["id"])
    assert len(answer["data"]) > 80
    rest = run(Api(PEOPLE), ListUsers, fetch_all=True, fields=["id"], **answer["paging"]["next"])
    assert ids(answer) + ids(rest) == ids({"data": PEOPLE})


def test_fields_of_a_bucket_are_those_of_its_results() -> None:
    result = {"object": "r", "amount": {"value": 1, "currency": "usd"}, "project_id": "p", "line_item": None}
    bucket = {"object": "bucket", "start_time": 1, "end_time": 2, "results": [result]}
    answer = run(Api([bucket]), GetCosts, fields=["amount.value", "project_id", "line_item"])
    assert answer["data"] == [{"start_time": 1, "end_time": 2, "results": [{"amount.value": 1, "project_id": "p"}]}]


def test_fields_reach_into_lists_and_names_with_dots_of_their_own() -> None:
    event = {"id": "e", "type": "invite.sent", "invite.sent": {"data": {"email": "a@b.c"}}}
    answer = run(Api([event]), ListAuditLogs, fields=["invite.sent.data.email", "type"])
    assert answer["data"] == [{"invite.sent.data.email": "a@b.c", "type": "invite.sent"}]
    user = {"id": "u", "projects": {"data": [{"id": "p1", "object": "x"}, {"id": "p2"}]}}
    assert run(Api([user]), ListUsers, fields=["projects.data.id"])["data"] == [{"projects.data.id": ["p1", "p2"]}]


def test_a_name_is_looked_for_in_the_whole_list_and_the_answer_says_how_far() -> None:
    api = Api([*PEOPLE, ANA])
    answer = run(api, ListUsers, name_contains="ana.silva")
    assert answer["data"] == [ANA]
    assert answer["paging"] == {"items": 1, "pages": 3, "complete": True, "looked_through": 251}
    assert len(api.queries) == 3
    assert all(query.keys() <= {"limit", "after"} for query in api.queries)


def test_a_name_that_nobody_has_is_an_empty_answer_that_says_how_many_were_looked_through() -> None:
    answer = run(Api(PEOPLE), ListUsers, name_contains="nobody")
    assert answer["data"] == []
    assert answer["paging"] == {"items": 0, "pages": 3, "complete": True, "looked_through": 250}


@pytest.mark.parametrize("most", [1, 3, 111])
def test_who_wants_few_of_the_names_gets_them_from_long_pages_and_can_go_on(most: int) -> None:
    api, found, cursor = Api(PEOPLE), list[str](), dict[str, str]()
    for _ in range(200):
        answer = run(api, ListUsers, name_contains="person 1", max_items=most, **cursor)
        assert len(answer["data"]) <= most
        found += ids(answer)
        if answer["paging"]["complete"]:
            break
        cursor = answer["paging"]["next"]
    assert found == [row["id"] for row in PEOPLE if "Person 1" in str(row["name"])]
    assert {query["limit"] for query in api.queries} == {"100"}


def test_names_in_a_list_with_the_apis_own_cursors_are_found_too() -> None:
    groups = [{"id": f"g{number}", "name": f"Group {number}"} for number in range(230)]
    answer = run(Api(groups), ListGroups, name_contains="GROUP 22")
    assert ids(answer) == ["g22", *(f"g22{number}" for number in range(10))]


@every_style
@pytest.mark.parametrize("filled", [{"fields": [], "name_contains": ""}, {"fields": None, "name_contains": None}])
def test_what_a_host_fills_in_for_fields_and_names_is_as_if_left_out(
    endpoint: type[PaginatedEndpoint], filled: Json
) -> None:
    api = Api(rows([10] * 50))
    taken = {name: value for name, value in filled.items() if name in endpoint.model_fields}
    assert run(api, endpoint, limit=7, fetch_all=False, **taken) == api.page(endpoint, {"limit": "7"})


def test_a_later_page_that_fails_loses_nothing_of_the_earlier_ones() -> None:
    api = Api(rows([10] * 250), fails_at=3)
    answer = run(api, ListUsers, fetch_all=True)
    assert len(answer["data"]) == 200
    assert "rate_limited: The API answered 429: slow down" in answer["paging"]["stopped"]
    assert answer["paging"]["next"] == {"after": "id_199"}


def test_a_first_page_that_fails_is_the_error() -> None:
    with pytest.raises(CallError, match="429"):
        run(Api(rows([10]), fails_at=1), ListUsers, fetch_all=True)


def test_no_page_follows_when_it_is_late() -> None:
    answer = run(Api(rows([10] * 250)), ListUsers, fetch_all=True, late=True)
    assert answer["paging"] | {"hint": ""} == {
        "items": 100,
        "pages": 1,
        "complete": False,
        "stopped": "Stopped because it took long.",
        "next": {"after": "id_99"},
        "hint": "",
    }


@pytest.mark.parametrize("cursor", ["c_same", None, 7])
def test_a_cursor_that_leads_nowhere_new_ends_the_list(cursor: object) -> None:
    async def stuck(call: PaginatedEndpoint) -> Json:
        del call
        return {"data": [{"id": "role_1"}], "has_more": True, "next": cursor}

    async def report(items: int, most: int, message: str) -> None:
        del items, most, message

    call = ListRoles.model_validate({"fetch_all": True})
    answer = anyio.run(read_list, call, stuck, Bounds(ROOM, late=lambda: False), report)
    assert len(answer["data"]) <= 2
    assert "no new cursor" in answer["paging"]["stopped"]
    assert "next" not in answer["paging"]


def test_an_answer_without_a_list_is_passed_on_as_it_is() -> None:
    async def odd(call: PaginatedEndpoint) -> Json:
        del call
        return {"object": "list", "data": None}

    async def report(*progress: object) -> None:
        raise AssertionError(progress)

    call = ListRoles.model_validate({"fetch_all": True})
    answer = anyio.run(read_list, call, odd, Bounds(ROOM, late=lambda: False), report)
    assert answer == {"object": "list", "data": None}


@pytest.mark.parametrize(("width", "most"), [(None, "31"), ("1d", "31"), ("1h", "100"), ("1m", "100")])
def test_usage_is_fetched_in_the_most_buckets_the_width_allows(width: str | None, most: str) -> None:
    api = Api([])
    run(api, GetUsageCompletions, fetch_all=True, **START, **({"bucket_width": width} if width else {}))
    assert api.queries[0]["limit"] == most


@pytest.mark.parametrize(
    ("endpoint", "given", "said"),
    [
        (ListUsers, {"fields": ["emial"]}, "no row has emial. Did you mean email"),
        (GetCosts, {**START, "fields": ["zzz"]}, "no row has zzz. They have .*amount"),
        (ListUsers, {"max_items": 5}, "max_items needs fetch_all"),
        (ListUsers, {"max_items": 999}, "max_items needs fetch_all"),
        (ListUsers, {"max_items": 1001}, "max_items needs fetch_all"),
        (ListUsers, {"max_items": 5, "fetch_all": False}, "max_items needs fetch_all"),
        (ListUsers, {"fetch_all": True, "max_items": 0}, "max_items: got 0; must be at least 1"),
        (ListUsers, {"fetch_all": True, "max_items": 10_001}, "max_items: got 10001; must be at most 10000"),
        (ListUsers, {"fetch_all": "yes"}, 'fetch_all: got "yes"; must be true or false'),
        (ListUsers, {"fetchall": True}, "did you mean fetch_all"),
        (ListOrganizationSpendAlerts, {"fetch_all": True, "before": "a"}, "fetch_all goes forward"),
    ],
)
def test_what_would_be_ignored_or_is_wrong_is_refused_by_name(
    endpoint: type[PaginatedEndpoint], given: Json, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_arguments(endpoint, given)


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_server_merges_pages_and_tells_how_far_it_is(era: str, recorder: Recorder) -> None:
    api = Api(rows([10] * 250))

    def reply(request: Recorded) -> Canned:
        return Canned(body=api.page(ListUsers, dict(request.query)))

    recorder.reply = reply
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}
    async with session(era, env=env) as running:
        result = await running.client.call_tool("list_users", {"fetch_all": True}, progress_callback=hear)
    assert isinstance(result, CallToolResult)
    assert result.structured_content is not None
    assert len(result.structured_content["data"]) == 250
    assert heard == [(100, 1000, "100 items from 1 pages"), (200, 1000, "200 items from 2 pages")]
    assert [dict(request.query) for request in recorder.requests] == [
        {"limit": "100"},
        {"limit": "100", "after": "id_99"},
        {"limit": "100", "after": "id_199"},
    ]


@pytest.mark.anyio
async def test_the_room_of_an_answer_is_the_operators_to_choose(recorder: Recorder) -> None:
    recorder.reply = lambda request: Canned(body=Api(rows([1000] * 20)).page(ListUsers, dict(request.query)))
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, "ADMIN_MCP_ANSWER_BYTES": "4096"}
    async with session("legacy", env=env) as running:
        answer = await running.call("list_users")
    assert len(answer["data"]) == 3
    assert answer["paging"]["complete"] is False

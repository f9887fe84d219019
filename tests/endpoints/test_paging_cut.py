"""Where an answer is cut that would be too long, and how it goes on."""

import json
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_mcp.catalog.costs import GetCosts
from admin_mcp.catalog.roles import ListRoles
from admin_mcp.catalog.users import ListUsers
from admin_mcp.endpoints.paging import Bounds, PaginatedEndpoint, ReadPage, read_list
from admin_mcp.endpoints.schema import Json
from tests.endpoints.pretend_list import Api, every_style, rows, run, size

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

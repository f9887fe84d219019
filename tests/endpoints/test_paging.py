"""Lists as one answer: whole, within bounds, and with a cursor to go on from."""

import json

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import CallToolResult

from admin_mcp.catalog.costs import GetCosts
from admin_mcp.catalog.organization_spend_alerts import ListOrganizationSpendAlerts
from admin_mcp.catalog.roles import ListRoles
from admin_mcp.catalog.usage import GetUsageCompletions
from admin_mcp.catalog.users import ListUsers
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.paging import Bounds, PaginatedEndpoint, read_list
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, InvalidInput
from tests.endpoints.pretend_list import ROOM, START, STYLES, Api, every_style, ids, rows, run
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import ERAS, KEY, session


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


def test_small_groups_are_merged_in_two_pages() -> None:
    api = Api([{"results": [{"line_item": str(day)}]} for day in range(31)])
    answer = run(api, GetCosts, fetch_all=True, group_by=["line_item"])
    assert len(answer["data"]) == 31
    assert [query["limit"] for query in api.queries] == ["1", "100"]


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

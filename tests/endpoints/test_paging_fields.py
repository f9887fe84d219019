"""Lists that show only chosen fields, and those looked through for a name."""

import pytest

from admin_mcp.catalog.audit_logs import ListAuditLogs
from admin_mcp.catalog.costs import GetCosts
from admin_mcp.catalog.groups import ListGroups
from admin_mcp.catalog.users import ListUsers
from admin_mcp.endpoints.paging import PaginatedEndpoint
from admin_mcp.endpoints.schema import Json
from tests.endpoints.pretend_list import Api, every_style, ids, rows, run, size

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


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_name_is_looked_for_in_pages_as_long_as_the_api_gives_them_whatever_the_limit(limit: int) -> None:
    api = Api([*PEOPLE, ANA])
    answer = run(api, ListUsers, name_contains="ana.silva", limit=limit)
    assert answer["data"] == [ANA]
    assert [query["limit"] for query in api.queries] == ["100"] * 3


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

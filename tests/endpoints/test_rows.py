"""What of a row is shown: the fields asked for, and the rows whose name fits."""

from typing import Any

import pytest

from admin_mcp.catalog.costs import GetCosts
from admin_mcp.catalog.users import ListUsers
from admin_mcp.endpoints.rows import View, field_names, unknown_fields

ROW = {
    "id": "1",
    "object": "thing",
    "a.b": {"c": 1},
    "a": {"b": {"c": 2}, "d": None},
    "n": None,
    "zero": 0,
    "no": False,
}


@pytest.mark.parametrize("row", [ROW, None, "text", 3, []])
def test_a_view_of_everything_is_the_row_itself(row: Any) -> None:
    assert View().rows([row])[0] is row


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("id", {"id": "1"}),
        ("object", {"object": "thing"}),
        ("n", {}),
        ("zero", {"zero": 0}),
        ("no", {"no": False}),
        ("a", {"a": {"b": {"c": 2}}}),
        ("a.b", {"a.b": {"c": 1}}),
        ("a.b.c", {"a.b.c": 2}),
        ("a.d", {}),
        ("id.x", {}),
        ("", {}),
        (".", {}),
    ],
)
def test_a_field_is_found_by_its_whole_name_before_its_parts(field: str, shown: dict[str, Any]) -> None:
    assert View((field,)).shown(ROW) == shown


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        ({"name": "Ana"}, True),
        ({"email": "x@ANA.org"}, True),
        ({"owner": {"user": {"name": "ana"}}}, True),
        ({"name": None, "id": "ana"}, False),
        ({"projects": {"data": [{"name": "ana"}]}}, False),
        ({"name": ["ana"]}, False),
        (None, False),
    ],
)
def test_a_name_is_the_rows_own_or_that_of_the_person_in_it(row: object, fits: bool) -> None:
    assert View(name="aNa").keeps(row) is fits


def test_the_fields_of_a_list_are_those_of_its_rows_or_of_the_results_in_its_buckets() -> None:
    users, costs = (
        field_names(endpoint.SPEC.returns.model_fields["data"].annotation) for endpoint in (ListUsers, GetCosts)
    )
    assert {"id", "email", "user"} <= set(users)
    assert {"amount", "line_item", "start_time"} <= set(costs)
    assert unknown_fields(["user.email", "useremail", "user."], users) == ["useremail"]

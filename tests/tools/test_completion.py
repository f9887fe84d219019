"""What is typed becomes a name that means one thing, or an id."""

from admin_mcp.tools.completion import matching


def person(item: str, name: object, email: object = None) -> dict[str, object]:
    return {"id": item, "name": name, "email": email}


def test_what_begins_with_it_comes_first_and_any_part_counts() -> None:
    rows = [person("u1", "Dana Ben", "dana@example.com"), person("u2", "Ben", "ben@example.com")]
    assert matching(rows, "BEN") == ["ben@example.com", "dana@example.com"]
    assert matching(rows, "u1") == ["dana@example.com"]
    assert matching(rows, "") == ["ben@example.com", "dana@example.com"]
    assert matching(rows, "zoe") == []


def test_a_name_that_two_have_or_that_misleads_gives_way_to_the_id() -> None:
    rows = [person("p1", "Twin"), person("p2", "Twin"), person("p3", "Bil\u202eling"), person("p4", "p\u0430y")]
    assert matching(rows, "") == ["p1", "p2", "p3", "p4"]


def test_rows_that_are_damaged_complete_to_nothing() -> None:
    assert matching([{}, {"id": None, "name": 3}, {"id": "p1", "name": None}, {"id": "p1"}], "") == ["p1"]

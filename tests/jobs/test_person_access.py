"""What is a person's own, and what they hold only through others."""

import pytest

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.person_access import (
    account_of,
    direct,
    direct_custom,
    key_label,
    made_by_actors,
    owned_by,
    same_address,
    survivors,
    tail_of,
)

GROUP = {"principal_id": "group_1", "principal_type": "group"}
SELF = {"principal_id": "user-1", "principal_type": "user"}


@pytest.mark.parametrize(
    ("sources", "own"), [(None, True), ([], True), ([SELF, GROUP], True), ([GROUP], False), ("odd", True)]
)
def test_a_role_that_comes_through_a_group_only_is_not_the_persons_own(sources: object, *, own: bool) -> None:
    role: Json = {"id": "role_1", "assignment_sources": sources}
    assert bool(direct([role], "user-1")) is own
    assert bool(direct_custom([{**role, "predefined_role": True}], "user-1")) is False


def test_a_key_is_owned_by_whom_its_owner_names() -> None:
    theirs: Json = {"id": "key_1", "owner": {"type": "user", "user": {"id": "user-1"}}}
    other: Json = {"id": "key_2", "owner": {"type": "service_account", "service_account": {"id": "user-1"}}}
    assert owned_by("user-1", [theirs, other, {"id": "key_3", "owner": None}]) == (theirs,)
    assert account_of(other) == "user-1"
    assert account_of(theirs) is None


@pytest.mark.parametrize(
    ("shown", "tail"),
    [("sk-proj...wxyz", "wxyz"), ("sk-proj-****wxyz", "wxyz"), ("sk…xyz", "xyz"), ("", "?"), (None, "?")],
)
def test_what_is_shown_of_a_key_ends_in_its_tail(shown: str | None, tail: str) -> None:
    key: Json = {"id": "key_1", "name": None, "redacted_value": shown}
    assert tail_of(key) == tail
    assert key_label(key) == f"(key_1) ending {tail}"


@pytest.mark.parametrize(
    "actor",
    [
        {"session": {"user": {"id": "user-1"}}},
        {"api_key": {"id": "key_9", "user": {"id": "user-1"}}},
        {"api_key": {"id": "key_1"}},
    ],
)
def test_an_event_is_a_persons_own_by_session_or_by_key(actor: Json) -> None:
    assert made_by_actors([{"id": "a", "actor": actor}], ["user-1", "key_1"])
    assert made_by_actors([{"id": "a", "actor": actor}], ["user-2"]) == []


def test_an_account_or_a_key_that_a_person_made_survives_if_it_is_still_there() -> None:
    project: Json = {"id": "proj_1"}
    accounts: list[Json] = [{"id": "user-a"}, {"id": "user-b"}, {"id": "user-c"}]
    keys: list[Json] = [
        {"id": f"key_{number}", "owner": {"service_account": {"id": account}}}
        for number, account in enumerate(("user-a", "user-b", "user-b", "user-c"))
    ]
    events: list[Json] = [
        {"id": "1", "type": "service_account.created", "service_account.created": {"id": "user-a"}},
        {"id": "2", "type": "api_key.created", "api_key.created": {"id": "key_2"}},
        {"id": "3", "type": "service_account.created", "service_account.created": {"id": "user-gone"}},
    ]
    found = survivors(project, accounts, keys, events)
    assert [(each.account["id"], [key["id"] for key in each.keys]) for each in found] == [
        ("user-a", ["key_0"]),
        ("user-b", ["key_2"]),
    ]


def test_addresses_are_the_same_whatever_their_case() -> None:
    assert same_address("Ana@Example.com", "ana@example.com")
    assert not same_address(None, "ana@example.com")

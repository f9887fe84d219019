"""Which events may explain which changes."""

from typing import Any

from admin_mcp.cli.evidence_compare import RULES, SAID, Fact, actor_of, compared, facts
from admin_mcp.cli.evidence_emails import without_emails
from admin_mcp.cli.evidence_reading import KINDS

MADE = 1_000_000


def rows(**given: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {**{kind: [] for kind in KINDS}, **given}


def event(kind: str, at: int = MADE + 10, **payload: object) -> dict[str, Any]:
    return {"id": f"audit-{at}", "type": kind, "effective_at": at, kind: payload}


MEMBER = {"id": "u1", "group_id": "g1", "email": "ana@example.com"}


def explained(*events: dict[str, Any]) -> bool:
    (change,) = compared(rows(), rows(group_users=[MEMBER], audit_events=list(events)), MADE)
    return bool(change.events)


def test_an_event_must_be_of_a_fitting_type_name_the_thing_and_come_after_the_first_export() -> None:
    assert explained(event("group.updated", id="g1"))
    assert explained(event("tenant.group.member.added", data={"deep": [{"user": "u1"}]}))
    assert not explained(event("group.updated", id="g2"))
    assert not explained(event("group.deleted", id="g1"))
    assert not explained(event("group.updated", MADE - 100, id="g1"))
    assert not explained({**event("group.updated"), "actor": {"session": {"user": {"id": "g1"}}}})
    assert not explained(event("group.updated", id=None), {"type": "group.updated"})


def test_a_person_goes_by_their_address_too_and_by_accepting_an_invite() -> None:
    user = {"id": "u1", "email": "ana@example.com", "role": "reader"}

    def found(*events: dict[str, Any]) -> bool:
        (change,) = compared(rows(), rows(users=[user], audit_events=list(events)), MADE)
        return bool(change.events)

    assert found(event("user.added", data={"email": "ana@example.com"}))
    accepted = event("invite.accepted", id="invite-1")
    assert found({**accepted, "actor": {"session": {"user": {"id": "u1"}}}})
    assert not found(accepted)


def test_a_role_that_changed_is_lost_and_gained() -> None:
    before, after = ({"id": "u1", "role": role} for role in ("reader", "owner"))
    changes = compared(rows(users=[before]), rows(users=[after], audit_events=[event("user.updated", id="u1")]), MADE)
    assert {(each.way, each.fact.what, bool(each.events)) for each in changes} == {
        ("gained", "owner", True),
        ("lost", "reader", True),
    }


def test_what_is_unread_in_one_place_is_left_out_there_alone() -> None:
    other = {**MEMBER, "group_id": "g2"}
    changes = compared(rows(), rows(group_users=[MEMBER, other]), MADE, [("group_users", "g1")])
    assert [each.fact.where for each in changes] == ["g2"]


def test_damaged_rows_are_no_facts() -> None:
    assert facts(rows(users=[{}, {"id": 3}], project_api_keys=[{"id": "k", "owner": None}])) == {
        Fact("project_api_keys", "k", "", "")
    }
    assert actor_of({"actor": None}) == "unknown"


def test_every_kind_of_fact_has_a_file_rules_and_words() -> None:
    assert set(RULES) == set(SAID)
    assert set(RULES) <= set(KINDS)


def test_addresses_are_hashed_wherever_they_stand() -> None:
    given = {"a": ["x Ana@Example.com, <ben@example.com>"], "ana@example.com": 1, "n": None}
    told = without_emails(given, b"salt")
    assert "@" not in str(told)
    (name,) = [key for key in told if key.startswith("email-")]
    assert name in told["a"][0]
    assert without_emails(given, b"other") != told

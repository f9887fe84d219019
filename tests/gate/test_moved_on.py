"""An undo that would undo what somebody else has done since is refused with the reason."""

from typing import Any

import pytest

from admin_mcp.gate.moved_on import moved_on, witness
from admin_mcp.gate.snapshot import Lookup, Snapshot
from tests.gate.undoing import CATALOG, World

pytestmark = pytest.mark.anyio

LIMIT: dict[str, Any] = {"currency": "USD", "interval": "month", "threshold_amount": 700}
ROLES: Any = {"data": [{"id": "r-owner", "name": "owner"}, {"id": "r-usage", "name": "Usage"}], "has_more": False}


def moved(tool: str, now: Lookup | None, more: dict[str, Lookup] | None = None, **arguments: object) -> str | None:
    call = CATALOG.endpoint(tool).model_validate(arguments)
    return moved_on(call, Snapshot(now, None, {}), more or {}, CATALOG)


@pytest.mark.parametrize(
    ("tool", "now", "more", "arguments", "says"),
    [
        ("update_group", {"name": "Third"}, {}, {"name": "New"}, 'name has been changed since: it is "Third" now'),
        ("update_group", "unreadable", {}, {"name": "New"}, "can't be read with this key"),
        ("update_organization_spend_limit", "absent", {}, LIMIT, "not there any more"),
        ("delete_organization_spend_limit", LIMIT, {}, {}, "given or set again since"),
        ("create_group", {"name": "Third"}, {}, {"name": "New"}, "name has been changed since"),
        ("create_group", "absent", {}, {"name": "New"}, "not there any more"),
        ("create_group", "unreadable", {}, {"name": "New"}, "can't be read with this key"),
        ("create_project", {"name": "New", "archived_at": 1}, {}, {"name": "New"}, "archived already"),
        (
            "create_invite",
            {"email": "a@example.com", "role": "reader", "status": "accepted"},
            {},
            {"email": "a@example.com", "role": "reader"},
            "accepted meanwhile",
        ),
        ("add_group_user", "absent", {}, {"user_id": "u"}, "not there any more"),
        ("remove_group_user", {"id": "u"}, {}, {"user_id": "u"}, "given or set again since"),
        ("remove_group_user", "unreadable", {}, {"user_id": "u"}, "can't be read with this key"),
        ("unassign_user_role", {"id": "r", "assignment_sources": None}, {}, {"role_id": "r"}, "again since"),
        (
            "assign_user_role",
            {"id": "r", "assignment_sources": [{"principal_id": "g"}]},
            {},
            {"role_id": "r"},
            "taken away since",
        ),
        ("update_user", {"role": "x"}, {"roles": ROLES}, {"role_id": "r-new"}, "not held any more"),
        ("update_user", {"role": "x"}, {}, {"role_id": "r-new"}, "can't be read with this key"),
        ("activate_certificates", None, {"rows": "unreadable"}, {"certificate_ids": ["a"]}, "can't be read"),
        (
            "activate_certificates",
            None,
            {"rows": {"data": [{"id": "a", "active": False}]}},
            {"certificate_ids": ["a"]},
            "a has been switched back since",
        ),
        ("archive_project", {"id": "p"}, {}, {}, "no tool brings it back"),
    ],
)
def test_an_undo_that_would_undo_somebody_elses_change_says_so(
    tool: str, now: Lookup | None, more: dict[str, Lookup], arguments: dict[str, Any], says: str
) -> None:
    ids = {name: name[:1] for name in CATALOG.endpoint(tool).SPEC.path_fields}
    assert says in str(moved(tool, now, more, **{**ids, **arguments}))


@pytest.mark.parametrize(
    ("tool", "now", "arguments"),
    [
        ("update_role", {"name": "R", "permissions": ["b", "a"]}, {"permissions": ["a", "b"]}),
        ("update_role", {"name": "R", "description": "somebody else's"}, {"role_name": "R"}),
        ("update_role", {"name": "R"}, {"description": None}),
        ("unassign_user_role", {"id": "r", "assignment_sources": [{"principal_id": "g"}]}, {"role_id": "r"}),
        (
            "create_invite",
            {"email": "a@example.com", "status": "pending"},
            {"email": "A@Example.com", "role": "reader"},
        ),
        ("create_group", None, {"name": "New"}),
        ("delete_federation_rule", None, {}),
    ],
)
def test_what_the_change_did_not_set_may_have_changed(tool: str, now: Lookup | None, arguments: dict[str, Any]) -> None:
    ids = {name: name[:1] for name in CATALOG.endpoint(tool).SPEC.path_fields}
    assert moved(tool, now, **{**ids, **arguments}) is None


async def test_the_state_that_tells_is_read_of_what_was_made() -> None:
    world = World()
    done = await world.change("create_group", name="Night shift")
    call = CATALOG.endpoint(done.tool).model_validate(done.arguments)
    looked_at = witness(call, world.steps(done), CATALOG)
    assert type(looked_at).SPEC.name == "delete_group"
    group = str(done.answer["id"])
    await world.change("update_group", group_id=group, name="Day shift")
    assert "name has been changed since" in str(await world.moved(done))

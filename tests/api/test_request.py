"""A call becomes exactly the request the API documents."""

import json
from typing import Literal
from urllib.parse import unquote

import pytest

from admin_mcp.api.request import WireRequest, build_request
from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.base import ApiObject, Endpoint, InputObject
from admin_mcp.endpoints.fields import UNSET, Int, ResourceId

# The requests of the API's own published examples: tool, arguments, method, path, query, body.
EXAMPLES: list[tuple[str, dict[str, object], str, str, list[tuple[str, str]], object]] = [
    ("list_user_roles", {"user_id": "user_abc123"}, "GET", "/organization/users/user_abc123/roles", [], None),
    (
        "assign_user_role",
        {"user_id": "user_abc123", "role_id": "role_01J1F8ROLE01"},
        "POST",
        "/organization/users/user_abc123/roles",
        [],
        {"role_id": "role_01J1F8ROLE01"},
    ),
    (
        "unassign_user_role",
        {"user_id": "user_abc123", "role_id": "role_01J1F8ROLE01"},
        "DELETE",
        "/organization/users/user_abc123/roles/role_01J1F8ROLE01",
        [],
        None,
    ),
    (
        "list_groups",
        {"limit": 20, "order": "asc"},
        "GET",
        "/organization/groups",
        [("limit", "20"), ("order", "asc")],
        None,
    ),
    ("create_group", {"name": "Support Team"}, "POST", "/organization/groups", [], {"name": "Support Team"}),
    (
        "add_group_user",
        {"group_id": "group_01J1F8ABCDXYZ", "user_id": "user_abc123"},
        "POST",
        "/organization/groups/group_01J1F8ABCDXYZ/users",
        [],
        {"user_id": "user_abc123"},
    ),
    (
        "create_role",
        {"role_name": "API Group Manager", "permissions": ["api.groups.read", "api.groups.write"]},
        "POST",
        "/organization/roles",
        [],
        {"role_name": "API Group Manager", "permissions": ["api.groups.read", "api.groups.write"]},
    ),
    (
        "get_certificate",
        {"certificate_id": "cert_abc", "include": ["content"]},
        "GET",
        "/organization/certificates/cert_abc",
        [("include[]", "content")],
        None,
    ),
    (
        "activate_certificates",
        {"certificate_ids": ["cert_abc", "cert_def"]},
        "POST",
        "/organization/certificates/activate",
        [],
        {"certificate_ids": ["cert_abc", "cert_def"]},
    ),
    (
        "list_projects",
        {"after": "proj_abc", "limit": 20, "include_archived": False},
        "GET",
        "/organization/projects",
        [("after", "proj_abc"), ("include_archived", "false"), ("limit", "20")],
        None,
    ),
    (
        "update_project_data_retention",
        {"project_id": "proj_abc", "retention_type": "organization_default"},
        "POST",
        "/organization/projects/proj_abc/data_retention",
        [],
        {"retention_type": "organization_default"},
    ),
    (
        "create_organization_spend_alert",
        {
            "currency": "USD",
            "interval": "month",
            "threshold_amount": 100000,
            "notification_channel": {"type": "email", "recipients": ["finance@example.com"]},
        },
        "POST",
        "/organization/spend_alerts",
        [],
        {
            "currency": "USD",
            "interval": "month",
            "threshold_amount": 100000,
            "notification_channel": {"type": "email", "recipients": ["finance@example.com"]},
        },
    ),
    (
        "assign_project_group_role",
        {"project_id": "proj_abc123", "group_id": "group_01J1F8ABCDXYZ", "role_id": "role_01J1F8PROJ"},
        "POST",
        "/projects/proj_abc123/groups/group_01J1F8ABCDXYZ/roles",
        [],
        {"role_id": "role_01J1F8PROJ"},
    ),
    (
        "get_project_group",
        {"project_id": "proj_abc123", "group_id": "group_1", "group_type": "tenant_group"},
        "GET",
        "/organization/projects/proj_abc123/groups/group_1",
        [("group_type", "tenant_group")],
        None,
    ),
]


@pytest.mark.parametrize(
    ("tool", "arguments", "method", "path", "query", "body"), EXAMPLES, ids=[example[0] for example in EXAMPLES]
)
def test_the_published_examples_come_out_as_published(
    tool: str, arguments: dict[str, object], method: str, path: str, query: list[tuple[str, str]], body: object
) -> None:
    wire = build_request(compiled_catalog().endpoint(tool).model_validate(arguments))
    assert (wire.method, wire.path, list(wire.query)) == (method, path, query)
    assert (json.loads(wire.body) if wire.body else None) == body


class Window(InputObject):
    gt: Int = UNSET
    lte: Int = UNSET


class Answer(ApiObject):
    id: str


class ListOddities(Endpoint, get="/things/{thing_id}", returns=Answer):
    """List oddities."""

    thing_id: ResourceId
    names: list[str] = UNSET
    at: Window = UNSET
    flag: bool = UNSET
    after: str | None = UNSET
    order: Literal["asc", "desc"] = UNSET


def test_arrays_objects_booleans_and_nulls_are_spelled_as_the_api_reads_them() -> None:
    call = ListOddities(thing_id="a:b~c", names=["x", "y&z"], at=Window(gt=1, lte=2), flag=True, after=None)
    wire = build_request(call)
    assert wire.path == "/things/a:b~c"
    assert wire.query == (("names[]", "x"), ("names[]", "y&z"), ("at[gt]", "1"), ("at[lte]", "2"), ("flag", "true"))
    assert wire.target == "/things/a:b~c?names%5B%5D=x&names%5B%5D=y%26z&at%5Bgt%5D=1&at%5Blte%5D=2&flag=true"


def test_an_unset_field_is_left_out_and_an_explicit_null_is_sent() -> None:
    update = compiled_catalog().endpoint("update_role")
    assert build_request(update.model_validate({"role_id": "r", "role_name": "n"})).body == '{"role_name":"n"}'
    assert build_request(update.model_validate({"role_id": "r", "description": None})).body == '{"description":null}'


def test_a_post_without_body_fields_has_no_body() -> None:
    archive = compiled_catalog().endpoint("archive_project").model_validate({"project_id": "proj_1"})
    assert build_request(archive) == WireRequest("POST", "/organization/projects/proj_1/archive")


def test_the_digest_tells_systems_methods_paths_queries_and_bodies_apart() -> None:
    wire = WireRequest("POST", "/a", (("b", "c"),), "{}")
    others = [
        WireRequest("DELETE", "/a", (("b", "c"),), "{}"),
        WireRequest("POST", "/b", (("b", "c"),), "{}"),
        WireRequest("POST", "/a", (("b", "d"),), "{}"),
        WireRequest("POST", "/a", (("b", "c"),), "[]"),
        WireRequest("POST", "/a", (("b", "c"),), None),
    ]
    digests = {wire.digest("one"), wire.digest("two"), *(other.digest("one") for other in others)}
    assert len(digests) == 2 + len(others)


class UpdateThing(Endpoint, post="/boxes/{box_id}/things/{thing_id}", returns=Answer, effect="update"):
    """Update a thing."""

    box_id: ResourceId
    thing_id: ResourceId
    name: str = UNSET


@pytest.mark.parametrize(
    ("thing", "quoted"),
    [
        ("a/b", "a%2Fb"),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a#b", "a%23b"),
        ("100%", "100%25"),
        ("a%2Fb", "a%252Fb"),
        ("a b+c", "a%20b%2Bc"),
        ("é", "%C3%A9"),
        ("a\r\nb", "a%0D%0Ab"),
        ("{box_id}", "%7Bbox_id%7D"),
        ("a;b&c@d", "a%3Bb%26c%40d"),
        ("rl-gpt-5.2_x~1:2", "rl-gpt-5.2_x~1:2"),
    ],
)
def test_whatever_stands_in_a_path_stays_one_segment_of_it(thing: str, quoted: str) -> None:
    """Validation lets no such id through; should it ever, the request still goes to the endpoint that was approved."""
    for given, path in (
        ({"box_id": "b", "thing_id": thing}, f"/boxes/b/things/{quoted}"),
        ({"box_id": thing, "thing_id": "t"}, f"/boxes/{quoted}/things/t"),
    ):
        wire = build_request(UpdateThing.model_construct(set(given), **given))
        assert wire.path == wire.target == path
        assert wire.body is None or json.loads(wire.body) == {}
    if quoted != thing:
        assert unquote(quoted) == thing


def test_each_id_goes_to_its_own_place_in_the_path_and_nowhere_else() -> None:
    wire = build_request(UpdateThing(box_id="box_1", thing_id="thing_1", name="n"))
    assert wire == WireRequest("POST", "/boxes/box_1/things/thing_1", body='{"name":"n"}')

"""Everything the pretend API refuses has an example that is refused by just that rule, and a near miss that is not."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import pytest

from admin_mcp.sandbox import errors, rules
from admin_mcp.sandbox.errors import RefusalError
from admin_mcp.sandbox.resources import DAY
from tests.sandbox.refusing import ORG, Rule, Sandbox, Site, named
from tests.sandbox.walk import PEM

SOURCES = Path(inspect.getfile(rules)).parent
BEFORE_THE_ORGANIZATION = {"gateway.py"}
"""Keys, JSON and faults are refused before the organization is asked; test_transport has those."""

ROLE = {"role_name": "Audit", "permissions": []}
KEY = {
    "type": "aws",
    "purpose": "ekm",
    "external_id": "ext-1",
    "kms_arn": "arn:aws:kms:us-east-1:123456789012:key/k",
    "role_arn": "arn:aws:iam::123456789012:role/kms",
}
STORAGE = {"type": "aws", "bucket": "b", "role_arn": "arn:aws:iam::123456789012:role/storage"}
RULE = {"name": "Build", "attribute_matchers": {"repository": "example/other"}}


def _activates(action: str) -> Callable[[Sandbox], None]:
    def example(sandbox: Sandbox) -> None:
        known = sandbox.id(f"{ORG}/certificates", "Gateway 2025")
        for place in (f"{ORG}/certificates", f"{sandbox.project('Billing')}/certificates"):
            path = f"{place}/{action}"
            sandbox.refuses("POST", path, {"certificate_ids": [known, "cert_no"]}, status=404, says="cert_no")
            sandbox("POST", path, {"certificate_ids": [known]})

    return example


def default_project_can_not_be_archived_or_updated(sandbox: Sandbox) -> None:
    default, other = sandbox.project("Default project"), sandbox.project("Billing")
    sandbox.refuses("POST", f"{default}/archive", says="default project")
    sandbox.refuses("POST", default, {"name": "x"}, says="default project")
    sandbox("POST", other, {"name": "x"})
    sandbox("POST", f"{other}/archive")


def certificate_that_is_no_pem(sandbox: Sandbox) -> None:
    sandbox.refuses("POST", f"{ORG}/certificates", {"certificate": "no"}, says="not PEM")
    sandbox("POST", f"{ORG}/certificates", {"certificate": PEM})


def fifty_first_certificate(sandbox: Sandbox) -> None:
    held = sandbox("GET", f"{ORG}/certificates", limit="100")["data"]
    for number in range(len(held), 50):
        sandbox("POST", f"{ORG}/certificates", {"name": f"no. {number + 1}", "certificate": PEM})
    sandbox.refuses("POST", f"{ORG}/certificates", {"certificate": PEM}, says="at most 50")
    inactive = next(certificate["id"] for certificate in held if not certificate["active"])
    sandbox("DELETE", f"{ORG}/certificates/{inactive}")
    sandbox("POST", f"{ORG}/certificates", {"certificate": PEM})


def storage_for_a_project_that_is_not_there(sandbox: Sandbox) -> None:
    given = {"provider": STORAGE}
    sandbox.refuses("POST", f"{ORG}/external_storage", {**given, "project_id": "proj_no"}, says="no project 'proj_no'")
    project = sandbox.id(f"{ORG}/projects", "Billing")
    assert sandbox("POST", f"{ORG}/external_storage", {**given, "project_id": project})["project_id"] == project


def group_named_like_another(sandbox: Sandbox) -> None:
    sandbox.refuses("POST", f"{ORG}/groups", {"name": "Support"}, status=409, says="already a group named 'Support'")
    group = f"{ORG}/groups/{sandbox('POST', f'{ORG}/groups', {'name': 'Audit'})['id']}"
    sandbox.refuses("POST", group, {"name": "Support"}, status=409, says="already a group named 'Support'")
    sandbox("POST", group, {"name": "Audit"})


def invite_to_a_member(sandbox: Sandbox) -> None:
    asked = {"email": "ana.ortiz@example.com", "role": "reader"}
    sandbox.refuses("POST", f"{ORG}/invites", asked, status=409, says="already a member")
    sandbox("POST", f"{ORG}/invites", {**asked, "email": "ana.other@example.com"})


def second_invite_while_one_is_pending(sandbox: Sandbox) -> None:
    asked = {"email": "hugo.meyer@example.com", "role": "reader"}
    sandbox.refuses("POST", f"{ORG}/invites", asked, status=409, says="already has a pending invite")
    sandbox.now += 6 * DAY
    sandbox("POST", f"{ORG}/invites", asked)
    sandbox.refuses("POST", f"{ORG}/invites", asked, status=409, says="already has a pending invite")


def invite_to_a_project_that_is_not_there(sandbox: Sandbox) -> None:
    project = {"id": sandbox.id(f"{ORG}/projects", "Billing"), "role": "member"}
    asked = {"email": "new@example.com", "role": "reader"}
    wrong = {**asked, "projects": [project, {"id": "proj_no", "role": "member"}]}
    sandbox.refuses("POST", f"{ORG}/invites", wrong, says="no project 'proj_no'")
    sandbox("POST", f"{ORG}/invites", {**asked, "projects": [project]})


def project_with_an_external_key_that_is_not_there(sandbox: Sandbox) -> None:
    key = sandbox("POST", f"{ORG}/external_keys", {**KEY, "name": "Mine"})["id"]
    wrong = {"name": "New", "external_key_id": "extkey_no"}
    sandbox.refuses("POST", f"{ORG}/projects", wrong, says="no external key 'extkey_no'")
    project = f"{ORG}/projects/{sandbox('POST', f'{ORG}/projects', {**wrong, 'external_key_id': key})['id']}"
    sandbox.refuses("POST", project, {"external_key_id": "extkey_no"}, says="no external key 'extkey_no'")
    sandbox("POST", project, {"external_key_id": key})


def role_named_like_another(sandbox: Sandbox) -> None:
    project = sandbox.id(f"{ORG}/projects", "Billing")
    for roles in (f"{ORG}/roles", f"/projects/{project}/roles"):
        sandbox.refuses("POST", roles, {**ROLE, "role_name": "owner"}, status=409, says="named 'owner'")
        role = f"{roles}/{sandbox('POST', roles, ROLE)['id']}"
        sandbox.refuses("POST", role, {"role_name": "owner"}, status=409, says="named 'owner'")
        sandbox("POST", role, {"role_name": "Audit"})


def predefined_role(sandbox: Sandbox) -> None:
    project = sandbox.id(f"{ORG}/projects", "Billing")
    for roles in (f"{ORG}/roles", f"/projects/{project}/roles"):
        role, other = f"{roles}/{sandbox.id(roles, 'owner')}", f"{roles}/{sandbox('POST', roles, ROLE)['id']}"
        for method, body in (("POST", {"description": "x"}), ("DELETE", None)):
            sandbox.refuses(method, role, body, says="Predefined roles")
            sandbox(method, other, body)


def federation_rule_for_what_is_not_there(sandbox: Sandbox) -> None:
    provider = f"{ORG}/workload_identity_providers/{sandbox.id(f'{ORG}/workload_identity_providers', 'CI')}"
    projects = [sandbox.project(name) for name in ("Billing", "Research")]
    ids = [project.rpartition("/")[2] for project in projects]
    accounts = [sandbox("GET", f"{project}/service_accounts")["data"][0]["id"] for project in projects]
    path = f"{provider}/federation_rules"
    sandbox.refuses(
        "POST", path, {**RULE, "project_id": "proj_no", "service_account_id": accounts[0]}, says="no project 'proj_no'"
    )
    of_another = {**RULE, "project_id": ids[0], "service_account_id": accounts[1]}
    sandbox.refuses("POST", path, of_another, says="has no service account")
    sandbox("POST", path, {**of_another, "service_account_id": accounts[0]})


def certificate_in_use(sandbox: Sandbox) -> None:
    places = (f"{ORG}/certificates", f"{sandbox.project('Billing')}/certificates")
    certificate = sandbox("POST", places[0], {"certificate": PEM})["id"]
    for place in places:
        sandbox("POST", f"{place}/activate", {"certificate_ids": [certificate]})
        sandbox.refuses("DELETE", f"{ORG}/certificates/{certificate}", says="certificate is active")
        sandbox("POST", f"{place}/deactivate", {"certificate_ids": [certificate]})
    sandbox("DELETE", f"{ORG}/certificates/{certificate}")


def external_key_in_use(sandbox: Sandbox) -> None:
    keys = f"{ORG}/external_keys"
    sandbox.refuses("DELETE", f"{keys}/{sandbox.id(keys, 'Research key')}", says="uses this external key")
    sandbox("DELETE", f"{keys}/{sandbox.id(keys, 'Unused key')}")


def accepted_invite(sandbox: Sandbox) -> None:
    accepted, pending = (
        f"{ORG}/invites/{sandbox.id(f'{ORG}/invites', status, 'status')}" for status in ("accepted", "pending")
    )
    sandbox.refuses("DELETE", accepted, says="accepted invite")
    sandbox("DELETE", pending)


def role_held_through_a_group_only(sandbox: Sandbox) -> None:
    group = sandbox.id(f"{ORG}/groups", "Support")
    user = sandbox("GET", f"{ORG}/groups/{group}/users")["data"][0]["id"]
    project = sandbox.id(f"{ORG}/projects", "Research")
    sandbox("POST", f"{ORG}/projects/{project}/users", {"user_id": user, "role": "member"})
    for scope in (ORG, f"/projects/{project}"):
        role = sandbox("POST", f"{scope}/roles", ROLE)["id"]
        sandbox("POST", f"{scope}/groups/{group}/roles", {"role_id": role})
        held = f"{scope}/users/{user}/roles"
        sandbox.refuses("DELETE", f"{held}/{role}", says="held through a group only")
        sandbox("POST", held, {"role_id": role})
        sandbox("DELETE", f"{held}/{role}")


def last_owner(sandbox: Sandbox) -> None:
    users, roles = f"{ORG}/users", f"{ORG}/roles"
    ana, ben, owner, reader = (
        sandbox.user("Ana Ortiz"), sandbox.user("Ben Okafor"), sandbox.id(roles, "owner"), sandbox.id(roles, "reader"),
    )  # fmt: skip
    for method, path, body in (
        ("POST", f"{users}/{ana}", {"role": "reader"}),
        ("POST", f"{users}/{ana}", {"role_id": reader}),
        ("DELETE", f"{users}/{ana}/roles/{owner}", None),
        ("DELETE", f"{users}/{ana}", None),
    ):
        sandbox.refuses(method, path, body, says="last owner")
    sandbox("POST", f"{users}/{ana}", {"role": "owner"})
    sandbox("POST", f"{users}/{ana}/roles", {"role_id": reader})
    sandbox("DELETE", f"{users}/{ana}/roles/{reader}")
    sandbox("POST", f"{users}/{ben}", {"role": "owner"})
    sandbox("DELETE", f"{users}/{ana}/roles/{owner}")
    sandbox("DELETE", f"{users}/{ana}")


def role_of_a_user_that_is_not_there(sandbox: Sandbox) -> None:
    user = f"{ORG}/users/{sandbox.user('Ben Okafor')}"
    sandbox.refuses("POST", user, {"role_id": "role_no"}, says="Invalid value for 'role_id'")
    sandbox.refuses("POST", user, {"role": "king"}, says="Invalid value for 'role'")
    sandbox("POST", user, {"role_id": sandbox.id(f"{ORG}/roles", "Usage viewer")})


def expired_key(sandbox: Sandbox) -> None:
    place = f"{sandbox.project('Billing')}/api_keys"
    key = f"{place}/{sandbox('GET', place)['data'][0]['id']}"
    sandbox("POST", key, {"expires_in_seconds": 60})
    sandbox.now += 59
    sandbox("POST", key, {"scopes": ["api.all.read"]})
    sandbox.now += 1
    sandbox.refuses("POST", key, {"expires_in_seconds": 60}, says="key has expired")


def things_and_their_holders_that_are_not_there(sandbox: Sandbox) -> None:
    sandbox.refuses("GET", f"{ORG}/projects/proj_no/users", status=404, says="No such project: 'proj_no'")
    sandbox.refuses("GET", f"{ORG}/groups/group_no", status=404, says="No such group: 'group_no'")
    sandbox.refuses("DELETE", f"{ORG}/groups/group_no", status=404, says="No such group: 'group_no'")


def archived_project(sandbox: Sandbox) -> None:
    project = sandbox.project("Billing")
    sandbox("POST", f"{project}/archive")
    sandbox("GET", f"{project}/users")
    for path, body in (("", {"name": "x"}), ("/archive", None), ("/service_accounts", {"name": "x"})):
        sandbox.refuses("POST", project + path, body, says="archived and can't be changed")


def group_of_another_type(sandbox: Sandbox) -> None:
    project = sandbox.project("Billing")
    group = f"{project}/groups/{sandbox('GET', f'{project}/groups')['data'][0]['group_id']}"
    sandbox.refuses("GET", group, status=404, says="No such tenant group", group_type="tenant_group")
    sandbox("GET", group, group_type="group")


def joining(sandbox: Sandbox) -> None:
    members = f"{sandbox.project('Billing')}/users"
    asked = {"email": "chiara.rossi@example.com", "role": "member"}
    sandbox.refuses("POST", members, {**asked, "email": "no@example.com"}, says="not a member of the organization")
    sandbox.refuses("POST", members, {"user_id": "user-no", "role": "member"}, status=404, says="No such user")
    sandbox("POST", members, asked)
    sandbox.refuses("POST", members, asked, status=409, says="is there already")


def singleton_that_is_not_set(sandbox: Sandbox) -> None:
    limit = f"{sandbox.project('Research')}/spend_limit"
    for method in ("GET", "DELETE"):
        sandbox.refuses(method, limit, status=404, says="No spend limit is set")
    sandbox("POST", limit, {"currency": "USD", "interval": "month", "threshold_amount": 1})
    sandbox("DELETE", limit)


def pages(sandbox: Sandbox) -> None:
    users, groups = f"{ORG}/users", f"{ORG}/groups"
    first = sandbox("GET", groups, limit="1")["next"]
    sandbox.refuses("GET", groups, says="take it from 'next'", after=first.removeprefix("cursor_"))
    sandbox("GET", groups, after=first)
    sandbox.refuses("GET", users, says="no such item", after="user-no")
    sandbox("GET", users, after=sandbox.user("Ben Okafor"))


def negative_limits(sandbox: Sandbox) -> None:
    sandbox.refuses("GET", f"{ORG}/admin_api_keys", says="'limit'", limit="-1")
    sandbox("GET", f"{ORG}/admin_api_keys", limit="0")


def reports(sandbox: Sandbox) -> None:
    path = f"{ORG}/usage/completions"
    sandbox.refuses("GET", path, says="later than 'start_time'", start_time="1789000000", end_time="1789000000")
    page = sandbox("GET", path, start_time="1789000000", end_time="1789000001")
    assert len(page["data"]) == 1
    following = sandbox("GET", path, start_time="1789000000", limit="1")["next_page"]
    sandbox.refuses("GET", path, says="next_page", start_time="1789000000", page="page_x")
    sandbox.refuses("GET", path, says="next_page", start_time="1789000000", page=following.removeprefix("page_"))
    sandbox("GET", path, start_time="1789000000", page=following)
    sandbox.refuses("GET", path, says="'limit'", start_time="1789000000", limit="-1")


def requests_out_of_form(sandbox: Sandbox) -> None:
    groups = f"{ORG}/groups"
    sandbox.refuses("GET", f"{ORG}/nothing", status=404, says="Unknown request URL")
    sandbox.refuses("PUT", groups, status=405, says="not allowed")
    sandbox.refuses("POST", groups, {"name": "A"}, says="Unknown parameter: 'limit'", limit="1")
    sandbox.refuses("POST", groups, ["A"], says="must be a JSON object")
    sandbox.refuses("POST", groups, {"name": ""}, says="Invalid value for 'name'")
    sandbox.refuses("GET", groups, says="Unknown parameter: 'colour'", colour="red")
    group = sandbox("POST", groups, {"name": "A"})["id"]
    sandbox.refuses("POST", f"{groups}/{group}", {"group_id": group, "name": "B"}, says="Unknown parameter: 'group_id'")
    sandbox("POST", f"{groups}/{group}", {"name": "B"})


EXAMPLES: dict[str, Callable[[Sandbox], None]] = {
    "activating": _activates("activate"),
    "deactivating": _activates("deactivate"),
    **{
        example.__name__: example
        for example in (
            default_project_can_not_be_archived_or_updated,
            certificate_that_is_no_pem,
            fifty_first_certificate,
            storage_for_a_project_that_is_not_there,
            group_named_like_another,
            invite_to_a_member,
            second_invite_while_one_is_pending,
            invite_to_a_project_that_is_not_there,
            project_with_an_external_key_that_is_not_there,
            role_named_like_another,
            predefined_role,
            federation_rule_for_what_is_not_there,
            certificate_in_use,
            external_key_in_use,
            accepted_invite,
            role_held_through_a_group_only,
            last_owner,
            role_of_a_user_that_is_not_there,
            expired_key,
            things_and_their_holders_that_are_not_there,
            archived_project,
            group_of_another_type,
            joining,
            singleton_that_is_not_set,
            pages,
            negative_limits,
            reports,
            requests_out_of_form,
        )
    },
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_refused_is_refused_and_its_near_miss_is_not(name: str) -> None:
    EXAMPLES[name](Sandbox())


@pytest.fixture(scope="module")
def refused() -> tuple[set[Rule], set[Site]]:
    """Which guards and which lines refused something in any of the examples."""
    guards, sites = set[Rule](), set[Site]()
    for example in EXAMPLES.values():
        sandbox = Sandbox()
        example(sandbox)
        guards |= sandbox.rules
        sites |= sandbox.sites
    return guards, sites


def test_every_guard_of_every_operation_refuses_an_example(refused: tuple[set[Rule], set[Site]]) -> None:
    guards = {(*key, named(guard)) for key, listed in rules._GUARDS.items() for guard in listed}
    assert sorted(guards - refused[0]) == [], "give EXAMPLES one that only this guard refuses, and a near miss"


def test_every_refusal_in_the_source_is_one_of_an_example(refused: tuple[set[Rule], set[Site]]) -> None:
    files = [path for path in SOURCES.glob("*.py") if path.name not in BEFORE_THE_ORGANIZATION]
    written = {(path.name, line) for path in files for line in _refusing_lines(path)}
    assert len(written) > 30
    assert sorted(written - refused[1]) == [], "nothing in EXAMPLES is refused there"


def _refusing_lines(path: Path) -> set[int]:
    """The lines that raise what a function of ``errors`` makes."""
    makers = {
        name
        for name, made in vars(errors).items()
        if inspect.isfunction(made) and get_type_hints(made).get("return") is RefusalError
    }
    raising = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Raise))
    return {node.lineno for node in raising if _maker(node.exc) in makers}


def _maker(raised: ast.expr | None) -> str:
    """The name called to make what is raised: the first of both where a condition chooses."""
    match raised:
        case ast.Call(func=ast.Name(id=name)):
            return name
        case ast.IfExp(body=body):
            return _maker(body)
    return ""

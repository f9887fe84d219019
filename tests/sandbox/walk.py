"""Finds, for any endpoint, arguments that the seeded organization accepts, by walking its own lists."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from admin_mcp.api.request import build_request
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.sandbox.certificates import self_signed
from admin_mcp.sandbox.organization import Organization, SandboxAnswer
from tests.contract.cases import CASES, Case
from tests.contract.examples import Arguments, smallest

NOW = 1_790_000_000.0
LISTS = {case.documented.path: case for case in CASES if case.name.startswith("list_")}
PEM = self_signed("edge.example.com", 1_780_000_000, 1_800_000_000)


def organization() -> Organization:
    return Organization(clock=lambda: NOW)


def send(org: Organization, call: Endpoint) -> SandboxAnswer:
    """Send a call the way the server does, short of HTTP."""
    wire = build_request(call)
    body: object = None
    if wire.body is not None:
        body = json.loads(wire.body)
    return org.respond(wire.method, wire.path, list(wire.query), body)


def items(org: Organization, path: str, given: Arguments) -> list[dict[str, Any]]:
    """Everything a list holds, or nothing where there is no such list."""
    case = LISTS.get(path) or LISTS.get(f"/organization{path}")
    if case is None:
        return []
    wanted = {name: given[name] for name in case.documented.path_params}
    reply = send(org, case.implemented.model_validate(wanted))
    found: Any = reply.body.get("data", []) if reply.status == 200 else []
    return list(found)


def path_arguments(org: Organization, path: str) -> Iterator[Arguments]:
    """Every way to fill in a path with things that exist."""
    match = re.match(r"(.*)/\{(\w+)\}((?:/[a-z_]+)*)$", path)
    if match is None:
        yield {}
        return
    collection, name, _ = match.groups()
    for given in path_arguments(org, collection):
        for item in items(org, collection, given):
            yield {**given, name: item.get("id") or item[name]}


def _existing(org: Organization, path: str, key: str, given: Arguments) -> list[object]:
    needed = set(re.findall(r"\{(\w+)\}", path))
    places = [given] if needed <= given.keys() else path_arguments(org, path.rpartition("/")[0])
    return [item[key] for place in places for item in items(org, path, place)]


def body_choices(org: Organization, case: Case, given: Arguments) -> Iterator[Arguments]:
    """Ways to fill in the ids of a body."""
    call = smallest(case.documented)
    for name, instead in (("email", "user_id"), ("external_key_id", "name")):
        # The documented minimum, but with something that is there to be named.
        if name in call and any(member.name == instead for member in case.documented.body):
            del call[name]
            call[instead] = "another"
    bodies = {member.name for member in case.documented.body if member.name in call}
    family = "/projects/{project_id}/roles" if case.documented.path.startswith("/projects") else "/organization/roles"
    sources = {
        "user_id": ("/organization/users", "id"),
        "group_id": ("/organization/groups", "id"),
        "project_id": ("/organization/projects", "id"),
        "role_id": (family, "id"),
        "role": ("/projects/{project_id}/roles", "id"),
        "service_account_id": ("/organization/projects/{project_id}/service_accounts", "id"),
    }
    fixed: Arguments = {}
    options: dict[str, list[object]] = {}
    for name in bodies:
        member = next(member for member in case.documented.body if member.name == name)
        if name == "certificate_ids":
            collection = case.documented.path.rpartition("/")[0]
            certificates = items(org, "/organization/certificates", given) if "{" in collection else []
            options[name] = [[item["id"]] for item in certificates or items(org, collection, given)]
        elif name in sources and not member.enum and member.type == "string":
            path, key = sources[name]
            options[name] = _existing(org, path, key, given) or [call[name]]
        else:
            fixed[name] = {"email": "new@example.com", "certificate": PEM}.get(name, call[name])
    for chosen in itertools.product(*options.values()):
        yield {**fixed, **dict(zip(options, chosen, strict=True))}


def accepted(org: Organization, case: Case) -> tuple[Endpoint, SandboxAnswer]:
    """A call of the endpoint that succeeds, and its answer."""
    refusals: list[object] = []
    queries = {member.name: 1_789_000_000 for member in case.documented.query if member.required}
    for given in path_arguments(org, case.documented.path):
        for body in body_choices(org, case, given):
            call = case.implemented.model_validate({**given, **queries, **body})
            reply = send(org, call)
            if reply.status == 200:
                return call, reply
            refusals.append((call, reply.status, reply.body))
    raise AssertionError(f"{case.name}: never accepted: {refusals[:3]}")

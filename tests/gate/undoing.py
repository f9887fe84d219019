"""A pretend organization in which changes are made and undone the way the gate will do it, and all that it shows."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApiError, NotFound
from admin_mcp.gate.before_image import Lookups, before_image, kept_of_answer, reads_for_undo
from admin_mcp.gate.moved_on import moved_on, witness
from admin_mcp.gate.reversal import Reversal, change_made, reversal
from admin_mcp.gate.snapshot import Snapshot
from admin_mcp.gate.target_reader import TargetReader
from admin_mcp.sandbox.organization import Organization
from tests.contract.cases import CASES, Case
from tests.contract.examples import Arguments, right_values
from tests.sandbox.walk import body_choices, items, organization, path_arguments, send

CATALOG = compiled_catalog()
NOT_STATE = {"list_audit_logs", "get_costs"}
"""What tells of the past, and grows with every change."""

READS = [
    case
    for case in CASES
    if case.documented.method == "GET"
    and case.name not in NOT_STATE
    and not any(member.required for member in case.documented.query)
]
Readings = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Done:
    """A change that was made, as the journal has it."""

    tool: str
    arguments: Json
    before: Json
    answer: Json


async def furnished() -> "World":
    """An organization in which more is set than in the seed: what is null, inactive or nobody's there. To be copied."""
    if not _FURNISHED:
        _FURNISHED.append(await _furnished())
    return _FURNISHED[0]


_FURNISHED: list["World"] = []


async def _furnished() -> "World":
    world = World()
    users = [str(user["id"]) for user in items(world.org, "/organization/users", {})]
    roles = {role["name"]: role["id"] for role in items(world.org, "/organization/roles", {})}
    certificates = [str(each["id"]) for each in items(world.org, "/organization/certificates", {})]
    for user in users:
        await world.change("update_user", user_id=user, developer_persona="builder", technical_level="high")
    await world.change("assign_user_role", user_id=users[0], role_id=roles["reader"])
    await world.change("assign_user_role", user_id=users[1], role_id=roles["Usage viewer"])
    await world.change("update_user", user_id=users[2], role_id=roles["Usage viewer"])
    for project in items(world.org, "/organization/projects", {}):
        await _furnish(world, {"project_id": project["id"]}, certificates[:1])
    return world


async def _furnish(world: "World", place: Arguments, certificates: list[str]) -> None:
    await world.change("activate_project_certificates", **place, certificate_ids=certificates)
    limit = {"currency": "USD", "interval": "month", "threshold_amount": 7_000}
    await world.change("update_project_spend_limit", **place, **limit)
    await world.change("update_project_model_permissions", **place, mode="deny_list", model_ids=["gpt-5.2"])
    await world.change("create_project_role", **place, role_name="Nobody's", permissions=["api.none.read"])
    roles = {role["name"]: role["id"] for role in items(world.org, "/projects/{project_id}/roles", place)}
    for user in items(world.org, "/organization/projects/{project_id}/users", place):
        await world.change("assign_project_user_role", **place, user_id=user["id"], role_id=roles["Key manager"])


@dataclass
class World:
    """An organization, and whoever changes it."""

    org: Organization = field(default_factory=organization)

    def copy(self) -> "World":
        return World(copy.deepcopy(self.org))

    async def read(self, call: Endpoint) -> Json:
        reply = send(self.org, call)
        if reply.status == 404:
            raise NotFound("404", hint="")
        if reply.status != 200:
            raise ApiError(str(reply.body), hint="")
        return json.loads(json.dumps(reply.body))  # type: ignore[no-any-return]

    async def look(self, call: Endpoint) -> tuple[Snapshot, Lookups]:
        """The preview's reads of a change, and those for undoing it."""
        seen = await TargetReader(CATALOG, self.read).snapshot(call, lambda *_: True)
        more: dict[str, Any] = {}
        for label, read in reads_for_undo(call, CATALOG).items():
            try:
                more[label] = await self.read(read)
            except NotFound:
                more[label] = "absent"
        return seen, more

    async def make(self, call: Endpoint) -> Done | None:
        """Make a change, or return None if the organization does not take it."""
        try:
            seen, more = await self.look(call)
        except (NotFound, ApiError):
            return None
        image = before_image(call, seen, more, CATALOG)
        reply = send(self.org, call)
        if reply.status != 200:
            return None
        given = call.model_dump(mode="json", exclude_unset=True)
        return through_json(Done(type(call).SPEC.name, given, image, kept_of_answer(dict(reply.body))))

    async def change(self, tool: str, **arguments: object) -> Done:
        """Make a change that must be taken."""
        done = await self.make(CATALOG.endpoint(tool).model_validate(arguments))
        assert done is not None, tool
        return done

    def steps(self, done: Done) -> tuple[Reversal, ...]:
        return reversal(done.tool, done.arguments, done.before, done.answer, CATALOG)

    async def moved(self, done: Done) -> str | None:
        call = change_made(done.tool, done.arguments, CATALOG)
        return moved_on(call, *await self.look(witness(call, self.steps(done), CATALOG)), CATALOG)

    async def undo(self, done: Done) -> list[str]:
        """Undo a change. Returns the ids in the answers."""
        ids = []
        for step in self.steps(done):
            reply = send(self.org, CATALOG.endpoint(step.tool).model_validate(step.arguments))
            assert reply.status == 200, (step, reply.body)
            ids.append(str(reply.body.get("id")))
        return ids

    @cached_property
    def shown(self) -> Readings:
        """All that the API shows as long as nothing is changed here."""
        return self.readings()

    def readings(self) -> Readings:
        """All that the API shows, but for moments, and for the order in which lists have what they have."""
        found = {}
        for case in READS:
            for given in path_arguments(self.org, case.documented.path):
                reply = send(self.org, case.implemented.model_validate(given))
                found[case.name, json.dumps(given)] = json.dumps([reply.status, timeless(reply.body)], sort_keys=True)
        return found


def through_json(done: Done) -> Done:
    """What the journal gives back."""
    kept = json.loads(json.dumps([done.arguments, done.before, done.answer]))
    return Done(done.tool, *kept)


def timeless(value: Any) -> Any:
    """A body without moments and cursors, its rows in an order of their own."""
    if isinstance(value, dict):
        return {name: timeless(inner) for name, inner in value.items() if not _passing(name)}
    if isinstance(value, list):
        return sorted(map(timeless, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def _passing(name: str) -> bool:
    return name.endswith("_at") or name in {"created", "first_id", "last_id", "next"}


def renamed(readings: Readings, old: str, new: str) -> Readings:
    """Readings in which one id stands for another."""
    pattern = re.compile(rf"\b{re.escape(new)}\b")
    replaced = {(tool, pattern.sub(old, given)): pattern.sub(old, body) for (tool, given), body in readings.items()}
    return {key: json.dumps(timeless(json.loads(body)), sort_keys=True) for key, body in replaced.items()}


def calls_of(case: Case, org: Organization) -> Iterator[Endpoint]:
    """Many different calls of a tool, most of which the organization takes: every place, and every field in turn."""
    for given in path_arguments(org, case.documented.path):
        for number, body in enumerate(body_choices(org, case, given)):
            yield from _valid(case, {**given, **body})
            if number == 0:
                yield from _variations(case, {**given, **body})
                yield from _variations(case, given)


def _variations(case: Case, call: Arguments) -> Iterator[Endpoint]:
    for member in case.documented.body:
        if not member.retired:
            for value in right_values(member):
                yield from _valid(case, {**call, member.name: value})


def _valid(case: Case, arguments: Arguments) -> Iterator[Endpoint]:
    try:
        yield case.implemented.model_validate(arguments)
    except ValidationError:
        return

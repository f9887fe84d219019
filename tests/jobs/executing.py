"""A playbook against the pretend organization: it reads from it, and its steps are carried out there one by one."""

from collections.abc import Mapping
from typing import Any

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApiError, CallError, Conflict, NotFound, Permission
from admin_mcp.gate.plan import MOST_DESTRUCTIVE, MOST_STEPS
from admin_mcp.jobs.base import Draft, DraftStep, Playbook
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.steps import destroys
from admin_mcp.sandbox.invite_lifecycle import add_user
from admin_mcp.sandbox.organization import Organization
from tests.sandbox.walk import NOW, send

ERRORS: dict[int, type[CallError]] = {403: Permission, 404: NotFound, 409: Conflict}


async def unheard(done: float, total: float | None, message: str) -> None:
    del done, total, message


class World:
    """An organization whose reads may be forbidden by tool, and what was asked of it."""

    def __init__(self, *forbidden: str) -> None:
        self.org = Organization(clock=lambda: NOW)
        self.forbidden = set(forbidden)
        self.reads: list[str] = []

    async def read(self, call: Endpoint) -> Json:
        name = type(call).SPEC.name
        assert not type(call).SPEC.mutates
        self.reads.append(name)
        if name in self.forbidden:
            raise Permission("this key may not", hint="")
        return self.answered(call)

    def answered(self, call: Endpoint) -> Json:
        answer = send(self.org, call)
        if answer.status != 200:
            raise ERRORS.get(answer.status, ApiError)(str(answer.body), hint="")
        return answer.body

    def call(self, tool: str, **arguments: object) -> Json:
        """Carry out one call, as the API would."""
        return self.answered(parse_arguments(compiled_catalog().endpoint(tool), arguments))

    def all(self, tool: str, **arguments: object) -> list[Json]:
        """Everything a list holds, as far as one page goes."""
        data: list[Json] = self.call(tool, **arguments)["data"]
        return data

    def named(self, tool: str, name: str, **arguments: object) -> Json:
        """The one thing of this name in a list."""
        (found,) = [row for row in self.all(tool, **arguments) if row["name"] == name]
        return found

    def new_user(self, name: str, email: str) -> str:
        """Let somebody in at once; by invite it takes a while."""
        return add_user(self.org._store, name, email, "reader", int(NOW))

    def row(self, place: str, item: str) -> dict[str, Any]:
        """The row behind a thing, for what no call can set."""
        return self.org._store.row(place, item)

    async def drafted(self, playbook: type[Playbook], **arguments: object) -> Draft:
        """Draft a plan from arguments as a model gives them, and check what holds of every plan."""
        reader = Reader(compiled_catalog(), self.read, unheard, now=lambda: NOW)
        draft = await parse_arguments(playbook, arguments).draft(reader)
        assert draft.title
        assert len(draft.steps) <= MOST_STEPS
        assert sum(map(destroys, draft.steps)) <= MOST_DESTRUCTIVE
        for number, step in enumerate(draft.steps, start=1):
            arguments = resolved(step, ["id"] * (number - 1))
            parse_arguments(compiled_catalog().endpoint(step.tool), arguments)
        return draft

    def apply(self, draft: Draft) -> list[Json]:
        """Carry out the steps in order, each of which must be accepted."""
        answers: list[Json] = []
        for step in draft.steps:
            ids = [str(answer.get("id")) for answer in answers]
            answers.append(self.call(step.tool, **resolved(step, ids)))
        return answers


def resolved(step: DraftStep, ids: list[str]) -> dict[str, object]:
    """The arguments of a step, once the ids that earlier steps make are known."""
    return {name: _resolved(value, ids) for name, value in step.arguments.items()}


def _resolved(value: object, ids: list[str]) -> object:
    if isinstance(value, Mapping) and "from_step" in value:
        assert value["field"] == "id"
        assert 1 <= value["from_step"] <= len(ids), "a step refers to one that comes later"
        return ids[value["from_step"] - 1]
    return value


def tools_of(draft: Draft) -> list[str]:
    return [step.tool for step in draft.steps]

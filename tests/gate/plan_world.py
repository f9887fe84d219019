"""A gate over the pretend organization, for tests of plans: what was changed, and faults at a chosen request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.approval_channel import ApprovalChannel
from admin_mcp.gate.plan import Plan
from admin_mcp.gate.plan_applying import Applied, PlanApplying
from admin_mcp.gate.plan_making import DraftedStep, PlanMaking
from admin_mcp.gate.plans import Progress
from admin_mcp.sandbox.gateway import Gateway
from admin_mcp.sandbox.organization import Organization
from admin_mcp.sandbox.transport import SandboxTransport
from tests.gate.world import AtOnce, Only, World

TIME = 1_700_000_000.0


class KilledError(BaseException):
    """The process ends here, as by ``kill -9``."""


@dataclass(frozen=True)
class Drafted:
    tool: str
    arguments: dict[str, Any]
    why: str = ""


def untouched(number: int) -> None:
    """Let a change be."""
    del number


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """The pretend organization behind a wire that notes every change. ``on_change`` may break one, by its number."""

    organization: Organization = field(default_factory=lambda: Organization(clock=lambda: TIME, seed=0))
    changes: list[tuple[str, str]] = field(default_factory=list)
    on_change: Callable[[int], httpx.Response | None] = untouched
    after_change: Callable[[int], httpx.Response | None] = untouched
    broken: bool = False

    def __post_init__(self) -> None:
        self._inner = SandboxTransport(Gateway(self.organization))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.broken:
            raise httpx.ConnectError("gone")
        if request.method == "GET":
            return await self._inner.handle_async_request(request)
        number = len(self.changes) + 1
        if (instead := self.on_change(number)) is not None:
            return instead
        self.changes.append((request.method, request.url.path.removeprefix("/v1")))
        answer = await self._inner.handle_async_request(request)
        return self.after_change(number) or answer


class PlanWorld:
    """One server; another one beside it shares its state and its organization."""

    def __init__(
        self, directory: Path, wire: Wire | None = None, beside: "PlanWorld | None" = None, **given: Any
    ) -> None:
        self.wire: Wire = beside.wire if beside else wire or Wire()
        first = None if beside is None else beside.world
        self.world: World = World(transport=self.wire, directory=directory, beside=first, **given)
        if beside is None:
            self.world.now = TIME
        self.making = PlanMaking(self.world.gate, lambda: self.world.now)
        self.told: list[str] = []

    async def read(self, tool: str, **arguments: Any) -> Json:
        return await self.world.connection.read(self.world.make(tool, **arguments))

    async def ids(self, tool: str) -> list[str]:
        """Return the ids of what a list has."""
        return [row["id"] for row in (await self.read(tool))["data"]]

    async def plan(self, *steps: DraftedStep, title: str = "A plan", **given: Any) -> Plan:
        plan = await self.making.made(title, steps, **given)
        self.world.storage.plans.save(plan)
        return plan

    async def apply(self, plan: Plan, person: ApprovalChannel | None) -> Applied:
        async def report(done: float, total: float | None, message: str) -> None:
            self.told.append(f"{done:.0f}/{total:.0f} {message}")

        applying = PlanApplying(self.world.gate, self.world.connection)
        return await applying.apply(plan.id, Only(person), report, lambda: None)

    def states(self, plan: Plan) -> list[str]:
        progress: dict[int, Progress] = self.world.storage.plans.progress(self.world.storage.plans.get(plan.id))
        return [progress[number].state for number in sorted(progress)]

    def restarted(self, **given: Any) -> "PlanWorld":
        """End this process, and return the next one on the same state."""
        self.world.close()
        next_one = PlanWorld(self.world.directory, beside=self, **given)
        next_one.world.storage.settle()
        return next_one


def approving() -> AtOnce:
    """Return a person who types what is wanted and approves."""
    from admin_mcp.gate.forms import Reply  # noqa: PLC0415 - beside its use

    def reply(approval: Any) -> Reply:
        content: dict[str, object] = {"decision": "approve"}
        if approval.preview.typed:
            content["typed_text"] = approval.preview.typed[0]
        return Reply("accept", content)

    return AtOnce(reply)


def some_steps(users: Sequence[str], project: str) -> list[Drafted]:
    """Return steps of all four kinds, one of which needs what another makes."""
    return [
        Drafted("create_project", {"name": "Lab"}),
        Drafted(
            "create_project_user",
            {"project_id": {"from_step": 1, "field": "id"}, "user_id": users[0], "role": "owner"},
            "it is theirs",
        ),
        Drafted("update_project", {"project_id": project, "name": "Renamed"}),
        Drafted("create_group", {"name": "Lab people"}),
        Drafted("add_group_user", {"group_id": {"from_step": 4}, "user_id": users[1]}),
    ]


async def steps(here: PlanWorld) -> list[Drafted]:
    """Return the same about people and a project of the sandbox's."""
    return some_steps((await here.ids("list_users"))[2:], (await here.ids("list_projects"))[1])

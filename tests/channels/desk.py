"""A page server, and a browser at it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from admin_mcp.channels.page import SHOWN
from admin_mcp.channels.page_server import (
    PageServer,
)
from admin_mcp.endpoints.base import Effect
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.plan import Plan, Step
from admin_mcp.gate.plans import question_of
from tests.gate.questions import Clock, question, records


class Desk:
    """A page server, and a browser at it."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.storage = records(directory, self.clock)
        self.server = PageServer(self.storage.approvals, self.storage.plans, directory, self.clock)
        self.origin = self.server._origin
        self.browser = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.server.application()), base_url=self.origin, trust_env=False
        )

    def ask(self, key: str = "key", channel: str = "local", **given: Any) -> Approval:
        approval, _ = self.storage.approvals.open(question(key, **given), channel)  # type: ignore[arg-type]
        return approval

    def state(self, approval: Approval) -> str:
        found = self.storage.approvals.get(approval.id)
        return found.state if found else "gone"

    async def enter(self, approval: Approval) -> str:
        """Come in through the link, and return the form's token."""
        answer = await self.browser.get(self.server.address(approval.id))
        assert answer.status_code == 200
        page = await self.browser.get(self.path(approval))
        assert page.status_code == 200
        return self.server._sessions[self.browser.cookies[self.server._cookie]]

    @property
    def inbox(self) -> str:
        return f"{self.server._prefix}/"

    def path(self, approval: Approval) -> str:
        return self.server._path(approval.id)

    async def reject_all(
        self, approval: Approval, csrf: str, headers: Mapping[str, str] | None = None, /, *ids: str
    ) -> int:
        answer = await self.browser.post(
            f"{self.path(approval)}/reject-all",
            data={"csrf": csrf, "waiting": " ".join(ids)},
            headers={"origin": self.origin, **(headers or {})},
        )
        return answer.status_code

    async def post(
        self, approval: Approval, csrf: str, headers: Mapping[str, str] | None = None, /, **form: str
    ) -> int:
        now = self.storage.approvals.get(approval.id)  # as the page has it that is loaded at this moment
        data = {"csrf": csrf, SHOWN: now.preview.drift if now else "", **form}
        answer = await self.browser.post(
            self.path(approval), data=data, headers={"origin": self.origin, **(headers or {})}
        )
        return answer.status_code


ELSEWHERE: list[dict[str, str]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://localhost:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"host": "evil.example"},
    {"host": "localhost"},
    {"content-type": "text/plain"},
    {"content-type": "multipart/form-data"},
]
"""Headers of a form that none of the pages sent."""


class PlanDesk(Desk):
    """A page server, and a plan that waits for approval there: its second step needs what the first makes."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        steps = tuple(
            Step(
                number=number,
                tool="x",
                arguments=given,
                why="",
                key=f"k{number}",
                effects=(effect,),
                projects=(),
                preview=question(title=f"Change {number}", typed=effect != "create").preview,
            )
            for number, given, effect in STEPS
        )
        self.plan = Plan(id="plan_1", title="P", system="s", target="t", made=self.clock.now, steps=steps)
        self.storage.plans.save(self.plan)
        self.approval, _ = self.storage.approvals.open(question_of(self.plan, "local"), "local")

    async def strike(
        self, csrf: str, step: str, headers: Mapping[str, str] | None = None, /, approval: Approval | None = None
    ) -> httpx.Response:
        return await self.browser.post(
            f"{self.path(approval or self.approval)}/strike",
            data={"csrf": csrf, "step": step},
            headers={"origin": self.origin, **(headers or {})},
        )

    @property
    def struck(self) -> tuple[int, ...]:
        return self.storage.plans.get("plan_1").struck


STEPS: list[tuple[int, Json, Effect]] = [
    (1, {}, "create"),
    (2, {"group_id": {"from_step": 1}}, "grant"),
    (3, {}, "destroy"),
]

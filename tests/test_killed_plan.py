"""A server killed with -9 while it applies a plan, or beside another that applies the same: no step is sent twice."""

import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings
from tests.platforms import needs_posix_processes
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import KEY
from tests.test_many_servers import Server

pytestmark = needs_posix_processes

STEPS = 20
KILLED_AT = (1, 20)
"""The steps during whose request a server is killed: the ends; those between are in the longer tests."""


def untouched(number: int) -> None:
    """Let a step be."""
    del number


class Api:
    """A pretend API of twenty roles, whose descriptions can be set. ``on_change`` sees each change by its number."""

    def __init__(self, recorder: Recorder) -> None:
        self.roles = {f"role_{number}": "old" for number in range(1, STEPS + 1)}
        self.sent: list[str] = []
        self.before: Callable[[int], None] = untouched
        self.after: Callable[[int], None] = untouched
        self.lost: int | None = None
        self._lock = threading.Lock()
        recorder.reply = self

    def __call__(self, request: Recorded) -> Canned:
        role = request.path.rpartition("/")[2]
        if role not in self.roles:
            return Canned(body={"data": [], "has_more": False})
        if request.changes:
            with self._lock:
                self.sent.append(role)
                number = len(self.sent)
            self.before(number)
            if number == self.lost:
                return Canned(status=503)
            self.roles[role] = request.body["description"]
            self.after(number)
        return Canned(body={"id": role, "name": role, "object": "role", "description": self.roles[role]})


class World:
    """A state directory, the API, and servers that come and go."""

    def __init__(self, recorder: Recorder, directory: Path) -> None:
        self.api = Api(recorder)
        self.directory = directory
        self._env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}

    def server(self) -> Server:
        server = Server("--approval", "none", "--state-dir", str(self.directory), env=self._env)
        server.ready()
        return server

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Make one call in a process of its own, which ends by itself."""
        server = self.server()
        server.call(tool, **arguments)
        (answer,) = server.answers(1)
        server.end()
        return answer

    def plan(self, server: Server) -> str:
        given = [{"role_id": role, "description": "new"} for role in self.api.roles]
        steps = [{"tool": "update_role", "arguments": each} for each in given]
        server.call("plan_changes", title="Twenty", steps=steps)
        return str(server.answers(1)[0]["plan_id"])

    def killed(self, at: int, *, when: str, plan: str | None = None) -> str:
        """Apply the plan in a process that is killed while it sends a step: before or after the API has done it.

        Return the plan's id; without one, the same process makes it.
        """
        server = self.server()
        plan = plan or self.plan(server)

        def kill(number: int) -> None:
            if number == at:
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()

        setattr(self.api, when, kill)
        self.api.lost = at if when == "before" else None
        server.call("apply_plan", plan_id=plan)
        assert server.process.wait(timeout=60) == -signal.SIGKILL
        server._stdin.close()
        server._stdout.close()
        self.api.before = self.api.after = untouched
        return plan

    def states(self, plan: str) -> list[str]:
        plans = self.kept.plans
        return [each.state for each in plans.progress(plans.get(plan)).values()]

    @property
    def kept(self) -> GateStorage:
        return open_storage(Settings(state_dir=self.directory))

    def require_each_sent_once(self, plan: str) -> None:
        """Check the promise: nothing reached the API twice, and the journal has all that did, and is whole."""
        assert max(Counter(self.api.sent).values()) == 1
        records = self.kept.journal.records()
        sending = [record.change for record in records if record.kind == "sending"]
        assert sending == [f"{plan}.{number}" for number in range(1, len(self.api.sent) + 1)]
        ends = Counter(record.change for record in records if record.kind == "outcome")
        assert set(ends) == set(sending)
        assert self.kept.journal.verify() == (len(records), None)


@pytest.fixture
def world(recorder: Recorder, tmp_path: Path) -> World:
    return World(recorder, tmp_path / "state")


@pytest.mark.parametrize("at", KILLED_AT)
def test_killed_after_the_api_has_made_a_step_the_plan_goes_on_with_the_next(world: World, at: int) -> None:
    plan = world.killed(at, when="after")
    assert len(world.api.sent) == at
    done = world.call("apply_plan", plan_id=plan)
    assert done.get("state") == "done", done
    assert set(world.api.roles.values()) == {"new"}
    assert len(world.api.sent) == STEPS
    world.require_each_sent_once(plan)


@pytest.mark.parametrize("at", KILLED_AT)
def test_killed_before_the_api_has_made_a_step_the_plan_ends_there_and_says_so(world: World, at: int) -> None:
    """It was sent, and is not sent again: what a read shows to be not made ends the plan."""
    plan = world.killed(at, when="before")
    server = world.server()
    for _ in range(2):
        server.call("apply_plan", plan_id=plan)
        error = server.answers(1)[0]["error"]
        assert error["kind"] == "conflict"
        assert f"step {at}, which was not made" in error["message"]
    server.end()
    assert len(world.api.sent) == at
    expected = ["done"] * (at - 1) + ["refused"] + ["open"] * (STEPS - at)
    assert world.states(plan) == expected
    world.require_each_sent_once(plan)


def test_killed_over_and_over_each_step_is_still_sent_once(world: World) -> None:
    plan = world.killed(2, when="after")
    for at in (3, 13):
        world.killed(at, when="after", plan=plan)
    assert world.call("apply_plan", plan_id=plan)["state"] == "done"
    assert len(world.api.sent) == STEPS
    world.require_each_sent_once(plan)


def test_two_servers_that_apply_one_plan_at_once_send_each_step_once(world: World) -> None:
    servers = [world.server(), world.server()]
    plan = world.plan(servers[0])
    for server in servers:
        server.call("apply_plan", plan_id=plan)
    answers = [server.answers(1)[0] for server in servers]
    for server in servers:
        server.end()
    assert any(answer.get("state") == "done" for answer in answers), answers
    for answer in answers:
        assert answer.get("state") == "done" or "being applied by another call" in answer["error"]["message"]
    assert len(world.api.sent) == STEPS
    world.require_each_sent_once(plan)


def test_a_server_takes_over_at_once_from_one_that_was_killed_while_it_waited(world: World) -> None:
    """The lock of a killed process is nobody's, and what it had sent is settled by a read."""
    other = world.server()
    plan = world.killed(7, when="after")
    other.call("apply_plan", plan_id=plan)
    (answer,) = other.answers(1)
    other.end()
    assert answer.get("state") == "done", answer
    world.require_each_sent_once(plan)

"""Whatever happens in whatever order: no change leaves without one fresh approval for exactly that request.

Two servers share one state, as two hosts on one machine do; persons answer through every channel.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, invariant, multiple, rule

from admin_mcp.api.permits import Permit, PermitError
from admin_mcp.api.request import build_request
from admin_mcp.channels.two_step import Confirmation, TwoStepAsk, TwoStepConfirm
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.errors import ApprovalPending, CallError
from admin_mcp.gate.approval import (
    APPROVED_SECONDS,
    PENDING_SECONDS,
    PLAN_APPROVED_SECONDS,
    Approval,
    IllegalEventError,
)
from admin_mcp.gate.approval_channel import ApprovalChannel
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.plan import Plan
from admin_mcp.gate.plan_applying import PlanApplying
from admin_mcp.gate.plan_making import PlanMaking
from admin_mcp.gate.policy import Channel, Policy, Rule
from tests.gate.plan_world import Drafted
from tests.gate.world import AskedError, AtOnce, Later, Only, World, key_of

Made = tuple[str, dict[str, object]]

CALLS = st.sampled_from(
    [
        ("update_role", {"role_id": "role_1", "description": "new"}),
        ("update_role", {"role_id": "role_1", "description": "other"}),
        ("update_role", {"role_id": "role_2", "description": "new"}),
        ("delete_role", {"role_id": "role_1"}),
        ("create_role", {"role_name": "x", "permissions": []}),
        ("assign_user_role", {"user_id": "user_1", "role_id": "role_1"}),
        ("update_group", {"group_id": "group_1", "name": "free"}),
    ]
)
THINGS = ("role_1", "role_2", "user_1")
POLICY = Policy.standard(read_only=False, rules=[Rule("groups are free", "allow", tools=("update_group",))])
SERVERS = st.integers(0, 1)
REPLIES = st.builds(
    Reply,
    st.sampled_from(["accept", "accept", "accept", "decline", "cancel"]),
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {},
            optional={
                "decision": st.sampled_from(["approve", "approve", "approve", "reject", "yes"]),
                "typed_text": st.sampled_from(["Role_1", "role_1", "", "Role_2"]),
            },
        ),
    ),
)


@dataclass
class Given:
    """An approval that somebody gave, seen from outside."""

    approval: str
    key: str
    names: dict[str, str]
    at: float
    life: float = APPROVED_SECONDS


def approves(reply: Reply, approval: Approval) -> bool:
    """Say, independently of the code under test, whether a person approved."""
    content = dict(reply.content or {})
    if reply.action != "accept" or content.get("decision") != "approve":
        return False
    return not approval.preview.typed or content.get("typed_text") in approval.preview.typed


class Absent:
    """A person on this machine who has not looked yet."""

    channel: Channel = "local"
    asks_once = False
    dies_with_call = False
    answers = None

    async def ask(self, approval: Approval) -> Reply | None:
        raise AskedError(approval)


class GateMachine(RuleBasedStateMachine):
    """Calls, answers, replays, swaps, renames, forged permits, restarts and the passing of time."""

    questions: Bundle[tuple[Approval, Endpoint]] = Bundle("questions")
    local: Bundle[tuple[Approval, Endpoint]] = Bundle("local")
    steps: Bundle[Approval] = Bundle("steps")
    plans: Bundle[Plan] = Bundle("plans")

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.temporary = TemporaryDirectory()
        first = World(policy=POLICY, directory=Path(self.temporary.name) / "state")
        self.servers = [first, World(policy=POLICY, beside=first)]
        self.given: list[Given] = []
        self.shown: dict[str, dict[str, str]] = {}
        self.counted = 0

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            for server in self.servers:
                server.close()
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.temporary.cleanup()

    @property
    def world(self) -> World:
        return self.servers[0]

    def run(self, server: int, call: Endpoint, person: ApprovalChannel | None) -> None:
        self.loop.run_until_complete(self.servers[server].call(call, person))

    def see(self, approval: Approval) -> None:
        """Remember what things were called when the person was first shown them."""
        self.shown.setdefault(approval.id, dict(self.world.names))

    def note(self, approval: Approval) -> None:
        self.see(approval)
        self.given.append(Given(approval.id, approval.question.key, self.shown[approval.id], self.world.now))

    def make(self, call: Made) -> Endpoint:
        return self.world.make(call[0], **call[1])

    @rule(server=SERVERS, call=CALLS, reply=REPLIES, rename=st.booleans())
    def answer_at_once(self, server: int, call: Made, reply: Reply, rename: bool) -> None:
        def answer(approval: Approval) -> Reply:
            self.see(approval)
            if approves(reply, approval):
                self.note(approval)
            if rename:
                self.rename("role_1" if self.world.names.get("role_1") != "Renamed" else "user_1", "Renamed")
            return reply

        with suppress(CallError):
            self.run(server, self.make(call), AtOnce(answer))

    @rule(target=questions, server=SERVERS, call=CALLS)
    def ask_for_later(
        self, server: int, call: Made
    ) -> tuple[Approval, Endpoint] | MultipleResults[tuple[Approval, Endpoint]]:
        return self.left_open(server, call, Later())

    @rule(server=SERVERS, question=questions, reply=REPLIES)
    def answer_later(self, server: int, question: tuple[Approval, Endpoint], reply: Reply) -> None:
        approval, call = question
        if self.world.state(approval.id) == "pending" and approves(reply, approval):
            self.note(approval)
        with suppress(CallError):
            self.run(server, call, Later(approval.id, reply))

    @rule(server=SERVERS, question=questions, call=CALLS, reply=REPLIES)
    def answer_with_swapped_arguments(
        self, server: int, question: tuple[Approval, Endpoint], call: Made, reply: Reply
    ) -> None:
        approval, asked_about = question
        made = self.make(call)
        if made == asked_about or call[0] == "update_group":
            return
        self.sends_nothing(server, made, Later(approval.id, reply))

    @rule(target=local, server=SERVERS, call=CALLS)
    def ask_on_this_machine(
        self, server: int, call: Made
    ) -> tuple[Approval, Endpoint] | MultipleResults[tuple[Approval, Endpoint]]:
        return self.left_open(server, call, Absent())

    @rule(question=local, decision=st.sampled_from(["approve", "approve", "reject"]))
    def decide_on_this_machine(self, question: tuple[Approval, Endpoint], decision: str) -> None:
        approval, _ = question
        with suppress(IllegalEventError, KeyError):
            if decision == "approve":
                self.world.storage.approvals.apply(approval.id, "approve", via="page")
                self.note(approval)
            else:
                self.world.storage.approvals.apply(approval.id, "reject", via="terminal")
                self.given = [given for given in self.given if given.approval != approval.id]

    @rule(server=SERVERS, question=local)
    def call_again(self, server: int, question: tuple[Approval, Endpoint]) -> None:
        with suppress(CallError, AskedError):
            self.run(server, question[1], Absent())

    @rule(question=local, reply=REPLIES)
    def answer_a_local_question_with_a_form(self, question: tuple[Approval, Endpoint], reply: Reply) -> None:
        self.sends_nothing(0, question[1], Later(question[0].id, reply))

    @rule(target=steps, server=SERVERS, call=CALLS)
    def first_step(self, server: int, call: Made) -> Approval | MultipleResults[Approval]:
        with suppress(CallError):
            try:
                self.run(server, self.make(call), TwoStepAsk())
            except ApprovalPending as pending:
                approval_id = pending.message.split()[1]
                approval = self.world.storage.approvals.get(approval_id)
                assert approval is not None
                self.see(approval)
                return approval
        return multiple()

    @rule(server=SERVERS, approval=steps, right=st.booleans())
    def second_step(self, server: int, approval: Approval, right: bool) -> None:
        phrase = approval.phrase if right and approval.phrase else "confirm-00000000"
        stored = self.world.catalog.endpoint(approval.question.tool).model_validate(approval.question.arguments)
        if right and self.world.state(approval.id) == "pending":
            self.note(approval)
        with suppress(CallError):
            self.run(server, stored, TwoStepConfirm(Confirmation(approval.id, phrase)))

    @rule(target=plans, server=SERVERS, calls=st.lists(CALLS, min_size=1, max_size=4))
    def make_a_plan(self, server: int, calls: list[Made]) -> Plan | MultipleResults[Plan]:
        before = len(self.world.changes)
        making = PlanMaking(self.servers[server].gate, lambda: self.world.now)
        try:
            plan = self.loop.run_until_complete(making.made("plan", [Drafted(*call) for call in calls]))
        except CallError:
            return multiple()
        finally:
            assert len(self.world.changes) == before
        self.world.storage.plans.save(plan)
        return plan

    @rule(server=SERVERS, plan=plans, sure=st.booleans(), rename=st.booleans(), strike=st.booleans())
    def apply_a_plan(self, server: int, plan: Plan, sure: bool, rename: bool, strike: bool) -> None:
        def answer(approval: Approval) -> Reply:
            self.see(approval)
            if strike and len(plan.live) > 1:
                with suppress(CallError):
                    self.world.storage.plans.strike(plan.id, [plan.live[0].number], via="page")
            if sure:
                self.note_plan(approval.id, plan)
            if rename:
                self.rename("role_1", "Renamed" if self.world.names.get("role_1") != "Renamed" else "Again")
            typed = (self.world.storage.approvals.get(approval.id) or approval).preview.typed
            content = {"decision": "approve", **({"typed_text": typed[0]} if typed else {})}
            return Reply("accept", content) if sure else Reply("accept", {"decision": "reject"})

        self.applied(server, plan, AtOnce(answer))

    @rule(server=SERVERS, plan=plans)
    def apply_a_plan_that_nobody_answers(self, server: int, plan: Plan) -> None:
        with suppress(AskedError):
            self.applied(server, plan, Absent())

    @rule(plan=plans)
    def approve_a_plan_on_this_machine(self, plan: Plan) -> None:
        for approval in self.world.storage.approvals.all():
            if approval.question.arguments == {"plan_id": plan.id} and approval.channel == "local":
                with suppress(IllegalEventError, KeyError):
                    self.see(approval)
                    self.world.storage.approvals.apply(approval.id, "approve", via="page")
                    self.note_plan(approval.id, plan)

    def applied(self, server: int, plan: Plan, person: ApprovalChannel) -> None:
        async def report(done: float, total: float | None, message: str) -> None:
            del done, total, message

        applying = PlanApplying(self.servers[server].gate, self.servers[server].connection)
        with suppress(CallError):
            self.loop.run_until_complete(applying.apply(plan.id, Only(person), report, lambda: None))

    def note_plan(self, approval_id: str, plan: Plan) -> None:
        """Remember that a person approved what is left of a plan, as it is kept now."""
        kept = self.world.storage.plans.get(plan.id)
        progress = self.world.storage.plans.progress(kept)
        self.given += [
            Given(approval_id, step.key, self.shown[approval_id], self.world.now, PLAN_APPROVED_SECONDS)
            for step in kept.live
            if progress[step.number].state == "open"
        ]

    @rule(server=SERVERS, call=CALLS)
    def call_without_a_way_to_ask(self, server: int, call: Made) -> None:
        if call[0] != "update_group":
            self.sends_nothing(server, self.make(call), None)

    @rule(server=SERVERS, call=CALLS)
    def send_with_a_forged_permit(self, server: int, call: Made) -> None:
        wire = build_request(self.make(call))
        before = len(self.world.changes)
        for permit in (None, Permit()):
            with suppress(PermitError):
                self.loop.run_until_complete(self.servers[server].client.send(wire, permit))
        assert len(self.world.changes) == before

    @rule(thing=st.sampled_from(["role_1", "user_1"]), name=st.sampled_from(["Role_1", "Renamed", "Again"]))
    def rename(self, thing: str, name: str) -> None:
        self.world.names[thing] = name

    @rule(seconds=st.sampled_from([1.0, APPROVED_SECONDS, PENDING_SECONDS, -30.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(server=SERVERS)
    def restart(self, server: int) -> None:
        self.servers[server].close()
        self.servers[server] = World(policy=POLICY, beside=self.servers[1 - server])
        self.servers[server].storage.settle()

    @rule(broken=st.booleans())
    def the_api_breaks(self, broken: bool) -> None:
        self.world.api.fail = (lambda request: httpx.Response(500, request=request)) if broken else None

    def left_open(
        self, server: int, call: Made, person: ApprovalChannel
    ) -> tuple[Approval, Endpoint] | MultipleResults[tuple[Approval, Endpoint]]:
        """Make a call, and return its question if it is still open."""
        made = self.make(call)
        try:
            self.run(server, made, person)
        except AskedError as asked:
            self.see(asked.approval)
            return (asked.approval, made)
        except CallError:
            pass
        return multiple()

    def sends_nothing(self, server: int, call: Endpoint, person: ApprovalChannel | None) -> None:
        before = len(self.world.changes)
        with suppress(CallError):
            self.run(server, call, person)
        assert len(self.world.changes) == before

    @invariant()
    def every_change_used_up_one_approval_of_its_own(self) -> None:
        if not hasattr(self, "servers"):
            return
        for request in self.world.changes[self.counted :]:
            if "/groups/" in request.url.path:
                continue  # an explicit rule allows it
            matching = [
                given
                for given in self.given
                if given.key == key_of(request, self.world.target)
                and abs(self.world.now - given.at) < given.life
                and all(
                    self.world.names.get(thing, thing.title()) == given.names.get(thing, thing.title())
                    for thing in THINGS
                    if f"/{thing}" in request.url.path or thing in request.content.decode()
                )
            ]
            assert matching, f"{request.method} {request.url} left without an approval"
            self.given.remove(matching[-1])
        self.counted = len(self.world.changes)

    @invariant()
    def the_journal_holds_and_has_every_change(self) -> None:
        if not hasattr(self, "servers"):
            return
        assert self.world.storage.journal.verify()[1] is None
        sent = [record for record in self.world.journal() if record.kind == "sending"]
        assert len(sent) == len(self.world.changes)
        steps = [record.change for record in sent if "plan" in record.fields]
        assert len(steps) == len(set(steps))


GateMachine.TestCase.settings = settings(
    max_examples=2 * settings().max_examples, stateful_step_count=25, deadline=None, derandomize=True
)
TestGateMachine = GateMachine.TestCase

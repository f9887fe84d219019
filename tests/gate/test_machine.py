"""Whatever happens in whatever order: no change leaves without one fresh approval for exactly that request."""

import asyncio
from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, invariant, multiple, rule

from admin_mcp.endpoint import Endpoint
from admin_mcp.errors import CallError
from admin_mcp.gate.approvals import APPROVED_SECONDS, PENDING_SECONDS, Approval
from admin_mcp.gate.forms import Reply
from admin_mcp.gate.permits import Permit, PermitError
from admin_mcp.request import WireRequest, build_request
from tests.gate.world import AskedError, AtOnce, Later, World

CALLS = st.sampled_from(
    [
        ("update_role", {"role_id": "role_1", "description": "new"}),
        ("update_role", {"role_id": "role_1", "description": "other"}),
        ("update_role", {"role_id": "role_2", "description": "new"}),
        ("delete_role", {"role_id": "role_1"}),
        ("create_role", {"role_name": "x", "permissions": []}),
        ("assign_user_role", {"user_id": "user_1", "role_id": "role_1"}),
    ]
)
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


def approves(reply: Reply, approval: Approval) -> bool:
    """Say, independently of the code under test, whether a person approved."""
    content = dict(reply.content or {})
    if reply.action != "accept" or content.get("decision") != "approve":
        return False
    return not approval.preview.typed or content.get("typed_text") in approval.preview.typed


class GateMachine(RuleBasedStateMachine):
    """Calls, answers, replays, swaps, renames, forged permits and the passing of time."""

    questions: Bundle[tuple[Approval, Endpoint]] = Bundle("questions")

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.world = World()
        # What persons approved and no request has used: digest, names as shown, and the moment.
        self.given: list[tuple[str, dict[str, str], float]] = []
        self.counted = 0

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    def run(self, call: Endpoint, person: AtOnce | Later | None) -> None:
        self.loop.run_until_complete(self.world.call(call, person))

    def note(self, reply: Reply, approval: Approval) -> None:
        if approves(reply, approval):
            self.given.append((approval.key, dict(self.world.names), self.world.now))

    @rule(call=CALLS, reply=REPLIES)
    def ask_at_once(self, call: tuple[str, dict[str, object]], reply: Reply) -> None:
        def answer(approval: Approval) -> Reply:
            self.note(reply, approval)
            return reply

        with suppress(CallError):
            self.run(self.world.make(call[0], **call[1]), AtOnce(answer))

    @rule(call=CALLS, reply=REPLIES)
    def target_is_renamed_while_the_person_reads(self, call: tuple[str, dict[str, object]], reply: Reply) -> None:
        def answer(approval: Approval) -> Reply:
            self.note(reply, approval)
            self.rename("role_1" if self.world.names.get("role_1") != "Renamed" else "user_1", "Renamed")
            return reply

        with suppress(CallError):
            self.run(self.world.make(call[0], **call[1]), AtOnce(answer))

    @rule(target=questions, call=CALLS)
    def ask_for_later(
        self, call: tuple[str, dict[str, object]]
    ) -> tuple[Approval, Endpoint] | MultipleResults[tuple[Approval, Endpoint]]:
        made = self.world.make(call[0], **call[1])
        try:
            self.run(made, Later())
        except AskedError as asked:
            return (asked.approval, made)
        except CallError:
            pass
        return multiple()

    @rule(question=questions, reply=REPLIES)
    def answer_later(self, question: tuple[Approval, Endpoint], reply: Reply) -> None:
        approval, call = question
        current = self.world.approvals.get(approval.id)
        if current is not None and current.state == "pending":
            self.note(reply, approval)
        with suppress(CallError):
            self.run(call, Later(approval.id, reply))

    @rule(question=questions, call=CALLS, reply=REPLIES)
    def answer_with_swapped_arguments(
        self, question: tuple[Approval, Endpoint], call: tuple[str, dict[str, object]], reply: Reply
    ) -> None:
        approval, asked_about = question
        made = self.world.make(call[0], **call[1])
        if made == asked_about:
            return
        before = len(self.world.changes)
        with suppress(CallError):
            self.run(made, Later(approval.id, reply))
        assert len(self.world.changes) == before

    @rule(call=CALLS)
    def call_without_a_way_to_ask(self, call: tuple[str, dict[str, object]]) -> None:
        before = len(self.world.changes)
        with suppress(CallError):
            self.run(self.world.make(call[0], **call[1]), None)
        assert len(self.world.changes) == before

    @rule(call=CALLS)
    def send_with_a_forged_permit(self, call: tuple[str, dict[str, object]]) -> None:
        wire = build_request(self.world.make(call[0], **call[1]))
        before = len(self.world.changes)
        for permit in (None, Permit()):
            with suppress(PermitError):
                self.loop.run_until_complete(self.world.client.send(wire, permit))
        assert len(self.world.changes) == before

    @rule(thing=st.sampled_from(["role_1", "user_1"]), name=st.sampled_from(["Role_1", "Renamed", "Again"]))
    def rename(self, thing: str, name: str) -> None:
        self.world.names[thing] = name

    @rule(seconds=st.sampled_from([1.0, APPROVED_SECONDS, PENDING_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @invariant()
    def every_change_used_up_one_approval_of_its_own(self) -> None:
        if not hasattr(self, "world"):
            return
        for request in self.world.changes[self.counted :]:
            body = request.content.decode() or None
            matching = [
                given
                for given in self.given
                if given[0] == self.digest(request.method, request.url.path.removeprefix("/v1"), body)
                and self.world.now - given[2] < APPROVED_SECONDS
            ]
            assert matching, f"{request.method} {request.url} left without an approval"
            self.given.remove(matching[-1])
        self.counted = len(self.world.changes)

    def digest(self, method: str, path: str, body: str | None) -> str:
        return WireRequest(method, path, body=body).digest(self.world.target.system)  # type: ignore[arg-type]


GateMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None, derandomize=True)
TestGateMachine = GateMachine.TestCase

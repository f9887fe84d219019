"""The gate itself: policy, guardrails, preview, approval, lock, re-check, claim, permit, record, in this order only.

It composes the pure parts around it. It reads through the API it is given and never sends a change.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from admin_mcp.api.connection import Api
from admin_mcp.api.permits import Admission
from admin_mcp.api.request import WireRequest
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint, EndpointSpec, NamedSpec
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApprovalPending, CallError, InvalidInput
from admin_mcp.gate.approval import Approval, IllegalEventError, Result
from admin_mcp.gate.approval_channel import ApprovalChannel, ChannelSelector
from admin_mcp.gate.assessment import Assessment, Change, arguments_of
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.effects import possible_effects
from admin_mcp.gate.policy import LEFT_OUT, READ_ONLY, READS, Channel, Policy, Verdict
from admin_mcp.gate.preview import LONGEST_BODY, Preview
from admin_mcp.gate.projects import named_projects
from admin_mcp.gate.questions import Asked, Opened, Questions
from admin_mcp.gate.refusals import (
    already_ended,
    difference,
    drifted,
    no_way_to_ask,
    no_way_to_say_why,
    policy_denial,
)
from admin_mcp.gate.sending import Beginning, Sending, outcome_record
from admin_mcp.gate.snapshot import Snapshot
from admin_mcp.gate.storage import GateStorage
from admin_mcp.private_files import lock_of_system
from admin_mcp.settings import Settings, Target

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Clearance:
    """What lets a change pass: the policy's verdict, and the approval where a person was asked.

    ``dies_with_call``: nobody is to find the approval once the call has ended.
    """

    verdict: Verdict
    approval: Approval | None = None
    dies_with_call: bool = False


class Gate:
    """Decides about every call. Gives out a permit for a change that a person or an explicit rule allowed."""

    def __init__(
        self,
        *,
        policy: Policy,
        confirm: bool,
        target: Target,
        catalog: Catalog,
        api: Api,
        storage: GateStorage,
        owners_lock: Callable[[], Path],
        opened: Opened | None = None,
    ) -> None:
        """``confirm=False`` lets changes pass that the policy wants confirmed: the operator's ``--approval none``.

        A rule that names a channel is obeyed all the same. ``owners_lock`` names a file that all servers of this key
        share. ``opened`` is told of each question.
        """
        self.assessment = Assessment(
            policy=policy,
            catalog=catalog,
            target=target,
            read=api.read_alone,
            key=lambda: api.key,
            owners_lock=owners_lock,
        )
        self.confirm = confirm
        self.questions = Questions(storage.approvals, target, opened)
        self.storage = storage
        self.sending = Sending(self.assessment, storage, api.permits)

    async def check(self, spec: EndpointSpec) -> None:
        """Return if there are arguments with which this tool may be called.

        Raises:
            PolicyDenied: names the rule.

        """
        possible = possible_effects(self.assessment.catalog.tool(spec.name))
        verdict = self.assessment.policy.decide_tool(spec.name, possible)
        if verdict is not None and verdict.decision == "deny":
            denial = policy_denial(spec.name, verdict)
            if spec.mutates and not verdict.rule.startswith((READ_ONLY.name, LEFT_OUT)):
                await self.sending.record_refusal(denial, spec.name)
            raise denial

    def check_job(self, spec: NamedSpec) -> None:
        """Return if a job may be called. What it reads is checked by itself.

        Raises:
            PolicyDenied: names the rule.

        """
        verdict = self.assessment.policy.decide(spec.name, READS, ())
        if verdict.decision == "deny":
            raise policy_denial(spec.name, verdict)

    def admit_read_of_job(self, call: Endpoint) -> None:
        """Return if a job may make this read. It may make those as well that the selection left out, unless excluded.

        Raises:
            PolicyDenied: names the rule.

        """
        spec = type(call).SPEC
        verdict = self.assessment.policy.of_jobs().decide(spec.name, READS, named_projects(call))
        if verdict.decision == "deny":
            raise policy_denial(spec.name, verdict)

    def admit_read(self, call: Endpoint) -> None:
        """Return if a read may be sent. What it answers must be ``release``d.

        Raises:
            PolicyDenied: names the rule.

        """
        self.assessment.require_readable(call)

    def release(self, call: Endpoint, answer: Json) -> None:
        """Return if what a read answered may be passed on, now that it tells which project it is about.

        Raises:
            PolicyDenied: names the rule.

        """
        self.assessment.require_tellable(call, answer)

    def change(self, call: Endpoint, wire: WireRequest) -> Change:
        """Return a call as the change that it is to this system."""
        return Change(call, wire, wire.digest(self.assessment.target.system))

    @asynccontextmanager
    async def admitted(self, call: Endpoint, wire: WireRequest, channels: ChannelSelector) -> AsyncIterator[Admission]:
        """Enter with what a change needs to be sent, and record what comes of it.

        Raises:
            CallError: the change is refused, and why. Nothing was sent.

        """
        change = self.change(call, wire)
        async with AsyncExitStack() as held:
            try:
                clearance = await self._cleared(change, channels)
                began = await self._claimed(change, clearance, held)
            except CallError as error:
                if not isinstance(error, ApprovalPending):
                    await self.sending.record_refusal(error, change.tool, change.request)
                raise
            recheck = partial(self._require_as_cleared, change, clearance)
            again = partial(self.sending.rechecked_again, recheck, change.call)
            finish = partial(self._finish, began.change_id, clearance.approval)
            async with self.sending.sent(change, began, again, finish) as admission:
                yield admission

    async def _cleared(self, change: Change, channels: ChannelSelector) -> _Clearance:
        """Return what lets the change pass: the verdict and, unless a rule or the operator wants none, an approval."""
        verdict = await self.assessment.judged(change)
        if verdict.decision == "deny":
            raise policy_denial(change.tool, verdict)
        if verdict.decision == "allow" or not (self.confirm or verdict.demanding):
            return _Clearance(verdict)
        # Before anybody is asked as well: nobody should approve what can't be done.
        await self.assessment.guardrails.check(change.call)
        channel = usable(channels.select(verdict.channel), verdict, confirm=self.confirm)
        require_showable(change)
        asked = Asked(change.key, change.tool, arguments_of(change.call), asker=channels.asker)
        approval = await self.questions.approved(asked, channel, partial(self._preview, change, verdict))
        return _Clearance(verdict, approval, channel.dies_with_call)

    async def _claimed(self, change: Change, clearance: _Clearance, held: AsyncExitStack) -> Beginning:
        """Look a last time under every lock, and use the approval up."""
        change_id = clearance.approval.id if clearance.approval else secrets.token_hex(5)
        try:
            return await self.sending.begun(
                change,
                change_id,
                held,
                recheck=partial(self._require_as_cleared, change, clearance),
                claim=partial(self._claim, change, change_id, clearance),
            )
        except anyio.get_cancelled_exc_class():
            # Who stops a call whose form they approved has stopped the change.
            if clearance.approval is not None and clearance.dies_with_call:
                await self.questions.void(clearance.approval, "the call was cancelled")
            raise

    async def _require_as_cleared(self, change: Change, clearance: _Clearance) -> Snapshot | None:
        """Return what was read of the target, if the policy still says the same, and all that was shown is still so.

        Raises:
            PolicyDenied, Conflict: it is not. Any other ``CallError``: it can't be read.

        """
        verdict = await self.assessment.judged(change)
        if verdict.decision == "deny":
            raise policy_denial(change.tool, verdict)
        if clearance.approval is not None:
            return await self._recheck(change, verdict, clearance.approval)
        if verdict != clearance.verdict:
            raise drifted(None)
        return None

    async def _preview(self, change: Change, verdict: Verdict, channel: Channel) -> Preview:
        """Show the change. In two steps that goes to the model, so the policy counts."""
        return (await self._look(change, verdict, channel))[0]

    async def _look(self, change: Change, verdict: Verdict, channel: Channel) -> tuple[Preview, Snapshot]:
        seen = await self.assessment.snapshot(change.call, hide=traits(channel).shown_to_model)
        return self.assessment.shown(change, seen).model_copy(update={"wants_reason": verdict.reason}), seen

    async def _recheck(self, change: Change, verdict: Verdict, approval: Approval) -> Snapshot | None:
        """Return what was read, as far as it was not held back, if all that the person was shown is still so.

        Raises:
            Conflict: it is not; the approval is void. Any other ``CallError``: it can't be read.

        """
        now, seen = await self._look(change, verdict, approval.channel)
        if now.drift == approval.preview.drift:
            return None if traits(approval.channel).shown_to_model else seen
        changed = difference(approval.preview, now)
        await self.questions.void(approval, f"what the person saw has changed: {changed}")
        raise drifted(None if now.withheld or approval.preview.withheld else changed)

    def _claim(self, change: Change, change_id: str, clearance: _Clearance, image: Json) -> None:
        """Use the approval up, and record in the same moment that the request is sent."""
        fields = self.sending.record(change, image)
        verdict, approval = clearance.verdict, clearance.approval
        if approval is None:
            allowed = verdict.rule if verdict.decision == "allow" else "--approval none"
            body = {"body": change.wire.body} if change.wire.body else {}
            self.storage.journal.write("sending", change_id, **fields, **body, allowed_by=allowed)
            return
        try:
            self.storage.approvals.claim(approval.id, fields)
        except (IllegalEventError, KeyError) as error:
            raise already_ended(error) from None

    def _finish(self, change_id: str, approval: Approval | None, result: Result, admission: Admission) -> None:
        """Write down what became of a change."""
        record = {**outcome_record(admission), "target": self.assessment.target.label}
        if approval is not None:
            self.storage.approvals.finish(approval.id, result, record)
            return
        fields = {"outcome": result.outcome, "message": result.message}
        self.storage.journal.write("outcome", change_id, **fields, **record)


def open_gate(
    settings: Settings,
    policy: Policy,
    catalog: Catalog,
    api: Api,
    storage: GateStorage,
    *,
    opened: Opened | None = None,
) -> Gate:
    """Return the gate that the settings ask for."""
    return Gate(
        policy=policy,
        confirm=settings.approval != "none",
        target=settings.target,
        catalog=catalog,
        api=api,
        storage=storage,
        owners_lock=partial(lock_of_system, settings.target.system),
        opened=opened,
    )


def usable(channel: ApprovalChannel | None, verdict: Verdict, *, confirm: bool) -> ApprovalChannel:
    """Return the way to the person if it is one on which they can answer as the policy wants it.

    Raises:
        ApprovalUnavailable: there is none.

    """
    asks_nobody = channel is None and verdict.channel is None and not confirm
    if verdict.reason and (asks_nobody or (channel is not None and traits(channel.channel).phrase)):
        raise no_way_to_say_why(verdict)
    if channel is None:
        raise no_way_to_ask()
    return channel


def require_showable(change: Change) -> None:
    """Return if a person can be shown all of a change.

    Raises:
        InvalidInput: it is too long.

    """
    if len(change.wire.body or "") > LONGEST_BODY:
        raise InvalidInput(
            f"The change is longer than the {LONGEST_BODY} characters a person can be shown; nothing was sent.",
            hint="Make it smaller, or make it in several calls.",
        )

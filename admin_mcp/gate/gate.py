"""The gate itself: policy, guardrails, preview, approval, lock, re-check, claim, permit, record, in this order only.

It composes the pure parts around it. It reads through the API it is given and never sends a change.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
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
from admin_mcp.errors import ApprovalPending, CallError, InvalidInput, StateUnavailable
from admin_mcp.gate.approval_channel import ChannelSelector
from admin_mcp.gate.approvals import Approval, IllegalEventError, Result
from admin_mcp.gate.assessment import Assessment, Change
from admin_mcp.gate.before_image import kept_of_answer
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.effects import possible_effects
from admin_mcp.gate.offload import done_whole, threaded
from admin_mcp.gate.policy import LEFT_OUT, READ_ONLY, READS, Channel, Policy, Verdict
from admin_mcp.gate.preview import LONGEST_BODY, Preview
from admin_mcp.gate.projects import named_projects
from admin_mcp.gate.questions import Asked, Questions
from admin_mcp.gate.refusals import (
    StoppedAtRecheck,
    already_ended,
    difference,
    drifted,
    failed,
    no_way_to_ask,
    not_resent,
    policy_denial,
)
from admin_mcp.gate.snapshot import Snapshot
from admin_mcp.gate.storage import GateStorage
from admin_mcp.private_files import LockBusyError, lock_of_system
from admin_mcp.settings import Settings, Target

logger = logging.getLogger(__name__)

_LATE_SECONDS = 0.5
"""Waiting this long for the state makes the last look an old one."""

Recheck = Callable[[], Awaitable[Snapshot | None]]
"""Raises if a change must not be made any more, and returns what it read of the target, if it did."""

Claim = Callable[[Json], None]
"""Uses the approval up and records that the change is sent, with an image of what it replaces."""

Finish = Callable[[Result, Admission], None]


@dataclass(frozen=True, slots=True)
class _Clearance:
    """What lets a change pass: the policy's verdict, and the approval where a person was asked.

    ``dies_with_call``: nobody is to find the approval once the call has ended.
    """

    verdict: Verdict
    approval: Approval | None = None
    dies_with_call: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """A change that is recorded as being sent; ``late``: so long after the last look that another one is due."""

    change_id: str
    late: bool


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
    ) -> None:
        """``confirm=False`` lets changes pass that the policy wants confirmed: the operator's ``--approval none``.

        A rule that names a channel is obeyed all the same. ``owners_lock`` names a file that all servers of this key
        share.
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
        self.questions = Questions(storage.approvals)
        self.storage = storage
        self._permits = api.permits

    async def check(self, spec: EndpointSpec) -> None:
        """Return if there are arguments with which this tool may be called.

        Raises:
            PolicyDenied: names the rule.

        """
        possible = possible_effects(self.assessment.catalog.tool(spec.name))
        verdict = self.assessment.policy.decide_tool(spec.name, possible)
        if verdict is not None and verdict.decision == "deny":
            denial = policy_denial(spec, verdict)
            if spec.mutates and not verdict.rule.startswith((READ_ONLY.name, LEFT_OUT)):
                await self.record_refusal(denial, spec.name)
            raise denial

    def check_job(self, spec: NamedSpec) -> None:
        """Return if a job may be called. What it reads is checked by itself.

        Raises:
            PolicyDenied: names the rule.

        """
        verdict = self.assessment.policy.decide(spec.name, READS, ())
        if verdict.decision == "deny":
            raise policy_denial(spec, verdict)

    def admit_read_of_job(self, call: Endpoint) -> None:
        """Return if a job may make this read. It may make those as well that the selection left out, unless excluded.

        Raises:
            PolicyDenied: names the rule.

        """
        spec = type(call).SPEC
        verdict = self.assessment.policy.of_jobs().decide(spec.name, READS, named_projects(call))
        if verdict.decision == "deny":
            raise policy_denial(spec, verdict)

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
                    await self.record_refusal(error, change.tool, change.request)
                raise
            recheck = partial(self._recheck_again, change, clearance)
            finish = partial(self._finish, began.change_id, clearance.approval)
            async with self.sent(change, began, recheck, finish) as admission:
                yield admission

    async def _cleared(self, change: Change, channels: ChannelSelector) -> _Clearance:
        """Return what lets the change pass: the verdict and, unless a rule or the operator wants none, an approval."""
        verdict = await self.assessment.judged(change)
        if verdict.decision == "deny":
            raise policy_denial(change.spec, verdict)
        if verdict.decision == "allow" or not (self.confirm or verdict.channel):
            return _Clearance(verdict)
        # Before anybody is asked as well: nobody should approve what can't be done.
        await self.assessment.guardrails.check(change.call)
        channel = channels.select(verdict.channel)
        if channel is None:
            raise no_way_to_ask()
        require_showable(change)
        asked = Asked(change.key, change.tool, change.call.model_dump(mode="json", exclude_unset=True))
        approval = await self.questions.approved(asked, channel, partial(self._preview, change))
        return _Clearance(verdict, approval, channel.dies_with_call)

    async def _claimed(self, change: Change, clearance: _Clearance, held: AsyncExitStack) -> Beginning:
        """Look a last time under every lock, and use the approval up."""
        change_id = clearance.approval.id if clearance.approval else secrets.token_hex(5)
        try:
            return await self.begun(
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

    async def begun(
        self, change: Change, change_id: str, held: AsyncExitStack, *, recheck: Recheck, claim: Claim
    ) -> Beginning:
        """Take every lock, look a last time, and claim the change, which records that it is sent.

        What takes long comes first, so that nothing is waited for between the last look and the request.
        """
        await threaded(self._process_name)
        await held.enter_async_context(self.assessment.guardrails.held(change.call))
        image = await self.assessment.image(change, await recheck())
        looked = anyio.current_time()
        await threaded(claim, image)
        return Beginning(change_id, late=anyio.current_time() - looked > _LATE_SECONDS)

    @asynccontextmanager
    async def sent(
        self, change: Change, began: Beginning, recheck: Recheck, finish: Finish
    ) -> AsyncIterator[Admission]:
        """Enter with the permit, and record how the sending ended. ``recheck`` comes before it is sent once more."""
        permit = self._permits.issue(change.key)
        admission = Admission(permit, recheck=recheck)
        try:
            if began.late:
                await recheck()
            yield admission
        except BaseException as error:
            unused = self._permits.withdraw(permit)
            await self._record(began.change_id, finish, failed(error, unused=unused), admission)
            raise
        self._permits.withdraw(permit)
        await self._record(began.change_id, finish, Result("done", "The change was made."), admission)

    async def _record(self, change_id: str, finish: Finish, result: Result, admission: Admission) -> None:
        """Record the outcome. By now it stands, so that failing to write it down must not hide it."""
        try:
            await done_whole(partial(finish, result, admission))
        except StateUnavailable as error:
            told = "change %s: %s. That stands, but the journal can't be written: %s"
            logger.error(told, change_id, result.outcome, error.reason)  # noqa: TRY400 - the message says it all

    async def _require_as_cleared(self, change: Change, clearance: _Clearance) -> Snapshot | None:
        """Return what was read of the target, if the policy still says the same, and all that was shown is still so.

        Raises:
            PolicyDenied, Conflict: it is not. Any other ``CallError``: it can't be read.

        """
        verdict = await self.assessment.judged(change)
        if verdict.decision == "deny":
            raise policy_denial(change.spec, verdict)
        if clearance.approval is not None:
            return await self._recheck(change, clearance.approval)
        if verdict != clearance.verdict:
            raise drifted(None)
        return None

    async def _preview(self, change: Change, channel: Channel) -> Preview:
        """Show the change. In two steps that goes to the model, so the policy counts."""
        return (await self._look(change, channel))[0]

    async def _look(self, change: Change, channel: Channel) -> tuple[Preview, Snapshot]:
        seen = await self.assessment.snapshot(change.call, hide=traits(channel).shown_to_model)
        return self.assessment.shown(change, seen), seen

    async def _recheck(self, change: Change, approval: Approval) -> Snapshot | None:
        """Return what was read, as far as it was not held back, if all that the person was shown is still so.

        Raises:
            Conflict: it is not; the approval is void. Any other ``CallError``: it can't be read.

        """
        now, seen = await self._look(change, approval.channel)
        if now.drift == approval.preview.drift:
            return None if traits(approval.channel).shown_to_model else seen
        changed = difference(approval.preview, now)
        await self.questions.void(approval, f"what the person saw has changed: {changed}")
        raise drifted(None if now.withheld or approval.preview.withheld else changed)

    async def _recheck_again(self, change: Change, clearance: _Clearance) -> Snapshot | None:
        """Check anew what was claimed a while ago, or is to be sent again because the API did not take it."""
        try:
            await self.assessment.guardrails.check(change.call)
            return await self._require_as_cleared(change, clearance)
        except StoppedAtRecheck:
            raise
        except CallError as error:
            raise not_resent(error) from None

    def _process_name(self) -> str:
        """Return the name under which the journal has this process."""
        try:
            return self.storage.process.name()
        except (OSError, LockBusyError) as error:
            raise StateUnavailable(
                f"Changes can't be recorded: {error}.",
                hint="Tell the operator: make the state directory writable, or set ADMIN_MCP_STATE_DIR to another.",
            ) from None

    def sending(self, change: Change, image: Json) -> dict[str, object]:
        """Return what the journal keeps of a change that is sent: all that it takes to undo it, among others."""
        return {
            "tool": change.tool,
            "arguments": change.call.model_dump(mode="json", exclude_unset=True),
            "before": image,
            "request": change.request,
            "target": self.assessment.target.label,
            "by": self._process_name(),
        }

    def _claim(self, change: Change, change_id: str, clearance: _Clearance, image: Json) -> None:
        """Use the approval up, and record in the same moment that the request is sent."""
        fields = self.sending(change, image)
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
        record = outcome_record(admission)
        if approval is not None:
            self.storage.approvals.finish(approval.id, result, record)
            return
        fields = {"outcome": result.outcome, "message": result.message}
        self.storage.journal.write("outcome", change_id, **fields, **record)

    async def record_refusal(self, error: CallError, tool: str, request: str | None = None) -> None:
        """Write down that a change was refused, if that can be done."""
        write = partial(
            self.storage.journal.write,
            "refused",
            secrets.token_hex(5),
            tool=tool,
            request=request,
            reason=error.kind,
            message=error.message,
        )
        try:
            await done_whole(write)
        except StateUnavailable as unavailable:
            logger.warning("%s was refused (%s); it can't be recorded: %s", tool, error.kind, unavailable.reason)


def outcome_record(admission: Admission) -> Json:
    """Return what the journal keeps of an answer: the API's request id, and the id of what was made."""
    made = kept_of_answer(admission.answer) if admission.answer else {}
    request_id = {"request_id": admission.request_id} if admission.request_id else {}
    return {**request_id, **({"made": made} if made else {})}


def open_gate(settings: Settings, policy: Policy, catalog: Catalog, api: Api, storage: GateStorage) -> Gate:
    """Return the gate that the settings ask for."""
    return Gate(
        policy=policy,
        confirm=settings.approval != "none",
        target=settings.target,
        catalog=catalog,
        api=api,
        storage=storage,
        owners_lock=partial(lock_of_system, settings.target.system),
    )


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

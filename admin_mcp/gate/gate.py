"""The gate itself: policy, guardrails, preview, approval, re-check, claim, permit, record, in this order only.

It composes the pure parts around it. It reads through the reader it is given and never sends a change.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
from anyio import to_thread

from admin_mcp.endpoint import Endpoint, Spec
from admin_mcp.errors import (
    ApprovalPending,
    ApprovalUnavailable,
    CallError,
    Conflict,
    InvalidInput,
)
from admin_mcp.gate.approvals import Approval, Event, IllegalEventError, Question, Result
from admin_mcp.gate.forms import Reply, judge
from admin_mcp.gate.guardrails import GuardrailChecks
from admin_mcp.gate.look import Look
from admin_mcp.gate.permits import Permit, Permits
from admin_mcp.gate.person import People, Person
from admin_mcp.gate.policy import LEFT_OUT, READ_ONLY, Policy, Verdict
from admin_mcp.gate.preview import LONGEST_BODY, Preview
from admin_mcp.gate.records import Records
from admin_mcp.gate.refusals import REFUSED_AS, already_ended, denied, difference, failed, no_way_to_ask, policy_denial
from admin_mcp.gate.state import StateUnavailable
from admin_mcp.private_files import LockBusyError
from admin_mcp.request import WireRequest
from admin_mcp.settings import Target

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(slots=True)
class Admission:
    """A call that may be sent, with the permit if it is a change. The sender notes the API's request id here."""

    permit: Permit | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """One change on its way through the gate."""

    call: Endpoint
    wire: WireRequest
    key: str

    @property
    def tool(self) -> str:
        return type(self.call).SPEC.name

    @property
    def request(self) -> str:
        return f"{self.wire.method} {self.wire.target}"


class Gate:
    """Decides about every call. Gives out a permit for a change that a person or an explicit rule allowed."""

    def __init__(
        self,
        *,
        policy: Policy,
        confirm: bool,
        target: Target,
        look: Look,
        guardrails: GuardrailChecks,
        records: Records,
        permits: Permits,
    ) -> None:
        """``confirm=False`` lets changes pass that the policy wants confirmed: the operator's ``--approval none``.

        A rule that names a channel is obeyed all the same.
        """
        self._policy = policy
        self._confirm = confirm
        self._target = target
        self._look = look
        self._guardrails = guardrails
        self._records = records
        self._permits = permits
        self._asking: set[str] = set()
        self._closing: dict[str, anyio.Event] = {}

    async def check(self, spec: Spec) -> None:
        """Return if there are arguments with which this tool may be called.

        Raises:
            PolicyDenied: names the rule.

        """
        verdict = self._policy.decide_tool(spec)
        if verdict is not None and verdict.decision == "deny":
            denial = policy_denial(spec, verdict)
            if spec.mutates and verdict.rule not in {READ_ONLY.name, LEFT_OUT}:
                await self._record_refusal(denial, spec.name)
            raise denial

    @asynccontextmanager
    async def admitted(self, call: Endpoint, wire: WireRequest, people: People) -> AsyncIterator[Admission]:
        """Enter with what a call needs to be sent, and record what comes of it.

        Raises:
            CallError: the call is refused, and why. Nothing was sent.

        """
        spec = type(call).SPEC
        project = getattr(call, "project_id", None)
        verdict = self._policy.decide(spec, project if isinstance(project, str) else None)
        if not wire.mutates:
            if verdict.decision == "deny":
                raise policy_denial(spec, verdict)
            yield Admission()
            return
        change = _Change(call, wire, wire.digest(self._target.system))
        async with AsyncExitStack() as held:
            try:
                approval = await self._cleared(change, verdict, people)
                await held.enter_async_context(self._guardrails.held(call))
                change_id = approval.id if approval else secrets.token_hex(5)
                await _threaded(self._begin, change, change_id, approval, verdict)
            except CallError as error:
                if not isinstance(error, ApprovalPending):
                    await self._record_refusal(error, change.tool, change.request)
                raise
            async with self._sent(change, change_id, approval) as admission:
                yield admission

    async def _cleared(self, change: _Change, verdict: Verdict, people: People) -> Approval | None:
        """Return the approval, or None where a rule or the operator wants none."""
        if verdict.decision == "deny":
            raise policy_denial(type(change.call).SPEC, verdict)
        if verdict.decision == "allow" or not (self._confirm or verdict.channel):
            return None
        # Before anybody is asked as well: nobody should approve what can't be done.
        await self._guardrails.check(change.call)
        return await self._approved(change, people.reach(verdict.channel))

    @asynccontextmanager
    async def _sent(self, change: _Change, change_id: str, approval: Approval | None) -> AsyncIterator[Admission]:
        """Enter with the permit, and record how the sending ended."""
        permit = self._permits.issue(change.key)
        admission = Admission(permit)
        try:
            yield admission
        except BaseException as error:
            unused = self._permits.withdraw(permit)
            await self._end(change_id, approval, failed(error, unused=unused), admission)
            raise
        self._permits.withdraw(permit)
        await self._end(change_id, approval, Result("done", "The change was made."), admission)

    def _begin(self, change: _Change, change_id: str, approval: Approval | None, verdict: Verdict) -> None:
        """Use the approval up, and record in the same moment that the request is sent."""
        try:
            by = self._records.run.name()
        except (OSError, LockBusyError) as error:
            raise StateUnavailable(
                f"Changes can't be recorded: {error}. Nothing was sent.",
                hint="Tell the operator: make the state directory writable, or set ADMIN_MCP_STATE_DIR to another.",
            ) from None
        fields = {
            "tool": change.tool,
            "request": change.request,
            "target": self._target.label,
            "by": by,
        }
        if approval is None:
            allowed = verdict.rule if verdict.decision == "allow" else "--approval none"
            body = {"body": change.wire.body} if change.wire.body else {}
            self._records.journal.write("sending", change_id, **fields, **body, allowed_by=allowed)
            return
        try:
            self._records.approvals.claim(approval.id, fields)
        except (IllegalEventError, KeyError) as error:
            raise already_ended(error) from None

    async def _end(self, change_id: str, approval: Approval | None, result: Result, admission: Admission) -> None:
        """Record the outcome. By now it stands, so that failing to write it down must not hide it."""
        request_id = {"request_id": admission.request_id} if admission.request_id else {}

        def write() -> None:
            if approval is not None:
                self._records.approvals.finish(approval.id, result, request_id)
            else:
                fields = {"outcome": result.outcome, "message": result.message}
                self._records.journal.write("outcome", change_id, **fields, **request_id)

        try:
            await _done_whole(write)
        except StateUnavailable as error:
            logger.error("change %s: %s, but the journal can't be written: %s", change_id, result.outcome, error)  # noqa: TRY400 - the message says it all

    async def _record_refusal(self, error: CallError, tool: str, request: str | None = None) -> None:
        write = partial(
            self._records.journal.write,
            "refused",
            secrets.token_hex(5),
            tool=tool,
            request=request,
            reason=error.kind,
            message=error.message,
        )
        try:
            await _done_whole(write)
        except StateUnavailable as unavailable:
            logger.warning("%s was refused (%s); it can't be recorded: %s", tool, error.kind, unavailable)

    async def _approved(self, change: _Change, person: Person | None) -> Approval:
        """Return the approval once a person gave it for exactly this request and its target looks as they saw it."""
        if person is None:
            raise no_way_to_ask()
        if len(change.wire.body or "") > LONGEST_BODY:
            raise InvalidInput(
                f"The change is longer than the {LONGEST_BODY} characters a person can be shown; nothing was sent.",
                hint="Make it smaller, or make it in several calls.",
            )
        approval, present = await self._opened(change, person)
        if approval.state == "rejected":
            raise denied("A person rejected this same change less than ten minutes ago")
        try:
            if approval.state == "pending":
                approval = await self._answered(approval, person)
                present = None
            if present is None:
                present = await self._look.preview(change.call, change.wire, affected=False)
            await self._recheck(approval, present)
        except (anyio.get_cancelled_exc_class(), ApprovalUnavailable):
            # Nobody waits for this form's answer any more, so it must not lie there for a later call to find.
            if person.channel == "elicit":
                await self._withdraw(change, approval)
            raise
        return approval

    async def _withdraw(self, change: _Change, approval: Approval) -> None:
        """Void the question, while the same call, if it comes again at once, waits for the end of that."""
        self._closing[change.key] = closing = anyio.Event()
        try:
            await self._void(approval, "the call ended before the answer came")
        finally:
            self._closing.pop(change.key, None)
            closing.set()

    async def _opened(self, change: _Change, person: Person) -> tuple[Approval, Preview | None]:
        """Return the approval this call is about, and the preview if it was read just now."""
        approvals = self._records.approvals
        if person.answers is not None:
            approval = await _threaded(approvals.get, person.answers)
            fits = approval and (approval.question.key, approval.channel, approval.state)
            if approval is None or fits != (change.key, person.channel, "pending"):
                raise denied(
                    "This answer belongs to no open question about this very change (expired, used, or another's)"
                )
            return approval, None
        preview = await self._look.preview(change.call, change.wire, affected=True)
        given = change.call.model_dump(mode="json", exclude_unset=True)
        question = Question(change.key, change.tool, given, preview)
        if closing := self._closing.get(change.key):
            await closing.wait()  # or this call would share a question that is just being withdrawn
        opened, _ = await _threaded(approvals.open, question, person.channel)
        return opened, preview

    async def _answered(self, approval: Approval, person: Person) -> Approval:
        """Return the approval once it is approved."""
        reply = await self._ask(approval, person)
        approvals = self._records.approvals
        if reply is None:
            decided = await _threaded(approvals.get, approval.id)
            if decided is None or decided.state != "approved":
                raise denied(REFUSED_AS.get(decided.state if decided else "expired", "The question had already ended"))
            return decided
        judgement = judge(reply, approval)
        event: Event = "approve" if judgement.approved else "reject" if judgement.standing else "void"
        try:
            decided = await _threaded(
                partial(approvals.apply, approval.id, event, via=person.channel, reason=judgement.reason)
            )
        except (IllegalEventError, KeyError) as error:
            raise already_ended(error) from None
        if not judgement.approved:
            raise denied(judgement.reason[:1].upper() + judgement.reason[1:])
        return decided

    async def _ask(self, approval: Approval, person: Person) -> Reply | None:
        if person.channel != "elicit":
            return await person.ask(approval)
        if approval.id in self._asking:
            raise ApprovalPending(
                "A person is being asked about this same change right now; nothing was sent yet.",
                hint="Wait for the answer to the first call. Don't send the call again meanwhile.",
                retryable=True,
            )
        self._asking.add(approval.id)
        try:
            return await person.ask(approval)
        finally:
            self._asking.discard(approval.id)

    async def _recheck(self, approval: Approval, now: Preview) -> None:
        if now.drift == approval.preview.drift:
            return
        changed = difference(approval.preview, now)
        await self._void(approval, f"what the person saw has changed: {changed}")
        raise Conflict(
            f"What the person saw has changed since: {changed}. Nothing was sent.",
            hint="Call the tool again to have the person asked about the present state.",
        )

    async def _void(self, approval: Approval, reason: str) -> None:
        void = partial(self._records.approvals.apply, approval.id, "void", reason=reason)
        try:
            await _done_whole(void)
        except (IllegalEventError, KeyError):
            return  # it has ended already, which is all that is wanted
        except StateUnavailable as error:
            logger.warning("approval %s could not be voided: %s", approval.id, error)


async def _threaded(function: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
    """Run what waits for the disk beside the event loop."""
    return await to_thread.run_sync(partial(function, *given, **named))


async def _done_whole(function: Callable[[], object]) -> None:
    """Do that even if the call is cancelled already."""
    with anyio.CancelScope(shield=True):
        await to_thread.run_sync(function)

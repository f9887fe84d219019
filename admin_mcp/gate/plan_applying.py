"""Applies a plan: one approval for all of it, then its steps in order, each looked at again, claimed, sent, recorded.

It stops at the first step that is refused, that no longer looks as it was shown, or whose outcome is unclear. What was
sent once is never sent again, whatever ended the call, the process or the machine meanwhile.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import anyio

from admin_mcp.api.connection import Api
from admin_mcp.api.permits import Admission
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Effect, Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApprovalPending, ApprovalUnavailable, CallError, Conflict, OutcomeUnknown
from admin_mcp.gate.approval import APPLY_PLAN, Approval, Result
from admin_mcp.gate.approval_channel import ApprovalChannel, ChannelSelector
from admin_mcp.gate.assessment import Change, arguments_of
from admin_mcp.gate.forms import LONGEST_FORM, form_message
from admin_mcp.gate.gate import Gate, usable
from admin_mcp.gate.offload import done_whole, threaded
from admin_mcp.gate.plan import Plan, Step, resolved
from admin_mcp.gate.plan_preview import plan_preview, told_to_model
from admin_mcp.gate.plan_review import HERE, PlanReview
from admin_mcp.gate.plans import Plans, Progress, change_id
from admin_mcp.gate.policy import Channel, Verdict
from admin_mcp.gate.questions import Asked
from admin_mcp.gate.refusals import policy_denial
from admin_mcp.gate.sending import outcome_record
from admin_mcp.gate.settling import settled
from admin_mcp.private_files import FileLock, LockBusyError

Report = Callable[[float, float | None, str], Awaitable[None]]

_KEPT = ("id", "name", "object")
_KEPT_ENDINGS = ("_id", "_saved_to", "_last4")


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan after it was applied, as far as that went; ``stopped`` is why it did not go on."""

    plan: Plan
    progress: Mapping[int, Progress]
    answers: Mapping[int, Json]
    stopped: CallError | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class _Clearance:
    """What lets a plan pass: the approval where a person was asked, and whether it ends with the call."""

    approval: Approval | None = None
    dies_with_call: bool = False


class PlanApplying:
    """Applies the plans of one process."""

    def __init__(self, gate: Gate, api: Api) -> None:
        self._gate = gate
        self._api = api
        self._review = PlanReview(gate)

    @property
    def _plans(self) -> Plans:
        return self._gate.storage.plans

    async def apply(
        self, plan_id: str, channels: ChannelSelector, report: Report, sending: Callable[[], None]
    ) -> Applied:
        """Have the plan approved, unless it is, and make what is left of it. ``sending`` is called before each request.

        Raises:
            CallError: nothing was sent, and why.

        """
        plan = await threaded(self._plans.get, plan_id)
        self._require_fitting(plan)
        lock = FileLock(self._gate.storage.database.directory / "run" / f"{plan.id}.lock")
        try:
            await threaded(lock.acquire)
        except LockBusyError:
            raise Conflict(
                f"Plan {plan.id} is being applied by another call right now; this one sent nothing.",
                hint="Wait for that call's answer, or look with get_plan.",
                retryable=True,
            ) from None
        try:
            return await self._applied(plan, channels, report, sending)
        finally:
            lock.release()

    def _require_fitting(self, plan: Plan) -> None:
        if plan.system != self._gate.assessment.target.system:
            raise Conflict(
                "This plan was made for another system (another key, address, or the sandbox); nothing was sent.",
                hint="Make it again here.",
            )

    async def _applied(
        self, plan: Plan, channels: ChannelSelector, report: Report, sending: Callable[[], None]
    ) -> Applied:
        progress = await self._settled(plan)
        done = [step.number for step in plan.live if progress[step.number].state == "done"]
        if len(done) == len(plan.live):
            return Applied(plan, progress, {})
        self._require_going_on(plan, progress)
        try:
            clearance = await self._cleared(plan, done, progress, channels)
        except CallError as error:
            if not isinstance(error, ApprovalPending):
                await self._gate.sending.record_refusal(error, APPLY_PLAN, plan.id)
            raise
        try:
            return await self._sent(plan, clearance.approval, report, sending)
        except anyio.get_cancelled_exc_class():
            # Who stops a call whose form they approved has stopped the plan.
            if clearance.approval is not None and clearance.dies_with_call:
                await self._gate.questions.void(clearance.approval, "the call was cancelled")
            raise

    async def _sent(
        self, plan: Plan, approval: Approval | None, report: Report, sending: Callable[[], None]
    ) -> Applied:
        """Make what is left of the plan, in order."""
        plan = await threaded(self._plans.get, plan.id)  # a person may have struck out steps meanwhile
        progress = await threaded(self._plans.progress, plan)
        left = [step for step in plan.live if progress[step.number].state == "open"]
        made = {number: each.answer for number, each in progress.items() if each.answer is not None}
        answers: dict[int, Json] = {}
        for done, step in enumerate(left):
            await report(done, len(left), f"Step {step.number} of plan {plan.id}: {told_to_model(step)}")
            try:
                answers[step.number] = await self._make(plan, step, made, approval, sending)
            except CallError as error:
                await self._give_up(approval, error)
                return Applied(plan, await threaded(self._plans.progress, plan), answers, error, step.number)
            made[step.number] = answers[step.number]
        await self._used(plan, approval)
        return Applied(plan, await threaded(self._plans.progress, plan), answers)

    def _require_going_on(self, plan: Plan, progress: Mapping[int, Progress]) -> None:
        for number, each in progress.items():
            if each.state == "refused":
                raise Conflict(
                    f"Plan {plan.id} ended at step {number}, which was not made: {each.message} Nothing more was sent.",
                    hint="Make a new plan for what is left.",
                )
            if each.state in {"sending", "outcome_unknown"}:
                raise OutcomeUnknown(
                    f"Nobody knows whether step {number} of plan {plan.id} was made, and no read tells. Nothing more "
                    "was sent.",
                    hint="Tell the user. Look at what the step is about, and make a new plan for what is left.",
                )
        if self._plans.expired(plan):
            raise Conflict(
                f"Plan {plan.id} is more than a day old; nothing was sent.", hint="Make it again and apply it then."
            )

    async def _settled(self, plan: Plan) -> dict[int, Progress]:
        """Return how far each step has come; of what is unclear a read is asked first."""
        progress = await threaded(self._plans.progress, plan)
        made = {number: each.answer for number, each in progress.items() if each.answer is not None}
        for step in plan.live:
            if progress[step.number].state not in {"sending", "outcome_unknown"}:
                continue
            call = self._call(step, made)
            found = await settled(call, self._gate.assessment.catalog, self._gate.assessment.read)
            if found == "made":
                result, answer = Result("done", "A read shows that it was made."), _ids_of(call)
            elif found == "not_made":
                result, answer = Result("refused", "A read shows that it was not made; it is not sent again."), None
            else:
                continue
            await threaded(partial(self._plans.finish, plan, step.number, result, answer, {"via": "reading"}))
        return await threaded(self._plans.progress, plan)

    async def _cleared(
        self, plan: Plan, done: Sequence[int], progress: Mapping[int, Progress], channels: ChannelSelector
    ) -> _Clearance:
        """Return what lets the rest of the plan pass: no approval where neither policy nor operator wants one."""
        rest = plan.rest(done)
        verdicts = [self._judged(rest), *(self._judged_step(step) for step in rest.live)]
        for verdict in verdicts:
            if verdict.decision == "deny":
                raise policy_denial("The plan", verdict)
        demanded = {verdict.channel for verdict in verdicts if verdict.channel}
        why = next((verdict for verdict in verdicts if verdict.reason), None)
        if not (demanded or why or (self._gate.confirm and any(verdict.decision == "confirm" for verdict in verdicts))):
            return _Clearance()
        for key in plan.keys(done):
            for approval in await threaded(self._gate.storage.approvals.holding, key):
                if _counts(approval, channels, demanded) and (why is None or approval.preview.wants_reason):
                    return _Clearance(approval)
        length = len(form_message(plan_preview(rest, wants_reason=why is not None)))
        channel = self._selected(channels, demanded, length, why or verdicts[0])
        parts = tuple((step.tool, arguments_of(self._review.drafted(step))) for step in rest.live)
        asked = Asked(rest.digest, APPLY_PLAN, {"plan_id": plan.id}, parts, channels.asker)
        shown = partial(self._review.shown, rest, progress, wants_reason=why is not None)
        approval = await self._gate.questions.approved(asked, channel, shown)
        return _Clearance(approval, channel.dies_with_call)

    def _selected(
        self, channels: ChannelSelector, demanded: Collection[Channel], length: int, verdict: Verdict
    ) -> ApprovalChannel:
        """Return the way to the person: the one that rules demand, this machine's where they demand several.

        Raises:
            ApprovalUnavailable: there is none.

        """
        channel = channels.select(_wanted(demanded), length=length)
        if channel is None and length > LONGEST_FORM:
            raise ApprovalUnavailable(
                f"The plan takes {length} characters to show, and a form holds {LONGEST_FORM}; nothing was sent.",
                hint="Make smaller plans. Or the operator can start the server with --approval auto or local, which "
                "shows a long plan on this machine.",
            )
        return usable(channel, verdict, confirm=self._gate.confirm)

    def _judged(self, plan: Plan) -> Verdict:
        effects: frozenset[Effect] = frozenset(effect for step in plan.live for effect in step.effects)
        projects = frozenset(project for step in plan.live for project in step.projects)
        return self._gate.assessment.policy.decide(APPLY_PLAN, effects, projects, steps=len(plan.live))

    def _judged_step(self, step: Step) -> Verdict:
        return self._gate.assessment.policy.decide(step.tool, frozenset(step.effects), step.projects)

    async def _make(
        self,
        plan: Plan,
        step: Step,
        made: Mapping[int, Json],
        approval: Approval | None,
        sending: Callable[[], None],
    ) -> Json:
        """Send one step, and return what the API answered."""
        call = self._call(step, made)
        wire = self._api.prepared(call)
        change = self._gate.change(call, wire)
        name = change_id(plan.id, step.number)
        recheck = partial(self._review.step_as_shown, plan, step, change, approval)
        claim = partial(self._claim, plan, step, change, approval)
        finish = partial(self._finish, plan, step)
        async with AsyncExitStack() as held:
            began = await self._gate.sending.begun(change, name, held, recheck=recheck, claim=claim)
            again = partial(self._gate.sending.rechecked_again, recheck, call)
            async with self._gate.sending.sent(change, began, again, finish) as admission:
                sending()
                return await self._api.send(call, wire, admission)

    def _call(self, step: Step, made: Mapping[int, Json]) -> Endpoint:
        try:
            arguments = resolved(step.arguments, made)
        except KeyError as error:
            raise Conflict(
                f"Step {step.number} needs an earlier step's {error.args[0]}, which its answer lacks; it was not sent.",
                hint="Look with get_plan at what was made, and make a new plan for what is left.",
            ) from None
        return parse_arguments(self._gate.assessment.catalog.endpoint(step.tool), arguments)

    def _claim(self, plan: Plan, step: Step, change: Change, approval: Approval | None, image: Json) -> None:
        fields = {**self._gate.sending.record(change, image), "does": step.preview.title}
        allowed = {} if approval else {"allowed_by": "the policy, or --approval none", "body": change.wire.body}
        self._plans.claim(plan, step.number, approval, {**fields, **allowed})

    def _finish(self, plan: Plan, step: Step, result: Result, admission: Admission) -> None:
        answer = _kept(admission.answer) if admission.answer is not None else None
        self._plans.finish(plan, step.number, result, answer, outcome_record(admission))

    async def _give_up(self, approval: Approval | None, error: CallError) -> None:
        """Void the approval of a plan that has to be looked at anew, and keep it where trying again may do."""
        if approval is not None and not error.retryable:
            await self._gate.questions.void(approval, f"the plan stopped: {error.message}")

    async def _used(self, plan: Plan, approval: Approval | None) -> None:
        if approval is not None:
            result = Result("done", f"All {len(plan.live)} steps were made.")
            approvals = self._gate.storage.approvals
            await done_whole(partial(approvals.use_up, approval.id, result))


def _wanted(demanded: Collection[Channel]) -> Channel | None:
    """Return the channel that rules demand: this machine's where they demand several, None where they demand none."""
    return HERE if len(demanded) > 1 else next(iter(demanded), None)


def _counts(approval: Approval, channels: ChannelSelector, demanded: Collection[Channel]) -> bool:
    """Whether an approval that holds came by a way on which this server would ask as well.

    A long plan is asked about on this machine, and what is left of it may fit a form; so this machine's always counts,
    unless a rule demands another.
    """
    if (wanted := _wanted(demanded)) is not None:
        return approval.channel == wanted
    usual = channels.select(None)
    return approval.channel == HERE or (usual is not None and approval.channel == usual.channel)


def _kept(answer: Json) -> Json:
    """Return what is kept of an answer: ids and names, never a secret's value."""
    kept: Json = {}
    for name, value in answer.items():
        if isinstance(value, dict) and (inner := _kept(value)):
            kept[name] = inner
        elif isinstance(value, str) and (name in _KEPT or name.endswith(_KEPT_ENDINGS)):
            kept[name] = value
    return kept


def _ids_of(call: Endpoint) -> Json:
    """Return the ids in a call, which stand in for an answer that never came."""
    fields = type(call).model_fields
    ids = {name: getattr(call, name) for name in fields if name.endswith("_id")}
    last = type(call).SPEC.path_fields[-1:]
    return {**ids, **({"id": ids[last[0]]} if last and last[0] in ids else {})}

"""The tools of plans: make one, look at it, apply it; and what was changed before."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from admin_mcp.api.connection import Api
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Effect, InputObject, Inputs
from admin_mcp.endpoints.fields import INTEGRAL
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, NotFound
from admin_mcp.gate.approval import APPLY_PLAN, Approval
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.gate import Gate
from admin_mcp.gate.journal import Record
from admin_mcp.gate.offload import threaded
from admin_mcp.gate.plan import LONGEST_TEXT, Plan
from admin_mcp.gate.plan_applying import Applied, PlanApplying
from admin_mcp.gate.plan_making import PlanMaking
from admin_mcp.gate.plan_preview import mark, risk_of, totals
from admin_mcp.gate.plans import Progress
from admin_mcp.gate.telling import may_be_told
from admin_mcp.gate.undoing import Undoing, plan_meant
from admin_mcp.tools.protocol import CallContext

PlanId = Annotated[str, Field(min_length=1, max_length=40)]


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """The name and the effect of one of these tools."""

    name: str
    effect: Effect = "read"


class StepInput(InputObject):
    """One step, as it is asked for."""

    tool: Annotated[str, Field(max_length=40)]
    arguments: dict[str, Any] = Field(default_factory=dict)
    why: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""


class PlanChanges(Inputs):
    """The arguments of ``plan_changes``."""

    SPEC: ClassVar[PlanSpec] = PlanSpec("plan_changes")

    steps: Annotated[list[StepInput], Field(min_length=1)]
    title: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class GetPlan(Inputs):
    """The arguments of ``get_plan``."""

    SPEC: ClassVar[PlanSpec] = PlanSpec("get_plan")

    plan_id: PlanId


class ApplyPlan(Inputs):
    """The arguments of ``apply_plan``."""

    SPEC: ClassVar[PlanSpec] = PlanSpec("apply_plan", "destroy")

    plan_id: PlanId


class UndoChange(Inputs):
    """The arguments of ``undo_change``."""

    SPEC: ClassVar[PlanSpec] = PlanSpec("undo_change")

    change_id: Annotated[str, Field(min_length=1, max_length=40)]


class UndoPlan(Inputs):
    """The arguments of ``undo_plan``."""

    SPEC: ClassVar[PlanSpec] = PlanSpec("undo_plan")

    plan_id: PlanId


class ListChanges(Inputs):
    """The arguments of ``list_changes``."""

    SPEC: ClassVar[PlanSpec] = PlanSpec("list_changes")

    limit: Annotated[int, Field(ge=1, le=100), INTEGRAL] = 20


class ListApprovals(Inputs):
    """The arguments of ``list_approvals``."""

    SPEC: ClassVar[PlanSpec] = PlanSpec("list_approvals")

    limit: Annotated[int, Field(ge=1, le=100), INTEGRAL] = 20


class ListPlans(Inputs):
    """The arguments of ``list_plans``."""

    SPEC: ClassVar[PlanSpec] = PlanSpec("list_plans")

    limit: Annotated[int, Field(ge=1, le=100), INTEGRAL] = 20


@dataclass(frozen=True, slots=True)
class Planner:
    """What these tools share. ``clock`` gives unix seconds."""

    gate: Gate
    api: Api
    clock: Callable[[], float]

    @property
    def making(self) -> PlanMaking:
        """Makes plans."""
        return PlanMaking(self.gate, self.clock)

    async def found(self, plan_id: str) -> Plan:
        """Return a plan of this system.

        Raises:
            NotFound: there is none of this id.

        """
        plan = await threaded(self.gate.storage.plans.get, plan_id)
        if plan.system != self.gate.assessment.target.system:
            raise NotFound(f"Plan {plan_id} is another system's.", hint="list_plans shows those of this one.")
        return plan

    async def undo_of(self, name: str) -> Plan:
        """Return a plan, not kept yet, that undoes what a name is of: a change, or a plan or its approval.

        Raises:
            CallError: there is no such thing, or nothing undoes it; says why.

        """
        records = await threaded(self.gate.storage.journal.records, name)
        plan = plan_meant(name, records)
        return await (self.undo_of_change(name) if plan is None else self.undo_of_plan(plan))

    async def undo_of_change(self, change: str) -> Plan:
        """Return a plan, not kept yet, that undoes one change.

        Raises:
            CallError: there is no such change, or nothing undoes it; says why.

        """
        undone = await Undoing(self.gate).of_change(change)
        plan, _, step = change.partition(".")
        title = f"Undo step {step} of plan {plan}" if step else f"Undo change {change}"
        return await self.making.made(title, undone.steps, undone.notes, own_words=True)

    async def undo_of_plan(self, plan_id: str) -> Plan:
        """Return a plan, not kept yet, that undoes what was made of another.

        Raises:
            CallError: there is no such plan, or nothing of it can be undone; says why.

        """
        plans = self.gate.storage.plans
        plan = await threaded(plans.get, plan_id)
        undone = await Undoing(self.gate).of_plan(plan, await threaded(plans.progress, plan))
        return await self.making.made(plan.title_of_undo, undone.steps, undone.notes, skip_idle=True, own_words=True)

    async def keep(self, plan: Plan) -> Json:
        """Keep a new plan, and return it as a model is shown it."""
        await threaded(self.gate.storage.plans.save, plan)
        return {
            **as_object(plan, {step.number: Progress("open") for step in plan.steps}, withheld_steps(plan, self.gate)),
            "next": f"Show the user the plan, then call apply_plan with plan_id {plan.id}: a person is asked once, "
            "about all of it. Nothing was sent yet.",
        }


async def answered(name: str, arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    """Do what one of these tools is called for.

    Raises:
        CallError: it failed, and why.

    """
    return await _ANSWERS[name](arguments, planner, context)


async def _plan_changes(arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    del context
    given = parse_arguments(PlanChanges, arguments)
    return await planner.keep(await planner.making.made(given.title, given.steps))


async def _get_plan(arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    del context
    plans = planner.gate.storage.plans
    plan = await planner.found(parse_arguments(GetPlan, arguments).plan_id)
    return as_object(plan, await threaded(plans.progress, plan), withheld_steps(plan, planner.gate))


async def _list_plans(arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    del context
    plans = planner.gate.storage.plans
    limit = parse_arguments(ListPlans, arguments).limit
    system = planner.gate.assessment.target.system
    found = [plan for plan in await threaded(plans.all) if plan.system == system][:limit]
    return {"plans": [_brief(plan, await threaded(plans.progress, plan)) for plan in found]}


async def _apply_plan(arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    given = parse_arguments(ApplyPlan, arguments)

    def sending() -> None:
        context.sending = True

    applying = PlanApplying(planner.gate, planner.api)
    applied = await applying.apply(given.plan_id, context.channels, context.report, sending)
    if applied.stopped is not None:
        raise _stopped(applied, applied.stopped)
    shown = as_object(applied.plan, applied.progress, withheld_steps(applied.plan, planner.gate))
    return {**shown, "answers": _answers(applied)}


async def _undo_change(arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    del context
    given = parse_arguments(UndoChange, arguments)
    return await planner.keep(await planner.undo_of_change(given.change_id))


async def _undo_plan(arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    del context
    return await planner.keep(await planner.undo_of_plan(parse_arguments(UndoPlan, arguments).plan_id))


async def _list_changes(arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    del context
    found = await threaded(planner.gate.storage.journal.latest, parse_arguments(ListChanges, arguments).limit)
    return {"changes": [as_change(records, planner.gate) for records in found]}


async def _list_approvals(arguments: Mapping[str, object], planner: Planner, context: CallContext) -> Json:
    del context
    limit = parse_arguments(ListApprovals, arguments).limit
    found = (await threaded(planner.gate.storage.approvals.all))[:limit]
    return {
        "waiting": sum(approval.state == "pending" for approval in found),
        "approvals": [as_approval(each, planner.gate) for each in found],
    }


_Answer = Callable[[Mapping[str, object], Planner, CallContext], Awaitable[Json]]
_ANSWERS: dict[str, _Answer] = {
    "plan_changes": _plan_changes,
    "get_plan": _get_plan,
    "list_plans": _list_plans,
    "apply_plan": _apply_plan,
    "undo_change": _undo_change,
    "undo_plan": _undo_plan,
    "list_changes": _list_changes,
    "list_approvals": _list_approvals,
}


def withheld_steps(plan: Plan, gate: Gate) -> frozenset[int]:
    """Return the steps that this server's policy keeps from the model, or did when the plan was made."""
    return frozenset(
        step.number
        for step in plan.steps
        if step.preview.withheld or not may_be_told(gate.assessment, step.tool, step.arguments)
    )


def as_object(plan: Plan, progress: Mapping[int, Progress], withheld: Collection[int] = ()) -> Json:
    """Return a plan as a model is shown it, without what the policy keeps from it: the ``withheld`` steps."""
    told = plan.notes if all(plan.step(number).preview.withheld for number in withheld) else ()
    return {
        **_brief(plan, progress),
        "steps": [_step(plan, number, progress[number], number in withheld) for number in sorted(progress)],
        **({"notes": list(told)} if told else {}),
    }


def _brief(plan: Plan, progress: Mapping[int, Progress]) -> Json:
    return {
        "plan_id": plan.id,
        "title": plan.title,
        "made": _when(plan.made),
        "totals": totals(plan.live),
        "state": state_of(plan, progress),
    }


def state_of(plan: Plan, progress: Mapping[int, Progress]) -> str:
    """Return how far a plan has come, in one word."""
    states = {progress[step.number].state for step in plan.live}
    if states == {"done"}:
        return "done"
    if states == {"open"}:
        return "not applied"
    return "stopped" if states & {"refused", "outcome_unknown"} else "applied in part"


def _step(plan: Plan, number: int, progress: Progress, withheld: bool) -> Json:
    step = plan.step(number)
    withheld = withheld or step.preview.withheld
    shown = step.preview.title if not withheld else "about something that the policy keeps from the assistant"
    facts = {} if withheld else {name: change.after for name, change in step.preview.changes.items()}
    return {
        "step": number,
        "tool": step.tool,
        "does": f"{mark(risk_of(step.effects))} {shown}",
        **({"sets": facts} if facts else {}),
        **({"undo": step.preview.undo} if step.preview.final else {}),
        **({"why": step.why} if step.why else {}),
        "state": progress.state,
        **({"message": progress.message} if progress.message and progress.state != "done" else {}),
    }


def as_approval(approval: Approval, gate: Gate) -> Json:
    """Return a question and what became of it, without what the policy keeps from the model, or anything that opens."""
    question = approval.question
    single = question.tool != APPLY_PLAN and may_be_told(gate.assessment, question.tool, question.arguments)
    # A plan's title is its maker's words; what else it is about shows in get_plan.
    withheld = approval.preview.withheld or not (single or question.tool == APPLY_PLAN)
    return {
        "approval_id": approval.id,
        "state": approval.state,
        "tool": approval.question.tool,
        **({} if withheld else {"about": approval.preview.title}),
        "asked": _when(approval.opened),
        **({"ends": _when(approval.ends)} if approval.ends else {}),
        "asked_through": traits(approval.channel).where,
        **({"outcome": approval.result.outcome} if approval.result else {}),
    }


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def as_change(records: Sequence[Record], gate: Gate) -> Json:
    """Return what the journal has on one change, without what a person alone was shown or the policy withholds."""
    fields = {key: value for record in records for key, value in record.fields.items()}
    assessment = gate.assessment
    kinds: dict[str, Record] = {record.kind: record for record in records}
    # Only a change that was sent has arguments by which the policy can be asked what may be told of it.
    here = "sending" in kinds and kinds["sending"].fields.get("target") == assessment.target.label
    if not (here and may_be_told(assessment, str(fields.get("tool")), fields.get("arguments") or {})):
        fields = {key: value for key, value in fields.items() if key not in {"arguments", "request", "reason"}}
    told = {
        key: fields[key]
        for key in ("tool", "arguments", "request", "decision", "channel", "via", "outcome", "reason", "plan", "step")
        if fields.get(key) is not None
    }
    return {
        "change_id": records[0].change,
        "at": records[0].at,
        "state": _state_of(kinds),
        **told,
    }


def _state_of(kinds: Mapping[str, Record]) -> str:
    if "outcome" in kinds:
        return str(kinds["outcome"].fields.get("outcome"))
    if "sending" in kinds:
        return "being sent"
    if "refused" in kinds:
        return "refused"
    return str(kinds["decided"].fields.get("decision")) if "decided" in kinds else "asked"


def _answers(applied: Applied) -> Json:
    return {str(number): answer for number, answer in applied.answers.items()}


def _stopped(applied: Applied, error: CallError) -> CallError:
    """Return the error of the step at which a plan stopped, with how far it came."""
    states = [applied.progress[step.number].state for step in applied.plan.live]
    done, left = states.count("done"), states.count("open")
    return error.restated(
        f"Plan {applied.plan.id} stopped at step {applied.at} of {len(applied.plan.steps)}: {error.message} "
        f"{done} of its steps are made, {left} were not sent.",
        hint=f"{error.hint} get_plan tells each step's state; apply_plan goes on where that can be.",
    )

"""Finds the calls that undo what was made, from the journal and the present state. Reads, and sends no change."""

from dataclasses import dataclass

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, Conflict, InvalidInput, NotFound
from admin_mcp.gate.approval import APPLY_PLAN
from admin_mcp.gate.assessment import Assessment
from admin_mcp.gate.foresight import Foresight
from admin_mcp.gate.gate import Gate
from admin_mcp.gate.journal import Record
from admin_mcp.gate.moved_on import moved_on, witness
from admin_mcp.gate.offload import threaded
from admin_mcp.gate.plan import Plan
from admin_mcp.gate.plans import PLAN_PREFIX, Progress, change_id
from admin_mcp.gate.reversal import Reversal, change_made, reversal


@dataclass(frozen=True, slots=True)
class Made:
    """A change that was made, as the journal has it."""

    id: str
    tool: str
    arguments: Json
    before: Json | None
    made: Json | None
    target: str


@dataclass(frozen=True, slots=True)
class Undone:
    """The calls that undo something, in order, and what stays as it is, in sentences."""

    steps: tuple[Reversal, ...]
    notes: tuple[str, ...] = ()


class Undoing:
    """Undoes changes of one system, as far as they can be."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def of_change(self, change: str) -> Undone:
        """Return the calls that undo one change.

        Raises:
            NotFound: the journal has no such change. ``Conflict``: it was not made, can't be undone, or its target has
                moved on; says why.

        """
        made = made_from(change, await threaded(self._gate.storage.journal.records, change))
        self._require_here(made)
        return Undone(await self._steps(made, []))

    async def of_plan(self, plan: Plan, progress: dict[int, Progress]) -> Undone:
        """Return the calls that undo what was made of a plan, last first. What can't be undone is noted.

        Raises:
            Conflict: nothing of it was made, or nothing can be undone.

        """
        if plan.system != self._assessment.target.system:
            raise _elsewhere(f"Plan {plan.id}")
        done = [step for step in plan.steps if progress[step.number].state == "done"]
        if not done:
            raise Conflict(f"Nothing of plan {plan.id} was made.", hint="There is nothing to undo.")
        steps: list[Reversal] = []
        notes: list[str] = []
        calls: list[Endpoint] = []
        for step in reversed(done):
            name = change_id(plan.id, step.number)
            try:
                made = made_from(name, await threaded(self._gate.storage.journal.records, name))
                found = await self._steps(made, calls)
            except CallError as error:
                notes.append(f"Step {step.number} of {plan.id} stays as it is: {error.message}")
                continue
            steps += found
            calls += [change_made(each.tool, each.arguments, self._assessment.catalog) for each in found]
        if not steps:
            raise Conflict(f"Nothing of plan {plan.id} can be undone. {' '.join(notes)}", hint="Tell the user.")
        return Undone(tuple(steps), tuple(notes))

    def _require_here(self, made: Made) -> None:
        """Return if a change was made in this very system: the same ids may stand for other things in another."""
        if made.target != self._assessment.target.label:
            raise _elsewhere(f"Change {made.id}")

    @property
    def _assessment(self) -> Assessment:
        return self._gate.assessment

    async def _steps(self, made: Made, before: list[Endpoint]) -> tuple[Reversal, ...]:
        """Return the calls that undo a change once the calls ``before`` them are made."""
        catalog = self._assessment.catalog
        steps = reversal(made.tool, made.arguments, made.before, made.made, catalog)
        call = change_made(made.tool, made.arguments, catalog)
        seen_by = witness(call, steps, catalog)
        foreseen = self._assessment.reading(Foresight(self._assessment.read, before).read)
        try:
            now = await foreseen.snapshot(seen_by)
            more = await foreseen.lookups(seen_by)
        except NotFound as error:
            told = f"What {made.tool} changed is not there any more: {error.message}"
            raise Conflict(told, hint="Tell the user.") from None
        if reason := moved_on(call, now, more, catalog):
            told = "" if now.withheld else f" {reason}"
            raise Conflict(
                f"{made.tool} can't be undone any more.{told}",
                hint="Somebody has changed it since. Tell the user, and make the change that is wanted now.",
            )
        return steps


def made_from(change: str, records: list[Record]) -> Made:
    """Return a change from its records.

    Raises:
        NotFound: there are none. ``Conflict``: it was not made, or what was made is not known.

    """
    sending = next((record for record in reversed(records) if record.kind == "sending"), None)
    if sending is None:
        if plan := plan_meant(change, records):
            raise InvalidInput(
                f"{change} is a whole plan, and each of its steps is a change of its own.",
                param="change_id",
                hint=f"undo_plan with plan_id {plan} undoes all that was made of it; a step goes by {plan}.1, say.",
            )
        raise NotFound(
            f"The journal has no change {change} that was sent.", hint="list_changes shows those there are, with ids."
        )
    outcome = next((record for record in reversed(records) if record.kind == "outcome"), None)
    if outcome is None or outcome.fields.get("outcome") != "done":
        told = outcome.fields.get("outcome") if outcome else "being sent"
        raise Conflict(f"Change {change} was not made, as far as is known: {told}.", hint="Read the present state.")
    fields = sending.fields
    if not isinstance(fields.get("arguments"), dict):
        raise Conflict(f"Change {change} was made before such records were kept.", hint="Undo it by hand.")
    return Made(
        id=change,
        tool=str(fields["tool"]),
        arguments=fields["arguments"],
        before=fields.get("before"),
        made=outcome.fields.get("made"),
        target=str(fields.get("target")),
    )


def plan_meant(name: str, records: list[Record]) -> str | None:
    """Return the plan that a name is of, or that it is the approval of; None if it is a single change's."""
    if name.startswith(PLAN_PREFIX) and "." not in name:
        return name
    asked = next((record.fields for record in records if record.kind == "asked"), {})
    plan = asked.get("plan")
    return plan if isinstance(plan, str) and asked.get("tool") == APPLY_PLAN else None


def _elsewhere(what: str) -> Conflict:
    return Conflict(
        f"{what} was made in another system (another key, address, or the sandbox).",
        hint="Undo it with the key and the address of that system.",
    )

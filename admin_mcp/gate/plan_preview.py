"""A plan as a person is shown it: totals, then every step, the riskiest first, nothing folded away. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, assert_never

from admin_mcp.endpoints.base import Effect
from admin_mcp.gate.plan import Plan, Step, token_in_words
from admin_mcp.gate.preview import Preview, ShownStep
from admin_mcp.gate.text import counted, quoted, visible

Risk = Literal["destroy", "grant", "update", "create"]
RISKS: tuple[Risk, ...] = ("destroy", "grant", "update", "create")
"""From the gravest to the lightest."""


def mark(risk: Risk) -> str:
    """Return the sign that stands before such a step."""
    match risk:
        case "destroy":
            return "-"
        case "grant":
            return "!"
        case "update":
            return "~"
        case "create":
            return "+"
    assert_never(risk)


def section(risk: Risk) -> str:
    """Return the heading above such steps."""
    match risk:
        case "destroy":
            return "Takes away"
        case "grant":
            return "Gives access"
        case "update":
            return "Changes"
        case "create":
            return "Adds"
    assert_never(risk)


def risk_of(effects: Iterable[Effect]) -> Risk:
    """Return the gravest of what a step does."""
    found = set(effects)
    return next((risk for risk in RISKS if risk in found), "create")


def totals(steps: Sequence[Step]) -> str:
    """Return how many steps do what, in one line."""
    counts = Counter(risk_of(step.effects) for step in steps)
    said = [
        (counts["create"], "to add"),
        (counts["update"], "to change"),
        (counts["destroy"], "to remove"),
        (counts["grant"], "grant" if counts["grant"] == 1 else "grants"),
    ]
    return ", ".join(f"{count} {words}" for count, words in said if count)


def plan_preview(plan: Plan, *, hide: bool = False, wants_reason: bool = False) -> Preview:
    """Return what a person decides about; with ``hide`` without what the model may not be told.

    ``wants_reason``: whoever approves it must say why.
    """
    live = plan.live
    worst = risk_of(effect for step in live for effect in step.effects)
    final = [step.number for step in live if step.preview.final]
    undo = f"with undo_plan, or in a terminal with `journal undo {plan.id}`"
    if final:
        undo = f"not possible for step{'s' if len(final) > 1 else ''} {', '.join(map(str, final))}; the others {undo}"
    return Preview(
        title=f"{'Plan: ' if plan.own_words else 'Plan '}{plan.called}: {totals(live)}",
        effect=worst,
        things={"Steps": _count(plan), **_notes(plan)},
        changes={},
        affected={},
        undo=undo,
        target=plan.target,
        request=f"{counted(len(live), 'request')}, in the order of their numbers, under plan {plan.id}",
        typed=_typed(live),
        withheld=any(step.preview.withheld for step in live),
        steps=tuple(_shown(step, hide=hide, own=plan.own_words) for step in sorted(live, key=_gravest_first)),
        wants_reason=wants_reason,
    )


def _gravest_first(step: Step) -> tuple[int, int]:
    return RISKS.index(risk_of(step.effects)), step.number


def _shown(step: Step, *, hide: bool, own: bool) -> ShownStep:
    risk = risk_of(step.effects)
    preview = _hidden(step) if hide and step.preview.withheld else step.preview
    why = step.why if own or not step.why else quoted(step.why)
    return ShownStep(number=step.number, mark=mark(risk), section=section(risk), why=why, own_why=own, preview=preview)


def told_to_model(step: Step) -> str:
    """Return what a step does, as far as the model may be told."""
    return _hidden(step).title if step.preview.withheld else step.preview.title


def _hidden(step: Step) -> Preview:
    """Return what may be told of a step that is about something the model may not read."""
    return step.preview.model_copy(
        update={
            "title": f"{step.tool}, about something that the policy keeps from the assistant",
            "things": {},
            "changes": {},
            "affected": {},
            "passing": {},
            "request": "withheld",
        }
    )


def _count(plan: Plan) -> str:
    struck = f"; struck out: {', '.join(map(str, plan.struck))}" if plan.struck else ""
    return f"{len(plan.live)} of {len(plan.steps)}{struck}" if plan.struck else str(len(plan.steps))


def _notes(plan: Plan) -> dict[str, str]:
    many = len(plan.notes) > 1
    return {f"Note {number}" if many else "Note": visible(note, 1000) for number, note in enumerate(plan.notes, 1)}


def _typed(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the text that says the worst, or nothing where no step by itself wants text typed."""
    if not any(step.preview.typed for step in steps):
        return ()
    counts = Counter(risk_of(step.effects) for step in steps)
    worst: tuple[tuple[Risk, str], ...] = (("destroy", "remove"), ("grant", "grant"))
    said = [f"{verb} {counts[risk]}" for risk, verb in worst if counts[risk]]
    return (", ".join(said) or f"change {len(steps)}",)


def in_words(preview: Preview) -> Preview:
    """Return a step's preview with the ids that are not known yet told in words."""
    return preview.model_copy(
        update={
            "title": token_in_words(preview.title),
            "things": {label: token_in_words(value) for label, value in preview.things.items()},
            "changes": {
                name: change.model_copy(update={"after": token_in_words(change.after)})
                for name, change in preview.changes.items()
            },
            "request": token_in_words(preview.request),
            "typed": tuple(token_in_words(text) for text in preview.typed),
        }
    )

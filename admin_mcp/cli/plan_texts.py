"""A plan as text, as Markdown and as JSON that makes it again. Pure."""

import json
import re
from collections.abc import Iterator, Mapping

from admin_mcp.gate.plan import LONGEST_TEXT, Plan, renumbered
from admin_mcp.gate.plan_preview import mark, plan_preview, risk_of, totals
from admin_mcp.gate.plans import Progress
from admin_mcp.gate.text import visible


def as_text(plan: Plan, progress: Mapping[int, Progress]) -> str:
    """Return all that a person decides about, and how far each step has come."""
    return f"{plan_preview(plan).text}\n\n{states(plan, progress)}"


def states(plan: Plan, progress: Mapping[int, Progress]) -> str:
    """Return how far each step has come, a line each, in the order in which they are sent."""
    lines = []
    for step in plan.steps:
        each = progress[step.number]
        told = f": {visible(each.message, 500)}" if each.message and each.state != "done" else ""
        lines.append(f"{step.number:>3}. {each.state:<15} {step.preview.title}{told}")
    return "\n".join(lines)


def left_to_do(plan: Plan, progress: Mapping[int, Progress]) -> bool:
    """Whether applying the plan would send something."""
    found = {progress[step.number].state for step in plan.live}
    return "open" in found and found <= {"open", "done"}


def as_json(plan: Plan) -> str:
    """Return what makes the same plan again. Steps count from 1 there, so what refers to one has its new number."""
    numbers = {step.number: number for number, step in enumerate(plan.live, 1)}
    steps = [
        {"tool": step.tool, "arguments": renumbered(step.arguments, numbers), "why": step.why} for step in plan.live
    ]
    return json.dumps({"title": plan.title[:LONGEST_TEXT], "steps": steps}, indent=2, ensure_ascii=False)


def as_markdown(plan: Plan, progress: Mapping[int, Progress]) -> str:
    """Return a table of the steps."""
    return "\n".join(_markdown(plan, progress))


def _markdown(plan: Plan, progress: Mapping[int, Progress]) -> Iterator[str]:
    yield from (f"# {_as_text(visible(plan.title))}", "", f"{totals(plan.live)}. In: {_as_text(plan.target)}.", "")
    yield from ("| Step | | What it does | Request | State |", "|---|---|---|---|---|")
    for step in plan.steps:
        cells = (_as_text(step.preview.title), _as_code(step.preview.request), _as_text(progress[step.number].state))
        yield f"| {step.number} | {mark(risk_of(step.effects))} | {' | '.join(cells)} |"
    for note in plan.notes:
        yield from ("", f"- {_as_text(visible(note, 1000))}")


def _as_text(text: str) -> str:
    """Return Markdown that shows just this: a name from the API must be no link, image or heading there."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", text)


def _as_code(text: str) -> str:
    """Return Markdown, for a cell of a table, that shows this as code."""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    padded = f" {text} " if "`" in text else text
    return f"{fence}{padded}{fence}".replace("|", "\\|")

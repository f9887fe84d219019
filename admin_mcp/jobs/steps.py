"""What drafts have in common: how many steps a plan takes, what stands for an id to come, how gaps are told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.schema import META_EFFECT
from admin_mcp.gate.plan import MOST_DESTRUCTIVE, MOST_STEPS
from admin_mcp.gate.text import visible
from admin_mcp.jobs.base import DraftStep
from admin_mcp.jobs.reader import Unread

_MOST_GAPS = 8


@dataclass(frozen=True, slots=True)
class Fitted:
    """The steps that one plan takes, and those that have to wait for the next one."""

    steps: tuple[DraftStep, ...]
    left: tuple[DraftStep, ...]


def destroys(step: DraftStep) -> bool:
    """Whether a step counts against the destructive ones of a plan."""
    return bool(compiled_catalog().tool(step.tool)["_meta"][META_EFFECT] == "destroy")


def fitted(steps: Sequence[DraftStep]) -> Fitted:
    """Return as many of the first steps as one plan takes. The order is never changed: later steps may need earlier."""
    destructive = 0
    for number, step in enumerate(steps):
        destructive += destroys(step)
        if number == MOST_STEPS or destructive > MOST_DESTRUCTIVE:
            return Fitted(tuple(steps[:number]), tuple(steps[number:]))
    return Fitted(tuple(steps), ())


def made_by(step: int) -> dict[str, object]:
    """Return what stands for the id that a step makes, steps counted from 1."""
    return {"from_step": step, "field": "id"}


def left_over(fit: Fitted, how_to_go_on: str) -> list[str]:
    """Return the note on what did not fit, if anything did not."""
    if not fit.left:
        return []
    remain = "1 step remains" if len(fit.left) == 1 else f"{len(fit.left)} steps remain"
    return [f"A plan takes {MOST_STEPS} steps, {MOST_DESTRUCTIVE} of them destructive: {remain}. {how_to_go_on}"]


def gaps(unread: Sequence[Unread]) -> list[str]:
    """Return the notes on what could not be read, so that no gap is silent."""
    told = [f"Could not be read: {gap.what} ({visible(gap.why)})." for gap in unread[:_MOST_GAPS]]
    if len(unread) > _MOST_GAPS:
        told.append(f"Could not be read either: {len(unread) - _MOST_GAPS} more things like these.")
    if told:
        told.append("What could not be read is not in this plan.")
    return told

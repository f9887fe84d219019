"""What this machine keeps, as a model may read it: recent changes, plans, the policy.

Each shows what the tool for the same does, and nothing that the policy keeps from the model.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from admin_mcp.endpoints.base import Effect
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.gate import Gate
from admin_mcp.gate.policy import LEFT_OUT, Policy, Rule

_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class StateText:
    """One of them. ``tool`` is the one that tells the same, without which it is not offered."""

    name: str
    title: str
    description: str
    read: Callable[[Gate], Json]
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class _ToolSpec:
    """What the gate has to know of a tool to say whether it may be called."""

    name: str
    effect: Effect = "read"


def told(which: StateText, gate: Gate) -> Json:
    """Return what one of them says now. Reads the state, so that it belongs in a thread.

    Raises:
        PolicyDenied: the policy refuses the tool that tells the same. ``StateUnavailable``: it can't be read.

    """
    if which.tool is not None:
        gate.check_job(_ToolSpec(which.tool))
    return which.read(gate)


def _changes(gate: Gate) -> Json:
    from admin_mcp.tools.plan_tools import as_change  # noqa: PLC0415 - most servers are never asked

    if not gate.storage.database.exists:
        return {"changes": []}
    return {"changes": [as_change(records, gate) for records in gate.storage.journal.latest(_MOST)]}


def _plans(gate: Gate) -> Json:
    from admin_mcp.tools.plan_tools import as_object, withheld_steps  # noqa: PLC0415 - most servers are never asked

    if not gate.storage.database.exists:
        return {"plans": []}
    plans = gate.storage.plans
    here = [plan for plan in plans.all() if plan.system == gate.assessment.target.system][:_MOST]
    return {"plans": [as_object(plan, plans.progress(plan), withheld_steps(plan, gate)) for plan in here]}


def _policy(gate: Gate) -> Json:
    return policy_object(gate.assessment.policy)


def policy_object(policy: Policy) -> Json:
    """Return the policy as rules in their order. Which projects a rule names is the operator's to know."""
    chosen = [rule for rule in policy.rules if not rule.name.startswith(LEFT_OUT)]
    return {
        "rules": [dict(_rule(rule)) for rule in chosen],
        "tools_left_out": len(policy.rules) - len(chosen),
        "guardrails": {"last_owner": policy.guardrails.last_owner, "own_key": policy.guardrails.own_key},
        "note": "The first rule that matches decides. confirm: a person is asked. deny: refused.",
    }


def _rule(rule: Rule) -> Iterator[tuple[str, object]]:
    yield "name", rule.name
    yield "decision", rule.decision
    yield "tools", [*rule.tools]
    yield "effects", sorted(rule.effects)
    if rule.project_ids is not None:
        yield "projects", "some only"
    if rule.channel is not None:
        yield "asked_through", rule.channel
    if rule.reason:
        yield "reason_demanded", True
    if rule.steps is not None:
        yield "plans_of_steps", rule.steps


STATE_TEXTS: Final = (
    StateText(
        "changes",
        "Recent changes",
        f"The last {_MOST} changes that were asked for here, and what became of them.",
        _changes,
        "list_changes",
    ),
    StateText(
        "plans", "Plans", f"The last {_MOST} plans, with their steps and how far each came.", _plans, "list_plans"
    ),
    StateText(
        "policy", "Policy", "What this server may do without asking, what it asks about, what it refuses.", _policy
    ),
)

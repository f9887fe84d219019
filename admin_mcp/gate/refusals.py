"""How the gate says no, and what became of a request that was sent: errors and words. Pure."""

from admin_mcp.endpoint import Spec
from admin_mcp.errors import (
    ApprovalDenied,
    ApprovalUnavailable,
    CallError,
    NetworkError,
    OutcomeUnknown,
    PolicyDenied,
)
from admin_mcp.gate.approvals import IllegalEventError, Result, State
from admin_mcp.gate.journal import Outcome
from admin_mcp.gate.policy import Verdict
from admin_mcp.gate.preview import Preview


def failed(error: BaseException, *, unused: bool) -> Result:
    """Say what became of a request whose sending ended in an error; ``unused``: it can't have left."""
    outcome: Outcome
    if isinstance(error, CallError):
        message = error.message
        outcome = "not_sent" if isinstance(error, NetworkError) else "refused"
        if isinstance(error, OutcomeUnknown):
            outcome = "outcome_unknown"
        return Result("not_sent" if unused else outcome, message)
    if unused:
        return Result("not_sent", "The call was cancelled or failed before anything was sent.")
    return Result("outcome_unknown", "The call ended before the answer came; the change may or may not have been made.")


REFUSED_AS: dict[State, str] = {
    "rejected": "A person rejected this change",
    "used": "The approval was used by another call that was just the same",
    "void": "The question was withdrawn, because what it showed had changed",
    "expired": "The question ended before anybody answered",
    "pending": "Nobody has approved this change yet",
    "approved": "The question had already been answered",
}


def already_ended(error: IllegalEventError | KeyError) -> ApprovalDenied:
    """Return the refusal for an approval to which this can't happen any more."""
    state: State = error.state if isinstance(error, IllegalEventError) else "expired"
    return denied(REFUSED_AS[state])


def denied(reason: str) -> ApprovalDenied:
    """Return the refusal that gives this reason, a clause without its full stop."""
    return ApprovalDenied(
        f"{reason}. Nothing was sent.",
        hint="Don't repeat the call on your own. Tell the user what was not done and let them decide.",
    )


def policy_denial(spec: Spec, verdict: Verdict) -> PolicyDenied:
    """Return the refusal that names the rule."""
    return PolicyDenied(
        f"{spec.name} is not allowed here ({verdict.rule}); nothing was sent.",
        hint="Don't retry. Only the operator can change the policy this server was started with.",
    )


def no_way_to_ask() -> ApprovalUnavailable:
    """Return the refusal for a call that has no way to a person."""
    return ApprovalUnavailable(
        "This change needs a person's approval, and this client can't show an approval form. Nothing was sent.",
        hint="Tell the user: the operator can start the server with --approval local, which asks on this machine's own "
        "screen, or use an MCP client that supports elicitation.",
    )


def difference(before: Preview, after: Preview) -> str:
    """Say what the target's fields were and are now, as far as they differ."""
    labels = [*before.facts, *(label for label in after.facts if label not in before.facts)]
    changed = [label for label in labels if before.facts.get(label) != after.facts.get(label)]
    values = ((label, before.facts.get(label, "nothing"), after.facts.get(label, "nothing")) for label in changed)
    return "; ".join(f"{label}: {old} is now {new}" for label, old, new in values)

"""How the gate says no, and what became of a request that was sent: errors and words. Pure."""

from typing import assert_never

from admin_mcp.errors import (
    ApprovalDenied,
    ApprovalUnavailable,
    CallError,
    Conflict,
    NetworkError,
    OutcomeUnknown,
    PolicyDenied,
)
from admin_mcp.gate.approval import ApprovalState, IllegalEventError, Result
from admin_mcp.gate.forms import Judgement
from admin_mcp.gate.journal import Outcome
from admin_mcp.gate.policy import Verdict
from admin_mcp.gate.preview import Preview


class StoppedAtRecheck(Conflict):
    """A change was stopped by the last look before it would be sent. Nothing was changed."""


def failed(error: BaseException, *, unused: bool) -> Result:
    """Say what became of a request whose sending ended in an error; ``unused``: it can't have left."""
    outcome: Outcome
    if isinstance(error, CallError):
        message = error.message
        outcome = "not_sent" if isinstance(error, NetworkError | StoppedAtRecheck) else "refused"
        if isinstance(error, OutcomeUnknown):
            outcome = "outcome_unknown"
        return Result("not_sent" if unused else outcome, message)
    if unused:
        return Result("not_sent", "The call was cancelled or failed before anything was sent.")
    return Result("outcome_unknown", "The call ended before the answer came; the change may or may not have been made.")


def refused_as(state: ApprovalState) -> str:
    """Say why an approval in this state lets nothing pass (any more)."""
    match state:
        case "rejected":
            return "A person rejected this change"
        case "used":
            return "The approval was used by another call that was just the same"
        case "void":
            return "The question was withdrawn, because what it showed had changed"
        case "expired":
            return "The question ended before anybody answered"
        case "pending":
            return "Nobody has approved this change yet"
        case "approved":
            return "The question had already been answered"
    assert_never(state)


def already_ended(error: IllegalEventError | KeyError) -> ApprovalDenied:
    """Return the refusal for an approval to which this can't happen any more."""
    state: ApprovalState = error.state if isinstance(error, IllegalEventError) else "expired"
    return denied(refused_as(state))


def denied(reason: str) -> ApprovalDenied:
    """Return the refusal that gives this reason, a clause without its full stop."""
    return ApprovalDenied(
        f"{reason}. Nothing was sent.",
        hint="Don't repeat the call on your own. Tell the user what was not done and let them decide.",
    )


def not_decided(judgement: Judgement) -> ApprovalDenied:
    """Return the refusal for an answer that is neither yes nor no."""
    reason = judgement.reason
    return ApprovalDenied(
        f"{reason[:1].upper()}{reason[1:]}, so nobody has decided. Nothing was sent.",
        hint=f"{judgement.hint} After three such forms the same call is refused for ten minutes.",
    )


def nothing_to_change(preview: Preview) -> Conflict:
    """Return the refusal for a change that would change nothing: nobody is asked about it."""
    what = "" if preview.withheld else f": {preview.title}"
    return Conflict(
        f"Nothing would change{what}. It is so already; nobody was asked and nothing was sent.",
        hint="There is nothing left to do. Tell the user how it stands.",
    )


def drifted(changed: str | None) -> StoppedAtRecheck:
    """Return the refusal for a change whose target no longer looks as it was shown; None: it must not be told how."""
    return StoppedAtRecheck(
        f"What the person saw has changed since{f': {changed}' if changed else ''}. Nothing was changed.",
        hint="Call the tool again to have the person asked about the present state.",
    )


def not_resent(error: CallError) -> StoppedAtRecheck:
    """Return the refusal for a change that was to be sent again, and could not be checked any more."""
    return StoppedAtRecheck(
        f"The API did not take the change at first, and it was not sent again: {error.message}",
        hint=error.hint,
        retryable=error.retryable,
    )


def policy_denial(what: str, verdict: Verdict) -> PolicyDenied:
    """Return the refusal that names the rule."""
    return PolicyDenied(
        f"{what} is not allowed here ({verdict.rule}); nothing was sent.",
        hint="Don't retry. Only the operator can change the policy this server was started with.",
    )


def no_way_to_ask() -> ApprovalUnavailable:
    """Return the refusal for a call that has no way to a person."""
    return ApprovalUnavailable(
        "This change needs a person's approval, and this client can't show an approval form. Nothing was sent.",
        hint="Tell the user: the operator can start the server with --approval local, which asks on this machine's own "
        "screen, or use an MCP client that supports elicitation.",
    )


def no_way_to_say_why(verdict: Verdict) -> ApprovalUnavailable:
    """Return the refusal for a call that has no way on which a person could give the reason that a rule demands."""
    return ApprovalUnavailable(
        f"A person must say why they approve this change ({verdict.rule}), and the way this server was started to "
        "ask takes no reason from a person. Nothing was sent.",
        hint="Tell the user: the operator can start the server with --approval auto or local, or name a channel in "
        "that rule.",
    )


def difference(before: Preview, after: Preview) -> str:
    """Say what was shown and is now, as far as they differ."""
    then, now = before.compared, after.compared
    labels = [label for label in {**then, **now} if then.get(label) != now.get(label)]
    # The heading follows from the facts, so it is told only where they don't differ.
    told = [label for label in labels if label in before.facts or label in after.facts] or labels
    return "; ".join(f"{label}: {then.get(label, 'nothing')} is now {now.get(label, 'nothing')}" for label in told)

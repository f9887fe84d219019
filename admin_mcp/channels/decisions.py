"""What a person's answer on a page does: judged by the one judge, each question by itself, one answer to each."""

import math
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import assert_never

from admin_mcp.channels.local_channel import waits
from admin_mcp.channels.page import SHOWN
from admin_mcp.channels.together_page import TICK, tickable
from admin_mcp.errors import CallError, NotFound
from admin_mcp.gate.approval import APPLY_PLAN, Approval, IllegalEventError, SeenOtherwiseError
from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.forms import DECISION, LONGEST_REASON, REASON, SHORTEST_REASON, TYPED, Flaw, Reply, judge
from admin_mcp.gate.plans import Plans

READING_SECONDS = 1.0
"""How long a question to which a decision led takes no answer."""

_LONGEST_NUMBER = 4000
"""Digits of a step's number: Python reads hardly more."""


class Decisions:
    """The answers that come through the pages of one process. ``clock`` gives unix seconds."""

    def __init__(self, approvals: Approvals, plans: Plans, clock: Callable[[], float]) -> None:
        self._approvals = approvals
        self._plans = plans
        self._clock = clock
        self._led_to: dict[str, float] = {}

    def apply(self, approval: Approval, form: Mapping[str, str]) -> str | None:
        """Let the decision count; return what to tell the person if it does not."""
        # The second half of a double click would answer a question that nobody has read.
        if 0 <= self._clock() - self._led_to.get(approval.id, -math.inf) < READING_SECONDS:
            return "That was too quick: this is the next question. Read it, then decide."
        content = {name: value for name, value in form.items() if name in {DECISION, TYPED, REASON}}
        judgement = judge(Reply("accept", content), approval)
        if judgement.flaw is not None:
            return _told(judgement.flaw)
        try:
            self._approvals.apply(
                approval.id, judgement.event, via="page", reason=judgement.given, seen=form.get(SHOWN, "")
            )
        except SeenOtherwiseError:
            return "Not approved: what is asked has changed since you loaded the page. Read it again, then decide."
        except IllegalEventError:
            return "Your answer came too late: the question had been decided or had ended."
        return None

    def next_after(self, decided: str) -> str | None:
        """Return the oldest question that still waits, or None; nobody has read it yet."""
        waiting = next((each for each in reversed(self._approvals.all()) if waits(each) and each.id != decided), None)
        if waiting is None:
            return None
        self._led_to[waiting.id] = self._clock()
        return waiting.id

    def reject(self, ids: Collection[str]) -> None:
        """Reject those of them that still wait.

        Raises:
            CallError: the state could not be used for one of them. The others are rejected.

        """
        failed: CallError | None = None
        for approval in self._approvals.all():
            if approval.id in ids and waits(approval):
                try:
                    self._approvals.apply(approval.id, "reject", via="page")
                except IllegalEventError:  # somebody decided it in this very moment, and then that counts
                    continue
                except CallError as error:
                    failed = error
        if failed is not None:
            raise failed

    def decide_ticked(self, form: Mapping[str, str]) -> list[str]:
        """Decide each question that was ticked, as far as it still waits and is what was shown; return their ids.

        What became of each is what its state says: nothing here fails for one that ended meanwhile, or that the state
        could not be used for.
        """
        ticked = [(name.removeprefix(TICK), shown) for name, shown in form.items() if name.startswith(TICK)]
        known = {each.id: each for each in self._approvals.all()}
        if form.get(DECISION) == "reject":
            with suppress(CallError):
                self.reject([each for each, _ in ticked])
        elif form.get(DECISION) == "approve":
            for each, shown in ticked:
                approval = known.get(each)
                if approval is not None and waits(approval) and tickable(approval):
                    with suppress(CallError):
                        self.apply(approval, {DECISION: "approve", SHOWN: shown})
        return [each for each, _ in ticked if each in known]

    def strike(self, approval: Approval, number: str) -> str | None:
        """Strike a step out of a plan; return what to tell the person if it can't be."""
        if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER):
            return "Choose a step."
        try:
            self._plans.strike(str(approval.question.arguments["plan_id"]), [int(number)], via="page")
        except CallError as error:
            return error.message
        return None

    def step_states(self, approval: Approval) -> dict[int, str]:
        """Return how far the steps of a plan have come."""
        if approval.question.tool != APPLY_PLAN:
            return {}
        try:
            plan = self._plans.get(str(approval.question.arguments["plan_id"]))
        except NotFound:  # it was kept longer than its approval; somebody has removed it
            return {}
        return {number: each.state for number, each in self._plans.progress(plan).items()}


def _told(flaw: Flaw) -> str:
    """Tell the person why their answer did not count."""
    match flaw:
        case "unanswered" | "no_decision" | "foreign_fields":
            return "Choose Approve or Reject."
        case "text_differs":
            return "Not approved: the text you typed is not the one that is asked for."
        case "no_reason":
            return f"Not approved: say why, in {SHORTEST_REASON} to {LONGEST_REASON} visible characters."
    assert_never(flaw)

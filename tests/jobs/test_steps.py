"""A plan takes fifty steps, ten of them destructive, and says what had to wait."""

from admin_mcp.gate.plan import MOST_DESTRUCTIVE, MOST_STEPS
from admin_mcp.jobs.base import DraftStep
from admin_mcp.jobs.reader import Unread
from admin_mcp.jobs.steps import destroys, fitted, gaps, left_over

ADD = DraftStep("add_group_user", {"group_id": "g", "user_id": "u"})
REMOVE = DraftStep("remove_group_user", {"group_id": "g", "user_id": "u"})


def test_as_much_as_fits_is_taken_and_no_more() -> None:
    assert fitted([ADD] * MOST_STEPS).left == ()
    assert len(fitted([ADD] * (MOST_STEPS + 3)).left) == 3
    assert fitted([REMOVE] * MOST_DESTRUCTIVE).left == ()
    fit = fitted([ADD, *[REMOVE] * (MOST_DESTRUCTIVE + 1), ADD])
    assert sum(map(destroys, fit.steps)) == MOST_DESTRUCTIVE
    assert fit.left == (REMOVE, ADD)  # nothing overtakes


def test_what_has_to_wait_is_counted() -> None:
    assert left_over(fitted([ADD]), "Call again.") == []
    (note,) = left_over(fitted([ADD] * (MOST_STEPS + 1)), "Call again.")
    assert note.endswith("1 step remains. Call again.")


def test_no_gap_is_silent_and_many_are_counted() -> None:
    assert gaps([]) == []
    told = gaps([Unread(f"thing {number}", "no\n") for number in range(20)])
    assert told[0] == "Could not be read: thing 0 (no\\u{000A})."
    assert "12 more" in told[-2]
    assert told[-1] == "What could not be read is not in this plan."

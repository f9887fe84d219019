"""The life of an approval: the table is the law, time ends it, and of many claims one wins."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from admin_mcp.errors import ApprovalDenied, ApprovalUnavailable, StateUnavailable
from admin_mcp.gate.approval import (
    APPROVED_SECONDS,
    PENDING_SECONDS,
    REJECTED_SECONDS,
    TRANSITIONS,
    Approval,
    ApprovalState,
    Event,
    IllegalEventError,
    Result,
    SeenOtherwiseError,
)
from admin_mcp.gate.approvals import KEPT_SECONDS
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.storage import GateStorage
from tests.gate.questions import Clock, question, records

TO: dict[ApprovalState, list[Event]] = {
    "pending": [],
    "approved": ["approve"],
    "rejected": ["reject"],
    "used": ["approve", "claim"],
    "void": ["void"],
    "expired": ["expire"],
}


def in_state(kept: GateStorage, state: ApprovalState) -> Approval:
    approval, _ = kept.approvals.open(question(f"in {state}"), "local")
    for event in TO[state]:
        approval = happen(kept, approval, event)
    return approval


def happen(kept: GateStorage, approval: Approval, event: Event) -> Approval:
    if event == "claim":
        return kept.approvals.claim(approval.id, {"by": "me"})
    return kept.approvals.apply(approval.id, event)


@pytest.mark.parametrize("state", get_args(ApprovalState))
@pytest.mark.parametrize("event", get_args(Event))
def test_every_event_does_what_the_table_says_or_nothing(tmp_path: Path, state: ApprovalState, event: Event) -> None:
    kept = records(tmp_path / "state")
    approval = in_state(kept, state)
    before = len(kept.journal.records())
    if (state, event) in TRANSITIONS:
        assert happen(kept, approval, event).state == TRANSITIONS[state, event]
        assert len(kept.journal.records()) == before + 1
        return
    with pytest.raises(IllegalEventError) as caught:
        happen(kept, approval, event)
    assert (caught.value.state, caught.value.event) == (state, event)
    found = kept.approvals.get(approval.id)
    assert found
    assert found.state == state
    assert len(kept.journal.records()) == before


@pytest.mark.parametrize(
    ("state", "seconds"),
    [("pending", PENDING_SECONDS), ("approved", APPROVED_SECONDS), ("rejected", REJECTED_SECONDS)],
)
def test_a_state_ends_with_its_time_and_not_before(tmp_path: Path, state: ApprovalState, seconds: float) -> None:
    clock = Clock()
    kept = records(tmp_path / "state", clock)
    approval = in_state(kept, state)
    assert approval.ends == clock.now + seconds
    for passed, expected in ((seconds - 0.5, state), (0.5, "expired")):
        clock.now += passed
        found = kept.approvals.get(approval.id)
        assert found
        assert found.state == expected


def test_a_clock_that_was_set_back_lengthens_no_life(tmp_path: Path) -> None:
    clock = Clock()
    kept = records(tmp_path / "state", clock)
    approval = in_state(kept, "approved")
    clock.now -= 60
    found = kept.approvals.get(approval.id)
    assert found
    assert found.state == "expired"


def test_ended_approvals_are_forgotten_after_a_day_and_the_journal_keeps_them(tmp_path: Path) -> None:
    clock = Clock()
    kept = records(tmp_path / "state", clock)
    approval = in_state(kept, "used")
    clock.now += KEPT_SECONDS
    assert kept.approvals.get(approval.id) is None
    assert kept.approvals.all() == []
    assert [record.kind for record in kept.journal.records(approval.id)] == ["asked", "decided", "sending"]


def test_an_approval_is_for_what_was_read_and_for_nothing_else(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    asked, _ = kept.approvals.open(question(), "local")
    before = kept.journal.verify()
    with pytest.raises(SeenOtherwiseError):
        kept.approvals.apply(asked.id, "approve", via="page", seen="what stood there before")
    found = kept.approvals.get(asked.id)
    assert found is not None
    assert (found.state, kept.journal.verify()) == ("pending", before)
    assert kept.approvals.apply(asked.id, "approve", via="page", seen=asked.preview.drift).state == "approved"


def test_identical_questions_share_one_approval_in_each_channel(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    first, new = kept.approvals.open(question(), "local")
    assert new
    again, new = records(tmp_path / "state").approvals.open(question(), "local")
    assert (again.id, new) == (first.id, False)
    other, new = kept.approvals.open(question(), "elicit")
    assert new
    assert other.id != first.id


def test_a_question_whose_target_changed_gives_way_to_a_new_one(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    first, _ = kept.approvals.open(question(), "local")
    second, new = kept.approvals.open(question(name="Renamed"), "local")
    assert new
    old = kept.approvals.get(first.id)
    assert old
    assert (old.state, second.state) == ("void", "pending")


def test_a_rejection_stands_in_every_channel(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    first, _ = kept.approvals.open(question(), "local")
    kept.approvals.apply(first.id, "reject")
    with pytest.raises(ApprovalDenied, match="rejected this same change"):
        kept.approvals.open(question(name="Renamed"), "elicit")


def test_only_two_step_approvals_have_a_phrase_and_each_its_own(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    phrases = {kept.approvals.open(question(str(number)), "two-step")[0].phrase for number in range(20)}
    assert len(phrases) == 20
    assert kept.approvals.open(question(), "local")[0].phrase is None


def test_what_became_of_it_is_kept_beside_it(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    approval = in_state(kept, "used")
    kept.approvals.finish(approval.id, Result("refused", "No such role."), {"request_id": "req_1"})
    found = kept.approvals.get(approval.id)
    assert found
    assert found.result == Result("refused", "No such role.")
    last = kept.journal.records(approval.id)[-1]
    assert (last.kind, last.fields["outcome"], last.fields["request_id"]) == ("outcome", "refused", "req_1")


def test_an_agent_cannot_bury_a_person_in_questions(tmp_path: Path) -> None:
    clock = Clock()
    kept = records(tmp_path / "state", clock)
    for number in range(traits("local").most_open):
        kept.approvals.open(question(str(number)), "local")
    with pytest.raises(ApprovalUnavailable, match="wait for a person already"):
        kept.approvals.open(question("one too many"), "local")
    assert not kept.approvals.open(question("0"), "local")[1]
    clock.now += PENDING_SECONDS
    assert kept.approvals.open(question("one more"), "local")[1]


def test_looking_waits_for_no_writer_and_writes_nothing(tmp_path: Path) -> None:
    clock = Clock()
    kept = records(tmp_path / "state", clock)
    kept.database._busy = 0.05
    approval = in_state(kept, "approved")
    before = len(kept.journal.records())
    with closing(sqlite3.connect(kept.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert [found.id for found in kept.approvals.all()] == [approval.id]
        for passed, state in ((0.0, "approved"), (APPROVED_SECONDS, "expired")):
            clock.now += passed
            found = kept.approvals.get(approval.id)
            assert found
            assert found.state == kept.approvals.all()[0].state == state
        clock.now += KEPT_SECONDS
        assert kept.approvals.get(approval.id) is None
        assert kept.approvals.all() == []
    assert len(kept.journal.records()) == before


def test_that_a_time_has_passed_is_written_down_with_the_next_event(tmp_path: Path) -> None:
    clock = Clock()
    kept = records(tmp_path / "state", clock)
    approval = in_state(kept, "approved")
    clock.now += APPROVED_SECONDS
    kept.approvals.get(approval.id)
    assert kept.journal.records(approval.id)[-1].fields["decision"] == "approved"
    kept.approvals.open(question("another"), "local")
    assert kept.journal.records(approval.id)[-1].fields["decision"] == "expired"


def test_an_unknown_id_is_a_key_error_and_changes_nothing(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    assert kept.approvals.get("nothing") is None
    with pytest.raises(KeyError):
        kept.approvals.apply("nothing", "approve")
    with pytest.raises(KeyError):
        kept.approvals.claim("nothing", {})


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE approvals SET preview = '{}'",
        "UPDATE approvals SET arguments = '['",
        "UPDATE approvals SET outcome = '{}'",
    ],
)
def test_a_damaged_row_is_refused_as_a_damaged_state(tmp_path: Path, damage: str) -> None:
    kept = records(tmp_path / "state")
    approval = in_state(kept, "pending")
    with closing(sqlite3.connect(kept.database.path)) as connection, connection:
        connection.execute(damage)
    with pytest.raises(StateUnavailable, match="damaged"):
        kept.approvals.get(approval.id)


CLAIM = """
import json, sys
from pathlib import Path
from admin_mcp.gate.approval import IllegalEventError
from tests.gate.questions import records
kept = records(Path(sys.argv[1]))
kept.database._busy = 60
sys.stdin.readline()
won = []
for approval_id in sys.argv[2:]:
    try:
        kept.approvals.claim(approval_id, {"by": "me"})
        won.append(approval_id)
    except IllegalEventError:
        pass
print(json.dumps(won))
"""


def test_of_many_processes_that_claim_one_approval_exactly_one_gets_it(tmp_path: Path) -> None:
    kept = records(tmp_path / "state")
    ids = []
    for number in range(10):
        approval, _ = kept.approvals.open(question(str(number)), "local")
        ids.append(kept.approvals.apply(approval.id, "approve").id)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(tmp_path / "state"), *ids],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(6)
    ]
    for racer in racers:
        assert racer.stdin
        racer.stdin.write(b"\n")
        racer.stdin.flush()
    won = [approval_id for racer in racers for approval_id in json.loads(racer.communicate()[0])]
    assert [racer.returncode for racer in racers] == [0] * 6
    assert sorted(won) == sorted(ids)
    assert len([record for record in kept.journal.records() if record.kind == "sending"]) == len(ids)
    assert kept.journal.verify()[1] is None

"""The plans that are kept, and how far each has come: in the gate's state, across processes and restarts.

A step is claimed in one transaction with its record in the journal, and only while the plan's approval holds, so of any
number of processes that apply one plan exactly one sends each step.
"""

import json
import logging
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApprovalDenied, Conflict, NotFound
from admin_mcp.gate.approval import APPLY_PLAN, Approval, Question, Result
from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.database import Database
from admin_mcp.gate.journal import OUTCOME_PATIENCE_SECONDS, Journal, Outcome, Record
from admin_mcp.gate.plan import LIFE_SECONDS, Plan, StepState
from admin_mcp.gate.plan_preview import plan_preview
from admin_mcp.gate.policy import Channel

KEPT_SECONDS = 30 * 86_400.0
"""How long a plan can be looked at, and its outcome."""

PLAN_PREFIX = "plan_"
"""What a plan's id begins with, and no other change's."""

logger = logging.getLogger(__name__)

_TABLES = (
    "CREATE TABLE IF NOT EXISTS plans (id TEXT PRIMARY KEY, made REAL NOT NULL, plan TEXT NOT NULL) STRICT",
    """CREATE TABLE IF NOT EXISTS plan_steps (plan TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL,
    message TEXT, answer TEXT, PRIMARY KEY (plan, number)) STRICT""",
)
_STATES: dict[Outcome, StepState] = {
    "done": "done",
    "refused": "refused",
    "not_sent": "open",
    "outcome_unknown": "outcome_unknown",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one step has come; ``answer`` is what a later step or a person needs of what the API said."""

    state: StepState
    message: str = ""
    answer: Json | None = None


def new_id() -> str:
    """Return an id for a plan, short enough to be typed."""
    return f"{PLAN_PREFIX}{secrets.token_hex(4)}"


def change_id(plan_id: str, number: int) -> str:
    """Return the id under which the journal has one step."""
    return f"{plan_id}.{number}"


class Plans:
    """The plans in one state. Each method raises ``StateUnavailable`` if the state can't be used."""

    def __init__(self, database: Database, journal: Journal, approvals: Approvals, clock: Callable[[], float]) -> None:
        self._database = database
        self._journal = journal
        self._approvals = approvals
        self._clock = clock

    def save(self, plan: Plan) -> None:
        """Keep a new plan."""
        with self._database.transaction() as connection:
            _prepare(connection)
            connection.execute("DELETE FROM plans WHERE ? - made >= ?", (self._clock(), KEPT_SECONDS))
            connection.execute("INSERT INTO plans VALUES (?, ?, ?)", (plan.id, plan.made, plan.model_dump_json()))

    def get(self, plan_id: str) -> Plan:
        """Return a plan.

        Raises:
            NotFound: there is none of this id.

        """
        with self._database.reading() as connection:
            row = _row(connection, plan_id)
        if row is None:
            raise NotFound(f"There is no plan {plan_id} here.", hint="list_plans shows those there are.")
        return _plan(row)

    def all(self) -> list[Plan]:
        """Return the plans that are kept, the newest first."""
        with self._database.reading() as connection:
            if not _there(connection):
                return []
            rows = connection.execute("SELECT * FROM plans ORDER BY made DESC").fetchall()
        return [plan for row in rows if (plan := _readable(row)) is not None]

    def progress(self, plan: Plan) -> dict[int, Progress]:
        """Return how far each step has come, by its number."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM plan_steps WHERE plan = ?", (plan.id,)).fetchall()
        found = {row["number"]: _progress(row) for row in rows}
        struck = {number: Progress("struck") for number in plan.struck}
        return {step.number: {**found, **struck}.get(step.number, Progress("open")) for step in plan.steps}

    def expired(self, plan: Plan) -> bool:
        """Whether it is too old to be applied, or from the future."""
        return not -1.0 <= self._clock() - plan.made < LIFE_SECONDS

    def strike(self, plan_id: str, numbers: Sequence[int], *, via: str) -> Plan:
        """Take steps out of a plan that is not approved yet; an open question about it becomes one about the rest.

        Raises:
            Conflict: it is approved already, or was applied. ``InvalidInput``: the steps can't be struck out.

        """
        with self._database.transaction() as connection:
            _prepare(connection)
            plan = self._required(connection, plan_id)
            if _claimed(connection, plan_id):
                raise Conflict("The plan is being applied, or was.", hint="Only what was not begun can be struck out.")
            smaller = plan.without(numbers)
            self._approvals.ask_instead(connection, plan.digest, lambda channel: question_of(smaller, channel))
            connection.execute("UPDATE plans SET plan = ? WHERE id = ?", (smaller.model_dump_json(), plan_id))
            self._journal.add(
                connection,
                "decided",
                plan_id,
                decision="struck out",
                steps=sorted(numbers),
                via=via,
                plan=plan_id,
                target=plan.target,
            )
        return smaller

    def claim(self, plan: Plan, number: int, approval: Approval | None, sending: Mapping[str, object]) -> None:
        """Use the approval for one step that it covers, and record in the same moment that it is sent.

        Raises:
            ApprovalDenied: the approval does not hold (any more). ``Conflict``: the step was claimed before, or the
                plan is another one by now.

        """
        with self._database.transaction() as connection:
            _prepare(connection)
            if self._required(connection, plan.id).digest != plan.digest:
                raise Conflict("The plan was changed meanwhile; nothing was sent.", hint="Look at it with get_plan.")
            if approval is not None and not self._approvals.holds(connection, approval.id, approval.question.key):
                raise ApprovalDenied(
                    "The approval of this plan does not hold any more. Nothing was sent.",
                    hint="apply_plan asks the person anew about what is left.",
                )
            row = connection.execute(
                "SELECT state FROM plan_steps WHERE plan = ? AND number = ?", (plan.id, number)
            ).fetchone()
            if row is not None and row["state"] != "open":
                raise Conflict(f"Step {number} was sent before, and is sent only once.", hint="get_plan shows it.")
            connection.execute(
                "INSERT OR REPLACE INTO plan_steps VALUES (?, ?, 'sending', NULL, NULL)", (plan.id, number)
            )
            self._journal.add(connection, "sending", change_id(plan.id, number), plan=plan.id, step=number, **sending)

    def finish(
        self, plan: Plan, number: int, result: Result, answer: Json | None, record: Mapping[str, object]
    ) -> None:
        """Keep what became of a step, and record it."""
        kept = json.dumps(answer) if answer is not None else None
        with self._database.transaction(OUTCOME_PATIENCE_SECONDS) as connection:
            connection.execute(
                "UPDATE plan_steps SET state = ?, message = ?, answer = ? WHERE plan = ? AND number = ?",
                (_STATES[result.outcome], result.message, kept, plan.id, number),
            )
            self._journal.add(
                connection,
                "outcome",
                change_id(plan.id, number),
                plan=plan.id,
                step=number,
                outcome=result.outcome,
                message=result.message,
                target=plan.target,
                **record,
            )

    def settle(self, records: Sequence[Record]) -> None:
        """Take over what the journal found: steps whose process ended while it sent them."""
        ended = [(record.fields["plan"], record.fields["step"]) for record in records if "plan" in record.fields]
        if not ended:
            return
        with self._database.transaction() as connection:
            _prepare(connection)
            for plan_id, number in ended:
                connection.execute(
                    "UPDATE plan_steps SET state = 'outcome_unknown' "
                    "WHERE plan = ? AND number = ? AND state = 'sending'",
                    (plan_id, number),
                )

    def _required(self, connection: sqlite3.Connection, plan_id: str) -> Plan:
        row = _row(connection, plan_id)
        if row is None:
            raise NotFound(f"There is no plan {plan_id} here.", hint="list_plans shows those there are.")
        return _plan(row)


def question_of(plan: Plan, channel: Channel) -> Question:
    """Return what a person is asked about a plan; where the model reads it too, without what is kept from it."""
    shown = plan_preview(plan, hide=traits(channel).shown_to_model)
    return Question(plan.digest, APPLY_PLAN, {"plan_id": plan.id}, shown)


def _prepare(connection: sqlite3.Connection) -> None:
    for table in _TABLES:
        connection.execute(table)


def _there(connection: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'plans'"
    return connection.execute(query).fetchone() is not None


def _row(connection: sqlite3.Connection, plan_id: str) -> sqlite3.Row | None:
    if not _there(connection):
        return None
    row: sqlite3.Row | None = connection.execute("SELECT * FROM plans WHERE id = ?", (plan_id,)).fetchone()
    return row


def _claimed(connection: sqlite3.Connection, plan_id: str) -> bool:
    return connection.execute("SELECT 1 FROM plan_steps WHERE plan = ?", (plan_id,)).fetchone() is not None


def _readable(row: sqlite3.Row) -> Plan | None:
    """Return a row's plan, or None for one that is damaged, which must not hide the others."""
    try:
        return _plan(row)
    except sqlite3.DatabaseError as error:
        logger.warning("%s; it is left out of the list of plans", error)
        return None


def _plan(row: sqlite3.Row) -> Plan:
    try:
        return Plan.model_validate_json(row["plan"])
    except ValidationError:
        raise sqlite3.DatabaseError(f"plan {row['id']} is damaged") from None


def _progress(row: sqlite3.Row) -> Progress:
    return Progress(row["state"], row["message"] or "", json.loads(row["answer"]) if row["answer"] else None)

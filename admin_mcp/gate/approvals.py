"""Approvals, kept in the gate's state, across processes and restarts.

Every event is one transaction together with its record in the journal, so of any number of processes that claim one
approval exactly one gets it.
"""

import json
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApprovalDenied, ApprovalUnavailable, Conflict
from admin_mcp.gate import rejections
from admin_mcp.gate.approval import (
    APPLY_PLAN,
    TRANSITIONS,
    Approval,
    Event,
    IllegalEventError,
    Question,
    Result,
    SeenOtherwiseError,
)
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.database import Database
from admin_mcp.gate.journal import OUTCOME_PATIENCE_SECONDS, Journal
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.preview import Preview

KEPT_SECONDS = 86_400.0
"""How long an ended approval can still be looked at. The journal keeps what it was about for ever."""

_CLOCK_SLACK = 1.0


class Approvals:
    """The approvals in one state. Every method is atomic, and none returns an approval past its time.

    Each raises ``StateUnavailable`` if the state can't be used.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        clock: Callable[[], float],
        open_here_seconds: float | None = None,
    ) -> None:
        """``open_here_seconds``: how long questions on this machine can be answered, if not as long as others."""
        self._open_here_seconds = open_here_seconds
        self._database = database
        self._journal = journal
        self._clock = clock

    def open(self, question: Question, channel: Channel) -> tuple[Approval, bool]:
        """Return the approval that stands for this request, and whether it was made just now.

        A no stands through whichever channel it came, and for every spelling of the call. A pending one whose target
        no longer looks as it was shown gives way to a new one. An approved one is returned as it is: whether it still
        fits is for the re-check.

        Raises:
            ApprovalDenied: a person refused the call less than ten minutes ago, or several calls.
            ApprovalUnavailable: too many questions are open.

        """
        with self._database.transaction() as connection:
            self._expire(connection)
            noes = (rejections.last(connection, alike, self._clock()) for alike in question.alikes)
            refused = max((at for at in noes if at is not None), default=None)
            living = [approval for approval in _living(connection, question.key) if approval.channel == channel]
            for approval in living:
                # Whatever was said last counts, unless a reason is demanded now and was not then.
                said_why = approval.preview.wants_reason or not question.preview.wants_reason
                if approval.state == "approved" and said_why and (refused is None or approval.since > refused):
                    return approval, False
            if refused is not None:
                raise _refused_lately()
            for approval in living:
                if approval.preview.drift == question.preview.drift:
                    return approval, False
                self._change(connection, approval, "void", reason=_superseded(approval))
            self._require_patience(connection, channel)
            return self._insert(connection, question, channel), True

    def _require_patience(self, connection: sqlite3.Connection, channel: Channel) -> None:
        """Refuse to ask anything for a while after several rejections, or while much waits."""
        if (seconds := rejections.pause(connection, self._clock())) > 0:
            raise ApprovalDenied(
                f"A person rejected {rejections.MOST_REJECTIONS} changes within ten minutes, so nobody is "
                f"asked about another one for {max(1, round(seconds / 60))} minutes. Nothing was sent.",
                hint="Stop making changes. Ask the user in the conversation what they want before trying again.",
            )
        most = traits(channel).most_open
        if len(_rows(connection, "state = 'pending' AND channel = ?", channel)) >= most:
            raise ApprovalUnavailable(
                f"{most} changes wait for a person already; nothing was sent and nobody was asked.",
                hint="Wait until the user has decided those, or they have ended by themselves.",
                retryable=True,
            )

    def get(self, approval_id: str) -> Approval | None:
        """Return the approval with this id, or None."""
        with self._database.reading() as connection:
            found = _find(connection, approval_id)
        return None if found is None or self._forgotten(found) else self._as_of_now(found)

    def all(self) -> list[Approval]:
        """Return all approvals that are kept, the newest first."""
        with self._database.reading() as connection:
            found = _rows(connection, "1")
        kept = [self._as_of_now(approval) for approval in found if not self._forgotten(approval)]
        return sorted(kept, key=lambda approval: -approval.opened)

    def apply(
        self,
        approval_id: str,
        event: Event,
        *,
        via: str | None = None,
        reason: str | None = None,
        seen: str | None = None,
    ) -> Approval:
        """Let something happen to an approval. ``via`` says where it was decided.

        ``seen`` is the drift of what was read: an approval is for that and nothing else. The third form of one call
        that is closed is a rejection.

        Raises:
            IllegalEventError: not in its state; ``SeenOtherwiseError``: what is approved is not what was read;
                ``KeyError``: no such approval.

        """
        with self._database.transaction() as connection:
            approval = self._living_or_ended(connection, approval_id)
            if event == "approve" and seen is not None and approval.preview.drift != seen:
                raise SeenOtherwiseError
            if event == "close":
                event, reason = self._closed(connection, approval, reason)
            return self._change(connection, approval, event, via=via, reason=reason)

    def _closed(
        self, connection: sqlite3.Connection, approval: Approval, reason: str | None
    ) -> tuple[Event, str | None]:
        """Return what it comes to that a form was closed."""
        now, alike = self._clock(), approval.question.alike
        if (approval.state, "close") in TRANSITIONS:
            rejections.add(connection, "closed", alike, now)
        if rejections.closed(connection, alike, now) < rejections.MOST_CLOSED:
            return "close", reason
        return "reject", f"no decision came {rejections.MOST_CLOSED} times, which counts as a no"

    def claim(self, approval_id: str, sending: Json) -> Approval:
        """Use an approval up, and record in the same moment what is sent on it.

        Raises:
            IllegalEventError: it is not approved (any more); ``KeyError``: no such approval.

        """
        with self._database.transaction() as connection:
            approval = self._living_or_ended(connection, approval_id)
            changed = self._change(connection, approval, "claim")
            self._journal.add(connection, "sending", approval_id, **sending)
            return changed

    def use_up(self, approval_id: str, result: Result) -> None:
        """Note that all that was approved was made, and record it."""
        with self._database.transaction(OUTCOME_PATIENCE_SECONDS) as connection:
            approval = _find(connection, approval_id)
            if approval is None or approval.state != "approved":
                return
            self._change(connection, approval, "claim")
            about: Json = {"plan": _plan_of(approval.question), "target": approval.preview.target}
            self._note(connection, approval_id, result, about)

    def holding(self, key: str) -> list[Approval]:
        """Return the approvals of exactly this that hold now, one a channel at most."""
        with self._database.reading() as connection:
            return [each for each in _living(connection, key) if each.state == "approved" and not self._is_over(each)]

    def holds(self, connection: sqlite3.Connection, approval_id: str, key: str) -> bool:
        """Whether an approval of exactly this still holds, within the caller's transaction."""
        approval = _find(connection, approval_id)
        if approval is None or approval.state != "approved" or self._is_over(approval):
            return False
        return approval.question.key == key

    def ask_instead(
        self, connection: sqlite3.Connection, key: str, question_for: Callable[[Channel], Question]
    ) -> None:
        """Have the open questions about one thing ask about another, within the caller's transaction.

        Raises:
            Conflict: one was answered already.

        """
        for approval in _living(connection, key):
            if approval.state != "pending":
                raise Conflict("It is approved already, as a whole.", hint="Deny that approval first.")
            question = _open_for(question_for(approval.channel), approval.preview.open_seconds)
            kept = {"wants_reason": approval.preview.wants_reason, "asker": approval.preview.asker}
            shown = question.preview.model_copy(update=kept)
            connection.execute(
                "UPDATE approvals SET key = ?, preview = ? WHERE id = ?",
                (question.key, shown.model_dump_json(), approval.id),
            )

    def finish(self, approval_id: str, result: Result, record: Json) -> None:
        """Keep what became of the request, for whoever looks at the approval afterwards, and record it."""
        with self._database.transaction(OUTCOME_PATIENCE_SECONDS) as connection:
            self._note(connection, approval_id, result, record)

    def _note(self, connection: sqlite3.Connection, approval_id: str, result: Result, record: Json) -> None:
        text = json.dumps({"outcome": result.outcome, "message": result.message})
        connection.execute("UPDATE approvals SET outcome = ? WHERE id = ?", (text, approval_id))
        self._journal.add(connection, "outcome", approval_id, outcome=result.outcome, message=result.message, **record)

    def _insert(self, connection: sqlite3.Connection, question: Question, channel: Channel) -> Approval:
        now = self._clock()
        question = _open_for(question, self._open_here_seconds if traits(channel).here else None)
        approval = Approval(
            # Short enough to be typed from a screen; it opens nothing, so it need not be secret.
            id=secrets.token_hex(5),
            channel=channel,
            state="pending",
            opened=now,
            since=now,
            question=question,
            phrase=f"confirm-{secrets.token_hex(4)}" if traits(channel).phrase else None,
            result=None,
        )
        connection.execute(
            "INSERT INTO approvals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                approval.id,
                question.key,
                channel,
                approval.state,
                now,
                now,
                question.tool,
                json.dumps(question.arguments),
                question.preview.model_dump_json(),
                approval.phrase,
            ),
        )
        self._journal.add(
            connection,
            "asked",
            approval.id,
            tool=question.tool,
            channel=channel,
            plan=_plan_of(question),
            preview=question.preview.text,
            target=question.preview.target,
            **question.preview.asker.record,
        )
        return approval

    def _living_or_ended(self, connection: sqlite3.Connection, approval_id: str) -> Approval:
        self._expire(connection)
        if (approval := _find(connection, approval_id)) is None:
            raise KeyError(approval_id)
        return approval

    def _change(
        self,
        connection: sqlite3.Connection,
        approval: Approval,
        event: Event,
        *,
        via: str | None = None,
        reason: str | None = None,
    ) -> Approval:
        state = TRANSITIONS.get((approval.state, event))
        if state is None:
            raise IllegalEventError(approval.state, event)
        connection.execute(
            "UPDATE approvals SET state = ?, since = ? WHERE id = ?", (state, self._clock(), approval.id)
        )
        if state == "rejected":
            rejections.add(connection, "no", approval.question.alike, self._clock())
        if event != "claim":
            target = approval.preview.target  # whoever decides may run for another system, or for none
            self._journal.add(connection, "decided", approval.id, decision=state, via=via, reason=reason, target=target)
        changed = _find(connection, approval.id)
        assert changed is not None  # noqa: S101 - it was updated two lines above, in this transaction
        return changed

    def _expire(self, connection: sqlite3.Connection) -> None:
        now = self._clock()
        for approval in _rows(connection, "state IN ('pending', 'approved', 'rejected')"):
            if self._is_over(approval):
                self._change(connection, approval, "expire")
        connection.execute("DELETE FROM approvals WHERE ? - opened >= ?", (now, KEPT_SECONDS))

    def _is_over(self, approval: Approval) -> bool:
        """Whether the time of its state has passed."""
        lifetime = approval.lifetime
        # A clock that was set back must not give an approval a longer life than it was given.
        return lifetime is not None and not -_CLOCK_SLACK <= self._clock() - approval.since < lifetime

    def _as_of_now(self, approval: Approval) -> Approval:
        """Return it as it is now; that its time has passed is written down with the next event."""
        return replace(approval, state="expired", since=self._clock()) if self._is_over(approval) else approval

    def _forgotten(self, approval: Approval) -> bool:
        return self._clock() - approval.opened >= KEPT_SECONDS


def _plan_of(question: Question) -> str | None:
    """Return the id of the plan that is asked about, or None if it is a single change."""
    plan = question.arguments.get("plan_id") if question.tool == APPLY_PLAN else None
    return plan if isinstance(plan, str) else None


def _open_for(question: Question, seconds: float | None) -> Question:
    return replace(question, preview=question.preview.model_copy(update={"open_seconds": seconds}))


def _refused_lately() -> ApprovalDenied:
    return ApprovalDenied(
        "A person rejected this same change less than ten minutes ago. Nothing was sent.",
        hint="Don't repeat the call or vary it. Tell the user what was not done and let them decide.",
    )


def _superseded(approval: Approval) -> str:
    """Say why a question gives way to another about the same request."""
    if approval.state == "approved":
        return "it was approved without the reason that is demanded now"
    return "the target changed while nobody had answered"


def _living(connection: sqlite3.Connection, key: str) -> list[Approval]:
    return _rows(connection, "key = ? AND state IN ('pending', 'approved')", key)


def _find(connection: sqlite3.Connection, approval_id: str) -> Approval | None:
    return next(iter(_rows(connection, "id = ?", approval_id)), None)


def _rows(connection: sqlite3.Connection, condition: str, *values: str) -> list[Approval]:
    rows = connection.execute(f"SELECT * FROM approvals WHERE {condition}", values)  # noqa: S608 - written above
    return [_approval(row) for row in rows.fetchall()]


def _approval(row: sqlite3.Row) -> Approval:
    try:
        preview = Preview.model_validate_json(row["preview"])
        arguments = json.loads(row["arguments"])
        result = Result(**json.loads(row["outcome"])) if row["outcome"] else None
    except (ValueError, TypeError):
        raise sqlite3.DatabaseError(f"approval {row['id']} is damaged") from None
    return Approval(
        id=row["id"],
        channel=row["channel"],
        state=row["state"],
        opened=row["opened"],
        since=row["since"],
        question=Question(row["key"], row["tool"], arguments, preview),
        phrase=row["phrase"],
        result=result,
    )

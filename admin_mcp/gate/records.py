"""What the gate keeps on disk for one state directory, put together: approvals, journal, and this process's name."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.journal import Journal, Record
from admin_mcp.gate.run import Run
from admin_mcp.gate.state import State, epoch_seconds
from admin_mcp.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that outlives a process."""

    state: State
    journal: Journal
    approvals: Approvals
    run: Run

    def settle(self) -> list[Record]:
        """Find the changes that an ended process was sending, and record that their outcome is unknown.

        Raises:
            StateUnavailable: the state can't be used. ``OSError``: nor can its locks.

        """
        settled = self.journal.settle(self.run.ended)
        self.run.tidy()
        if lost := self.journal.lost():
            logger.warning(
                "the journal in %s is gone: it had %s records or more. A new one begins with the next change, and says "
                "so. See also: openai-admin-mcp journal verify",
                self.state.directory,
                lost.seq,
            )
        if damaged := self.journal.damaged:
            logger.warning(
                "record %s of the journal in %s is damaged; changes are refused until that is repaired. "
                "See also: openai-admin-mcp journal verify",
                damaged[0],
                self.state.directory,
            )
        return settled


def open_records(settings: Settings, clock: Callable[[], float] = epoch_seconds) -> Records:
    """Return the records of the settings' state directory; nothing is read or made yet."""
    state = State(settings.state_dir)
    key = settings.admin_key
    journal = Journal(state, clock, (key.get_secret_value(),) if key else ())
    return Records(state, journal, Approvals(state, journal, clock), Run(settings.state_dir / "run"))

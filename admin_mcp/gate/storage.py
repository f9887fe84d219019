"""What the gate keeps on disk for one state directory, put together: approvals, journal, and this process's name."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.database import Database, epoch_seconds
from admin_mcp.gate.journal import Journal, Record
from admin_mcp.gate.plans import Plans
from admin_mcp.gate.process_identity import ProcessIdentity
from admin_mcp.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GateStorage:
    """Everything that outlives a process."""

    database: Database
    journal: Journal
    approvals: Approvals
    process: ProcessIdentity
    plans: Plans

    def settle(self) -> list[Record]:
        """Find the changes that an ended process was sending, and record that their outcome is unknown.

        Raises:
            StateUnavailable: the state can't be used. ``OSError``: nor can its locks.

        """
        settled = self.journal.settle(self.process.ended)
        self.plans.settle(settled)
        self.process.tidy()
        if lost := self.journal.lost():
            logger.warning(
                "the journal in %s is gone: it had %s records or more. A new one begins with the next change, and says "
                "so. See also: openai-admin-mcp journal verify",
                self.database.directory,
                lost.seq,
            )
        if damaged := self.journal.damaged:
            logger.warning(
                "record %s of the journal in %s is damaged; changes are refused until that is repaired. "
                "See also: openai-admin-mcp journal verify",
                damaged[0],
                self.database.directory,
            )
        return settled


def open_storage(settings: Settings, clock: Callable[[], float] = epoch_seconds) -> GateStorage:
    """Return the storage in the settings' state directory; nothing is read or made yet."""
    database = Database(settings.state_dir)
    key = settings.admin_key
    journal = Journal(database, clock, (key.get_secret_value(),) if key else ())
    approvals = Approvals(database, journal, clock)
    process = ProcessIdentity(settings.state_dir / "run")
    return GateStorage(database, journal, approvals, process, Plans(database, journal, approvals, clock))

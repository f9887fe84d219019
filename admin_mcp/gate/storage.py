"""What the gate keeps on disk for one state directory, put together: approvals, journal, and this process's name."""

import getpass
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.database import Database, epoch_seconds
from admin_mcp.gate.journal import Journal, Record
from admin_mcp.gate.plans import Plans
from admin_mcp.gate.process_identity import ProcessIdentity
from admin_mcp.installation import line_on
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
                "so. See also: %s",
                self.database.directory,
                lost.seq,
                line_on(self.database.directory, "journal", "verify"),
            )
        if damaged := self.journal.damaged:
            logger.warning(
                "record %s of the journal in %s is damaged; changes are refused until that is repaired. See also: %s",
                damaged[0],
                self.database.directory,
                line_on(self.database.directory, "journal", "verify"),
            )
        return settled


def open_storage(settings: Settings, clock: Callable[[], float] = epoch_seconds) -> GateStorage:
    """Return the storage in the settings' state directory; nothing is read or made yet."""
    database = Database(settings.state_dir)
    key = settings.admin_key
    secrets = (key.get_secret_value(),) if key else ()
    journal = Journal(database, clock, secrets, cache(partial(_context, settings.config)))
    approvals = Approvals(database, journal, clock, settings.question_minutes * 60.0)
    process = ProcessIdentity(settings.state_dir / "run")
    return GateStorage(database, journal, approvals, process, Plans(database, journal, approvals, clock))


def _context(config: Path | None) -> dict[str, str]:
    """Return the user that this process runs as, and the beginning of the policy file's digest, if there is one."""
    known = {"os_user": _user()}
    if config is not None:
        try:
            known["policy"] = hashlib.sha256(config.read_bytes()).hexdigest()[:16]
        except OSError as error:
            known["policy"] = f"unreadable: {error.strerror}"
    return known


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this number, as in some containers
        return "unknown"

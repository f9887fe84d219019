"""The marker beside the state: which database was there and how far its journal went, so that a loss shows.

It lags behind the journal and never runs ahead of it. Whoever removes it with the database leaves no trace.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

_LARGEST = 2**63 - 1
"""The number of a record that a database can have."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A database's identity, and the number and hash of a record that was in its journal (0: it was empty)."""

    identity: int
    seq: int
    hash: str

    @property
    def loss(self) -> str:
        """The name under which the journal records that this is gone."""
        return f"lost-{self.identity:x}-{self.seq}"


class Marker:
    """The file. It is replaced whole, by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Mark | None:
        """Return what it says, or None if there is none, or none that can be read."""
        try:
            match json.loads(self.path.read_bytes()):
                case {"identity": int(identity), "seq": int(seq), "hash": str(digest)} if abs(seq) <= _LARGEST:
                    return Mark(identity, seq, digest)
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        return None

    def write(self, mark: Mark) -> None:
        """Have it say this.

        Raises:
            OSError: it can't be written.

        """
        if self.read() == mark:
            return
        aside = self.path.with_name(f"{self.path.name}.new")
        # Not forced to the disk: an older mark is as true, and one that is cut off counts as none.
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - a path opens with no mode
            json.dump(asdict(mark), file)
        try:
            aside.replace(self.path)
        except PermissionError:
            # Windows replaces no file that another process reads at this moment. The next change renews the mark.
            if sys.platform != "win32" or not self.path.exists():
                raise

"""What of this machine's journal is evidence about one system: one directory keeps the records of all. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from admin_mcp.cli.systems import with_targets
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.gate.journal import Record
from admin_mcp.gate.text import visible
from admin_mcp.settings import KEYED, SANDBOX_LABEL

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{8}")


@dataclass(slots=True)
class JournalPart:
    """The records that are of some systems or of none, and how many of each other system were left out."""

    systems: tuple[str, ...]
    rows: list[Json] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def manifest(self) -> Json:
        """What the manifest says: which systems, and how many records of others are not here."""
        sandbox = self.left_out[SANDBOX_LABEL]
        return {
            "systems": [*self.systems],
            "of_no_system": sum(not row["target"] for row in self.rows),
            "left_out": {"sandbox": sandbox, "other_systems": self.left_out.total() - sandbox},
        }

    @property
    def told(self) -> Iterator[str]:
        """What the operator is told of it, a line each."""
        address, keyed, _ = self.systems[0].partition(KEYED)
        for target, count in self.left_out.items():
            yield f"Records left out of the journal: {count} of {visible(target, 300)}"
        if keyed and any(target.startswith(f"{address}{KEYED}") for target in self.left_out):
            yield "If that was an earlier key of this organization: --earlier-key FINGERPRINT takes its records too."


def left_out_of(manifest: Json) -> int:
    """Return how many records a manifest, which anybody may have written, says were left out."""
    journal = manifest.get("journal")
    left_out = journal.get("left_out") if isinstance(journal, dict) else None
    counts = left_out.values() if isinstance(left_out, dict) else ()
    return sum(count for count in counts if isinstance(count, int))


def systems_of(target: str, earlier_keys: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of a system: with its present key, and with those it was called with before.

    Raises:
        InvalidInput: an earlier key is not given by its fingerprint, or the system has no keys.

    """
    address, keyed, _ = target.partition(KEYED)
    for fingerprint in earlier_keys:
        if not keyed:
            raise InvalidInput("--earlier-key: the sandbox has no keys.", param="earlier_key", hint="Leave it out.")
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise InvalidInput(
                f"--earlier-key: {fingerprint!r} is no fingerprint of a key.",
                param="earlier_key",
                hint="It is eight characters of 0-9 and a-f, as `journal export` has them under target.",
            )
    return (target, *(f"{address}{KEYED}{fingerprint}" for fingerprint in earlier_keys))


def part_of(records: Iterable[Record], systems: tuple[str, ...]) -> JournalPart:
    """Return what is of these systems. What is of none stays: it tells of the journal itself, or is old."""
    part = JournalPart(systems)
    for record, target in with_targets(records):
        if target and target not in systems:
            part.left_out[target] += 1
            continue
        part.rows.append(
            {
                "seq": record.seq,
                "at": record.at,
                "kind": record.kind,
                "change": record.change,
                "target": target,
                "fields": record.fields,
            }
        )
    return part

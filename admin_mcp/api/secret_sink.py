"""Where the value of a newly made key goes: a file for the operator, so that no model sees it.

Three endpoints answer with a secret once. The sink is tried before such a call, because afterwards the value is lost.
"""

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApiError, OutcomeUnknown
from admin_mcp.private_files import private_directory, write_private
from admin_mcp.settings import SecretsMode

SUFFIX = ".key"


@dataclass(frozen=True, slots=True)
class SecretSink:
    """Files, readable by their owner alone, below the state directory."""

    directory: Path
    mode: SecretsMode

    def check(self) -> None:
        """Make sure a secret could be kept.

        Raises:
            ApiError: it could not. Nothing was sent.

        """
        if self.mode == "reveal":
            return
        try:
            private_directory(self.directory.parent)
            private_directory(self.directory)
            probe = self.directory / f".probe-{os.getpid()}"
            write_private(probe, b"")
            probe.unlink()
        except OSError as error:
            raise ApiError(
                f"The new key could not be saved ({error.strerror or error} at {self.directory}), so nothing was sent.",
                hint="The operator should make that directory writable or set ADMIN_MCP_STATE_DIR to another one.",
            ) from None

    def keep(self, answer: Json, place: tuple[str, ...]) -> Json:
        """Return the answer with its secret moved to a file: path and last four characters instead of the value.

        Raises:
            OutcomeUnknown: the key exists but its value could not be saved; the message has its id.

        """
        *parents, key = place
        holder = answer
        for parent in parents:
            holder = holder.get(parent) or {}
        value = holder.get(key)
        if self.mode == "reveal" or not isinstance(value, str):
            return answer
        try:
            path = self._save(value, str(holder.get("id", "unknown")))
        except OSError as error:
            reason = error.strerror or error
            raise OutcomeUnknown(
                f"Key {holder.get('id')} was made, but its value is lost: it could not be saved ({reason}).",
                hint="Delete that key and make another one once the state directory is writable.",
            ) from None
        kept = {name: item for name, item in holder.items() if name != key}
        kept |= {f"{key}_saved_to": str(path), f"{key}_last4": value[-4:]}
        for parent in reversed(parents):
            kept = {**answer, parent: kept}
        return kept

    def _save(self, value: str, key_id: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", key_id)[:80]
        for attempt in range(1000):
            path = self.directory / (f"{name}{SUFFIX}" if attempt == 0 else f"{name}-{attempt}{SUFFIX}")
            try:
                write_private(path, f"{value}\n".encode())
            except FileExistsError:
                continue
            return path
        raise FileExistsError(errno.EEXIST, f"too many files named {name}")

"""The key that seals a question's state on its way through the client, kept in a file so that it outlives a restart."""

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from admin_mcp.private_files import private_directory, require_private, write_private

logger = logging.getLogger(__name__)

FILE_NAME = "request-state.key"
_BYTES = 32


def request_state_key(directory: Path) -> bytes:
    """Return the key of this state directory, made if there is none; one for this process alone if it can't be kept."""
    path = directory / FILE_NAME
    try:
        private_directory(directory)
        if not path.exists():
            _make(path)
        require_private(path)
        key = path.read_bytes()
        if len(key) == _BYTES:
            return key
        reason = f"{path} is damaged; remove it"
    except OSError as error:
        reason = str(error)
    logger.warning("an approval form that is open now can't be answered after a restart: %s", reason)
    return secrets.token_bytes(_BYTES)


def _make(path: Path) -> None:
    """Make the file: written aside and linked, so that of several processes one wins and none reads half a key."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    write_private(aside, secrets.token_bytes(_BYTES))
    try:
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()

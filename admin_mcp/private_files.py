"""Files for this user alone: 0700 directories, 0600 files, and locks between processes. Knows nothing of their content.

What another user owns, or could read or write, is not used: whoever put it there could decide what is in it.
"""

import hashlib
import os
import shlex
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from admin_mcp.errors import AdminMcpError

if TYPE_CHECKING:
    import filelock

_POLL_SECONDS = 0.02
_WRITABLE = 0o022
_OPEN = 0o077
_LONGEST_PREFIX = 64


class NotPrivateError(AdminMcpError, PermissionError):
    """Another user owns it, or could read or write it; the message names it and the command that closes it."""


class LockBusyError(AdminMcpError):
    """Somebody else holds the lock."""


def private_directory(path: Path) -> None:
    """Make a directory that only its owner can use, if it is not there yet.

    One that others may only look into is taken as it is: what is in it is closed to them by itself.

    Raises:
        NotPrivateError: it is another user's, or others could put files into it. ``OSError``: it can't be made.

    """
    for missing in reversed([each for each in path.parents if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    _require(path, _WRITABLE, "go-w")


def require_private(path: Path) -> None:
    """Return if a file is this user's and closed to all others. It is looked at and never opened.

    Raises:
        NotPrivateError: it is not. ``OSError``: it is not there, or can't be looked at.

    """
    _require(path, _OPEN, "go-rwx")


def open_to_others(directory: Path) -> str | None:
    """Return the mode of a directory that other users may enter or list, as ``chmod`` takes it, or None."""
    mode = stat.S_IMODE(directory.stat().st_mode)
    return f"{mode:o}" if os.name == "posix" and mode & _OPEN else None


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read.

    Raises:
        OSError: it can't be written; ``FileExistsError`` if it is there already.

    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in place of one that may be there. Nobody sees half of it.

    Raises:
        OSError: it can't be written.

    """
    descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:_LONGEST_PREFIX]}.")  # 0600 by itself
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def lock_of_system(system: str) -> Path:
    """Return the path of the lock that all this user's servers of one target system share, by the system's identity.

    It depends on no setting: two servers with different state directories change the same organization. Without a home
    directory to write to, it is in the directory for temporary files.
    """
    name = f"{hashlib.sha256(system.encode()).hexdigest()}.lock"
    home = platformdirs.user_state_path("openai-admin-mcp") / "locks"
    try:
        if not home.is_absolute():
            raise FileNotFoundError("this user has no home directory")
        private_directory(home)
    except NotPrivateError:
        return home / name  # and not elsewhere: whoever locks it is told what is wrong with it
    except OSError:
        user = os.geteuid() if os.name == "posix" else "user"
        return Path(tempfile.gettempdir()) / f"openai-admin-mcp-{user}" / name
    return home / name


class FileLock:
    """A lock between processes that the operating system lifts when its holder ends, however it ends.

    Two of these exclude each other within one process as well. The file stays when the lock is let go.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: filelock.BaseFileLock | None = None

    def acquire(self, seconds: float = 0.0) -> None:
        """Take the lock.

        Raises:
            LockBusyError: somebody else held it for all that time. ``OSError``: the file can't be used.

        """
        import filelock  # noqa: PLC0415 - a server that only reads needs no lock

        private_directory(self._path.parent)
        # The lock may be let go by another thread than took it; only one ever holds this object.
        lock = filelock.FileLock(
            self._path,
            mode=0o600,
            thread_local=False,
            poll_interval=_POLL_SECONDS,
            fallback_to_soft=False,
            on_acquired=self._require_still_there,
        )
        end = time.monotonic() + seconds
        while True:
            try:
                if self._path.exists():
                    require_private(self._path)
                lock.acquire(timeout=max(0.0, end - time.monotonic()))
            except filelock.Timeout:
                raise LockBusyError(str(self._path)) from None
            except FileNotFoundError:  # removed, or replaced, while this waited for it
                if time.monotonic() > end:
                    raise LockBusyError(str(self._path)) from None
                time.sleep(_POLL_SECONDS)
                continue
            self._lock = lock
            return

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _require_still_there(self, descriptor: int) -> None:
        """Raise if the file that was locked is no longer the one at the path, where others would look for it."""
        if not os.path.samestat(os.fstat(descriptor), self._path.stat()):
            raise FileNotFoundError(f"{self._path} was replaced")


def _require(path: Path, forbidden: int, right: str) -> None:
    if os.name != "posix":
        return
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise NotPrivateError(
            f"{path} belongs to another user (uid {found.st_uid}, and this is uid {os.geteuid()}); "
            f"give it to this one (chown), or use another directory"
        )
    if others := stat.S_IMODE(found.st_mode) & forbidden:
        what = "written" if others & _WRITABLE else "read"
        raise NotPrivateError(
            f"{path} can be {what} by other users; take that right away (chmod {right} {shlex.quote(str(path))})"
        )

"""Whether a start is so usual that what the server would say of it is known without loading the server."""

import os
import sys

from admin_mcp.server.front_state import has_usual_journal, is_closed

_SWITCHES = {"ADMIN_MCP_OPEN_BROWSER", "ADMIN_MCP_DESKTOP_NOTIFICATIONS"}
_PLAIN = {"ADMIN_MCP_STATE_DIR", "ADMIN_MCP_APPROVAL_WAIT", "ADMIN_MCP_FRONT", *_SWITCHES}
_KEYS = ("OPENAI_ADMIN_KEY", "OPENAI_BASE_URL")
_KEY_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_HOST_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")
_PATH_LETTERS = _KEY_LETTERS | frozenset("/.")
_USUAL_ADDRESS = "https://api.openai.com/v1"
_OTHERS_WRITE = 0o022
_SEAL = 32
_COMPLETION = "_OPENAI_ADMIN_MCP_COMPLETE"
"""What a shell sets to have the command line completed by this very command."""

_DIGITS = 3
"""Of what is surely within the setting's bounds."""


def label_of(arguments: list[str]) -> str | None:
    """Return what is served, if arguments, environment and state are among the few known here to be right."""
    usual = os.name == "posix" and arguments in ([], ["serve"], ["--sandbox"]) and _has_usual_environment()
    if not usual or not _is_usual_state(os.environ.get("ADMIN_MCP_STATE_DIR") or _usual_directory()):
        return None
    key = os.environ.get("OPENAI_ADMIN_KEY", "")
    if arguments == ["--sandbox"]:
        return "the sandbox (a pretend organization)"
    if not key:
        return "no admin key is set (OPENAI_ADMIN_KEY)"
    import hashlib  # noqa: PLC0415 - only here

    fingerprint = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{os.environ.get('OPENAI_BASE_URL') or _USUAL_ADDRESS} with the key whose fingerprint is {fingerprint}"


def has_usual_streams() -> bool:
    """Whether stdin and stdout are to wait on and no terminal, and stderr takes a line without waiting."""
    import select  # noqa: PLC0415 - not on all platforms as it is needed here

    try:
        ready = sys.stderr is not None and bool(select.select([], [2], [], 0)[1])
        return ready and os.get_blocking(0) and os.get_blocking(1) and not os.isatty(0)
    except (OSError, ValueError):
        return False


def _has_usual_environment() -> bool:
    environ = os.environ
    ours = {name for name in environ if name.upper().startswith("ADMIN_MCP_") or name.upper() in _KEYS}
    key = environ.get("OPENAI_ADMIN_KEY", "")
    return (
        ours <= {*_PLAIN, *_KEYS}
        and not environ.get(_COMPLETION)
        and environ.get("ADMIN_MCP_FRONT", "1") == "1"
        and {environ.get(name, "0") for name in _SWITCHES} <= {"0", "1"}
        and _is_usual_wait(environ.get("ADMIN_MCP_APPROVAL_WAIT", "0"))
        and _is_usual_address(environ.get("OPENAI_BASE_URL") or _USUAL_ADDRESS)
        and _KEY_LETTERS.issuperset(key)
        and not key.startswith("REPLACE")
    )


def _is_usual_address(address: str) -> bool:
    """Whether an address is surely one that the settings take, and as it is."""
    scheme, _, rest = address.partition("://")
    host, _, path = rest.partition("/")
    name, _, port = host.partition(":")
    if scheme == "http":
        known = name == "127.0.0.1" and port.isascii() and port.isdecimal()
    else:
        known = scheme == "https" and host[:1].isalnum() and _HOST_LETTERS.issuperset(host)
    return known and _PATH_LETTERS.issuperset(path) and not address.endswith("/")


def _is_usual_wait(seconds: str) -> bool:
    return len(seconds) <= _DIGITS and seconds.isascii() and seconds.isdecimal()


def _usual_directory() -> str:
    import platformdirs  # noqa: PLC0415 - only where no directory is given

    return platformdirs.user_state_dir("openai-admin-mcp")


def _is_usual_state(directory: str) -> bool:
    """Whether the server would find nothing to tell of: a journal that is whole, or none and a place for one."""
    if not directory.startswith("/"):
        return False
    begun = any(os.path.lexists(f"{directory}/gate.sqlite3{end}") for end in ("", ".mark"))
    try:
        if not os.path.lexists(directory):
            return _takes_files(_nearest(directory))
        found = os.stat(directory)  # noqa: PTH116 - pathlib is not loaded
        ours = _is_ours(found, _OTHERS_WRITE) and _takes_files(directory)
        usual = ours and _has_usual_seal(f"{directory}/request-state.key")
        return usual and (not begun or has_usual_journal(directory))
    except OSError:
        return False


def _nearest(directory: str) -> str:
    while not os.path.lexists(directory):
        directory = directory.rpartition("/")[0] or "/"
    return directory


def _takes_files(directory: str) -> bool:
    return os.path.isdir(directory) and os.access(directory, os.W_OK | os.X_OK)  # noqa: PTH112 - as above


def _has_usual_seal(path: str) -> bool:
    return not os.path.lexists(path) or (is_closed(path) and os.lstat(path).st_size == _SEAL)


def _is_ours(found: os.stat_result, denied: int) -> bool:
    return os.name == "posix" and found.st_uid == os.geteuid() and not found.st_mode & denied

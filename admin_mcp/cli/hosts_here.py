"""The hosts on this machine as ``doctor`` shows them, a row each, from its own file. Nothing is started or written."""

import os.path
from collections.abc import Iterator, Mapping
from pathlib import Path

from admin_mcp.cli.host_files import KeyState, UnfitFileError, key_state, servers_of, switched_off, understood
from admin_mcp.cli.host_table import READ, Host
from admin_mcp.cli.hosts import host_file, read_file
from admin_mcp.cli.snippets import KEY, SERVER
from admin_mcp.cli.tables import Column, field
from admin_mcp.endpoints.schema import Json

COLUMNS = (
    Column("HOST", field("host")),
    Column("THIS SERVER", field("server")),
    Column("KEY", field("key")),
    Column("FILE", field("file")),
)

_KEYS: Mapping[KeyState, str] = {
    "not needed": "none needed",
    "missing": "missing",
    "in the file": "in the file",
    "asked for": "the host asks",
    "kept": "the host keeps it",
    "passed on": f"{KEY} of its environment",
}


def hosts_here() -> Iterator[Json]:
    """Yield a row for each host whose file, or the folder it belongs in, is on this machine."""
    for host in READ.values():
        path = host_file(host)
        # Some keep their file in the home directory itself, which is there for everybody.
        if os.path.lexists(path) or (path.parent != Path.home().resolve() and path.parent.is_dir()):
            server, key = _of_ours(host, path)
            yield {"host": host.name, "server": server, "key": key, "file": str(path)}


def _of_ours(host: Host, path: Path) -> tuple[str, str]:
    """Return in words what a host's file has of this server, and where its key comes from."""
    try:
        text = read_file(path)
        entry = servers_of(host.shape(), understood(host.shape(), text)).get(SERVER)
    except (OSError, UnicodeDecodeError, UnfitFileError):
        return "unreadable", ""
    if entry is None:
        return "no file yet" if text is None else "not in it", ""
    return "switched off" if switched_off(entry) else "in it", _KEYS[key_state(host.shape(), entry)]

"""One server's tables in a TOML file of a host's, exchanged as text, so that people's comments and order stay. Pure."""

import re
import tomllib

from admin_mcp.cli.snippets import SERVER, as_toml
from admin_mcp.endpoints.schema import Json

_HEADER = re.compile(r"\s*\[.*\]\s*(#.*)?")


def rewritten(text: str, section: str, after: Json) -> str:
    """Return the text with this server's tables as ``after`` has them; all else in it stays to the letter.

    Raises:
        ValueError: the text has them in a form that can't be exchanged, or holds what can't be written.

    """
    entry = after.get(section, {}).get(SERVER)
    try:
        ours = as_toml({section: {SERVER: entry}}) if entry is not None else ""
    except TypeError as error:
        raise ValueError(str(error)) from None
    # Not `splitlines`, which knows ends of lines that TOML does not.
    kept = "\n".join(_without(text.split("\n"), section)).strip("\r\n")
    between = "\n\n" if kept and ours else ""
    result = kept + with_ends_of(text, f"{between}{ours}\n")
    if not _same(result, after, section):
        raise ValueError(f"[{section}.{SERVER}] is written in a form that can't be exchanged safely")
    return result


def with_ends_of(text: str | None, new: str) -> str:
    """Return new text with its lines ended as those of a text that is there."""
    return new.replace("\n", "\r\n") if text and "\r\n" in text else new


def _same(text: str, wanted: Json, section: str) -> bool:
    """Whether the text says what is wanted; a section that has become empty may be gone."""
    try:
        said = tomllib.loads(text)
    except ValueError:
        return False
    return {section: {}, **said} == {section: {}, **wanted}


def _without(lines: list[str], section: str) -> list[str]:
    """Leave out this server's tables, but not comments that stand before the next one's header."""
    kept: list[str] = []
    held: list[str] = []  # blank lines and comments in a table of ours, which may belong to what follows
    inside = False
    for line in lines:
        if _HEADER.fullmatch(line):
            inside = _is_ours(line, section)
            kept += held
            held = []
        if not inside:
            kept.append(line)
        elif not line.strip() or line.lstrip().startswith("#"):
            held.append(line)
        else:
            held = []
    return kept + held


def _is_ours(header: str, section: str) -> bool:
    try:
        table = tomllib.loads(header.rstrip("\r"))
    except ValueError:
        return False
    return isinstance(servers := table.get(section), dict) and SERVER in servers

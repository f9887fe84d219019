"""Which permission is meant by its name, by the end of it, or by what people call it. Pure."""

import re
from collections.abc import Iterable

from admin_mcp.errors import InvalidInput
from admin_mcp.jobs.answers import names, one_line
from admin_mcp.jobs.names import Named, named, nearest_to

_SPOKEN = {
    "write": ("create", "creating", "add", "change", "edit", "delete", "manage", "update", "write"),
    "read": ("see", "view", "list", "get", "read"),
}
"""Words people use for what a permission's name ends with."""

_IDLE_WORDS = frozenset({"can", "the", "a", "to", "of", "in", "api", "organization", "project", "permission"})


def named_permission(given: str, known: Iterable[str]) -> str:
    """Return the permission that is meant: its name, the end of it, or what people call it ("create API keys").

    Raises:
        InvalidInput: no role carries such a permission, or several fit.

    """
    listed = sorted(known)
    given = named("permission", given)
    if given in listed:
        return given
    asked = _words(given)
    fitting = [name for name in listed if asked and asked <= _words(name)]
    if len(fitting) == 1:
        return fitting[0]
    near = fitting or [thing.id for thing in nearest_to(given, [Named("permission", name, name) for name in listed])]
    which = f"may be any of {len(fitting)}" if fitting else "is carried by no role"
    raise InvalidInput(
        f"permission: {one_line(given)!r} {which}; {'there are' if near else 'no role carries any'} "
        f"{names(near or listed)}".rstrip()
        + ".",
        param="permission",
        hint="Give one of them. What no role carries, only owners of the organization may do.",
    )


def _words(text: str) -> set[str]:
    """Return the words of a permission or of a wish, in one form: singular, and as permissions are called."""
    words = {word.removesuffix("s") for word in re.findall(r"[a-z]+", text.casefold())}
    spoken = {formal: {word.removesuffix("s") for word in said} for formal, said in _SPOKEN.items()}
    formal = {next((name for name, said in spoken.items() if word in said), word) for word in words}
    return formal - {word.removesuffix("s") for word in _IDLE_WORDS}

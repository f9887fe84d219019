"""What was read about a change, and how the things in it are called so that a person can tell them apart. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.text import LONGEST, folded, quoted, spelt_out, visible

Missing = Literal["absent", "unreadable"]
"""Why there is no object: the API has none (404), or the key may not see it (403)."""

Lookup = Json | Missing

Namesakes = Literal["none", "some", "unknown"]
"""Whether other things of the same kind have the same name; ``unknown`` where there are too many to look at."""

PERSON = "user_id"
"""The argument that names a person, wherever it stands."""

SET_AS = {"expires_in_seconds": "expires_at"}
"""What is read under another name than it is set."""

NAME_KEYS = ("name", "group_name", "email", "redacted_value")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the preview's reads answered.

    ``state`` is the thing to be changed, None where there is nothing to read; ``own`` is the id field that names it,
    and ``once`` marks a thing that exists once per organization or project, and may be unset. ``names`` has, by id
    field, the other things the request names. ``affected`` has, by kind, how many things go or lose something with it,
    in words. ``roles`` lists the roles that a group carries, where somebody joins it. ``withheld``: the model may not
    be told all of this.
    """

    state: Lookup | None
    own: str | None
    names: Mapping[str, Lookup]
    affected: Mapping[str, str] = field(default_factory=dict)
    once: bool = False
    roles: Lookup | None = None
    namesakes: Namesakes = "none"
    withheld: bool = False

    def thing(self, name: str) -> Lookup | None:
        """Return what an id field of the request names, if it was read."""
        return self.state if name == self.own else self.names.get(name)

    def before(self, name: str) -> tuple[object] | None:
        """Return a body field's present value, as a tuple of one, or None if it is not known.

        Some are named after their resource: ``role_name`` is a role's ``name``.
        """
        if not isinstance(self.state, dict):
            return None
        for key in (name, name.rpartition("_")[2], SET_AS.get(name, name)):
            if key in self.state and key != "id":
                return (self.state[key],)
        return None


def body_of(call: Endpoint) -> Json:
    """Return the fields of a call that do not stand in its path, as JSON values."""
    return call.model_dump(mode="json", exclude_unset=True, exclude=set(type(call).SPEC.path_fields))


def name_of(found: Lookup | None) -> str | None:
    """Return the name a thing goes by. A person is known by more: see ``email_of``."""
    for source in _sources(found):
        for key in NAME_KEYS:
            if isinstance(name := source.get(key), str) and name:
                return name
    return None


def email_of(found: Lookup | None) -> str | None:
    """Return a person's e-mail address, which is theirs alone and not of their own choosing."""
    for source in _sources(found):
        if isinstance(email := source.get("email"), str) and email:
            return email
    return None


def described(name: str, value: str, found: Lookup | None) -> str:
    """Return a thing as a person knows it: a person as ``“Name” <e-mail> (id)``, anything else as ``“Name” (id)``."""
    if found == "unreadable":
        return f"{visible(value)} (its name is unreadable with this key)"
    if found == "absent":
        return f"{visible(value)} (not found)"
    called, email = name_of(found), email_of(found) if name == PERSON else None
    parts = [quoted(called)] if called and called != email else []
    parts += [f"<{address(email)}>"] if email else []
    return " ".join([*parts, f"({visible(value)})"]) if parts else visible(value)


def address(email: str, longest: int = LONGEST) -> str:
    """Return an e-mail address, marked if it holds letters that only look like those of an ordinary one."""
    shown = "".join(
        spelt_out(character) if character in "<>\"' " else character for character in visible(email, longest)
    )
    return shown if email.isascii() else f"{shown} (NOT plain ASCII)"


def same_name(one: str, other: str) -> bool:
    """Whether a person could take two names for one: case, width, blanks and invisible characters don't tell them."""
    return folded(one) == folded(other)


def namesakes(thing: Lookup | None, page: Json | None) -> Namesakes:
    """Return whether a list has another thing of the same name; ``page`` is its first page, None if unreadable."""
    name = name_of(thing)
    if not isinstance(thing, dict) or name is None or page is None:
        return "unknown"
    for other in page["data"]:
        called = name_of(other)
        if called and same_name(called, name) and _identity(other) != _identity(thing):
            return "some"
    return "unknown" if page.get("has_more") else "none"


def _identity(thing: Json) -> object:
    return thing.get("id") or thing.get("group_id")


def _sources(found: Lookup | None) -> Iterator[Json]:
    if isinstance(found, dict):
        yield found
        if isinstance(nested := found.get("user"), dict):
            yield nested


def permissions_of(role: Lookup | None) -> list[str] | None:
    """Return what a role permits, or None if that can't be told."""
    permissions = role.get("permissions") if isinstance(role, dict) else None
    return [str(each) for each in permissions] if isinstance(permissions, list) else None

"""A change with what was read about it, and how the things and people in it are called in a sentence. Pure."""

from dataclasses import dataclass

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.effects import role_rank
from admin_mcp.gate.snapshot import PERSON, Snapshot, address, body_of, described, email_of, name_of
from admin_mcp.gate.text import visible

ORGANIZATION = "the organization"
OWNER_RANK = role_rank("owner")
MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class DescribedChange:
    """A call and what was read about it."""

    call: Endpoint
    seen: Snapshot

    @property
    def body(self) -> Json:
        """The fields that do not stand in the path."""
        return body_of(self.call)

    def value(self, name: str) -> str | None:
        """Return a field's value if it is text."""
        given = getattr(self.call, name, None)
        return given if isinstance(given, str) else None

    def thing(self, name: str) -> str:
        """Describe what an id field of the call names."""
        return described(name, self.value(name) or "", self.seen.thing(name))

    @property
    def person(self) -> str:
        """Name whom it is about."""
        email = self.value("email")
        if self.value(PERSON) is None:
            return f"<{address(email)}>" if email else "somebody"
        other = email and email != email_of(self.seen.thing(PERSON))
        return f"{self.thing(PERSON)}{f' (the call names <{address(email)}> as well)' if email and other else ''}"

    @property
    def whole(self) -> str:
        """Name what the change is made in: a project, or the organization."""
        return f"project {self.thing('project_id')}" if self.value("project_id") else ORGANIZATION

    @property
    def place(self) -> str:
        """Name the place of the change where it is a project or a group."""
        if self.value("project_id") and self.seen.own != "project_id":
            return f" in {self.whole}"
        if self.value("group_id") and self.seen.own not in {"group_id", None}:
            return f" in group {self.thing('group_id')}"
        return ""

    @property
    def named_role(self) -> str:
        """Name the role that ``role_id`` is, loud if it is the owner's."""
        name = name_of(self.seen.thing("role_id"))
        if name and name.strip().casefold() == "owner":
            return f"the OWNER role ({visible(self.value('role_id') or '')})"
        return f"the role {self.thing('role_id')}"

    @property
    def fields(self) -> str:
        """Name the fields that are set."""
        return ", ".join(self.body)

    def before(self, name: str) -> object:
        """Return a field's present value, or None where there is none or it is not known."""
        found = self.seen.before(name)
        return found[0] if found else None


def called(role: object) -> str:
    """Return a role's name, loud where it gives power."""
    shown = visible(str(role))
    return shown.upper() if role_rank(role) >= OWNER_RANK else shown


def listed(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(visible(name) for name in names[:MOST_LISTED])
    return f"{shown} and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else shown


def money(cents: object) -> str:
    """Return an amount of US cents in dollars."""
    # Whole numbers only: a float can't hold every amount that an argument may be.
    return f"{cents // 100}.{cents % 100:02d} USD" if isinstance(cents, int) else "an unreadable amount"

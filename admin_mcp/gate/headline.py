"""What a change comes to, in one sentence a person can't misread: the consequence, not the tool's name. Pure.

Most sentences follow from the tool's verb, its resource and what was read. Those that move power say who gets how much.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.effects import powerful, role_rank, widened
from admin_mcp.gate.seen import PERSON, Found, Seen, address, body_of, described, email_of, name_of
from admin_mcp.gate.text import quoted, visible

_ORGANIZATION = "the organization"
_OWNER_RANK = role_rank("owner")
_MOST_LISTED = 5


def headline(call: Endpoint, seen: Seen) -> str:
    """Return the sentence, without its full stop."""
    change = _Change(call, seen)
    return _SENTENCES.get(type(call).SPEC.name, _ordinary)(change)


def key_note(seen: Seen) -> str | None:
    """Say when the key that goes was last used, or None if it is no key. It may differ at every look."""
    state = seen.state
    if not isinstance(state, dict) or "last_used_at" not in state or "redacted_value" not in state:
        return None
    used = state["last_used_at"]
    return f"on {_day(used)}" if isinstance(used, int) and used > 0 else "never"


@dataclass(frozen=True, slots=True)
class _Change:
    """A call and what was read about it."""

    call: Endpoint
    seen: Seen

    @property
    def body(self) -> Json:
        return body_of(self.call)

    def value(self, name: str) -> str | None:
        given = getattr(self.call, name, None)
        return given if isinstance(given, str) else None

    def thing(self, name: str) -> str:
        """Describe what an id field of the call names."""
        return described(name, self.value(name) or "", self.seen.thing(name))

    @property
    def person(self) -> str:
        if self.value(PERSON) is not None:
            return self.thing(PERSON)
        email = self.value("email")
        return f"<{address(email)}>" if email else "somebody"

    @property
    def whole(self) -> str:
        """Name what the change is made in: a project, or the organization."""
        return f"project {self.thing('project_id')}" if self.value("project_id") else _ORGANIZATION

    @property
    def place(self) -> str:
        """Name the place of the change where it is a project or a group."""
        if self.value("project_id") and self.seen.own != "project_id":
            return f" in {self.whole}"
        if self.value("group_id") and self.seen.own not in {"group_id", None}:
            return f" in group {self.thing('group_id')}"
        return ""


def _update_member(change: _Change) -> str:
    role = change.value("role")
    if role is not None:
        return f"Make {change.person} {_as(role)} of {change.whole}{_now(change)}"
    if change.value("role_id"):
        return f"Give {change.person} the role {change.thing('role_id')} in {change.whole}"
    return f"Change {change.person}: {', '.join(change.body)}"


def _update_service_account(change: _Change) -> str:
    account, role = f"service account {change.thing('service_account_id')}", change.value("role")
    if role is not None:
        return f"Make {account} {_as(role)} of {change.whole}{_now(change)}"
    return f"Change {account} in {change.whole}: {', '.join(change.body)}"


def _create_project_user(change: _Change) -> str:
    return f"Add {change.person} to {change.whole} as {_called(change.value('role') or '')}"


def _create_invite(change: _Change) -> str:
    body = change.body
    sentence = f"Invite <{address(str(body.get('email')))}> to {_ORGANIZATION} as {_called(str(body.get('role')))}"
    projects = body.get("projects") or []
    named = [_invited(change.seen, at, project) for at, project in enumerate(projects[:_MOST_LISTED])]
    more = f" and {len(projects) - len(named)} more" if len(projects) > len(named) else ""
    return f"{sentence}, with {', '.join(named)}{more}" if named else sentence


def _invited(seen: Seen, at: int, project: Mapping[str, object]) -> str:
    place = described("project_id", str(project["id"]), seen.names.get(f"projects[{at}].id"))
    return f"project {place} as {_called(str(project.get('role')))}"


def _assign_role(change: _Change) -> str:
    role = change.seen.thing("role_id")
    strong = " (a role with power to change things)" if powerful(role) else ""
    return f"Give {_holder(change)} the role {change.thing('role_id')}{strong} in {change.whole}"


def _unassign_role(change: _Change) -> str:
    return f"Take the role {change.thing('role_id')} in {change.whole} away from {_holder(change)}"


def _add_group_user(change: _Change) -> str:
    return f"Put {change.person} into group {change.thing('group_id')}, which carries {carried(change.seen.roles)}"


def _add_project_group(change: _Change) -> str:
    group = f"group {change.thing('group_id')}, with all its members,"
    return f"Let {group} into {change.whole} with the role {change.thing('role')}"


def _update_role(change: _Change) -> str:
    role = f"role {change.thing('role_id')}"
    if added := widened(change.body, change.seen):
        return f"Let everyone who has {role} in {change.whole} do more: {_listed(added)}"
    return f"Change {role} in {change.whole}: {', '.join(change.body)}"


def _create_admin_key(change: _Change) -> str:
    return f"Create an admin API key {quoted(change.value('name') or '')}, which can administer {_ORGANIZATION}"


def _create_account_key(change: _Change) -> str:
    return f"Create an API key for service account {change.thing('service_account_id')} in {change.whole}"


def _create_federation_rule(change: _Change) -> str:
    account = change.thing("service_account_id")
    provider = change.thing("workload_identity_provider_id")
    return f"Let outside workloads of {provider} act as service account {account} in {change.whole}"


def _update_federation_rule(change: _Change) -> str:
    rule = change.thing("workload_identity_federation_rule_id")
    return f"Change federation rule {rule}, by which outside workloads get in: {', '.join(change.body)}"


def _update_identity_provider(change: _Change) -> str:
    provider = change.thing("workload_identity_provider_id")
    return f"Change which outside workloads are trusted through {provider}: {', '.join(change.body)}"


def _ordinary(change: _Change) -> str:
    spec = type(change.call).SPEC
    verb, noun = _words(spec.name)
    if change.seen.once:
        first = " for the first time" if change.seen.state == "absent" else ""
        return f"{'Delete' if spec.effect == 'destroy' else 'Set'} the {noun} of {change.whole}{first}"
    if change.seen.own is not None:
        thing = change.thing(change.seen.own)
        owner = _owner(change.seen.state)
        return f"{verb} {noun} {thing}{f' of {owner}' if owner else ''}{change.place}"
    last = spec.path_fields[-1] if spec.path_fields else None
    if last not in {None, "project_id", "group_id"}:
        return f"{verb} {noun} {change.thing(str(last))}{change.place}"
    name = next((value for key in ("name", "role_name") if (value := change.value(key))), None)
    return f"{verb} {noun}{f' {quoted(name)}' if name else ''}{change.place or _in_organization(spec.name)}"


_SENTENCES: dict[str, Callable[[_Change], str]] = {
    "update_user": _update_member,
    "update_project_user": _update_member,
    "update_project_service_account": _update_service_account,
    "create_project_user": _create_project_user,
    "create_invite": _create_invite,
    "assign_user_role": _assign_role,
    "assign_group_role": _assign_role,
    "assign_project_user_role": _assign_role,
    "assign_project_group_role": _assign_role,
    "unassign_user_role": _unassign_role,
    "unassign_group_role": _unassign_role,
    "unassign_project_user_role": _unassign_role,
    "unassign_project_group_role": _unassign_role,
    "add_group_user": _add_group_user,
    "add_project_group": _add_project_group,
    "update_role": _update_role,
    "update_project_role": _update_role,
    "create_admin_api_key": _create_admin_key,
    "create_service_account_api_key": _create_account_key,
    "create_federation_rule": _create_federation_rule,
    "update_federation_rule": _update_federation_rule,
    "update_workload_identity_provider": _update_identity_provider,
}


def carried(roles: Found | None) -> str:
    """Say which roles a group carries in the organization, given the list of them."""
    if not isinstance(roles, dict) or not isinstance(rows := roles.get("data"), list):
        return "roles that are unreadable with this key"
    names = [quoted(name_of(row) or "a role without a name") for row in rows if isinstance(row, dict)]
    more = " and more" if roles.get("has_more") else ""
    return f"the role{'s' if len(names) > 1 else ''} {', '.join(names)}{more}" if names else "no organization role"


def _holder(change: _Change) -> str:
    return change.person if change.value(PERSON) else f"group {change.thing('group_id')}"


def _owner(state: Found | None) -> str:
    """Name the owner of a key."""
    owner = state.get("owner") if isinstance(state, dict) else None
    if not isinstance(owner, dict):
        return ""
    inner = next((part for part in (owner.get("user"), owner.get("service_account")) if isinstance(part, dict)), owner)
    kind = PERSON if email_of(inner) else "service_account_id"
    return described(kind, str(inner.get("id", "")), inner) if inner.get("id") else ""


def _as(role: str) -> str:
    called = _called(role)
    article = "an" if called[:1] in "aeiouAEIOU" else "a"
    return f"{article} {called}"


def _called(role: str) -> str:
    """Return a role's name, loud where it gives power."""
    return visible(role).upper() if role_rank(role) >= _OWNER_RANK else visible(role)


def _now(change: _Change) -> str:
    before = change.seen.before("role")
    return f" (now {visible(before[0])})" if before and isinstance(before[0], str) and before[0] else ""


def _listed(names: list[str]) -> str:
    shown = ", ".join(visible(name) for name in names[:_MOST_LISTED])
    return f"{shown} and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else shown


def _words(tool: str) -> tuple[str, str]:
    """Return a tool's verb and what it acts on, without the place."""
    verb, _, rest = tool.partition("_")
    place, _, inner = rest.partition("_")
    noun = inner if place in {"project", "organization", "group"} and inner else rest
    return verb.capitalize(), noun.replace("_", " ").replace("api", "API")


def _in_organization(tool: str) -> str:
    return f" for {_ORGANIZATION}" if "organization" in tool or "certificates" in tool else ""


def _day(seconds: int) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - only keys need it

    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return "an unreadable date"

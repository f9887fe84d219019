"""What a change of somebody's access comes to: who can do how much afterwards. Pure."""

from collections.abc import Callable, Mapping

from admin_mcp.gate.described_change import MOST_LISTED, ORGANIZATION, OWNER_RANK, DescribedChange, called, listed
from admin_mcp.gate.effects import harmless, powerful, role_rank, widened
from admin_mcp.gate.snapshot import PERSON, Lookup, Snapshot, address, described, name_of
from admin_mcp.gate.text import quoted, visible


def _update_member(change: DescribedChange) -> str:
    role, more = change.value("role"), change.value("role_id")
    if role is None and more is None:
        return f"Change {change.person}: {change.fields}"
    if role is None:
        return f"Give {change.person} {change.named_role} in {change.whole}"
    besides = f", and give them {change.named_role}" if more else ""
    if _is_demoted(change, role):
        return f"Take ownership of {change.whole} from {change.person}: {visible(role)} instead of owner{besides}"
    return f"Make {change.person} {_as(role)} of {change.whole}{_now(change)}{besides}"


def _is_demoted(change: DescribedChange, role: str) -> bool:
    before = change.before("role")
    return isinstance(before, str) and role_rank(before) >= OWNER_RANK > role_rank(role)


def _delete_user(change: DescribedChange) -> str:
    owner = ", an OWNER," if role_rank(change.before("role") or "none") >= OWNER_RANK else ""
    return f"Remove {change.person}{owner} from {ORGANIZATION}"


def _delete_project_user(change: DescribedChange) -> str:
    role = change.before("role")
    return f"Remove {change.person} from {change.whole}{f', where they are {called(role)}' if role else ''}"


def _remove_group_user(change: DescribedChange) -> str:
    return f"Remove {change.person} from group {change.thing('group_id')}"


def _update_service_account(change: DescribedChange) -> str:
    account, role = f"service account {change.thing('service_account_id')}", change.value("role")
    if role is not None:
        return f"Make {account} {_as(role)} of {change.whole}{_now(change)}"
    return f"Change {account} in {change.whole}: {change.fields}"


def _delete_service_account(change: DescribedChange) -> str:
    account = f"service account {change.thing('service_account_id')} of {change.whole}"
    return f"Delete {account}: its API keys stop working"


def _create_project_user(change: DescribedChange) -> str:
    return f"Add {change.person} to {change.whole} as {called(change.value('role') or '')}"


def _create_invite(change: DescribedChange) -> str:
    body = change.body
    sentence = f"Invite <{address(str(body.get('email')))}> to {ORGANIZATION} as {called(body.get('role'))}"
    projects = list(enumerate(body.get("projects") or []))
    # What gives the most comes first, so that it is not among those left out.
    projects.sort(key=lambda each: -role_rank(each[1].get("role")))
    named = [_invited(change.seen, at, project) for at, project in projects[:MOST_LISTED]]
    more = f" and {len(projects) - len(named)} more" if len(projects) > len(named) else ""
    return f"{sentence}, with {', '.join(named)}{more}" if named else sentence


def _invited(seen: Snapshot, at: int, project: Mapping[str, object]) -> str:
    place = described("project_id", str(project["id"]), seen.names.get(f"projects[{at}].id"))
    return f"project {place} as {called(project.get('role'))}"


def _assign_role(change: DescribedChange) -> str:
    strong = " (a role with power to change things)" if powerful(change.seen.thing("role_id")) else ""
    return f"Give {_holder(change)} {change.named_role}{strong} in {change.whole}"


def _add_group_user(change: DescribedChange) -> str:
    gets = f"they get all that it may do ({carried(change.seen.roles)}; its roles in projects were not looked up)"
    return f"Put {change.person} into group {change.thing('group_id')}: {gets}"


def _add_project_group(change: DescribedChange) -> str:
    group = f"group {change.thing('group_id')}, with all its members,"
    role = change.seen.thing("role")
    strong = " (a role with power to change things)" if powerful(role) else ""
    named = "the OWNER role" if (name_of(role) or "").casefold() == "owner" else f"the role {change.thing('role')}"
    return f"Let {group} into {change.whole} with {named}{strong}"


def _update_role(change: DescribedChange) -> str:
    role = f"role {change.thing('role_id')}"
    if added := widened(change.body, change.seen):
        gravest_first = sorted(added, key=harmless)
        return f"Let everyone who has {role} in {change.whole} do more: {listed(gravest_first)}"
    return f"Change {role} in {change.whole}: {change.fields}"


def _delete_role(change: DescribedChange) -> str:
    return f"Delete role {change.thing('role_id')}{change.place}: everyone who has it loses what it allows"


def _delete_group(change: DescribedChange) -> str:
    count = change.seen.affected.get("users", "unknown")
    return f"Delete group {change.thing('group_id')}: its members ({count}) lose all that it gives them"


def _create_admin_key(change: DescribedChange) -> str:
    return f"Create an admin API key {quoted(change.value('name') or '')}, which can administer {ORGANIZATION}"


def _create_account_key(change: DescribedChange) -> str:
    return f"Create an API key for service account {change.thing('service_account_id')} in {change.whole}"


def _create_federation_rule(change: DescribedChange) -> str:
    account = change.thing("service_account_id")
    provider = change.thing("workload_identity_provider_id")
    return f"Let outside workloads of {provider} act as service account {account} in {change.whole}"


def _unassign_role(change: DescribedChange) -> str:
    return f"Take the role {change.thing('role_id')} in {change.whole} away from {_holder(change)}"


def _update_key(change: DescribedChange) -> str:
    key = f"API key {change.thing('api_key_id')} in {change.whole}"
    if added := widened(change.body, change.seen):
        return f"Let {key} do more: {listed(sorted(added, key=harmless))}"
    return f"Change {key}: {change.fields}"


def _update_federation_rule(change: DescribedChange) -> str:
    rule = change.thing("workload_identity_federation_rule_id")
    return f"Change federation rule {rule}, by which outside workloads get in: {change.fields}"


def _update_identity_provider(change: DescribedChange) -> str:
    provider = change.thing("workload_identity_provider_id")
    return f"Change which outside workloads are trusted through {provider}: {change.fields}"


SENTENCES: dict[str, Callable[[DescribedChange], str]] = {
    "update_user": _update_member,
    "update_project_user": _update_member,
    "delete_user": _delete_user,
    "delete_project_user": _delete_project_user,
    "remove_group_user": _remove_group_user,
    "update_project_service_account": _update_service_account,
    "delete_project_service_account": _delete_service_account,
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
    "delete_group": _delete_group,
    "update_role": _update_role,
    "update_project_role": _update_role,
    "delete_role": _delete_role,
    "delete_project_role": _delete_role,
    "create_admin_api_key": _create_admin_key,
    "create_service_account_api_key": _create_account_key,
    "update_project_api_key": _update_key,
    "create_federation_rule": _create_federation_rule,
    "update_federation_rule": _update_federation_rule,
    "update_workload_identity_provider": _update_identity_provider,
}
"""By tool. The others' sentences follow from their names."""


def carried(roles: Lookup | None) -> str:
    """Say which roles a group carries in the organization, given the list of them."""
    if not isinstance(roles, dict) or not isinstance(rows := roles.get("data"), list):
        return "roles that are unreadable with this key"
    names = sorted(quoted(name_of(row) or "a role without a name") for row in rows if isinstance(row, dict))
    more = " and more" if roles.get("has_more") else ""
    return f"the role{'s' if len(names) > 1 else ''} {', '.join(names)}{more}" if names else "no organization role"


def _holder(change: DescribedChange) -> str:
    return change.person if change.value(PERSON) else f"group {change.thing('group_id')}"


def _as(role: str) -> str:
    name = called(role)
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def _now(change: DescribedChange) -> str:
    before = change.before("role")
    return f" (now {visible(before)})" if isinstance(before, str) and before else ""

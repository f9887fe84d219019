"""``plan_offboarding``: everything a person can get in with is taken away, the gravest first, they themselves last."""

from typing import Annotated

from pydantic import Field

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.jobs.base import Draft, DraftStep, Playbook
from admin_mcp.jobs.naming import find_user, label
from admin_mcp.jobs.person_access import (
    Access,
    everywhere,
    key_label,
    pending_invites,
    read_access,
    read_survivors,
    resources_note,
    survivor_notes,
)
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.steps import Fitted, fitted, gaps, left_over


class PlanOffboarding(Playbook, toolsets=("people", "security")):
    """Draft the plan that ends all of a person's access: own keys, roles, groups, projects, invites, membership. For an
    emergency use plan_lockdown.
    """

    user: Annotated[str, Field(min_length=1, max_length=320, description="Id, email or full name.")]

    async def draft(self, reader: Reader) -> Draft:
        """Read all that the person has."""
        try:
            user = await find_user(reader, self.user, "user")
        except InvalidInput:
            if "@" in self.user and (invites := await pending_invites(reader, self.user)):
                return invited_only(invites, gaps(reader.unread))
            raise
        refuse_managed(user)
        access = await read_access(reader, user, await everywhere(reader), keys=True)
        survivors = await read_survivors(reader, access)
        notes = [
            *own_key_note(access),
            *survivor_notes(survivors),
            resources_note(access),
            *managed_groups(access),
            *gaps(reader.unread),
        ]
        fit = fitted_steps(access)
        return Draft(f"Off-board {label(user)}", fit.steps, (*_how_to_go_on(fit), *notes))


def refuse_managed(user: Json) -> None:
    """Refuse a person whom the identity provider would only bring back."""
    if user.get("is_scim_managed") is True:
        raise InvalidInput(
            f"{label(user)} is managed by SCIM: do it in your identity provider, which would bring them back.",
            param="user",
            hint="Tell the user to remove the person there. plan_lockdown can delete the person's own keys meanwhile.",
        )


def invited_only(invites: tuple[Json, ...], notes: list[str]) -> Draft:
    """Return the plan for somebody who was invited and has not joined."""
    fit = fitted([_step("delete_invite", "the invite could still be accepted", invite_id=one["id"]) for one in invites])
    email = label({"id": invites[0]["id"], "email": invites[0].get("email")})
    joined = "They have not joined the organization, so only the invite has to be withdrawn."
    return Draft(f"Withdraw the invite of {email}", fit.steps, (joined, *_how_to_go_on(fit), *notes))


def fitted_steps(access: Access) -> Fitted:
    """Return the steps as far as they fit into one plan. An owner whose leaving takes several is demoted first."""
    steps = offboarding_steps(access)
    fit = fitted(steps)
    if fit.left and access.user.get("role") == "owner":
        demote = _step("update_user", "no owner while the rest is done", user_id=access.user["id"], role="reader")
        return fitted([demote, *steps])
    return fit


def offboarding_steps(access: Access) -> list[DraftStep]:
    """Return every step: keys, then roles that reach far, then memberships, then the person."""
    user_id = access.user["id"]
    steps = [
        _step("delete_admin_api_key", f"admin key {key_label(key)}", key_id=key["id"]) for key in access.admin_keys
    ]
    steps += [
        _step(
            "delete_project_api_key",
            f"their own key {key_label(key)}",
            project_id=each.project["id"],
            api_key_id=key["id"],
        )
        for each in access.projects
        for key in each.keys
    ]
    steps += [
        _step("delete_invite", "an invite to their address could let them back in", invite_id=invite["id"])
        for invite in access.invites
    ]
    steps += [
        _step("unassign_user_role", f"organization role {label(role)}", user_id=user_id, role_id=role["id"])
        for role in access.roles
    ]
    steps += [
        _step("remove_group_user", f"group {label(group)}", group_id=group["id"], user_id=user_id)
        for group in access.groups
        if group.get("is_scim_managed") is not True
    ]
    for each in access.projects:
        place = {"project_id": each.project["id"], "user_id": user_id}
        steps += [
            _step("unassign_project_user_role", f"project role {label(role)}", **place, role_id=role["id"])
            for role in each.roles
        ]
        if each.role is not None:
            steps.append(_step("delete_project_user", f"project {label(each.project)}", **place))
    return [*steps, _step("delete_user", "ends what is left", user_id=user_id)]


def managed_groups(access: Access) -> list[str]:
    """Return the notes on groups that only the identity provider changes."""
    return [
        f"Group {label(group)} is managed by SCIM: this membership ends with the person's own, or in the provider."
        for group in access.groups
        if group.get("is_scim_managed") is True
    ]


def own_key_note(access: Access) -> list[str]:
    """Return what to know before a person's admin keys are deleted."""
    if not access.admin_keys:
        return []
    return [
        "If this server itself uses one of these admin keys, the step is refused: it needs another person's key first."
    ]


def _how_to_go_on(fit: Fitted) -> list[str]:
    return left_over(
        fit,
        "The person stays a member until the last step: apply this plan, then call plan_offboarding again for the "
        "rest. plan_lockdown removes a person at once.",
    )


def _step(tool: str, why: str, **arguments: object) -> DraftStep:
    return DraftStep(tool, arguments, why)

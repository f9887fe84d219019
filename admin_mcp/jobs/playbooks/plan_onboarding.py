"""``plan_onboarding``: people get an invite, or, where they are members already, what they still lack."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.gate.snapshot import address
from admin_mcp.gate.text import folded, quoted, visible
from admin_mcp.jobs.base import Draft, DraftStep, Playbook
from admin_mcp.jobs.naming import all_chosen, chosen, find_user, label, labels, matches, rows
from admin_mcp.jobs.person_access import Access, Extent, everywhere, is_pending, read_access, same_address
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.steps import fitted, gaps, left_over

_OWN_ROLES = ("owner", "member")
_MOST_PEOPLE = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What each of the people shall have. A project comes with the role in it, a project role with its project."""

    groups: tuple[Json, ...] = ()
    projects: tuple[tuple[Json, str], ...] = ()
    roles: tuple[Json, ...] = ()
    project_roles: tuple[tuple[Json, Json], ...] = ()
    organization_role: Literal["owner", "reader"] | None = None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One of the people as they are now: a member with what they have, invited, or neither."""

    email: str
    access: Access | None = None
    invite: Json | None = None


class PlanOnboarding(Playbook, toolsets=("people", "projects")):
    """Draft the plan that brings people in: invites for outsiders, what is missing for members. Say what by id or
    name, or like which user.
    """

    emails: Annotated[list[str], Field(min_length=1, max_length=_MOST_PEOPLE)]
    groups: list[str] = Field(default_factory=list)
    projects: list[str] = Field(default_factory=list)
    like_user: str | None = None
    role: Literal["owner", "reader"] | None = Field(None, description="In the organization.")

    async def draft(self, reader: Reader) -> Draft:
        """Read what is wanted, and what each of the people has of it."""
        emails = addresses(self.emails)
        wanted, notes = await self._wanted(reader)
        invites = await reader.attempt("the invites, so one may be sent twice", rows(reader, "list_invites")) or []
        users = await rows(reader, "list_users", emails=list(dict.fromkeys([*emails, *map(str.lower, emails)])))

        async def newcomer(email: str) -> Newcomer:
            return await _newcomer(reader, email, users, invites, wanted)

        people = await reader.each(emails, newcomer)
        fit = fitted([step for person in people for step in onboarding_steps(person, wanted)])
        notes += [note for person in people for note in onboarding_notes(person, wanted)]
        notes += left_over(fit, "Apply this plan, then call plan_onboarding again with the same arguments.")
        return Draft(title_of(people), fit.steps, (*notes, *gaps(reader.unread)))

    async def _wanted(self, reader: Reader) -> tuple[Wanted, list[str]]:
        groups = await rows(reader, "list_groups") if self.groups else []
        projects = await rows(reader, "list_projects") if self.projects else []
        named = Wanted(
            groups=all_chosen(self.groups, groups, "group", "groups"),
            projects=tuple((one, "member") for one in all_chosen(self.projects, projects, "project", "projects")),
            organization_role=self.role,
        )
        if self.like_user is None:
            return without_managed(named, [])
        user = await find_user(reader, self.like_user, "like_user")
        model = await read_access(reader, user, await everywhere(reader), keys=False)
        return without_managed(*like(model, named))


def addresses(emails: Sequence[str]) -> list[str]:
    """Return the addresses, each once.

    Raises:
        InvalidInput: one is no address.

    """
    stripped = [email.strip() for email in emails]
    for email in stripped:
        name, _, host = email.rpartition("@")
        if not name or not host or not email.isprintable() or " " in email:
            raise InvalidInput(
                f"emails: {quoted(email)} is no e-mail address.",
                param="emails",
                hint="Nothing was changed. Give each person's address, such as ana@example.com.",
            )
    return list({folded(email): email for email in reversed(stripped)}.values())[::-1]


def like(model: Access, named: Wanted) -> tuple[Wanted, list[str]]:
    """Return what was named and, beside it, what another person has; and what of that is not handed on."""
    given = {project["id"] for project, _ in named.projects}
    groups = {group["id"]: group for group in (*named.groups, *model.groups)}
    projects = [
        (each.project, each.role)
        for each in model.projects
        if each.project["id"] not in given and each.role in _OWN_ROLES
    ]
    notes = []
    if model.user.get("role") == "owner" and named.organization_role is None:
        who = label(model.user)
        notes.append(f"{who} owns the organization; that is not handed on. If it shall be, give role: owner.")
    wanted = Wanted(
        groups=tuple(groups.values()),
        projects=(*named.projects, *projects),
        roles=model.roles,
        project_roles=tuple((each.project, role) for each in model.projects for role in each.roles),
        organization_role=named.organization_role,
    )
    return wanted, notes


def without_managed(wanted: Wanted, notes: list[str]) -> tuple[Wanted, list[str]]:
    """Leave out the groups that only the identity provider fills, and say so."""
    managed = [group for group in wanted.groups if group.get("is_scim_managed") is True]
    if not managed:
        return wanted, notes
    others = tuple(group for group in wanted.groups if group not in managed)
    told = f"Managed by SCIM, so add the people in your identity provider: {labels(managed)}."
    return (
        Wanted(others, wanted.projects, wanted.roles, wanted.project_roles, wanted.organization_role),
        [*notes, told],
    )


async def _newcomer(
    reader: Reader, email: str, users: Sequence[Json], invites: Sequence[Json], wanted: Wanted
) -> Newcomer:
    found = matches(email, users)
    if found:
        return Newcomer(
            email,
            access=await read_access(reader, chosen(email, found, "member", "emails"), extent_of(wanted), keys=False),
        )
    pending = (invite for invite in invites if is_pending(invite) and same_address(invite.get("email"), email))
    return Newcomer(email, invite=next(pending, None))


def extent_of(wanted: Wanted) -> Extent:
    """Return where to look for what a member has already."""
    projects = [project for project, _ in (*wanted.projects, *wanted.project_roles)]
    return Extent(tuple({project["id"]: project for project in projects}.values()), wanted.groups)


def onboarding_steps(person: Newcomer, wanted: Wanted) -> list[DraftStep]:
    """Return what one person still needs: an invite, or, as a member, what they lack. Nothing while one is pending."""
    if person.access is not None:
        return _for_member(person.access, wanted)
    if person.invite is not None:
        return []
    invite = {
        "email": person.email,
        "role": wanted.organization_role or "reader",
        "projects": [{"id": project["id"], "role": role} for project, role in wanted.projects],
    }
    return [DraftStep("create_invite", invite, "not in the organization yet")]


def _for_member(access: Access, wanted: Wanted) -> list[DraftStep]:
    user = {"user_id": access.user["id"]}
    who = label(access.user)
    steps = []
    if wanted.organization_role == "owner" and access.user.get("role") != "owner":
        steps.append(DraftStep("update_user", {**user, "role": "owner"}, f"{who} becomes owner of the organization"))
    held = {role["id"] for role in access.roles}
    steps += [
        DraftStep("assign_user_role", {**user, "role_id": role["id"]}, f"{who}: organization role {label(role)}")
        for role in wanted.roles
        if role["id"] not in held
    ]
    inside = {group["id"] for group in access.groups}
    steps += [
        DraftStep("add_group_user", {"group_id": group["id"], **user}, f"{who}: group {label(group)}")
        for group in wanted.groups
        if group["id"] not in inside
    ]
    return steps + _projects_for_member(access, wanted)


def _projects_for_member(access: Access, wanted: Wanted) -> list[DraftStep]:
    user, who = {"user_id": access.user["id"]}, label(access.user)
    present = {each.project["id"]: each for each in access.projects}
    steps = []
    for project, role in wanted.projects:
        there = present.get(project["id"])
        call = {"project_id": project["id"], **user, "role": role}
        if there is None or there.role is None:
            steps.append(DraftStep("create_project_user", call, f"{who}: project {label(project)}"))
        elif role == "owner" and there.role == "member":
            steps.append(DraftStep("update_project_user", call, f"{who}: owner of project {label(project)}"))
    for project, held in wanted.project_roles:
        there = present.get(project["id"])
        if there is None or held["id"] not in {one["id"] for one in there.roles}:
            call = {"project_id": project["id"], **user, "role_id": held["id"]}
            why = f"{who}: role {label(held)} in project {label(project)}"
            steps.append(DraftStep("assign_project_user_role", call, why))
    return steps


def onboarding_notes(person: Newcomer, wanted: Wanted) -> list[str]:
    """Return what the steps for one person leave open."""
    email = visible(person.email)
    if person.access is not None:
        return [] if onboarding_steps(person, wanted) else [f"{email} has all of it already."]
    later = [*wanted.groups, *wanted.roles, *(role for _, role in wanted.project_roles)]
    afterwards = "; once they have joined, call plan_onboarding again with the same arguments"
    if person.invite is None:
        notes = [] if wanted.projects else [f"{email} is invited to no project."]
        if later:
            notes.append(f"{email} can't be given by invite: {labels(later)}{afterwards}.")
        return notes
    carried = {project.get("id") for project in person.invite.get("projects") or () if isinstance(project, dict)}
    missing = [project for project, _ in wanted.projects if project["id"] not in carried]
    lacks = f" It does not give: {labels([*missing, *later])}{afterwards}." if missing or later else ""
    if wanted.organization_role == "owner" and person.invite.get("role") != "owner":
        lacks += " It does not make them owner: withdraw it with delete_invite first if they shall be."
    return [f"{email} has a pending invite ({visible(str(person.invite['id']))}), so no other is sent.{lacks}"]


def title_of(people: Sequence[Newcomer]) -> str:
    """Return the plan's title."""
    if len(people) == 1:
        return f"Onboard <{address(people[0].email)}>"
    return f"Onboard {len(people)} people"

"""``plan_project``: a new project with its limits set before anybody gets in, from words or from another project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from pydantic import Field

from admin_mcp.catalog import compiled_catalog
from admin_mcp.catalog.projects import Residency
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.gate.text import folded, quoted, visible
from admin_mcp.jobs.base import Draft, DraftStep, Playbook
from admin_mcp.jobs.naming import all_chosen, chosen, find_user, label, listed, rows
from admin_mcp.jobs.person_access import if_there
from admin_mcp.jobs.project_settings import RATE_LIMITS, ProjectSettings, changed_rate_limits, read_settings
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.steps import fitted, gaps, left_over, made_by

_COMPARED = 5
_LEAST_USD = 0.01
_HOSTED_TOOLS = ("code_interpreter", "file_search", "image_generation", "mcp", "web_search")
_OWN_ROLES = ("owner", "member")
_STAND_IN = "id"
_MONTHLY = {"currency": "USD", "interval": "month"}


@dataclass(frozen=True, slots=True)
class Brief:
    """What the new project shall be like, with everything looked up.

    ``limits`` are the rate limits to set. ``role_ids`` are the API's own project roles by name, where their ids are
    the same in every project.
    """

    name: str
    original: ProjectSettings | None = None
    cents: int | None = None
    alert_cents: int | None = None
    groups: tuple[Json, ...] = ()
    owners: tuple[Json, ...] = ()
    service_account: str | None = None
    limits: tuple[Json, ...] = ()
    role_ids: Mapping[str, str] | None = None


class PlanProject(Playbook, toolsets=("projects",)):
    """Draft the plan for a new project, from what is given and from another project's settings, not its people or
    keys. People and groups by id or name.
    """

    name: str
    like_project: str | None = None
    spend_limit_usd: float | None = None
    alert_usd: float | None = Field(None, description="Mailed to the owners.")
    groups: list[str] = Field(default_factory=list)
    owners: list[str] = Field(default_factory=list)
    service_account: str | None = Field(None, description="Its name.")

    async def draft(self, reader: Reader) -> Draft:
        """Read what is to be copied, and who is meant."""
        projects = await rows(reader, "list_projects")
        refuse_taken(self.name, projects)
        original = chosen(self.like_project, projects, "project", "like_project") if self.like_project else None
        groups = await rows(reader, "list_groups") if self.groups else []
        owners = [await find_user(reader, asked, "owners") for asked in self.owners]
        copied, compared, limits = await _copied(reader, original, projects)
        brief = Brief(
            name=self.name,
            original=copied,
            cents=_cents(self.spend_limit_usd, "spend_limit_usd"),
            alert_cents=_cents(self.alert_usd, "alert_usd"),
            groups=all_chosen(self.groups, groups, "group", "groups"),
            owners=tuple({owner["id"]: owner for owner in owners}.values()),
            service_account=self.service_account,
            limits=tuple(limits),
            role_ids=await _shared_role_ids(reader, projects),
        )
        steps, notes = project_steps(brief)
        fit = fitted(steps)
        notes += [*copy_notes(brief, compared), *left_over(fit, remaining(fit.left)), *gaps(reader.unread)]
        title = f"New project {quoted(self.name)}" + (f" like {label(original)}" if original else "")
        return Draft(title, fit.steps, tuple(notes))


def refuse_taken(name: str, projects: Sequence[Json]) -> None:
    """Refuse a name that a person would take for another project's, or for none."""
    if not folded(name):
        raise InvalidInput("name: is blank.", param="name", hint="Nothing was changed. Give the new project a name.")
    taken = [project for project in projects if folded(str(project.get("name") or "")) == folded(name)]
    if taken:
        raise InvalidInput(
            f"name: there is a project of that name already: {label(taken[0])}.",
            param="name",
            hint="Nothing was changed. Choose another name, or change the project that is there.",
        )


def _cents(usd: float | None, param: str) -> int | None:
    if usd is None:
        return None
    if usd < _LEAST_USD:
        raise InvalidInput(
            f"{param}: must be at least {_LEAST_USD} US dollars.", param=param, hint="Nothing was changed."
        )
    return round(usd * 100)


async def _copied(
    reader: Reader, original: Json | None, projects: Sequence[Json]
) -> tuple[ProjectSettings | None, int, list[Json]]:
    """Return the original's settings, with how many projects its rate limits were compared, and those to set."""
    if original is None:
        return None, 0, []
    settings = await read_settings(reader, original)
    newest = sorted(projects, key=_created, reverse=True)
    others = [project for project in newest if project["id"] != original["id"]][:_COMPARED]

    async def limits(project: Json) -> list[Json] | None:
        reading = rows(reader, "list_project_rate_limits", project_id=project["id"])
        return await if_there(reader, f"the rate limits of {label(project)}, to compare with", reading)

    known = [found for found in await reader.each(others, limits) if found]
    return settings, len(known), changed_rate_limits(settings.rate_limits, known)


def _created(project: Json) -> int:
    created = project.get("created_at")
    return created if isinstance(created, int) else 0


async def _shared_role_ids(reader: Reader, projects: Sequence[Json]) -> dict[str, str]:
    async def roles(project: Json) -> list[Json]:
        reading = rows(reader, "list_project_roles", project_id=project["id"])
        return await if_there(reader, f"the roles of {label(project)}", reading) or []

    return shared_role_ids(await reader.each(projects[:2], roles))


def shared_role_ids(lists: Sequence[Sequence[Json]]) -> dict[str, str]:
    """Return the ids of the API's own project roles, by name, if two projects have the very same."""
    ids = [
        {str(role.get("name")): role["id"] for role in found if role.get("predefined_role") is True} for found in lists
    ]
    if len(ids) < 2:  # noqa: PLR2004 - one project can't tell
        return {}
    return {name: role for name, role in ids[0].items() if ids[1].get(name) == role}


def _refers(value: object) -> bool:
    return isinstance(value, dict) and "from_step" in value


class _Steps:
    """The steps so far, for a project that step 1 makes, and the notes on what could not become one."""

    def __init__(self) -> None:
        self.steps: list[DraftStep] = []
        self.notes: list[str] = []

    def add(self, tool: str, arguments: Mapping[str, object], why: str = "") -> int | None:
        """Add a step and return its number; or note that its arguments, copied from an answer, fit no tool."""
        stand_in = {name: _STAND_IN if _refers(value) else value for name, value in arguments.items()}
        endpoint = compiled_catalog().endpoint(tool)
        if "project_id" in endpoint.model_fields:
            arguments, stand_in = {"project_id": made_by(1), **arguments}, {"project_id": _STAND_IN, **stand_in}
        try:
            parse_arguments(endpoint, stand_in)
        except InvalidInput as error:
            self.notes.append(
                f"Not copied, since {tool} does not take what the original has: {visible(error.message)}."
            )
            return None
        self.steps.append(DraftStep(tool, arguments, why))
        return len(self.steps)


def project_steps(brief: Brief) -> tuple[list[DraftStep], list[str]]:
    """Return the steps: what it may do, before who gets in; and the notes on what could not become a step."""
    built = _Steps()
    _create(built, brief)
    _spending(built, brief)
    roles: dict[str, int] = {}
    if brief.original:
        _policies(built, brief.original)
        roles = _roles(built, brief.original)
    for owner in brief.owners:
        built.add("create_project_user", {"user_id": owner["id"], "role": "owner"}, f"owner {label(owner)}")
    if brief.service_account:
        why = "its key's secret is saved to a private file"
        built.add("create_project_service_account", {"name": brief.service_account}, why)
    _groups(built, brief, roles)
    for limit in brief.limits:
        values = {name: limit[name] for name in RATE_LIMITS if isinstance(limit.get(name), int)}
        why = f"rate limits of {quoted(str(limit.get('model')))}"
        built.add("update_project_rate_limit", {"rate_limit_id": limit["id"], **values}, why)
    return built.steps, built.notes


def _create(built: _Steps, brief: Brief) -> None:
    given: dict[str, object] = {"name": brief.name}
    if brief.original:
        project = brief.original.project
        given |= {name: project[name] for name in ("external_key_id",) if isinstance(project.get(name), str)}
        if project.get("residency") in set(get_args(Residency)) - {"GLOBAL"}:
            given["residency"] = project["residency"]
        elif project.get("residency") not in {None, "GLOBAL"}:
            built.notes.append(
                f"Its residency {quoted(str(project['residency']))} is not known here, so it is not set."
            )
    built.steps.append(DraftStep("create_project", given))


def _spending(built: _Steps, brief: Brief) -> None:
    limit = brief.original.spend_limit if brief.original else None
    cents = brief.cents if brief.cents is not None else (limit or {}).get("threshold_amount")
    if cents is not None:
        built.add("update_project_spend_limit", {**_MONTHLY, "threshold_amount": cents})
    for alert in _alerts(brief):
        built.add("create_project_spend_alert", {**_MONTHLY, **alert})


def _alerts(brief: Brief) -> list[dict[str, object]]:
    if brief.alert_cents is None:
        copied = brief.original.alerts if brief.original else ()
        return [{name: alert.get(name) for name in ("notification_channel", "threshold_amount")} for alert in copied]
    recipients = [owner["email"] for owner in brief.owners if owner.get("email")]
    if not recipients:
        raise InvalidInput(
            "alert_usd needs owners: the alert is sent to their e-mail addresses.",
            param="alert_usd",
            hint="Give owners too; or leave alert_usd out, and use create_project_spend_alert afterwards.",
        )
    channel = {"type": "email", "recipients": recipients}
    return [{"notification_channel": channel, "threshold_amount": brief.alert_cents}]


def _policies(built: _Steps, original: ProjectSettings) -> None:
    if (models := original.models) is not None:
        built.add("update_project_model_permissions", {name: models.get(name) for name in ("mode", "model_ids")})
    if (tools := original.hosted_tools) is not None:
        found = {name: tools[name] for name in _HOSTED_TOOLS if isinstance(tools.get(name), dict)}
        switches = {name: {"enabled": switch.get("enabled")} for name, switch in found.items()}
        built.add("update_project_hosted_tool_permissions", switches)
    if (tier := original.service_tier) is not None:
        values = {name: tier[name] for name in ("default", "enabled_tiers") if tier.get(name) is not None}
        built.add("update_project_service_tier_settings", values)
    retention = (original.data_retention or {}).get("type")
    if retention not in {None, "organization_default"}:
        built.add("update_project_data_retention", {"retention_type": retention})
    active = [certificate["id"] for certificate in original.certificates if certificate.get("active") is True]
    if active:
        built.add("activate_project_certificates", {"certificate_ids": active})


def _roles(built: _Steps, original: ProjectSettings) -> dict[str, int]:
    """Add the custom roles, and return the steps that make them by the ids of the original's."""
    made = {}
    for role in original.roles:
        if role.get("predefined_role") is True:
            continue
        about = {"description": role["description"]} if role.get("description") else {}
        asked = {"role_name": role.get("name"), "permissions": role.get("permissions"), **about}
        number = built.add("create_project_role", asked, f"role {label(role)} of the original")
        if number is not None:
            made[role["id"]] = number
    return made


def _groups(built: _Steps, brief: Brief, made: Mapping[str, int]) -> None:
    copied = brief.original.groups if brief.original else ()
    inside = {group["group_id"] for group, _ in copied}
    for group, roles in copied:
        name = {"name": group.get("group_name"), "id": group["group_id"]}
        if group.get("group_type") == "tenant_group":
            built.notes.append(f"Tenant group {label(name)} is not let in by this plan.")
            continue
        _group(built, name, [_role_reference(brief, role, made) for role in _own_first(roles)])
    for group in brief.groups:
        if group["id"] not in inside:
            _group(built, group, [(brief.role_ids or {}).get("member", "member")])


def _group(built: _Steps, group: Json, roles: Sequence[object]) -> None:
    """Let a group in with its first role, and give it the others. What has only a name can't be a further one."""
    known = [role for role in roles if role is not None]
    further = [role for role in known[1:] if role not in _OWN_ROLES]
    words = f"group {label(group)}"
    if not known:
        built.notes.append(f"Not let in, since its role in the original could not be told: {words}.")
        return
    if len(further) + 1 < len(roles):
        built.notes.append(f"Not every role in the original could be told of {words}.")
    built.add("add_project_group", {"group_id": group["id"], "role": known[0]}, words)
    for role in further:
        built.add("assign_project_group_role", {"group_id": group["id"], "role_id": role}, words)


def _own_first(roles: Sequence[Json]) -> list[Json]:
    """Return the API's own roles before custom ones: they may have to be named, which only the first role can be."""
    return sorted(roles, key=lambda role: role.get("predefined_role") is not True)


def _role_reference(brief: Brief, role: Json, made: Mapping[str, int]) -> object | None:
    """Return what stands for a role of the original in the new project, or None where nothing does."""
    if role["id"] in made:
        return made_by(made[role["id"]])
    name = str(role.get("name"))
    if role.get("predefined_role") is True and name in _OWN_ROLES:
        return (brief.role_ids or {}).get(name, name)
    return None


def copy_notes(brief: Brief, compared: int) -> list[str]:
    """Return what to know of a copy, and of what has no id yet."""
    notes = []
    let_in = brief.groups or (brief.original and brief.original.groups)
    if let_in and not brief.role_ids:
        notes.append(
            "A new project's own roles have no id yet, so groups get theirs by its name; if the API refuses that, use "
            "add_project_group with an id from list_project_roles once the project is there."
        )
    if brief.original is None:
        return notes
    if compared:
        notes.append(
            f"Rate limits are copied where they differ from what most of {compared} other projects have: the API "
            "doesn't tell the defaults. If limits were lowered by hand in all of them, set those afterwards."
        )
    elif brief.limits:
        notes.append("All rate limits are copied: there is no other project to tell the changed ones by.")
    notes.append(
        "Not copied: the original's people, service accounts and keys, and its custom roles' holders but groups."
    )
    return notes


def remaining(left: Sequence[DraftStep]) -> str:
    """Return what is still to do once the project is there, by tool."""
    whys = [f"{step.tool} ({step.why})" if step.why else step.tool for step in left]
    return f"Do these afterwards: {listed(whys, 100)}."

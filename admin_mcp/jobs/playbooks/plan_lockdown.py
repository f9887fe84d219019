"""``plan_lockdown``: stops a key, a person or a project at once, and says what leads back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.gate.plan import MOST_DESTRUCTIVE
from admin_mcp.gate.text import quoted, visible
from admin_mcp.jobs.base import Draft, DraftStep, Playbook
from admin_mcp.jobs.naming import ambiguous, find_user, label, labels, listed, matches, rows, unknown
from admin_mcp.jobs.person_access import (
    Access,
    account_of,
    everywhere,
    if_there,
    key_label,
    project_keys,
    read_access,
    read_survivors,
    survivor_notes,
    tail_of,
)
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.steps import gaps

_KEY_BEGINS = "sk-"
_SHORTEST_TAIL = 4
_LEAST_CENTS = 1
_LIMIT, _MODELS = "its spend limit", "its model permissions"
_HARDER = "A key that has leaked is stopped only by deleting it. archive_project ends a project for good."
_UNSURE = (
    "How soon a spend limit stops requests is not documented, nor whether the API takes an empty list of models: if it "
    "refuses that, the spend limit is set all the same."
)

Kind = Literal["project", "person", "admin key", "project key"]


@dataclass(frozen=True, slots=True)
class Target:
    """What may be meant. ``project`` is the one a key is in."""

    kind: Kind
    thing: Json
    project: Json | None = None

    @property
    def words(self) -> str:
        """What it is, in a sentence."""
        name = key_label(self.thing) if self.kind.endswith("key") else label(self.thing)
        return f"{self.kind} {name}" + (f" in project {label(self.project)}" if self.project else "")


@dataclass(frozen=True, slots=True)
class ProjectState:
    """What decides whether a project can spend, and how much would still be open. None: nothing is set."""

    project: Json
    cents: int | None = None
    models: Json | None = None
    keys: int = 0
    unread: frozenset[str] = frozenset()


class PlanLockdown(Playbook, toolsets=("security",)):
    """Draft the plan that stops a leaked or misused key, a person or a project at once; its notes tell the way back."""

    what: Annotated[
        str, Field(min_length=2, max_length=320, description="Key id or last 4 characters; person; project.")
    ]
    reason: Annotated[str, Field(min_length=1, max_length=300)]

    async def draft(self, reader: Reader) -> Draft:
        """Find out what is meant, and read what it takes to stop it."""
        target = await find_target(reader, self.what)
        steps, told = await _stopping(reader, target)
        notes = (f"Reason given: {quoted(self.reason)}", *_pasted(self.what), *told, *gaps(reader.unread))
        return Draft(f"Lock down {target.words}", tuple(steps), notes)


async def find_target(reader: Reader, what: str) -> Target:
    """Return the one thing that is meant. Keys are read only where it is no id of something else, and no address.

    Raises:
        InvalidInput: it could be several, or is none.

    """
    if "@" in what:
        return Target("person", await find_user(reader, what, "what"))
    projects = await reader.attempt("the projects", rows(reader, "list_projects")) or []
    people = await reader.attempt("the members", rows(reader, "list_users")) or []
    for kind, things in (("project", projects), ("person", people)):
        if found := [thing for thing in things if thing["id"] == what.strip()]:
            return Target("project" if kind == "project" else "person", found[0])
    keys = await _all_keys(reader, projects)
    found_targets = targets(what.strip(), projects, people, keys)
    if len(found_targets) == 1:
        return found_targets[0]
    shown = "a key" if _is_secret(what) else what
    if found_targets:
        raise ambiguous(shown, [target.words for target in found_targets], "what")
    raise _nothing(shown, [*projects, *people], gaps(reader.unread))


async def _all_keys(reader: Reader, projects: Sequence[Json]) -> list[Target]:
    async def inside(project: Json) -> list[Target]:
        return [Target("project key", key, project) for key in await project_keys(reader, project)]

    admin = await reader.attempt("the admin keys", rows(reader, "list_admin_api_keys")) or []
    found = await reader.each(projects, inside)
    return [*(Target("admin key", key) for key in admin), *(target for some in found for target in some)]


def targets(what: str, projects: Sequence[Json], people: Sequence[Json], keys: Sequence[Target]) -> list[Target]:
    """Return all that may be meant: what has this id, or else whatever goes by this name or ends like this."""
    if by_id := [key for key in keys if key.thing["id"] == what]:
        return by_id
    named = [Target("project", thing) for thing in matches(what, projects)]
    named += [Target("person", thing) for thing in matches(what, people)]
    return [*named, *(key for key in keys if ends_like(key.thing, what))]


def ends_like(key: Json, what: str) -> bool:
    """Whether a key may be the one that ends so, or whose redacted or whole secret this is."""
    shown, tail = str(key.get("redacted_value") or ""), tail_of(key)
    if what == shown:
        return True
    if len(what) < _SHORTEST_TAIL or len(tail) < _SHORTEST_TAIL - 1:
        return False
    if not _is_secret(what):
        return tail == what[-_SHORTEST_TAIL:] and len(what) == _SHORTEST_TAIL
    head = shown.replace("*", ".").replace("…", ".").partition(".")[0]
    return what.endswith(tail) and what.startswith(head)


def _is_secret(what: str) -> bool:
    return what.strip().startswith(_KEY_BEGINS)


def _nothing(shown: str, known: Sequence[Json], unread: Sequence[str]) -> InvalidInput:
    error = unknown(shown, known, "key, person or project", "what")
    return InvalidInput(" ".join([error.message, *unread]), param="what", hint=error.hint)


def _pasted(what: str) -> list[str]:
    """Return what to do where a whole secret was given: nothing repeats it."""
    if not _is_secret(what):
        return []
    return ["The key's secret stands in the conversation, which makes it one more place it has leaked to."]


async def _stopping(reader: Reader, target: Target) -> tuple[list[DraftStep], list[str]]:
    """Return the steps that stop a target, and the notes."""
    match target.kind:
        case "person":
            access = await read_access(reader, target.thing, await everywhere(reader), keys=True)
            survivors = await read_survivors(reader, access)
            return person_steps(access), [*person_notes(access), *survivor_notes(survivors)]
        case "project":
            state = await _project_state(reader, target.thing)
            return project_steps(state), project_notes(state)
        case "admin key" | "project key":
            return [key_step(target)], key_notes(target)


def key_step(target: Target) -> DraftStep:
    """Return the step that deletes a key."""
    why = "whoever has its secret is shut out"
    if target.project is None:
        return DraftStep("delete_admin_api_key", {"key_id": target.thing["id"]}, why)
    place = {"project_id": target.project["id"], "api_key_id": target.thing["id"]}
    return DraftStep("delete_project_api_key", place, why)


def key_notes(target: Target) -> list[str]:
    """Return what leads back from a deleted key, and what stays open."""
    if target.project is None:
        return [
            "Way back: none for this key; create_admin_api_key makes another. If this server uses it, it is refused.",
            "What the key may have made, such as other keys or invites, stays: look at list_audit_logs.",
        ]
    if (account := account_of(target.thing)) is None:
        return [
            "Way back: none for this key; its owner can only make another one themselves.",
            "The owner stays a member, and their other keys work on: plan_lockdown takes a person too.",
        ]
    return [
        f"Way back: none for this key; create_service_account_api_key makes another for service account {account}.",
        "The account's other keys work on.",
    ]


def person_steps(access: Access) -> list[DraftStep]:
    """Return the steps that shut a person out; the membership always ends, however many keys there are.

    Raises:
        InvalidInput: nothing here can stop them.

    """
    steps = _before_leaving(access)
    if not managed(access.user):
        leave = DraftStep("delete_user", {"user_id": access.user["id"]}, "ends the membership and what hangs on it")
        return [*steps[: MOST_DESTRUCTIVE - 1], leave]
    if not steps:
        raise InvalidInput(
            f"{label(access.user)} is managed by SCIM and has no key of their own: nothing here stops them.",
            param="what",
            hint="Tell the user to remove the person in the identity provider.",
        )
    return steps[:MOST_DESTRUCTIVE]


def managed(user: Json) -> bool:
    """Whether only the identity provider can remove a person for good."""
    return user.get("is_scim_managed") is True


def _before_leaving(access: Access) -> list[DraftStep]:
    """Return what works without the membership, or would bring it back."""
    own = [Target("project key", key, each.project) for each in access.projects for key in each.keys]
    invites = [DraftStep("delete_invite", {"invite_id": one["id"]}, "it lets them back in") for one in access.invites]
    admin = [key_step(Target("admin key", key)) for key in access.admin_keys]
    return [*admin, *invites, *(key_step(key) for key in own)]


def person_notes(access: Access) -> list[str]:
    """Return what leads a person back in, and what is still open."""
    steps = person_steps(access)
    open_steps = [step for step in _before_leaving(access) if step not in steps]
    still = [f"{step.tool} {' '.join(map(str, step.arguments.values()))}" for step in open_steps]
    notes = [f"One plan can't do it all; still to do afterwards: {listed(still, 40)}."] if still else []
    if managed(access.user):
        return [*notes, "SCIM manages the person: they stay a member until the identity provider removes them."]
    projects = [f"{label(each.project)} as {visible(each.role)}" for each in access.projects if each.role is not None]
    roles = [*access.roles, *(role for each in access.projects for role in each.roles)]
    notes.append(
        f"Way back: create_invite as {visible(str(access.user.get('role') or 'reader'))}, and the projects "
        f"{listed(projects, 30) or '(none)'}; then the groups {labels(access.groups, 30) or '(none)'} and the custom "
        f"roles {labels(roles, 30) or '(none)'}. Deleted keys don't come back."
    )
    return notes


async def _project_state(reader: Reader, project: Json) -> ProjectState:
    place = {"project_id": project["id"]}
    limit = await if_there(reader, _LIMIT, reader.get("get_project_spend_limit", **place))
    models = await if_there(reader, _MODELS, reader.get("get_project_model_permissions", **place))
    cents = None if limit is None else limit.get("threshold_amount")
    keys = await project_keys(reader, project)
    gone = frozenset(gap.what for gap in reader.unread)
    return ProjectState(project, cents if isinstance(cents, int) else None, models, len(keys), gone)


def project_steps(state: ProjectState) -> list[DraftStep]:
    """Return the steps that stop a project without destroying anything in it.

    Raises:
        InvalidInput: it is stopped already.

    """
    place = {"project_id": state.project["id"]}
    steps = []
    if state.cents is None or state.cents > _LEAST_CENTS:
        limit = {**place, "currency": "USD", "interval": "month", "threshold_amount": _LEAST_CENTS}
        steps.append(DraftStep("update_project_spend_limit", limit, "the least limit there is"))
    if not _allows_nothing(state.models):
        none = {**place, "mode": "allow_list", "model_ids": []}
        steps.append(DraftStep("update_project_model_permissions", none, "no model may be used"))
    if not steps:
        raise InvalidInput(
            f"Project {label(state.project)} is locked down already: the least spend limit, and no model allowed.",
            param="what",
            hint="To go further, delete its keys with delete_project_api_key, or archive_project, which is for good.",
        )
    return steps


def _allows_nothing(models: Json | None) -> bool:
    return models is not None and models.get("mode") == "allow_list" and models.get("model_ids") == []


def project_notes(state: ProjectState) -> list[str]:
    """Return what leads a project back, and what these steps don't do."""
    return [
        f"Way back: {_limit_before(state)}; and {_models_before(state)}.",
        f"Its keys ({state.keys}) and members stay, so that it can be opened again. {_HARDER}",
        _UNSURE,
    ]


def _limit_before(state: ProjectState) -> str:
    if _LIMIT in state.unread:
        return "the present spend limit can't be read, so ask the user what it is before this is applied"
    if state.cents is None:
        return "delete_project_spend_limit, since there is none now"
    return f"update_project_spend_limit with threshold_amount {state.cents}"


def _models_before(state: ProjectState) -> str:
    if _MODELS in state.unread:
        return "the present model permissions can't be read, so ask the user what they are before this is applied"
    if state.models is None:
        return "delete_project_model_permissions, since there are none now"
    models = state.models.get("model_ids")
    ids = [quoted(str(model)) for model in models] if isinstance(models, list) else []
    mode = visible(str(state.models.get("mode")))
    return f"update_project_model_permissions with mode {mode} and the model_ids {listed(ids, len(ids)) or '[]'}"

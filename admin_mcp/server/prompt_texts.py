"""The prompts: what a person can start from a menu, and what the model is told then. Text only. Pure.

Each needs certain tools, and is there only where they are.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from admin_mcp.errors import InvalidInput
from admin_mcp.gate.text import quoted
from admin_mcp.suggestions import nearest

Completed = Literal["people", "projects"]
LONGEST: Final = 320
_SECRET: Final = re.compile(r"sk-[A-Za-z0-9_-]{16,}")
_FIRST_PERIOD: Final = "last_month"


@dataclass(frozen=True, slots=True)
class Argument:
    """What a prompt asks a person for; ``completed`` says from which list it can be completed."""

    name: str
    description: str
    required: bool = False
    completed: Completed | None = None


@dataclass(frozen=True, slots=True)
class PromptText:
    """One prompt. ``needs`` are the tools it speaks of; ``changes``: it ends in a change."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    needs: tuple[str, ...]
    write: Callable[[Mapping[str, str]], str]
    changes: bool = False

    def text(self, given: Mapping[str, str]) -> str:
        """Return what the model is told.

        Raises:
            InvalidInput: an argument is missing, unknown, too long or a secret.

        """
        known = [argument.name for argument in self.arguments]
        for name, value in given.items():
            if name not in known:
                raise _refusal(name, f"{self.name} has no such argument.{nearest(name, known)}")
            if len(value) > LONGEST:
                raise _refusal(name, f"it is longer than {LONGEST} characters.")
            if _SECRET.search(value):
                raise _refusal(name, "this is a key itself. Give its id or its last four characters, and replace it.")
        said = {name: quoted(value.strip(), LONGEST) for name, value in given.items() if value.strip()}
        for argument in self.arguments:
            if argument.required and argument.name not in said:
                raise _refusal(argument.name, f"{self.name} needs it: {argument.description}")
        return self.write(said)


def _refusal(name: str, why: str) -> InvalidInput:
    return InvalidInput(f"{name}: {why}", param=name, hint="Fill the prompt in again.")


def _access_review(given: Mapping[str, str]) -> str:
    where = f", with project {given['project']}" if "project" in given else ""
    return f"""\
Review who has access to our OpenAI organization.
1. Call review_access{where}. If the answer has `more`, go on until you have seen every row that matters.
2. Tell me in a short table who may do most and through what, then each finding with the people it is about. Say what \
could not be read.
3. For each finding propose one of: keep, reduce, remove, ask the person. Give your reason in a few words.
Change nothing. If I want something changed, make one plan of it and show it to me before you apply it."""


def _offboard(given: Mapping[str, str]) -> str:
    return f"""\
A person leaves us: {given["person"]}. Prepare what has to be done in our OpenAI organization.
1. Call plan_offboarding with that as `user`. If several people fit, ask me which one is meant.
2. Show me the plan whole: what is removed, what of theirs stays behind, and every note in it.
3. Only after I agree call apply_plan. It asks a person once; then tell me of each step whether it was done."""


def _rotate(given: Mapping[str, str]) -> str:
    which = given.get("service_account")
    account = (
        f"The service account is {which}." if which else "Show me its service accounts and ask which one is meant."
    )
    return f"""\
Rotate the key of a service account in project {given["project"]}. {account}
1. Find the ids with list_projects and list_project_service_accounts; never guess one.
2. Call plan_key_rotation with them, and show me the plan with its grace period: both keys work until it ends.
3. Only after I agree call apply_plan. Tell me where the new key was saved; don't print it.
4. Say when the old key may be deleted, and how I see that nothing uses it any more."""


def _monthly_spend(given: Mapping[str, str]) -> str:
    period = given.get("period", quoted(_FIRST_PERIOD))
    only = f" Look closely at project {given['project']}." if "project" in given else ""
    return f"""\
Report what our OpenAI organization spent in {period}.{only}
1. Call report_spend with that period by project, and again by line_item.
2. Give me a short report: the total and its change, the projects that cost most, what moved most, spikes, how limits \
stand, and the part that no person stands for.
3. Say what could not be read, and end with at most three things worth doing."""


def _leaked_key(given: Mapping[str, str]) -> str:
    return f"""\
An API key may have leaked: {given["key"]} (its id, or its last four characters). Act calmly and quickly.
1. Call plan_lockdown with that as `what`, and with a short reason.
2. Show me what the plan deletes and what will stop working. If several keys fit, ask me which one is meant.
3. Only after I agree call apply_plan.
4. Then call report_activity for the last 30 days about that key, and report_spend by key: tell me what it was used \
for, from where, and what looks strange.
Never ask me for the key itself."""


_PROJECT: Final = Argument("project", "The project's name or id.", completed="projects")

PROMPTS: Final = (
    PromptText(
        "access_review",
        "Review access",
        "Who may do what in the organization or one project, and what stands out.",
        (Argument("project", "Only this project; a name or an id.", completed="projects"),),
        ("review_access",),
        _access_review,
    ),
    PromptText(
        "offboard_person",
        "Off-board a person",
        "Plan what has to be done when someone leaves, and do it once a person agrees.",
        (Argument("person", "Their e-mail address, id or full name.", required=True, completed="people"),),
        ("plan_offboarding", "apply_plan"),
        _offboard,
        changes=True,
    ),
    PromptText(
        "rotate_key",
        "Rotate a key",
        "Give a service account a new key, and plan when the old one goes.",
        (
            Argument("project", _PROJECT.description, required=True, completed="projects"),
            Argument("service_account", "Its name or id; without it you are asked."),
        ),
        ("plan_key_rotation", "list_project_service_accounts", "apply_plan"),
        _rotate,
        changes=True,
    ),
    PromptText(
        "monthly_spend",
        "Monthly spend",
        "What was spent, what changed, and what is unusual.",
        (
            Argument("period", "Such as last_month, this_month or 2026-10; without it, last_month."),
            Argument("project", "Look closely at this one; a name or an id.", completed="projects"),
        ),
        ("report_spend",),
        _monthly_spend,
    ),
    PromptText(
        "leaked_key",
        "A key has leaked",
        "Plan to shut a leaked key out, and see what it was used for.",
        (Argument("key", "Its id or its last four characters; never the key itself.", required=True),),
        ("plan_lockdown", "apply_plan", "report_activity", "report_spend"),
        _leaked_key,
        changes=True,
    ),
)


def offered(missing: frozenset[str], *, read_only: bool) -> dict[str, PromptText]:
    """Return the prompts of a server without these tools, by name."""
    return {
        prompt.name: prompt
        for prompt in PROMPTS
        if missing.isdisjoint(prompt.needs) and not (read_only and prompt.changes)
    }

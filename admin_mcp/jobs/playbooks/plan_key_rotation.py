"""``plan_key_rotation``: a service account gets a new key, and its old ones an end."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from admin_mcp.endpoints.fields import INTEGRAL, ApiDefault, ResourceId
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.text import day
from admin_mcp.jobs.base import Draft, DraftStep, Playbook
from admin_mcp.jobs.naming import label, rows
from admin_mcp.jobs.person_access import account_of, key_label
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.steps import fitted, left_over

DAY = 24 * 60 * 60
_GRACE_DAYS = 7


class PlanKeyRotation(Playbook, toolsets=("security",)):
    """Draft the plan that gives a service account a new API key and lets its old keys expire after a grace period. For
    a leaked key use plan_lockdown.
    """

    project_id: ResourceId
    service_account_id: ResourceId
    grace_days: Annotated[int, Field(ge=1, le=365), ApiDefault(_GRACE_DAYS), INTEGRAL] = _GRACE_DAYS

    async def draft(self, reader: Reader) -> Draft:
        """Read the account and its keys."""
        place = {"project_id": self.project_id}
        account = await reader.get("get_project_service_account", **place, service_account_id=self.service_account_id)
        keys = await rows(reader, "list_project_api_keys", **place, owner_project_access="any")
        theirs = [key for key in keys if account_of(key) == self.service_account_id]
        now = int(reader.now())
        fit = fitted(rotation_steps(self, theirs, now))
        notes = [*rotation_notes(theirs, now, self.grace_days), *left_over(fit, "Call it again for the older keys.")]
        return Draft(f"Rotate the keys of service account {label(account)}", fit.steps, tuple(notes))


def rotation_steps(asked: PlanKeyRotation, keys: Sequence[Json], now: int) -> list[DraftStep]:
    """Return the new key first, so that there is always one that works, then an expiry for each that outlives it."""
    new = {"project_id": asked.project_id, "service_account_id": asked.service_account_id}
    steps = [DraftStep("create_service_account_api_key", {**new, "name": f"Rotated {day(now)}"}, "the new key")]
    grace = asked.grace_days * DAY
    for key in keys:
        if _lives_beyond(key, now + grace):
            end = {"project_id": asked.project_id, "api_key_id": key["id"], "expires_in_seconds": grace}
            steps.append(DraftStep("update_project_api_key", end, f"old key {key_label(key)} works on meanwhile"))
    return steps


def rotation_notes(keys: Sequence[Json], now: int, grace_days: int) -> list[str]:
    """Return what is known of the old keys, and what the API does not tell."""
    notes = [f"Old key {key_label(key)}: {_last_use(key)}; {_end(key, now, grace_days)}." for key in keys]
    if not keys:
        notes.append("The account has no key that can be seen, so there is nothing to end.")
    notes.append(
        "The new key's secret is saved to a private file when the plan is applied: it has to reach whatever uses the "
        "old key before the grace period is over. To end an old key sooner, use delete_project_api_key."
    )
    notes.append(
        "The scopes of a key can't be read: the new one is not restricted beyond the account. To restrict it, use "
        "update_project_api_key afterwards."
    )
    return notes


def _lives_beyond(key: Json, moment: int) -> bool:
    expires = key.get("expires_at")
    return not isinstance(expires, int) or expires > moment


def _last_use(key: Json) -> str:
    used = key.get("last_used_at")
    return f"last used on {day(used)}" if isinstance(used, int) else "no use recorded"


def _end(key: Json, now: int, grace_days: int) -> str:
    if _lives_beyond(key, now + grace_days * DAY):
        return f"expires {grace_days} days after the plan is applied, and can't be used or changed from then on"
    return f"left as it is, since it expires on {day(key['expires_at'])} anyway"

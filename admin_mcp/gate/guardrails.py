"""Checks that hold whatever the policy allows and whoever approves: what would lock the organization or us out.

Each refuses when it can't be checked. They cover what one endpoint does directly: ownership that comes through
assigned roles or groups is not looked at.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio import to_thread
from pydantic import SecretStr

from admin_mcp.catalog import Catalog
from admin_mcp.endpoint import Endpoint
from admin_mcp.errors import CallError, Conflict, NotFound, PolicyDenied
from admin_mcp.gate.look import Reader
from admin_mcp.gate.policy import Guardrails
from admin_mcp.gate.state import FileLock, LockBusyError

LOCK_SECONDS = 10.0
_OWNER = "owner"
_PAGE = 100
_REDACTED = re.compile(r"([^.*…]*)[.*…]+([^.*…]*)")
_TELLING_TAIL = 3
"""Characters of a redacted key's end that tell it from the others."""


class GuardrailChecks:
    """The guardrails of one process. ``key`` returns the admin key in use; ``lock`` is a file all processes share."""

    def __init__(
        self,
        guardrails: Guardrails,
        catalog: Catalog,
        reader: Reader,
        *,
        key: Callable[[], SecretStr | None],
        lock: Path,
    ) -> None:
        self._on = guardrails
        self._catalog = catalog
        self._reader = reader
        self._key = key
        self._lock = lock

    async def check(self, call: Endpoint) -> None:
        """Return if no guardrail forbids the change.

        Raises:
            PolicyDenied: one does, or can't be checked; names it. ``NotFound``: the target is not there.

        """
        if self._on.last_owner and _takes_ownership(call):
            await self._checked("last_owner", self._last_owner(call))
        if self._on.own_key and type(call).SPEC.name == "delete_admin_api_key":
            await self._checked("own_key", self._own_key(call))

    @asynccontextmanager
    async def held(self, call: Endpoint) -> AsyncIterator[None]:
        """Check once more, and let no other process take an owner away until the change has ended."""
        if not (self._on.last_owner and _takes_ownership(call)):
            await self.check(call)
            yield
            return
        lock = FileLock(self._lock)
        try:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(lock.acquire, LOCK_SECONDS)
        except LockBusyError:
            raise Conflict(
                "Another change of an owner is going on; nothing was sent.",
                hint="Try again in a moment.",
                retryable=True,
            ) from None
        except OSError as error:
            raise _uncheckable("last_owner", f"its lock can't be used: {error}") from None
        try:
            await self.check(call)
            yield
        finally:
            lock.release()

    async def _checked(self, name: str, refusal: Awaitable[str | None]) -> None:
        try:
            reason = await refusal
        except NotFound:
            raise
        except CallError as error:
            raise _uncheckable(name, error.message, retryable=error.retryable) from None
        if reason is not None:
            raise PolicyDenied(
                f"The guardrail {name} refuses this: {reason}. Nothing was sent.",
                hint="Don't retry. Tell the user. Only the operator can switch a guardrail off, in the policy file.",
            )

    async def _last_owner(self, call: Endpoint) -> str | None:
        user = _id(call, "user_id")
        target = await self._reader(self._make("get_user", user_id=user))
        if isinstance(target.get("role"), str) and not _is_owner(target):
            return None
        after: dict[str, object] = {}
        while True:
            page = await self._reader(self._make("list_users", limit=_PAGE, **after))
            members = page.get("data")
            if not isinstance(members, list):
                raise _uncheckable("last_owner", "the list of users is unreadable")
            if any(_is_owner(member) and member.get("id") != user for member in members):
                return None
            last = page.get("last_id") or (members[-1].get("id") if members else None)
            if not page.get("has_more") or not members or {"after": last} == after:
                return f"user {user} is the organization's last owner"
            after = {"after": last}

    async def _own_key(self, call: Endpoint) -> str | None:
        key_id = _id(call, "key_id")
        shown = (await self._reader(self._make("get_admin_api_key", key_id=key_id))).get("redacted_value")
        match = _REDACTED.fullmatch(shown) if isinstance(shown, str) else None
        used = self._key()
        if match is None or len(match[2]) < _TELLING_TAIL or used is None:
            raise _uncheckable("own_key", "the key's redacted value does not tell which key it is")
        value = used.get_secret_value()
        own = value.startswith(match[1]) and value.endswith(match[2])
        return f"{key_id} is the admin key this server uses" if own else None

    def _make(self, tool: str, **arguments: object) -> Endpoint:
        return self._catalog.endpoint(tool).model_validate(arguments)


def _takes_ownership(call: Endpoint) -> bool:
    """Whether the call could make an owner something less."""
    name = type(call).SPEC.name
    if name == "delete_user":
        return True
    given = {getattr(call, field) for field in ("role", "role_id") if field in call.model_fields_set}
    # A role given by id may be any, so it counts as a lesser one.
    return name == "update_user" and bool(given) and given != {_OWNER}


def _is_owner(user: object) -> bool:
    return isinstance(user, dict) and user.get("role") == _OWNER


def _id(call: Endpoint, field: str) -> str:
    return str(getattr(call, field))


def _uncheckable(name: str, why: str, *, retryable: bool = False) -> PolicyDenied:
    return PolicyDenied(
        f"The guardrail {name} could not be checked, so nothing was sent: {why}",
        hint="Tell the user. The operator can mend the cause, or switch this guardrail off in the policy file.",
        retryable=retryable,
    )

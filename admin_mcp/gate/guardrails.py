"""Checks that hold whatever the policy allows and whoever approves: what would lock the organization or us out.

Each refuses when it can't be checked. They cover what one endpoint does directly: ownership that comes through
assigned roles or groups is not looked at.
"""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio import to_thread
from pydantic import SecretStr

from admin_mcp.api.connection import Read
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, Conflict, NotFound, PolicyDenied
from admin_mcp.gate.policy import Guardrails
from admin_mcp.private_files import FileLock, LockBusyError

LOCK_SECONDS = 10.0
MOST_PAGES = 100
MOST_SECONDS = 30.0
"""How long to look for another owner: others wait for the lock meanwhile. Each page may take as long as any read."""

_LOCK_POLL_SECONDS = 0.05
_OWNER = "owner"
_PAGE = 100
_REDACTED = re.compile(r"([^.*…]*)[.*…]+([^.*…]*)")
_TELLING_TAIL = 3
"""Characters of a redacted key's end that tell it from the others."""


class GuardrailChecks:
    """The guardrails of one process.

    ``key`` returns the admin key in use; ``lock`` names a file that all servers of this key share; ``clock`` gives
    seconds.
    """

    def __init__(
        self,
        guardrails: Guardrails,
        catalog: Catalog,
        read: Read,
        *,
        key: Callable[[], SecretStr | None],
        lock: Callable[[], Path],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on = guardrails
        self._catalog = catalog
        self._read = read
        self._key = key
        self._lock = lock
        self._clock = clock
        self._other_owner = ""

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
        lock = await self._locked()
        try:
            await self.check(call)
            yield
        finally:
            lock.release()

    async def _locked(self) -> FileLock:
        """Return the lock, held. Whoever cancels the call need not wait for it."""
        lock = FileLock(self._lock())
        end = anyio.current_time() + LOCK_SECONDS
        while True:
            try:
                # A lock that is taken while the call is cancelled would be nobody's, so that one moment is waited for.
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(lock.acquire)
            except LockBusyError:
                if anyio.current_time() >= end:
                    raise Conflict(
                        "Another change of an owner is going on; nothing was sent.",
                        hint="Try again in a moment.",
                        retryable=True,
                    ) from None
                await anyio.sleep(_LOCK_POLL_SECONDS)
            except OSError as error:
                raise _uncheckable("last_owner", f"its lock can't be used: {error}") from None
            else:
                return lock

    async def _checked(self, name: str, refusal: Awaitable[str | None]) -> None:
        try:
            reason = await refusal
        except (NotFound, PolicyDenied):
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
        target = await self._read(self._make("get_user", user_id=user))
        if isinstance(target.get("role"), str) and not _is_owner(target):
            return None
        if await self._gives_ownership(call):
            return None
        own = _ids(target) | {user}
        if await self._another_owner(lambda member: _is_active_owner(member) and not _ids(member) & own):
            return None
        return f"user {user} is the organization's last owner who can act"

    async def _another_owner(self, fits: Callable[[Json], bool]) -> bool:
        """Whether another owner is there. Who was found last is asked for first: others wait for the lock meanwhile."""
        if self._other_owner:
            try:
                if fits(await self._read(self._make("get_user", user_id=self._other_owner))):
                    return True
            except CallError:
                self._other_owner = ""
        member = await self._first_member(fits)
        if member is not None and isinstance(member.get("id"), str):
            self._other_owner = member["id"]
        return member is not None

    async def _gives_ownership(self, call: Endpoint) -> bool:
        """Whether the role that is given by its id is shown to be the owner's; any other counts as a lesser one."""
        given = _given_roles(call)
        if "role_id" not in given or given.get("role", _OWNER) != _OWNER or given["role_id"] is None:
            return False
        try:
            role = await self._read(self._make("get_role", role_id=str(given["role_id"])))
        except CallError:
            return False
        return role.get("predefined_role") is True and _same(role.get("name"), _OWNER)

    async def _first_member(self, fits: Callable[[Json], bool]) -> Json | None:
        """Return the first of the organization's users who fits, looked for page by page.

        Raises:
            PolicyDenied: the list can't be read to its end: it goes round, is too long, or takes too long.

        """
        end = self._clock() + MOST_SECONDS
        after: dict[str, object] = {}
        cursors: set[str] = set()
        for _ in range(MOST_PAGES):
            page = await self._read(self._make("list_users", limit=_PAGE, **after))
            members = page.get("data")
            if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
                raise _uncheckable("last_owner", "the list of users is unreadable")
            found: Json | None = next(filter(fits, members), None)
            if found is not None:
                return found
            if not page.get("has_more"):
                return None
            cursor = page.get("last_id") or (members[-1].get("id") if members else None)
            if not isinstance(cursor, str) or cursor in cursors:
                raise _uncheckable("last_owner", "the list of users goes round: its pages lead to no new one")
            if self._clock() >= end:
                raise _uncheckable("last_owner", "reading the list of users takes too long", retryable=True)
            cursors.add(cursor)
            after = {"after": cursor}
        raise _uncheckable("last_owner", f"the list of users is longer than {MOST_PAGES} pages")

    async def _own_key(self, call: Endpoint) -> str | None:
        key_id = _id(call, "key_id")
        shown = (await self._read(self._make("get_admin_api_key", key_id=key_id))).get("redacted_value")
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
    given = _given_roles(call)
    return name == "update_user" and bool(given) and given != {"role": _OWNER}


def _given_roles(call: Endpoint) -> Json:
    """Return what the call says about a role, by field; a name as it is compared."""
    given: Json = {field: getattr(call, field) for field in ("role", "role_id") if field in call.model_fields_set}
    return given | ({"role": _OWNER} if _same(given.get("role"), _OWNER) else {})


def _is_owner(user: Json) -> bool:
    return _same(user.get("role"), _OWNER)


def _is_active_owner(user: Json) -> bool:
    """Whether this user is an owner who can act as far as the API tells.

    Only what it says outright counts against them: what it leaves out it leaves out for everybody.
    """
    account = user.get("user")
    for told in (user, account if isinstance(account, dict) else {}):
        if told.get("enabled") is False or told.get("banned") is True or told.get("banned_at"):
            return False
        if told.get("disabled") is True or told.get("is_service_account") is True:
            return False
    return _is_owner(user)


def _ids(user: Json) -> set[str]:
    """Return all the ids a user goes by, so that nobody is taken for another owner than themselves."""
    account = user.get("user")
    found = (user.get("id"), account.get("id") if isinstance(account, dict) else None)
    return {one for one in found if isinstance(one, str)}


def _same(name: object, wanted: str) -> bool:
    return isinstance(name, str) and name.strip().casefold() == wanted


def _id(call: Endpoint, field: str) -> str:
    return str(getattr(call, field))


def _uncheckable(name: str, why: str, *, retryable: bool = False) -> PolicyDenied:
    return PolicyDenied(
        f"The guardrail {name} could not be checked, so nothing was sent: {why}",
        hint="Tell the user. The operator can remove the cause, or switch this guardrail off in the policy file.",
        retryable=retryable,
    )

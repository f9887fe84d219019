"""Reads what a change is about. Reads only, through the function it is given, and puts nothing into words."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import anyio

from admin_mcp.api.connection import Read
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, NotFound, Permission
from admin_mcp.gate.reads import AFFECTED_LIMIT, Reads, plan_reads
from admin_mcp.gate.snapshot import Lookup, Snapshot, namesakes

MayTell = Callable[[Endpoint, Json | None], bool]
"""Whether the model may be told what a read answers; without an answer: whether it may make the read at all."""

_AT_ONCE = 8
"""Reads in flight: an invite may name hundreds of projects."""


class TargetReader:
    """Reads the present state behind a change."""

    def __init__(self, catalog: Catalog, read: Read) -> None:
        self._catalog = catalog
        self._read_alone = read

    async def snapshot(self, call: Endpoint, may_tell: MayTell, *, hide: bool = False) -> Snapshot:
        """Return the present state of all that a change is about.

        With ``hide`` what the model may not be told is unreadable; otherwise the result says that there is some.

        Raises:
            CallError: a read failed, but for 403, which is shown.

        """
        return await _Glance(plan_reads(call, self._catalog), self._read_alone, may_tell, hide=hide).snapshot()


class _Glance:
    """The reads of one change, all at once, and what they answered so far."""

    def __init__(self, plan: Reads, read: Read, may_tell: MayTell, *, hide: bool) -> None:
        self._plan = plan
        self._read_alone = read
        self._may_tell = may_tell
        self._hide = hide
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)
        self._withheld = False
        self._found: dict[str, Lookup] = {}
        self._names: dict[str, Lookup] = {}
        self._counts: dict[str, str] = {}
        self._siblings: Json | None = None
        self._failures: list[CallError] = []

    async def snapshot(self) -> Snapshot:
        plan = self._plan
        async with anyio.create_task_group() as group:
            if plan.state is not None:
                keep = partial(self._found.__setitem__, "state")
                group.start_soon(partial(self._take, plan.state, keep, may_be_absent=plan.may_be_absent))
            if plan.roles is not None:
                keep = partial(self._found.__setitem__, "roles")
                group.start_soon(partial(self._take, plan.roles, keep, may_be_absent=True))
            for name, endpoint in plan.names.items():
                keep, absent = partial(self._names.__setitem__, name), name not in plan.parents
                group.start_soon(partial(self._take, endpoint, keep, may_be_absent=absent))
            for kind, endpoint in plan.affected.items():
                group.start_soon(self._count, kind, endpoint)
            if plan.siblings is not None:
                group.start_soon(self._compare, plan.siblings)
        if self._failures:
            raise self._failures[0]
        return self._together()

    def _together(self) -> Snapshot:
        plan = self._plan
        seen = Snapshot(
            state=self._state(),
            own=plan.own,
            names={name: self._names[name] for name in plan.names},
            affected={kind: self._counts[kind] for kind in plan.affected},
            once=plan.once,
            roles=self._found.get("roles"),
            withheld=self._withheld,
        )
        if plan.called is None:
            return seen
        return replace(seen, namesakes=namesakes(seen.thing(plan.called), self._siblings))

    def _state(self) -> Lookup | None:
        """Return the target's state. That nothing is set in a place that can't be read is not known."""
        state = self._found.get("state")
        blind = any(self._names[name] == "unreadable" for name in self._plan.parents)
        return "unreadable" if state == "absent" and self._plan.once and blind else state

    async def _take(self, endpoint: Endpoint, keep: Callable[[Lookup], None], *, may_be_absent: bool) -> None:
        try:
            keep(await self._read(endpoint, may_be_absent=may_be_absent))
        except CallError as error:
            self._failures.append(error)

    async def _read(self, endpoint: Endpoint, *, may_be_absent: bool) -> Lookup:
        try:
            answer = await self._ask(endpoint)
        except Permission:
            return "unreadable"
        except NotFound:
            if may_be_absent:
                return "absent"
            raise
        return "unreadable" if answer is None else answer

    async def _ask(self, endpoint: Endpoint) -> Json | None:
        """Make a read, and return what may be shown of its answer: None for nothing."""
        if self._hide and not self._may_tell(endpoint, None):
            return None
        async with self._limiter:
            answer = await self._read_alone(endpoint)
        if self._may_tell(endpoint, answer):
            return answer
        self._withheld = True
        return None if self._hide else answer

    async def _page(self, endpoint: Endpoint) -> Json | None:
        """Read one page of a list, or return None where it can't be seen: what can't be told counts as the graver."""
        try:
            page = await self._ask(endpoint)
        except (Permission, NotFound):
            return None
        return page if page is not None and isinstance(page.get("data"), list) else None

    async def _compare(self, endpoint: Endpoint) -> None:
        try:
            self._siblings = await self._page(endpoint)
        except CallError as error:
            self._failures.append(error)

    async def _count(self, kind: str, endpoint: Endpoint) -> None:
        """Count what one page lists, in words."""
        try:
            page = await self._page(endpoint)
        except CallError as error:
            self._failures.append(error)
            return
        if page is None:
            self._counts[kind] = "unknown (could not be read)"
        else:
            self._counts[kind] = f"{AFFECTED_LIMIT} or more" if page.get("has_more") else str(len(page["data"]))

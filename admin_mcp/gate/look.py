"""Reads what a change is about and puts its preview together. Reads only, through the reader it is given."""

from collections.abc import Awaitable, Callable
from functools import partial

import anyio

from admin_mcp.catalog import Catalog
from admin_mcp.endpoint import Endpoint
from admin_mcp.errors import CallError, NotFound, Permission
from admin_mcp.gate.preview import Found, Preview, Seen, build_preview
from admin_mcp.gate.reads import AFFECTED_LIMIT, plan_reads
from admin_mcp.request import WireRequest
from admin_mcp.tool import Json

Reader = Callable[[Endpoint], Awaitable[Json]]
"""Sends a read and returns the API's JSON object, or raises ``CallError``."""


class Look:
    """Looks at the things a change names, in one system. ``target`` is that system, in words."""

    def __init__(self, catalog: Catalog, reader: Reader, target: str) -> None:
        self._catalog = catalog
        self._reader = reader
        self._target = target

    async def preview(self, call: Endpoint, wire: WireRequest, *, affected: bool) -> Preview:
        """Read the present state and return the preview; ``affected`` counts what a destruction takes along, too.

        Raises:
            CallError: a read failed, but for 403, which is shown.

        """
        plan = plan_reads(call, self._catalog)
        state: list[Found] = []
        names: dict[str, Found] = {}
        counts: dict[str, str] = {}
        failures: list[CallError] = []

        async def read(endpoint: Endpoint, keep: Callable[[Found], None], *, may_be_absent: bool) -> None:
            try:
                keep(await self._read(endpoint, may_be_absent=may_be_absent))
            except CallError as error:
                failures.append(error)

        async def count(kind: str, endpoint: Endpoint) -> None:
            counts[kind] = await self._count(endpoint)

        async with anyio.create_task_group() as group:
            if plan.state is not None:
                group.start_soon(partial(read, plan.state, state.append, may_be_absent=plan.may_be_absent))
            for name, endpoint in plan.names.items():
                group.start_soon(partial(read, endpoint, partial(names.__setitem__, name), may_be_absent=True))
            for kind, endpoint in plan.affected.items() if affected else ():
                group.start_soon(count, kind, endpoint)
        if failures:
            raise failures[0]
        seen = Seen(
            state=state[0] if state else None,
            own=plan.own,
            names={name: names[name] for name in plan.names},
            affected={kind: counts[kind] for kind in plan.affected if kind in counts},
        )
        return build_preview(call, wire, seen, catalog=self._catalog, target=self._target)

    async def _read(self, endpoint: Endpoint, *, may_be_absent: bool) -> Found:
        try:
            return await self._reader(endpoint)
        except Permission:
            return "unreadable"
        except NotFound:
            if may_be_absent:
                return "absent"
            raise

    async def _count(self, endpoint: Endpoint) -> str:
        """Count what one page lists, in words. It informs and decides nothing, so a failure is shown as well."""
        try:
            page = await self._reader(endpoint)
        except CallError:
            return "unknown (could not be read)"
        items = page.get("data")
        if not isinstance(items, list):
            return "unknown (could not be read)"
        return f"{AFFECTED_LIMIT} or more" if page.get("has_more") else str(len(items))

"""What an argument of a prompt can be completed to: people and projects, read under the policy as a job reads them.

A list that can't be read, or not soon, completes to nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import anyio

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError
from admin_mcp.gate.text import plain
from admin_mcp.tools.endpoint_tool import Installation

Listed = Literal["people", "projects"]
MOST_VALUES: Final = 100
"""The protocol's own limit."""

_TOOLS: Final[dict[Listed, str]] = {"people": "list_users", "projects": "list_projects"}
_MOST_PAGES: Final = 10
_PATIENCE_SECONDS: Final = 5.0
_KEPT_SECONDS: Final = 60.0


class Completions:
    """Completes for one server. ``clock`` gives seconds; a list is kept for a minute, since each keystroke asks."""

    def __init__(self, server: Installation, clock: Callable[[], float]) -> None:
        self._server = server
        self._clock = clock
        self._kept: dict[Listed, tuple[float, list[Json]]] = {}
        self._reading = anyio.Lock()

    async def of(self, listed: Listed, begun: str) -> list[str]:
        """Return the values that what is typed so far may become, the likeliest first."""
        async with self._reading:
            rows = await self._rows(listed)
        return matching(rows, begun)

    async def _rows(self, listed: Listed) -> list[Json]:
        at, kept = self._kept.get(listed, (0.0, []))
        if listed in self._kept and self._clock() - at < _KEPT_SECONDS:
            return kept
        rows: list[Json] = []
        with anyio.move_on_after(_PATIENCE_SECONDS):
            try:
                rows = await self._read(_TOOLS[listed])
            except CallError:
                rows = []  # and kept as such: the next keystroke would fail as well
        self._kept[listed] = (self._clock(), rows)
        return rows

    async def _read(self, tool: str) -> list[Json]:
        from admin_mcp.tools.job_tool import reader  # noqa: PLC0415 - most servers complete nothing

        return await reader(self._server, _silent).some(tool, _MOST_PAGES)


async def _silent(done: float, total: float | None, message: str) -> None:
    del done, total, message


def matching(rows: Iterable[Json], begun: str) -> list[str]:
    """Return the names to offer for what is typed so far: those that begin with it first."""
    wanted = begun.strip().casefold()
    rows = [*{str(row.get("id")): row for row in rows}.values()]
    found: list[tuple[bool, str]] = []
    names = [row.get("name") for row in rows]
    for row in rows:
        texts = [str(row[key]) for key in ("email", "name", "id") if isinstance(row.get(key), str)]
        if any(wanted in text.casefold() for text in texts) and (value := _value(row, names)):
            found.append((not any(text.casefold().startswith(wanted) for text in texts), value))
    return [*dict.fromkeys(value for _, value in sorted(found))]


def _value(row: Json, names: Sequence[object]) -> str:
    """Return what stands for a row: its address, or a name of its own; the id where these could mislead."""
    for key in ("email", "name"):
        text = row.get(key)
        if isinstance(text, str) and plain(text) and (key == "email" or names.count(text) == 1):
            return text
    item = row.get("id")
    return item if isinstance(item, str) else ""

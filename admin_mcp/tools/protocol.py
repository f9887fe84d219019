"""What a tool is to the server: its listed definition, its effect, and what a call of it does."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from admin_mcp.endpoints.base import Effect
from admin_mcp.endpoints.schema import META_EFFECT, Json
from admin_mcp.gate.approval_channel import ChannelSelector

Report = Callable[[float, float | None, str], Awaitable[None]]
"""Tells the client how far a call is: done, of how much, and in words."""


@dataclass(slots=True)
class CallContext:
    """One tools/call on its way: who can be asked, how progress is told, and whether it should come to an end.

    ``late`` says that the client may soon give up. ``sending`` is set once a change may have been sent.
    """

    channels: ChannelSelector
    report: Report
    late: Callable[[], bool]
    sending: bool = False


class Told(dict[str, Any]):
    """An answer with a text of its own, for who reads texts: a table, say, and not the JSON again."""

    def __init__(self, value: Mapping[str, Any], text: str) -> None:
        super().__init__(value)
        self.text = text


class Tool(Protocol):
    """One tool, whatever stands behind it."""

    @property
    def name(self) -> str:
        """Its name, as a client calls it."""

    @property
    def definition(self) -> Json:
        """Its ``tools/list`` entry."""

    @property
    def effect(self) -> Effect:
        """What the gravest of its calls does."""

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Do what a call asks for, and return the object it answers with.

        Raises:
            CallError: it failed, and why.

        """


@dataclass(frozen=True, slots=True)
class Defined:
    """A tool whose definition says what it is called and what it does."""

    definition: Json

    @property
    def name(self) -> str:
        """Its name, as a client calls it."""
        name: str = self.definition["name"]
        return name

    @property
    def effect(self) -> Effect:
        """What the gravest of its calls does by itself."""
        effect: Effect = self.definition["_meta"][META_EFFECT]
        return effect

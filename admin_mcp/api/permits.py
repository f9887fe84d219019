"""Permits: the gate issues one for exactly one request, the client redeems it before it sends. Single use.

A permit is worth nothing by its looks. Only the very object that was issued, presented once, with the request it was
issued for, lets a change through; a copy, a second use or another request does not.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import AdminMcpError


class PermitError(AdminMcpError, RuntimeError):
    """A change was about to leave without a permit for exactly this request: a defect in this program, never sent."""


class Permit:
    """A ticket for one request. Knows nothing; ``Permits`` knows what it is for."""

    __slots__ = ()


class Permits:
    """Issues and redeems permits. One for a process, shared by the gate and the client."""

    def __init__(self) -> None:
        self._issued: dict[int, tuple[Permit, str]] = {}

    def issue(self, digest: str) -> Permit:
        """Return a permit for the request that has this digest. For the gate alone."""
        permit = Permit()
        self._issued[id(permit)] = (permit, digest)
        return permit

    def redeem(self, permit: Permit | None, digest: str) -> None:
        """Use up a permit.

        Raises:
            PermitError: it was not issued here, was used before, or is for another request.

        """
        issued = self._issued.pop(id(permit), None)
        if issued is None or issued[0] is not permit:
            raise PermitError("no permit was issued for this request")
        if issued[1] != digest:
            raise PermitError("the permit is for another request")

    def withdraw(self, permit: Permit) -> bool:
        """Make a permit worthless, and return whether it had never been used."""
        return self._issued.pop(id(permit), None) is not None


async def _nothing_to_check() -> None:
    """Stand in for the re-check of a change that nobody was shown."""


@dataclass(slots=True)
class Admission:
    """What the gate gives with a change that may be sent. The sender notes the API's request id and answer here.

    ``recheck`` must be awaited before the change is sent a second time; it raises ``CallError`` if it may not be.
    """

    permit: Permit
    request_id: str | None = None
    recheck: Callable[[], Awaitable[object]] = _nothing_to_check
    answer: Json | None = None

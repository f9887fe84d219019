"""The pretend organization: a request goes in, a status and a JSON body come out. No HTTP, no clock of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from admin_mcp.sandbox import audit
from admin_mcp.sandbox.errors import RefusalError
from admin_mcp.sandbox.growth import Size, grow
from admin_mcp.sandbox.invite_lifecycle import arrive
from admin_mcp.sandbox.operations import perform
from admin_mcp.sandbox.requests import read_call
from admin_mcp.sandbox.routes import router
from admin_mcp.sandbox.rules import check
from admin_mcp.sandbox.seed import sow
from admin_mcp.sandbox.serialization import render
from admin_mcp.sandbox.store import Row, Store

__all__ = ["Organization", "SandboxAnswer", "Size"]


@dataclass(frozen=True, slots=True)
class SandboxAnswer:
    """An answer: its HTTP status and its JSON body."""

    status: int
    body: Row


class Organization:
    """A whole organization in memory. The same seed, size and clock give the same answers to the same calls."""

    def __init__(self, *, clock: Callable[[], float], seed: int = 0, size: Size | None = None) -> None:
        self._clock = clock
        self._seed = seed
        self._size = size or Size()
        self._store = Store(seed)
        self.reset()

    def reset(self) -> None:
        """Forget every change and begin again from the seed."""
        self._store = Store(self._seed)
        now = int(self._clock())
        sow(self._store, self._answer, now)
        grow(self._store, self._size, now)
        audit.put_in_order(self._store)

    def respond(self, method: str, path: str, query: list[tuple[str, str]], body: object | None) -> SandboxAnswer:
        """Answer one request. ``path`` is decoded and begins after ``/v1``; a refused call changes nothing."""
        try:
            return SandboxAnswer(200, self._answer(method, path, query, body, int(self._clock())))
        except RefusalError as refusal:
            return SandboxAnswer(refusal.status, refusal.body)

    def _answer(self, method: str, path: str, query: list[tuple[str, str]], body: object | None, now: int) -> Row:
        arrive(self._store, now)
        route, params = router().find(method, path)
        call = read_call(route, params, query, body, now)
        check(self._store, call)
        shown = perform(self._store, call)
        spec = route.endpoint.SPEC
        if spec.mutates:
            audit.record(self._store, call, shown)
        return render(spec.returns, shown)

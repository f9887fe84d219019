"""Tells the operator's webhooks about questions, each from a thread of its own, so that no call ever waits for one.

The server that asked follows its questions in the state, for as long as it runs: wherever they are decided, it sees it.
The threads are daemons, and what is not sent when the server ends is dropped.
"""

import asyncio
import logging
import os
import queue
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from admin_mcp import __version__
from admin_mcp.api.network import Route, route_to
from admin_mcp.errors import CallError
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.questions import Opened
from admin_mcp.gate.webhook import (
    SHORTEST_SECRET,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Moment,
    Webhook,
    moments,
    notice,
    signature,
)

PAUSES = (1.0, 5.0, 20.0)
"""Seconds before each further attempt."""

_POLL_SECONDS = 1.0
_REPLY_SECONDS = 10.0
_MOST_WAITING = 100
_PASSING = frozenset({408, 429})
_SERVER_ERROR = 500
_DONE = range(200, 300)

logger = logging.getLogger(__name__)


@asynccontextmanager
async def notices(
    webhooks: Iterable[Webhook], approvals: Approvals, clock: Callable[[], float], secrets: Sequence[str] = ()
) -> AsyncIterator[Opened]:
    """Yield what takes the questions of this server; afterwards nothing more is sent."""
    couriers = [
        Courier(webhook, key, approvals, clock, secrets)
        for webhook in webhooks
        if len(key := os.environ.get(webhook.secret_env, "")) >= SHORTEST_SECRET
    ]

    def opened(approval: Approval) -> None:
        for courier in couriers:
            courier.take(approval)

    try:
        yield opened
    finally:
        for courier in couriers:
            courier.stop()


class Courier:
    """One webhook's notices, in the order in which things happened."""

    def __init__(
        self,
        webhook: Webhook,
        key: str,
        approvals: Approvals,
        clock: Callable[[], float],
        secrets: Sequence[str] = (),
        *,
        pauses: Sequence[float] = PAUSES,
        poll: float = _POLL_SECONDS,
    ) -> None:
        """``key`` signs; ``secrets`` are kept out of what is sent."""
        self._webhook = webhook
        self._key = key
        self._approvals = approvals
        self._clock = clock
        self._secrets = (*secrets, key)
        self._pauses = pauses
        self._poll = poll
        self._taken: queue.Queue[Approval | None] = queue.Queue(_MOST_WAITING)
        self._stopped = threading.Event()
        self._complained = False
        self._thread: threading.Thread | None = None

    def take(self, approval: Approval) -> None:
        """Tell of a question, and of what becomes of it, soon."""
        try:
            self._taken.put_nowait(approval)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
                self._thread.start()
        except queue.Full:
            self._complain("too much waits to be sent")
        except RuntimeError as error:  # no more threads
            self._complain(str(error))

    def stop(self) -> None:
        """Send nothing more; what is on its way is not waited for."""
        self._stopped.set()
        try:
            self._taken.put_nowait(None)
        except queue.Full:
            return  # it wakes up by what is there

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_OwnLoop) as runner:
                runner.run(self._work(route_to(self._webhook.url)))
        except CallError as error:
            self._complain(error.message)
        except Exception as error:  # noqa: BLE001 - a thread's last chance to say why no more notices come
            self._complain(f"{type(error).__name__}, and no more notices are sent")

    async def _work(self, route: Route) -> None:
        async with httpx.AsyncClient(
            follow_redirects=False,
            timeout=_REPLY_SECONDS,
            proxy=httpx.Proxy(route.proxy.url) if route.proxy else None,
            verify=route.trust,
            trust_env=False,  # the route has what the environment says
        ) as client:
            await self._serve(client, (httpx.HTTPError, OSError, *route.foreign))

    async def _serve(self, client: httpx.AsyncClient, errors: tuple[type[Exception], ...]) -> None:
        followed: dict[str, Approval] = {}
        while not self._stopped.is_set():
            try:
                new = self._taken.get(timeout=self._poll if followed else None)
            except queue.Empty:
                for moment, approval in self._happened(followed):
                    await self._tell(client, errors, moment, approval)
                continue
            if new is not None:
                followed[new.id] = new
                await self._tell(client, errors, "question", new)

    def _happened(self, followed: dict[str, Approval]) -> Iterator[tuple[Moment, Approval]]:
        for before in list(followed.values()):
            try:
                now = self._approvals.get(before.id)
            except CallError as error:  # it may be busy, and is looked at again
                self._complain(error.message)
                continue
            happened, goes_on = ([], False) if now is None else moments(before, now)
            if now is None or not goes_on:
                del followed[before.id]
            else:
                followed[before.id] = now
            if now is not None:
                yield from ((moment, now) for moment in happened)

    async def _tell(
        self, client: httpx.AsyncClient, errors: tuple[type[Exception], ...], moment: Moment, approval: Approval
    ) -> None:
        if not self._webhook.wants(moment, approval):
            return
        body = notice(moment, approval, self._secrets)
        problem: _Problem | None = None
        for pause in (0.0, *self._pauses):
            if self._stopped.wait(pause) or (moment == "question" and _is_over(approval, self._clock())):
                return
            problem = await self._attempt(client, errors, body)
            if problem is None or not problem.passes:
                break
        if problem is not None and not self._stopped.is_set():
            self._complain(problem.what)

    async def _attempt(
        self, client: httpx.AsyncClient, errors: tuple[type[Exception], ...], body: bytes
    ) -> "_Problem | None":
        """Send a notice once, and look at nothing of the answer but its status."""
        try:
            # For all of it: an endpoint may answer a little at a time, for ever.
            async with (
                asyncio.timeout(_REPLY_SECONDS),
                client.stream("POST", self._webhook.url, content=body, headers=self._headers(body)) as answer,
            ):
                status = answer.status_code
        except errors as error:
            return _Problem(type(error).__name__, passes=True)
        if status in _DONE:
            return None
        return _Problem(f"it answered {status}", passes=status in _PASSING or status >= _SERVER_ERROR)

    def _headers(self, body: bytes) -> Mapping[str, str]:
        timestamp = int(self._clock())
        return {
            "Content-Type": "application/json",
            "User-Agent": f"openai-admin-mcp/{__version__}",
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: signature(self._key, timestamp, body),
        }

    def _complain(self, what: str) -> None:
        """Say once what keeps notices from coming."""
        if not self._complained:
            self._complained = True
            logger.warning("%s was not told of a question: %s. This is said once.", self._webhook, what)


def _is_over(approval: Approval, now: float) -> bool:
    """Whether nobody can answer a question any more."""
    return approval.ends is not None and approval.ends <= now


class _OwnLoop(asyncio.SelectorEventLoop):
    """A loop that nothing else runs in, so it may wait for addresses: a thread for them would outlast the program."""

    async def getaddrinfo(self, host: Any, port: Any, **more: int) -> Any:  # noqa: ANN401 - as asyncio has it
        """Return the addresses of a name."""
        return socket.getaddrinfo(host, port, **more)


class _Problem:
    """Why a notice did not arrive; ``passes`` tells if it is worth another attempt."""

    def __init__(self, what: str, *, passes: bool) -> None:
        self.what = what
        self.passes = passes

"""Sends requests: one pooled connection set, time limits, retries, and httpx's errors translated in one place.

A change is sent only with the gate's permit for exactly that request, and sent again only when the API did not take it.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import anyio
import httpx
from pydantic import SecretStr

from admin_mcp import __version__
from admin_mcp.errors import ApiError, Authentication, CallError, CallTimeout, NetworkError, OutcomeUnknown
from admin_mcp.gate.permits import Permit, Permits
from admin_mcp.request import WireRequest
from admin_mcp.response import Answer
from admin_mcp.settings import Target, is_loopback

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 45.0
TRIES = 3
LONGEST_BODY = 10 * 1024 * 1024
_RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_BACKOFF_SECONDS = 0.5
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Recheck = Callable[[], Awaitable[None]]


async def _unchecked() -> None:
    """Let a request be sent again as it is."""


class Client:
    """The one HTTP client of a process. Use it as an async context manager."""

    def __init__(
        self,
        *,
        base_url: str,
        key: SecretStr | None,
        target: Target,
        permits: Permits,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        jitter: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base_url = httpx.URL(base_url)
        self._key = key
        self._target = target
        self._permits = permits
        self._sleep = sleep
        self._jitter = jitter
        self._now = now
        self._http = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=20),
            # Environment proxies are the operator's wish, but never for a loopback base URL.
            trust_env=not is_loopback(self._base_url.host),
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def send(
        self, wire: WireRequest, permit: Permit | None = None, *, verify: str = "", recheck: Recheck = _unchecked
    ) -> Answer:
        """Send one request and return the complete answer, whatever its status.

        ``verify`` is the hint for a change whose outcome stays unknown. ``recheck`` is awaited before a request that
        the API did not take is sent again, and may refuse it.

        Raises:
            PermitError: a change without the permit issued for exactly this request. Nothing is sent.
            CallError: no key, no connection, no complete answer in time, or an answer beyond 10 MB.

        """
        if wire.mutates:
            self._permits.redeem(permit, wire.digest(self._target.system))
        request = self._request(wire)
        try:
            with anyio.fail_after(TOTAL_SECONDS) as scope:
                return await self._send_with_retries(request, verify, recheck, scope.deadline)
        except TimeoutError:
            raise _timed_out(request, verify) from None

    def require_key(self) -> SecretStr:
        """Return the key.

        Raises:
            Authentication: there is none.

        """
        if self._key is None:
            raise Authentication(
                "No admin key is set, so nothing was sent.",
                hint="The operator must set OPENAI_ADMIN_KEY in this server's environment (in the host's MCP "
                "configuration, under env) and restart it. To try without a key, start it with --sandbox.",
            )
        return self._key

    def _request(self, wire: WireRequest) -> httpx.Request:
        headers = {
            "Authorization": f"Bearer {self.require_key().get_secret_value()}",
            "Accept": "application/json",
            "User-Agent": f"openai-admin-mcp/{__version__}",
        }
        if wire.body is not None:
            headers["Content-Type"] = "application/json"
        url = self._base_url.copy_with(raw_path=f"{self._base_url.raw_path.decode().rstrip('/')}{wire.target}".encode())
        content = wire.body.encode() if wire.body is not None else None
        return self._http.build_request(wire.method, url, headers=headers, content=content)

    async def _send_with_retries(
        self, request: httpx.Request, verify: str, recheck: Recheck, deadline: float
    ) -> Answer:
        tries = 0
        while True:
            tries += 1
            # Waiting past the deadline would turn a plain answer into an unclear one.
            wait = self._jitter() * _BACKOFF_SECONDS * 2**tries
            spent = tries >= TRIES or anyio.current_time() + wait >= deadline
            try:
                answer, asked = await self._send_once(request)
            except httpx.HTTPError as error:
                if spent or not _may_resend(request, error):
                    raise _translate(error, request, verify) from None
            else:
                wait = wait if asked is None else asked
                resend = _RETRIED_STATUSES if request.method == "GET" else {429}
                if spent or answer.status not in resend or anyio.current_time() + wait >= deadline:
                    return answer
            await self._sleep(wait)
            await recheck()

    async def _send_once(self, request: httpx.Request) -> tuple[Answer, float | None]:
        """Return the answer, and how many seconds the API asks to wait (None: it does not say)."""
        response = await self._http.send(request, stream=True)
        try:
            body = await _body(response)
        finally:
            await response.aclose()
        answer = Answer(
            status=response.status_code,
            body=body,
            content_type=response.headers.get("content-type", ""),
            request_id=response.headers.get("x-request-id"),
        )
        return answer, self._retry_after(response.headers.get("retry-after"))

    def _retry_after(self, value: str | None) -> float | None:
        """Read ``Retry-After``, which is a number of seconds or a date."""
        if value is None:
            return None
        if value.strip().isdigit():
            return float(value)
        try:
            return max((parsedate_to_datetime(value) - self._now()).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return None


async def _body(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > LONGEST_BODY:
            raise _TooLongError(request=response.request)
        parts.append(part)
    return b"".join(parts)


class _TooLongError(httpx.HTTPError):
    """The answer is longer than this server takes."""

    def __init__(self, *, request: httpx.Request) -> None:
        super().__init__("answer too long")
        self.request = request


def _may_resend(request: httpx.Request, error: httpx.HTTPError) -> bool:
    if request.method == "GET":
        return not isinstance(error, _TooLongError)
    return isinstance(error, _NEVER_SENT)


def _translate(error: httpx.HTTPError, request: httpx.Request, verify: str) -> CallError:
    """Say in our terms what httpx's error means for the caller."""
    host = request.url.host
    if isinstance(error, _NEVER_SENT):
        return NetworkError(
            f"Could not connect to {host}; nothing was sent.",
            retryable=True,
            hint="Try again in a minute. If it stays so, the operator should check OPENAI_BASE_URL, proxy and network.",
        )
    if request.method != "GET":
        return OutcomeUnknown(
            f"The connection to {host} failed after the change was sent; it may or may not have been made.", hint=verify
        )
    if isinstance(error, _TooLongError):
        return ApiError(
            f"The answer is longer than {LONGEST_BODY // 1024**2} MB and was dropped.",
            hint="Ask for less: a smaller limit, a shorter time range, or fewer groupings.",
        )
    if isinstance(error, httpx.TimeoutException):
        return _timed_out(request, verify)
    return NetworkError(
        f"The connection to {host} broke before the answer was complete.", retryable=True, hint="Try again."
    )


def _timed_out(request: httpx.Request, verify: str) -> CallError:
    waited = f"{request.url.host} did not answer within {TOTAL_SECONDS:.0f} seconds"
    if request.method != "GET":
        return OutcomeUnknown(f"{waited}; the change may or may not have been made.", hint=verify)
    return CallTimeout(f"{waited}.", retryable=True, hint="Try again, asking for less at once.")

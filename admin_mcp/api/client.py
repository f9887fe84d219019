"""Sends requests: pooled connections, time limits, retries, and httpx's errors translated in one place.

A change is sent only with the gate's permit for exactly that request, and sent again only when the API did not take it.
It has a connection of its own, on which nothing can lie that belongs to another request; so has what is read for it.
"""

import random
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import anyio
import httpx
from pydantic import SecretStr

from admin_mcp import __version__
from admin_mcp.api.decoding import ACCEPTED, Body, TooLongError, UndecodableError
from admin_mcp.api.key import required
from admin_mcp.api.network import Proxy, route_to
from admin_mcp.api.permits import Permit, Permits
from admin_mcp.api.request import WireRequest
from admin_mcp.api.response import HttpAnswer, Received, redact, take_in
from admin_mcp.api.strict_json import TooHeavyError, UnreadableError
from admin_mcp.errors import CallError, CallTimeout, NetworkError, OutcomeUnknown
from admin_mcp.settings import Target

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 45.0
TRIES = 3
LONGEST_BODY = 10 * 1024 * 1024
_CONNECTIONS = 20
_RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_BACKOFF_SECONDS = 0.5
_LONGEST_REASON = 100
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NEVER_SENT = (*_NO_CONNECTION, httpx.ProxyError, httpx.UnsupportedProtocol)

Recheck = Callable[[], Awaitable[object]]


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
        """Prepare to send; ``transport`` stands in for the network.

        Raises:
            NetworkError: the operator's proxy or certificate settings are wrong.

        """
        route = route_to(base_url)
        self._base_url = httpx.URL(base_url)
        self._key = key
        self._secrets = (key.get_secret_value(),) if key else ()
        self._target = target
        self._permits = permits
        self._proxy = route.proxy
        self._foreign = route.foreign
        self._sleep = sleep
        self._jitter = jitter
        self._now = now

        def opened(kept: int) -> httpx.AsyncClient:
            return httpx.AsyncClient(
                transport=transport,
                follow_redirects=False,
                timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=kept),
                proxy=httpx.Proxy(route.proxy.url) if route.proxy and transport is None else None,
                verify=route.trust,
                trust_env=False,  # the route has what the environment says
            )

        self._shared = opened(kept=_CONNECTIONS)
        self._alone = opened(kept=0)

    async def __aenter__(self) -> Self:
        await self._shared.__aenter__()
        await self._alone.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._alone.__aexit__(kind, error, trace)
        finally:
            await self._shared.__aexit__(kind, error, trace)

    @property
    def proxy(self) -> Proxy | None:
        """The proxy that requests go through."""
        return self._proxy

    async def send(
        self,
        wire: WireRequest,
        permit: Permit | None = None,
        *,
        verify: str = "",
        alone: bool = False,
        recheck: Recheck = _unchecked,
    ) -> HttpAnswer:
        """Send one request and return the complete answer, whatever its status.

        ``verify`` is the hint for a change whose outcome stays unknown. ``alone`` gives a read a connection of its own,
        as a change always has. ``recheck`` is awaited before a request that the API did not take is sent again, and may
        refuse it.

        Raises:
            PermitError: a change without the permit issued for exactly this request. Nothing is sent.
            CallError: no key, no connection, no complete answer in time, or an answer beyond 10 MB.

        """
        if wire.mutates:
            self._permits.redeem(permit, wire.digest(self._target.system))
        sending = _Sending(self._request(wire, alone=alone or wire.mutates), verify)
        try:
            with anyio.fail_after(TOTAL_SECONDS) as scope:
                return await self._send_with_retries(sending, recheck, scope.deadline)
        except TimeoutError:
            raise self._timed_out(sending) from None

    def _request(self, wire: WireRequest, *, alone: bool) -> httpx.Request:
        headers = {
            "Authorization": f"Bearer {required(self._key)}",
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
            "User-Agent": f"openai-admin-mcp/{__version__}",
        }
        if wire.body is not None:
            headers["Content-Type"] = "application/json"
        if alone:
            headers["Connection"] = "close"
        url = self._base_url.copy_with(raw_path=f"{self._base_url.raw_path.decode().rstrip('/')}{wire.target}".encode())
        content = wire.body.encode() if wire.body is not None else None
        return self._shared.build_request(wire.method, url, headers=headers, content=content)

    async def _send_with_retries(self, sending: "_Sending", recheck: Recheck, deadline: float) -> HttpAnswer:
        tries = 0
        while True:
            tries += 1
            # Waiting past the deadline would turn a plain answer into an unclear one.
            wait = self._jitter() * _BACKOFF_SECONDS * 2**tries
            spent = tries >= TRIES or anyio.current_time() + wait >= deadline
            try:
                answer, asked = await self._send_once(sending)
            except httpx.HTTPError as error:
                if spent or not sending.may_be_repeated_after(error):
                    raise self._translated(error, sending) from None
            else:
                wait = wait if asked is None else asked
                resend = {429} if sending.mutates else _RETRIED_STATUSES
                if spent or answer.status not in resend or anyio.current_time() + wait >= deadline:
                    return answer
            await self._sleep(wait)
            await recheck()

    async def _send_once(self, sending: "_Sending") -> tuple[HttpAnswer, float | None]:
        """Return the answer, and how many seconds the API asks to wait (None: it does not say)."""
        http = self._alone if sending.alone else self._shared
        with self._as_http_errors():
            response = await http.send(sending.begun(), stream=True)
            try:
                body = await _body(response)
            finally:
                await response.aclose()
        received = Received(
            status=response.status_code,
            body=body,
            content_type=response.headers.get("content-type", ""),
            request_id=response.headers.get("x-request-id"),
        )
        return take_in(received, self._secrets), self._retry_after(response.headers.get("retry-after"))

    @contextmanager
    def _as_http_errors(self) -> Iterator[None]:
        """Turn what httpx lets through from the libraries below it into what it calls the same."""
        try:
            yield
        except self._foreign as error:
            raise httpx.ProxyError(f"it does not speak as a SOCKS5 proxy does: {error}") from None
        except ssl.SSLError:
            raise httpx.ReadError("TLS broke") from None

    def _retry_after(self, value: str | None) -> float | None:
        """Read ``Retry-After``, which is a number of seconds or a date."""
        text = (value or "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            return max((parsedate_to_datetime(text) - self._now()).total_seconds(), 0.0)
        except (ValueError, TypeError, OverflowError):
            return None

    def _translated(self, error: httpx.HTTPError, sending: "_Sending") -> CallError:
        """Say in our terms what httpx's error means for the caller."""
        host = self._host
        if isinstance(error, httpx.ProxyError):
            return self._proxy_refused(error)
        if isinstance(error, _NO_CONNECTION) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            return NetworkError(
                f"The certificate of {host} is not trusted here; nothing was sent.",
                hint="The operator should check OPENAI_BASE_URL, and put the certificate of the authority that signed "
                "it (often a company's own) in a file that SSL_CERT_FILE names.",
            )
        if sending.never_left(error):
            return self._not_connected()
        if sending.mutates:
            return OutcomeUnknown(
                f"The connection to {host} failed after the change was sent; it may or may not have been made.",
                hint=sending.verify,
            )
        if isinstance(error, httpx.TimeoutException):
            return self._timed_out(sending)
        return NetworkError(
            f"The connection to {host} broke before the answer was complete.", retryable=True, hint="Try again."
        )

    def _not_connected(self) -> NetworkError:
        return NetworkError(
            f"Could not connect to {self._host}; nothing was sent.",
            retryable=True,
            hint="Try again in a minute. If it stays so, the operator should check OPENAI_BASE_URL, proxy and network.",
        )

    def _proxy_refused(self, error: httpx.ProxyError) -> NetworkError:
        said = "".join(letter for letter in str(error) if letter.isprintable())[:_LONGEST_REASON]
        return NetworkError(
            f"The proxy {self._proxy or ''} refused to connect to {self._base_url.host}: "
            f"{redact(said, self._secrets)}; nothing was sent.",
            hint="The operator should check that variable (the address, and the user and password in it) and what the "
            "proxy lets through.",
            retryable=said.startswith("5"),
        )

    def _timed_out(self, sending: "_Sending") -> CallError:
        if sending.mutates and sending.never_left():
            return self._not_connected()
        waited = f"{self._host} did not answer within {TOTAL_SECONDS:.0f} seconds"
        if sending.mutates:
            return OutcomeUnknown(f"{waited}; the change may or may not have been made.", hint=sending.verify)
        return CallTimeout(f"{waited}.", retryable=True, hint="Try again, asking for less at once.")

    @property
    def _host(self) -> str:
        return f"{self._base_url.host} through the proxy {self._proxy}" if self._proxy else self._base_url.host


class _Sending:
    """One request on its way, and how far it has come."""

    def __init__(self, request: httpx.Request, verify: str) -> None:
        self.mutates = request.method != "GET"
        self.alone = request.headers["connection"] == "close"
        self.verify = verify
        self._request = request
        self._connecting = self._left = False

    def begun(self) -> httpx.Request:
        """Return the request for the next try."""
        self._connecting = self._left = False
        if self.mutates:
            self._request.extensions["trace"] = self._trace
        return self._request

    async def _trace(self, event: str, info: Mapping[str, object]) -> None:
        """Note what httpcore does. The CONNECT that asks a proxy for a way is not the request itself."""
        self._connecting = True
        if event.endswith("send_request_headers.started"):
            self._left = self._left or getattr(info.get("request"), "method", b"") != b"CONNECT"

    def never_left(self, error: httpx.HTTPError | None = None) -> bool:
        """Whether it is certain that nothing of the request was sent."""
        return isinstance(error, _NEVER_SENT) or (self._connecting and not self._left)

    def may_be_repeated_after(self, error: httpx.HTTPError) -> bool:
        """Whether another try can do no harm, and some good."""
        if isinstance(error, httpx.ProxyError):
            return False  # it has said no, and asking again may lock the account
        return not self.mutates or self.never_left(error)


async def _body(response: httpx.Response) -> bytearray | UnreadableError:
    """Return the body, or why it can't be taken."""
    made_here = response.is_stream_consumed  # by a transport within this process, whole and unpacked
    codings = [] if made_here else response.headers.get_list("content-encoding", split_commas=True)
    try:
        body = Body(codings, LONGEST_BODY)
        if made_here:
            body.add(response.content)
        else:
            async for part in response.aiter_raw():
                body.add(part)
        return body.whole()
    except TooLongError:
        return TooHeavyError(f"longer than {LONGEST_BODY // 1024**2} MB and was dropped")
    except UndecodableError as error:
        return UnreadableError(str(error))

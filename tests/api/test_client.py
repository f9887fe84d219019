"""The client: retries, time limits, and what each failure of the wire means."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx
from pydantic import SecretStr

from admin_mcp.api import client as client_module
from admin_mcp.api.client import TRIES, Client
from admin_mcp.api.permits import Permit, PermitError, Permits
from admin_mcp.api.request import WireRequest
from admin_mcp.errors import Authentication, CallError, CallTimeout, NetworkError, OutcomeUnknown
from admin_mcp.settings import Target

pytestmark = pytest.mark.anyio

BASE = "https://api.example.com/v1"
READ = WireRequest("GET", "/organization/roles", (("limit", "5"), ("names[]", "a b")))
CHANGE = WireRequest("POST", "/organization/roles", body='{"role_name":"x"}')
TARGET = Target("test", "test")


class Wire:
    """A client under test, with its permits and the waits it made."""

    def __init__(self) -> None:
        self.permits = Permits()
        self.waits: list[float] = []

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        self.client = Client(
            base_url=BASE,
            key=SecretStr("sk-admin-1"),
            target=TARGET,
            permits=self.permits,
            sleep=sleep,
            jitter=lambda: 1.0,
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )

    def permit(self, wire: WireRequest = CHANGE) -> Permit:
        return self.permits.issue(wire.digest(TARGET.system))


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    async with made.client:
        yield made


@pytest.fixture
def api() -> Any:
    with respx.mock(base_url=BASE, assert_all_called=True, assert_all_mocked=True) as mock:
        yield mock


async def test_a_request_carries_the_key_the_query_and_nothing_it_need_not(wire: Wire, api: respx.MockRouter) -> None:
    route = api.get("/organization/roles").respond(json={"ok": True}, headers={"x-request-id": "req_1"})
    answer = await wire.client.send(READ)
    assert (answer.status, answer.value, answer.request_id) == (200, {"ok": True}, "req_1")
    request = route.calls.last.request
    assert str(request.url) == f"{BASE}/organization/roles?limit=5&names%5B%5D=a+b"
    assert request.headers["authorization"] == "Bearer sk-admin-1"
    assert "content-type" not in request.headers


async def test_a_change_sends_its_body_byte_for_byte(wire: Wire, api: respx.MockRouter) -> None:
    route = api.post("/organization/roles").respond(json={})
    await wire.client.send(CHANGE, wire.permit())
    request = route.calls.last.request
    assert request.content == b'{"role_name":"x"}'
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_read_is_tried_three_times_with_growing_waits(status: int, wire: Wire, api: respx.MockRouter) -> None:
    route = api.get("/organization/roles").respond(status)
    assert (await wire.client.send(READ)).status == status
    assert route.call_count == TRIES
    assert wire.waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("Thu, 01 Jan 2026 00:00:07 GMT", 7.0),
        ("Thu, 01 Jan 2020 00:00:00 GMT", 0.0),
        ("soon", 1.0),
        ("", 1.0),
        (" 3 ", 3.0),
        ("²", 1.0),
        ("٣", 1.0),
        ("-3", 1.0),
        ("nan", 1.0),
        ("inf", 1.0),
        ("1.5", 1.0),
        ("Thu, 01 Jan 99999999999 00:00:00 GMT", 1.0),
        ("Thu, 01 Jan 2026 00:00:07 -0000", 1.0),
    ],
)
async def test_retry_after_is_honoured_in_both_forms(
    header: str, seconds: float, wire: Wire, api: respx.MockRouter
) -> None:
    api.get("/organization/roles").mock(
        side_effect=[httpx.Response(429, headers=[(b"retry-after", header.encode())]), httpx.Response(200, json={})]
    )
    assert (await wire.client.send(READ)).status == 200
    assert wire.waits == [seconds]


@pytest.mark.parametrize("header", ["3600", "9" * 400, "9" * 5000, "Thu, 01 Jan 2027 00:00:00 GMT"])
async def test_a_wait_beyond_the_time_limit_is_not_begun(header: str, wire: Wire, api: respx.MockRouter) -> None:
    route = api.get("/organization/roles").respond(429, headers={"retry-after": header})
    assert (await wire.client.send(READ)).status == 429
    assert (route.call_count, wire.waits) == (1, [])


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
async def test_a_read_recovers_from_a_broken_connection(
    failure: type[httpx.TransportError], wire: Wire, api: respx.MockRouter
) -> None:
    api.get("/organization/roles").mock(side_effect=[failure("x"), httpx.Response(200, json={})])
    assert (await wire.client.send(READ)).status == 200


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError, NetworkError),
        (httpx.ConnectTimeout, NetworkError),
        (httpx.ReadError, NetworkError),
        (httpx.RemoteProtocolError, NetworkError),
        (httpx.ReadTimeout, CallTimeout),
    ],
)
async def test_a_read_that_stays_broken_says_so(
    failure: type[httpx.TransportError], kind: type[CallError], wire: Wire, api: respx.MockRouter
) -> None:
    route = api.get("/organization/roles").mock(side_effect=failure("sk-admin-1 leaked"))
    with pytest.raises(kind) as caught:
        await wire.client.send(READ)
    assert route.call_count == TRIES
    assert caught.value.retryable
    assert "sk-admin-1" not in str(caught.value)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout])
async def test_a_change_is_sent_again_when_no_connection_was_made(
    failure: type[httpx.TransportError], wire: Wire, api: respx.MockRouter
) -> None:
    api.post("/organization/roles").mock(side_effect=[failure("x"), httpx.Response(200, json={})])
    assert (await wire.client.send(CHANGE, wire.permit())).status == 200


async def test_a_change_that_was_refused_with_429_is_sent_again(wire: Wire, api: respx.MockRouter) -> None:
    api.post("/organization/roles").mock(side_effect=[httpx.Response(429), httpx.Response(200, json={})])
    assert (await wire.client.send(CHANGE, wire.permit())).status == 200


@pytest.mark.parametrize("failure", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError])
async def test_a_change_whose_answer_is_lost_is_not_sent_again(
    failure: type[httpx.TransportError], wire: Wire, api: respx.MockRouter
) -> None:
    route = api.post("/organization/roles").mock(side_effect=failure("x"))
    with pytest.raises(OutcomeUnknown) as caught:
        await wire.client.send(CHANGE, wire.permit(), verify="Call list_roles.")
    assert route.call_count == 1
    assert caught.value.hint == "Call list_roles."


@pytest.mark.parametrize("status", [408, 500, 503])
async def test_a_change_that_met_an_error_is_not_sent_again(status: int, wire: Wire, api: respx.MockRouter) -> None:
    route = api.post("/organization/roles").respond(status)
    assert (await wire.client.send(CHANGE, wire.permit())).status == status
    assert route.call_count == 1


def no_permit(_: Wire) -> Permit | None:
    return None


def made_up(_: Wire) -> Permit | None:
    return Permit()


def for_another_request(wire: Wire) -> Permit | None:
    return wire.permit(WireRequest("DELETE", "/organization/roles/role_1"))


def withdrawn(wire: Wire) -> Permit | None:
    permit = wire.permit()
    wire.permits.withdraw(permit)
    return permit


def of_another_gate(_: Wire) -> Permit | None:
    return Permits().issue(CHANGE.digest(TARGET.system))


def for_another_system(wire: Wire) -> Permit | None:
    return wire.permits.issue(CHANGE.digest("sandbox"))


@pytest.mark.parametrize(
    "forge", [no_permit, made_up, for_another_request, withdrawn, of_another_gate, for_another_system]
)
async def test_a_change_without_its_permit_does_not_leave(forge: Callable[[Wire], Permit | None], wire: Wire) -> None:
    with respx.mock(base_url=BASE, assert_all_mocked=True) as api:
        with pytest.raises(PermitError):
            await wire.client.send(CHANGE, forge(wire))
        assert api.calls.call_count == 0


async def test_a_permit_serves_once(wire: Wire, api: respx.MockRouter) -> None:
    route = api.post("/organization/roles").respond(json={})
    permit = wire.permit()
    await wire.client.send(CHANGE, permit)
    with pytest.raises(PermitError):
        await wire.client.send(CHANGE, permit)
    assert route.call_count == 1


async def test_a_redirect_is_not_followed(wire: Wire, api: respx.MockRouter) -> None:
    route = api.get("/organization/roles").respond(302, headers={"location": "https://evil.example/"})
    assert (await wire.client.send(READ)).status == 302
    assert route.call_count == 1


async def test_an_answer_beyond_ten_megabytes_is_dropped(
    wire: Wire, api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LONGEST_BODY", 10)
    route = api.get("/organization/roles").respond(content=b"x" * 11)
    answer = await wire.client.send(READ)
    assert (answer.value, answer.too_long) == (None, True)
    assert route.call_count == 1


async def test_without_a_key_nothing_is_sent() -> None:
    permits = Permits()
    async with Client(base_url=BASE, key=None, target=TARGET, permits=permits) as client:
        with pytest.raises(Authentication, match="No admin key"):
            await client.send(READ)


@pytest.mark.parametrize(("base_url", "proxied"), [("http://127.0.0.1:9/v1", False), (BASE, True)])
async def test_loopback_is_never_proxied(base_url: str, proxied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    async with Client(base_url=base_url, key=None, target=TARGET, permits=Permits()) as client:
        assert bool(client.proxy) is proxied

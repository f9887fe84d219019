"""The operator's network settings: a wrong one is named, and a proxy that says no has let nothing through."""

import gc
import importlib.util
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from admin_mcp.api import client as client_module
from admin_mcp.api.client import Client
from admin_mcp.api.network import route_to
from admin_mcp.api.permits import Permits
from admin_mcp.api.request import WireRequest
from admin_mcp.cli.checks import examine
from admin_mcp.errors import NetworkError, OutcomeUnknown
from admin_mcp.settings import Settings, Target
from tests.api.authority import Authority
from tests.misbehaving import GOOD, Misbehaving, Step, answer, close, cut, keep_silent, reset, say
from tests.sessions import KEY, LEGACY, session

pytestmark = pytest.mark.anyio

API = "https://api.example.com/v1"
READ = WireRequest("GET", "/organization/roles")
CHANGE = WireRequest("POST", "/organization/roles", body='{"name":"x"}')
TARGET = Target("test", "test")
PROXY = "http://user:pa%73s@127.0.0.1:3128"

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


WRONG: list[tuple[str, str, str]] = [
    ("HTTPS_PROXY", "ftp://proxy.example:21", "ftp://"),
    ("https_proxy", "socks://proxy.example:1080", "socks://"),
    ("HTTPS_PROXY", "http://proxy.example:port", "no"),
    ("HTTPS_PROXY", "http://", "no"),
    ("ALL_PROXY", "http://[::1", "no"),
    ("ALL_PROXY", "socks4://proxy.example", "socks4://"),
    ("NO_PROXY", "http://[::1", "'http://[::1'"),
    ("NO_PROXY", "a.example, b c", "'b c'"),
    ("no_proxy", "[", "'['"),
    ("SSL_CERT_FILE", "/nonexistent/ca.pem", "/nonexistent/ca.pem"),
    ("SSL_CERT_FILE", "/", "/"),
    ("SSL_CERT_FILE", __file__, "certificate"),
    ("SSL_CERT_DIR", "/nonexistent", "no such directory"),
    ("SSLKEYLOGFILE", "/nonexistent/keys", "can't be written"),
]


@pytest.mark.parametrize(("name", "value", "named"), WRONG)
def test_a_wrong_setting_is_named_with_what_is_wrong_with_it(
    name: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(NetworkError, match="nothing was sent") as caught:
        route_to(API)
    assert name in caught.value.message
    assert named in caught.value.message
    assert "operator" in caught.value.hint


def test_a_socks_proxy_without_its_library_is_said_with_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:pass@proxy.example:1080")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NetworkError, match=r"ALL_PROXY names the SOCKS proxy socks5://proxy\.example:1080") as caught:
        route_to(API)
    assert "socksio" in caught.value.message
    assert "pip install socksio" in caught.value.hint
    assert "pass" not in str(caught.value.as_object())


@pytest.mark.parametrize(
    ("name", "value"), [("HTTPS_PROXY", "ftp://x"), ("NO_PROXY", "http://["), ("SSLKEYLOGFILE", "/nonexistent/keys")]
)
async def test_the_first_call_and_doctor_name_the_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": API, name: value}
    async with session(LEGACY, "--approval", "none", env=env) as running:
        for call in (running.error("list_roles"), running.error("create_role", role_name="x", permissions=[])):
            error = await call
            assert (error["kind"], error["message"].split()[0]) == ("network", name)
    monkeypatch.setenv(name, value)
    settings = Settings(admin_key=SecretStr(KEY), base_url=API, state_dir=tmp_path / "state")
    (found,) = [finding async for finding in examine(settings) if finding.level == "FAIL"]
    assert found.what == "network"
    assert found.detail.startswith(name)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://localhost:9/v1", "http://[::1]:9/v1"])
def test_an_api_on_loopback_over_http_needs_none_of_them(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value, _ in WRONG:
        monkeypatch.setenv(name, value)
    assert route_to(url).proxy is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("", API, True),
        ("example.com", API, False),
        (".example.com", API, False),
        ("*.example.com", API, False),
        (" other.example , api.example.com ", API, False),
        ("api.example.com:443", API, False),
        ("api.example.com:8443", API, True),
        ("https://api.example.com", API, False),
        ("http://api.example.com", API, True),
        ("ple.com", API, True),
        ("*", API, False),
        ("<local>, localhost, ::1, [::1], 127.0.0.0/8, fe80::/10", API, True),
        ("10.0.0.0/8", "https://10.1.2.3/v1", False),
        ("10.0.0.0/8", "https://11.1.2.3/v1", True),
        ("2001:db8::/32", "https://[2001:db8::1]/v1", False),
        ("[2001:db8::1]", "https://[2001:db8::1]/v1", False),
    ],
)
def test_no_proxy_names_hosts_domains_and_networks(
    no_proxy: str, url: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (route_to(url).proxy is not None) is proxied


def test_a_proxy_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setenv("ALL_PROXY", "ftp://unused")
    proxy = route_to(API).proxy
    assert str(proxy) == "http://127.0.0.1:3128 (https_proxy)"
    assert "pa" not in repr(proxy)


@asynccontextmanager
async def caller(base_url: str = API) -> AsyncIterator[Callable[[WireRequest], Any]]:
    permits = Permits()
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    client = Client(base_url=base_url, key=SecretStr(KEY), target=TARGET, permits=permits, sleep=sleep)
    async with client:

        async def send(wire: WireRequest) -> Any:
            permit = permits.issue(wire.digest(TARGET.system)) if wire.mutates else None
            return (await client.send(wire, permit, verify="Look first.")).value

        yield send


REFUSALS: dict[str, tuple[Step, str]] = {
    "407": (answer("407 Proxy Authentication Required"), "407 Proxy Authentication Required"),
    "403": (answer("403 Blocked"), "403 Blocked"),
    "502": (answer("502 Bad Gateway"), "502 Bad Gateway"),
    "503 with the key in it": (answer(f"503 Bearer {KEY}"), "503"),
    "302": (answer("302 Found", b"", "location: http://login.example/"), "302 Found"),
}


@pytest.mark.parametrize("wire", [READ, CHANGE], ids=["a read", "a change"])
@pytest.mark.parametrize("name", REFUSALS)
async def test_a_proxy_that_refuses_has_let_nothing_through(
    name: str, wire: WireRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, said = REFUSALS[name]
    proxy = Misbehaving(*[step] * 3)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass@127.0.0.1:{proxy.port}")
    async with caller() as send:
        with pytest.raises(NetworkError, match="nothing was sent") as caught:
            await send(wire)
    assert f"The proxy http://127.0.0.1:{proxy.port} (HTTPS_PROXY) refused" in caught.value.message
    assert said in caught.value.message
    assert "pass" not in caught.value.message
    assert KEY not in str(caught.value.as_object())
    assert proxy.requests == ["CONNECT api.example.com:443 HTTP/1.1"]
    proxy.end()


@pytest.mark.parametrize(
    "step",
    [close, reset, cut(b"HTTP/1.1 2"), cut(b"garbage\r\n\r\n"), say(b"HTTP/1.1 200 OK\r\n\r\n", b"no TLS\r\n\r\n")],
    ids=["closes", "resets", "is cut off", "speaks no HTTP", "leads to something that speaks no TLS"],
)
async def test_a_change_that_got_no_further_than_the_proxy_was_not_sent(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Misbehaving(*[step] * 3)
    monkeypatch.setattr(client_module, "CONNECT_SECONDS", 0.5)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    async with caller() as send:
        with pytest.raises(NetworkError, match=r"through the proxy .* \(HTTPS_PROXY\); nothing was sent"):
            await send(CHANGE)
    assert all(request.startswith("CONNECT ") for request in proxy.requests)
    proxy.end()


async def test_a_change_that_waits_for_the_proxy_until_the_time_is_up_was_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = Misbehaving(keep_silent)
    monkeypatch.setattr(client_module, "TOTAL_SECONDS", 0.5)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    async with caller() as send:
        with pytest.raises(NetworkError, match="nothing was sent"):
            await send(CHANGE)
    proxy.end()


async def test_a_proxy_that_can_not_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    async with caller() as send:
        with pytest.raises(NetworkError, match=rf"through the proxy http://127.0.0.1:{port} \(HTTPS_PROXY\)"):
            await send(CHANGE)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    made = Authority(tmp_path)
    yield made
    made.end()


async def test_ssl_cert_file_counts_for_loopback_too(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"https://127.0.0.1:{authority.port}/v1"
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")
    async with caller(url) as send:
        with pytest.raises(NetworkError, match=r"certificate of 127\.0\.0\.1 is not trusted") as caught:
            await send(CHANGE)
    assert "SSL_CERT_FILE" in caught.value.hint
    assert authority.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with caller(url) as send:
        assert await send(READ) == {"id": "x"}
        assert await send(CHANGE) == {"id": "x"}


async def test_tls_that_breaks_after_it_began_is_a_broken_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(connection: socket.socket) -> None:
        os.write(connection.fileno(), b"\x17\x03\x03\x00\x20" + b"x" * 32)  # below TLS, a record nobody sealed
        connection.close()

    authority = Authority(tmp_path, *[spoil] * 4)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with caller(f"https://127.0.0.1:{authority.port}/v1") as send:
        with pytest.raises(NetworkError, match="broke"):
            await send(READ)
        with pytest.raises(OutcomeUnknown):
            await send(CHANGE)
    assert len(authority.requests) == 4
    authority.end()


async def test_a_request_goes_through_a_proxy_and_is_unknown_once_it_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, say(GOOD), say(GOOD), close)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    def tunnel(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", authority.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
            back.start()
            _pump(connection, onward)
            back.join(5)

    proxy = Misbehaving(*[tunnel] * 5)
    monkeypatch.setattr("admin_mcp.api.network.is_loopback", lambda _: False)  # so that this machine is far away
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    async with caller(f"https://127.0.0.1:{authority.port}/v1") as send:
        assert await send(READ) == {"id": "x"}
        assert await send(CHANGE) == {"id": "x"}
        with pytest.raises(OutcomeUnknown):
            await send(CHANGE)
    assert [request.split()[0] for request in authority.requests] == ["GET", "POST", "POST"]
    proxy.end()
    authority.end()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


SOCKS: dict[str, tuple[Step, str]] = {
    "is none": (say(b"HTTP/1.1 400 Bad\r\n\r\n"), "does not speak as a SOCKS5 proxy"),
    "closes": (close, "does not speak as a SOCKS5 proxy"),
    "refuses": (say(b"\x05\xff"), "refused"),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", SOCKS)
async def test_a_socks_proxy_that_refuses_has_let_nothing_through(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("socksio", reason="SOCKS is an extra")
    step, said = SOCKS[name]
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(100)
                step(connection)

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{listening.getsockname()[1]}")
    async with caller() as send:
        for wire in (READ, CHANGE):
            message = await _network_error(send, wire)
            assert said in message
            assert "(ALL_PROXY)" in message
            assert "nothing was sent" in message
    listening.close()
    gc.collect()  # httpcore leaves these connections to the garbage collector, which warns of them


async def _network_error(send: Callable[[WireRequest], Any], wire: WireRequest) -> str:
    with anyio.fail_after(10), pytest.raises(NetworkError) as caught:
        await send(wire)
    return caught.value.message

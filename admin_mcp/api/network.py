"""The operator's network settings -> how the API is reached: through which proxy, trusting which certificates.

Every way they can be wrong is a ``NetworkError`` that names the variable. An API on loopback is never reached by proxy.
"""

import importlib
import importlib.util
import ipaddress
import os
import re
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

import httpx

from admin_mcp.errors import NetworkError
from admin_mcp.settings import is_loopback

_HTTP_SCHEMES = frozenset({"http", "https"})
_SOCKS_SCHEMES = frozenset({"socks5", "socks5h"})
_EXEMPTION = re.compile(
    r"(?:(?P<scheme>https?|all)://)?(?P<host>\*?\.?[\w.-]+|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]+)(?:/\d{1,3})?(?::(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and where it is set. ``url`` may hold a password and is never shown."""

    url: str
    variable: str

    def __repr__(self) -> str:
        return f"Proxy({self})"

    def __str__(self) -> str:
        """Name the proxy without its credentials."""
        return f"{_shown(self.url)} ({self.variable})"


def route_to(base_url: str) -> "Route":
    """Return how the environment says to reach the API.

    Raises:
        NetworkError: a variable is wrong; the message names it.

    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise _wrong("OPENAI_BASE_URL", f"is no URL: {error}") from None
    proxy = None if is_loopback(url.host) else _proxy(url)
    return Route(proxy, _trust(url.scheme), _errors_of(proxy))


@dataclass(frozen=True, slots=True)
class Route:
    """The way to the API. ``foreign`` are errors that a proxy's library raises, all before the way is open."""

    proxy: Proxy | None
    trust: ssl.SSLContext
    foreign: tuple[type[Exception], ...] = ()


def _proxy(url: httpx.URL) -> Proxy | None:
    """Return the proxy that the environment, or the system's settings, name for this URL."""
    found = getproxies()
    exempt = any([_exempts(entry, url) for entry in _entries(found.get("no", ""))])  # noqa: C419 - each is checked
    scheme = next((scheme for scheme in (url.scheme, "all") if found.get(scheme)), None)
    if exempt or scheme is None:
        return None
    given = found[scheme]
    proxy = Proxy(given if "://" in given else f"http://{given}", _variable(f"{scheme}_proxy"))
    _check(proxy)
    return proxy


def _check(proxy: Proxy) -> None:
    parts = _parts(proxy.url)
    if parts is None or not parts.hostname:
        raise _wrong(proxy.variable, "is not the URL of a proxy, such as http://proxy.example:3128")
    if parts.scheme in _SOCKS_SCHEMES:
        if importlib.util.find_spec("socksio") is None:
            raise _wrong(
                proxy.variable,
                f"names the SOCKS proxy {_shown(proxy.url)}, for which the library socksio is not installed",
                f"The operator should install it beside this server ({sys.executable} -m pip install socksio; it is "
                "this package's extra named socks) and restart it, or use an http:// proxy.",
            )
    elif parts.scheme not in _HTTP_SCHEMES:
        raise _wrong(
            proxy.variable, f"names a proxy of the kind {parts.scheme}://; there can be http, https, socks5 and socks5h"
        )


def _errors_of(proxy: Proxy | None) -> tuple[type[Exception], ...]:
    if proxy is None or urlsplit(proxy.url).scheme not in _SOCKS_SCHEMES:
        return ()
    errors: type[Exception] = importlib.import_module("socksio").ProtocolError
    return (errors,)


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a proxy's URL, or None if it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        return None
    return parts


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _entries(no_proxy: str) -> Iterator[str]:
    """Yield what NO_PROXY names.

    Raises:
        NetworkError: an entry is neither a host, a domain nor an address.

    """
    for entry in (part.strip() for part in no_proxy.split(",")):
        if entry and entry not in {"*", "<local>"} and not _EXEMPTION.fullmatch(entry):
            raise _wrong(
                _variable("no_proxy"), f"has the entry {entry!r}, which is no host, domain or address", _CORRECT
            )
        if entry:
            yield entry


def _exempts(entry: str, url: httpx.URL) -> bool:
    """Whether an entry of NO_PROXY means this URL: a domain stands for all below it, ``.domain`` only for these."""
    named = _EXEMPTION.fullmatch(entry)
    if named is None:
        return entry == "*"
    if named["scheme"] not in {None, "all", url.scheme} or int(named["port"] or _port(url)) != _port(url):
        return False
    address = _address(url.host)
    if address is not None:
        return _holds(entry.rpartition("://")[2], address)
    domain = named["host"].lower().removeprefix("*")
    return url.host == domain or url.host.endswith(domain if domain.startswith(".") else f".{domain}")


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _holds(entry: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _trust(scheme: str) -> ssl.SSLContext:
    """Return what TLS trusts. For plain http it is nothing, and what it would be made from is not looked at."""
    if scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _check_key_log()
    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not os.environ.get("SSL_CERT_FILE") and not Path(folder).is_dir():
        raise _wrong("SSL_CERT_DIR", f"is {folder}, and there is no such directory")
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = error.strerror or error if isinstance(error, OSError) else error
        variable = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        raise _wrong(variable, f"is {os.environ.get(variable, 'not set')}, which can't be used: {reason}") from None


def _check_key_log() -> None:
    """Open the file that TLS secrets would be logged to, as OpenSSL is about to."""
    path = os.environ.get("SSLKEYLOGFILE")
    if not path:
        return
    try:
        with Path(path).open("ab"):
            return
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise _wrong("SSLKEYLOGFILE", f"is {path}, which can't be written: {reason}") from None


def _variable(name: str) -> str:
    """Return how the environment spells this variable; the lower case counts first."""
    for spelled in (name, name.upper()):
        if os.environ.get(spelled):
            return spelled
    return f"{name.upper()}, from the system's settings"


_CORRECT = "The operator should correct or remove that variable in this server's environment, and restart it."


def _wrong(variable: str, what: str, hint: str = _CORRECT) -> NetworkError:
    return NetworkError(f"{variable} {what}; nothing was sent.", hint=hint)

"""What clients send at the start of a session: all that is usual, and much that is not."""

import json
from typing import Any

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from admin_mcp.server.front import META, MODERN

CLIENT = {"name": "raw", "version": "1"}


def envelope(version: str = MODERN, **more: object) -> dict[str, Any]:
    return {
        "_meta": {f"{META}protocolVersion": version, f"{META}clientInfo": CLIENT, f"{META}clientCapabilities": {}},
        **more,
    }


def message(method: str, params: object = ..., **more: object) -> bytes:
    given = {} if params is ... else {"params": params}
    return json.dumps({"jsonrpc": "2.0", **more, "method": method, **given}).encode()


KNOWN: tuple[dict[str, object], ...] = (
    {},
    {"roots": {}, "sampling": {}, "elicitation": {}},
    {"roots": {"listChanged": True}, "elicitation": {"form": {}}},
    {"roots": {"listChanged": False}},
)
CAPABILITIES: tuple[object, ...] = (
    {},
    {"elicitation": {}},
    {"roots": {"listChanged": True}},
    {"roots": {"listChanged": 1}},
    {"roots": {"listChanged": "x"}},
    {"elicitation": {"form": 1}},
    {"x": 1},
    None,
)
PARAMS: tuple[object, ...] = (
    ...,
    {},
    None,
    [],
    {"cursor": None},
    {"cursor": "x"},
    {"_meta": {}},
    {"_meta": 1},
    {"_meta": None},
    {"_meta": {"progressToken": 1}},
    envelope(),
)
LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
METHODS = ("ping", *LISTS, "server/discover", "initialize", "tools/call", "logging/setLevel", "nonsense")
VERSIONS: tuple[object, ...] = (*HANDSHAKE_PROTOCOL_VERSIONS, MODERN, "1999-01-01", "", None)
MORE: tuple[dict[str, object], ...] = (
    {},
    {"extra": 1},
    {"clientInfo": None},
    {"clientInfo": []},
    {"clientInfo": {"name": "x"}},
    {"clientInfo": {"name": 1, "version": "1"}},
    {"clientInfo": {**CLIENT, "title": "T"}},
    {"clientInfo": {**CLIENT, "extra": "T"}},
)


def hello(version: object, capabilities: object, more: dict[str, object]) -> bytes:
    given = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": CLIENT, **more}
    return message("initialize", given, id=1)


HELLO = message("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}, id=0) + b"\n"
INITIALIZED = message("notifications/initialized") + b"\n"
LIST = message("tools/list", id=1) + b"\n"
CALL = message("tools/call", {"name": "list_roles", "arguments": {}}, id=2) + b"\n"
NOTED = (
    message("notifications/initialized"),
    message("notifications/initialized", {}),
    message("notifications/initialized", None),
    message("notifications/cancelled", {"requestId": 1}),
    message("notifications/nonsense"),
)
SPACED = b' \t{ "jsonrpc" : "2.0", "id" : -0, "method" : "ping" } '
ODD = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"p\\u0069ng"}',
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","x":null}',
    b'{"jsonrpc":"2.0","id":7,"result":{}}',
    b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
    b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}\r',
    SPACED,
    b'{"jsonrpc":"2.0","id":01,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1e0,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}{}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a":1,"a":2}}}',
    b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'\xff{"jsonrpc":"2.0","id":1,"method":"ping"}',
)
BEGUN: dict[str, list[bytes]] = {
    "nothing": [],
    "a greeting": [hello("2025-11-25", {}, {})],
    "a session": [hello("2025-11-25", {}, {}), message("notifications/initialized")],
    "the other era": [message("server/discover", envelope(), id=0)],
}
ENVELOPES: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("clientInfo", (None, [], {}, {"name": "x"}, {"name": 1, "version": "1"}, {**CLIENT, "extra": 1})),
    ("clientCapabilities", (None, [], 1, {"x": 1}, {"elicitation": None}, {"roots": {"listChanged": "x"}})),
    ("protocolVersion", (None, 1, "", "x")),
    ("other", (None, 1)),
)
TRIED = [
    *(message(method, params, id=7) for method in METHODS for params in PARAMS),
    *(
        message(method, envelope(version, **more), id=7)
        for method in ("ping", *LISTS)
        for version in (MODERN, "2025-11-25")
        for more in ({}, {"cursor": None}, {"extra": 1})
    ),
    *(
        message("tools/list", {"_meta": {**envelope()["_meta"], f"{META}{field}": value}}, id=7)
        for field, values in ENVELOPES
        for value in values
    ),
    *(hello(version, {}, {}) for version in VERSIONS),
    *(
        hello(version, capabilities, more)
        for version in ("2025-11-25", MODERN)
        for capabilities in CAPABILITIES
        for more in MORE
    ),
    *NOTED,
    *ODD,
]


def greeting(**changed: object) -> bytes:
    """Return a usual greeting but for these parameters, or for the id."""
    number = changed.pop("id", 1)
    usual = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
    return message("initialize", {**usual, **changed}, id=number)


def enveloped(**changed: object) -> bytes:
    """Return a usual request of the other era but for these fields of its envelope."""
    meta = {**envelope()["_meta"], **{f"{META}{name}": value for name, value in changed.items()}}
    return message("tools/list", {"_meta": meta}, id=7)


STRANGERS: tuple[object, ...] = (
    None,
    [],
    {"name": "x"},
    {"version": "1"},
    {"name": 1, "version": "1"},
    {"name": "x", "version": None},
    {**CLIENT, "title": 1},
    {**CLIENT, "extra": "T"},
)
ABLE: tuple[object, ...] = (
    None,
    [],
    {"x": {}},
    {"roots": {}, "x": {}},
    {"roots": {"listChanged": 1}},
    {"roots": {"listChanged": None}},
    {"roots": {"listChanged": True, "x": 1}},
    {"roots": {}, "sampling": {"tools": {}}},
    {"sampling": {"tools": {}}, "roots": {}},
    {"elicitation": {"form": 1}},
    {"elicitation": {"form": {}, "url": {}}},
    {"elicitation": None},
)
NUMBERS: tuple[object, ...] = (-1, 2**31, None, True, 1.5, [], "\xe4")
MISFITS: tuple[object, ...] = ([], {"cursor": None}, {"_meta": {}}, {"_meta": None}, 0, "")
PING, NOTE = message("ping", id=7), message("notifications/initialized")
ELSEWHERE = (
    *(line for line in ODD if line != SPACED),
    b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}',
    b'{"jsonrpc":"2.0","id":"\\u0061","method":"ping"}',
    b'{"jsonrpc":"2.0",\r"id":1,"method":"ping"}',
    b'{"id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1}',
    *(message("ping", id=number) for number in NUMBERS),
    *(message("ping", params, id=7) for params in MISFITS),
    *(message(method, id=7) for method in ("tools/call", "nonsense", "server/discover", "initialize", "")),
    *NOTED[1:],
    b'{"method":"notifications/initialized"}',
)
UNKNOWN: dict[str, tuple[bytes, ...]] = {
    "nothing": (
        *ELSEWHERE,
        PING,
        NOTE,
        *(greeting(protocolVersion=version) for version in (MODERN, "1999-01-01", "", None, 1, ["2025-11-25"])),
        *(greeting(clientInfo=client) for client in STRANGERS),
        *(greeting(capabilities=capabilities) for capabilities in ABLE),
        *(greeting(id=number) for number in NUMBERS),
        greeting(extra=1),
        message("initialize", [], id=1),
        message("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}, id=1),
        *(enveloped(protocolVersion=version) for version in ("2025-11-25", None, 1)),
        *(enveloped(clientInfo=client) for client in STRANGERS),
        *(enveloped(clientCapabilities=capabilities) for capabilities in ABLE),
        enveloped(other=1),
        *(message("tools/list", envelope(**more), id=7) for more in ({"cursor": None}, {"cursor": "x"}, {"extra": 1})),
        *(message(method, envelope(), id=7) for method in ("ping", "initialize", "tools/call")),
    ),
    "a greeting": (*ELSEWHERE, greeting(), enveloped()),
    "a session": (*ELSEWHERE, greeting(), enveloped(), NOTE),
    "the other era": (*ELSEWHERE, greeting(), PING, message("tools/list", id=7), NOTE),
}

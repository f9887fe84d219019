"""One request, three ways: as the facts say it must be, as this package builds it, and as the official SDK sends it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import openai

from admin_mcp.api.request import build_request
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint
from tests.contract.examples import Arguments, meant
from tests.contract.facts import DocumentedEndpoint, Member

_BASE_URL = "https://sdk.test/v1"


@dataclass(frozen=True, slots=True)
class Sent:
    """What counts about a request. ``query`` has each key's decoded values; ``body`` is JSON in one spelling."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: str | None


def documented(endpoint: DocumentedEndpoint, arguments: Arguments) -> Sent:
    """What the facts say is sent. Ids must not need percent-encoding."""
    arguments = meant(endpoint, arguments)
    pairs = (pair for member in endpoint.query for pair in _pairs(member, arguments.get(member.name)))
    body = {member.name: arguments[member.name] for member in endpoint.body if member.name in arguments}
    return Sent(
        method=endpoint.method,
        path=endpoint.path.format_map(arguments),
        query=_by_key(pairs),
        body=_canonical(body) if endpoint.body else None,
    )


def ours(endpoint: type[Endpoint], arguments: Arguments) -> Sent:
    """What this package would send for an agent's arguments."""
    request = build_request(parse_arguments(endpoint, arguments))
    body = None if request.body is None else _canonical(json.loads(request.body))
    return Sent(request.method, request.path, _by_key(request.query), body)


class Sdk:
    """The official SDK, over a transport that keeps the request and answers with an empty object."""

    def __init__(self) -> None:
        self._requests: list[httpx2.Request] = []
        self._http = httpx2.Client(transport=httpx2.MockTransport(self._keep))
        self._openai = openai.OpenAI(
            api_key="unused", admin_api_key="unused", base_url=_BASE_URL, http_client=self._http, max_retries=0
        )

    def send(self, endpoint: DocumentedEndpoint, arguments: Arguments) -> Sent:
        """Call the endpoint's SDK method and return the request it made.

        It gets what the arguments mean: it would send a null that says nothing, which to us is an argument left out.
        """
        self._requests.clear()
        method = reduce(getattr, endpoint.sdk.split("."), self._openai)
        method(**meant(endpoint, arguments))  # type: ignore[operator]  # reached by name, so no type is known
        (request,) = self._requests
        return Sent(
            method=request.method,
            path=request.url.raw_path.decode().partition("?")[0].removeprefix("/v1"),
            query=_by_key(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
            body=_canonical(json.loads(request.content)) if request.content else None,
        )

    def close(self) -> None:
        """Close the HTTP client."""
        self._openai.close()

    def _keep(self, request: httpx2.Request) -> httpx2.Response:
        self._requests.append(request)
        return httpx2.Response(200, json={})


def _pairs(member: Member, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    match member.type:
        case "array":
            (name,) = member.wire
            yield from ((name, _text(item)) for item in value)
        case "object":
            spelled = dict(zip((field.name for field in member.fields), member.wire, strict=True))
            yield from ((spelled[name], _text(item)) for name, item in value.items())
        case _:
            assert not member.wire, "a plain parameter is spelled as it is named"
            yield member.name, _text(value)


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _by_key(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        values[key].append(value)
    return dict(values)


def _canonical(value: object) -> str:
    """Spell JSON one way: keys sorted, and whole numbers without a point, which JSON does not tell apart."""
    return json.dumps(_without_points(value), sort_keys=True)


def _without_points(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_without_points(item) for item in value]
        case dict():
            return {key: _without_points(item) for key, item in value.items()}
        case _:
            return value

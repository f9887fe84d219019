"""What stands before the pretend organization, however a request comes: keys, request ids, JSON, and faults."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import anyio

from admin_mcp.sandbox.errors import RefusalError, invalid, rate_limited, server_error, unauthorized, wrong_key
from admin_mcp.sandbox.faults import HEADER, Fault, Faults, FaultsError, parse_faults
from admin_mcp.sandbox.organization import Organization, SandboxAnswer

_ROOT = "/v1"
_RETRY_AFTER_SECONDS = "1"
_GARBAGE = b'{"object": "list", "data": [{"id": "'
_KEYS_OF_PROJECTS = ("sk-proj-", "sk-svcacct-")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it goes over the wire. ``dropped``: the change was made, and then the connection breaks."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False


class Gateway:
    """Answers requests from one organization. The same seed and requests meet the same faults."""

    def __init__(
        self,
        organization: Organization,
        *,
        faults: Faults | None = None,
        seed: int = 0,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._organization = organization
        self._faults = faults or Faults()
        self._seed = seed
        self._sleep = sleep
        self._answered = 0

    async def answer(self, method: str, target: bytes, headers: Mapping[str, str], content: bytes) -> Response:
        """Answer one request as the API would. ``target`` is path and query; header names are in lower case."""
        self._answered += 1
        named = {"content-type": "application/json", "x-request-id": f"req_sandbox_{self._answered}"}
        try:
            asked = parse_faults(headers.get(HEADER, ""))
        except FaultsError as error:
            return _response(_refused(invalid(f"{HEADER}: {error}")), named)
        if latency := max(asked.latency, self._faults.latency):
            await self._sleep(latency)
        fault = asked.choose(self._answered, self._seed) or self._faults.choose(self._answered, self._seed)
        if fault == "429":
            return _response(_refused(rate_limited()), {**named, "retry-after": _RETRY_AFTER_SECONDS})
        if fault == "500":
            return _response(_refused(server_error()), named)
        return _spoilt(fault, _response(self._respond(method, target, headers, content), named))

    def _respond(self, method: str, target: bytes, headers: Mapping[str, str], content: bytes) -> SandboxAnswer:
        try:
            _check_key(headers.get("authorization", ""))
            path, _, query = target.decode("ascii").partition("?")
            pairs = parse_qsl(query, keep_blank_values=True)
            return self._organization.respond(method, unquote(path).removeprefix(_ROOT), pairs, _json(content))
        except RefusalError as refusal:
            return _refused(refusal)


def _check_key(authorization: str) -> None:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise unauthorized()
    if key.strip().startswith(_KEYS_OF_PROJECTS):
        raise wrong_key()


def _json(content: bytes) -> object | None:
    if not content:
        return None
    try:
        body: object = json.loads(content)
    except ValueError:
        raise invalid("The request body is not valid JSON.", code="invalid_json") from None
    return body


def _refused(refusal: RefusalError) -> SandboxAnswer:
    return SandboxAnswer(refusal.status, refusal.body)


def _response(reply: SandboxAnswer, headers: dict[str, str]) -> Response:
    return Response(reply.status, json.dumps(reply.body).encode(), headers)


def _spoilt(fault: Fault | None, response: Response) -> Response:
    if fault == "garbage":
        return Response(response.status, _GARBAGE, response.headers)
    return Response(response.status, response.body, response.headers, dropped=fault == "drop")

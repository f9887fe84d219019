"""The pretend organization behind httpx, in place of a network."""

import json
from urllib.parse import parse_qsl, unquote

import httpx

from admin_mcp.sandbox.errors import RefusalError, invalid, unauthorized
from admin_mcp.sandbox.organization import Organization, Reply

_ROOT = "/v1"


class SandboxTransport(httpx.AsyncBaseTransport):
    """Answers every request from one organization, whatever the host."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self._answered = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the API would."""
        content = await request.aread()
        reply = answer(self._organization, request.method, request.url.raw_path, request.headers, content)
        self._answered += 1
        headers = {"x-request-id": f"req_sandbox_{self._answered}"}
        return httpx.Response(reply.status, json=reply.body, headers=headers, request=request)


def answer(organization: Organization, method: str, target: bytes, headers: httpx.Headers, content: bytes) -> Reply:
    """Answer one request as it stands on the wire; ``target`` is path and query."""
    try:
        if not _has_key(headers):
            raise unauthorized()
        path, _, query = target.decode("ascii").partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        return organization.respond(method, unquote(path).removeprefix(_ROOT), pairs, _json(content))
    except RefusalError as refusal:
        return Reply(refusal.status, refusal.body)


def _has_key(headers: httpx.Headers) -> bool:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(key.strip())


def _json(content: bytes) -> object | None:
    if not content:
        return None
    try:
        body: object = json.loads(content)
    except ValueError:
        raise invalid("The request body is not valid JSON.", code="invalid_json") from None
    return body

"""Over HTTP the pretend organization wants a key, names each request, and answers JSON."""

import httpx
import pytest

from admin_mcp.sandbox.transport import SandboxTransport
from tests.sandbox.walk import organization

pytestmark = pytest.mark.anyio


async def get(path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=SandboxTransport(organization()), base_url="http://localhost/v1") as client:
        return await client.get(path, headers=headers)


async def test_a_request_with_a_key_is_answered_in_json_with_a_request_id() -> None:
    response = await get("/organization/roles?limit=1", authorization="Bearer anything")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"].startswith("req_sandbox_")
    assert len(response.json()["data"]) == 1


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "Basic x"}])
async def test_a_request_without_a_key_is_refused(headers: dict[str, str]) -> None:
    response = await get("/organization/roles", **headers)
    assert response.status_code == 401
    assert response.json()["error"]["message"]

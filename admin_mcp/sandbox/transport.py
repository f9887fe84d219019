"""The pretend organization behind httpx, in place of a network."""

import httpx

from admin_mcp.sandbox.front import Front


class SandboxTransport(httpx.AsyncBaseTransport):
    """Answers every request from one organization, whatever the host."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the API would."""
        content = await request.aread()
        headers = {name.lower(): value for name, value in request.headers.items()}
        response = await self._front.answer(request.method, request.url.raw_path, headers, content)
        if response.dropped:
            raise httpx.ReadError("the sandbox dropped the connection", request=request)
        return httpx.Response(response.status, content=response.body, headers=response.headers, request=request)

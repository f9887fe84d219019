"""The pretend organization behind httpx, in place of a network."""

import httpx

from admin_mcp.sandbox.gateway import Gateway


class SandboxTransport(httpx.AsyncBaseTransport):
    """Answers every request from one organization, whatever the host."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the API would."""
        content = await request.aread()
        headers = {name.lower(): value for name, value in request.headers.items()}
        response = await self._gateway.answer(request.method, request.url.raw_path, headers, content)
        if response.dropped:
            raise httpx.ReadError("the sandbox dropped the connection", request=request)
        return httpx.Response(response.status, content=response.body, headers=response.headers, request=request)

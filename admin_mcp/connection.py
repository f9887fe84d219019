"""Opens the HTTP client that the settings ask for: to the API, or to the sandbox in this process."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from admin_mcp.client import Client
from admin_mcp.gate.permits import Permits
from admin_mcp.settings import Settings

_SANDBOX_URL = "http://localhost/v1"
_SANDBOX_KEY = SecretStr("sandbox")


@asynccontextmanager
async def connect(settings: Settings, permits: Permits) -> AsyncIterator[Client]:
    """Yield the client, closed afterwards."""
    if settings.sandbox:
        from admin_mcp.sandbox.organization import Organization  # noqa: PLC0415 - only the sandbox needs it
        from admin_mcp.sandbox.transport import SandboxTransport  # noqa: PLC0415

        transport = SandboxTransport(Organization(clock=time.time))
        client = Client(
            base_url=_SANDBOX_URL, key=_SANDBOX_KEY, target=settings.target, permits=permits, transport=transport
        )
    else:
        client = Client(base_url=settings.base_url, key=settings.admin_key, target=settings.target, permits=permits)
    async with client:
        yield client

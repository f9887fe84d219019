"""Opens the HTTP client that the settings ask for: to the API, or to the sandbox in this process."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from admin_mcp.api.client import Client
from admin_mcp.api.permits import Permits
from admin_mcp.settings import Settings

_SANDBOX_URL = "http://localhost/v1"


def key_in_use(settings: Settings) -> SecretStr | None:
    """Return the admin key that requests carry."""
    if not settings.sandbox:
        return settings.admin_key
    from admin_mcp.sandbox.keys import SANDBOX_KEY  # noqa: PLC0415 - only the sandbox needs it

    return SecretStr(SANDBOX_KEY)


@asynccontextmanager
async def connect(settings: Settings, permits: Permits) -> AsyncIterator[Client]:
    """Yield the client, closed afterwards."""
    key = key_in_use(settings)
    if settings.sandbox:
        from admin_mcp.sandbox.faults import parse_faults  # noqa: PLC0415
        from admin_mcp.sandbox.gateway import Gateway  # noqa: PLC0415 - only the sandbox needs it
        from admin_mcp.sandbox.organization import Organization  # noqa: PLC0415
        from admin_mcp.sandbox.transport import SandboxTransport  # noqa: PLC0415

        organization = Organization(clock=time.time, seed=settings.seed)
        transport = SandboxTransport(Gateway(organization, faults=parse_faults(settings.faults), seed=settings.seed))
        client = Client(base_url=_SANDBOX_URL, key=key, target=settings.target, permits=permits, transport=transport)
    else:
        client = Client(base_url=settings.base_url, key=key, target=settings.target, permits=permits)
    async with client:
        yield client

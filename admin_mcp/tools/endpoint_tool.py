"""The tool of one documented endpoint: arguments -> gate -> API -> the API's object."""

from collections.abc import Mapping
from dataclasses import dataclass

from admin_mcp.api.connection import Api
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.gate import Gate
from admin_mcp.tools.protocol import CallContext, Defined


@dataclass(frozen=True, slots=True)
class Installation:
    """What all endpoint tools of a server share. ``answer_bytes`` is how much of a list one answer holds."""

    catalog: Catalog
    gate: Gate
    api: Api
    answer_bytes: int


@dataclass(frozen=True, slots=True)
class EndpointTool(Defined):
    """A tool that makes one request: one to read, several for a list that is merged, or one change."""

    server: Installation

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Check the call, and make it."""
        endpoint = self.server.catalog.endpoint(self.name)
        await self.server.gate.check(endpoint.SPEC)  # first: a tool that is off has no arguments to correct
        call = parse_arguments(endpoint, arguments)
        return await (self.change(call, context) if endpoint.SPEC.mutates else self.read(call, context))

    async def change(self, call: Endpoint, context: CallContext) -> Json:
        """Make the change, if the gate lets it pass."""
        wire = self.server.api.prepared(call)
        # Whatever can fail without a person has failed by now.
        async with self.server.gate.admitted(call, wire, context.channels) as admission:
            context.sending = True
            return await self.server.api.send(call, wire, admission)

    async def read(self, call: Endpoint, context: CallContext) -> Json:
        """Read one thing, or a list: one page or, if the call wants them merged, several."""
        self.server.gate.admit_read(call)
        if type(call).SPEC.local_fields:
            return await self._read_list(call, context)
        answer = await self.server.api.read(call)
        self.server.gate.release(call, answer)
        return answer

    async def _read_list(self, call: Endpoint, context: CallContext) -> Json:
        from admin_mcp.endpoints.paging import Bounds, PaginatedEndpoint, read_list  # noqa: PLC0415 - comes with the catalog's modules

        if not isinstance(call, PaginatedEndpoint):
            raise TypeError(f"{self.name} is no list")
        return await read_list(
            call, self.server.api.read, Bounds(self.server.answer_bytes, context.late), context.report
        )

"""The tool of one job: arguments -> the job, which reads under the policy -> its answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Effect, Endpoint
from admin_mcp.endpoints.schema import META_EFFECT, Json
from admin_mcp.jobs import job_class
from admin_mcp.tools.endpoint_tool import Installation
from admin_mcp.tools.protocol import CallContext

if TYPE_CHECKING:
    from admin_mcp.jobs.reader import Reader


@dataclass(frozen=True, slots=True)
class ReportTool:
    """A tool that answers with what a report makes of its reads."""

    definition: Json
    server: Installation

    @property
    def name(self) -> str:
        """The tool's name."""
        name: str = self.definition["name"]
        return name

    @property
    def effect(self) -> Effect:
        """What a job does by itself: it reads."""
        effect: Effect = self.definition["_meta"][META_EFFECT]
        return effect

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Make the report."""
        from admin_mcp.jobs.base import Report  # noqa: PLC0415 - comes with the job's module

        kind = job_class(self.definition)
        self.server.gate.check_job(kind.SPEC)
        job = parse_arguments(kind, arguments)
        if not isinstance(job, Report):
            raise TypeError(f"{self.name} is no report")
        return await job.answer(reader(self.server, context))


def reader(server: Installation, context: CallContext) -> "Reader":
    """Return what a job reads with: each read meets the policy as if the model had made it."""
    from admin_mcp.jobs.reader import Reader  # noqa: PLC0415 - most calls need none

    async def read(call: Endpoint) -> Json:
        server.gate.admit_read_of_job(call)
        answer = await server.api.read(call)
        server.gate.release(call, answer)
        return answer

    return Reader(server.catalog, read, context.report, now=time.time)

"""The tools of jobs and plans: arguments -> the job, which reads under the policy -> its answer, or a plan."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs import job_class
from admin_mcp.tools.endpoint_tool import Installation
from admin_mcp.tools.protocol import CallContext, Defined, Report, Told

if TYPE_CHECKING:
    from admin_mcp.jobs.base import Report as ReportJob
    from admin_mcp.jobs.reader import Reader
    from admin_mcp.tools.plan_tools import Planner


@dataclass(frozen=True, slots=True)
class ReportTool(Defined):
    """A tool that answers with what a report makes of its reads."""

    server: Installation

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Make the report."""
        job = report_job(self.definition, arguments, self.server)
        answer = await job.answer(reader(self.server, context.report))
        text = answer.pop("text", None)
        return Told(answer, text) if isinstance(text, str) else answer


@dataclass(frozen=True, slots=True)
class PlaybookTool(Defined):
    """A tool that answers with the plan a playbook drafts."""

    server: Installation

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Draft the plan, and keep it."""
        from admin_mcp.jobs.base import Playbook  # noqa: PLC0415 - comes with the job's module

        kind = job_class(self.definition)
        self.server.gate.check_job(kind.SPEC)
        job = parse_arguments(kind, arguments)
        if not isinstance(job, Playbook):
            raise TypeError(f"{self.name} is no playbook")
        draft = await job.draft(reader(self.server, context.report))
        if not draft.steps:
            return {"title": draft.title, "steps": [], "notes": list(draft.notes), "next": "Nothing is left to do."}
        planner = planner_of(self.server)
        plan = await planner.making.made(draft.title, draft.steps, draft.notes, skip_idle=True, own_words=True)
        return {**await planner.keep(plan), **draft.more}


@dataclass(frozen=True, slots=True)
class PlanTool(Defined):
    """One of the tools of plans."""

    server: Installation

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Answer."""
        from admin_mcp.tools.plan_tools import PlanSpec, answered  # noqa: PLC0415 - most calls need none of it

        if self.effect == "read":  # what applies a plan is judged by what the plan does
            self.server.gate.check_job(PlanSpec(self.name))
        return await answered(self.name, arguments, planner_of(self.server), context)


def report_job(definition: Json, arguments: Mapping[str, object], server: Installation) -> "ReportJob":
    """Return a report that may be made, with its arguments.

    Raises:
        InvalidInput: the arguments are wrong. ``PolicyDenied``: it is switched off.

    """
    from admin_mcp.jobs.base import Report as ReportJob  # noqa: PLC0415 - comes with the job's module

    kind = job_class(definition)
    server.gate.check_job(kind.SPEC)
    job = parse_arguments(kind, arguments)
    if not isinstance(job, ReportJob):
        raise TypeError(f"{definition['name']} is no report")
    return job


def planner_of(server: Installation) -> "Planner":
    """Return what makes and keeps this server's plans."""
    from admin_mcp.tools.plan_tools import Planner  # noqa: PLC0415 - most calls need none of it

    return Planner(server.gate, server.api, time.time)


def reader(server: Installation, report: Report) -> "Reader":
    """Return what a job reads with: each read meets the policy as if the model had made it."""
    from admin_mcp.jobs.reader import Reader  # noqa: PLC0415 - most calls need none

    async def read(call: Endpoint) -> Json:
        server.gate.admit_read_of_job(call)
        answer = await server.api.read(call)
        server.gate.release(call, answer)
        return answer

    return Reader(server.catalog, read, report, now=time.time)

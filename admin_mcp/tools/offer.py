"""Which tools one server has: those that it lists, and those that can be called by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from admin_mcp.endpoints.schema import META_RESOURCE, Json
from admin_mcp.gate.storage import GateStorage
from admin_mcp.jobs import PLAYBOOKS, compiled_jobs
from admin_mcp.settings import Settings
from admin_mcp.tools.confirm import CONFIRM_DEFINITION, ConfirmTool
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.endpoint_tool import EndpointTool, Installation
from admin_mcp.tools.job_tool import PlanTool, PlaybookTool, ReportTool
from admin_mcp.tools.plan_definitions import plan_definitions
from admin_mcp.tools.protocol import Tool
from admin_mcp.tools.selection import selection_of


@dataclass(frozen=True, slots=True)
class Offer:
    """The tools of one server.

    ``listed`` are the entries of ``tools/list``. ``callable`` has more: the policy refuses what was left out, and says
    by which setting. ``missing`` are the names that no text should lead to. ``inside`` are those that others call by
    name, and nobody directly.
    """

    listed: Sequence[Json]
    callable: Mapping[str, Tool]
    missing: frozenset[str]
    inside: Mapping[str, Tool]


def offer_of(settings: Settings, server: Installation, storage: GateStorage) -> Offer:
    """Return the tools that the settings ask for.

    Raises:
        SettingsError: a name in them fits nothing, or nothing is left.

    """
    offered = selection_of(settings).of(every_definition())
    tools: dict[str, Tool] = {tool["name"]: EndpointTool(tool, server) for tool in server.catalog.tools}
    tools |= {tool["name"]: _job_tool(tool, server) for tool in compiled_jobs()}
    tools |= {tool["name"]: PlanTool(tool, server) for tool in plan_definitions()}
    confirm = [ConfirmTool(CONFIRM_DEFINITION, storage.approvals, tools.get)] if _two_steps(settings) else []
    listed, reached = offered, tools
    if settings.search:
        from admin_mcp.tools.search import searching  # noqa: PLC0415 - only this mode needs it

        four = searching(offered, tools)
        listed, reached = [tool.definition for tool in four], {tool.name: tool for tool in four}
    return Offer(
        listed=[*listed, *(tool.definition for tool in confirm)],
        callable={**reached, **{tool.name: tool for tool in confirm}},
        missing=frozenset(tools) - {tool["name"] for tool in offered},
        inside=tools if settings.search else {},
    )


def _job_tool(definition: Json, server: Installation) -> Tool:
    kind = definition["_meta"][META_RESOURCE]
    return PlaybookTool(definition, server) if kind == PLAYBOOKS else ReportTool(definition, server)


def _two_steps(settings: Settings) -> bool:
    return settings.approval == "two-step" and not settings.read_only

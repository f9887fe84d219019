"""Hosted tool permissions of a project: which of the API's own tools it may use.

In the reference: "Projects > Hosted tool permissions".
"""

from admin_mcp.endpoints.base import ApiObject, Endpoint, InputObject
from admin_mcp.endpoints.fields import UNSET, ResourceId


class HostedToolPermission(ApiObject):
    """Whether a project may use one hosted tool."""

    enabled: bool


class ProjectHostedToolPermissions(ApiObject):
    """Which hosted tools a project may use."""

    code_interpreter: HostedToolPermission
    file_search: HostedToolPermission
    image_generation: HostedToolPermission
    mcp: HostedToolPermission
    web_search: HostedToolPermission


class HostedToolSwitch(InputObject):
    """Turns one hosted tool on or off."""

    enabled: bool


class GetProjectHostedToolPermissions(
    Endpoint,
    get="/organization/projects/{project_id}/hosted_tool_permissions",
    returns=ProjectHostedToolPermissions,
):
    """Get which hosted tools (web search, MCP and so on) are enabled in a project."""

    project_id: ResourceId


class UpdateProjectHostedToolPermissions(
    Endpoint,
    post="/organization/projects/{project_id}/hosted_tool_permissions",
    returns=ProjectHostedToolPermissions,
    effect="update",
):
    """Enable or disable hosted tools in a project; those left out stay."""

    project_id: ResourceId
    code_interpreter: HostedToolSwitch | None = UNSET
    file_search: HostedToolSwitch | None = UNSET
    image_generation: HostedToolSwitch | None = UNSET
    mcp: HostedToolSwitch | None = UNSET
    web_search: HostedToolSwitch | None = UNSET

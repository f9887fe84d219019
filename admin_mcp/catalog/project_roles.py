"""Project roles: named sets of permissions inside one project, to be assigned to its users and groups.

In the reference: "Projects > Roles".
"""

from typing import Annotated

from pydantic import Field

from admin_mcp.catalog.roles import Role, RoleDeleted, RoleList
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, ApiDefault, Clearable, Limit0To1000, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class ListProjectRoles(PaginatedEndpoint, get="/projects/{project_id}/roles", returns=RoleList):
    """List one project's roles with permissions: where role_id for assign_project_user_role or
    assign_project_group_role comes from.
    """

    project_id: ResourceId
    after: AfterNext = UNSET
    limit: Annotated[Limit0To1000, ApiDefault(1000)] = UNSET
    order: Annotated[Order, ApiDefault("asc")] = UNSET


class CreateProjectRole(Endpoint, post="/projects/{project_id}/roles", returns=Role, effect="create"):
    """Create a custom role in one project. Nobody holds it until assigned."""

    project_id: ResourceId
    permissions: list[str]
    role_name: str
    description: str | None = UNSET


class GetProjectRole(Endpoint, get="/projects/{project_id}/roles/{role_id}", returns=Role):
    """Get one project role and its permissions, not who holds it."""

    project_id: ResourceId
    role_id: ResourceId


class UpdateProjectRole(Endpoint, post="/projects/{project_id}/roles/{role_id}", returns=Role, effect="update"):
    """Rename or redescribe a custom project role, or replace its permissions, for all who hold it."""

    project_id: ResourceId
    role_id: ResourceId
    description: Clearable[str] = UNSET
    permissions: list[str] | None = Field(UNSET, description="Replaces the whole set.")
    role_name: str | None = UNSET


class DeleteProjectRole(Endpoint, delete="/projects/{project_id}/roles/{role_id}", returns=RoleDeleted):
    """Delete a custom project role; all who hold it lose its permissions."""

    project_id: ResourceId
    role_id: ResourceId

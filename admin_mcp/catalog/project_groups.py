"""Groups with access to a project.

In the reference: "Projects > Groups".
"""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, ApiDefault, Limit0To100, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class ProjectGroup(ApiObject):
    """A group with access to a project."""

    created_at: int
    group_id: str
    group_name: str
    group_type: Open[Literal["group", "tenant_group"]]
    object: Open[Literal["project.group"]]
    project_id: str


class ProjectGroupList(ApiObject):
    """A page of a project's groups; ``next`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[ProjectGroup]
    has_more: bool
    next: str | None


class ProjectGroupRemoved(ApiObject):
    """A group's access to a project that is gone."""

    deleted: bool
    object: Open[Literal["project.group.deleted"]]


class ListProjectGroups(PaginatedEndpoint, get="/organization/projects/{project_id}/groups", returns=ProjectGroupList):
    """List the groups added to one project. Their roles in it: list_project_group_roles."""

    project_id: ResourceId
    after: AfterNext = UNSET
    limit: Annotated[Limit0To100, ApiDefault(20)] = UNSET
    order: Annotated[Order, ApiDefault("asc")] = UNSET


class AddProjectGroup(
    Endpoint, post="/organization/projects/{project_id}/groups", returns=ProjectGroup, effect="grant"
):
    """Let a group, and so its members, into a project with a first role. Take group_id from list_groups. Further roles:
    assign_project_group_role.
    """

    project_id: ResourceId
    group_id: ResourceId
    role: ResourceId = Field(description="Role id from list_project_roles.")


class GetProjectGroup(Endpoint, get="/organization/projects/{project_id}/groups/{group_id}", returns=ProjectGroup):
    """Check whether a group was added to a project, and when. A tenant group needs group_type."""

    project_id: ResourceId
    group_id: ResourceId
    group_type: Annotated[Literal["group", "tenant_group"], ApiDefault("group")] = UNSET


class RemoveProjectGroup(
    Endpoint, delete="/organization/projects/{project_id}/groups/{group_id}", returns=ProjectGroupRemoved
):
    """Remove a group from a project: members in it only through the group lose access."""

    project_id: ResourceId
    group_id: ResourceId

"""Project roles assigned to a group.

In the reference: "Projects > Groups > Roles".
"""

from admin_mcp.catalog.group_roles import GroupRoleAssignment
from admin_mcp.catalog.user_roles import AssignedRole, AssignedRoleList, RoleUnassigned
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, Limit0To1000, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class ListProjectGroupRoles(
    PaginatedEndpoint, get="/projects/{project_id}/groups/{group_id}/roles", returns=AssignedRoleList
):
    """List the roles a group gives its members in one project. Organization roles: list_group_roles."""

    project_id: ResourceId
    group_id: ResourceId
    after: AfterNext = UNSET
    limit: Limit0To1000 = UNSET
    order: Order = UNSET


class AssignProjectGroupRole(
    Endpoint, post="/projects/{project_id}/groups/{group_id}/roles", returns=GroupRoleAssignment, effect="grant"
):
    """Give a group, and so every member, one more role in a project. Take role_id from list_project_roles."""

    project_id: ResourceId
    group_id: ResourceId
    role_id: ResourceId


class GetProjectGroupRole(
    Endpoint, get="/projects/{project_id}/groups/{group_id}/roles/{role_id}", returns=AssignedRole
):
    """Check whether a group holds a role in a project."""

    project_id: ResourceId
    group_id: ResourceId
    role_id: ResourceId


class UnassignProjectGroupRole(
    Endpoint, delete="/projects/{project_id}/groups/{group_id}/roles/{role_id}", returns=RoleUnassigned
):
    """Take a project role from a group, and so from members who hold it only through it."""

    project_id: ResourceId
    group_id: ResourceId
    role_id: ResourceId

"""Project roles assigned to a user.

In the reference: "Projects > Users > Roles".
"""

from admin_mcp.catalog.user_roles import AssignedRole, AssignedRoleList, RoleUnassigned, UserRoleAssignment
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, Limit0To1000, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class ListProjectUserRoles(
    PaginatedEndpoint, get="/projects/{project_id}/users/{user_id}/roles", returns=AssignedRoleList
):
    """List the roles a user holds in one project, and through what (`assignment_sources`). Organization roles:
    list_user_roles.
    """

    project_id: ResourceId
    user_id: ResourceId
    after: AfterNext = UNSET
    limit: Limit0To1000 = UNSET
    order: Order = UNSET


class AssignProjectUserRole(
    Endpoint, post="/projects/{project_id}/users/{user_id}/roles", returns=UserRoleAssignment, effect="grant"
):
    """Give a user one more role in a project. Take role_id from list_project_roles."""

    project_id: ResourceId
    user_id: ResourceId
    role_id: ResourceId


class GetProjectUserRole(Endpoint, get="/projects/{project_id}/users/{user_id}/roles/{role_id}", returns=AssignedRole):
    """Check whether a user holds a role in a project, and through what."""

    project_id: ResourceId
    user_id: ResourceId
    role_id: ResourceId


class UnassignProjectUserRole(
    Endpoint, delete="/projects/{project_id}/users/{user_id}/roles/{role_id}", returns=RoleUnassigned
):
    """Take a project role from a user, unless it is held through a group."""

    project_id: ResourceId
    user_id: ResourceId
    role_id: ResourceId

"""Organization roles assigned to a group.

In the reference: "Groups > Roles".
"""

from typing import Literal

from admin_mcp.catalog.roles import Role
from admin_mcp.catalog.user_roles import AssignedRole, AssignedRoleList, RoleUnassigned
from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, Limit0To1000, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class RoleHolderGroup(ApiObject):
    """The group a role was assigned to."""

    id: str
    created_at: int
    name: str
    object: Open[Literal["group"]]
    scim_managed: bool


class GroupRoleAssignment(ApiObject):
    """A role newly assigned to a group."""

    group: RoleHolderGroup
    object: Open[Literal["group.role"]]
    role: Role


class ListGroupRoles(PaginatedEndpoint, get="/organization/groups/{group_id}/roles", returns=AssignedRoleList):
    """List the organization roles a group gives its members. Those in one project: list_project_group_roles."""

    group_id: ResourceId
    after: AfterNext = UNSET
    limit: Limit0To1000 = UNSET
    order: Order = UNSET


class AssignGroupRole(
    Endpoint, post="/organization/groups/{group_id}/roles", returns=GroupRoleAssignment, effect="grant"
):
    """Give a group, and so every member, an organization role. Take role_id from list_roles. In one project:
    assign_project_group_role.
    """

    group_id: ResourceId
    role_id: ResourceId


class GetGroupRole(Endpoint, get="/organization/groups/{group_id}/roles/{role_id}", returns=AssignedRole):
    """Check whether a group holds an organization role."""

    group_id: ResourceId
    role_id: ResourceId


class UnassignGroupRole(Endpoint, delete="/organization/groups/{group_id}/roles/{role_id}", returns=RoleUnassigned):
    """Take an organization role from a group, and so from members who hold it only through it."""

    group_id: ResourceId
    role_id: ResourceId

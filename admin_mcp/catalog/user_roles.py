"""Organization roles assigned to a user, and the assignment models that groups and projects share.

In the reference: "Users > Roles".
"""

from typing import Literal

from admin_mcp.catalog.roles import Role
from admin_mcp.catalog.users import OrganizationUser
from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, Limit0To1000, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class AssignmentSource(ApiObject):
    """A principal, such as a group, that a role is inherited from."""

    principal_id: str
    principal_type: str


class AssignedRole(ApiObject):
    """A role as held by a user or group."""

    id: str
    assignment_sources: list[AssignmentSource] | None
    created_at: int | None
    created_by: str | None
    created_by_user_obj: dict[str, object] | None
    description: str | None
    metadata: dict[str, object] | None
    name: str
    permissions: list[str]
    predefined_role: bool
    resource_type: str
    updated_at: int | None


class AssignedRoleList(ApiObject):
    """A page of held roles; ``next`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[AssignedRole]
    has_more: bool
    next: str | None


class RoleUnassigned(ApiObject):
    """A role assignment that is gone."""

    deleted: bool
    object: str


class UserRoleAssignment(ApiObject):
    """A role newly assigned to a user."""

    object: Open[Literal["user.role"]]
    role: Role
    user: OrganizationUser


class ListUserRoles(PaginatedEndpoint, get="/organization/users/{user_id}/roles", returns=AssignedRoleList):
    """List the organization roles a user holds, and through what (`assignment_sources`). Those in one project:
    list_project_user_roles.
    """

    user_id: ResourceId
    after: AfterNext = UNSET
    limit: Limit0To1000 = UNSET
    order: Order = UNSET


class AssignUserRole(Endpoint, post="/organization/users/{user_id}/roles", returns=UserRoleAssignment, effect="grant"):
    """Give a user one more organization role. Take role_id from list_roles. In one project:
    assign_project_user_role.
    """

    user_id: ResourceId
    role_id: ResourceId


class GetUserRole(Endpoint, get="/organization/users/{user_id}/roles/{role_id}", returns=AssignedRole):
    """Check whether a user holds an organization role, and through what."""

    user_id: ResourceId
    role_id: ResourceId


class UnassignUserRole(Endpoint, delete="/organization/users/{user_id}/roles/{role_id}", returns=RoleUnassigned):
    """Take an organization role from a user. One inherited from a group ends with unassign_group_role or
    remove_group_user.
    """

    user_id: ResourceId
    role_id: ResourceId

"""Organization roles: named sets of permissions, to be assigned to users and groups."""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, ApiDefault, Clearable, Limit0To1000, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class Role(ApiObject):
    """A role of the organization or of a project."""

    id: str
    description: str | None
    name: str
    object: Open[Literal["role"]]
    permissions: list[str]
    predefined_role: bool
    resource_type: str


class RoleList(ApiObject):
    """A page of roles; ``next`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[Role]
    has_more: bool
    next: str | None


class RoleDeleted(ApiObject):
    """A role that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["role.deleted"]]


class ListRoles(PaginatedEndpoint, get="/organization/roles", returns=RoleList):
    """List organization roles with permissions: where role_id for assign_user_role or assign_group_role comes from.
    Inside one project: list_project_roles.
    """

    after: AfterNext = UNSET
    limit: Annotated[Limit0To1000, ApiDefault(1000)] = UNSET
    order: Annotated[Order, ApiDefault("asc")] = UNSET


class CreateRole(Endpoint, post="/organization/roles", returns=Role, effect="create"):
    """Create a custom organization role. Nobody holds it until assigned."""

    permissions: list[str]
    role_name: str
    description: str | None = UNSET


class GetRole(Endpoint, get="/organization/roles/{role_id}", returns=Role):
    """Get one organization role and its permissions, not who holds it."""

    role_id: ResourceId


class UpdateRole(Endpoint, post="/organization/roles/{role_id}", returns=Role, effect="update"):
    """Rename or redescribe a custom organization role, or replace its permissions, for all who hold it."""

    role_id: ResourceId
    description: Clearable[str] = UNSET
    permissions: list[str] | None = Field(UNSET, description="Replaces the whole set.")
    role_name: str | None = UNSET


class DeleteRole(Endpoint, delete="/organization/roles/{role_id}", returns=RoleDeleted):
    """Delete a custom organization role; all who hold it lose its permissions."""

    role_id: ResourceId

"""Groups: named sets of the organization's users, so that roles can be given to all of them at once."""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, ApiDefault, Limit0To1000, Open, Order, ResourceId
from admin_mcp.endpoints.paging import FiltersNames

GroupName = Annotated[str, Field(min_length=1, max_length=255)]


class Group(ApiObject):
    """A group of users."""

    id: str
    created_at: int
    group_type: Open[Literal["group", "tenant_group"]]
    is_scim_managed: bool
    name: str


class GroupUpdated(ApiObject):
    """A group after it was renamed."""

    id: str
    created_at: int
    is_scim_managed: bool
    name: str


class GroupList(ApiObject):
    """A page of groups; ``next`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[Group]
    has_more: bool
    next: str | None


class GroupDeleted(ApiObject):
    """A group that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["group.deleted"]]


class ListGroups(FiltersNames, get="/organization/groups", returns=GroupList):
    """List the organization's groups: where group_id comes from. Members: list_group_users; with access to one project:
    list_project_groups.
    """

    after: AfterNext = UNSET
    limit: Annotated[Limit0To1000, ApiDefault(100)] = UNSET
    order: Annotated[Order, ApiDefault("asc")] = UNSET


class CreateGroup(Endpoint, post="/organization/groups", returns=Group, effect="create"):
    """Create an empty group without access. Then use add_group_user, and assign_group_role or add_project_group."""

    name: GroupName


class GetGroup(Endpoint, get="/organization/groups/{group_id}", returns=Group):
    """Get a group's name and whether SCIM manages it."""

    group_id: ResourceId


class UpdateGroup(Endpoint, post="/organization/groups/{group_id}", returns=GroupUpdated, effect="update"):
    """Rename a group. SCIM-managed ones belong to the identity provider."""

    group_id: ResourceId
    name: GroupName


class DeleteGroup(Endpoint, delete="/organization/groups/{group_id}", returns=GroupDeleted):
    """Delete a group. Its users stay in the organization."""

    group_id: ResourceId

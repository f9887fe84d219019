"""The users in a group.

In the reference: "Groups > Users".
"""

from typing import Annotated, Literal

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterNext, ApiDefault, Limit0To1000, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class GroupUser(ApiObject):
    """A user as listed in a group."""

    id: str
    email: str | None
    name: str


class GroupUserList(ApiObject):
    """A page of a group's users; ``next`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[GroupUser]
    has_more: bool
    next: str | None


class GroupUserAdded(ApiObject):
    """A new membership of a group."""

    group_id: str
    object: Open[Literal["group.user"]]
    user_id: str


class GroupUserDetails(ApiObject):
    """A user of a group, as returned for that one user."""

    id: str
    email: str | None
    is_service_account: bool | None
    name: str
    picture: str | None
    user_type: Open[Literal["user", "tenant_user"]]


class GroupUserRemoved(ApiObject):
    """A membership of a group that is gone."""

    deleted: bool
    object: Open[Literal["group.user.deleted"]]


class ListGroupUsers(PaginatedEndpoint, get="/organization/groups/{group_id}/users", returns=GroupUserList):
    """List the users in a group with name and email."""

    group_id: ResourceId
    after: AfterNext = UNSET
    limit: Annotated[Limit0To1000, ApiDefault(100)] = UNSET
    order: Annotated[Order, ApiDefault("desc")] = UNSET


class AddGroupUser(Endpoint, post="/organization/groups/{group_id}/users", returns=GroupUserAdded, effect="grant"):
    """Put a member of the organization into a group, with every role it holds. Take user_id from list_users."""

    group_id: ResourceId
    user_id: ResourceId


class GetGroupUser(Endpoint, get="/organization/groups/{group_id}/users/{user_id}", returns=GroupUserDetails):
    """Check whether a user is in a group, and see whether it is a service account."""

    group_id: ResourceId
    user_id: ResourceId


class RemoveGroupUser(Endpoint, delete="/organization/groups/{group_id}/users/{user_id}", returns=GroupUserRemoved):
    """Take a user out of a group, ending what they held only through it."""

    group_id: ResourceId
    user_id: ResourceId

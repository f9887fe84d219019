"""Users: the members of the organization."""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Limit100, Open, ResourceId
from admin_mcp.endpoints.paging import FiltersNames


class OrganizationUserProject(ApiObject):
    """A project a user belongs to, and their role in it."""

    id: str | None = None
    name: str | None = None
    role: str | None = None


class OrganizationUserProjects(ApiObject):
    """The projects a user belongs to."""

    data: list[OrganizationUserProject]
    object: Open[Literal["list"]]


class UserAccount(ApiObject):
    """The account behind a membership of the organization."""

    id: str
    object: Open[Literal["user"]]
    banned: bool | None = None
    banned_at: int | None = None
    email: str | None = None
    enabled: bool | None = None
    name: str | None = None
    picture: str | None = None


class OrganizationUser(ApiObject):
    """A member of the organization."""

    id: str
    added_at: int
    object: Open[Literal["organization.user"]]
    api_key_last_used_at: int | None = None
    created: int = UNSET
    developer_persona: str | None = None
    email: str | None = None
    is_default: bool = UNSET
    is_scale_tier_authorized_purchaser: bool | None = None
    is_scim_managed: bool = UNSET
    is_service_account: bool = UNSET
    name: str | None = None
    projects: OrganizationUserProjects | None = None
    role: str | None = None
    technical_level: str | None = None
    user: UserAccount = UNSET


class OrganizationUserList(ApiObject):
    """A page of members; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[OrganizationUser]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool


class OrganizationUserDeleted(ApiObject):
    """A user who is no longer a member."""

    id: str
    deleted: bool
    object: Open[Literal["organization.user.deleted"]]


class ListUsers(FiltersNames, get="/organization/users", returns=OrganizationUserList):
    """List members of the organization: where user_id comes from. Find a person by `emails`; invited people who have
    not joined are in list_invites.
    """

    after: After = UNSET
    emails: list[str] = UNSET
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET


class GetUser(Endpoint, get="/organization/users/{user_id}", returns=OrganizationUser):
    """Get one member of the organization by id. By email: list_users."""

    user_id: ResourceId


class UpdateUser(Endpoint, post="/organization/users/{user_id}", returns=OrganizationUser, effect="update"):
    """Change a member's organization role or developer profile, not name or email. To add a role use
    assign_user_role.
    """

    user_id: ResourceId
    developer_persona: str | None = UNSET
    role: Literal["owner", "reader"] | None = UNSET
    role_id: ResourceId | None = Field(UNSET, description="For any other role.")
    technical_level: str | None = UNSET


class DeleteUser(Endpoint, delete="/organization/users/{user_id}", returns=OrganizationUserDeleted):
    """Remove a person from the whole organization. From one project only: delete_project_user; to withdraw an invite:
    delete_invite.
    """

    user_id: ResourceId

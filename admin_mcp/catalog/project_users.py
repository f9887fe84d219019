"""Users of a project: organization members with access to it.

In the reference: "Projects > Users".
"""

from typing import Annotated, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Limit100, Open, ResourceId
from admin_mcp.endpoints.paging import FiltersNames

ProjectMemberRole = Literal["owner", "member"]
"""What a membership of a project takes by name; any other role is assigned beside it, by its id."""


class ProjectUser(ApiObject):
    """A user with access to a project."""

    id: str
    added_at: int
    object: Open[Literal["organization.project.user"]]
    role: str
    email: str | None = None
    name: str | None = None


class ProjectUserList(ApiObject):
    """A page of project users; ``last_id`` is the cursor of the page after it."""

    object: str
    data: list[ProjectUser]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool


class ProjectUserDeleted(ApiObject):
    """A user who is no longer in a project."""

    id: str
    deleted: bool
    object: Open[Literal["organization.project.user.deleted"]]


class ListProjectUsers(FiltersNames, get="/organization/projects/{project_id}/users", returns=ProjectUserList):
    """List the users of one project, each as owner or member. Groups: list_project_groups."""

    project_id: ResourceId
    after: After = UNSET
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET


class CreateProjectUser(
    Endpoint, post="/organization/projects/{project_id}/users", returns=ProjectUser, effect="grant"
):
    """Add a member of the organization to a project, by email or user_id. Take user_id from list_users. Outsiders need
    create_invite first.
    """

    project_id: ResourceId
    role: ProjectMemberRole
    email: str | None = UNSET
    user_id: ResourceId | None = UNSET

    @model_validator(mode="after")
    def _names_someone(self) -> Self:
        if self.user_id is None and self.email is None:
            raise PydanticCustomError(
                "nobody_named", "say who to add: give user_id (from list_users) or email of an organization member"
            )
        return self


class GetProjectUser(Endpoint, get="/organization/projects/{project_id}/users/{user_id}", returns=ProjectUser):
    """Get one user's membership of a project: role, email and since when."""

    project_id: ResourceId
    user_id: ResourceId


class UpdateProjectUser(
    Endpoint, post="/organization/projects/{project_id}/users/{user_id}", returns=ProjectUser, effect="update"
):
    """Make a project's user its owner or a plain member. Custom roles: assign_project_user_role."""

    project_id: ResourceId
    user_id: ResourceId
    role: ProjectMemberRole | None = UNSET


class DeleteProjectUser(
    Endpoint, delete="/organization/projects/{project_id}/users/{user_id}", returns=ProjectUserDeleted
):
    """Remove a user from one project. They stay in the organization and in other projects."""

    project_id: ResourceId
    user_id: ResourceId

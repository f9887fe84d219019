"""Service accounts of a project, and the API keys made for them.

In the reference: "Projects > Service accounts" and "Projects > Service accounts > API keys".
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, IfLeftOut, Lifetime, Limit100, Open, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class ProjectServiceAccount(ApiObject):
    """An account in a project that belongs to no person."""

    id: str
    created_at: int
    name: str
    object: Open[Literal["organization.project.service_account"]]
    role: Open[Literal["owner", "member", "none"]]


class ProjectServiceAccountList(ApiObject):
    """A page of service accounts; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[ProjectServiceAccount]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool


class ServiceAccountApiKey(ApiObject):
    """A new key of a service account; ``value`` is its secret."""

    id: str
    created_at: int
    name: str
    object: Open[Literal["organization.project.service_account.api_key"]]
    value: str
    expires_at: int | None = None


class ProjectServiceAccountCreated(ApiObject):
    """A new service account, with its first key unless none was wanted."""

    id: str
    api_key: ServiceAccountApiKey | None
    created_at: int
    name: str
    object: Open[Literal["organization.project.service_account"]]
    role: Open[Literal["member", "none"]]


class ProjectServiceAccountDeleted(ApiObject):
    """A service account that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["organization.project.service_account.deleted"]]


class ListProjectServiceAccounts(
    PaginatedEndpoint, get="/organization/projects/{project_id}/service_accounts", returns=ProjectServiceAccountList
):
    """List one project's service accounts and their roles. Their keys: list_project_api_keys."""

    project_id: ResourceId
    after: After = UNSET
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET


class CreateProjectServiceAccount(
    Endpoint,
    post="/organization/projects/{project_id}/service_accounts",
    returns=ProjectServiceAccountCreated,
    effect="grant",
    secret=("api_key", "value"),
):
    """Create a service account in a project: a member with a new API key, whose secret is saved to a private file. For
    no key and no role set create_service_account_only.
    """

    project_id: ResourceId
    name: str
    create_service_account_only: bool | None = UNSET
    expires_in_seconds: Annotated[Lifetime | None, IfLeftOut("its key never expires")] = Field(
        UNSET, description="Of the key, from now; a policy may demand it."
    )

    @model_validator(mode="after")
    def _expiry_needs_a_key(self) -> Self:
        if self.create_service_account_only and self.expires_in_seconds is not None:
            raise PydanticCustomError(
                "expiry_without_key",
                "create_service_account_only makes no key that could expire: drop it, or drop expires_in_seconds",
            )
        return self


class GetProjectServiceAccount(
    Endpoint,
    get="/organization/projects/{project_id}/service_accounts/{service_account_id}",
    returns=ProjectServiceAccount,
):
    """Get one service account's name and role in its project."""

    project_id: ResourceId
    service_account_id: ResourceId


class UpdateProjectServiceAccount(
    Endpoint,
    post="/organization/projects/{project_id}/service_accounts/{service_account_id}",
    returns=ProjectServiceAccount,
    effect="update",
):
    """Rename a project's service account or make it owner or member."""

    project_id: ResourceId
    service_account_id: ResourceId
    name: str = UNSET
    role: Literal["member", "owner"] = UNSET


class DeleteProjectServiceAccount(
    Endpoint,
    delete="/organization/projects/{project_id}/service_accounts/{service_account_id}",
    returns=ProjectServiceAccountDeleted,
):
    """Delete a service account from its project; nothing can act as it any more. For one key use
    delete_project_api_key.
    """

    project_id: ResourceId
    service_account_id: ResourceId


class CreateServiceAccountApiKey(
    Endpoint,
    post="/organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys",
    returns=ServiceAccountApiKey,
    effect="grant",
    undo="delete_project_api_key",
    secret=("value",),
):
    """Create one more API key for a project's service account. The secret is saved to a private file."""

    project_id: ResourceId
    service_account_id: ResourceId
    expires_in_seconds: Annotated[Lifetime | None, IfLeftOut("the key never expires")] = Field(
        UNSET, description="From now."
    )
    name: str = UNSET
    scopes: Annotated[list[str], IfLeftOut("not restricted further than the service account")] = UNSET

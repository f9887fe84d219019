"""API keys of a project, whether a user's or a service account's.

In the reference: "Projects > API keys".
"""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Lifetime, Limit100, Open, ResourceId
from admin_mcp.endpoints.paging import FiltersNames


class ApiKeyServiceAccount(ApiObject):
    """The service account a key belongs to."""

    id: str
    created_at: int
    name: str
    role: str


class ApiKeyUser(ApiObject):
    """The user a key belongs to."""

    id: str
    created_at: int
    email: str
    name: str
    role: str


class ProjectApiKeyOwner(ApiObject):
    """Whom a project's key belongs to: a user or a service account."""

    service_account: ApiKeyServiceAccount = UNSET
    type: Open[Literal["user", "service_account"]] = UNSET
    user: ApiKeyUser = UNSET


class ProjectApiKey(ApiObject):
    """A key of a project, without its secret."""

    id: str
    created_at: int
    last_used_at: int | None
    name: str
    object: Open[Literal["organization.project.api_key"]]
    owner: ProjectApiKeyOwner
    owner_project_access: Open[Literal["active", "inactive"]]
    redacted_value: str
    expires_at: int | None = None


class ProjectApiKeyList(ApiObject):
    """A page of keys; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[ProjectApiKey]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool


class ProjectApiKeyDeleted(ApiObject):
    """A key that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["organization.project.api_key.deleted"]]


class ListProjectApiKeys(FiltersNames, get="/organization/projects/{project_id}/api_keys", returns=ProjectApiKeyList):
    """List one project's API keys with owner, last use and expiry. Admin keys: list_admin_api_keys."""

    project_id: ResourceId
    after: After = UNSET
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET
    owner_project_access: Literal["active", "inactive", "any"] = Field(
        UNSET, description="`any` = every enabled key; left out, some may be missing."
    )


class GetProjectApiKey(
    Endpoint, get="/organization/projects/{project_id}/api_keys/{api_key_id}", returns=ProjectApiKey
):
    """Get one project API key: owner, last use and expiry, not the secret."""

    project_id: ResourceId
    api_key_id: ResourceId


class UpdateProjectApiKey(
    Endpoint,
    post="/organization/projects/{project_id}/api_keys/{api_key_id}",
    returns=ProjectApiKey,
    effect="update",
):
    """Change a project API key's scopes, expiry or both, unless it has expired. The rest and the secret stay."""

    project_id: ResourceId
    api_key_id: ResourceId
    expires_in_seconds: Lifetime = Field(UNSET, description="From now.")
    scopes: list[str] = Field(UNSET, description='Replaces all. [] = unrestricted; ["api.all.read"] = read-only.')


class DeleteProjectApiKey(
    Endpoint, delete="/organization/projects/{project_id}/api_keys/{api_key_id}", returns=ProjectApiKeyDeleted
):
    """Delete a user's or service account's API key in a project; whatever uses it stops working."""

    project_id: ResourceId
    api_key_id: ResourceId

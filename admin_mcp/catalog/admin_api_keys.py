"""Admin API keys: the credentials of the Admin API itself, for the whole organization."""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import INTEGRAL, UNSET, AfterItem, ApiDefault, IfLeftOut, Int, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class AdminApiKeyOwner(ApiObject):
    """Whom an admin key belongs to."""

    id: str = UNSET
    created_at: int = UNSET
    name: str = UNSET
    object: str = UNSET
    role: str = UNSET
    type: str = UNSET


class AdminApiKey(ApiObject):
    """An admin key, without its secret."""

    id: str
    created_at: int
    expires_at: int | None
    object: Open[Literal["organization.admin_api_key"]]
    owner: AdminApiKeyOwner
    redacted_value: str
    last_used_at: int | None = None
    name: str | None = None


class AdminApiKeyCreated(AdminApiKey):
    """A new admin key; ``value`` is the secret, which the API shows only here."""

    value: str


class AdminApiKeyList(ApiObject):
    """A page of admin keys; the last one's id is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[AdminApiKey]
    has_more: bool
    first_id: str | None = None
    last_id: str | None = None


class AdminApiKeyDeleted(ApiObject):
    """An admin key that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["organization.admin_api_key.deleted"]]


class ListAdminApiKeys(PaginatedEndpoint, get="/organization/admin_api_keys", returns=AdminApiKeyList):
    """List the organization's admin API keys with owner and last use. Ordinary keys: list_project_api_keys."""

    after: AfterItem | None = UNSET
    limit: Annotated[Int, ApiDefault(20)] = UNSET
    order: Annotated[Order, ApiDefault("asc")] = UNSET


class CreateAdminApiKey(
    Endpoint, post="/organization/admin_api_keys", returns=AdminApiKeyCreated, effect="grant", secret=("value",)
):
    """Create an admin API key, which can administer the whole organization but not call models. The secret is saved to
    a private file: pass on its path.
    """

    name: str
    expires_in_seconds: Annotated[
        int,
        Field(ge=1, le=31_536_000, description="Left out: never expires."),
        IfLeftOut("it never expires"),
        INTEGRAL,
    ] = UNSET


class GetAdminApiKey(Endpoint, get="/organization/admin_api_keys/{key_id}", returns=AdminApiKey):
    """Get one admin API key: owner, expiry and last use, not the secret."""

    key_id: ResourceId


class DeleteAdminApiKey(Endpoint, delete="/organization/admin_api_keys/{key_id}", returns=AdminApiKeyDeleted):
    """Revoke an admin API key; whatever uses it stops working."""

    key_id: ResourceId

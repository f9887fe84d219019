"""Workload identity providers: outside issuers whose tokens may stand for service accounts."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, WithJsonSchema, model_validator

from admin_mcp.endpoints.base import ApiObject, Endpoint, InputObject
from admin_mcp.endpoints.fields import UNSET, AfterItem, Clearable, Int, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint
from admin_mcp.endpoints.unions import Variant, check_variant


class WorkloadAttribute(ApiObject):
    """An attribute that is worked out from a token's claims."""

    attribute: str
    expression: str


class DiscoveryVerification(ApiObject):
    """Signing keys are found at the issuer."""

    discovery_url: str | None
    type: Open[Literal["discovery"]]


class UploadedJwksVerification(ApiObject):
    """Signing keys were given as a key set."""

    jwks: dict[str, object]
    type: Open[Literal["uploaded_jwks"]]


class WorkloadIdentityProvider(ApiObject):
    """An outside issuer of tokens, and how they are verified."""

    id: str
    attribute_transformations: list[WorkloadAttribute]
    audience: str
    created_at: int
    description: str | None
    enabled: bool
    issuer: str
    name: str
    object: Open[Literal["organization.workload_identity_provider"]]
    type: Open[Literal["oidc"]]
    updated_at: int
    verification: DiscoveryVerification | UploadedJwksVerification


class WorkloadIdentityProviderList(ApiObject):
    """A page of providers; the last one's id is the cursor of the page after it."""

    data: list[WorkloadIdentityProvider]
    has_more: bool | None = None


class WorkloadIdentityProviderDeleted(ApiObject):
    """A provider that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["organization.workload_identity_provider.deleted"]]


class AttributeTransformation(InputObject):
    """An attribute to work out from a token's claims."""

    attribute: str
    expression: str


_VARIANTS: Final = {"discovery": Variant(("discovery_url",)), "uploaded_jwks": Variant(("jwks",))}


class Verification(InputObject):
    """How the provider's tokens are verified."""

    type: Literal["discovery", "uploaded_jwks"] = Field(
        description="discovery needs discovery_url (or null); uploaded_jwks needs jwks."
    )
    discovery_url: Clearable[str] = UNSET
    jwks: Annotated[dict[str, object], WithJsonSchema({"type": "object"})] = UNSET

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        check_variant(self, self.type, _VARIANTS)
        return self


class ListWorkloadIdentityProviders(
    PaginatedEndpoint, get="/organization/workload_identity_providers", returns=WorkloadIdentityProviderList
):
    """List the OIDC issuers trusted for keyless access: where workload_identity_provider_id comes from. What they give
    access to: list_federation_rules.
    """

    after: AfterItem = UNSET
    limit: Int = UNSET
    order: Order = UNSET


class CreateWorkloadIdentityProvider(
    Endpoint,
    post="/organization/workload_identity_providers",
    returns=WorkloadIdentityProvider,
    effect="create",
):
    """Register an OIDC issuer whose tokens outside workloads present instead of API keys. For access then use
    create_federation_rule.
    """

    audience: str
    issuer: str
    name: str
    type: Literal["oidc"]
    attribute_transformations: list[AttributeTransformation] = UNSET
    description: str = UNSET
    enabled: bool = UNSET
    verification: Verification = UNSET


class GetWorkloadIdentityProvider(
    Endpoint,
    get="/organization/workload_identity_providers/{workload_identity_provider_id}",
    returns=WorkloadIdentityProvider,
):
    """Get one workload identity provider: issuer, audience and how tokens are verified, not its rules."""

    workload_identity_provider_id: ResourceId


class UpdateWorkloadIdentityProvider(
    Endpoint,
    post="/organization/workload_identity_providers/{workload_identity_provider_id}",
    returns=WorkloadIdentityProvider,
    effect="update",
):
    """Change or disable a workload identity provider. Its issuer, audience and verification count for all its
    federation rules.
    """

    workload_identity_provider_id: ResourceId
    attribute_transformations: list[AttributeTransformation] = UNSET
    audience: str = UNSET
    description: Clearable[str] = UNSET
    enabled: bool = UNSET
    issuer: str = UNSET
    name: str = UNSET
    verification: Verification = UNSET


class DeleteWorkloadIdentityProvider(
    Endpoint,
    delete="/organization/workload_identity_providers/{workload_identity_provider_id}",
    returns=WorkloadIdentityProviderDeleted,
):
    """Delete a workload identity provider; workloads that sign in through it lose access."""

    workload_identity_provider_id: ResourceId

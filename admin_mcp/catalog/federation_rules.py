"""Federation rules: which outside workloads of a provider may act as which service account.

In the reference: "Workload identity providers > Federation rules".
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from admin_mcp.endpoints.base import ApiObject, Endpoint, InputObject
from admin_mcp.endpoints.fields import INTEGRAL, UNSET, AfterItem, Clearable, IfLeftOut, Int, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint
from admin_mcp.endpoints.unions import Variant, check_variant


class ServiceAccountDefaultPermissions(ApiObject):
    """All that the service account may do."""

    type: Open[Literal["service_account_default"]]


class RestrictedPermissions(ApiObject):
    """Only some of what the service account may do."""

    scopes: list[str]
    type: Open[Literal["restricted"]]


class FederationRule(ApiObject):
    """A match of token attributes that lets a workload act as a service account."""

    id: str
    attribute_matchers: dict[str, str | bool | int | float]
    created_at: int
    description: str | None
    enabled: bool
    name: str | None
    object: Open[Literal["organization.workload_identity_federation_rule"]]
    permissions: ServiceAccountDefaultPermissions | RestrictedPermissions
    project_id: str
    service_account_id: str
    updated_at: int
    workload_identity_provider_id: str


class FederationRuleList(ApiObject):
    """A page of rules; the last one's id is the cursor of the page after it."""

    data: list[FederationRule]
    has_more: bool | None = None


class FederationRuleDeleted(ApiObject):
    """A rule that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["organization.workload_identity_federation_rule.deleted"]]


AttributeMatchers = dict[str, Annotated[str | bool | int | FiniteFloat, INTEGRAL]]

_VARIANTS: Final = {"service_account_default": Variant(), "restricted": Variant(("scopes",))}


class RulePermissions(InputObject):
    """How much of what the service account may do is handed on."""

    type: Literal["service_account_default", "restricted"]
    scopes: list[str] = Field(UNSET, description="For restricted.")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        check_variant(self, self.type, _VARIANTS)
        return self


class ListFederationRules(
    PaginatedEndpoint,
    get="/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules",
    returns=FederationRuleList,
):
    """List which outside workloads of one provider may act as which service accounts."""

    workload_identity_provider_id: ResourceId
    after: AfterItem = UNSET
    limit: Int = UNSET
    order: Order = UNSET
    service_account_id: ResourceId = UNSET


class CreateFederationRule(
    Endpoint,
    post="/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules",
    returns=FederationRule,
    effect="grant",
):
    """Let workloads whose token from this provider matches the attributes act as a project's service account, without
    an API key. Take service_account_id from list_project_service_accounts.
    """

    workload_identity_provider_id: ResourceId
    attribute_matchers: AttributeMatchers = Field(description="Attribute name to the value a token must have.")
    project_id: ResourceId
    service_account_id: ResourceId
    description: str = UNSET
    enabled: bool = UNSET
    name: str = UNSET
    permissions: Annotated[RulePermissions, IfLeftOut("not restricted further than the service account")] = UNSET


class GetFederationRule(
    Endpoint,
    get="/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules"
    "/{workload_identity_federation_rule_id}",
    returns=FederationRule,
):
    """Get one federation rule: what a token must match, and the service account and scopes it gets."""

    workload_identity_provider_id: ResourceId
    workload_identity_federation_rule_id: ResourceId


class UpdateFederationRule(
    Endpoint,
    post="/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules"
    "/{workload_identity_federation_rule_id}",
    returns=FederationRule,
    effect="update",
):
    """Change what a federation rule matches or grants, or disable it. Its project and service account can't change."""

    workload_identity_provider_id: ResourceId
    workload_identity_federation_rule_id: ResourceId
    attribute_matchers: AttributeMatchers = UNSET
    description: Clearable[str] = UNSET
    enabled: bool = UNSET
    name: Clearable[str] = UNSET
    permissions: RulePermissions = UNSET


class DeleteFederationRule(
    Endpoint,
    delete="/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules"
    "/{workload_identity_federation_rule_id}",
    returns=FederationRuleDeleted,
):
    """Delete a federation rule; workloads it matched can no longer act as the service account."""

    workload_identity_provider_id: ResourceId
    workload_identity_federation_rule_id: ResourceId

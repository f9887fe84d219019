"""The organization's spend limit: a cap on what it may spend in a month.

In the reference: "Spend limit".
"""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import INTEGRAL, Open


class SpendLimitEnforcement(ApiObject):
    """Whether a spend limit is refusing requests at the moment."""

    status: Open[Literal["inactive", "enforcing"]]


class OrganizationSpendLimit(ApiObject):
    """The organization's spend limit."""

    currency: Open[Literal["USD"]]
    enforcement: SpendLimitEnforcement
    interval: Open[Literal["month"]]
    object: Open[Literal["organization.spend_limit"]]
    threshold_amount: int


class OrganizationSpendLimitDeleted(ApiObject):
    """The organization's spend limit is gone."""

    deleted: bool
    object: Open[Literal["organization.spend_limit.deleted"]]


class GetOrganizationSpendLimit(Endpoint, get="/organization/spend_limit", returns=OrganizationSpendLimit):
    """Get the organization's monthly spend limit in US cents and whether it is enforcing now. Spending: get_costs."""


class UpdateOrganizationSpendLimit(
    Endpoint, post="/organization/spend_limit", returns=OrganizationSpendLimit, effect="update", sensitive=True
):
    """Set or replace the organization's monthly spend limit. API requests fail once spend reaches it; for an email only
    use create_organization_spend_alert.
    """

    currency: Literal["USD"]
    interval: Literal["month"]
    threshold_amount: Annotated[int, Field(ge=1, description="US cents."), INTEGRAL]


class DeleteOrganizationSpendLimit(Endpoint, delete="/organization/spend_limit", returns=OrganizationSpendLimitDeleted):
    """Remove the organization's monthly spend limit."""

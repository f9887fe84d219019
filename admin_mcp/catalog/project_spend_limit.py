"""The spend limit of a project.

In the reference: "Projects > Spend limit".
"""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.catalog.organization_spend_limit import SpendLimitEnforcement
from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import INTEGRAL, Open, ResourceId


class ProjectSpendLimit(ApiObject):
    """A project's monthly spend limit, in cents."""

    currency: Open[Literal["USD"]]
    enforcement: SpendLimitEnforcement
    interval: Open[Literal["month"]]
    object: Open[Literal["project.spend_limit"]]
    threshold_amount: int


class ProjectSpendLimitDeleted(ApiObject):
    """A project's spend limit that is gone."""

    deleted: bool
    object: Open[Literal["project.spend_limit.deleted"]]


class GetProjectSpendLimit(Endpoint, get="/organization/projects/{project_id}/spend_limit", returns=ProjectSpendLimit):
    """Get a project's monthly spend limit in US cents and whether it is enforcing now."""

    project_id: ResourceId


class UpdateProjectSpendLimit(
    Endpoint,
    post="/organization/projects/{project_id}/spend_limit",
    returns=ProjectSpendLimit,
    effect="update",
    sensitive=True,
):
    """Set or replace a project's monthly spend limit, which caps its API use. For an email only use
    create_project_spend_alert.
    """

    project_id: ResourceId
    currency: Literal["USD"]
    interval: Literal["month"]
    threshold_amount: Annotated[int, Field(ge=1, description="US cents."), INTEGRAL]


class DeleteProjectSpendLimit(
    Endpoint, delete="/organization/projects/{project_id}/spend_limit", returns=ProjectSpendLimitDeleted
):
    """Delete a project's monthly spend limit."""

    project_id: ResourceId

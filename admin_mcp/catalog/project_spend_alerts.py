"""Spend alerts of a project.

In the reference: "Projects > Spend alerts".
"""

from typing import Annotated, Literal

from admin_mcp.catalog.organization_spend_alerts import NotificationChannel, NotificationChannelInput
from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Before, Cents, Limit0To100, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class ProjectSpendAlert(ApiObject):
    """Emails to send once a project has spent so much in a month."""

    id: str
    currency: Open[Literal["USD"]]
    interval: Open[Literal["month"]]
    notification_channel: NotificationChannel
    object: Open[Literal["project.spend_alert"]]
    threshold_amount: int


class ProjectSpendAlertList(ApiObject):
    """A page of spend alerts; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[ProjectSpendAlert]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ProjectSpendAlertDeleted(ApiObject):
    """A spend alert that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["project.spend_alert.deleted"]]


class ListProjectSpendAlerts(
    PaginatedEndpoint, get="/organization/projects/{project_id}/spend_alerts", returns=ProjectSpendAlertList
):
    """List one project's spend alerts: where alert_id comes from. Its cap: get_project_spend_limit."""

    project_id: ResourceId
    after: After = UNSET
    before: Before = UNSET
    limit: Annotated[Limit0To100, ApiDefault(20)] = UNSET
    order: Annotated[Order, ApiDefault("asc")] = UNSET


class CreateProjectSpendAlert(
    Endpoint, post="/organization/projects/{project_id}/spend_alerts", returns=ProjectSpendAlert, effect="create"
):
    """Have an email sent when a project's monthly spend reaches an amount. It stops nothing; for a cap use
    update_project_spend_limit.
    """

    project_id: ResourceId
    currency: Literal["USD"]
    interval: Literal["month"]
    notification_channel: NotificationChannelInput
    threshold_amount: Cents


class GetProjectSpendAlert(
    Endpoint, get="/organization/projects/{project_id}/spend_alerts/{alert_id}", returns=ProjectSpendAlert
):
    """Get one project spend alert: amount and recipients."""

    project_id: ResourceId
    alert_id: ResourceId


class UpdateProjectSpendAlert(
    Endpoint,
    post="/organization/projects/{project_id}/spend_alerts/{alert_id}",
    returns=ProjectSpendAlert,
    effect="update",
):
    """Replace a project spend alert whole: read it first, and send again what is to stay."""

    project_id: ResourceId
    alert_id: ResourceId
    currency: Literal["USD"]
    interval: Literal["month"]
    notification_channel: NotificationChannelInput
    threshold_amount: Cents


class DeleteProjectSpendAlert(
    Endpoint, delete="/organization/projects/{project_id}/spend_alerts/{alert_id}", returns=ProjectSpendAlertDeleted
):
    """Delete one of a project's spend alerts."""

    project_id: ResourceId
    alert_id: ResourceId

"""Spend alerts of the organization: emails sent when a month's spend reaches an amount.

In the reference: "Spend alerts".
"""

from typing import Annotated, Literal

from admin_mcp.endpoints.base import ApiObject, Endpoint, InputObject
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Before, Cents, Limit0To100, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class NotificationChannel(ApiObject):
    """Where a spend alert is sent."""

    recipients: list[str]
    type: Open[Literal["email"]]
    subject_prefix: str | None = None


class OrganizationSpendAlert(ApiObject):
    """A spend alert of the organization."""

    id: str
    currency: Open[Literal["USD"]]
    interval: Open[Literal["month"]]
    notification_channel: NotificationChannel
    object: Open[Literal["organization.spend_alert"]]
    threshold_amount: int


class OrganizationSpendAlertList(ApiObject):
    """A page of spend alerts; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[OrganizationSpendAlert]
    first_id: str | None
    last_id: str | None
    has_more: bool


class OrganizationSpendAlertDeleted(ApiObject):
    """A spend alert that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["organization.spend_alert.deleted"]]


class NotificationChannelInput(InputObject):
    """Where to send a spend alert."""

    recipients: list[str]
    type: Literal["email"]
    subject_prefix: str | None = UNSET


class ListOrganizationSpendAlerts(
    PaginatedEndpoint, get="/organization/spend_alerts", returns=OrganizationSpendAlertList
):
    """List spend alerts on the whole organization: where alert_id comes from. One project's:
    list_project_spend_alerts.
    """

    after: After = UNSET
    before: Before = UNSET
    limit: Annotated[Limit0To100, ApiDefault(20)] = UNSET
    order: Annotated[Order, ApiDefault("asc")] = UNSET


class CreateOrganizationSpendAlert(
    Endpoint, post="/organization/spend_alerts", returns=OrganizationSpendAlert, effect="create"
):
    """Have an email sent when the organization's monthly spend reaches an amount. It stops nothing; for a cap use
    update_organization_spend_limit.
    """

    currency: Literal["USD"]
    interval: Literal["month"]
    notification_channel: NotificationChannelInput
    threshold_amount: Cents


class GetOrganizationSpendAlert(Endpoint, get="/organization/spend_alerts/{alert_id}", returns=OrganizationSpendAlert):
    """Get one organization spend alert: amount and recipients."""

    alert_id: ResourceId


class UpdateOrganizationSpendAlert(
    Endpoint, post="/organization/spend_alerts/{alert_id}", returns=OrganizationSpendAlert, effect="update"
):
    """Replace an organization spend alert whole: read it first, and send again what is to stay."""

    alert_id: ResourceId
    currency: Literal["USD"]
    interval: Literal["month"]
    notification_channel: NotificationChannelInput
    threshold_amount: Cents


class DeleteOrganizationSpendAlert(
    Endpoint, delete="/organization/spend_alerts/{alert_id}", returns=OrganizationSpendAlertDeleted
):
    """Delete one of the organization's spend alerts."""

    alert_id: ResourceId

"""The organization's data retention.

In the reference: "Data retention".
"""

from typing import Literal

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import Open


class OrganizationDataRetention(ApiObject):
    """How the organization's data is retained."""

    object: Open[Literal["organization.data_retention"]]
    type: Open[
        Literal[
            "zero_data_retention",
            "modified_abuse_monitoring",
            "enhanced_zero_data_retention",
            "enhanced_modified_abuse_monitoring",
        ]
    ]


class GetOrganizationDataRetention(Endpoint, get="/organization/data_retention", returns=OrganizationDataRetention):
    """Get the organization's data retention. One project's: get_project_data_retention."""


class UpdateOrganizationDataRetention(
    Endpoint, post="/organization/data_retention", returns=OrganizationDataRetention, effect="update", sensitive=True
):
    """Change the organization's data retention, also for projects that follow it."""

    retention_type: Literal[
        "zero_data_retention",
        "modified_abuse_monitoring",
        "enhanced_zero_data_retention",
        "enhanced_modified_abuse_monitoring",
    ]

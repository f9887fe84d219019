"""Data retention of a project.

In the reference: "Projects > Data retention".
"""

from typing import Literal

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import Open, ResourceId

ProjectRetentionType = Literal[
    "organization_default",
    "none",
    "zero_data_retention",
    "modified_abuse_monitoring",
    "enhanced_zero_data_retention",
    "enhanced_modified_abuse_monitoring",
]


class ProjectDataRetention(ApiObject):
    """How a project's data is retained."""

    object: Open[Literal["project.data_retention"]]
    type: Open[ProjectRetentionType]


class GetProjectDataRetention(
    Endpoint, get="/organization/projects/{project_id}/data_retention", returns=ProjectDataRetention
):
    """Get one project's data retention. For `organization_default` see get_organization_data_retention."""

    project_id: ResourceId


class UpdateProjectDataRetention(
    Endpoint,
    post="/organization/projects/{project_id}/data_retention",
    returns=ProjectDataRetention,
    effect="update",
    sensitive=True,
):
    """Set one project's data retention; `organization_default` goes back to the organization's."""

    project_id: ResourceId
    retention_type: ProjectRetentionType

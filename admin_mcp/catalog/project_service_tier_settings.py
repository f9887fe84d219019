"""Service tier settings of a project.

In the reference: "Projects > Service tier settings".
"""

from typing import Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, Open, ResourceId

DefaultTier = Literal["standard", "fast", "scale"]
OptionalTier = Literal["flex", "fast", "ultrafast"]


class ProjectServiceTierSettings(ApiObject):
    """A project's default tier, and the tiers it may ask for besides standard."""

    default: Open[DefaultTier]
    enabled_tiers: Open[Literal["all"]] | list[Open[OptionalTier]]
    object: Open[Literal["project.service_tier_settings"]]


class GetProjectServiceTierSettings(
    Endpoint, get="/organization/projects/{project_id}/service_tier_settings", returns=ProjectServiceTierSettings
):
    """Get a project's default service tier and the others its requests may choose."""

    project_id: ResourceId


class UpdateProjectServiceTierSettings(
    Endpoint,
    post="/organization/projects/{project_id}/service_tier_settings",
    returns=ProjectServiceTierSettings,
    effect="update",
):
    """Set a project's default service tier (for requests that name none), the others allowed, or both."""

    project_id: ResourceId
    default: DefaultTier = UNSET
    enabled_tiers: Literal["all"] | list[OptionalTier] = Field(
        UNSET, description="Replaces the list. [] = standard only; `all` = future ones too."
    )

"""Rate limits of a project, one for each model.

In the reference: "Projects > Rate limits".
"""

from typing import Annotated, Literal

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Before, Int, Open, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class ProjectRateLimit(ApiObject):
    """What a project may use of one model."""

    id: str
    max_requests_per_1_minute: int
    max_tokens_per_1_minute: int
    model: str
    object: Open[Literal["project.rate_limit"]]
    batch_1_day_max_input_tokens: int = UNSET
    max_audio_megabytes_per_1_minute: int = UNSET
    max_images_per_1_minute: int = UNSET
    max_requests_per_1_day: int = UNSET


class ProjectRateLimitList(ApiObject):
    """A page of rate limits; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[ProjectRateLimit]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool


class ListProjectRateLimits(
    PaginatedEndpoint, get="/organization/projects/{project_id}/rate_limits", returns=ProjectRateLimitList
):
    """List one project's request, token, image, audio and batch limits per model: where rate_limit_id comes from."""

    project_id: ResourceId
    after: After = UNSET
    before: Before = UNSET
    limit: Annotated[Int, ApiDefault(100)] = UNSET


class UpdateProjectRateLimit(
    Endpoint,
    post="/organization/projects/{project_id}/rate_limits/{rate_limit_id}",
    returns=ProjectRateLimit,
    effect="update",
):
    """Change a project's limits for one model; only those that list_project_rate_limits shows apply."""

    project_id: ResourceId
    rate_limit_id: ResourceId
    batch_1_day_max_input_tokens: Int = UNSET
    max_audio_megabytes_per_1_minute: Int = UNSET
    max_images_per_1_minute: Int = UNSET
    max_requests_per_1_day: Int = UNSET
    max_requests_per_1_minute: Int = UNSET
    max_tokens_per_1_minute: Int = UNSET

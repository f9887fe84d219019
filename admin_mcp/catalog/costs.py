"""Costs: what the organization's API use costs, per day.

In the reference: "Usage".
"""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.catalog.usage import EndTime, NextPage, StartTime
from admin_mcp.catalog.usage_results import UsagePage
from admin_mcp.endpoints.fields import INTEGRAL, UNSET, ApiDefault, ResourceId
from admin_mcp.endpoints.paging import SelectsFields


class GetCosts(SelectsFields, get="/organization/costs", returns=UsagePage):
    """Get what the organization spent per day, in whole currency units (dollars, not cents): totals unless grouped by
    project, line item or such.
    """

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    bucket_width: Annotated[Literal["1d"], ApiDefault("1d")] = UNSET
    end_time: EndTime = UNSET
    group_by: list[Literal["project_id", "user_id", "line_item", "api_key_id", "api_source"]] = UNSET
    limit: Annotated[int, Field(ge=1, le=180, description="Days."), ApiDefault(7), INTEGRAL] = UNSET
    line_items: list[str] = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET

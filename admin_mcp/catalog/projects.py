"""Projects of the organization."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from admin_mcp.endpoints.base import ApiObject, Endpoint, Retired
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Clearable, Grave, IfLeftOut, Limit100, Open, ResourceId
from admin_mcp.endpoints.paging import FiltersNames

Residency = Literal[
    "GLOBAL",
    "US_STORAGE_PROCESSING",
    "EU_STORAGE_PROCESSING",
    "JP_STORAGE",
    "JP_STORAGE_PROCESSING",
    "KR_STORAGE",
    "CA_STORAGE",
    "SG_STORAGE",
    "IN_STORAGE",
    "IN_STORAGE_PROCESSING",
    "AU_STORAGE",
    "AU_STORAGE_PROCESSING",
    "GB_STORAGE",
    "AE_STORAGE",
    "AE_STORAGE_PROCESSING",
]


class Project(ApiObject):
    """A project of the organization, active or archived."""

    id: str
    created_at: int
    object: Open[Literal["organization.project"]]
    archived_at: int | None = None
    external_key_id: str | None = None
    name: str | None = None
    residency: Open[Residency] = UNSET
    status: str | None = None


class ProjectList(ApiObject):
    """A page of projects; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[Project]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool


class ListProjects(FiltersNames, get="/organization/projects", returns=ProjectList):
    """List the organization's projects: where project_id comes from."""

    after: After = UNSET
    include_archived: Annotated[bool, ApiDefault(value=False)] = UNSET
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET


class CreateProject(Endpoint, post="/organization/projects", returns=Project, effect="create"):
    """Create a project. It can be archived, never deleted; its residency is chosen now. Then use create_project_user or
    add_project_group.
    """

    name: str
    external_key_id: ResourceId | None = UNSET
    geography: str | None = Field(UNSET, description="Deprecated: use residency.")
    residency: Annotated[Residency | None, IfLeftOut("wherever the organization stores data by default")] = UNSET

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        if self.residency is not None and self.geography is not None:
            raise PydanticCustomError(
                "residency_and_geography",
                "give residency or geography, not both; geography is deprecated, so drop it and keep residency",
            )
        return self


class GetProject(Endpoint, get="/organization/projects/{project_id}", returns=Project):
    """Get one project's name, status, residency and external key."""

    project_id: ResourceId


class UpdateProject(Endpoint, post="/organization/projects/{project_id}", returns=Project, effect="update"):
    """Rename a project or change its external key. Refused for default and archived projects."""

    project_id: ResourceId
    external_key_id: Annotated[Clearable[ResourceId], Grave()] = UNSET
    geography: Annotated[
        str | None,
        Retired("a project's region is chosen when the project is created, as its residency."),
    ] = UNSET
    name: str | None = UNSET


class ArchiveProject(Endpoint, post="/organization/projects/{project_id}/archive", returns=Project, effect="destroy"):
    """Archive a project for good: nobody can use or change it afterwards, nor bring it back."""

    project_id: ResourceId

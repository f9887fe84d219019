"""Model permissions of a project: the models its members may or may not use.

In the reference: "Projects > Model permissions".
"""

from typing import Literal

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import Open, ResourceId


class ProjectModelPermissions(ApiObject):
    """A project's list of allowed or denied models."""

    mode: Open[Literal["allow_list", "deny_list"]]
    model_ids: list[str]
    object: Open[Literal["project.model_permissions"]]


class ProjectModelPermissionsDeleted(ApiObject):
    """A project's model permissions that are gone."""

    deleted: bool
    object: Open[Literal["project.model_permissions.deleted"]]


class GetProjectModelPermissions(
    Endpoint, get="/organization/projects/{project_id}/model_permissions", returns=ProjectModelPermissions
):
    """Get which models a project allows or denies."""

    project_id: ResourceId


class UpdateProjectModelPermissions(
    Endpoint,
    post="/organization/projects/{project_id}/model_permissions",
    returns=ProjectModelPermissions,
    effect="update",
):
    """Set a project's model policy: only the listed models (allow_list) or all but them (deny_list). To add one model,
    read the list first.
    """

    project_id: ResourceId
    mode: Literal["allow_list", "deny_list"]
    model_ids: list[str]


class DeleteProjectModelPermissions(
    Endpoint, delete="/organization/projects/{project_id}/model_permissions", returns=ProjectModelPermissionsDeleted
):
    """Delete a project's own model policy, allow or deny list."""

    project_id: ResourceId

"""What audit log events tell about the things they happened to, and about who caused them. No endpoints here.

Payloads of the same shape share a class, so a name may stand for both halves of a pair such as activate and deactivate.
"""

from typing import Literal

from admin_mcp.catalog.external_storage import AwsStorage, AzureStorage, GcpStorage, OciStorage
from admin_mcp.endpoints.base import ApiObject
from admin_mcp.endpoints.fields import UNSET, Open


class Reference(ApiObject):
    """The id of a thing, and nothing else about it."""

    id: str = UNSET


class NamedReference(ApiObject):
    """The id and name of a thing."""

    id: str = UNSET
    name: str = UNSET


class UntypedCreated(ApiObject):
    """A thing was created or registered; the shape of its data is not documented."""

    id: str = UNSET
    data: object = UNSET


class UntypedUpdated(ApiObject):
    """A thing was changed; the shape of the changes is not documented."""

    id: str = UNSET
    changes_requested: object = UNSET


class ActorUser(ApiObject):
    """The person who acted."""

    id: str = UNSET
    email: str = UNSET


class ActorApiKey(ApiObject):
    """The API key that was used, and whose it is."""

    id: str = UNSET
    service_account: Reference = UNSET
    type: Open[Literal["user", "service_account"]] = UNSET
    user: ActorUser = UNSET


class ActorSession(ApiObject):
    """The signed-in session that was used."""

    ip_address: str = UNSET
    user: ActorUser = UNSET


class Actor(ApiObject):
    """Who or what caused an event: a session or an API key."""

    api_key: ActorApiKey = UNSET
    session: ActorSession = UNSET
    type: Open[Literal["session", "api_key"]] = UNSET


class ApiKeyCreatedData(ApiObject):
    """What a new API key may do."""

    scopes: list[str] = UNSET


class ApiKeyCreated(ApiObject):
    """An API key came into being."""

    id: str = UNSET
    data: ApiKeyCreatedData = UNSET


class ApiKeyUpdatedChanges(ApiObject):
    """What was asked to change about an API key."""

    expires_in_seconds: int | None = None
    scopes: list[str] = UNSET


class ApiKeyUpdated(ApiObject):
    """An API key was changed."""

    id: str = UNSET
    changes_requested: ApiKeyUpdatedChanges = UNSET


class CertificateDeleted(ApiObject):
    """A certificate was deleted; ``certificate`` is its PEM text."""

    id: str = UNSET
    certificate: str = UNSET
    name: str = UNSET


class CertificatesToggled(ApiObject):
    """Certificates were activated or deactivated."""

    certificates: list[NamedReference] = UNSET


class CheckpointPermissionCreatedData(ApiObject):
    """Which project may use which fine-tuned checkpoint."""

    fine_tuned_model_checkpoint: str = UNSET
    project_id: str = UNSET


class CheckpointPermissionCreated(ApiObject):
    """A project was allowed to use a fine-tuned checkpoint."""

    id: str = UNSET
    data: CheckpointPermissionCreatedData = UNSET


class ExternalStorageRegisteredData(ApiObject):
    """Where the storage is."""

    geography: str | None = None
    provider: AwsStorage | AzureStorage | GcpStorage | OciStorage | None = None


class ExternalStorageRegistered(ApiObject):
    """A project's external storage was configured."""

    id: str | None = None
    data: ExternalStorageRegisteredData | None = None


class ExternalStorageRemoved(ApiObject):
    """A project's external storage was removed."""

    id: str | None = None


class GroupName(ApiObject):
    """The name of a group."""

    group_name: str = UNSET


class GroupCreated(ApiObject):
    """A group was created."""

    id: str = UNSET
    data: GroupName = UNSET


class GroupUpdated(ApiObject):
    """A group was renamed."""

    id: str = UNSET
    changes_requested: GroupName = UNSET


class IpAllowlistConfigsToggled(ApiObject):
    """IP allowlists were activated or deactivated."""

    configs: list[NamedReference] = UNSET


class IpAllowlist(ApiObject):
    """An IP allowlist that was created or deleted."""

    id: str = UNSET
    allowed_ips: list[str] = UNSET
    name: str = UNSET


class IpAllowlistUpdated(ApiObject):
    """An IP allowlist was changed."""

    id: str = UNSET
    allowed_ips: list[str] = UNSET


class InviteSentData(ApiObject):
    """Who was invited, and as what."""

    email: str = UNSET
    role: str = UNSET


class InviteSent(ApiObject):
    """Someone was invited to the organization."""

    id: str = UNSET
    data: InviteSentData = UNSET


class AuthenticationFailed(ApiObject):
    """Signing in or out failed."""

    error_code: str = UNSET
    error_message: str = UNSET


class OrganizationUpdatedChanges(ApiObject):
    """Which settings of the organization were asked to change."""

    api_call_logging: str = UNSET
    api_call_logging_project_ids: str = UNSET
    description: str = UNSET
    name: str = UNSET
    threads_ui_visibility: str = UNSET
    title: str = UNSET
    usage_dashboard_visibility: str = UNSET


class OrganizationUpdated(ApiObject):
    """The organization was changed."""

    id: str = UNSET
    changes_requested: OrganizationUpdatedChanges = UNSET


class ProjectCreatedData(ApiObject):
    """What a new project is called."""

    name: str = UNSET
    title: str = UNSET


class ProjectCreated(ApiObject):
    """A project was created."""

    id: str = UNSET
    data: ProjectCreatedData = UNSET


class ProjectUpdatedChanges(ApiObject):
    """What was asked to change about a project."""

    title: str = UNSET


class ProjectUpdated(ApiObject):
    """A project was changed."""

    id: str = UNSET
    changes_requested: ProjectUpdatedChanges = UNSET


class RateLimitUpdatedChanges(ApiObject):
    """Which limits were asked to change."""

    batch_1_day_max_input_tokens: int = UNSET
    max_audio_megabytes_per_1_minute: int = UNSET
    max_images_per_1_minute: int = UNSET
    max_requests_per_1_day: int = UNSET
    max_requests_per_1_minute: int = UNSET
    max_tokens_per_1_minute: int = UNSET


class RateLimitUpdated(ApiObject):
    """A rate limit was changed."""

    id: str = UNSET
    changes_requested: RateLimitUpdatedChanges = UNSET


class RoleAssignment(ApiObject):
    """A role that was given to, or taken from, a user or group."""

    id: str = UNSET
    principal_id: str = UNSET
    principal_type: str = UNSET
    resource_id: str = UNSET
    resource_type: str = UNSET


class RoleBinding(ApiObject):
    """A role that was bound to, or unbound from, a resource."""

    id: str = UNSET
    connector_id: str = UNSET
    connector_name: str = UNSET
    enabled: bool = UNSET
    permissions: list[str] = UNSET
    resource_id: str = UNSET
    resource_type: str = UNSET
    role_id: str = UNSET
    source: Open[
        Literal["role_toggle", "role_connector_update", "role_delete", "workspace_permissions", "connector_publish"]
    ] = UNSET
    workspace_id: str = UNSET


class RoleCreated(ApiObject):
    """A role was created."""

    id: str = UNSET
    permissions: list[str] = UNSET
    resource_id: str = UNSET
    resource_type: str = UNSET
    role_name: str = UNSET


class RoleUpdatedChanges(ApiObject):
    """What was asked to change about a role."""

    description: str = UNSET
    metadata: object = UNSET
    permissions_added: list[str] = UNSET
    permissions_removed: list[str] = UNSET
    resource_id: str = UNSET
    resource_type: str = UNSET
    role_name: str = UNSET


class RoleUpdated(ApiObject):
    """A role was changed."""

    id: str = UNSET
    changes_requested: RoleUpdatedChanges = UNSET


class MemberRole(ApiObject):
    """The role of a user or service account."""

    role: str = UNSET


class MemberAdded(ApiObject):
    """A user or service account was added."""

    id: str = UNSET
    data: MemberRole = UNSET


class MemberUpdated(ApiObject):
    """A user or service account was changed."""

    id: str = UNSET
    changes_requested: MemberRole = UNSET


class MappingCreated(ApiObject):
    """A workload identity mapping was created; the shape of its data is not documented."""

    id: str = UNSET
    data: object = UNSET
    identity_provider_id: str = UNSET


class MappingUpdated(ApiObject):
    """A workload identity mapping was changed; the shape of the changes is not documented."""

    id: str = UNSET
    changes_requested: object = UNSET
    identity_provider_id: str = UNSET


class MappingDeleted(ApiObject):
    """A workload identity mapping to a service account was deleted."""

    id: str = UNSET
    identity_provider_id: str = UNSET
    project_id: str = UNSET
    service_account_id: str = UNSET

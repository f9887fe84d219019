"""Audit logs: who did what in the organization, and when."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from admin_mcp.catalog.audit_log_events import (
    Actor,
    ApiKeyCreated,
    ApiKeyUpdated,
    AuthenticationFailed,
    CertificateDeleted,
    CertificatesToggled,
    CheckpointPermissionCreated,
    ExternalStorageRegistered,
    ExternalStorageRemoved,
    GroupCreated,
    GroupUpdated,
    InviteSent,
    IpAllowlist,
    IpAllowlistConfigsToggled,
    IpAllowlistUpdated,
    MappingCreated,
    MappingDeleted,
    MappingUpdated,
    MemberAdded,
    MemberUpdated,
    NamedReference,
    OrganizationUpdated,
    ProjectCreated,
    ProjectUpdated,
    RateLimitUpdated,
    Reference,
    RoleAssignment,
    RoleBinding,
    RoleCreated,
    RoleUpdated,
    UntypedCreated,
    UntypedUpdated,
)
from admin_mcp.endpoints.base import ApiObject, InputObject
from admin_mcp.endpoints.fields import (
    UNSET,
    After,
    ApiDefault,
    BareInSchema,
    Before,
    Limit100,
    Moment,
    Open,
    ResourceId,
)
from admin_mcp.endpoints.paging import SelectsFields

EventType: TypeAlias = Literal[
    "api_key.created",
    "api_key.updated",
    "api_key.deleted",
    "certificate.created",
    "certificate.updated",
    "certificate.deleted",
    "certificates.activated",
    "certificates.deactivated",
    "checkpoint.permission.created",
    "checkpoint.permission.deleted",
    "external_key.registered",
    "external_key.removed",
    "external_storage.registered",
    "external_storage.removed",
    "group.created",
    "group.updated",
    "group.deleted",
    "invite.sent",
    "invite.accepted",
    "invite.deleted",
    "ip_allowlist.created",
    "ip_allowlist.updated",
    "ip_allowlist.deleted",
    "ip_allowlist.config.activated",
    "ip_allowlist.config.deactivated",
    "login.succeeded",
    "login.failed",
    "logout.succeeded",
    "logout.failed",
    "organization.updated",
    "project.created",
    "project.updated",
    "project.archived",
    "project.deleted",
    "rate_limit.updated",
    "rate_limit.deleted",
    "resource.deleted",
    "tunnel.created",
    "tunnel.updated",
    "tunnel.deleted",
    "workload_identity_provider.created",
    "workload_identity_provider.updated",
    "workload_identity_provider.deleted",
    "workload_identity_provider_mapping.created",
    "workload_identity_provider_mapping.updated",
    "workload_identity_provider_mapping.deleted",
    "role.created",
    "role.updated",
    "role.deleted",
    "role.assignment.created",
    "role.assignment.deleted",
    "role.bound_to_resource",
    "role.unbound_from_resource",
    "scim.enabled",
    "scim.disabled",
    "service_account.created",
    "service_account.updated",
    "service_account.deleted",
    "user.added",
    "user.updated",
    "user.deleted",
    "tenant.metadata.updated",
    "tenant.microsoft_entra_mapping.upserted",
    "tenant.microsoft_entra_mapping.deleted",
    "tenant.workload_identity.provider.created",
    "tenant.workload_identity.provider.updated",
    "tenant.workload_identity.provider.archived",
    "tenant.workload_identity.mapping.created",
    "tenant.workload_identity.mapping.updated",
    "tenant.workload_identity.mapping.archived",
    "tenant.workload_identity.binding.created",
    "tenant.workload_identity.principal.provisioned",
    "tenant.workload_identity.access_token.issued",
    "tenant.admin_api_key.created",
    "tenant.admin_api_key.updated",
    "tenant.admin_api_key.deleted",
    "tenant.project_api_key.created",
    "tenant.trusted_access.business_verification.started",
    "tenant.trusted_access.application.submitted",
    "tenant.chatgpt_access_token.revoked",
    "tenant.migration.completed",
    "tenant.sso.migrated",
    "tenant.domains.migrated",
    "tenant.sso_connection.created",
    "tenant.sso_connection.updated",
    "tenant.sso_connection.deleted",
    "tenant.sso_connection.setup.started",
    "tenant.policy.created",
    "tenant.policy.updated",
    "tenant.policy.deleted",
    "tenant.policy.attached",
    "tenant.policy.detached",
    "tenant.principal_authentication_policy.resolved",
    "tenant.scim.setup.started",
    "tenant.scim.deletion.requested",
    "tenant.scim.directory.created",
    "tenant.product_access_policy.updated",
    "tenant.resource_share_grant.created",
    "tenant.resource_share_grant.updated",
    "tenant.resource_share_grant.accepted",
    "tenant.resource_share_grant.declined",
    "tenant.resource_share_grant.revoked",
    "tenant.resource_share_grant.deleted",
    "tenant.service_account.updated",
    "tenant.service_account.deleted",
    "tenant.service_account.token.revoked",
    "tenant.billing.overage_limit.updated",
    "tenant.billing.alerts.updated",
    "tenant.billing.info.updated",
    "tenant.usage_limit.workspace.updated",
    "tenant.usage_limit.group.updated",
    "tenant.usage_limit.user.updated",
    "tenant.usage_limit.increase_request.updated",
    "tenant.usage_limit.increase_request.resolved",
    "tenant.group.created",
    "tenant.group.updated",
    "tenant.group.deleted",
    "tenant.group.member.added",
    "tenant.group.member.removed",
    "tenant.migration_rollout.status.updated",
    "tenant.migration_rollout.tier.updated",
    "tenant.role.metadata.updated",
    "tenant.custom_role.created",
    "tenant.custom_role.updated",
    "tenant.custom_role.deleted",
    "tenant.role_assignment.created",
    "tenant.role_assignment.deleted",
    "tenant.resource_role_assignment.created",
    "tenant.resource_role_assignment.deleted",
    "tenant.resource_access.updated",
    "tenant.resource_access.deleted",
    "tenant.ads_account.onboarding.redemption",
    "tenant.session_policy.created",
    "tenant.session_policy.updated",
    "tenant.session_policy.deleted",
    "tenant.session_revocation.started",
    "tenant.third_party_app_policy.updated",
    "tenant.user.added",
    "tenant.user.updated",
    "tenant.user.removed",
    "tenant.user.looked_up",
    "tenant.user.invited",
    "tenant.membership.revoked",
    "tenant.api_organization_invite.upserted",
    "tenant.api_organization_invite.deleted",
    "tenant.chatgpt_workspace_invite.upserted",
    "tenant.membership.accepted",
    "tenant.membership.declined",
    "tenant.workspace_invite_email_settings.updated",
]


class AuditLog(ApiObject):
    """One event: ``type`` says which, and the field named after it holds what is known of it."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    effective_at: int
    type: Open[EventType]
    actor: Actor | None = None
    api_key_created: ApiKeyCreated = Field(UNSET, alias="api_key.created")
    api_key_deleted: Reference = Field(UNSET, alias="api_key.deleted")
    api_key_updated: ApiKeyUpdated = Field(UNSET, alias="api_key.updated")
    certificate_created: NamedReference = Field(UNSET, alias="certificate.created")
    certificate_deleted: CertificateDeleted = Field(UNSET, alias="certificate.deleted")
    certificate_updated: NamedReference = Field(UNSET, alias="certificate.updated")
    certificates_activated: CertificatesToggled = Field(UNSET, alias="certificates.activated")
    certificates_deactivated: CertificatesToggled = Field(UNSET, alias="certificates.deactivated")
    checkpoint_permission_created: CheckpointPermissionCreated = Field(UNSET, alias="checkpoint.permission.created")
    checkpoint_permission_deleted: Reference = Field(UNSET, alias="checkpoint.permission.deleted")
    external_key_registered: UntypedCreated = Field(UNSET, alias="external_key.registered")
    external_key_removed: Reference = Field(UNSET, alias="external_key.removed")
    external_storage_registered: ExternalStorageRegistered | None = Field(None, alias="external_storage.registered")
    external_storage_removed: ExternalStorageRemoved | None = Field(None, alias="external_storage.removed")
    group_created: GroupCreated = Field(UNSET, alias="group.created")
    group_deleted: Reference = Field(UNSET, alias="group.deleted")
    group_updated: GroupUpdated = Field(UNSET, alias="group.updated")
    invite_accepted: Reference = Field(UNSET, alias="invite.accepted")
    invite_deleted: Reference = Field(UNSET, alias="invite.deleted")
    invite_sent: InviteSent = Field(UNSET, alias="invite.sent")
    ip_allowlist_config_activated: IpAllowlistConfigsToggled = Field(UNSET, alias="ip_allowlist.config.activated")
    ip_allowlist_config_deactivated: IpAllowlistConfigsToggled = Field(UNSET, alias="ip_allowlist.config.deactivated")
    ip_allowlist_created: IpAllowlist = Field(UNSET, alias="ip_allowlist.created")
    ip_allowlist_deleted: IpAllowlist = Field(UNSET, alias="ip_allowlist.deleted")
    ip_allowlist_updated: IpAllowlistUpdated = Field(UNSET, alias="ip_allowlist.updated")
    login_failed: AuthenticationFailed = Field(UNSET, alias="login.failed")
    login_succeeded: object = Field(UNSET, alias="login.succeeded")
    logout_failed: AuthenticationFailed = Field(UNSET, alias="logout.failed")
    logout_succeeded: object = Field(UNSET, alias="logout.succeeded")
    organization_updated: OrganizationUpdated = Field(UNSET, alias="organization.updated")
    project: NamedReference = UNSET
    project_archived: Reference = Field(UNSET, alias="project.archived")
    project_created: ProjectCreated = Field(UNSET, alias="project.created")
    project_deleted: Reference = Field(UNSET, alias="project.deleted")
    project_updated: ProjectUpdated = Field(UNSET, alias="project.updated")
    rate_limit_deleted: Reference = Field(UNSET, alias="rate_limit.deleted")
    rate_limit_updated: RateLimitUpdated = Field(UNSET, alias="rate_limit.updated")
    role_assignment_created: RoleAssignment = Field(UNSET, alias="role.assignment.created")
    role_assignment_deleted: RoleAssignment = Field(UNSET, alias="role.assignment.deleted")
    role_bound_to_resource: RoleBinding = Field(UNSET, alias="role.bound_to_resource")
    role_created: RoleCreated = Field(UNSET, alias="role.created")
    role_deleted: Reference = Field(UNSET, alias="role.deleted")
    role_unbound_from_resource: RoleBinding = Field(UNSET, alias="role.unbound_from_resource")
    role_updated: RoleUpdated = Field(UNSET, alias="role.updated")
    scim_disabled: Reference = Field(UNSET, alias="scim.disabled")
    scim_enabled: Reference = Field(UNSET, alias="scim.enabled")
    service_account_created: MemberAdded = Field(UNSET, alias="service_account.created")
    service_account_deleted: Reference = Field(UNSET, alias="service_account.deleted")
    service_account_updated: MemberUpdated = Field(UNSET, alias="service_account.updated")
    user_added: MemberAdded = Field(UNSET, alias="user.added")
    user_deleted: Reference = Field(UNSET, alias="user.deleted")
    user_updated: MemberUpdated = Field(UNSET, alias="user.updated")
    workload_identity_provider_mapping_created: MappingCreated = Field(
        UNSET, alias="workload_identity_provider_mapping.created"
    )
    workload_identity_provider_mapping_deleted: MappingDeleted = Field(
        UNSET, alias="workload_identity_provider_mapping.deleted"
    )
    workload_identity_provider_mapping_updated: MappingUpdated = Field(
        UNSET, alias="workload_identity_provider_mapping.updated"
    )
    workload_identity_provider_created: UntypedCreated = Field(UNSET, alias="workload_identity_provider.created")
    workload_identity_provider_deleted: NamedReference = Field(UNSET, alias="workload_identity_provider.deleted")
    workload_identity_provider_updated: UntypedUpdated = Field(UNSET, alias="workload_identity_provider.updated")


class AuditLogList(ApiObject):
    """A page of events; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[AuditLog]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool


class EffectiveAt(InputObject):
    """A span of time, open or closed on either side."""

    gt: Moment = UNSET
    gte: Moment = UNSET
    lt: Moment = UNSET
    lte: Moment = UNSET

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("no_bound", "give at least one of gt, gte, lt and lte, or leave it out")
        return self


class ListAuditLogs(SelectsFields, get="/organization/audit_logs", returns=AuditLogList):
    """List what was changed in the organization and who signed in: when, by whom and from which IP address. Model calls
    are not in it.
    """

    actor_emails: list[str] = UNSET
    actor_ids: list[ResourceId] = Field(UNSET, description="Users, service accounts or API keys.")
    after: After = UNSET
    before: Before = UNSET
    effective_at: EffectiveAt = Field(UNSET, description="Unix seconds.")
    event_types: list[Annotated[EventType, BareInSchema()]] = Field(
        UNSET,
        description="`thing.happened`: api_key.created, role.assignment.deleted, login.failed; ChatGPT's: tenant.*",
    )
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET
    project_ids: list[ResourceId] = UNSET
    resource_ids: list[ResourceId] = Field(UNSET, description="Things acted on.")
    tenant_only: Annotated[bool, ApiDefault(False), Field(description="Only tenant-scoped events.")] = UNSET

"""External keys: encryption keys that stay in the organization's own cloud key service."""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, AfterItem, Int, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint
from admin_mcp.endpoints.unions import Variant, check_variant

Purpose = Literal["ekm", "psp_decryption"]


class ExternalKey(ApiObject):
    """A registered key; of the optional fields, its cloud's are there."""

    id: str
    api_project_ids: list[str]
    created_at: int
    name: str
    object: str
    type: str
    workspace_id: str
    audience: str | None = None
    external_id: str | None = None
    key_name: str | None = None
    key_ocid: str | None = None
    key_version: str | None = None
    key_version_ocid: str | None = None
    kms_arn: str | None = None
    kms_key_location: str | None = None
    kms_key_name: str | None = None
    kms_key_ring_name: str | None = None
    kms_key_version: str | None = None
    kms_project_id: str | None = None
    purpose: Open[Purpose] | None = None
    region: str | None = None
    role_arn: str | None = None
    tenant_id: str | None = None
    vault_ocid: str | None = None
    vault_uri: str | None = None
    workload_identity_pool_id: str | None = None
    workload_identity_project_number: str | None = None
    workload_identity_provider_id: str | None = None


class ExternalKeyList(ApiObject):
    """A page of registered keys; the last one's id is the cursor of the page after it."""

    data: list[ExternalKey]
    has_more: bool | None = None


class ExternalKeyValidation(ApiObject):
    """How a check of a registered key went."""

    status: str


_VARIANTS: Final = {
    "aws": Variant(("external_id", "kms_arn", "role_arn")),
    "gcp": Variant(
        (
            "audience",
            "kms_key_location",
            "kms_key_name",
            "kms_key_ring_name",
            "kms_project_id",
            "workload_identity_pool_id",
            "workload_identity_project_number",
            "workload_identity_provider_id",
        ),
        ("kms_key_version",),
    ),
    "azure": Variant(("key_name", "tenant_id", "vault_uri"), ("key_version",)),
    "oci": Variant(("key_ocid", "region", "vault_ocid"), ("key_version_ocid",)),
}


class ListExternalKeys(PaginatedEndpoint, get="/organization/external_keys", returns=ExternalKeyList):
    """List the cloud KMS keys registered and the projects that use them: where external_key_id comes from."""

    after: AfterItem | None = UNSET
    limit: Int = UNSET
    order: Order = UNSET
    purpose: Purpose = UNSET


class CreateExternalKey(Endpoint, post="/organization/external_keys", returns=ExternalKey, effect="create"):
    """Register an encryption key in your own cloud KMS. Check it with validate_external_key, then put a project on it
    with create_project or update_project.
    """

    name: str
    type: Literal["aws", "gcp", "azure", "oci"] = Field(
        description="aws needs external_id, kms_arn, role_arn; azure key_name, tenant_id, vault_uri; oci key_ocid, "
        "region, vault_ocid; gcp audience and every kms_* (but kms_key_version) and workload_identity_*."
    )
    external_id: str = UNSET
    kms_arn: str = UNSET
    role_arn: str = UNSET
    purpose: Purpose = UNSET
    audience: str = UNSET
    kms_key_location: str = UNSET
    kms_key_name: str = UNSET
    kms_key_ring_name: str = UNSET
    kms_project_id: str = UNSET
    workload_identity_pool_id: str = UNSET
    workload_identity_project_number: str = UNSET
    workload_identity_provider_id: str = UNSET
    kms_key_version: str = UNSET
    key_name: str = UNSET
    tenant_id: str = UNSET
    vault_uri: str = UNSET
    key_version: str = UNSET
    key_ocid: str = UNSET
    region: str = UNSET
    vault_ocid: str = UNSET
    key_version_ocid: str = UNSET

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        check_variant(self, self.type, _VARIANTS)
        return self


class GetExternalKey(Endpoint, get="/organization/external_keys/{external_key_id}", returns=ExternalKey):
    """Get one registered KMS key and which projects use it. Whether it works: validate_external_key."""

    external_key_id: ResourceId


class DeleteExternalKey(Endpoint, delete="/organization/external_keys/{external_key_id}", returns=ExternalKey):
    """Remove a KMS key's registration. See first in get_external_key which projects use it."""

    external_key_id: ResourceId


class ValidateExternalKey(
    Endpoint,
    post="/organization/external_keys/{external_key_id}/validate",
    returns=ExternalKeyValidation,
    effect="update",
):
    """Check that a registered KMS key can be reached and used; returns a status."""

    external_key_id: ResourceId

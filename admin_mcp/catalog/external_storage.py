"""External storage: where a project's data is kept in the organization's own cloud."""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from admin_mcp.endpoints.base import ApiObject, Endpoint, InputObject
from admin_mcp.endpoints.fields import UNSET, AfterItem, Int, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint
from admin_mcp.endpoints.unions import Variant, check_variant


class AwsStorage(ApiObject):
    """A bucket at AWS and how it is reached."""

    account_id: str
    bucket: str
    external_id: str
    region: str
    role_arn: str
    type: Open[Literal["aws"]]


class AzureStorage(ApiObject):
    """A container at Azure and how it is reached."""

    account_name: str
    container: str
    region: str
    resource_group: str
    subscription_id: str
    tenant_id: str
    type: Open[Literal["azure"]]


class GcpStorage(ApiObject):
    """A bucket at Google Cloud and how it is reached."""

    audience: str
    bucket: str
    region: str
    type: Open[Literal["gcp"]]
    workload_identity_pool_id: str
    workload_identity_project_number: str
    workload_identity_provider_id: str


class OciStorage(ApiObject):
    """A bucket at Oracle Cloud and how it is reached."""

    bucket: str
    region: str
    tenancy_ocid: str
    type: Open[Literal["oci"]]


class ExternalStorage(ApiObject):
    """A project's storage in the organization's own cloud, and whether it works."""

    id: str
    created_at: int
    geography: str
    object: Open[Literal["organization.external_storage"]]
    project_id: str
    provider: AwsStorage | AzureStorage | GcpStorage | OciStorage
    status: Open[Literal["pending", "validated", "degraded", "unhealthy"]]


class ExternalStorageList(ApiObject):
    """A page of storage configurations; the last one's id is the cursor of the page after it."""

    data: list[ExternalStorage]
    has_more: bool | None = None


class ExternalStorageDeleted(ApiObject):
    """A storage configuration that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["organization.external_storage.deleted"]]


_VARIANTS: Final = {
    "aws": Variant(("bucket", "role_arn")),
    "azure": Variant(("account_name", "container", "resource_group", "subscription_id", "tenant_id")),
    "gcp": Variant(
        (
            "bucket",
            "workload_identity_pool_id",
            "workload_identity_project_number",
            "workload_identity_provider_id",
        )
    ),
    "oci": Variant(("bucket", "region", "tenancy_ocid")),
}


class StorageProvider(InputObject):
    """The bucket or container to use, and what reaching it takes."""

    type: Literal["aws", "azure", "gcp", "oci"] = Field(
        description="aws needs bucket, role_arn; azure account_name, container, resource_group, subscription_id, "
        "tenant_id; gcp bucket and every workload_identity_*; oci bucket, region, tenancy_ocid."
    )
    bucket: str = UNSET
    role_arn: str = UNSET
    account_name: str = UNSET
    container: str = UNSET
    resource_group: str = UNSET
    subscription_id: str = UNSET
    tenant_id: str = UNSET
    workload_identity_pool_id: str = UNSET
    workload_identity_project_number: str = UNSET
    workload_identity_provider_id: str = UNSET
    region: str = UNSET
    tenancy_ocid: str = UNSET

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        check_variant(self, self.type, _VARIANTS)
        return self


class ListExternalStorage(PaginatedEndpoint, get="/organization/external_storage", returns=ExternalStorageList):
    """List which projects keep data in a bucket of your own cloud: where external_storage_id comes from."""

    after: AfterItem | None = UNSET
    limit: Int = UNSET
    order: Order = UNSET
    project_id: ResourceId | None = UNSET


class CreateExternalStorage(
    Endpoint,
    post="/organization/external_storage",
    returns=ExternalStorage,
    effect="create",
    undo="delete_external_storage",
    sensitive=True,
):
    """Configure a bucket or container of your own cloud for one project's data. Then use validate_external_storage."""

    project_id: ResourceId
    provider: StorageProvider


class GetExternalStorage(Endpoint, get="/organization/external_storage/{external_storage_id}", returns=ExternalStorage):
    """Get one external storage configuration: project, bucket and last known status."""

    external_storage_id: ResourceId


class DeleteExternalStorage(
    Endpoint, delete="/organization/external_storage/{external_storage_id}", returns=ExternalStorageDeleted
):
    """Delete an external storage configuration. Without any, a project follows the organization's data retention."""

    external_storage_id: ResourceId


class ValidateExternalStorage(
    Endpoint,
    post="/organization/external_storage/{external_storage_id}/validate",
    returns=ExternalStorage,
    effect="update",
):
    """Check now that an external storage bucket works."""

    external_storage_id: ResourceId

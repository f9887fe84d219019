"""Certificates for mutual TLS, as the organization holds them."""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Limit100, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint

CertificateIds = Annotated[list[ResourceId], Field(min_length=1, max_length=10)]


class CertificateDetails(ApiObject):
    """When a certificate is valid, and its PEM text where that was asked for."""

    content: str = UNSET
    expires_at: int = UNSET
    valid_at: int = UNSET


class Certificate(ApiObject):
    """A certificate by itself."""

    id: str
    certificate_details: CertificateDetails
    created_at: int
    name: str | None
    object: Open[Literal["certificate", "organization.certificate", "organization.project.certificate"]]
    active: bool = UNSET


class CertificateValidity(ApiObject):
    """When a certificate is valid."""

    expires_at: int = UNSET
    valid_at: int = UNSET


class OrganizationCertificate(ApiObject):
    """A certificate, and whether it is active for the organization."""

    id: str
    active: bool
    certificate_details: CertificateValidity
    created_at: int
    name: str | None
    object: Open[Literal["organization.certificate"]]


class CertificateList(ApiObject):
    """A page of certificates; ``last_id`` is the cursor of the page after it."""

    data: list[OrganizationCertificate]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: Open[Literal["list"]]


class CertificatesActivated(ApiObject):
    """The certificates that were activated for the organization."""

    object: Open[Literal["organization.certificate.activation"]]
    data: list[OrganizationCertificate]


class CertificatesDeactivated(ApiObject):
    """The certificates that were deactivated for the organization."""

    object: Open[Literal["organization.certificate.deactivation"]]
    data: list[OrganizationCertificate]


class CertificateDeleted(ApiObject):
    """A certificate that is gone."""

    id: str
    object: Open[Literal["certificate.deleted"]]


class ListCertificates(PaginatedEndpoint, get="/organization/certificates", returns=CertificateList):
    """List mutual-TLS certificates: where certificate ids come from. `active` is for the organization; one project's:
    list_project_certificates.
    """

    after: After = UNSET
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET
    order: Annotated[Order, ApiDefault("desc")] = UNSET


class UploadCertificate(Endpoint, post="/organization/certificates", returns=Certificate, effect="create"):
    """Upload a mutual-TLS certificate, at most 50. It is inactive until activate_certificates or
    activate_project_certificates.
    """

    certificate: str = Field(description="PEM text.")
    name: str = UNSET


class ActivateCertificates(
    Endpoint,
    post="/organization/certificates/activate",
    returns=CertificatesActivated,
    effect="update",
    undo="deactivate_certificates",
    sensitive=True,
):
    """Activate certificates for the organization, all or none. One project: activate_project_certificates."""

    certificate_ids: CertificateIds


class DeactivateCertificates(
    Endpoint,
    post="/organization/certificates/deactivate",
    returns=CertificatesDeactivated,
    effect="update",
    undo="activate_certificates",
    sensitive=True,
):
    """Deactivate certificates for the organization, all or none. They stay active in projects that activated them."""

    certificate_ids: CertificateIds


class GetCertificate(Endpoint, get="/organization/certificates/{certificate_id}", returns=Certificate):
    """Get one certificate's name and validity. Whether it is active is in list_certificates."""

    certificate_id: ResourceId
    include: list[Literal["content"]] = Field(UNSET, description="`content` adds the PEM text.")


class UpdateCertificate(
    Endpoint, post="/organization/certificates/{certificate_id}", returns=Certificate, effect="update"
):
    """Rename a certificate. For new content upload another."""

    certificate_id: ResourceId
    name: str = UNSET


class DeleteCertificate(Endpoint, delete="/organization/certificates/{certificate_id}", returns=CertificateDeleted):
    """Delete an uploaded certificate. Deactivate it first for the organization and every project."""

    certificate_id: ResourceId

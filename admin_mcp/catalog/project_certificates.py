"""Mutual TLS certificates as a project uses them.

In the reference: "Projects > Certificates".
"""

from typing import Annotated, Literal

from admin_mcp.catalog.certificates import CertificateIds, CertificateValidity
from admin_mcp.endpoints.base import ApiObject, Endpoint
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, Limit100, Open, Order, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class ProjectCertificate(ApiObject):
    """A certificate, and whether it is active in a project."""

    id: str
    active: bool
    certificate_details: CertificateValidity
    created_at: int
    name: str | None
    object: Open[Literal["organization.project.certificate"]]


class ProjectCertificateList(ApiObject):
    """A page of certificates; ``last_id`` is the cursor of the page after it."""

    data: list[ProjectCertificate]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: Open[Literal["list"]]


class ProjectCertificatesActivated(ApiObject):
    """The certificates a call has made active in a project."""

    object: Open[Literal["organization.project.certificate.activation"]]
    data: list[ProjectCertificate]


class ProjectCertificatesDeactivated(ApiObject):
    """The certificates a call has made inactive in a project."""

    object: Open[Literal["organization.project.certificate.deactivation"]]
    data: list[ProjectCertificate]


class ListProjectCertificates(
    PaginatedEndpoint, get="/organization/projects/{project_id}/certificates", returns=ProjectCertificateList
):
    """List certificates with whether they are `active` in one project. The organization's own state:
    list_certificates.
    """

    project_id: ResourceId
    after: After = UNSET
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET
    order: Annotated[Order, ApiDefault("desc")] = UNSET


class ActivateProjectCertificates(
    Endpoint,
    post="/organization/projects/{project_id}/certificates/activate",
    returns=ProjectCertificatesActivated,
    effect="update",
    undo="deactivate_project_certificates",
    sensitive=True,
):
    """Activate uploaded certificates in one project only, all or none. Take ids from list_certificates."""

    project_id: ResourceId
    certificate_ids: CertificateIds


class DeactivateProjectCertificates(
    Endpoint,
    post="/organization/projects/{project_id}/certificates/deactivate",
    returns=ProjectCertificatesDeactivated,
    effect="update",
    undo="activate_project_certificates",
    sensitive=True,
):
    """Deactivate certificates in one project only, all or none."""

    project_id: ResourceId
    certificate_ids: CertificateIds

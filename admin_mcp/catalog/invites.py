"""Invites: emails that ask people to join the organization."""

from typing import Annotated, Literal

from pydantic import Field

from admin_mcp.endpoints.base import ApiObject, Endpoint, InputObject
from admin_mcp.endpoints.fields import UNSET, After, ApiDefault, IfLeftOut, Limit100, Open, ResourceId
from admin_mcp.endpoints.paging import PaginatedEndpoint


class InviteProject(ApiObject):
    """A project the invited person will be in, and their role in it."""

    id: str
    role: Open[Literal["member", "owner"]]


class Invite(ApiObject):
    """An invite to the organization."""

    id: str
    created_at: int
    email: str
    object: Open[Literal["organization.invite"]]
    projects: list[InviteProject]
    role: Open[Literal["owner", "reader"]]
    status: Open[Literal["accepted", "expired", "pending"]]
    accepted_at: int | None = None
    expires_at: int | None = None


class InviteList(ApiObject):
    """A page of invites; ``last_id`` is the cursor of the page after it."""

    object: Open[Literal["list"]]
    data: list[Invite]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool


class InviteDeleted(ApiObject):
    """An invite that is gone."""

    id: str
    deleted: bool
    object: Open[Literal["organization.invite.deleted"]]


class InviteProjectInput(InputObject):
    """A project to put the invited person in."""

    id: ResourceId
    role: Literal["member", "owner"]


class ListInvites(PaginatedEndpoint, get="/organization/invites", returns=InviteList):
    """List invites to the organization, pending or not: where invite_id comes from."""

    after: After = UNSET
    limit: Annotated[Limit100, ApiDefault(20)] = UNSET


class CreateInvite(Endpoint, post="/organization/invites", returns=Invite, effect="grant"):
    """Invite a person by email to the organization, and to projects. Members already: create_project_user or
    update_user.
    """

    email: str
    role: Literal["reader", "owner"] = Field(description="In the organization.")
    projects: Annotated[list[InviteProjectInput], IfLeftOut("the default project")] = Field(
        UNSET, description="Left out: the default project; []: none."
    )


class GetInvite(Endpoint, get="/organization/invites/{invite_id}", returns=Invite):
    """Get one invite: its status, role, projects and expiry."""

    invite_id: ResourceId


class DeleteInvite(Endpoint, delete="/organization/invites/{invite_id}", returns=InviteDeleted):
    """Withdraw an invite not yet accepted. Once accepted, use delete_user."""

    invite_id: ResourceId

"""The approvals of a state directory, as the commands on them need them: found by ID, explained where they can't be."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from admin_mcp.channels.local_channel import waits
from admin_mcp.errors import CallError
from admin_mcp.gate.approval import Approval, IllegalEventError, SeenOtherwiseError
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.storage import GateStorage
from admin_mcp.gate.text import visible


def every_approval(storage: GateStorage) -> list[Approval]:
    """Return the approvals of the last day, the newest first."""
    if not storage.database.exists:
        return []
    with explained(""):
        return storage.approvals.all()


def waiting_here(storage: GateStorage) -> list[Approval]:
    """Return what waits for this machine."""
    return [approval for approval in every_approval(storage) if waits(approval)]


def approval_of(storage: GateStorage, approval_id: str) -> Approval:
    """Return one approval, or say how to find it."""
    found = next((approval for approval in every_approval(storage) if approval.id == approval_id), None)
    if found is None:
        raise click.ClickException(
            f"There is no approval {visible(approval_id)} in {storage.database.directory}. "
            "`approvals list` shows those there are."
        )
    return found


def require_decidable(approval: Approval) -> None:
    """Refuse what can't be decided on this machine, or not any more."""
    channel = traits(approval.channel)
    if not channel.here:
        raise click.ClickException(f"{approval.id} is asked through {channel.where}; answer it there")
    if approval.state != "pending":
        raise click.ClickException(f"{approval.id} can't be decided any more: it is {approval.state}")


@contextmanager
def explained(approval_id: str) -> Iterator[None]:
    """Say in one sentence why an approval can't be decided, or the state not be used."""
    try:
        yield
    except IllegalEventError as error:
        raise click.ClickException(f"{approval_id} can't be decided any more: it is {error.state}") from None
    except SeenOtherwiseError:
        raise click.ClickException(
            "not approved: what is asked has changed meanwhile; run it again to read it"
        ) from None
    except CallError as error:
        raise click.ClickException(error.told_to_operator) from None


def fate(approval: Approval) -> str:
    """Return what became of it, in a word."""
    return approval.result.outcome if approval.result else approval.state

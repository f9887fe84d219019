"""The approval's page and the inbox, served from a terminal until they are decided or left."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from admin_mcp.cli.endings import ended_by_interrupt
from admin_mcp.cli.kept_approvals import approval_of, explained, fate
from admin_mcp.cli.options import settings_of, storage_of
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.gate.storage import GateStorage

if TYPE_CHECKING:
    from admin_mcp.channels.page_server import PageServer

_POLL_SECONDS = 0.3


def show_page(context: click.Context, storage: GateStorage, approval: Approval) -> None:
    """Serve one approval's page until it is decided and it is known what became of it, or until Ctrl-C."""
    from admin_mcp.channels.page_server import PageServer  # noqa: PLC0415 - no other command needs a web server

    _require_way(context)
    page = PageServer(storage.approvals, storage.plans, storage.database.directory, epoch_seconds)
    page.start()
    try:
        with ended_by_interrupt("The page is closed."):
            _enter(context, page, approval.id)
            _follow(storage, approval.id, _watching(page))
    finally:
        page.stop()


def _follow(storage: GateStorage, approval_id: str, look: Callable[[], None]) -> None:
    """Say what is decided, and then what becomes of it."""
    click.echo("Waiting for the decision; Ctrl-C ends this without one.")
    approval = _until(storage, approval_id, {"pending"}, look)
    click.echo(f"It is {approval.state}.")
    if approval.state == "approved":
        click.echo("Leave this open to see what becomes of it, or press Ctrl-C.")
        click.echo(fate(_until(storage, approval_id, {"approved", "used"}, look)))
    time.sleep(2 * _POLL_SECONDS)


def show_inbox(context: click.Context) -> None:
    """Serve the page of all that waits, until Ctrl-C."""
    from admin_mcp.channels.desktop import desktop_of  # noqa: PLC0415 - only what draws attention needs it
    from admin_mcp.channels.page_process import keep_inbox_open  # noqa: PLC0415 - brings the web server

    def enter(page: "PageServer") -> None:
        _enter(context, page)
        click.echo("What comes up appears there; Ctrl-C ends this.")

    _require_way(context)
    settings = settings_of(context)
    storage = storage_of(context)
    desktop = desktop_of(settings)
    try:
        with explained(""), ended_by_interrupt("The inbox is closed."):
            keep_inbox_open(storage, epoch_seconds, enter, _no_browser, desktop=desktop, opens=settings.open_browser)
    except OSError as error:
        raise click.ClickException(f"the page can't be shown: {error}") from None
    finally:
        if desktop is not None:
            desktop.stop()


def _require_way(context: click.Context) -> None:
    """Refuse to serve a page that nobody could see."""
    if not (settings_of(context).open_browser or sys.stdout.isatty()):
        raise click.ClickException("nobody could see the page: this is no terminal, and no browser is to be opened")


def _enter(context: click.Context, page: "PageServer", approval_id: str | None = None) -> None:
    """Let the person in, to one approval's page or to the inbox."""
    # Whoever has the address can decide, so it is for a person's screen and no program's input.
    if sys.stdout.isatty():
        click.echo(f"Open this in a browser on this machine (it works once):\n  {page.address(approval_id)}")
    if settings_of(context).open_browser:
        page.open_browser(approval_id)
        click.echo("Opening it in the default browser.")


def _watching(page: "PageServer") -> Callable[[], None]:
    """Return what looks, from time to time, whether a browser could be started, and says once that none could."""
    told = False

    def look() -> None:
        nonlocal told
        if page.unreachable and not told:
            told = True
            _no_browser()

    return look


def _no_browser() -> None:
    if not sys.stdout.isatty():
        raise click.ClickException("the page can't be shown: no browser could be started, and this is no terminal")
    click.echo("No browser could be started: open the link above in one yourself.", err=True)


def _until(storage: GateStorage, approval_id: str, states: set[str], look: Callable[[], None]) -> Approval:
    """Return the approval once it has left these states, or its outcome is known; meanwhile ``look`` as well."""
    while True:
        look()
        approval = approval_of(storage, approval_id)
        if approval.state not in states or approval.result is not None:
            return approval
        time.sleep(_POLL_SECONDS)

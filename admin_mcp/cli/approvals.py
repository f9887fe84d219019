"""``approvals``: look at what waits for a person, and decide it from a terminal."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from admin_mcp.channels.local_channel import waits
from admin_mcp.channels.terminal import not_approved, terminal_reply
from admin_mcp.cli.options import json_option, settings_of, storage_of
from admin_mcp.cli.times import local_time, local_time_of, utc_time
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError
from admin_mcp.gate.approval import APPLY_PLAN, APPROVED_SECONDS, PLAN_APPROVED_SECONDS, Approval, IllegalEventError
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.gate.forms import judge
from admin_mcp.gate.storage import GateStorage
from admin_mcp.gate.text import visible

if TYPE_CHECKING:
    from admin_mcp.channels.page_server import PageServer

_POLL_SECONDS = 0.3
_REFUSED_NOW = "The same change is refused for ten minutes."


@click.group()
def approvals() -> None:
    """See and decide the changes that wait for a person."""


@approvals.command("list")
@json_option
@click.pass_context
def list_all(context: click.Context, /, *, as_json: bool) -> None:
    """List the approvals of the last day, the newest first."""
    storage = storage_of(context)
    found = _all(storage)
    if found or as_json:
        _list(found, as_json=as_json)
    if not found:
        click.echo(f"No approvals in {storage.database.directory}.", err=True)


@approvals.command()
@click.argument("approval_id", metavar="ID")
@click.pass_context
def show(context: click.Context, /, approval_id: str) -> None:
    """Show one approval whole."""
    _print(_found(storage_of(context), approval_id))


@approvals.command("open", short_help="Open a change's page, or the inbox, in the browser.")
@click.argument("approval_id", metavar="[ID]", required=False)
@click.pass_context
def open_page(context: click.Context, /, approval_id: str | None) -> None:
    """Serve the approval's page from here until it is decided, and open it in the browser.

    Without an ID it is the page of all that waits, until Ctrl-C.
    """
    if approval_id is None:
        _inbox(context)
        return
    from admin_mcp.channels.page_server import PageServer  # noqa: PLC0415 - no other command needs a web server

    storage = storage_of(context)
    _decidable(_found(storage, approval_id))
    page = PageServer(storage.approvals, storage.plans, storage.database.directory, epoch_seconds)
    page.start()
    try:
        _enter(context, page, approval_id)
        click.echo("Waiting for the decision; Ctrl-C ends this without one.")
        approval = _until(storage, approval_id, {"pending"})
        click.echo(f"It is {approval.state}.")
        if approval.state == "approved":
            click.echo("Leave this open to see what becomes of it, or press Ctrl-C.")
            click.echo(_fate(_until(storage, approval_id, {"approved", "used"})))
        time.sleep(2 * _POLL_SECONDS)
    finally:
        page.stop()


@click.command()
@click.pass_context
def inbox(context: click.Context, /) -> None:
    """Show all that waits on one page in the browser, until Ctrl-C."""
    _inbox(context)


def _inbox(context: click.Context) -> None:
    from admin_mcp.channels.desktop import desktop_of  # noqa: PLC0415 - only what draws attention needs it
    from admin_mcp.channels.page_process import keep_inbox_open  # noqa: PLC0415 - brings the web server

    def enter(page: "PageServer") -> None:
        _enter(context, page)
        click.echo("What comes up appears there; Ctrl-C ends this.")

    settings = settings_of(context)
    opens = settings.open_browser
    if not (opens or sys.stdout.isatty()):
        raise click.ClickException("nobody could see the page: this is no terminal, and no browser is to be opened")
    desktop = desktop_of(settings)
    try:
        with _explained(""):
            keep_inbox_open(storage_of(context), epoch_seconds, enter, desktop=desktop, opens=opens)
    except OSError as error:
        raise click.ClickException(f"the page can't be shown: {error}") from None
    finally:
        if desktop is not None:
            desktop.stop()


def _enter(context: click.Context, page: "PageServer", approval_id: str | None = None) -> None:
    """Let the person in, to one approval's page or to the inbox."""
    # Whoever has the address can decide, so it is for a person's screen and no program's input.
    if sys.stdout.isatty():
        click.echo(f"Open this in a browser on this machine (it works once):\n  {page.address(approval_id)}")
    if settings_of(context).open_browser:
        page.open_browser(approval_id)
        click.echo("The page was opened in the default browser.")


@approvals.command(short_help="Show a change whole and approve it, from this terminal.")
@click.argument("approval_id", metavar="[ID]", required=False)
@click.pass_context
def approve(context: click.Context, /, approval_id: str | None) -> None:
    """Approve one change, from a terminal: shows it whole and has the name typed where that is wanted.

    Without an ID it is the one that waits, if there is exactly one.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.ClickException(
            "approving needs a person at a terminal: run it yourself in a terminal, or "
            f"`openai-admin-mcp approvals open {approval_id or 'ID'}`"
        )
    storage = storage_of(context)
    approval = _found(storage, approval_id) if approval_id is not None else _only_one(storage)
    approval_id = approval.id
    _decidable(approval)
    _print(approval)
    reply = terminal_reply(approval, lambda text: str(click.prompt(f"\n{text}", default="", show_default=False)))
    judgement = judge(reply, approval)
    if judgement.event != "approve":
        raise click.ClickException(
            f"not approved: {not_approved(judgement)}; the question stays open, run it again to try once more"
        )
    if _found(storage, approval_id).preview.drift != approval.preview.drift:
        raise click.ClickException("not approved: what is asked has changed meanwhile; run it again to read it")
    with _explained(approval_id):
        storage.approvals.apply(approval_id, judgement.event, via="terminal", reason=judgement.given)
    seconds = PLAN_APPROVED_SECONDS if approval.question.tool == APPLY_PLAN else APPROVED_SECONDS
    minutes = round(seconds / 60)
    click.echo(
        f"Approved. If the assistant has given up waiting, tell it to call the tool again within {minutes} minutes."
    )


@approvals.command(short_help="Reject one change, or all that wait.")
@click.argument("approval_id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Reject every question that waits for this machine.")
@click.option("--yes", is_flag=True, help="With --all: don't ask whether these are to be rejected.")
@click.pass_context
def deny(context: click.Context, /, approval_id: str | None, *, everything: bool, yes: bool) -> None:
    """Reject one change, also one that was approved and not sent yet; or with --all every one that waits."""
    if (approval_id is None) is not everything:
        raise click.UsageError("give either the ID of one approval or --all")
    storage = storage_of(context)
    if approval_id is None:
        _deny_all(storage, sure=yes)
        return
    _found(storage, approval_id)
    with _explained(approval_id):
        storage.approvals.apply(approval_id, "reject", via="terminal")
    click.echo(f"Rejected. {_REFUSED_NOW}")


def _deny_all(storage: GateStorage, *, sure: bool) -> None:
    """Reject what waits at this moment, and nothing that comes up while the person makes up their mind."""
    waiting = [approval for approval in _all(storage) if waits(approval)]
    if not waiting:
        click.echo("Nothing waits for this machine.")
        return
    if not sure:
        for approval in waiting:
            click.echo(f"{approval.id}  {approval.preview.title}")
        if not click.confirm(f"Reject {'this' if len(waiting) == 1 else f'these {len(waiting)}'}?"):
            click.echo("Nothing was rejected.")
            return
    for approval in waiting:
        click.echo(f"{_rejected(storage, approval)}  {approval.id}  {approval.preview.title}")
    click.echo(_REFUSED_NOW)


def _rejected(storage: GateStorage, approval: Approval) -> str:
    """Reject it if it still waits, and return its state: what was decided meanwhile counts."""
    now = _found(storage, approval.id)
    if not waits(now):
        return now.state
    with _explained(approval.id):
        try:
            return storage.approvals.apply(approval.id, "reject", via="terminal").state
        except IllegalEventError as error:
            return error.state


@approvals.command(hidden=True)
@click.pass_context
def desk(context: click.Context, /) -> None:
    """Show every question that comes up, by a page and a notification; a server starts this itself."""
    from admin_mcp.channels.desktop import desktop_of  # noqa: PLC0415 - as below
    from admin_mcp.channels.page_process import run_page_process  # noqa: PLC0415 - brings the web server

    settings = settings_of(context)
    desktop = desktop_of(settings)
    if not settings.open_browser and desktop is None:
        raise click.ClickException("pages don't open by themselves, and no notification can be shown")
    try:
        run_page_process(storage_of(context), epoch_seconds, desktop=desktop, opens=settings.open_browser)
    finally:
        if desktop is not None:
            desktop.stop()


@approvals.command(hidden=True)
@click.argument("approval_id")
@click.argument("name")
@click.pass_context
def link(context: click.Context, /, approval_id: str, name: str) -> None:
    """Serve one question's page for a client that opens links; a server starts this itself."""
    from admin_mcp.channels.link_process import run_link_process  # noqa: PLC0415 - brings the web server

    run_link_process(storage_of(context), approval_id, name, epoch_seconds)


def _all(storage: GateStorage) -> list[Approval]:
    if not storage.database.exists:
        return []
    with _explained(""):
        return storage.approvals.all()


def _list(approvals: list[Approval], *, as_json: bool = False) -> None:
    from admin_mcp.cli.systems import marked  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.cli.tables import Column, field, print_list  # noqa: PLC0415

    columns = (
        Column("ID", field("id")),
        Column("Asked", lambda row: local_time_of(row["asked_at"])),
        Column("State", field("fate")),
        Column("Risk", field("effect")),
        Column("Asked by", field("asked_by")),
        Column("What", lambda row: marked(row["title"], row["target"])),
    )
    print_list(columns, map(_row, approvals), json=as_json)


def _row(approval: Approval) -> Json:
    """Return what programs are told of an approval: nothing that could decide it."""
    ends = approval.ends if approval.state in {"pending", "approved"} else None
    return {
        "id": approval.id,
        "asked_at": utc_time(approval.opened),
        "ends_at": None if ends is None else utc_time(ends),
        "fate": _fate(approval),
        "state": approval.state,
        "outcome": approval.result.outcome if approval.result else None,
        "channel": approval.channel,
        "tool": approval.question.tool,
        "effect": approval.preview.effect,
        "title": approval.preview.title,
        "target": approval.preview.target,
        "asked_by": approval.preview.asker.client,
        "organization": approval.preview.asker.organization,
        "key_last4": approval.preview.asker.key,
    }


def _only_one(storage: GateStorage) -> Approval:
    """Return the one approval that waits for this machine; of several, show which there are to choose from."""
    waiting = [approval for approval in _all(storage) if waits(approval)]
    if not waiting:
        raise click.ClickException("nothing waits for this machine; `approvals list` shows what became of the rest")
    if len(waiting) > 1:
        _list(waiting)
        raise click.UsageError(f"{len(waiting)} wait: give the ID of one")
    return waiting[0]


def _found(storage: GateStorage, approval_id: str) -> Approval:
    found = next((approval for approval in _all(storage) if approval.id == approval_id), None)
    if found is None:
        raise click.ClickException(
            f"no approval {approval_id} in {storage.database.directory}; `approvals list` shows those there are"
        )
    return found


def _decidable(approval: Approval) -> None:
    channel = traits(approval.channel)
    if not channel.here:
        raise click.ClickException(f"{approval.id} is asked through {channel.where}; answer it there")
    if approval.state != "pending":
        raise click.ClickException(f"{approval.id} can't be decided any more: it is {approval.state}")


@contextlib.contextmanager
def _explained(approval_id: str) -> Iterator[None]:
    try:
        yield
    except IllegalEventError as error:
        raise click.ClickException(f"{approval_id} can't be decided any more: it is {error.state}") from None
    except CallError as error:
        raise click.ClickException(error.told_to_operator) from None


def _until(storage: GateStorage, approval_id: str, states: set[str]) -> Approval:
    """Return the approval once it has left these states, or its outcome is known."""
    while True:
        approval = _found(storage, approval_id)
        if approval.state not in states or approval.result is not None:
            return approval
        time.sleep(_POLL_SECONDS)


def _print(approval: Approval) -> None:
    click.echo(f"Approval {approval.id}: {_fate(approval)}; asked {local_time(approval.opened)}")
    if approval.state == "pending" and approval.ends is not None:
        click.echo(f"Ends at {local_time(approval.ends)}")
    for label, value in approval.preview.asker.facts.items():
        click.echo(f"{label}: {value}")
    click.echo("")
    click.echo(approval.preview.text)
    if approval.result is not None:
        click.echo(f"\n{visible(approval.result.message, 1000)}")


def _fate(approval: Approval) -> str:
    return approval.result.outcome if approval.result else approval.state

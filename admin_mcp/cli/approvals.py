"""``approvals``: look at what waits for a person, and decide it from a terminal."""

import sys

import click

from admin_mcp.channels.local_channel import waits
from admin_mcp.channels.terminal import no_of, not_approved, terminal_reply
from admin_mcp.cli.approval_pages import show_inbox, show_page
from admin_mcp.cli.endings import interrupted_with
from admin_mcp.cli.kept_approvals import approval_of, every_approval, explained, fate, require_decidable, waiting_here
from admin_mcp.cli.options import json_option, settings_of, storage_of
from admin_mcp.cli.times import local_time, utc_time
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.approval import APPLY_PLAN, APPROVED_SECONDS, PLAN_APPROVED_SECONDS, Approval, IllegalEventError
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.gate.forms import DECISION, TYPED, Judgement, Reply, judge
from admin_mcp.gate.storage import GateStorage
from admin_mcp.gate.text import visible

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
    found = every_approval(storage)
    if found or as_json:
        _list(found, as_json=as_json)
    if not found:
        click.echo(f"No approvals in {storage.database.directory}.", err=True)


@approvals.command()
@click.argument("approval_id", metavar="ID")
@click.pass_context
def show(context: click.Context, /, approval_id: str) -> None:
    """Show one approval whole."""
    _print(approval_of(storage_of(context), approval_id))


@approvals.command("open", short_help="Open a change's page, or the inbox, in the browser.")
@click.argument("approval_id", metavar="[ID]", required=False)
@click.pass_context
def open_page(context: click.Context, /, approval_id: str | None) -> None:
    """Serve the approval's page from here until it is decided, and open it in the browser.

    Without an ID it is the page of all that waits, until Ctrl-C.
    """
    if approval_id is None:
        show_inbox(context)
        return
    storage = storage_of(context)
    approval = approval_of(storage, approval_id)
    require_decidable(approval)
    show_page(context, storage, approval)


@click.command()
@click.pass_context
def inbox(context: click.Context, /) -> None:
    """Show all that waits on one page in the browser, until Ctrl-C."""
    show_inbox(context)


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
    approval = approval_of(storage, approval_id) if approval_id is not None else _only_one(storage, "approve")
    approval_id = approval.id
    require_decidable(approval)
    _print(approval)
    reply = _reply(approval)
    judgement = judge(reply, approval)
    if judgement.event == "reject":
        _reject(storage, approval)
        return
    if judgement.event != "approve":
        raise click.ClickException(
            f"not approved: {_lacking(reply, judgement)}; the question stays open, run it again to try once more. "
            f"`approvals deny {approval_id}` rejects it."
        )
    with explained(approval_id):
        storage.approvals.apply(
            approval_id, judgement.event, via="terminal", reason=judgement.given, seen=approval.preview.drift
        )
    seconds = PLAN_APPROVED_SECONDS if approval.question.tool == APPLY_PLAN else APPROVED_SECONDS
    minutes = round(seconds / 60)
    click.echo(
        f"Approved. If the assistant has given up waiting, tell it to call the tool again within {minutes} minutes."
    )


def _reply(approval: Approval) -> Reply:
    """Have the person at this terminal answer."""
    no = no_of(approval)
    click.echo(f"\nTo reject it, type {no}; Enter alone leaves it open.")
    with interrupted_with("Nothing was decided; the question stays open."):
        return terminal_reply(approval, lambda text: str(click.prompt(text, default="", show_default=False)), no)


def _lacking(reply: Reply, judgement: Judgement) -> str:
    content = reply.content or {}
    return not_approved(judgement) if content.get(TYPED, content.get(DECISION)) else "nothing was typed"


def _reject(storage: GateStorage, approval: Approval) -> None:
    with explained(approval.id):
        storage.approvals.apply(approval.id, "reject", via="terminal")
    click.echo(f"Rejected. {_REFUSED_NOW}")


@approvals.command(short_help="Reject one change, or all that wait.")
@click.argument("approval_id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Reject every question that waits for this machine.")
@click.option("--yes", is_flag=True, help="Without an ID: don't ask whether these are to be rejected.")
@click.pass_context
def deny(context: click.Context, /, approval_id: str | None, *, everything: bool, yes: bool) -> None:
    """Reject one change, also one that was approved and not sent yet; or with --all every one that waits.

    Without an ID it is the one that waits, if there is exactly one.
    """
    if approval_id is not None and everything:
        raise click.UsageError("give either the ID of one approval or --all")
    storage = storage_of(context)
    if approval_id is not None:
        _reject(storage, approval_of(storage, approval_id))
    elif everything:
        _deny_all(storage, waiting_here(storage), sure=yes)
    else:
        _deny_all(storage, [_only_one(storage, "deny", ", or --all")], sure=yes)


def _deny_all(storage: GateStorage, waiting: list[Approval], *, sure: bool) -> None:
    """Reject what waited at that moment, and nothing that comes up while the person makes up their mind."""
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
    now = approval_of(storage, approval.id)
    if not waits(now):
        return now.state
    with explained(approval.id):
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


def _list(approvals: list[Approval], *, as_json: bool = False) -> None:
    from admin_mcp.cli.systems import marked  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.cli.tables import Column, field, moment, print_list  # noqa: PLC0415

    columns = (
        Column("ID", field("id")),
        moment("Asked", "asked_at"),
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
        "fate": fate(approval),
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


def _only_one(storage: GateStorage, command: str, otherwise: str = "") -> Approval:
    """Return the one approval that waits for this machine; of several, show which there are to choose from."""
    waiting = waiting_here(storage)
    if not waiting:
        raise click.ClickException("nothing waits for this machine; `approvals list` shows what became of the rest")
    if len(waiting) > 1:
        _list(waiting)
        example = f"`approvals {command} {waiting[0].id}`"
        # As wrong usage ends, but for how the command is used: that would only push the list away.
        click.echo(f"Error: {len(waiting)} wait: give the ID of one, such as {example}{otherwise}", err=True)
        raise click.exceptions.Exit(2)
    return waiting[0]


def _print(approval: Approval) -> None:
    click.echo(f"Approval {approval.id}: {fate(approval)}; asked {local_time(approval.opened)}")
    if approval.state == "pending" and approval.ends is not None:
        click.echo(f"Ends at {local_time(approval.ends)}")
    for label, value in approval.preview.asker.facts.items():
        click.echo(f"{label}: {value}")
    click.echo("")
    click.echo(approval.preview.text)
    if approval.result is not None:
        click.echo(f"\n{visible(approval.result.message, 1000)}")

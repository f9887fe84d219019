"""``journal``: read the record of every change, and check that nobody edited it."""

import os
import sys
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import click

from admin_mcp.cli.options import storage_of
from admin_mcp.errors import CallError
from admin_mcp.gate.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from admin_mcp.gate.journal import Record

_AT_ONCE = 200


@click.group()
def journal() -> None:
    """Read the record of every change that was asked for, decided, sent or refused."""


@journal.command("list")
@click.pass_context
def list_all(context: click.Context, /) -> None:
    """List all records, a line each, the oldest first."""
    storage = storage_of(context)
    if not storage.database.exists:
        click.echo(f"Nothing is recorded in {storage.database.directory}.", err=True)
        return
    with _explained(), _until_enough_was_read():
        found = storage.journal.read()
        while lines := [_line(record) for record in islice(found, _AT_ONCE)]:
            click.echo("\n".join(lines))
        if lost := storage.journal.lost():
            click.echo(f"Look: {_gone(lost.seq)}. See also: journal verify", err=True)


@journal.command()
@click.argument("change", metavar="ID")
@click.pass_context
def undo(context: click.Context, /, change: str) -> None:
    """Make a plan that undoes the change ID, or say why nothing can. Sends nothing."""
    from admin_mcp.cli.plans import make_undo  # noqa: PLC0415 - each command loads only what it needs

    make_undo(context, change)


@journal.command()
@click.argument("change", metavar="ID")
@click.pass_context
def show(context: click.Context, /, change: str) -> None:
    """Show all there is on one change; ID is in the list, and is the approval's where there was one."""
    storage = storage_of(context)
    found = []
    if storage.database.exists:
        with _explained():
            found = storage.journal.records(change)
    if not found:
        raise click.ClickException(f"nothing is recorded under {change} in {storage.database.directory}")
    for record in found:
        click.echo(f"{record.at}  {record.kind}  (record {record.seq})")
        for name, value in record.fields.items():
            lines = str(value).splitlines() or [""]
            click.echo(f"    {name}: {lines[0]}")
            for line in lines[1:]:
                click.echo(f"        {line}")


@journal.command()
@click.pass_context
def verify(context: click.Context, /) -> None:
    """Check the chain; the first record that does not fit is named."""
    storage = storage_of(context)
    if not storage.database.exists:
        click.echo(f"Nothing is recorded in {storage.database.directory}.", err=True)
        return
    with _explained():
        count, broken = storage.journal.verify()
    if broken is not None:
        rest = f"the {count} before it" if broken.seq == count + 1 else f"all {count} records"
        raise click.ClickException(f"{broken.reason}; {rest} are as they were written")
    click.echo(f"All {count} records are as they were written.")


@journal.command()
@click.pass_context
def acknowledge(context: click.Context, /) -> None:
    """Record that you know of a journal that is gone, so that `verify` passes again. It stays in the record."""
    with _explained():
        losses = storage_of(context).journal.acknowledge()
    for loss in losses:
        click.echo(f"Recorded: you know that {loss}.")
    if not losses:
        click.echo("There is nothing to acknowledge.")


def _line(record: "Record") -> str:
    return f"{record.seq:>5}  {record.at or '(no time)':<29}  {record.change}  {record.kind:<8} {_gist(record)}"


def _gone(records: object) -> str:
    return f"an earlier journal, of {records} records or more, is gone"


def _gist(record: "Record") -> str:
    fields, gist = record.fields, ""  # nothing is known of a later version's kinds
    match record.kind:
        case "asked":
            gist = f"{fields.get('tool')} through {fields.get('channel')}"
        case "decided":
            gist = " — ".join(str(fields[name]) for name in ("decision", "via", "reason") if fields.get(name))
        case "sending":
            gist = f"{fields.get('request')}"
        case "outcome":
            gist = f"{fields.get('outcome')}"
        case "refused":
            gist = f"{fields.get('tool')}: {fields.get('message')}"
        case "lost":
            gist = _gone(fields.get("records"))
        case "acknowledged":
            gist = f"known, {fields.get('via')}"
        case "damaged":
            gist = f"{fields['damage']}: {visible(fields['text'])}"
    return gist


@contextmanager
def _until_enough_was_read() -> "Iterator[None]":
    """Stop printing, quite content, when whoever reads the output wants no more of it."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Or else the interpreter would fail to flush what is left when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _explained() -> "Iterator[None]":
    try:
        yield
    except CallError as error:
        raise click.ClickException(error.message) from None

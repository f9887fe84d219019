"""``journal``: read the record of every change, and check that nobody edited it."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from admin_mcp.commands.options import records_of
from admin_mcp.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from admin_mcp.gate.journal import Record


@click.group()
def journal() -> None:
    """Read the record of every change that was asked for, decided, sent or refused."""


@journal.command("list")
@click.pass_context
def list_all(context: click.Context, /) -> None:
    """List all records, a line each, the oldest first."""
    records = records_of(context)
    if not records.state.exists:
        click.echo(f"Nothing is recorded in {records.state.directory}.", err=True)
        return
    with _explained():
        for record in records.journal.records():
            click.echo(f"{record.seq:>5}  {record.at}  {record.change}  {record.kind:<8} {_gist(record)}")


@journal.command()
@click.argument("change", metavar="ID")
@click.pass_context
def show(context: click.Context, /, change: str) -> None:
    """Show all there is on one change; ID is in the list, and is the approval's where there was one."""
    records = records_of(context)
    found = []
    if records.state.exists:
        with _explained():
            found = records.journal.records(change)
    if not found:
        raise click.ClickException(f"nothing is recorded under {change} in {records.state.directory}")
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
    records = records_of(context)
    if not records.state.exists:
        click.echo(f"Nothing is recorded in {records.state.directory}.", err=True)
        return
    with _explained():
        count, broken = records.journal.verify()
    if broken is not None:
        raise click.ClickException(f"{broken.reason}; the {count} before it are as they were written")
    click.echo(f"All {count} records are as they were written.")


def _gist(record: "Record") -> str:
    fields = record.fields
    match record.kind:
        case "asked":
            return f"{fields.get('tool')} through {fields.get('channel')}"
        case "decided":
            return " — ".join(str(fields[name]) for name in ("decision", "via", "reason") if fields.get(name))
        case "sending":
            return f"{fields.get('request')}"
        case "outcome":
            return f"{fields.get('outcome')}"
        case "refused":
            return f"{fields.get('tool')}: {fields.get('message')}"


@contextmanager
def _explained() -> "Iterator[None]":
    try:
        yield
    except CallError as error:
        raise click.ClickException(error.message) from None

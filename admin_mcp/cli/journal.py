"""``journal``: read the record of every change, and check that nobody edited it."""

from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from admin_mcp.cli.folding import folded
from admin_mcp.cli.options import json_option, line_for, storage_of
from admin_mcp.errors import CallError
from admin_mcp.gate.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from admin_mcp.gate.journal import Record


@click.group(short_help="Read, verify and export the record of every change.")
def journal() -> None:
    """Read the record of every change that was asked for, decided, sent or refused."""


@journal.command("list")
@json_option
@click.pass_context
def list_all(context: click.Context, /, *, as_json: bool) -> None:
    """List all records, a line each, the oldest first."""
    from admin_mcp.cli.journal_rows import COLUMNS, gone, rows_of  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.cli.tables import print_list  # noqa: PLC0415

    storage = storage_of(context)
    if not storage.database.exists:
        if as_json:
            print_list(COLUMNS, (), json=True)
        click.echo(f"Nothing is recorded in {storage.database.directory}.", err=True)
        return
    with _explained():
        rows = rows_of(storage.journal.read())
        first = next(rows, None)
        if first is not None or as_json:
            print_list(COLUMNS, chain([first] if first else [], rows), json=as_json)
        if first is None:
            click.echo(f"Nothing is recorded in {storage.database.directory}.", err=True)
        if lost := storage.journal.lost():
            click.echo(f"Look: {gone(lost.seq)}. See also: {line_for(context, 'journal', 'verify')}", err=True)


@journal.command(short_help="Write all records, as CSV or JSON lines.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), help="Without it: by FILE's ending, or jsonl.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="For you alone.")
@click.pass_context
def export(context: click.Context, /, form: str | None, output: Path | None) -> None:
    """Write all records, the oldest first: as CSV for a spreadsheet, or whole as JSON lines. Times are in UTC.

    An auditor's file with check sums is `evidence export`.
    """
    from admin_mcp.cli.journal_rows import csv_lines, jsonl_lines  # noqa: PLC0415
    from admin_mcp.cli.reading import put_lines  # noqa: PLC0415

    storage = storage_of(context)
    if form is None:
        form = "csv" if output is not None and output.suffix.lower() == ".csv" else "jsonl"
    with _explained():
        records = storage.journal.read() if storage.database.exists else iter(())
        put_lines(csv_lines(records) if form == "csv" else jsonl_lines(records), output)


@journal.command(short_help="Make a plan that undoes a change or a plan.")
@click.argument("change", metavar="ID")
@click.pass_context
def undo(context: click.Context, /, change: str) -> None:
    """Make a plan that undoes the change ID, or say why nothing can. Sends nothing.

    ID is a change's, a plan's (all that was made of it), or that of one step of a plan, such as plan_1a2b3c4d.2.
    """
    from admin_mcp.cli.plans import make_undo  # noqa: PLC0415 - each command loads only what it needs

    make_undo(context, change)


@journal.command(short_help="Show everything on one change, or the steps of a plan.")
@click.argument("change", metavar="ID")
@json_option
@click.pass_context
def show(context: click.Context, /, change: str, *, as_json: bool) -> None:
    """Show all there is on one change; ID is in the list, and is the approval's where there was one.

    Of a plan it shows the approvals and the steps, each with its ID and what became of it.
    """
    from admin_mcp.cli.journal_rows import COLUMNS, rows_of  # noqa: PLC0415 - as above
    from admin_mcp.cli.journal_texts import about, is_plan, lines_of, next_of, of_plan  # noqa: PLC0415
    from admin_mcp.cli.tables import print_list  # noqa: PLC0415

    storage = storage_of(context)
    found: list[Record] = []
    if storage.database.exists:
        with _explained():
            found = about(change, storage.journal.read())
    if not found:
        raise click.ClickException(f"nothing is recorded under {visible(change)} in {storage.database.directory}")
    if as_json:
        print_list(COLUMNS, rows_of(found), json=True)
        return
    for line in of_plan(change, found) if is_plan(change) else lines_of(found):
        click.echo(folded(line))
    for says, words in next_of(change, found):
        click.echo(f"{says}: {line_for(context, *words)}")


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


@journal.command(short_help="Record that you know of a journal that is gone.")
@click.pass_context
def acknowledge(context: click.Context, /) -> None:
    """Record that you know of a journal that is gone, so that `verify` passes again. It stays in the record."""
    with _explained():
        losses = storage_of(context).journal.acknowledge()
    for loss in losses:
        click.echo(f"Recorded: you know that {loss}.")
    if not losses:
        click.echo("There is nothing to acknowledge.")


@contextmanager
def _explained() -> "Iterator[None]":
    try:
        yield
    except CallError as error:
        raise click.ClickException(error.message) from None

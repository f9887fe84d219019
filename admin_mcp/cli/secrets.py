"""``secrets``: the values of new keys that were kept from the model."""

from contextlib import suppress
from pathlib import Path

import click

from admin_mcp.api.secret_sink import SUFFIX
from admin_mcp.cli.options import json_option, settings_beside
from admin_mcp.cli.times import utc_time
from admin_mcp.gate.text import visible
from admin_mcp.suggestions import nearest

_LONGEST = 4096


@click.group()
def secrets() -> None:
    """See and delete the files that new keys were saved to. Values are never printed: open the file."""


@secrets.command("list")
@json_option
@click.pass_context
def list_all(context: click.Context, /, *, as_json: bool) -> None:
    """List the files, the newest first."""
    from admin_mcp.cli.tables import Column, field, moment, print_list  # noqa: PLC0415 - each command loads only what it needs

    directory = _directory(context)
    rows = [{"name": name, "saved_at": utc_time(saved), "file": str(path)} for name, path, saved in _kept(directory)]
    columns = (
        Column("Name", field("name")),
        moment("Saved", "saved_at"),
        Column("File", field("file")),
    )
    if rows or as_json:
        print_list(columns, rows, json=as_json)
    if not rows:
        click.echo(f"No keys are saved in {directory}.", err=True)


@secrets.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Don't ask before deleting.")
@click.pass_context
def delete(context: click.Context, /, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete saved values, by name or file as `secrets list` shows them. The keys themselves stay valid."""
    directory = _directory(context)
    known = {shown: path for name, path, _ in _kept(directory) for shown in (name, path.name, str(path))}
    chosen = dict.fromkeys(known[name] for name in names if name in known)
    if unknown := [name for name in names if name not in known]:
        near = nearest(unknown[0], known)
        raise click.ClickException(
            f"There is no saved key {visible(unknown[0])} in {directory}.{near} `secrets list` shows those there are."
        )
    if not yes:
        for path in chosen:
            click.echo(visible(str(path), _LONGEST))
        whose = "this file? The value is nowhere else" if len(chosen) == 1 else "these? The values are nowhere else"
        if not click.confirm(f"Delete {whose}."):
            click.echo("Nothing was deleted.")
            return
    for path in chosen:
        _delete(path)


def _delete(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise click.ClickException(f"{path} could not be deleted: {error.strerror}") from None
    click.echo(f"Deleted {visible(str(path), _LONGEST)}. The key itself is still valid.")


def _kept(directory: Path) -> list[tuple[str, Path, float]]:
    """Return each saved value's name, file and time, the newest first; one that vanishes meanwhile is left out."""
    found = []
    for path in directory.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):
            found.append((path.name.removesuffix(SUFFIX), path, path.stat().st_mtime))
    return sorted(found, key=lambda each: -each[2])


def _directory(context: click.Context) -> Path:
    return settings_beside(context).state_dir / "secrets"

"""``secrets``: the values of new keys that were kept from the model."""

from datetime import datetime
from pathlib import Path

import click

from admin_mcp.api.secret_sink import SUFFIX
from admin_mcp.cli.options import settings_beside


@click.group()
def secrets() -> None:
    """See and delete the files that new keys were saved to. Values are never printed: open the file."""


@secrets.command("list")
@click.pass_context
def list_all(context: click.Context, /) -> None:
    """List the files, the newest first."""
    directory = _directory(context)
    files = sorted(directory.glob(f"*{SUFFIX}"), key=lambda path: -path.stat().st_mtime)
    for path in files:
        saved = datetime.fromtimestamp(path.stat().st_mtime).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        click.echo(f"{path.name.removesuffix(SUFFIX)}  saved {saved}  {path}")
    if not files:
        click.echo(f"No keys are saved in {directory}.", err=True)


@secrets.command()
@click.argument("name")
@click.pass_context
def delete(context: click.Context, /, name: str) -> None:
    """Delete one saved value; the key itself stays valid."""
    directory = _directory(context)
    names = {path.name.removesuffix(SUFFIX): path for path in directory.glob(f"*{SUFFIX}")}
    if name not in names:
        raise click.ClickException(f"no saved key {name} in {directory}; `secrets list` shows those there are")
    try:
        names[name].unlink()
    except OSError as error:
        raise click.ClickException(f"{names[name]} could not be deleted: {error.strerror}") from None
    click.echo(f"Deleted {names[name]}. The key itself is still valid.")


def _directory(context: click.Context) -> Path:
    return settings_beside(context).state_dir / "secrets"

"""``config`` and ``install``: put this server into an MCP host."""

import difflib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

import click

from admin_mcp.cli.claude_desktop import claude_desktop_file, merged, shown
from admin_mcp.cli.host_table import HOSTS
from admin_mcp.cli.options import settings_of, settings_options
from admin_mcp.cli.snippets import SERVER, Launch
from admin_mcp.endpoints.schema import Json
from admin_mcp.settings import PLACEHOLDER_KEY


@click.command()
@click.argument("host", type=click.Choice(list(HOSTS)))
@settings_options
@click.pass_context
def config(context: click.Context, /, host: str, **flags: object) -> None:
    """Print what a host needs to start this installation, with the flags that were given, ready to paste."""
    settings_of(context, flags)
    chosen = HOSTS[host]
    click.echo(chosen.snippet(_launch(context, flags)))
    click.echo(f"openai-admin-mcp: for {chosen.title}, this goes into {chosen.where}.", err=True)


class _Install(click.Group):
    """The hosts whose configuration can be written; of another one it says how to get what to paste."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in HOSTS and args[0] not in self.commands:
            ctx.fail(f"{args[0]}'s configuration is not written for you: use config {args[0]}, which prints it.")
        return super().resolve_command(ctx, args)


@click.group(cls=_Install)
def install() -> None:
    """Write this server into a host's own configuration."""


@install.command("claude-desktop")
@click.option("--dry-run", is_flag=True, help="Show the change and write nothing.")
@click.option("--yes", is_flag=True, help="Don't ask before writing.")
@click.option("--file", type=click.Path(path_type=Path), help="The file, if it is not in its usual place.")
@settings_options
@click.pass_context
def claude_desktop(context: click.Context, /, *, dry_run: bool, yes: bool, file: Path | None, **flags: object) -> None:
    """Add this installation to Claude Desktop, with the flags that were given. Other servers are left alone.

    The change is shown first, without anybody's secrets, and the present file is kept beside the new one.
    """
    settings_of(context, flags)
    path = (file or claude_desktop_file(sys.platform, Path.home(), os.environ.get("APPDATA"))).expanduser().resolve()
    text = _read(path)
    before = _parsed(path, text)
    launch = _launch(context, flags)
    try:
        after = merged(before, launch)
    except TypeError as error:
        raise click.ClickException(f"{path}: {error}; nothing was written") from None
    click.echo(f"{path}:")
    if after == before:
        click.echo("Nothing to do: it starts this installation with these flags already.")
        return
    click.echo(_difference(before, after))
    if not path.parent.is_dir():
        missing = f"{path.parent} is not there: install Claude Desktop and start it once, or give the file with --file."
        if not dry_run:
            raise click.ClickException(f"{missing} Nothing was written.")
        click.echo(f"Note: {missing}", err=True)
    if dry_run:
        click.echo("Dry run: nothing was written.")
        return
    if not yes and not click.confirm("Write this?"):
        click.echo("Nothing was written.")
        return
    if _read(path) != text:
        raise click.ClickException(f"{path} was changed by something else meanwhile; nothing was written. Try again.")
    _replace(path, text, after)
    if after["mcpServers"][SERVER].get("env", {}).get("OPENAI_ADMIN_KEY") == PLACEHOLDER_KEY:
        click.echo(f"Put your admin key in place of {PLACEHOLDER_KEY} in that file.")
    click.echo("Restart Claude Desktop.")


def _launch(context: click.Context, flags: Mapping[str, object]) -> Launch:
    """Return the launch with every flag that was given, before the command or after it."""
    given = {**cast("Mapping[str, object]", context.find_root().obj or {}), **_set(flags)}
    words: list[str] = []
    for name, value in _set(given).items():
        flag = f"--{name.replace('_', '-')}"
        words += [flag] if value is True else [flag, str(value)]
    return Launch.of(words)


def _set(flags: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in flags.items() if value is not None}


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path} can't be read ({error}); nothing was written") from None


def _parsed(path: Path, text: str | None) -> Json:
    try:
        value = json.loads(text) if text and text.strip() else {}
    except ValueError as error:
        raise click.ClickException(f"{path} is not JSON ({error}); correct it first, nothing was written") from None
    if not isinstance(value, dict):
        raise click.ClickException(f"{path} holds no JSON object; nothing was written")
    return value


def _difference(before: Json, after: Json) -> str:
    now, then = (json.dumps(shown(each), indent=2, ensure_ascii=False).splitlines() for each in (before, after))
    return "\n".join(difflib.unified_diff(now, then, "now", "then", lineterm=""))


def _replace(path: Path, text: str | None, config: Json) -> None:
    """Keep the present file as a backup and put the new one in its place, in one step."""
    try:
        if text is not None:
            backup = path.with_name(f"{path.name}.backup-{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}")
            backup.touch(mode=0o600, exist_ok=False)
            backup.write_bytes(path.read_bytes())
            click.echo(f"Kept the present file as {backup}")
        number, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # only this user can read it
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(json.dumps(config, indent=2, ensure_ascii=False) + "\n")
        Path(name).replace(path)
    except OSError as error:
        raise click.ClickException(f"{path} could not be written ({error}); it is as it was") from None

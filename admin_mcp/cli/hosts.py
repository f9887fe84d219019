"""``config``, ``install`` and ``uninstall``: put this server into an MCP host, and take it out again."""

import difflib
import errno
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import click

from admin_mcp.cli.host_files import Place, UnfitFileError, key_of, key_state, merged, parsed, shown, without
from admin_mcp.cli.host_table import HOSTS, WRITTEN, Host
from admin_mcp.cli.options import Known, settings_of, settings_options
from admin_mcp.cli.snippets import KEY, SERVER, Launch, as_toml, cursor_link, is_reference, vscode_link
from admin_mcp.cli.toml_tables import rewritten, with_ends_of
from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.text import unhidden
from admin_mcp.settings import PLACEHOLDER_KEY

_LINKS: Mapping[str, Callable[[Launch], str]] = {"cursor": cursor_link, "vscode": vscode_link}
_CARE = "Other servers are left alone; the change is shown first, without secrets, and the present file is kept."


@click.command(
    short_help="Print what a host needs to start this installation.", epilog=f"HOST is one of {', '.join(HOSTS)}."
)
@click.argument("host", type=Known(list(HOSTS)), metavar="HOST")
@click.option("--link", is_flag=True, help="A link to open that has the host add it: for Cursor and VS Code.")
@settings_options
@click.pass_context
def config(context: click.Context, /, host: str, *, link: bool, **flags: object) -> None:
    """Print what a HOST needs to start this installation, with the flags that were given, ready to paste."""
    settings_of(context, flags)
    chosen = HOSTS[host]
    if link:
        if host not in _LINKS:
            raise click.UsageError(f"--link: {chosen.title} takes none; there are links for {' and '.join(_LINKS)}")
        click.echo(_LINKS[host](_launch(context, flags)))
        click.echo(f"openai-admin-mcp: open it on this machine; {chosen.title} asks before it adds anything.", err=True)
        return
    click.echo(chosen.snippet(_launch(context, flags)))
    click.echo(f"openai-admin-mcp: for {chosen.title}, this goes into {_where(chosen)}.", err=True)


def _where(host: Host) -> str:
    """Say where a host's configuration is, by its full path unless it is named by one already."""
    if host.file is None or host.where.startswith("~"):
        return host.where
    return f"{host.where}, here {host_file(host)}"


class _Written(click.Group):
    """The hosts whose configuration can be written; of another one it says how to get what to paste."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in HOSTS and args[0] not in self.commands:
            ctx.fail(f"{args[0]}'s configuration is not written for you: use config {args[0]}, which prints it.")
        return super().resolve_command(ctx, args)


@click.group(cls=_Written)
def install() -> None:
    """Write this server into a host's own configuration."""


@click.group(cls=_Written)
def uninstall() -> None:
    """Take this server out of a host's own configuration."""


def _writing_options(command: Any) -> Any:  # noqa: ANN401 - click's decorators are typed for any callable
    for option in (
        click.option("--dry-run", is_flag=True, help="Show the change and write nothing."),
        click.option("--yes", is_flag=True, help="Don't ask before writing."),
        click.option("--file", type=click.Path(path_type=Path), help="The file, if it is not in its usual place."),
    ):
        command = option(command)
    return command


def _install_into(host: Host) -> click.Command:
    @click.command(
        host.name,
        help=f"Add this installation to {host.title}, with the flags given. {_CARE}",
        short_help=f"Add this installation to {host.title}.",
    )
    @_writing_options
    @settings_options
    @click.pass_context
    def into(context: click.Context, /, *, dry_run: bool, yes: bool, file: Path | None, **flags: object) -> None:
        settings_of(context, flags)
        launch = _launch(context, flags)
        change = _Change.of(host, file, lambda config: merged(host.shape(), config, launch), _put_in(host))
        if change.is_none():
            click.echo("Nothing to do: it starts this installation with these flags already.")
        elif change.make(dry_run=dry_run, yes=yes):
            _tell_about_key(change)
            click.echo(f"Restart {host.title}.")

    return into


def _uninstall_from(host: Host) -> click.Command:
    @click.command(host.name, help=f"Take this server out of {host.title}. {_CARE}")
    @_writing_options
    def out_of(*, dry_run: bool, yes: bool, file: Path | None) -> None:
        change = _Change.of(host, file, lambda config: without(host.shape(), config), _take_out(host))
        if change.is_none():
            click.echo(f"Nothing to do: this server is not in it (it would be called {SERVER}).")
        elif change.make(dry_run=dry_run, yes=yes):
            click.echo(f"Restart {host.title}. What the server has recorded, and an admin key, are still there.")

    return out_of


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of a host's configuration: shown, agreed to, and made."""

    host: Host
    path: Path
    text: str | None
    before: Json
    after: Json

    @classmethod
    def of(cls, host: Host, file: Path | None, change: Callable[[Json], Json], by_hand: str) -> "_Change":
        path = host_file(host, file)
        text = _read(path)
        try:
            before = parsed(host.shape(), text)
            after = change(before)
        except UnfitFileError as error:
            raise click.ClickException(f"{path} {error}; nothing was written. {by_hand}") from None
        click.echo(f"{path}:")
        return cls(host, path, text, before, after)

    def is_none(self) -> bool:
        return self.before == self.after

    def make(self, *, dry_run: bool, yes: bool) -> bool:
        """Show it, and write it if that is agreed to; whether it was written."""
        written = self._written()
        click.echo(self._difference())
        self._need_the_host(dry_run=dry_run)
        if dry_run:
            click.echo("Dry run: nothing was written.")
            return False
        if not yes and not click.confirm("Write this?"):
            click.echo("Nothing was written.")
            return False
        if _read(self.path) != self.text:
            raise click.ClickException(
                f"{self.path} was changed by something else meanwhile; nothing was written. Try again."
            )
        _replace(self.path, self.text, written)
        return True

    def _written(self) -> str:
        shape = self.host.shape()
        if shape.write is not as_toml:
            return with_ends_of(self.text, shape.write(self.after) + "\n")
        try:
            return rewritten(self.text or "", shape.section, self.after)
        except ValueError as error:
            raise click.ClickException(
                f"{self.path}: {error}; nothing was written. Change it by hand: config {self.host.name} prints it."
            ) from None

    def _difference(self) -> str:
        shape = self.host.shape()
        now, then = (shape.write(shown(shape, each)).split("\n") for each in (self.before, self.after))
        return "\n".join(map(unhidden, difflib.unified_diff(now, then, "now", "then", lineterm="")))

    def _need_the_host(self, *, dry_run: bool) -> None:
        if self.path.parent.is_dir():
            return
        title = self.host.title
        missing = f"{self.path.parent} is not there: install {title} and start it once, or give the file with --file."
        if not dry_run:
            raise click.ClickException(f"{missing} Nothing was written.")
        click.echo(f"Note: {missing}", err=True)


def _put_in(host: Host) -> str:
    return f"Correct it first, or paste what config {host.name} prints."


def _take_out(host: Host) -> str:
    return f'Take "{SERVER}" out of its "{host.shape().section}" by hand, if it is there.'


def _tell_about_key(change: _Change) -> None:
    shape = change.host.shape()
    entry = change.after[shape.section][SERVER]
    key = key_of(shape, entry)
    if key == PLACEHOLDER_KEY:
        click.echo(f"Put your admin key in place of {PLACEHOLDER_KEY} in that file.")
    elif is_reference(key) and "input:" in str(key):
        click.echo(f"{change.host.title} asks for your admin key when it starts the server, and keeps it.")
    elif key_state(shape, entry) == "passed on":
        click.echo(f"{change.host.title} passes on {KEY}: set it where {change.host.title} is started.")


def host_file(host: Host, given: Path | None = None) -> Path:
    """Return a host's configuration file: the one given, or where the host keeps it here."""
    try:
        if given is None:
            assert host.file is not None, host  # noqa: S101 - only such hosts can be named
            given = host.file(Place(sys.platform, Path.home(), os.environ))
        place = given.expanduser()
    except RuntimeError as error:  # nobody knows whose home that is
        raise click.ClickException(f"{given or host.title}: {error}") from None
    try:
        return place.resolve()
    except (OSError, RuntimeError):  # links that lead to one another: whoever reads it is told
        return place.absolute()


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
        return read_file(path)
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path} can't be read ({error}); nothing was written") from None


def read_file(path: Path) -> str | None:
    """Return what a host's file has, or None if there is none.

    Raises:
        OSError: it can't be read.
        UnicodeDecodeError: it is no text.

    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep whoever reads it for ever
            raise OSError(errno.EINVAL, "it is no regular file")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None


def _replace(path: Path, text: str | None, new: str) -> None:
    """Keep the present file as a backup and put the new one in its place, in one step."""
    try:
        if text is not None:
            backup = path.with_name(f"{path.name}.backup-{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}")
            backup.touch(mode=0o600, exist_ok=False)
            backup.write_bytes(path.read_bytes())
            _give(backup, path)
            click.echo(f"Kept the present file as {backup}")
        number, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # only this user can read it
        aside = Path(name)
        try:
            with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
                file.write(new)
            _give(aside, path if text is not None else path.parent)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise click.ClickException(f"{path} could not be written ({error}); it is as it was") from None


def _give(path: Path, like: Path) -> None:
    """Where root installs for somebody, have a file belong to them: the host could not read root's."""
    if os.name == "posix" and os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


for _host in WRITTEN.values():
    install.add_command(_install_into(_host))
    uninstall.add_command(_uninstall_from(_host))

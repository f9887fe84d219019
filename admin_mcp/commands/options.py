"""What all commands share: the flags that choose the settings, and the way from flags to settings and records."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from admin_mcp.errors import SettingsError
from admin_mcp.settings import Settings, load_settings

if TYPE_CHECKING:
    from admin_mcp.gate.records import Records

_OPTIONS = (
    click.option("--sandbox", is_flag=True, default=None, help="Serve a pretend organization: no key, no network."),
    click.option("--seed", type=int, help="With --sandbox: another organization of the same kind."),
    click.option(
        "--faults", help="With --sandbox: what goes wrong, such as 429=10%,500=5%,drop=2%,garbage=1%,latency=0.3"
    ),
    click.option("--read-only", is_flag=True, default=None, help="Neither list nor run tools that change something."),
    click.option("--toolsets", help="Only these: people, projects, spend, security, read or a resource; see `tools`."),
    click.option("--tools", help="Only these tools, or beside --toolsets also these; names or globs such as list_*."),
    click.option("--exclude-tools", help="Not these tools; names or globs."),
    click.option("--search", is_flag=True, default=None, help="List four tools that find and call the others."),
    click.option(
        "--approval",
        type=click.Choice(["auto", "elicit", "local", "two-step", "none"]),
        help="How changes are approved: by the client's form or else on this machine (auto), only the one (elicit) or "
        "the other (local), by a second tool call (two-step), or not at all (none).",
    ),
    click.option("--config", type=click.Path(path_type=Path), help="The policy file, by its full path."),
    click.option(
        "--state-dir", type=click.Path(path_type=Path), help="Where approvals, journal and new keys are kept."
    ),
)


def settings_options(command: Any) -> Any:  # noqa: ANN401 - click's decorators are typed for any callable
    """Give a command the flags."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_of(context: click.Context, flags: Mapping[str, object] | None = None) -> Settings:
    """Return the settings: the environment, below the flags before the command, below those after it.

    Raises:
        click.UsageError: they make no sense.

    """
    given = {**cast("Mapping[str, object]", context.obj), **_given(flags or {})}
    try:
        return load_settings(**_given(given))
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def records_of(context: click.Context) -> "Records":
    """Return what the settings' state directory keeps."""
    from admin_mcp.gate.records import open_records  # noqa: PLC0415 - only some commands need it

    return open_records(settings_of(context))


def _given(flags: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in flags.items() if value is not None}

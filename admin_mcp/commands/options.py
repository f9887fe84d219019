"""What all commands share: the flags that choose the settings, and the way from flags to settings and records."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from admin_mcp.errors import SettingsError
from admin_mcp.settings import FLAGS, ApprovalMode, Settings, load_settings

if TYPE_CHECKING:
    from admin_mcp.gate.records import Records

_TYPES: dict[str, Any] = {
    "seed": int,
    "approval": click.Choice(get_args(ApprovalMode)),
    "config": click.Path(path_type=Path),
    "state_dir": click.Path(path_type=Path),
}


def _option(name: str) -> Any:  # noqa: ANN401 - click's decorators are typed for any callable
    field = Settings.model_fields[name]
    switch: dict[str, Any] = {"is_flag": True, "default": None} if field.annotation is bool else {}
    return click.option(f"--{name.replace('_', '-')}", type=_TYPES.get(name), help=field.description, **switch)


def settings_options(command: Any) -> Any:  # noqa: ANN401 - click's decorators are typed for any callable
    """Give a command the flags."""
    for name in reversed(FLAGS):
        command = _option(name)(command)
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

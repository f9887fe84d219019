"""What all commands share: the flags that choose the settings, and the way from flags to settings and records."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from admin_mcp.errors import SettingsError
from admin_mcp.settings import FLAGS, ApprovalMode, Settings, load_settings, require_effect, spelt
from admin_mcp.suggestions import nearest

if TYPE_CHECKING:
    from admin_mcp.gate.storage import GateStorage


class Known(click.Choice[str]):
    """One of some names; a wrong one is told with those most like it, or with all there are."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """Say what may have been meant."""
        del ctx
        near = nearest(str(value), self.choices)
        return f"{value!r} is not known.{near or ' There are ' + ', '.join(self.choices) + '.'}"


_TYPES: dict[str, Any] = {
    "seed": int,
    "people": int,
    "projects": int,
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


def json_option(command: Any) -> Any:  # noqa: ANN401 - click's decorators are typed for any callable
    """Give a command the flag that has it print JSON."""
    return click.option("--json", "as_json", is_flag=True, help="As JSON, for programs; times are in UTC.")(command)


def settings_of(context: click.Context, flags: Mapping[str, object] | None = None) -> Settings:
    """Return the settings: the environment, below the flags before the command, below those after it.

    Raises:
        click.UsageError: they make no sense, or one of them would do nothing.

    """
    given = _given({**cast("Mapping[str, object]", context.obj), **_given(flags or {})})
    with _as_usage_error():
        settings = load_settings(**given)
        require_effect(settings, given)
        _require_known_faults(settings, given)
    return settings


def _require_known_faults(settings: Settings, given: Collection[str]) -> None:
    from admin_mcp.sandbox.faults import FaultsError, parse_faults  # noqa: PLC0415 - only the sandbox has them

    try:
        parse_faults(settings.faults)
    except FaultsError as error:
        raise SettingsError(f"{spelt('faults', given)}: {error}") from None


def settings_beside(context: click.Context) -> Settings:
    """Return the settings for a command that looks only at what servers have kept.

    It may run in the environment of a server that a flag has told to serve the sandbox, so that settings for the
    sandbox alone are no mistake there.

    Raises:
        click.UsageError: they make no sense.

    """
    with _as_usage_error():
        return load_settings(**_given(cast("Mapping[str, object]", context.obj)))


def line_for(context: click.Context, *words: str) -> str:
    """Return what a person types to run another command of this program under the flags in use."""
    from admin_mcp.installation import PROGRAM, typed  # noqa: PLC0415 - most commands lead to no other

    given = _given(cast("Mapping[str, object]", context.find_root().obj or {}))
    flags = [part for name in FLAGS if name in given for part in _as_typed(name, given[name])]
    return typed(PROGRAM, *flags, *words)


def _as_typed(name: str, value: object) -> tuple[str, ...]:
    flag = f"--{name.replace('_', '-')}"
    return (flag,) if value is True else (flag, str(value))


@contextmanager
def _as_usage_error() -> Iterator[None]:
    try:
        yield
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def storage_of(context: click.Context) -> "GateStorage":
    """Return what the settings' state directory keeps."""
    from admin_mcp.gate.storage import open_storage  # noqa: PLC0415 - only some commands need it

    return open_storage(settings_beside(context))


def _given(flags: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in flags.items() if value is not None}

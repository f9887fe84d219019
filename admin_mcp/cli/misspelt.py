"""What is said of an option in the wrong place, and of a command that is not there, besides that it is not."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from admin_mcp.suggestions import nearest


@contextmanager
def with_hints(root: click.Context) -> Iterator[None]:
    """Say where an option goes that is the program's and not the command's, and which command may have been meant."""
    try:
        yield
    except click.NoSuchOption as error:
        option = _option_of(root, error.option_name)
        if option is None or error.ctx is None:
            raise
        raise click.UsageError(_goes_before(root, error.ctx, error.option_name, option), error.ctx) from None
    except click.UsageError as error:
        # Earlier versions of click have no class for it, and no name to offer another for.
        name, offered = getattr(error, "command_name", None), getattr(error, "possibilities", None)
        if name is None or offered or error.ctx is None or not isinstance(error.ctx.command, click.Group):
            raise
        near = nearest(name, error.ctx.command.list_commands(error.ctx))
        raise click.UsageError(f"{error.message}{near}", error.ctx) from None


def _option_of(root: click.Context, name: str) -> click.Option | None:
    return next((each for each in root.command.params if isinstance(each, click.Option) and name in each.opts), None)


def _goes_before(root: click.Context, at: click.Context, name: str, option: click.Option) -> str:
    words = at.command_path.removeprefix(f"{root.command_path} ")
    given = name if option.is_flag else f"{name} ..."
    return f"{name} goes before the command: {root.command_path} {given} {words}"

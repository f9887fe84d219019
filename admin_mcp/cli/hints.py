"""What an error says to the person at a terminal: the commands that do there what a hint has a model do with a tool."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click

from admin_mcp.cli.options import line_for
from admin_mcp.errors import CallError

_COMMANDS = {
    "list_plans": ("plans", "list"),
    "get_plan": ("plans", "show"),
    "apply_plan": ("plans", "apply"),
    "undo_plan": ("journal", "undo"),
    "undo_change": ("journal", "undo"),
    "list_changes": ("journal", "list"),
}
_LISTS = frozenset({"list_plans", "list_changes"})
_TOOLS = re.compile(rf"\b({'|'.join(_COMMANDS)})\b")


@contextmanager
def explained(context: click.Context, about: str = "ID") -> Iterator[None]:
    """Turn what went wrong into one clear sentence; ``about`` is the id of the plan or change that was asked for."""
    try:
        yield
    except CallError as error:
        raise click.ClickException(in_commands(context, error.told_to_operator, about)) from None


def in_commands(context: click.Context, text: str, about: str = "ID") -> str:
    """Return a text with the command to type in the place of each tool that does the same."""

    def command(found: re.Match[str]) -> str:
        words = _COMMANDS[found[0]]
        return f"`{line_for(context, *words, *([] if found[0] in _LISTS else [about]))}`"

    return _TOOLS.sub(command, text)

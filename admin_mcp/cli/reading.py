"""What a command reads with: the gate, the API and the catalog, as a server with these settings would have them."""

import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from admin_mcp.errors import CallError, InvalidInput

if TYPE_CHECKING:
    from admin_mcp.gate.storage import GateStorage
    from admin_mcp.settings import Settings
    from admin_mcp.tools.endpoint_tool import Installation

FOUND = 3
"""The exit code that says that something was found which the operator asked to be told of."""


@asynccontextmanager
async def installed(settings: "Settings", storage: "GateStorage") -> "AsyncIterator[Installation]":
    """Yield what the tools of a server with these settings share."""
    from admin_mcp.api.connection import connected  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.catalog import compiled_catalog  # noqa: PLC0415
    from admin_mcp.cli.policy import operator_policy  # noqa: PLC0415
    from admin_mcp.gate.gate import open_gate  # noqa: PLC0415
    from admin_mcp.tools.endpoint_tool import Installation  # noqa: PLC0415

    catalog = compiled_catalog()
    policy = operator_policy(settings)
    async with connected(settings, catalog) as api:
        gate = open_gate(settings, policy, catalog, api, storage)
        yield Installation(catalog, gate, api, settings.answer_bytes)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what went wrong into one clear sentence: exit code 2 for what was typed, 1 for all else."""
    try:
        yield
    except InvalidInput as error:
        raise click.UsageError(error.told_to_operator) from None
    except CallError as error:
        raise click.ClickException(error.told_to_operator) from None


def require_place(output: Path | None) -> None:
    """Fail before anything is read if there is no directory for the file to be."""
    if output is not None and not output.parent.is_dir():
        raise click.ClickException(f"{output} can't be written: there is no directory {output.parent}")


def put(text: str, output: Path | None) -> None:
    """Write a text to a file of this user's alone, or to stdout."""
    from admin_mcp.private_files import replace_private  # noqa: PLC0415

    if output is None:
        sys.stdout.write(f"{text}\n")
        return
    try:
        replace_private(output, f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise click.ClickException(f"{output} can't be written: {error.strerror}") from None
    click.echo(f"Wrote {output}.", err=True)


def put_lines(lines: Iterable[str], output: Path | None) -> None:
    """Write lines as they come to stdout, or together to a file of this user's alone."""
    if output is not None:
        put("\n".join(lines), output)
        return
    for line in lines:
        sys.stdout.write(f"{line}\n")

"""The command line, thin: parse, call, print. While serving, stdout belongs to the protocol alone."""

import json
import logging
import os
import signal
import sys
import time
from types import FrameType
from typing import Any, NoReturn

import click

from admin_mcp import __version__
from admin_mcp.errors import SettingsError
from admin_mcp.settings import Settings, load_settings

_SERVE_OPTIONS = (
    click.option("--sandbox", is_flag=True, default=None, help="Serve a pretend organization: no key, no network."),
    click.option("--read-only", is_flag=True, default=None, help="Neither list nor run tools that change something."),
    click.option(
        "--approval",
        type=click.Choice(["auto", "elicit", "none"]),
        help="How a person approves changes: through the client's forms (auto, elicit), or not at all (none).",
    ),
)


def _serve_options(command: Any) -> Any:  # noqa: ANN401 - click's decorators are typed for any callable
    for option in reversed(_SERVE_OPTIONS):
        command = option(command)
    return command


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": None},
)
@_serve_options
@click.version_option(__version__, prog_name="openai-admin-mcp")
@click.pass_context
def main(context: click.Context, /, **flags: object) -> None:
    """Serve the OpenAI Admin API as MCP tools over stdio, every change behind a person's approval.

    Without a command, serve. The key is read from OPENAI_ADMIN_KEY; every flag is also ADMIN_MCP_<FLAG>.
    """
    context.obj = flags
    if context.invoked_subcommand is None:
        _serve(_settings(flags))


@main.command()
@_serve_options
@click.pass_context
def serve(context: click.Context, /, **flags: object) -> None:
    """Serve MCP over stdin and stdout (the default)."""
    _serve(_settings({**context.obj, **{name: value for name, value in flags.items() if value is not None}}))


@main.command()
@click.option("--json", "form", flag_value="json", default=True, help="As a client gets it (the default).")
@click.option("--markdown", "form", flag_value="markdown", help="As a page to read.")
@click.pass_context
def tools(context: click.Context, /, form: str) -> None:
    """Print the tools."""
    from admin_mcp.catalog import compiled_catalog  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.listing import markdown, selected  # noqa: PLC0415

    chosen = selected(compiled_catalog().tools, read_only=_settings(context.obj).read_only)
    if form == "markdown":
        click.echo(markdown(chosen), nl=False)
    else:
        click.echo(json.dumps({"tools": chosen}, indent=1, ensure_ascii=False))


@main.command()
@click.argument("host", type=click.Choice(["claude-desktop"]))
@click.pass_context
def config(context: click.Context, /, host: str) -> None:
    """Print a host's configuration for this installation, ready to paste."""
    from admin_mcp.hosts import snippet  # noqa: PLC0415

    click.echo(snippet(host, sandbox=_settings(context.obj).sandbox))


@main.command()
def demo() -> None:
    """Watch an MCP client drive this server against the sandbox: read, ask, decline, ask again, approve."""
    import anyio  # noqa: PLC0415

    from admin_mcp.demo import run_demo  # noqa: PLC0415

    anyio.run(run_demo, click.echo)


def _settings(flags: dict[str, object]) -> Settings:
    try:
        return load_settings(**{name: value for name, value in flags.items() if value is not None})
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def _serve(settings: Settings) -> None:
    import anyio  # noqa: PLC0415

    _log_to_stderr(settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_now)
    anyio.run(_serve_stdio, settings)
    # The transport's reader thread may still sit in a read of stdin, which a normal exit would wait for.
    sys.stderr.flush()
    os._exit(0)


async def _serve_stdio(settings: Settings) -> None:
    from admin_mcp.catalog import compiled_catalog  # noqa: PLC0415
    from admin_mcp.gate.approvals import MemoryApprovals  # noqa: PLC0415
    from admin_mcp.server import admin_server  # noqa: PLC0415
    from admin_mcp.stdio import checked_stdio  # noqa: PLC0415

    approvals = MemoryApprovals(time.monotonic)
    async with (
        admin_server(settings, compiled_catalog(), approvals) as server,
        checked_stdio() as (read_stream, write_stream),
    ):
        await server.run(read_stream, write_stream, server.create_initialization_options())


def _log_to_stderr(settings: Settings) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="openai-admin-mcp: %(levelname)s: %(message)s")
    where = (
        settings.target.label if settings.sandbox or settings.admin_key else "no admin key is set (OPENAI_ADMIN_KEY)"
    )
    changes = "read-only" if settings.read_only else f"approval: {settings.approval}"
    click.echo(f"openai-admin-mcp {__version__}: {where}; {changes}", err=True)
    if settings.approval == "none":
        click.echo("openai-admin-mcp: WARNING: --approval none: every change is made WITHOUT asking anyone.", err=True)


def _end_now(number: int, frame: FrameType | None) -> NoReturn:
    """End at once: a reader thread blocked on stdin would hold up an orderly exit until the client hangs up."""
    del frame
    os._exit(128 + number)

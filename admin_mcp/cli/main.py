"""The command line, thin: parse, call, print. While serving, stdout belongs to the protocol alone."""

import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from admin_mcp import __version__
from admin_mcp.cli.approvals import approvals, inbox
from admin_mcp.cli.doctor import doctor
from admin_mcp.cli.endings import interrupted_with, until_enough_was_read
from admin_mcp.cli.evidence import evidence
from admin_mcp.cli.hosts import config, install, uninstall
from admin_mcp.cli.journal import journal
from admin_mcp.cli.misspelt import with_hints
from admin_mcp.cli.options import settings_of, settings_options
from admin_mcp.cli.plans import plans
from admin_mcp.cli.policy import operator_policy, policy
from admin_mcp.cli.report import report
from admin_mcp.cli.sandbox import sandbox
from admin_mcp.cli.secrets import secrets
from admin_mcp.errors import SettingsError
from admin_mcp.settings import Settings

if TYPE_CHECKING:
    from admin_mcp.gate.policy import Policy
    from admin_mcp.gate.storage import GateStorage
    from admin_mcp.server.front import Handed

logger = logging.getLogger(__name__)
_HANDED = "admin_mcp.handed"

_FOR_A_PERSON = """\
This waits for an MCP client on its standard input, and does nothing else: hosts start it by themselves. Ctrl-C ends it.
You may have wanted one of these:
  openai-admin-mcp install claude-desktop    add it to a host (also claude-code, cursor, vscode, codex, gemini)
  openai-admin-mcp config HOST               print what another host needs
  openai-admin-mcp doctor                    see whether all is well
  openai-admin-mcp demo                      watch it work, without a key
  openai-admin-mcp inbox                     keep a page of what waits for you open
  openai-admin-mcp --help                    all commands and flags"""


class _OneLineError(click.ClickException):
    """A wrong setting, told in one line: a host's log is where people read it."""

    exit_code = 2


class _Main(click.Group):
    """The commands; without one, or with ``serve``, wrong settings are told in one line."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's own signature
    ) -> click.Context:
        with until_enough_was_read(), _in_one_line(lambda: True):
            return super().make_context(info_name, args, parent, **extra)
        raise click.exceptions.Exit(0)  # what was printed, such as the help, found no reader

    def invoke(self, ctx: click.Context) -> object:
        with (
            until_enough_was_read(),
            interrupted_with("Stopped."),
            with_hints(ctx),
            _in_one_line(lambda: ctx.invoked_subcommand in {None, serve.name}),
        ):
            return super().invoke(ctx)


@contextmanager
def _in_one_line(wanted: Callable[[], bool]) -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        if not wanted():
            raise
        said = " ".join(error.format_message().split())
        stop = "" if said.endswith((".", "?")) else "."
        raise _OneLineError(f"{said}{stop} See openai-admin-mcp --help") from None


@click.group(
    cls=_Main,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": None},
)
@settings_options
@click.version_option(__version__, prog_name="openai-admin-mcp")
@click.pass_context
def main(context: click.Context, /, **flags: object) -> None:
    """Serve the OpenAI Admin API as MCP tools over stdio, every change behind a person's approval.

    Without a command, serve. The key is read from OPENAI_ADMIN_KEY; every flag is also ADMIN_MCP_<FLAG>.
    """
    if context.obj is not None:
        context.meta[_HANDED] = context.obj
    context.obj = flags
    if context.invoked_subcommand is None:
        _serve(settings_of(context), context.meta.get(_HANDED))


@main.command()
@settings_options
@click.pass_context
def serve(context: click.Context, /, **flags: object) -> None:
    """Serve MCP over stdin and stdout (the default)."""
    _serve(settings_of(context, flags), context.meta.get(_HANDED))


@main.command(short_help="Print what a selection of tools costs a model.")
@click.option("--json", "form", flag_value="json", help="The tools as a client gets them.")
@click.option("--markdown", "form", flag_value="markdown", help="The tools as a page to read.")
@settings_options
@click.pass_context
def tools(context: click.Context, /, form: str | None, **flags: object) -> None:
    """Print what the chosen tools, and each toolset, cost a model; or the tools themselves."""
    from admin_mcp.cli.tool_pages import markdown, summary  # noqa: PLC0415
    from admin_mcp.tools.definitions import every_definition  # noqa: PLC0415
    from admin_mcp.tools.search import search_tools  # noqa: PLC0415
    from admin_mcp.tools.selection import selection_of  # noqa: PLC0415

    settings, every = settings_of(context, flags), every_definition()
    try:
        chosen = selection_of(settings).of(every)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    listed = search_tools() if settings.search else chosen
    if form == "markdown":
        click.echo(markdown(chosen), nl=False)
    elif form == "json":
        click.echo(json.dumps({"tools": listed}, indent=1, ensure_ascii=False))
    else:
        click.echo(summary(listed, every, search_tools()))


@main.command(short_help="Watch a client drive this server against the sandbox.")
def demo() -> None:
    """Watch an MCP client drive this server against the sandbox: read, ask, be put off, ask again, be approved."""
    import anyio  # noqa: PLC0415

    from admin_mcp.cli.demo import run_demo  # noqa: PLC0415

    anyio.run(run_demo, click.echo)


COMMANDS = (
    approvals,
    config,
    doctor,
    evidence,
    inbox,
    install,
    journal,
    plans,
    policy,
    report,
    sandbox,
    secrets,
    uninstall,
)
for command in COMMANDS:
    main.add_command(command)


def _serve(settings: Settings, handed: "Handed | None") -> None:
    from admin_mcp.server.stderr import never_waiting  # noqa: PLC0415

    with never_waiting((settings.admin_key.get_secret_value(),) if settings.admin_key else ()) as last_words:
        code = _served(settings, last_words, handed)
        # The transport's reader thread may still sit in a read of stdin, which a normal exit would wait for.
        last_words()
        os._exit(code)


def _served(settings: Settings, last_words: Callable[[], None], handed: "Handed | None") -> int:
    """Serve until the client goes, and return the exit code."""
    import anyio  # noqa: PLC0415

    from admin_mcp.gate.storage import open_storage  # noqa: PLC0415

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="openai-admin-mcp: %(levelname)s: %(message)s")
    rules = operator_policy(settings)  # before any other line: a wrong setting is the only thing that is told
    if handed is None:
        _greet(settings)
    storage = open_storage(settings)
    _report_unfinished(storage)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, partial(_end_now, last_words))
    try:
        anyio.run(_serve_stdio, settings, rules, storage, handed)
    except Exception:
        logger.exception("the server ended")
        return 1
    return 0


async def _serve_stdio(settings: Settings, rules: "Policy", storage: "GateStorage", handed: "Handed | None") -> None:
    gc.disable()  # as in __main__: the SDK is imported here
    from admin_mcp.catalog import compiled_catalog  # noqa: PLC0415
    from admin_mcp.server.app import admin_server  # noqa: PLC0415
    from admin_mcp.server.stdio import checked_stdio  # noqa: PLC0415

    async with (
        admin_server(settings, compiled_catalog(), rules, storage) as server,
        checked_stdio(handed) as (read_stream, write_stream),
    ):
        gc.enable()
        await server.run(read_stream, write_stream, server.create_initialization_options())


def _report_unfinished(storage: "GateStorage") -> None:
    """Tell about changes whose sender was killed before it heard the answer."""
    from admin_mcp.errors import CallError  # noqa: PLC0415
    from admin_mcp.installation import line_on  # noqa: PLC0415

    try:
        settled = storage.settle()
    except (CallError, OSError) as error:
        click.echo(f"openai-admin-mcp: WARNING: {error}", err=True)
        return
    for record in settled:
        what = f"{record.fields.get('tool')}, {record.fields.get('request')}, sent {record.at}"
        click.echo(
            f"openai-admin-mcp: WARNING: outcome_unknown: {what}: the process ended before the answer came. "
            "Look whether the change was made. See also: "
            f"{line_on(storage.database.directory, 'journal', 'show', record.change)}",
            err=True,
        )


def _greet(settings: Settings) -> None:
    """Say on stderr what is served, and to a person who started this by hand what it waits for."""
    where = (
        settings.target.label if settings.sandbox or settings.admin_key else "no admin key is set (OPENAI_ADMIN_KEY)"
    )
    changes = "read-only" if settings.read_only else f"approval: {settings.approval}"
    click.echo(f"openai-admin-mcp {__version__}: {where}; {changes}", err=True)
    if settings.approval == "none":
        click.echo("openai-admin-mcp: WARNING: --approval none: every change is made WITHOUT asking anyone.", err=True)
    if os.isatty(0):
        click.echo(_FOR_A_PERSON, err=True)


def _end_now(last_words: Callable[[], None], number: int, frame: FrameType | None) -> NoReturn:
    """End at once: a reader thread blocked on stdin would hold up an orderly exit until the client hangs up."""
    del frame
    last_words()
    os._exit(128 + number)

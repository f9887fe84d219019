"""``doctor``: see whether this installation, or what one host has of it, is fit for work."""

import shutil
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from admin_mcp.cli.checks import Finding
from admin_mcp.cli.host_table import READ, Host
from admin_mcp.cli.hosts import host_file, read_file
from admin_mcp.cli.options import Known, json_option, settings_of, settings_options
from admin_mcp.cli.policy import operator_policy
from admin_mcp.cli.tables import print_json, print_list
from admin_mcp.settings import Settings

if TYPE_CHECKING:
    from admin_mcp.gate.policy import Policy

_INDENT = " " * 6
"""As wide as a finding's level and what follows it."""


@click.command(
    short_help="Check key, API, state, browser, and the hosts here.", epilog=f"HOST is one of {', '.join(READ)}."
)
@click.argument("host", type=Known(list(READ)), metavar="[HOST]", required=False)
@click.option("--file", type=click.Path(path_type=Path), help="The host's file, if it is not in its usual place.")
@json_option
@settings_options
@click.pass_context
def doctor(context: click.Context, /, host: str | None, file: Path | None, *, as_json: bool, **flags: object) -> None:
    """Check the key, the API, permissions, state directory, browser, and who is asked in each host.

    Then show the hosts on this machine: whether each has this server, and a key for it.

    With a HOST, check what its own configuration has of this server, and start it once as that host would.
    Only small reads are sent. Ends with 1 if something must be fixed.
    """
    import anyio  # noqa: PLC0415 - each command loads only what it needs

    settings = settings_of(context, flags)
    found: list[Finding] = []
    if host is not None:
        anyio.run(_tell, _host_findings(READ[host], host_file(READ[host], file)), found, as_json)
    elif file is not None:
        raise click.UsageError("--file is the file of a host: name the host as well")
    else:
        anyio.run(_tell, _findings(settings, operator_policy(settings)), found, as_json)
        if not as_json:
            _show_hosts()
    well = all(finding.level != "FAIL" for finding in found)
    if as_json:
        _print(found, well=well, hosts=host is None)
    if not well:
        context.exit(1)


async def _tell(findings: AsyncIterator[Finding], found: list[Finding], silently: bool) -> None:
    """Collect the findings and print each as it comes."""
    async for finding in findings:
        found.append(finding)
        if not silently:
            click.echo(_fit(finding))


def _fit(finding: Finding) -> str:
    """Return a finding as a line, and at a terminal as lines that break between words."""
    if not sys.stdout.isatty():
        return str(finding)
    width = shutil.get_terminal_size().columns
    lines = textwrap.wrap(
        str(finding), width, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def _print(found: list[Finding], *, well: bool, hosts: bool) -> None:
    """Print what was found as JSON; ``hosts`` says whether the hosts here belong to it."""
    from admin_mcp.cli.hosts_here import hosts_here  # noqa: PLC0415

    rows = [{"level": each.level.lower(), "what": each.what, "detail": each.detail} for each in found]
    print_json({"well": well, "findings": rows, **({"hosts": [*hosts_here()]} if hosts else {})})


async def _findings(settings: Settings, policy: "Policy") -> AsyncIterator[Finding]:
    from admin_mcp.cli.checks import examine  # noqa: PLC0415

    yield Finding("ok", "policy", f"{settings.config or 'no file'}, {len(policy.rules)} rules with the defaults")
    async for finding in examine(settings):
        yield finding


async def _host_findings(host: Host, path: Path) -> AsyncIterator[Finding]:
    from admin_mcp.cli.host_checks import examine_host  # noqa: PLC0415

    try:
        text = read_file(path)
    except (OSError, UnicodeDecodeError) as error:
        yield Finding("FAIL", "file", f"{path} can't be read: {error}")
        return
    async for finding in examine_host(host, path, text):
        yield finding


def _show_hosts() -> None:
    """Show the hosts on this machine, for ``doctor HOST`` to look into."""
    from admin_mcp.cli.hosts_here import COLUMNS, hosts_here  # noqa: PLC0415

    if not (here := [*hosts_here()]):
        found = "none whose configuration is known; config HOST prints what a host needs"
        click.echo(_fit(Finding("ok", "hosts here", found)))
        return
    click.echo("\nHosts on this machine; doctor HOST starts the server as that host would, install HOST puts it in:")
    print_list(COLUMNS, here, json=False)

"""``doctor``: see whether this installation, or what one host has of it, is fit for work."""

from collections.abc import AsyncIterator
from pathlib import Path

import click

from admin_mcp.cli.checks import Finding
from admin_mcp.cli.host_table import WRITTEN, Host
from admin_mcp.cli.hosts import host_file, read_file
from admin_mcp.cli.options import Known, settings_of, settings_options
from admin_mcp.cli.policy import operator_policy
from admin_mcp.cli.tables import print_list
from admin_mcp.settings import Settings


@click.command(
    short_help="Check key, API, state, browser, and the hosts here.", epilog=f"HOST is one of {', '.join(WRITTEN)}."
)
@click.argument("host", type=Known(list(WRITTEN)), metavar="[HOST]", required=False)
@click.option("--file", type=click.Path(path_type=Path), help="The host's file, if it is not in its usual place.")
@settings_options
@click.pass_context
def doctor(context: click.Context, /, host: str | None, file: Path | None, **flags: object) -> None:
    """Check the key, the API, permissions, state directory, browser, and who is asked in each host.

    Then show the hosts on this machine: whether each has this server, and a key for it.

    With a HOST, check what its own configuration has of this server, and start it once as that host would.
    Only small reads are sent. Ends with 1 if something must be fixed.
    """
    import anyio  # noqa: PLC0415 - each command loads only what it needs

    settings = settings_of(context, flags)
    if host is not None:
        well = anyio.run(_told, _host_findings(WRITTEN[host], host_file(WRITTEN[host], file)))
    elif file is not None:
        raise click.UsageError("--file is the file of a host: name the host as well")
    else:
        policy = operator_policy(settings)
        click.echo(f"ok    policy: {settings.config or 'no file'}, {len(policy.rules)} rules with the defaults")
        well = anyio.run(_told, _findings(settings))
        _show_hosts()
    if not well:
        context.exit(1)


async def _told(findings: AsyncIterator[Finding]) -> bool:
    """Print the findings as they come; whether all is well."""
    well = True
    async for finding in findings:
        click.echo(str(finding))
        well = well and finding.level != "FAIL"
    return well


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    from admin_mcp.cli.checks import examine  # noqa: PLC0415

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
        click.echo(str(Finding("ok", "hosts here", found)))
        return
    click.echo("\nHosts on this machine; doctor HOST starts the server as that host would, install HOST puts it in:")
    print_list(COLUMNS, here, json=False)

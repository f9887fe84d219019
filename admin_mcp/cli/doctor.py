"""``doctor``: see whether this installation is fit for work."""

import click

from admin_mcp.cli.options import settings_of, settings_options
from admin_mcp.cli.policy import operator_policy
from admin_mcp.settings import Settings


@click.command()
@settings_options
@click.pass_context
def doctor(context: click.Context, /, **flags: object) -> None:
    """Check the key, the API, permissions, state directory, browser, and who is asked in each host.

    Only small reads are sent. Ends with 1 if something must be fixed.
    """
    import anyio  # noqa: PLC0415 - each command loads only what it needs

    settings = settings_of(context, flags)
    policy = operator_policy(settings)
    click.echo(f"ok    policy: {settings.config or 'no file'}, {len(policy.rules)} rules with the defaults")
    if not anyio.run(_examined, settings):
        context.exit(1)


async def _examined(settings: Settings) -> bool:
    from admin_mcp.cli.checks import examine  # noqa: PLC0415

    well = True
    async for finding in examine(settings):
        click.echo(str(finding))
        well = well and finding.level != "FAIL"
    return well

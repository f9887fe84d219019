"""``sandbox``: the pretend organization over HTTP, for any client and for tests."""

import sys
import time

import click

from admin_mcp.cli.endings import ended_by_interrupt
from admin_mcp.cli.options import settings_of
from admin_mcp.settings import is_loopback

_PORTS = click.IntRange(0, 65535)


@click.command(short_help="Serve a pretend organization over HTTP.")
@click.option("--port", type=_PORTS, default=0, help="The port; 0, the default, takes a free one.")
@click.option("--host", default="127.0.0.1", help="The loopback address to listen on.")
@click.option("--seed", type=int, default=None, help="Another organization of the same kind: other ids and numbers.")
@click.option("--people", type=int, default=None, help="How many people it has: 7, or more.")
@click.option("--projects", type=int, default=None, help="How many projects it has: 3, or more.")
@click.option("--faults", default=None, help="What goes wrong, such as 429=10%,drop=2%,latency=0.3")
@click.pass_context
def sandbox(context: click.Context, /, port: int, host: str, **flags: object) -> None:
    """Serve a pretend organization over HTTP on this machine: give its URL to any client as OPENAI_BASE_URL."""
    from admin_mcp.sandbox.faults import parse_faults  # noqa: PLC0415
    from admin_mcp.sandbox.gateway import Gateway  # noqa: PLC0415 - brings the whole catalog
    from admin_mcp.sandbox.http import Clock, SandboxApp, listen, serve  # noqa: PLC0415
    from admin_mcp.sandbox.organization import Organization, Size  # noqa: PLC0415

    settings = settings_of(context, {**flags, "sandbox": True})
    if not is_loopback(host):
        raise click.UsageError(f"--host: {host} is not a loopback address, and the sandbox is for this machine only")
    clock = Clock(time.time)
    organization = Organization(
        clock=clock, seed=settings.seed, size=Size(people=settings.people, projects=settings.projects)
    )
    gateway = Gateway(organization, faults=parse_faults(settings.faults), seed=settings.seed)
    try:
        listening = listen(host, port)
    except OSError as error:
        raise click.ClickException(f"can't listen on {host} port {port}: {error.strerror}") from None
    shown = f"[{host}]" if ":" in host else host
    with ended_by_interrupt("The sandbox is gone, and all that was in it."):
        click.echo(f"http://{shown}:{listening.getsockname()[1]}/v1")
        click.echo("A pretend organization; any key opens it. Ctrl-C ends it.", err=True)
        sys.stdout.flush()
        serve(SandboxApp(organization, gateway, clock), listening)

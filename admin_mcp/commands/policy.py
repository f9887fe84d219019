"""``policy``: which rule decides a call, and why."""

import json
from typing import TYPE_CHECKING

import click

from admin_mcp.commands.options import settings_of
from admin_mcp.errors import CallError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from admin_mcp.catalog import Catalog
    from admin_mcp.endpoint import Endpoint
    from admin_mcp.gate.policy import Policy
    from admin_mcp.settings import Settings


@click.group()
def policy() -> None:
    """Look into the policy."""


@policy.command()
@click.argument("tool")
@click.option("--args", "arguments", default=None, metavar="JSON", help="The call's arguments, as an object.")
@click.pass_context
def explain(context: click.Context, /, tool: str, arguments: str | None) -> None:
    """Say which rule decides a call of TOOL, and why the rules before it don't."""
    from admin_mcp.arguments import parse_arguments  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.catalog import compiled_catalog  # noqa: PLC0415
    from admin_mcp.gate.effects import effect_of  # noqa: PLC0415
    from admin_mcp.gate.projects import named_projects  # noqa: PLC0415

    settings = settings_of(context)
    catalog = compiled_catalog()
    found = operator_policy(settings)
    if tool not in catalog:
        raise click.UsageError(f"there is no tool {tool}; `openai-admin-mcp tools --markdown` lists them")
    endpoint = catalog.endpoint(tool)
    given = _object(arguments)
    spec = endpoint.SPEC
    call = None
    if arguments is not None:
        try:
            call = parse_arguments(endpoint, given)
        except CallError as error:
            raise click.UsageError(f"--args: {error.message}") from None
    effect = effect_of(call) if call else spec.effect
    projects = named_projects(call) if call else frozenset[str]()
    for rule in found.rules:
        mismatch = rule.mismatch(tool, effect, projects)
        if mismatch is None:
            verdict = rule.verdict
            break
        click.echo(f"passed over  {rule.name}: {mismatch}")
    else:
        verdict = found.decide(tool, effect, projects)
    click.echo(f"decides      {verdict.rule}")
    click.echo(f"{tool} ({effect}): {_meaning(verdict.decision, verdict.channel, settings)}")
    for note in _untold(found, catalog, endpoint, call):
        click.echo(f"Note: {note}", err=True)


def _untold(
    policy: "Policy", catalog: "Catalog", endpoint: "type[Endpoint]", call: "Endpoint | None"
) -> "Iterator[str]":
    """Yield what can't be told from the arguments alone."""
    from admin_mcp.gate.effects import effect_of, possible_effects  # noqa: PLC0415
    from admin_mcp.gate.projects import TELLING, named_projects  # noqa: PLC0415
    from admin_mcp.gate.reads import tells_project  # noqa: PLC0415

    tool, effect = endpoint.SPEC.name, endpoint.SPEC.effect
    effects = possible_effects(catalog.tool(tool)) if call is None else {effect, effect_of(call)}
    if len(effects) > 1:
        kinds = " or ".join(sorted(effects))
        yield f"what it does may depend on what is there, which is read first: it counts as {kinds}."
    rule = policy.project_denial(tool, effects)
    if rule is None:
        return
    if call is None and not TELLING.isdisjoint(endpoint.model_fields):
        yield "rules with project_ids were passed over: give the call's arguments with --args."
    elif call is not None and (effect == "read" or tells_project(call, catalog)):
        yield f"what is there is read first; if it belongs to a project of {rule.name}, the call is refused."
    elif call is not None and not named_projects(call):
        yield f"no argument and no read tells which project this is about, so {rule.name} does not see it."


def operator_policy(settings: "Settings") -> "Policy":
    """Return the policy the settings ask for.

    Raises:
        click.UsageError: its file can't be used.

    """
    from admin_mcp.catalog import compiled_catalog  # noqa: PLC0415
    from admin_mcp.gate.effects import possible_effects  # noqa: PLC0415
    from admin_mcp.gate.policy import Policy  # noqa: PLC0415
    from admin_mcp.gate.policy_file import PolicyFile, read_policy_file, risky_allowances  # noqa: PLC0415
    from admin_mcp.tool import META_EFFECT  # noqa: PLC0415

    tools = compiled_catalog().tools
    effects = {tool["name"]: tool["_meta"][META_EFFECT] for tool in tools}
    try:
        offered = {tool["name"] for tool in settings.selection.of(tools)}
        file = read_policy_file(settings.config, effects) if settings.config else PolicyFile()
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    possible = {tool["name"]: possible_effects(tool) for tool in tools}
    for rule, allowed in risky_allowances(file.rules, possible).items():
        shown = ", ".join(allowed[:5]) + (f" and {len(allowed) - 5} more" if len(allowed) > 5 else "")  # noqa: PLR2004 - a line's worth
        click.echo(f"openai-admin-mcp: WARNING: {rule} allows WITHOUT asking anyone: {shown}", err=True)
    for guardrail in ("last_owner", "own_key"):
        if not getattr(file.guardrails, guardrail):
            click.echo(f"openai-admin-mcp: WARNING: the guardrail {guardrail} is switched off.", err=True)
    # What read-only takes away has a rule of its own, which says so.
    left_out = [
        name for name, effect in effects.items() if name not in offered and (effect == "read" or not settings.read_only)
    ]
    return Policy.standard(
        read_only=settings.read_only, left_out=left_out, rules=file.rules, guardrails=file.guardrails
    )


def _object(text: str | None) -> dict[str, object]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise click.UsageError(f"--args is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError('--args must be a JSON object, such as \'{"project_id": "proj_1"}\'')
    return value


def _meaning(decision: str, channel: str | None, settings: "Settings") -> str:
    if decision == "allow":
        return "allowed without asking"
    if decision == "deny":
        return "refused"
    if channel is not None:
        return f"a person is asked, through {channel} only"
    if settings.approval == "none":
        return "would be asked about, but --approval none asks nobody: allowed"
    return f"a person is asked (--approval {settings.approval})"

"""``policy``: write a policy file to start from, check one, and see which rule decides a call, and why."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from admin_mcp.cli.options import json_option, settings_of
from admin_mcp.cli.tables import print_json
from admin_mcp.errors import CallError, SettingsError

if TYPE_CHECKING:
    from admin_mcp.catalog import Catalog
    from admin_mcp.endpoints.base import Effect, Endpoint
    from admin_mcp.gate.policy import Policy
    from admin_mcp.settings import Settings

_FILE = click.Path(path_type=Path)


@click.group()
def policy() -> None:
    """Write, check and look into the policy."""


@policy.command()
@click.argument("file", type=_FILE, required=False)
def init(file: Path | None) -> None:
    """Write the commented sample to FILE, readable by you alone. A file that is there already stays as it is.

    Without FILE it goes to this platform's place for settings.
    """
    from admin_mcp.gate.policy_file import sample_policy  # noqa: PLC0415 - each command loads only what it needs

    path = (file or _usual_place()).absolute()
    try:
        if file is None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Opening it only if it is new leaves no moment between looking and writing.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(
            f"{path} is there already, and is left as it is; choose another name or delete it"
        ) from None
    except FileNotFoundError:
        raise click.ClickException(
            f"{path} can't be written: there is no directory {path.parent}; make it first, or choose another place"
        ) from None
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {error.strerror}") from None
    with open(descriptor, "w", encoding="utf-8", newline="\n") as opened:  # noqa: PTH123 - a descriptor, not a path
        opened.write(sample_policy())
    click.echo(f"Wrote {path}. Edit it, see what it comes to, and give it to the server:")
    click.echo(f'    openai-admin-mcp policy check "{path}"')
    click.echo(f'    openai-admin-mcp --config "{path}"')


@policy.command(short_help="Say what a policy file comes to.")
@click.argument("file", type=_FILE)
@json_option
@click.pass_context
def check(context: click.Context, /, file: Path, *, as_json: bool) -> None:
    """Say what the policy FILE comes to: its rules in order, the guardrails, and what is allowed without asking.

    Ends with 2 if the file is wrong, with the line and the key.
    """
    from admin_mcp.cli.policy_reading import checked, summary  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.gate.composition import effects_of_tools, policy_warnings  # noqa: PLC0415
    from admin_mcp.gate.policy_file import read_policy_file  # noqa: PLC0415
    from admin_mcp.tools.definitions import every_definition  # noqa: PLC0415

    settings = settings_of(context)
    try:
        read = read_policy_file(file.absolute(), _effects())
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    possible = effects_of_tools(every_definition())
    found = checked(read, possible, settings.approval)
    warnings = [*policy_warnings(read, possible)]
    if as_json:
        print_json({**found, "warnings": warnings})
    else:
        click.echo("\n".join(summary(found)))
    _warn(warnings)


@policy.command(short_help="Say which rule decides a call, and why.")
@click.argument("tool")
@click.option("--args", "arguments", default=None, metavar="JSON", help="The call's arguments, as an object.")
@json_option
@click.pass_context
def explain(context: click.Context, /, tool: str, arguments: str | None, *, as_json: bool) -> None:
    """Say which rule decides a call of TOOL, and why the rules before it don't."""
    from admin_mcp.catalog import compiled_catalog  # noqa: PLC0415
    from admin_mcp.cli.policy_reading import explained, meaning, notice  # noqa: PLC0415
    from admin_mcp.endpoints.arguments import parse_arguments  # noqa: PLC0415
    from admin_mcp.gate.effects import effects_of  # noqa: PLC0415
    from admin_mcp.gate.projects import named_projects  # noqa: PLC0415
    from admin_mcp.suggestions import nearest  # noqa: PLC0415

    settings = settings_of(context)
    catalog = compiled_catalog()
    found = operator_policy(settings)
    if tool not in catalog:
        near = nearest(tool, (known["name"] for known in catalog.tools))
        raise click.UsageError(f"there is no tool {tool}.{near} `openai-admin-mcp tools --markdown` lists them.")
    endpoint = catalog.endpoint(tool)
    given = _object(arguments)
    spec = endpoint.SPEC
    call = None
    if arguments is not None:
        try:
            call = parse_arguments(endpoint, given)
        except CallError as error:
            raise click.UsageError(f"--args: {error.message}") from None
    effects = effects_of(call) if call else frozenset([spec.effect])
    projects = named_projects(call) if call else frozenset[str]()
    said = explained(found, tool, effects, projects, settings.approval)
    notes = [*_untold(found, catalog, endpoint, call)]
    if as_json:
        print_json({**said, "notes": notes})
    else:
        for passed in said["passed_over"]:
            click.echo(f"passed over  {passed['rule']}: {passed['why']}")
        click.echo(f"decides      {said['rule']}")
        click.echo(f"{tool} ({' and '.join(said['effects'])}): {meaning(said, settings.approval)}")
        for webhook in said["notified"]:
            click.echo(notice(webhook))
    for note in notes:
        click.echo(f"Note: {note}", err=True)


def _untold(
    policy: "Policy", catalog: "Catalog", endpoint: "type[Endpoint]", call: "Endpoint | None"
) -> "Iterator[str]":
    """Yield what can't be told from the arguments alone."""
    from admin_mcp.gate.effects import effects_of, possible_effects  # noqa: PLC0415
    from admin_mcp.gate.projects import TELLING, named_projects  # noqa: PLC0415
    from admin_mcp.gate.reads import tells_project  # noqa: PLC0415

    tool, effect = endpoint.SPEC.name, endpoint.SPEC.effect
    possible = set(possible_effects(catalog.tool(tool))) if call is None else {frozenset([effect]), effects_of(call)}
    if len(possible) > 1:
        yield "what it does depends on what is there, which is read first: it may be a grant as well, or not."
    rule = policy.project_denial(tool, possible)
    if rule is None:
        return
    if call is None and not TELLING.isdisjoint(endpoint.model_fields):
        yield "rules with project_ids were passed over: give the call's arguments with --args."
    elif call is not None and (effect == "read" or tells_project(call, catalog)):
        yield f"what is there is read first; if it belongs to a project of {rule.name}, the call is refused."
    elif call is not None and not named_projects(call):
        yield f"no argument and no read tells which project this is about, so {rule.name} does not see it."


def operator_policy(settings: "Settings") -> "Policy":
    """Return the policy the settings ask for, and tell on stderr what passes without a person.

    Raises:
        click.UsageError: its file can't be used.

    """
    from admin_mcp.gate.composition import compose_policy  # noqa: PLC0415
    from admin_mcp.tools.definitions import every_definition  # noqa: PLC0415
    from admin_mcp.tools.selection import left_out  # noqa: PLC0415

    tools = every_definition()
    try:
        composed = compose_policy(settings, tools, left_out(settings, tools))
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    _warn(composed.warnings)
    return composed.policy


def _effects() -> "dict[str, Effect]":
    from admin_mcp.endpoints.schema import META_EFFECT  # noqa: PLC0415
    from admin_mcp.tools.definitions import every_definition  # noqa: PLC0415

    return {tool["name"]: tool["_meta"][META_EFFECT] for tool in every_definition()}


def _usual_place() -> Path:
    import platformdirs  # noqa: PLC0415

    return platformdirs.user_config_path("openai-admin-mcp") / "policy.toml"


def _warn(warnings: "Iterable[str]") -> None:
    for warning in warnings:
        click.echo(f"openai-admin-mcp: WARNING: {warning}", err=True)


def _object(text: str | None) -> dict[str, object]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise click.UsageError(f"--args is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError('--args must be a JSON object, such as \'{"project_id": "proj_1"}\'')
    return value

"""The flags of each report, as its job's own inputs have them. Pure."""

from typing import Any, Final

import click

from admin_mcp.cli.report_views import FINDINGS
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.suggestions import nearest

ALL_ROWS: Final = 1_000_000
_PAGED: Final = "skip"
"""What a model pages with; a command reads on by itself."""

_DEFAULTS: Final[dict[str, Any]] = {"period": "30d", "by": "project", "top": ALL_ROWS}
_HELP: Final = {
    "top": "At most so many rows; without it, all.",
    "by": "What the rows are.",
    "unused_days": "Unused for longer is a finding.",
    "max_age_days": "Older is a finding.",
    "inactive_days": "No key used for so long is a finding.",
    "project": "Only this one; an id or a name.",
    "group": "Only this one; an id or a name.",
    "person": "Only this one; an id, e-mail address or name.",
    "permission": "Who has it; its name, or a part of it.",
}


def flags_of(schema: Json) -> list[click.Option]:
    """Return an option for each input of a job, by its schema."""
    return [_option(name, field) for name, field in schema["properties"].items() if name != _PAGED]


def _option(name: str, field: Json) -> click.Option:
    several = field["type"] == "array"
    kind: Any = str
    if field["type"] == "integer":
        kind = click.IntRange(field.get("minimum"), field.get("maximum"))
    elif "enum" in field:
        kind = click.Choice(field["enum"])
    default = field.get("default", _DEFAULTS.get(name))
    said = _HELP.get(name, field.get("description", ""))
    return click.Option(
        [f"--{name.replace('_', '-')}"],
        type=kind,
        multiple=several,
        default=default,
        help=f"{said} May be given several times." if several else said,
        show_default=default is not None and default != ALL_ROWS,
    )


def wanted_findings(report: str, given: str | None) -> tuple[str, ...]:
    """Return the names of findings that make a report end with an exit code of its own.

    Raises:
        InvalidInput: a name is not known.

    """
    names = tuple(name.strip() for name in (given or "").split(",") if name.strip())
    known = FINDINGS[report]
    for name in names:
        if name not in known:
            raise InvalidInput(
                f"--fail-on: {name!r} is no finding of this report.{nearest(name, known)}",
                param="fail_on",
                hint=f"There are {', '.join(known)}.",
            )
    return names

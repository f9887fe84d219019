"""An agent's arguments -> validated ``Inputs``, or one error that names each bad field and the way out. Pure.

Clients fill in what their model left out: with null, or with the default the schema declares. Both count as left out,
but for a null where the schema offers null: there it empties the field.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from admin_mcp.endpoints.base import Inputs, retirement
from admin_mcp.endpoints.fields import clears_with_null
from admin_mcp.errors import InvalidInput

T = TypeVar("T", bound=Inputs)

ID_HINT = "Nothing was sent. Pass the id exactly as a list or get tool returned it."

_LONGEST_ECHO = 80
_LONGEST_CHOICE = 400
_MOST_NAMED = 8


def parse_arguments(inputs: type[T], arguments: Mapping[str, object]) -> T:
    """Validate arguments strictly.

    Raises:
        InvalidInput: names the fields that are missing, unknown or out of range; nothing was sent.

    """
    given = without_nulls(inputs, arguments)
    _refuse_retired(inputs, given)
    try:
        return inputs.model_validate(given)
    except ValidationError as error:
        raise explained(inputs, inputs.SPEC.name, error) from None


def explained(inputs: type[BaseModel], tool: str, error: ValidationError) -> InvalidInput:
    """Return what is wrong with a tool's arguments as one error."""
    details = error.errors(include_url=False)
    return InvalidInput(
        f"{tool}: " + "; ".join(_explained(inputs, details)),
        param=_place(details[0]["loc"]) or None,
        hint=_hint(inputs, tool, details),
    )


def _explained(inputs: type[BaseModel], details: Sequence[ErrorDetails]) -> Iterator[str]:
    meant = _meant(details)
    yield from (_explain(inputs, detail, meant) for detail in details[:_MOST_NAMED])
    if len(details) > _MOST_NAMED:
        yield f"and {len(details) - _MOST_NAMED} more"


def without_nulls(model: type[BaseModel], arguments: Mapping[str, object]) -> dict[str, object]:
    """Drop each null that stands for an argument left out, at any depth. A required one stays, and is refused."""
    fields = model.model_fields
    return {
        name: _cleaned(fields[name].annotation, value) if name in fields else value
        for name, value in arguments.items()
        if value is not None or name not in fields or fields[name].is_required() or clears_with_null(fields[name])
    }


def _cleaned(annotation: object, value: object) -> object:
    part = _input_object(annotation)
    if part is None:
        return value
    if isinstance(value, list):
        return [_cleaned(part, item) for item in value]
    return without_nulls(part, value) if isinstance(value, dict) else value


def _input_object(annotation: object) -> type[BaseModel] | None:
    """Return the model of the object that a field holds, by itself or in a list, or None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _input_object(inner))), None)


def _refuse_retired(inputs: type[Inputs], arguments: Mapping[str, object]) -> None:
    for name in arguments:
        if reason := retirement(inputs, name):
            raise InvalidInput(
                f"{inputs.SPEC.name}: {name} changes nothing any more: {reason}",
                param=name,
                hint=f"Nothing was sent. Leave {name} out.",
            )


def _meant(details: Sequence[ErrorDetails]) -> str:
    """Return the argument that an unknown one stands for if it is the only one missing, and that the only unknown."""
    missing, unknown = (
        [detail["loc"] for detail in details if detail["type"] == kind] for kind in ("missing", "extra_forbidden")
    )
    if len(missing) != 1 or len(unknown) != 1:
        return ""
    return str(missing[0][0]) if len(missing[0]) == 1 else ""


def _explain(inputs: type[BaseModel], detail: ErrorDetails, meant: str) -> str:
    place = _place(detail["loc"])
    match detail["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place} is not an argument of this tool{_nearest(inputs, detail['loc'], meant)}"
        case "nothing_to_change" | "missing_for_type":
            return detail["msg"]
    prefix = f"{place}: " if place else ""
    if not detail["loc"]:
        return prefix + detail["msg"]
    return f"{prefix}got {_shown(detail['input'])}; {_allowed(detail)}"


_ALLOWED = {
    "string_type": "must be a string",
    "int_type": "must be a whole number, not quoted",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be one of {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
}


def _allowed(detail: ErrorDetails) -> str:
    if detail["type"] == "literal_error" and len(detail["ctx"]["expected"]) > _LONGEST_CHOICE:
        choices = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        close = difflib.get_close_matches(str(detail["input"]), choices, n=5, cutoff=0.4) or choices[:5]
        groups = dict.fromkeys(choice.partition(".")[0] for choice in choices)
        return (
            f"must be one of {len(choices)} values, such as {', '.join(map(repr, close))}; "
            f"they begin with {', '.join(groups)}"
        )
    template = _ALLOWED.get(detail["type"])
    return template.format_map(detail.get("ctx", {})) if template else detail["msg"]


def _hint(inputs: type[BaseModel], tool: str, details: Sequence[ErrorDetails]) -> str:
    """Say what the tool takes; ids that don't look like ids get the reminder where ids come from."""
    if any(detail["type"] == "resource_id" for detail in details):
        return ID_HINT
    fields = [(name, field) for name, field in inputs.model_fields.items() if retirement(inputs, name) is None]
    taken = ", ".join(f"{name} (required)" if field.is_required() else name for name, field in fields) or "none"
    return f"Nothing was sent. Arguments of {tool}: {taken}."


def _nearest(inputs: type[BaseModel], location: Sequence[int | str], meant: str) -> str:
    if meant and len(location) == 1:
        return f" (did you mean {meant}?)"
    close = difflib.get_close_matches(str(location[-1]), list(inputs.model_fields), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close and len(location) == 1 else ""


def _place(location: Sequence[int | str]) -> str:
    place = ""
    for part in location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    return place


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_ECHO else text[: _LONGEST_ECHO - 1] + "…"

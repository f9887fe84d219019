"""A row, with what was worked out about it -> the JSON that an endpoint's return model documents. Pure.

A model says which fields an answer has and what its ``object`` is, so one row serves every model that shows it.
"""

from types import NoneType
from typing import Literal, TypeGuard, cast, get_args, get_origin

from admin_mcp.endpoints.base import ApiObject
from admin_mcp.sandbox.store import Row


def render(model: type[ApiObject], view: Row) -> Row:
    """Keep the fields a model has, in its order; required ones that are missing are null.

    ``view["object"]`` is used only where the model doesn't say what its ``object`` is.
    """
    answer: Row = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        tag = _tag(field.annotation) if key == "object" else None
        value = view.get(key) if tag is None else tag
        if value is not None:
            answer[key] = _fit(field.annotation, value)
        elif field.is_required() or (key in view and _nullable(field.annotation)):
            answer[key] = None
    return answer


def tag_of(model: type[ApiObject]) -> str | None:
    """Return the ``object`` that a model documents."""
    field = model.model_fields.get("object")
    return _tag(field.annotation) if field else None


def models_in(annotation: object) -> list[type[ApiObject]]:
    """Return the models an annotation allows, whether by itself, in a union or as the items of a list."""
    if _is_model(annotation):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def _fit(annotation: object, value: object) -> object:
    if isinstance(value, list):
        return [_fit(annotation, item) for item in value]
    models = models_in(annotation)
    if not isinstance(value, dict) or not models:
        return value
    row = cast("Row", value)
    fitting = [model for model in models if _tells_apart(model, row)]
    return render((fitting or models)[0], row)


def _tells_apart(model: type[ApiObject], row: Row) -> bool:
    """Whether the field that tells a union's variants apart has this variant's value."""
    return any(
        key in row and row[key] in _literals(field.annotation)
        for key in ("type", "object")
        if (field := model.model_fields.get(key))
    )


def _tag(annotation: object) -> str | None:
    literals = _literals(annotation)
    return str(literals[0]) if literals else None


def _literals(annotation: object) -> list[object]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [literal for part in get_args(annotation) for literal in _literals(part)]


def _nullable(annotation: object) -> bool:
    return annotation is NoneType or any(_nullable(part) for part in get_args(annotation) if get_origin(part) is None)


def _is_model(annotation: object) -> TypeGuard[type[ApiObject]]:
    return isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, ApiObject)

"""What each endpoint is documented to return is what its return model says, field by field, all the way down."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import jsonschema
import pytest
from pydantic.fields import FieldInfo

from admin_mcp.endpoint import ApiObject
from tests.contract.cases import Case, every_tool
from tests.contract.facts import TYPES, Member, Shape

SCALARS: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}


def is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, ApiObject)


def branches(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation, null apart."""
    if get_origin(annotation) in {Union, UnionType}:
        return tuple(part for part in get_args(annotation) if part is not NoneType)
    return (annotation,)


def nullable(annotation: Any) -> bool:
    return NoneType in get_args(annotation) and get_origin(annotation) in {Union, UnionType}


def by_wire_name(model: type[ApiObject]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def disagreements(model: type[ApiObject], documented: tuple[Member, ...], place: str) -> Iterator[str]:
    """Say where a model and the documented fields differ."""
    fields = by_wire_name(model)
    for member in documented:
        here = f"{place}.{member.name}"
        field = fields.get(member.name)
        if field is None:
            yield f"{here}: not declared"
            continue
        if field.is_required() != member.required:
            yield f"{here}: required is {field.is_required()}"
        if member.type != "any" and nullable(field.annotation) != member.nullable:
            yield f"{here}: nullable is {nullable(field.annotation)}"
        yield from wrong_shape(branches(field.annotation), member, here)
    for name in fields.keys() - {member.name for member in documented}:
        yield f"{place}.{name}: not documented"


def wrong_shape(  # noqa: PLR0912 - one case for each documented kind of value
    found: tuple[Any, ...], shape: Shape, place: str
) -> Iterator[str]:
    match shape.type:
        case "ref":
            if len(found) != 1 or not is_model(found[0]):
                yield f"{place}: {found} is no model"
            else:
                yield from disagreements(found[0], TYPES[shape.ref], place)
        case "object":
            yield from disagreements(found[0], shape.fields, place)
        case "array":
            if len(found) != 1 or get_origin(found[0]) is not list:
                yield f"{place}: {found} is no list"
            else:
                yield from wrong_shape(branches(get_args(found[0])[0]), shape.item, f"{place}[]")
        case "map":
            if len(found) != 1 or get_origin(found[0]) is not dict:
                yield f"{place}: {found} is no map"
        case "any":
            return
        case "union":
            for variant in shape.variants:
                scalars = tuple(part for part in found if part is str or get_origin(part) is Literal)
                tries = [list(wrong_shape(parts, variant, place)) for parts in (*((part,) for part in found), scalars)]
                if all(tries):
                    yield from min(tries, key=len)
        case _:
            yield from wrong_scalar(found, shape, place)


def wrong_scalar(found: tuple[Any, ...], shape: Shape, place: str) -> Iterator[str]:
    plain = SCALARS[shape.type]
    if plain not in found:
        yield f"{place}: {found} does not take any {plain.__name__}"
    literals = {value for part in found if get_origin(part) is Literal for value in get_args(part)}
    if literals != set(shape.enum):
        yield f"{place}: values {sorted(literals)} instead of {sorted(shape.enum)}"


@every_tool
def test_the_return_model_is_as_documented(case: Case) -> None:
    returns = case.implemented.SPEC.returns
    assert list(disagreements(returns, TYPES[case.documented.returns], case.documented.returns)) == []


def example(shape: Shape, *, nulls: bool, values: Literal["documented", "new"], depth: int = 0) -> Any:
    """An answer as documented, or with what a newer API might send."""
    match shape.type:
        case "string":
            return (shape.enum[0] if values == "documented" else "newer") if shape.enum else "text"
        case "integer":
            return 7
        case "number":
            return 0.5
        case "boolean":
            return True
        case "array":
            return [example(shape.item, nulls=nulls, values=values, depth=depth + 1)]
        case "map":
            return {"key": "value"}
        case "any":
            return "anything"
        case "union":
            return example(shape.variants[0], nulls=nulls, values=values, depth=depth + 1)
        case "object":
            return answer(shape.fields, nulls=nulls, values=values, depth=depth + 1)
        case "ref":
            return answer(TYPES[shape.ref], nulls=nulls, values=values, depth=depth + 1)


def answer(
    members: tuple[Member, ...], *, nulls: bool, values: Literal["documented", "new"], depth: int = 0
) -> dict[str, Any]:
    whole = {
        member.name: None if nulls and member.nullable else example(member, nulls=nulls, values=values, depth=depth)
        for member in members
    }
    return whole | ({"a_new_field": {"deep": [None]}} if values == "new" else {})


@every_tool
@pytest.mark.parametrize("values", ["documented", "new"])
@pytest.mark.parametrize("nulls", [False, True])
def test_answers_of_today_and_tomorrow_pass_model_and_output_schema(
    case: Case, nulls: bool, values: Literal["documented", "new"]
) -> None:
    given = answer(TYPES[case.documented.returns], nulls=nulls, values=values)
    kept = case.implemented.SPEC.returns.model_validate(given).model_dump(by_alias=True, exclude_unset=True)
    assert kept == given
    jsonschema.validate(given, case.tool["outputSchema"])


@every_tool
def test_a_missing_or_null_field_never_makes_a_client_reject_an_answer(case: Case) -> None:
    members = TYPES[case.documented.returns]
    jsonschema.validate({}, case.tool["outputSchema"])
    jsonschema.validate(dict.fromkeys((member.name for member in members), None), case.tool["outputSchema"])

"""What each endpoint is documented to return is what its return model says, field by field, all the way down."""

from collections.abc import Iterator
from functools import partial
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import jsonschema
import pytest
from pydantic.fields import FieldInfo

from admin_mcp.endpoints.base import ApiObject
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


def wrong_shape(found: tuple[Any, ...], shape: Shape, place: str) -> Iterator[str]:
    """Say where an annotation's alternatives differ from a documented shape."""
    match shape.type:
        case "ref":
            if len(found) == 1 and is_model(found[0]):
                yield from disagreements(found[0], TYPES[shape.ref], place)
            else:
                yield f"{place}: {found} is no model"
        case "array" | "map":
            container = list if shape.type == "array" else dict
            if len(found) == 1 and get_origin(found[0]) is container:
                item = get_args(found[0])[-1]
                if nullable(item):
                    yield f"{place}[]: nullable"
                yield from wrong_shape(branches(item), shape.item, f"{place}[]")
            else:
                yield f"{place}: {found} is no {container.__name__}"
        case "any":
            if found != (object,):
                yield f"{place}: {found} does not take everything"
        case "union":
            yield from wrong_union(found, shape, place)
        case _:
            yield from wrong_scalar(found, shape, place)


def wrong_union(found: tuple[Any, ...], shape: Shape, place: str) -> Iterator[str]:
    """Say which documented variants have no alternative that fits, and which alternatives fit no variant."""
    open_enum = tuple(part for part in found if part is str or get_origin(part) is Literal)
    alternatives = [(part,) for part in found if len(open_enum) < 2 or part not in open_enum]
    alternatives += [open_enum] if len(open_enum) > 1 else []
    unused = list(alternatives)
    for variant in shape.variants:
        tries = [(list(wrong_shape(parts, variant, place)), parts) for parts in alternatives]
        problems, best = min(tries, key=lambda tried: len(tried[0]))
        yield from problems
        if best in unused:
            unused.remove(best)
    yield from (f"{place}: {parts} is not documented" for parts in unused)


def wrong_scalar(found: tuple[Any, ...], shape: Shape, place: str) -> Iterator[str]:
    """Say where a plain value differs. An enum is open: its values, or any other string."""
    plain = SCALARS[shape.type]
    literals = [part for part in found if get_origin(part) is Literal]
    if [part for part in found if part not in literals] != [plain]:
        yield f"{place}: {found} is not any {plain.__name__}"
    values = {value for part in literals for value in get_args(part)}
    if values != set(shape.enum):
        yield f"{place}: values {sorted(values)} instead of {sorted(shape.enum)}"


@every_tool
def test_the_return_model_is_as_documented(case: Case) -> None:
    returns = case.implemented.SPEC.returns
    assert list(disagreements(returns, TYPES[case.documented.returns], case.documented.returns)) == []


Values = Literal["documented", "new"]


def answer(members: tuple[Member, ...], *, nulls: bool, values: Values, variant: int = 0) -> dict[str, Any]:
    """An answer with every documented field; or what a newer API may send: other enum values and further fields."""
    whole = {
        member.name: None if nulls and member.nullable else example(member, nulls=nulls, values=values, variant=variant)
        for member in members
    }
    return whole | ({"a_new_field": {"deep": [None]}} if values == "new" else {})


def example(shape: Shape, *, nulls: bool, values: Values, variant: int) -> Any:
    """A value of a documented shape. ``variant`` chooses from every union, by number."""
    inside = partial(example, nulls=nulls, values=values, variant=variant)
    match shape.type:
        case "string" if shape.enum:
            return shape.enum[0] if values == "documented" else "newer"
        case "array":
            return [inside(shape.item)]
        case "map":
            return {"key": inside(shape.item)}
        case "union":
            return inside(shape.variants[variant % len(shape.variants)])
        case "ref":
            return answer(TYPES[shape.ref], nulls=nulls, values=values, variant=variant)
        case "object":
            raise AssertionError("every object an answer holds has a name")
        case plain:
            return {"string": "text", "integer": 7, "number": 0.5, "boolean": True, "any": {"deep": [1]}}[plain]


def variants_within(members: tuple[Member, ...]) -> range:
    """The variants of the widest union inside an answer, by number; one without a union."""
    return range(max(_width(member) for member in members))


def _width(shape: Shape) -> int:
    inside: list[Shape] = [*shape.variants, *TYPES.get(shape.ref, ())]
    if shape.items:
        inside.append(shape.items)
    return max([1, len(shape.variants), *(_width(part) for part in inside)])


def undeclared(read: Any, given: Any, place: str) -> Iterator[str]:
    """Say which parts of an answer were read as a model that does not know their fields."""
    if isinstance(read, ApiObject):
        fields = {field.alias or name: name for name, field in type(read).model_fields.items()}
        yield from (f"{place}.{name}: not in {type(read).__name__}" for name in given.keys() - fields.keys())
        for sent, name in fields.items():
            yield from undeclared(getattr(read, name), given.get(sent), f"{place}.{sent}")
    elif isinstance(read, list):
        for part, sent in zip(read, given, strict=True):
            yield from undeclared(part, sent, f"{place}[]")


@every_tool
@pytest.mark.parametrize("values", ["documented", "new"])
@pytest.mark.parametrize("nulls", [False, True], ids=["full", "nulls"])
def test_an_answer_of_today_or_tomorrow_passes_model_and_output_schema_unchanged(
    case: Case, nulls: bool, values: Values
) -> None:
    members = TYPES[case.documented.returns]
    for variant in variants_within(members):
        given = answer(members, nulls=nulls, values=values, variant=variant)
        read = case.implemented.SPEC.returns.model_validate(given)
        assert read.model_dump(by_alias=True, exclude_unset=True) == given
        jsonschema.validate(given, case.tool["outputSchema"])


@every_tool
def test_each_variant_of_an_answer_is_read_as_a_model_that_has_its_fields(case: Case) -> None:
    members = TYPES[case.documented.returns]
    for variant in variants_within(members):
        given = answer(members, nulls=False, values="documented", variant=variant)
        read = case.implemented.SPEC.returns.model_validate(given)
        assert list(undeclared(read, given, case.documented.returns)) == []


@every_tool
def test_only_fields_that_are_documented_as_required_are_required(case: Case) -> None:
    members = TYPES[case.documented.returns]
    case.implemented.SPEC.returns.model_validate(_required_only(members))


def _required_only(members: tuple[Member, ...]) -> dict[str, Any]:
    """The barest documented answer: required fields alone, down through every object."""
    return {member.name: _bare(member) for member in members if member.required}


def _bare(shape: Shape) -> Any:
    match shape.type:
        case "ref":
            return _required_only(TYPES[shape.ref])
        case "array":
            return [_bare(shape.item)]
        case "union":
            return _bare(shape.variants[0])
        case _:
            return example(shape, nulls=False, values="documented", variant=0)


@every_tool
def test_a_missing_or_null_field_never_makes_a_client_reject_an_answer(case: Case) -> None:
    members = TYPES[case.documented.returns]
    jsonschema.validate({}, case.tool["outputSchema"])
    jsonschema.validate(dict.fromkeys((member.name for member in members), None), case.tool["outputSchema"])

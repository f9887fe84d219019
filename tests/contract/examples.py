"""Arguments made from the facts by rule, not by chance: the smallest call, the fullest, and right and wrong values.

Values only; what a request must look like is in ``wire.py``, and random calls are in ``strategies.py``.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from tests.contract.facts import DocumentedEndpoint, Member, Shape

Arguments = dict[str, Any]


def is_id(name: str) -> bool:
    """Whether a parameter of this name holds ids, going by the API's own way of naming."""
    return name == "id" or name.endswith(("_id", "_ids"))


def sample(shape: Shape) -> Any:
    """A value that is as documented, with every field an object can have."""
    match shape.type:
        case "string":
            return shape.enum[0] if shape.enum else "a.b_c-1"
        case "integer":
            return shape.min if shape.min is not None else 1
        case "number":
            return 0.5
        case "boolean":
            return True
        case "array":
            return [sample(shape.item)]
        case "map":
            return {"key": sample(shape.item)}
        case "object":
            return {field.name: sample(field) for field in shape.fields}
        case "union":
            return sample(shape.variants[0])
        case "any":
            return {"anything": [1, None]}
        case "ref":
            raise AssertionError("inputs have no named types")


def smallest(endpoint: DocumentedEndpoint, variant: int = 0) -> Arguments:
    """As few arguments as the endpoint takes. Where one of several is enough, the first of them."""
    members = _members(endpoint, variant)
    chosen = {member.name: sample(member) for member in members if member.required}
    changeable = [member.name for member in endpoint.body if not member.retired]
    for group in (endpoint.rule("one_of"), changeable if endpoint.updates else []):
        if group and not chosen.keys() & set(group):
            first = next(member for member in members if member.name in group)
            chosen[first.name] = sample(first)
    return chosen


def fullest(endpoint: DocumentedEndpoint, variant: int = 0) -> Arguments:
    """Every argument the endpoint takes at once."""
    barred = endpoint.rule("not_both")[1:]
    return {member.name: sample(member) for member in _members(endpoint, variant) if member.name not in barred}


def all_null(endpoint: DocumentedEndpoint, variant: int = 0) -> Arguments:
    """The smallest call, with null for everything else, as some clients send it; also for what is in other variants."""
    return {**{member.name: None for member in endpoint.members}, **smallest(endpoint, variant)}


def meant(endpoint: DocumentedEndpoint, call: Arguments) -> Arguments:
    """The call without the nulls that say nothing: those that empty no field count as left out, at any depth."""
    return _meant(endpoint.members, call)


def _meant(members: Iterable[Member], given: Arguments) -> Arguments:
    known = {member.name: member for member in members}
    return {
        name: _meant_value(known[name], value) if name in known else value
        for name, value in given.items()
        if value is not None or name not in known or known[name].required or known[name].clears
    }


def _meant_value(shape: Shape, value: Any) -> Any:
    match shape.type:
        case "array" if isinstance(value, list):
            return [_meant_value(shape.item, item) for item in value]
        case "object" if isinstance(value, dict):
            return _meant(shape.fields, value)
        case "union" if shape.of_objects and isinstance(value, dict):
            return _meant([field for variant in shape.variants for field in variant.fields], value)
    return value


def variants(endpoint: DocumentedEndpoint) -> range:
    """The variants of the body, by number; one if it isn't a union."""
    return range(max(1, len(endpoint.body_variants)))


def call_with(endpoint: DocumentedEndpoint, member: Member, value: object) -> Arguments:
    """The smallest call in which an argument can have this value."""
    number = next((n for n in variants(endpoint) if _allows(endpoint, n, member, value)), 0)
    call = smallest(endpoint, number)
    if member.name in endpoint.rule("one_of"):
        call |= dict.fromkeys(endpoint.rule("one_of"), "a.b_c-1")
    return {**call, member.name: value}


def right_values(shape: Shape) -> Iterator[Any]:
    """Values at the edges of what is documented: each enum value, each bound, each variant, null where it clears."""
    yield sample(shape)
    if isinstance(shape, Member) and shape.clears:
        yield None
    yield from shape.enum
    yield from (bound for bound in (shape.min, shape.max) if bound is not None)
    match shape.type:
        case "boolean":
            yield False
        case "string" if not shape.enum:
            yield from ("x" * length for length in (shape.min_length, shape.max_length) if length is not None)
        case "array":
            yield from ([value] for value in right_values(shape.item))
            yield [sample(shape.item)] * (2 if shape.max_items is None else shape.max_items)
            if not shape.min_items:
                yield []
        case "map":
            yield {}
            yield from ({"key": value} for value in right_values(shape.item))
        case "object":
            required = {field.name: sample(field) for field in shape.fields if field.required}
            yield from [required] if required else ({field.name: sample(field)} for field in shape.fields)
            for field in shape.fields:
                yield from ({**sample(shape), field.name: value} for value in right_values(field))
        case "union":
            for variant in shape.variants:
                yield from right_values(variant)


_WRONG_TYPE: dict[str, tuple[Any, ...]] = {
    "string": (7, True, ["x"], {}),
    "integer": ("7", 7.5, True, [7]),
    "number": ("7", True, [7]),
    "boolean": ("true", 1, 0),
    "array": ("x", 7, {}),
    "map": ("x", 7, ["x"]),
    "object": ("x", 7, ["x"]),
    "union": (7, True),
    "any": (),
}


def wrong_values(shape: Shape) -> Iterator[Any]:
    """Values that are wrong in one way: type, enum, bound, a missing or unknown field, null for a required one."""
    if shape.type == "any":
        return
    if not isinstance(shape, Member) or (shape.required and not shape.nullable):
        yield None
    if not (shape.type == "union" and {"integer", "boolean"} <= {variant.type for variant in shape.variants}):
        yield from _WRONG_TYPE[shape.type]
    yield from _out_of_bounds(shape)
    match shape.type:
        case "string" if shape.enum:
            yield from ("undocumented", shape.enum[0].swapcase(), "")
        case "array":
            yield from ([value] for value in wrong_values(shape.item))
        case "map":
            yield from ({"key": value} for value in wrong_values(shape.item))
        case "object":
            yield from _wrong_objects(shape)
        case "union":
            yield from _wrong_for_every(shape.variants)


def _wrong_objects(shape: Shape) -> Iterator[Arguments]:
    whole = sample(shape)
    yield {**whole, "undocumented": "x"}
    for field in shape.fields:
        if field.required:
            yield {name: value for name, value in whole.items() if name != field.name}
        yield from ({**whole, field.name: value} for value in wrong_values(field))


def _wrong_for_every(alternatives: tuple[Shape, ...]) -> Iterator[Any]:
    if all(variant.type == "object" for variant in alternatives):
        for variant in alternatives:
            yield from _wrong_objects(variant)
        return
    for variant in alternatives:
        if variant.type == "array":
            yield from ([value] for value in wrong_values(variant.item))
        elif variant.enum:
            yield "undocumented"
    if all(variant.type not in {"object", "map", "array"} for variant in alternatives):
        yield from ([], {})


def _out_of_bounds(shape: Shape) -> Iterator[Any]:
    if shape.min is not None:
        yield shape.min - 1
    highest = _highest(shape)
    if highest is not None:
        yield highest + 1
    if shape.min_length:
        yield "x" * (shape.min_length - 1)
    if shape.max_length is not None:
        yield "x" * (shape.max_length + 1)
    if shape.min_items:
        yield [sample(shape.item)] * (shape.min_items - 1)
    if shape.max_items is not None:
        yield [sample(shape.item)] * (shape.max_items + 1)


def _highest(shape: Shape) -> int | None:
    if isinstance(shape, Member) and shape.max_by:
        return max(most for by_value in shape.max_by.values() for most in by_value.values())
    return shape.max


def _members(endpoint: DocumentedEndpoint, variant: int) -> tuple[Member, ...]:
    if not endpoint.body_variants:
        return endpoint.members
    return endpoint.path_members + endpoint.query + endpoint.body_variants[variant]


def _allows(endpoint: DocumentedEndpoint, variant: int, member: Member, value: object) -> bool:
    field = next((field for field in _members(endpoint, variant) if field.name == member.name), None)
    return field is not None and (member.name != "type" or value in field.enum)

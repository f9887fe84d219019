"""Random calls, made from the facts: every call they draw is one that the documentation allows."""

from typing import Any

from hypothesis import strategies as st

from tests.contract.examples import Arguments, is_id, meant
from tests.contract.facts import DocumentedEndpoint, Member, Shape

_ID_ALPHABET = "abcxyzABCXYZ0189_-.:~"
_LARGEST = 2**53 - 1
_ids = st.text(_ID_ALPHABET, min_size=1, max_size=12).filter(lambda text: text not in {".", ".."})


@st.composite
def arguments(draw: st.DrawFn, endpoint: DocumentedEndpoint) -> Arguments:
    """Draw the arguments of one call."""
    members = endpoint.members
    if endpoint.body_variants:
        members = endpoint.path_members + endpoint.query + draw(st.sampled_from(endpoint.body_variants))
    call = draw(_some_of(members))
    for member in members:
        if member.max_by and call.get(member.name) is not None:
            call[member.name] = draw(st.integers(1, _most(member, call)))
    changeable = [member for member in members if member in endpoint.body]
    if endpoint.updates and not meant(endpoint, call).keys() & {member.name for member in changeable}:
        member = draw(st.sampled_from(changeable))
        call[member.name] = draw(values(member).filter(lambda value: value is not None))
    one_of, not_both = endpoint.rule("one_of"), endpoint.rule("not_both")
    if one_of and all(call.get(name) is None for name in one_of):
        call[draw(st.sampled_from(one_of))] = draw(_ids)
    if not_both and all(call.get(name) for name in not_both):
        del call[draw(st.sampled_from(not_both))]
    return call


def values(shape: Shape, name: str = "") -> st.SearchStrategy[Any]:
    """Values of a documented shape, null among them where it may be. ``name`` tells ids from other text."""
    if isinstance(shape, Member):
        plain = _plain(shape, "id" if shape.identifies else shape.name)
        return st.none() | plain if shape.nullable else plain
    return _plain(shape, name)


def _plain(shape: Shape, name: str) -> st.SearchStrategy[Any]:
    match shape.type:
        case "string":
            return _strings(shape, name)
        case "integer":
            low = -_LARGEST if shape.min is None else shape.min
            return st.integers(low, _LARGEST if shape.max is None else shape.max)
        case "number":
            return st.floats(-1e12, 1e12, allow_nan=False)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(values(shape.item, name), min_size=shape.min_items or 0, max_size=shape.max_items or 3)
        case "map":
            return st.dictionaries(st.text(max_size=8), values(shape.item), max_size=3)
        case "object":
            return _object(shape.fields)
        case "union":
            return st.one_of([values(variant, name) for variant in shape.variants])
        case "any":
            return st.none() | st.booleans() | st.integers(-_LARGEST, _LARGEST) | st.text(max_size=8)
        case "ref":
            raise AssertionError("inputs have no named types")


def _strings(shape: Shape, name: str) -> st.SearchStrategy[str]:
    if shape.enum:
        return st.sampled_from(shape.enum)
    if is_id(name):
        return _ids
    return st.text(min_size=shape.min_length or 0, max_size=min(shape.max_length or 20, 20))


def _some_of(members: tuple[Member, ...]) -> st.SearchStrategy[Arguments]:
    return st.fixed_dictionaries(
        {member.name: values(member) for member in members if member.required},
        optional={member.name: values(member) for member in members if not member.required},
    )


def _object(fields: tuple[Member, ...]) -> st.SearchStrategy[Arguments]:
    # An object that says nothing is refused, so that it can't be taken for a filter.
    return _some_of(fields).filter(bool)


def _most(member: Member, call: Arguments) -> int:
    ((other, most),) = member.max_by.items()
    return most[call.get(other) or "1d"]

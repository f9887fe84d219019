"""Inputs that are one of several objects: each variant takes its own fields, needs its own, and refuses the others."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from tests.contract.cases import CASES, Case
from tests.contract.examples import (
    sample,
    smallest,
)
from tests.contract.facts import Member
from tests.contract.wire import documented, ours


def unions() -> Iterator[Any]:
    """Each variant of each union of objects: a whole body, or one argument. The last is what other variants have."""
    for case in CASES:
        whole: list[tuple[str | None, tuple[tuple[Member, ...], ...]]] = [(None, case.documented.body_variants)]
        parts = [(m.name, tuple(v.fields for v in m.variants)) for m in case.documented.body if m.of_objects]
        for place, alternatives in whole + parts:
            for fields in alternatives:
                own = {field.name for field in fields}
                foreign = tuple({f.name: f for v in alternatives for f in v if f.name not in own}.values())
                yield pytest.param(case, place, fields, foreign, id=f"{case.name}-{place or 'body'}-{kind(fields)}")


def kind(fields: tuple[Member, ...]) -> str:
    """The value of ``type`` that stands for a variant."""
    (name,) = next(field.enum for field in fields if field.name == "type")
    return name


def put(case: Case, place: str | None, value: Json) -> Json:
    """The smallest call with this value as its union, which is an argument or the whole body."""
    if place is None:
        return {**dict.fromkeys(case.documented.path_params, "a"), **value}
    return {**smallest(case.documented), place: value}


every_variant = pytest.mark.parametrize(("case", "place", "fields", "foreign"), list(unions()))


def test_six_endpoints_take_a_union_of_objects() -> None:
    places = Counter((mark.values[0].name, mark.values[1]) for mark in unions())
    assert {place for _, place in places} == {None, "provider", "verification", "permissions"}
    assert len(places) == 6


@every_variant
def test_a_variant_takes_its_own_fields(
    case: Case, place: str | None, fields: tuple[Member, ...], foreign: tuple[Member, ...]
) -> None:
    del foreign
    for chosen in (fields, tuple(field for field in fields if field.required)):
        call = put(case, place, {field.name: sample(field) for field in chosen})
        assert ours(case.implemented, call) == documented(case.documented, call)


@every_variant
def test_a_variant_without_one_of_the_fields_it_needs_is_refused_by_name(
    case: Case, place: str | None, fields: tuple[Member, ...], foreign: tuple[Member, ...]
) -> None:
    del foreign
    whole = {field.name: sample(field) for field in fields}
    for needed in (field.name for field in fields if field.required):
        lacking = {name: value for name, value in whole.items() if name != needed}
        with pytest.raises(InvalidInput, match=needed):
            parse_arguments(case.implemented, put(case, place, lacking))


@every_variant
def test_a_variant_refuses_the_fields_of_the_others_by_name(
    case: Case, place: str | None, fields: tuple[Member, ...], foreign: tuple[Member, ...]
) -> None:
    whole = {field.name: sample(field) for field in fields}
    for other in foreign:
        with pytest.raises(InvalidInput, match=other.name):
            parse_arguments(case.implemented, put(case, place, {**whole, other.name: sample(other)}))


@every_variant
def test_a_variant_names_what_it_needs_in_the_schema(
    case: Case, place: str | None, fields: tuple[Member, ...], foreign: tuple[Member, ...]
) -> None:
    schema = case.tool["inputSchema"]
    if place:
        schema = schema["properties"][place]
    words = str([part.get("description", "") for part in schema["properties"].values()])
    shared = {"type", "name"}
    (variant,) = next(field.enum for field in fields if field.name == "type")
    for field in fields:
        if field.required and field.name not in shared:
            own = schema["properties"][field.name].get("description", "")
            summed_up = field.name in words or any(start in words for start in starts(field.name))
            assert summed_up or variant in own, field.name
    assert {field.name for field in (*fields, *foreign)} <= set(schema["properties"])


def starts(name: str) -> list[str]:
    """How a description may sum a field up with others of its kind: ``kms_*``, ``workload_identity_*``."""
    parts = name.split("_")
    return ["_".join(parts[:length]) + "_*" for length in range(1, len(parts))]

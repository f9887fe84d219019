"""What a tool promises beyond its schema: real ids are taken, updates count as updates, and the way back exists."""

from collections.abc import Iterator
from typing import Any

import pytest

from admin_mcp.endpoints.arguments import parse_arguments
from tests.contract.cases import CASES, Case
from tests.contract.examples import smallest
from tests.contract.facts import ENDPOINTS, TYPES, Shape

GOOD_IDS = ["a", "x" * 256, "AZaz09_-.:~", ".a", "a..b", "..."]


def where(part: str) -> list[Any]:
    """The cases whose ``SPEC`` says something here, as pytest parameters."""
    return [pytest.param(case, id=case.name) for case in CASES if getattr(case.implemented.SPEC, part)]


@pytest.mark.parametrize("good", GOOD_IDS, ids=["one", "longest", "alphabet", "dot_first", "dots_inside", "three_dots"])
@pytest.mark.parametrize("case", where("path_fields"))
def test_every_path_parameter_takes_any_id_the_api_may_have(case: Case, good: str) -> None:
    given = dict.fromkeys(case.documented.path_params, good)
    call = parse_arguments(case.implemented, {**smallest(case.documented), **given})
    assert {name: getattr(call, name) for name in case.documented.path_params} == given


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if case.documented.updates])
def test_what_is_documented_as_an_update_has_the_effect_of_one(case: Case) -> None:
    assert case.implemented.SPEC.effect == "update"


@pytest.mark.parametrize("case", where("undo"))
def test_a_change_is_undone_by_another_tool_that_makes_a_change(case: Case) -> None:
    others = {other.name: other.implemented.SPEC for other in CASES if other.name != case.name}
    undo = str(case.implemented.SPEC.undo)
    assert undo in others
    assert others[undo].mutates


@pytest.mark.parametrize("case", where("secret"))
def test_a_new_secret_is_in_the_answer_where_the_tool_looks_for_it(case: Case) -> None:
    members = TYPES[case.documented.returns]
    *way, last = case.implemented.SPEC.secret
    for name in way:
        (step,) = (member for member in members if member.name == name)
        members = TYPES[step.ref]
    (value,) = (member for member in members if member.name == last)
    assert value.type == "string"


def test_every_documented_type_is_in_the_answer_of_some_endpoint() -> None:
    """Or else nothing would be compared with its facts."""
    reached: set[str] = set()
    found = {endpoint.returns for endpoint in ENDPOINTS}
    while found:
        reached |= found
        found = {ref for name in found for member in TYPES[name] for ref in _refs(member)} - reached
    assert reached == set(TYPES)


def _refs(shape: Shape) -> Iterator[str]:
    if shape.ref:
        yield shape.ref
    for part in (*shape.fields, *shape.variants, *([shape.items] if shape.items else [])):
        yield from _refs(part)

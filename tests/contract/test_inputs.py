"""What the tools take is what the endpoints document: nothing missing, nothing extra, nothing looser or tighter."""

import re
from collections import Counter
from typing import Any

import pytest

from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from tests.contract.cases import CASES, CLASSES, Case, every_argument, every_tool, tools_where
from tests.contract.examples import (
    all_null,
    call_with,
    fullest,
    right_values,
    sample,
    smallest,
    variants,
    wrong_values,
)
from tests.contract.facts import COUNT, ENDPOINTS, DocumentedEndpoint, Member, Shape
from tests.contract.wire import documented, ours

IMPLEMENTED = Counter(endpoint.SPEC.endpoint for endpoint in CLASSES)
DOCUMENTED = Counter(endpoint.endpoint for endpoint in ENDPOINTS)
WORDS_OF_UNIT = {"unix_seconds": "unix seconds", "cents": "cents", "seconds": "seconds"}


def arguments_where(wanted: str) -> list[Any]:
    """The arguments of which one fact is known, as pytest parameters."""
    return [
        pytest.param(case, member, id=f"{case.name}-{member.name}")
        for case in CASES
        for member in case.documented.members
        if getattr(member, wanted)
    ]


def test_the_endpoints_that_are_documented_are_all_there() -> None:
    assert len(DOCUMENTED) == COUNT == 143  # the only place in the tests that says how many


@pytest.mark.parametrize("endpoint", sorted(DOCUMENTED))
def test_a_documented_endpoint_has_exactly_one_class(endpoint: str) -> None:
    assert IMPLEMENTED[endpoint] == 1


@pytest.mark.parametrize("endpoint", sorted(IMPLEMENTED))
def test_a_class_has_exactly_one_documented_endpoint(endpoint: str) -> None:
    assert DOCUMENTED[endpoint] == 1


@every_tool
def test_a_tool_takes_the_documented_arguments_and_no_others(case: Case) -> None:
    taken = case.tool["inputSchema"]["properties"].keys() - case.implemented.SPEC.local_fields
    assert sorted(taken) == sorted(member.name for member in case.documented.members)


@every_tool
def test_a_list_can_be_fetched_whole_and_nothing_else_can(case: Case) -> None:
    pages = case.documented.method == "GET" and "has_more" in case.implemented.SPEC.returns.model_fields
    local = case.implemented.SPEC.local_fields
    whole, chosen = local[:2], local[2:]
    assert whole == (("fetch_all", "max_items") if pages else ())
    assert chosen in {(), ("fields",), ("fields", "name_contains")}
    assert list(case.tool["inputSchema"]["properties"])[-len(local) :] == list(local) or not pages


@every_tool
def test_a_tool_requires_the_documented_arguments_and_no_others(case: Case) -> None:
    required = [member.name for member in case.documented.members if member.required]
    assert sorted(case.tool["inputSchema"].get("required", [])) == sorted(required)


@every_tool
def test_path_parameters_are_the_documented_ones_in_their_order(case: Case) -> None:
    assert case.implemented.SPEC.path_fields == case.documented.path_params


@every_tool
def test_an_undocumented_argument_is_refused(case: Case) -> None:
    with pytest.raises(InvalidInput, match="undocumented is not an argument"):
        parse_arguments(case.implemented, {**smallest(case.documented), "undocumented": "x"})


@every_argument
def test_an_argument_is_advertised_with_its_documented_type_values_and_limits(case: Case, member: Member) -> None:
    assert without_words(case.schema_of(member), member) == expected_schema(member)


@every_argument
def test_an_argument_shows_its_documented_default_and_no_other(case: Case, member: Member) -> None:
    assert case.schema_of(member).get("default") == member.default


@every_argument
def test_every_documented_value_is_accepted_and_sent_where_documented(case: Case, member: Member) -> None:
    for value in right_values(member):
        call = call_with(case.documented, member, value)
        assert ours(case.implemented, call) == documented(case.documented, call)


@every_argument
def test_an_undocumented_value_is_refused_with_the_argument_named(case: Case, member: Member) -> None:
    for value in wrong_values(member):
        with pytest.raises(InvalidInput) as caught:
            parse_arguments(case.implemented, call_with(case.documented, member, value))
        assert (caught.value.param or "").startswith(member.name), value


@pytest.mark.parametrize(("case", "member"), arguments_where("required"))
def test_a_required_argument_left_out_is_refused_by_name(case: Case, member: Member) -> None:
    call = smallest(case.documented)
    del call[member.name]
    with pytest.raises(InvalidInput, match=f"{member.name} is missing"):
        parse_arguments(case.implemented, call)


@pytest.mark.parametrize(("case", "member"), [*arguments_where("unit"), *arguments_where("fields")])
def test_a_unit_can_be_read_from_the_name_or_the_description(case: Case, member: Member) -> None:
    for unit in {field.unit for field in (member, *member.fields) if field.unit}:
        words = f"{member.name.replace('_', ' ')} {case.schema_of(member).get('description', '')}".lower()
        assert WORDS_OF_UNIT[unit] in words


@pytest.mark.parametrize(("case", "member"), arguments_where("deprecated"))
def test_a_deprecated_argument_says_so(case: Case, member: Member) -> None:
    assert "deprecated" in case.schema_of(member)["description"].lower()


@pytest.mark.parametrize(("case", "member"), arguments_where("max_by"))
def test_a_limit_that_depends_on_another_argument_is_kept(case: Case, member: Member) -> None:
    ((other, most_by_value),) = member.max_by.items()
    for value, most in most_by_value.items():
        call = {**smallest(case.documented), other: value, member.name: most}
        assert ours(case.implemented, call) == documented(case.documented, call)
        with pytest.raises(InvalidInput, match=str(most)):
            parse_arguments(case.implemented, {**call, member.name: most + 1})


@pytest.mark.parametrize(("case", "member"), arguments_where("max_by"))
def test_a_limit_without_its_other_argument_is_that_of_the_others_default(case: Case, member: Member) -> None:
    ((other, most_by_value),) = member.max_by.items()
    (default,) = (argument.default for argument in case.documented.members if argument.name == other)
    most = most_by_value[str(default)]
    parse_arguments(case.implemented, {**smallest(case.documented), member.name: most})
    with pytest.raises(InvalidInput, match=str(most)):
        parse_arguments(case.implemented, {**smallest(case.documented), member.name: most + 1})


@pytest.mark.parametrize(("case", "member"), arguments_where("default_by"))
def test_defaults_that_depend_on_another_argument_are_described(case: Case, member: Member) -> None:
    for numbers in (member.default_by["bucket_width"], member.max_by["bucket_width"]):
        for number in numbers.values():
            assert re.search(rf"\b{number}\b", case.schema_of(member)["description"])


@every_tool
def test_null_for_all_that_is_optional_is_the_smallest_call_but_for_what_null_empties(case: Case) -> None:
    for variant in variants(case.documented):
        call = all_null(case.documented, variant)
        emptied = {member.name: None for member in case.documented.members if member.clears}
        least = smallest(case.documented, variant)
        assert ours(case.implemented, call) == documented(case.documented, {**emptied, **least})


@every_argument
def test_null_is_offered_where_it_empties_a_field_and_nowhere_else(case: Case, member: Member) -> None:
    assert _offers_null(case.schema_of(member)) is member.clears
    assert member.nullable or not member.clears


@pytest.mark.parametrize("case", tools_where(lambda documented: any(m.clears for m in documented.body)))
def test_null_alone_is_a_change_where_it_empties_a_field(case: Case) -> None:
    for member in (member for member in case.documented.body if member.clears):
        call = {**dict.fromkeys(case.documented.path_params, "a"), member.name: None}
        assert ours(case.implemented, call) == documented(case.documented, call)


@pytest.mark.parametrize("case", tools_where(lambda documented: documented.updates))
def test_an_update_of_nothing_but_idle_nulls_changes_nothing_and_says_so(case: Case) -> None:
    idle = [member.name for member in case.documented.body if not (member.clears or member.required or member.retired)]
    required = {member.name: sample(member) for member in case.documented.members if member.required}
    if set(required) == set(case.documented.path_params):
        with pytest.raises(InvalidInput, match="nothing to change"):
            parse_arguments(case.implemented, {**required, **dict.fromkeys(idle)})


def retired() -> list[Any]:
    """What is documented and changes nothing, as pytest parameters."""
    return [
        pytest.param(case, member, id=f"{case.name}-{member.name}")
        for case in CASES
        for member in case.documented.body
        if member.retired
    ]


@pytest.mark.parametrize(("case", "member"), retired())
def test_what_changes_nothing_any_more_is_refused_with_the_reason(case: Case, member: Member) -> None:
    assert member.deprecated
    assert case.schema_of(member) == {}
    for rest in (dict.fromkeys(case.documented.path_params, "a"), fullest(case.documented)):
        with pytest.raises(InvalidInput, match=f"{member.name} changes nothing any more: ") as caught:
            parse_arguments(case.implemented, {**rest, member.name: sample(member)})
        assert caught.value.param == member.name
    parse_arguments(case.implemented, {**fullest(case.documented), member.name: None})
    with pytest.raises(InvalidInput) as missing:
        parse_arguments(case.implemented, dict.fromkeys(case.documented.path_params, "a"))
    assert member.name not in missing.value.message + missing.value.hint


@pytest.mark.parametrize("case", tools_where(lambda documented: documented.updates))
def test_an_update_that_changes_nothing_is_refused(case: Case) -> None:
    with pytest.raises(InvalidInput):
        parse_arguments(case.implemented, dict.fromkeys(case.documented.path_params, "a"))


def rules(kind: str) -> list[Any]:
    """The rules about several arguments, as pytest parameters."""
    return [
        pytest.param(case, rule.of, id=f"{case.name}-{'-'.join(rule.of)}")
        for case in CASES
        for rule in case.documented.rules
        if rule.kind == kind
    ]


@pytest.mark.parametrize(("case", "names"), rules("not_both"))
def test_arguments_that_exclude_each_other_are_refused_together(case: Case, names: tuple[str, str]) -> None:
    both = {member.name: sample(member) for member in case.documented.body if member.name in names}
    parse_arguments(case.implemented, {**smallest(case.documented), names[0]: both[names[0]], names[1]: None})
    with pytest.raises(InvalidInput, match=names[1]):
        parse_arguments(case.implemented, {**smallest(case.documented), **both})


@pytest.mark.parametrize(("case", "names"), rules("one_of"))
def test_of_alternatives_each_is_enough_and_none_is_refused(case: Case, names: tuple[str, str]) -> None:
    rest = {name: value for name, value in smallest(case.documented).items() if name not in names}
    for name in names:
        parse_arguments(case.implemented, {**rest, name: "a"})
    for nothing in ({}, dict.fromkeys(names)):
        with pytest.raises(InvalidInput, match=names[0]):
            parse_arguments(case.implemented, {**rest, **nothing})


LONGEST_ENUM = 100


def expected_schema(shape: Shape) -> Json:
    """The JSON schema that says what is documented, without words."""
    match shape.type:
        case "array":
            schema: Json = {"type": "array", "items": expected_schema(shape.item)}
        case "map" if shape.item.type == "any":
            schema = {"type": "object"}
        case "map":
            schema = {"type": "object", "additionalProperties": expected_schema(shape.item)}
        case "object":
            schema = _expected_object((shape.fields,))
        case "union" if shape.of_objects:
            schema = _expected_object(tuple(variant.fields for variant in shape.variants))
        case "union":
            schema = {"anyOf": [expected_schema(variant) for variant in shape.variants]}
        case _:
            # The audit log's event types alone would take a fifteenth of the whole list: an error names the near ones.
            listed = shape.enum and len(shape.enum) <= LONGEST_ENUM
            schema = {"type": shape.type, **({"enum": sorted(shape.enum)} if listed else {})}
    return {**schema, **_limits(shape)}


def _expected_object(variants: tuple[tuple[Member, ...], ...]) -> Json:
    """One flat object for all variants: ``type`` says which, and only what each of them needs is required."""
    properties: Json = {}
    for field in (field for fields in variants for field in fields):
        schema = expected_schema(field)
        if field.name == "type" and "type" in properties:
            schema["enum"] = sorted([*properties["type"]["enum"], *schema["enum"]])
        properties[field.name] = schema
    required = set.intersection(*({field.name for field in fields if field.required} for fields in variants))
    if len(variants) > 1:
        required = {"type"}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": sorted(required)} if required else schema


def _limits(shape: Shape) -> Json:
    highest = shape.max
    if isinstance(shape, Member) and shape.max_by:
        highest = max(most for by_value in shape.max_by.values() for most in by_value.values())
    limits = {
        "minimum": shape.min,
        "maximum": highest,
        "minItems": shape.min_items,
        "maxItems": shape.max_items,
        "minLength": shape.min_length,
        "maxLength": shape.max_length,
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def without_words(schema: Any, shape: Shape | None = None) -> Any:
    """A schema without description and default; and without the offer of null, where null is documented."""
    if isinstance(schema, list):
        return [without_words(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if _offers_null(schema) and isinstance(shape, Member) and shape.nullable:
        schema = schema["anyOf"][0]
    plain = {name: without_words(part) for name, part in schema.items() if name not in {"description", "default"}}
    if shape and isinstance(properties := schema.get("properties"), dict):
        fields = {field.name: field for part in (shape, *shape.variants) for field in part.fields}
        plain["properties"] = {name: without_words(part, fields.get(name)) for name, part in properties.items()}
    if shape and shape.items and isinstance(schema.get("items"), dict):
        plain["items"] = without_words(schema["items"], shape.items)
    for unordered in ("enum", "required"):
        if unordered in plain:
            plain[unordered] = sorted(plain[unordered])
    return plain


def _offers_null(schema: Json) -> bool:
    return len(schema.get("anyOf", [])) == 2 and schema["anyOf"][1] == {"type": "null"}


def test_the_examples_show_every_edge_the_facts_have() -> None:
    """What the value tests rely on: an edge value on either side of each bound, and every documented enum value."""
    shape = Member(name="limit", type="integer", min=1, max=100, nullable=True, clears=True)
    assert {1, 100, None} <= set(right_values(shape))
    assert {0, 101, "7"} <= {value for value in wrong_values(shape) if not isinstance(value, list)}
    assert set(right_values(Member(name="order", type="string", enum=("asc", "desc")))) == {"asc", "desc"}
    assert None in list(wrong_values(Member(name="order", type="string", required=True)))
    assert None not in list(wrong_values(Member(name="order", type="string")))


def test_the_fullest_call_of_an_endpoint_has_each_of_its_arguments() -> None:
    endpoint: DocumentedEndpoint = next(one for one in ENDPOINTS if one.endpoint == "GET /organization/audit_logs")
    assert set(fullest(endpoint)) == {member.name for member in endpoint.members}

"""What every host must be able to take: rules over all tools as a client gets them."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.catalog.compile import TOOLS_JSON, compiled
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.fields import names_thing
from admin_mcp.endpoints.schema import META_EFFECT, META_ENDPOINT
from admin_mcp.errors import InvalidInput
from tests.contract.cases import CASES, Case, every_tool
from tests.contract.examples import smallest

PLAIN_KEYS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "anyOf", "description", "default",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
}  # fmt: skip
VERBS = {
    "list", "get", "create", "update", "delete", "add", "remove", "assign", "unassign", "activate", "deactivate",
    "archive", "upload", "validate",
}  # fmt: skip
BAD_IDS = ["", ".", "..", "a/b", "a%2eb", "a\n", "a b", "é", "a?b", "a#b", "x" * 257, "a\u0000"]


def nodes(schema: Any) -> Iterator[Any]:
    """Every schema inside a schema, itself first."""
    yield schema
    if isinstance(schema, dict):
        for part in schema.get("properties", {}).values():
            yield from nodes(part)
        for part in schema.get("anyOf", []):
            yield from nodes(part)
        for key in ("items", "additionalProperties"):
            if key in schema and schema[key] is not False:
                yield from nodes(schema[key])


def stale(served: str, made: str) -> list[str]:
    """What differs between two texts of a tool list, a line a tool."""
    old, new = ({tool["name"]: tool for tool in json.loads(text)["tools"]} for text in (served, made))
    said = [f"{name}: not in tools.json" for name in new if name not in old]
    said += [f"{name}: only in tools.json" for name in old if name not in new]
    for name in [name for name in new if name in old and new[name] != old[name]]:
        said.append(f"{name}: {', '.join(_changed(old[name], new[name]))} changed")
    if not said and served != made:
        said.append("the tools are the same; their order, or the way they are written, is not")
    return said


def _changed(old: Any, new: Any, within: str = "") -> list[str]:
    """The paths of the keys that differ, as deep as both sides are objects."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [within]
    keys = sorted(key for key in {*old, *new} if (key in old, old.get(key)) != (key in new, new.get(key)))
    return [path for key in keys for path in _changed(old.get(key), new.get(key), f"{within}.{key}".lstrip("."))]


def test_the_compiled_list_is_up_to_date() -> None:
    assert stale(TOOLS_JSON.read_text("utf-8"), compiled()) == [], "run `make catalog`"


def test_a_stale_list_is_told_by_the_tools_that_differ() -> None:
    made = compiled()
    assert stale(made, made) == []
    tools = json.loads(made)["tools"]
    added, removed, changed = (tool["name"] for tool in tools[:3])
    tools[0]["name"] = "old_tool"
    del tools[1]
    tools[1]["description"] += " Old."
    tools[1]["inputSchema"]["properties"]["extra"] = {"type": "string"}
    assert stale(json.dumps({"tools": tools}), made) == [
        f"{added}: not in tools.json",
        f"{removed}: not in tools.json",
        "old_tool: only in tools.json",
        f"{changed}: description, inputSchema.properties.extra changed",
    ]
    (other_order,) = stale(json.dumps({"tools": json.loads(made)["tools"][::-1]}), made)
    assert "order" in other_order


def test_the_list_is_small_enough_to_send() -> None:
    assert len(json.dumps({"tools": compiled_catalog().tools}, separators=(",", ":")).encode()) <= 350_000


def test_names_and_descriptions_are_unique() -> None:
    for key in ("name", "title", "description"):
        assert [text for text, count in Counter(case.tool[key] for case in CASES).items() if count > 1] == []


@every_tool
def test_the_input_is_a_plain_closed_object(case: Case) -> None:
    schema = case.tool["inputSchema"]
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert set(schema) <= {"type", "properties", "required", "additionalProperties"}


@every_tool
def test_the_input_uses_only_what_every_host_understands(case: Case) -> None:
    for node in nodes(case.tool["inputSchema"]):
        assert isinstance(node, dict), "no bare `true`"
        assert set(node) <= PLAIN_KEYS, node
        assert "type" in node or "anyOf" in node, "no schema that allows anything"
        assert isinstance(node.get("type", ""), str)


@every_tool
def test_an_enum_is_of_strings_since_gemini_takes_no_other(case: Case) -> None:
    for node in nodes(case.tool["inputSchema"]):
        if "enum" in node:
            assert node["type"] == "string"
            assert all(isinstance(value, str) for value in node["enum"])


@every_tool
def test_schemas_are_valid_json_schema(case: Case) -> None:
    jsonschema.Draft202012Validator.check_schema(case.tool["inputSchema"])
    jsonschema.Draft202012Validator.check_schema(case.tool["outputSchema"])


@every_tool
def test_names_and_keys_fit_every_host(case: Case) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", case.name)
    assert case.name.partition("_")[0] in VERBS
    for node in nodes(case.tool["inputSchema"]):
        assert all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", key) for key in node.get("properties", {}))


@every_tool
def test_the_hints_follow_from_the_effect(case: Case) -> None:
    effect, hints = case.implemented.SPEC.effect, case.tool["annotations"]
    assert hints["readOnlyHint"] is (effect == "read") is (case.documented.method == "GET")
    assert hints["destructiveHint"] is (effect in {"update", "destroy"})
    assert hints["idempotentHint"] is (effect in {"read", "update", "destroy"})
    assert hints["openWorldHint"] is True
    assert hints["title"] == case.tool["title"]
    assert case.documented.method != "DELETE" or effect == "destroy"


@every_tool
def test_the_meta_has_the_documented_endpoint_and_the_effect(case: Case) -> None:
    assert case.tool["_meta"][META_ENDPOINT] == case.documented.endpoint
    assert case.tool["_meta"][META_EFFECT] == case.implemented.SPEC.effect


@every_tool
def test_the_output_schema_is_shallow_and_rejects_no_answer(case: Case) -> None:
    schema = case.tool["outputSchema"]
    assert set(schema) == {"type", "properties"}
    assert schema["type"] == "object"
    assert schema["properties"]
    for part in schema["properties"].values():
        assert set(part) == {"anyOf"}
        assert {"type": "null"} in part["anyOf"]
        assert all(set(branch) == {"type"} and isinstance(branch["type"], str) for branch in part["anyOf"])


@every_tool
def test_every_path_parameter_is_an_id_that_can_not_leave_its_place(case: Case) -> None:
    for name in case.documented.path_params:
        assert names_thing(case.implemented.model_fields[name])
        for bad in BAD_IDS:
            with pytest.raises(InvalidInput, match=name):
                parse_arguments(case.implemented, {**smallest(case.documented), name: bad})


@every_tool
def test_the_description_is_short_exact_and_names_only_tools_that_exist(case: Case) -> None:
    text = case.tool["description"]
    assert 20 <= len(text) <= 400
    assert text[0].isupper()
    assert text.endswith(".")
    everything = json.dumps(case.tool["inputSchema"]) + text
    verbs = "|".join(VERBS)
    named = {name for name in re.findall(rf"\b(?:{verbs})_[a-z_]+\b", everything) if name not in _not_tools(case)}
    assert named <= {other.name for other in CASES}


def _not_tools(case: Case) -> set[str]:
    """Argument names that look like tool names, such as ``create_service_account_only``."""
    return {key for node in nodes(case.tool["inputSchema"]) for key in node.get("properties", {})}

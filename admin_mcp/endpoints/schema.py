"""Endpoint class -> MCP tool, as plain JSON. Pure: no registry, no server.

The schemas keep to what every host accepts: a closed root object, no ``$ref``, no titles, no unions at the root.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from admin_mcp.endpoints.base import ApiObject, Endpoint, EndpointSpec, Inputs, retirement

META_ENDPOINT = "openai-admin-mcp/endpoint"
META_EFFECT = "openai-admin-mcp/effect"
META_RESOURCE = "openai-admin-mcp/resource"
META_LOOKUPS = "openai-admin-mcp/lookups"
META_TOOLSETS = "openai-admin-mcp/toolsets"
"""Keys of a tool's ``_meta``: documented method and path, what a call does, the module it is from, the list tools that
give the ids it takes, and the toolsets it belongs to beside its resource's."""

Json = dict[str, Any]
"""A JSON object. Its values are JSON by construction, and JSON has no narrower Python type."""


def build_tool(endpoint: type[Endpoint], lookups: Sequence[str] = ()) -> Json:
    """Return the ``tools/list`` entry of one endpoint, whose ids the ``lookups`` give."""
    spec = endpoint.SPEC
    return {
        "name": spec.name,
        "title": spec.title,
        "description": spec.description,
        "inputSchema": input_schema(endpoint, endpoint.SPEC.local_fields),
        "outputSchema": output_schema(spec.returns),
        "annotations": annotations(spec),
        "_meta": {
            META_ENDPOINT: spec.endpoint,
            META_EFFECT: spec.effect,
            META_RESOURCE: endpoint.__module__.rpartition(".")[2],
            **({META_LOOKUPS: list(lookups)} if lookups else {}),
        },
    }


def annotations(spec: EndpointSpec) -> Json:
    """Return MCP's hints. ``destructiveHint`` has MCP's meaning: anything but a purely additive change."""
    return {
        "title": spec.title,
        "readOnlyHint": spec.effect == "read",
        "destructiveHint": spec.effect in {"update", "destroy"},
        "idempotentHint": spec.effect in {"read", "update", "destroy"},
        "openWorldHint": True,
    }


def input_schema(inputs: type[Inputs], last: Sequence[str] = ()) -> Json:
    """Return the schema of a tool's arguments, those of ``last`` at the end."""
    schema = _inlined(inputs, mode="validation")
    documented: Json = schema.get("properties", {})
    properties = {name: part for name, part in documented.items() if retirement(inputs, name) is None}
    own = {name: properties.pop(name) for name in last}
    return {
        "type": "object",
        "properties": {**properties, **own},
        **({"required": schema["required"]} if "required" in schema else {}),
        "additionalProperties": False,
    }


def output_schema(returns: type[ApiObject]) -> Json:
    """Return a schema that names the answer's fields and rejects no answer the API may give, now or later."""
    properties = _inlined(returns, mode="serialization")["properties"]
    types = {name: sorted(set(_types(schema)) - {"null"}) for name, schema in properties.items()}
    # A branch for each type, rather than a list of types, because some hosts know no such list.
    branches = {name: [{"type": kind} for kind in (*kinds, "null")] for name, kinds in types.items() if kinds}
    return {"type": "object", "properties": {name: {"anyOf": schemas} for name, schemas in branches.items()}}


class _PlainSchema(GenerateJsonSchema):
    """pydantic's schemas without what says nothing to an agent: titles, absent-field defaults, optional nulls."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - pydantic's own union of core schemas
        del schema
        return False


def _inlined(model: type[BaseModel], mode: JsonSchemaMode) -> Json:
    schema = model.model_json_schema(schema_generator=_PlainSchema, mode=mode)
    return cast("Json", _plain(schema, schema.pop("$defs", {})))


def _plain(schema: Any, definitions: Mapping[str, Json]) -> Any:  # noqa: ANN401 - any JSON schema node
    """Inline references, and drop what only a Python reader would use."""
    if isinstance(schema, list):
        return [_plain(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**{key: value for key, value in target.items() if key != "description"}, **schema}
    plain: Json = {}
    for key, value in schema.items():
        if key in {"$ref", "$defs", "title", "discriminator"}:
            continue
        if key == "properties":
            plain[key] = {name: _plain(part, definitions) for name, part in value.items()}
        elif key == "const":
            plain["enum"] = [value]
        else:
            plain[key] = _plain(value, definitions)
    # The type first: a model's tokens are fewer so.
    return {"type": plain.pop("type"), **plain} if "type" in plain else plain


def _types(schema: Json) -> Iterable[str]:
    """Yield the JSON type names a schema allows at its top, or nothing where it allows anything."""
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        for branch in branches:
            yield from _types(branch)
    elif isinstance(kind := schema.get("type"), str):
        yield kind

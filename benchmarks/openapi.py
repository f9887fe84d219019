"""The catalog as an OpenAPI document, so that a generic bridge can serve the same endpoints. Pure."""

from admin_mcp.catalog import all_endpoints
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json, build_tool


def document() -> Json:
    """Return the document."""
    paths: dict[str, Json] = {}
    for endpoint in all_endpoints():
        spec = endpoint.SPEC
        paths.setdefault(spec.path, {})[spec.method.lower()] = _operation(endpoint)
    return {"openapi": "3.1.0", "info": {"title": "Admin API", "version": "1"}, "paths": paths}


def _operation(endpoint: type[Endpoint]) -> Json:
    spec, tool = endpoint.SPEC, build_tool(endpoint)
    schema = tool["inputSchema"]
    required = set(schema.get("required", []))
    not_sent = {*spec.path_fields, *spec.local_fields}
    inside = {name: part for name, part in schema["properties"].items() if name not in not_sent}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema["properties"][name]}
        for name in spec.path_fields
    ]
    operation: Json = {
        "operationId": spec.name,
        "summary": spec.title,
        "description": spec.description,
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": tool["outputSchema"]}}}},
    }
    if spec.method == "GET":
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": part} for name, part in inside.items()
        ]
    elif inside:
        body: Json = {"type": "object", "properties": inside, "required": sorted(required & set(inside))}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation

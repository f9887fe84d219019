"""A request's query or body, checked against its endpoint, as the fields that were given. Pure."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import cast

from pydantic import ValidationError

from admin_mcp.endpoints import fields
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json, input_schema
from admin_mcp.sandbox.errors import from_validation, invalid, unknown_parameter
from admin_mcp.sandbox.routes import Route, place_of
from admin_mcp.sandbox.store import Row

_BRACKETS = re.compile(r"(\w+)(?:\[(\w*)\])?")


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request: its route, the ids in its path, the fields it gives, and the moment it came."""

    route: Route
    params: dict[str, str]
    given: Row
    now: int

    @property
    def kind(self) -> str:
        """The resource."""
        return self.route.kind

    @property
    def path(self) -> str:
        """The path as the store spells it."""
        segments = (segment.format(**self.params) for segment in self.route.segments)
        return place_of("/" + "/".join(segments))

    @property
    def place(self) -> str:
        """The collection or singleton the call is about."""
        return self.path.rpartition("/")[0] if self.of_item else self.path

    @property
    def item(self) -> str:
        """The id the path ends with."""
        return self.path.rpartition("/")[2]

    @property
    def parents(self) -> list[tuple[str, str]]:
        """The things the path leads through, outermost first, each as its collection and its id."""
        path, found = "", []
        for segment in self.route.segments[:-1]:
            if segment.startswith("{"):
                found.append((place_of(path), segment.format(**self.params)))
            path += "/" + segment.format(**self.params)
        return found

    @property
    def of_item(self) -> bool:
        """Whether the path ends with an id."""
        return self.route.segments[-1].startswith("{")


def read_call(
    route: Route, params: dict[str, str], query: list[tuple[str, str]], body: object | None, now: int
) -> Call:
    """Check a request against its endpoint.

    Raises:
        RefusalError: 400 that names the first parameter that is unknown, missing or wrong.

    """
    endpoint = route.endpoint
    if endpoint.SPEC.method == "GET":
        sent = _from_query(endpoint, query)
    else:
        if query:
            raise unknown_parameter(query[0][0])
        sent = _from_body(body)
    for name in sent:
        if name in params:
            raise unknown_parameter(name)
    try:
        checked = endpoint.model_validate_json(json.dumps({**sent, **params}))
    except ValidationError as error:
        raise from_validation(error) from None
    given = checked.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=set(params))
    return Call(route, params, given, now)


def default_of(endpoint: type[Endpoint], name: str) -> object:
    """Return the value the API documents for a field that is left out, or None."""
    field = endpoint.model_fields.get(name)
    return fields.declared_default(field) if field else None


def clears_with_null(endpoint: type[Endpoint], name: str) -> bool:
    """Whether null empties a field. Elsewhere a null that validates means nothing."""
    return fields.clears_with_null(endpoint.model_fields[name])


def _from_body(body: object | None) -> Row:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.", code="invalid_json")
    return cast("Row", body)


def _from_query(endpoint: type[Endpoint], query: list[tuple[str, str]]) -> Row:
    """Undo ``name[]=a&name[]=b`` and ``name[key]=v``. A plain repeated name is taken for an array as well."""
    sent: Row = {}
    for pair, value in query:
        spelled = _BRACKETS.fullmatch(pair)
        name, key = (spelled[1], spelled[2]) if spelled else (pair, None)
        schema = _properties(endpoint).get(name)
        if schema is None:
            raise unknown_parameter(pair)
        if key:
            part = cast("Row", sent.setdefault(name, {}))
            part[key] = _typed(value, schema.get("properties", {}).get(key, {}))
        elif key == "" or schema.get("type") == "array":
            cast("list[object]", sent.setdefault(name, [])).append(_typed(value, schema.get("items", {})))
        else:
            sent[name] = _typed(value, schema)
    return sent


def _typed(value: str, schema: Json) -> object:
    """Read a query value as its type; what can't be read stays text, for validation to refuse."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(value, value)
    return value


@cache
def _properties(endpoint: type[Endpoint]) -> dict[str, Json]:
    properties: dict[str, Json] = input_schema(endpoint)["properties"]
    return {name: schema for name, schema in properties.items() if name not in endpoint.SPEC.local_fields}

"""The sandbox names resources by strings. Each must name something there is, or what stands under it never runs."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest

from admin_mcp import sandbox
from admin_mcp.endpoints.base import ApiObject
from admin_mcp.sandbox import audit, creation, operations, pagination, projections, resources, rules, seed, usage
from admin_mcp.sandbox.routes import Operation, router
from admin_mcp.sandbox.serialization import models_in

ROUTES = router().routes
SOURCES = sorted(Path(sandbox.__path__[0]).glob("*.py"))


def kinds_of(*wanted: Operation) -> set[str]:
    return {route.kind for route in ROUTES if route.operation in wanted}


def fields_of(model: type[ApiObject]) -> set[str]:
    """The names of everything an answer shows, at any depth."""
    names = {field.alias or name for name, field in model.model_fields.items()}
    return names.union(
        *(fields_of(inner) for field in model.model_fields.values() for inner in models_in(field.annotation))
    )


def shown(kind: str) -> set[str]:
    return set[str]().union(*(fields_of(route.endpoint.SPEC.returns) for route in ROUTES if route.kind == kind))


def arguments() -> set[str]:
    return {name for route in ROUTES for name in route.endpoint.model_fields}


def literals(annotation: object) -> set[str]:
    inner = [literal for part in get_args(annotation) for literal in literals(part)]
    return {annotation, *inner} if isinstance(annotation, str) else set(inner)


def values_of(argument: str) -> set[str]:
    fields = [route.endpoint.model_fields.get(argument) for route in ROUTES]
    return set[str]().union(*(literals(field.annotation) for field in fields if field))


KINDS = {route.kind for route in ROUTES}
PAIRS = {(route.operation, route.kind) for route in ROUTES}
MADE = kinds_of("create") - router().memberships
REPORTS = {kind.rpartition("/")[2] for kind in kinds_of("report")}
METRICS = set[str]().union(*(fields_of(route.endpoint.SPEC.returns) for route in ROUTES if route.operation == "report"))
WIDTHS = values_of("bucket_width")

TABLES: list[tuple[ModuleType, str, Iterable[Any]]] = [
    (audit, "_ENDINGS", get_args(Operation)),
    (audit, "_EVENTS", PAIRS),
    (audit, "_NOUNS", {kind.rpartition("/")[2] for kind in KINDS}),
    (creation, "_FINISH", MADE),
    (creation, "_PREPARE", MADE),
    (creation, "_PROJECT_ROLES", values_of("role")),
    (creation, "_RATE_LIMITS", {model for models in usage._MODELS.values() for model in models}),
    (resources, "ENFORCEMENT", shown("spend_limit")),
    (resources, "RESOURCES", kinds_of("get", "list")),
    (resources, "RENAMED", arguments()),
    (resources, "SINGLETONS", kinds_of("read")),
    (resources, "_ROLE", shown("roles")),
    (pagination, "_PAGING", arguments()),
    (operations, "_ACTIONS", kinds_of("act")),
    (operations, "_OPERATIONS", get_args(Operation)),
    (rules, "_GUARDS", PAIRS),
    (seed, "_PREDEFINED", values_of("role")),
    (usage, "_DIMENSIONS", METRICS),
    (usage, "_LIMITS", WIDTHS),
    (usage, "_MODELS", REPORTS),
    (usage, "_PER_REQUEST", METRICS),
    (usage, "_WIDTHS", WIDTHS),
    (projections, "_DERIVED", kinds_of("get", "list")),
]
"""Every table, and what its keys may be."""

every_table = pytest.mark.parametrize(
    ("module", "name", "known"),
    TABLES,
    ids=[f"{module.__name__.rpartition('.')[2]}.{name}" for module, name, _ in TABLES],
)


@every_table
def test_a_key_of_a_table_names_something_there_is(module: ModuleType, name: str, known: Iterable[Any]) -> None:
    assert sorted(set(getattr(module, name)) - set(known)) == []


def test_every_table_is_looked_at() -> None:
    looked_at = {(Path(str(module.__file__)).name, name) for module, name, _ in TABLES}
    written = {(path.name, name) for path in SOURCES for name in _tables(path)}
    assert written == looked_at


def _tables(path: Path) -> Iterator[str]:
    """The names of a module that are given a dict or a set where they are defined."""
    for node in ast.parse(path.read_text("utf-8")).body:
        value = getattr(node, "value", None)
        made_set = isinstance(value, ast.Call) and getattr(value.func, "id", "") in {"dict", "set", "frozenset"}
        if made_set or isinstance(value, ast.Dict | ast.Set | ast.DictComp | ast.SetComp):
            yield from (target.id for target in _targets(node) if isinstance(target, ast.Name))


def _targets(node: ast.stmt) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=targets):
            return targets
        case ast.AnnAssign(target=target):
            return [target]
    return []


@pytest.mark.parametrize(
    ("table", "needed"),
    [
        (operations._OPERATIONS, get_args(Operation)),
        (operations._ACTIONS, kinds_of("act")),
        (resources.RESOURCES, MADE),
        (usage._LIMITS, WIDTHS),
        (usage._WIDTHS, WIDTHS),
    ],
    ids=["operations", "actions", "resources", "limits", "widths"],
)
def test_a_table_that_is_looked_up_without_a_default_has_every_key(
    table: Mapping[Any, object], needed: Iterable[Any]
) -> None:
    assert set(needed) - set(table) == set()


def test_every_event_has_a_payload_in_the_audit_log() -> None:
    assert set(audit._EVENTS.values()) - set(audit._payloads()) == set()
    assert {
        noun for noun in audit._NOUNS.values() if not any(name.startswith(f"{noun}.") for name in audit._payloads())
    } == set()


@pytest.mark.parametrize("kind", resources.RESOURCES)
def test_a_new_thing_begins_with_fields_that_some_answer_shows(kind: str) -> None:
    begun = resources.RESOURCES[kind].begin(0)
    assert sorted(set(begun) - set[str]().union(*map(shown, KINDS))) == []


@pytest.mark.parametrize("kind", resources.SINGLETONS)
def test_a_singleton_nobody_has_set_has_fields_that_are_shown(kind: str) -> None:
    assert sorted(set(resources.SINGLETONS[kind]) - shown(kind)) == []


def test_what_is_renamed_is_shown_under_its_new_name() -> None:
    for given, kept in resources.RENAMED.items():
        taking = [route for route in ROUTES if given in route.endpoint.model_fields]
        assert all(kept in fields_of(route.endpoint.SPEC.returns) for route in taking), given


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_path_in_the_source_is_one_there_is(path: Path) -> None:
    known = {route.endpoint.SPEC.path for route in ROUTES}
    places = {re.sub(r"\{\w+\}", "*", f"/organization{each.removeprefix('/organization')}") for each in known}
    roots = {"/organization", "/organization/"}
    for text in _paths(path):
        place = f"/organization{text.removeprefix('/organization')}"
        assert text in roots or place in places or any(each.startswith(f"{place}/") for each in places), text


def _paths(path: Path) -> Iterator[str]:
    """The paths a module spells out, with ``*`` for every id."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(_part(part) for part in node.values)
        if re.match(r"/(organization|projects)\b", text):
            yield text


def _part(part: ast.expr) -> str:
    constants = {"PROJECTS": projections.PROJECTS, "USERS": projections.USERS}
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name)) if name in constants:
            return constants[name]
    return "*"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_kind_that_is_asked_for_in_the_source_is_one_there_is(path: Path) -> None:
    assert [kind for kind in _compared(ast.parse(path.read_text("utf-8"))) if kind not in KINDS] == []


def _compared(tree: ast.AST) -> Iterator[str]:
    """The strings a kind is compared with, as in ``call.kind == "users"`` and ``match kind_of(place)``."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others) if _is_kind(left):
                yield from (text for other in others for text in _strings(other))
            case ast.Match(subject=subject, cases=cases) if _is_kind(subject):
                yield from (text for case in cases for text in _strings(case.pattern))


def _is_kind(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="kind") | ast.Call(func=ast.Name(id="kind_of")):
            return True
    return False


def _strings(node: ast.AST) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def test_kinds_that_are_compared_with_are_found() -> None:
    found = [kind for path in SOURCES for kind in _compared(ast.parse(path.read_text("utf-8")))]
    assert {"audit_logs", "projects/certificates", "projects/service_accounts", "users"} <= set(found)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_an_argument_that_is_asked_for_in_the_source_is_one_there_is(path: Path) -> None:
    assert [name for name in _given(ast.parse(path.read_text("utf-8"))) if name not in arguments()] == []


def _given(tree: ast.AST) -> Iterator[str]:
    """The strings looked up among what a call gives: ``given["name"]``, ``given.get("name")``, ``"name" in given``."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Subscript(value=looked_in, slice=ast.Constant(value=str(name)))
                | ast.Call(
                    func=ast.Attribute(value=looked_in, attr="get" | "pop"), args=[ast.Constant(value=str(name)), *_]
                )
                | ast.Compare(left=ast.Constant(value=str(name)), comparators=[looked_in])
            ) if _is_given(looked_in):
                yield name


def _is_given(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="given") | ast.Name(id="given"):
            return True
    return False


def test_arguments_that_are_asked_for_are_found() -> None:
    found = {name for path in SOURCES for name in _given(ast.parse(path.read_text("utf-8")))}
    assert {"certificate_ids", "external_key_id", "role_id", "group_type", "expires_in_seconds"} <= found

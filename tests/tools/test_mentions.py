"""Descriptions name only tools that are there, and what is left of one still reads as a description."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.schema import META_LOOKUPS, Json
from admin_mcp.tools.mentions import NO_TOOL_FOR_IT, cut, usable_hint, without_mentions
from admin_mcp.tools.search import Names, Query, describe, find
from admin_mcp.tools.search_index import SearchIndex
from admin_mcp.tools.selection import Selection
from admin_mcp.tools.toolsets import toolsets

TOOLS = compiled_catalog().tools
EVERY = {tool["name"]: tool for tool in TOOLS}
SELECTIONS = [
    *(Selection(name, read_only=read_only) for name in toolsets(TOOLS) for read_only in (False, True)),
    *(Selection(exclude=name) for name in EVERY),
    *(Selection(tools=name) for name in EVERY),
    Selection("people,spend"),
    Selection("projects", exclude="list_*"),
    Selection("security", tools="get_user,create_*"),
]


def offered(selection: Selection) -> list[Json]:
    return selection.of(TOOLS)


def texts(node: Any) -> Iterator[str]:
    """Everything in a definition that a model reads as text."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "description" and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)


def mentioned(tool: Json) -> set[str]:
    words = {word for text in texts(tool) for word in re.findall(r"[a-z0-9_]+", text)}
    return words & EVERY.keys()


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_no_description_names_a_tool_that_is_not_offered(selection: Selection) -> None:
    tools = offered(selection)
    names = {tool["name"] for tool in tools}
    for tool in tools:
        assert mentioned(tool) <= names, tool["name"]
        assert set(tool["_meta"].get(META_LOOKUPS, ())) <= names


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_what_is_left_of_a_description_reads_as_one(selection: Selection) -> None:
    for tool in offered(selection):
        text = tool["description"]
        assert EVERY[tool["name"]]["description"].startswith(re.split(r"[.;:]", text)[0])
        assert re.fullmatch(r"[A-Z][^\n]{19,399}\.", text), text
        assert not re.search(r"  | [.,;:]|[;:,]\.|\.\.|\(\)", text), text
        assert all(re.match(r"[A-Z`]", sentence) for sentence in text.split(". ")), text


def test_nothing_but_texts_is_touched() -> None:
    for selection in SELECTIONS:
        for tool in offered(selection):
            whole = EVERY[tool["name"]]
            assert _bare(tool) == _bare(whole)


def _bare(node: Any) -> Any:
    if isinstance(node, dict):
        dropped = {META_LOOKUPS, *(["description"] if isinstance(node.get("description"), str) else [])}
        return {key: _bare(value) for key, value in node.items() if key not in dropped}
    return node


def test_all_tools_together_are_listed_as_they_were_compiled() -> None:
    assert all(one is other for one, other in zip(Selection().of(TOOLS), TOOLS, strict=True))


def test_a_tool_that_names_nothing_missing_is_the_very_same() -> None:
    assert without_mentions(EVERY["get_user"], frozenset(["get_costs"])) is EVERY["get_user"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Do a thing. For more use get_gone.", "Do a thing."),
        ("Do a thing; for more use get_gone. It stays.", "Do a thing. It stays."),
        ("Do a thing. To see use get_gone; to end it use get_here.", "Do a thing. To end it use get_here."),
        ("List things: where the id for get_gone comes from.", "List things."),
        ("Do a thing. Use get_gone: it is better.", "Do a thing."),
        ("Name it by id (get_gone) or email.", "Name it by id or email."),
        ("Then use get_gone or get_here.", "Then use get_here."),
        ("Then use get_here or get_gone.", "Then use get_here."),
        ("Do a thing. Then use get_gone or get_lost.", "Do a thing."),
        ("Do a thing. Then use get_here or get_there.", "Do a thing. Then use get_here or get_there."),
        ("Set get_gone_only for less.", "Set get_gone_only for less."),
        ("Id from get_gone.", ""),
        ("Do a thing. In a project: get_gone.", "Do a thing."),
        ("Do a thing. Members: get_gone; projects: get_here.", "Do a thing. Projects: get_here."),
        ("Do a thing. Members: get_here; projects: get_gone.", "Do a thing. Members: get_here."),
    ],
)
def test_a_text_is_cut_between_its_clauses(text: str, left: str) -> None:
    assert cut(text, frozenset(["get_gone", "get_lost"])) == left


@pytest.mark.parametrize(
    ("hint", "left"),
    [
        ("Try again in a minute.", "Try again in a minute."),
        ("Most likely nothing is set. get_gone sets it. Check the id.", "Most likely nothing is set. Check the id."),
        ("Call get_gone to see it. Don't repeat it.", f"{NO_TOOL_FOR_IT} Don't repeat it."),
        ("Call get_gone to see it.", NO_TOOL_FOR_IT),
    ],
)
def test_a_hint_without_the_tools_that_are_missing_still_says_what_to_do(hint: str, left: str) -> None:
    assert usable_hint(hint, frozenset(["get_gone"])) == left


def test_search_tells_of_no_tool_that_is_not_offered_either() -> None:
    people = Selection("people").of(TOOLS)
    found = find(SearchIndex(people), Query(query="create group", limit=20))["tools"]
    shown = describe(people, Names(names=["create_group", "list_roles", "delete_user"]))["tools"]
    assert found
    for tool in [*found, *shown]:
        assert mentioned(tool) <= {offered["name"] for offered in people}

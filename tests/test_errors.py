"""The tree of exceptions is one, and is drawn as it is."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import admin_mcp
from admin_mcp import errors
from admin_mcp.errors import AdminMcpError, Conflict, StateUnavailable

PACKAGE = Path(admin_mcp.__file__).parent
FRAMEWORKS_OWN = {"_OneLineError"}
"""A subclass of click's own exception, which click prints."""


def own_exceptions() -> dict[str, type[BaseException]]:
    found: dict[str, type[BaseException]] = {}
    for file in PACKAGE.rglob("*.py"):
        if file.name == "__main__.py":
            continue
        name = ".".join(["admin_mcp", *file.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        for thing in vars(import_module(name)).values():
            if isinstance(thing, type) and issubclass(thing, BaseException) and thing.__module__ == name:
                found[thing.__name__] = thing
    return found


def drawn() -> dict[str, str | None]:
    """Return, for each class that the docstring draws, the one above it."""
    lines = [line for line in (errors.__doc__ or "").splitlines() if re.match(r"^ {4}[ │├└─]*[A-Z]\w+ *( |$)", line)]
    above: dict[str, str | None] = {}
    path: list[tuple[int, str]] = []
    for line in lines:
        match = re.match(r"^([ │├└─]*)([A-Z]\w+)", line)
        assert match
        depth, name = len(match[1]), match[2]
        while path and path[-1][0] >= depth:
            path.pop()
        above[name] = path[-1][1] if path else None
        path.append((depth, name))
    return above


def test_every_exception_of_this_package_stands_in_the_drawn_tree() -> None:
    exceptions = own_exceptions()
    assert exceptions.keys() - FRAMEWORKS_OWN == drawn().keys()
    assert all(issubclass(exceptions[name], AdminMcpError) for name in drawn())


def test_each_stands_below_the_class_it_derives_from() -> None:
    exceptions = own_exceptions()
    for name, above in drawn().items():
        if above is not None:
            assert above in {base.__name__ for base in exceptions[name].__bases__}, name


def test_an_error_said_in_other_words_is_the_same_in_all_else() -> None:
    error = StateUnavailable("The disk is full.", hint="Make room.")
    other = error.restated("Step 2: it is full.", param="steps[1]")
    assert (type(other), other.kind, other.hint, other.param) == (StateUnavailable, error.kind, error.hint, "steps[1]")
    assert (str(other), other.message, str(error)) == ("Step 2: it is full.", "Step 2: it is full.", error.message)
    assert (other.reason, other.retryable) == (error.reason, error.retryable)
    assert other.restated("It is.", hint="Wait.").hint == "Wait."


def hints() -> Iterator[tuple[str, str]]:
    """Yield each hint that is written in the rooms below the tools, and the file it is in."""
    for room in ("api", "endpoints", "gate"):
        for file in sorted((PACKAGE / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "hint":
                    said = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
                    yield file.name, " ".join(text for text in said if isinstance(text, str))


FOR_A_MODEL = re.compile(
    r"\b([Tt]ell the|[Aa]sk the user|the user (has|can)|Don't (re|send)|[Oo]perator|Call the tool)\b"
)


def test_there_are_many_hints_and_some_are_for_a_model() -> None:
    assert len([*hints()]) > 60
    assert sum(FOR_A_MODEL.search(hint) is not None for _, hint in hints()) > 15


@pytest.mark.parametrize(("file", "hint"), [*hints()])
def test_no_hint_has_a_person_at_a_terminal_tell_themselves(file: str, hint: str) -> None:
    del file
    told = Conflict("It failed.", hint=hint).told_to_operator
    assert not FOR_A_MODEL.search(told), told
    assert told.startswith("It failed.")
    assert told == told.strip()


def test_what_only_an_agent_can_do_is_left_out() -> None:
    said = {
        "Tell the user.": "",
        "Somebody has changed it. Tell the user, and make the change that is wanted now.": (
            " Somebody has changed it. Make the change that is wanted now."
        ),
        "Don't retry. Tell the user. Only the operator can switch it off.": " You can switch it off.",
        "Tell the user: the operator can start it.": " You can start it.",
        "Tell the operator: make room.": " Make room.",
    }
    for hint, left in said.items():
        assert Conflict("No.", hint=hint).told_to_operator == f"No.{left}"

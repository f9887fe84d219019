"""The tree of exceptions is one, and is drawn as it is."""

import re
from importlib import import_module
from pathlib import Path

import admin_mcp
from admin_mcp import errors
from admin_mcp.errors import AdminMcpError, StateUnavailable

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

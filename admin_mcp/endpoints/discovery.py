"""Finds the classes of a package that has a module for each subject: one class is one tool."""

from importlib import import_module
from pathlib import Path
from typing import TypeVar

from admin_mcp.endpoints.base import Inputs

_T = TypeVar("_T", bound=Inputs)


def specified(package: str, kind: type[_T]) -> list[type[_T]]:
    """Import every module of a package, and return its classes with a ``SPEC``, as they are written."""
    names = {file.stem for directory in import_module(package).__path__ for file in Path(directory).glob("[!_]*.py")}
    modules = [import_module(f"{package}.{name}") for name in sorted(names)]
    return [
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, kind)
        and thing.__module__ == module.__name__
        and "SPEC" in vars(thing)
    ]


def class_name(tool: str) -> str:
    """Return the name of the class that a tool is: ``ListRoles`` for ``list_roles``."""
    return "".join(word.capitalize() for word in tool.split("_"))

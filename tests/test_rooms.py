"""The rooms stand in one order, and none uses one below it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import admin_mcp

PACKAGE = Path(admin_mcp.__file__).parent
CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"
ROOMS = (
    "errors",
    "suggestions",
    "settings",
    "installation",
    "private_files",
    "endpoints",
    "catalog",
    "sandbox",
    "api",
    "gate",
    "channels",
    "jobs",
    "tools",
    "server",
    "cli",
    "__main__",
)
FREE = {"settings": {"errors"}}
"""What knows fewer rooms than those above it."""


def rooms_used(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("admin_mcp"):
            dotted = [*(node.module or "").split("."), node.names[0].name]
            if dotted[1] != "__version__":
                yield dotted[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("admin_mcp."))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


FILES = sorted(file for file in PACKAGE.rglob("*.py") if file != PACKAGE / "__init__.py")


def test_every_file_stands_in_a_room() -> None:
    assert {room_of(file) for file in FILES} == set(ROOMS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_file_uses_only_its_own_room_and_those_above_it(file: Path) -> None:
    room = room_of(file)
    allowed = FREE.get(room, set(ROOMS[: ROOMS.index(room)])) | {room}
    assert set(rooms_used(file)) <= allowed


def test_the_table_of_rooms_names_them_in_this_order_and_fits_ten_lines() -> None:
    table = re.findall(r"^\| (`[^|]+`) \|", CONTRIBUTING.read_text("utf-8"), re.MULTILINE)
    named = [name.strip("`/").removesuffix(".py").rstrip("/") for row in table for name in row.split(", ")]
    assert [name for name in named if name in ROOMS] == [room for room in ROOMS if room != "__main__"]
    assert len(table) <= 10


IMPURE = {
    "anyio",
    "asyncio",
    "datetime",
    "httpx",
    "os",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
}
PURE = [file for file in FILES if (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").find("Pure.") >= 0]


def names_of_time(tree: ast.Module) -> Iterator[str]:
    """Yield what a module that imports ``datetime`` asks the clock."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}:
            yield node.attr


def test_many_modules_are_pure() -> None:
    assert len(PURE) > 30


@pytest.mark.parametrize("file", PURE, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_that_is_called_pure_does_no_io_and_reads_no_clock(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(node.module)
    assert imported & (IMPURE - {"datetime"}) == set()
    assert [*names_of_time(tree)] == []

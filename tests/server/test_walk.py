"""How far a call walks: in which order through the rooms, and how often from one file to another."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import mcp_types as types
import pytest
from mcp import Client

import admin_mcp
from admin_mcp.catalog import compiled_catalog
from admin_mcp.gate.policy import Policy
from admin_mcp.gate.storage import open_storage
from admin_mcp.server.app import admin_server
from admin_mcp.settings import Settings
from tests.sessions import LEGACY

pytestmark = pytest.mark.anyio

PACKAGE = Path(admin_mcp.__file__).parent
OUTSIDE = ("sandbox/", "catalog/", "endpoints/discovery")
"""The far side of the wire, and the tables that every room looks things up in."""

MOST_FILES = {"read": 22, "change": 41}
MOST_MOVES = {"read": 41, "change": 161}
"""Here what is called again counts again: a change is looked at before it is asked about, and before it is sent."""


def own(frame: FrameType | None) -> str | None:
    """Return the file of the nearest frame that is this package's, without suffix."""
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if PACKAGE in file.parents:
            return file.relative_to(PACKAGE).with_suffix("").as_posix()
        frame = frame.f_back
    return None


@contextmanager
def walked() -> Iterator[list[str]]:
    """Collect each file that is entered from another one of ours, in order."""
    entered: list[str] = []
    frames: set[FrameType] = set()  # a coroutine that goes on is not entered again

    def note(frame: FrameType, event: str, argument: object) -> None:
        del argument
        if event != "call" or frame.f_code.co_name.startswith("<") or frame in frames:
            return
        frames.add(frame)
        here = Path(frame.f_code.co_filename)
        if PACKAGE in here.parents and (file := own(frame)) and file != own(frame.f_back):
            entered.append(file)

    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(None)


async def approve(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
    del context, params
    return types.ElicitResult(action="accept", content={"decision": "approve"})


async def walk(tool: str, arguments: dict[str, Any], directory: Path) -> list[str]:
    """Make a call twice, and return the way of the second: the first brings in what is loaded late."""
    settings = Settings(sandbox=True, state_dir=directory)
    storage = open_storage(settings)
    entered: list[str] = []
    async with (
        admin_server(settings, compiled_catalog(), Policy.standard(read_only=False), storage) as server,
        Client(server, mode=LEGACY, elicitation_callback=approve) as client,
    ):
        for number in range(2):
            given = {name: value.format(number) for name, value in arguments.items()}
            with walked() as entered:
                result = await client.call_tool(tool, given)
            assert not result.is_error, result.structured_content
    storage.process.close()
    return [file for file in entered if not file.startswith(OUTSIDE)]


def in_order(steps: list[str], entered: list[str]) -> bool:
    places = [entered.index(step) for step in steps]
    return all(one < other for one, other in pairwise(places))


async def test_a_read_goes_one_way_through_few_files(tmp_path: Path) -> None:
    entered = await walk("list_projects", {}, tmp_path / "state")
    steps = [
        "server/app",
        "tools/endpoint_tool",
        "endpoints/arguments",
        "endpoints/paging",
        "api/connection",
        "api/request",
        "api/client",
        "api/response",
        "server/results",
    ]
    assert in_order(steps, entered)
    assert len(set(entered)) <= MOST_FILES["read"], set(entered)
    assert len(entered) <= MOST_MOVES["read"], entered


async def test_a_change_builds_its_request_once_and_passes_the_gate_before_it_is_sent(tmp_path: Path) -> None:
    entered = await walk("create_project", {"name": "Project {}"}, tmp_path / "state")
    steps = [
        "server/app",
        "tools/endpoint_tool",
        "endpoints/arguments",
        "api/request",
        "gate/preview",
        "gate/approval",
        "api/permits",
        "api/client",
        "api/response",
        "server/results",
    ]
    assert in_order(steps, entered)
    assert len(set(entered)) <= MOST_FILES["change"], set(entered)
    assert len(entered) <= MOST_MOVES["change"], entered

"""Rules over all jobs as a client gets them, and the reader that all of them share."""

import json
import re
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.base import Endpoint, EndpointDefinitionError
from admin_mcp.endpoints.schema import META_EFFECT, Json
from admin_mcp.errors import NetworkError, NotFound, Permission, RateLimited
from admin_mcp.jobs import all_jobs, compiled_jobs, job_class
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.compile import JOBS_JSON, compiled
from admin_mcp.jobs.reader import AT_ONCE, MOST_UNREAD, SLOWED_SECONDS, Reader

pytestmark = pytest.mark.anyio


async def unheard(done: float, total: float | None, message: str) -> None:
    del done, total, message


def reader(read: Callable[[Endpoint], Any], slept: list[float] | None = None) -> Reader:
    async def sleep(seconds: float) -> None:
        assert slept is not None
        slept.append(seconds)

    return Reader(compiled_catalog(), read, unheard, now=lambda: 1000.0, sleep=sleep)


def test_the_compiled_jobs_are_up_to_date() -> None:
    assert JOBS_JSON.read_text("utf-8") == compiled(), "run `make catalog`"


def test_each_compiled_job_leads_to_its_class() -> None:
    assert [job_class(tool) for tool in compiled_jobs()] == all_jobs()


@pytest.mark.parametrize("tool", compiled_jobs(), ids=lambda tool: str(tool["name"]))
def test_a_job_is_listed_as_something_that_changes_nothing(tool: Json) -> None:
    assert tool["annotations"]["readOnlyHint"] is True
    assert tool["_meta"][META_EFFECT] == "read"
    assert tool["name"] not in compiled_catalog()
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", tool["name"])
    assert "$ref" not in json.dumps(tool)


def test_a_job_in_the_wrong_file_or_without_a_description_fails_when_it_is_defined() -> None:
    with pytest.raises(EndpointDefinitionError, match=r"its module must be called elsewhere\.py"):
        type("Elsewhere", (Report,), {"__doc__": "Find.", "__module__": "admin_mcp.jobs.reports.here"})


async def test_a_thing_is_read_once_however_often_it_is_asked_for() -> None:
    asked: list[Endpoint] = []

    async def read(call: Endpoint) -> Json:
        asked.append(call)
        await anyio.lowlevel.checkpoint()
        return {"id": "role_1"}

    one = reader(read)
    await one.each(range(5), lambda _: one.get("get_role", role_id="role_1"))
    assert await one.get("get_role", role_id="role_1") == {"id": "role_1"}
    assert len(asked) == 1


async def test_at_most_eight_reads_are_in_flight() -> None:
    most = running = 0

    async def read(call: Endpoint) -> Json:
        nonlocal most, running
        del call
        running += 1
        most = max(most, running)
        await anyio.lowlevel.checkpoint()
        running -= 1
        return {}

    one = reader(read)
    await one.each(range(30), lambda number: one.get("get_role", role_id=f"role_{number}"))
    assert most == AT_ONCE


async def test_all_pages_are_followed_to_the_end_and_never_round() -> None:
    pages: list[Json] = [
        {"data": [{"id": "a"}], "has_more": True, "last_id": "a"},
        {"data": [{"id": "b"}], "has_more": True, "last_id": "b"},
        {"data": [{"id": "c"}], "has_more": True, "last_id": "a"},
    ]

    async def read(call: Endpoint) -> Json:
        return pages[{None: 0, "a": 1, "b": 2}[call.after]]  # type: ignore[attr-defined]  # every list of users has one

    assert [user["id"] for user in await reader(read).all("list_users")] == ["a", "b", "c"]


async def test_what_the_key_may_not_read_is_kept_in_a_list() -> None:
    async def read(call: Endpoint) -> Json:
        raise (Permission if "user" in call.SPEC.name else NotFound)("no", hint="")

    one = reader(read)
    assert await one.attempt("Ana", one.get("get_user", user_id="user_1")) is None
    assert await one.attempt("a role", one.get("get_role", role_id="role_1")) is None
    assert one.unreadable() == [{"what": "Ana", "why": "no"}, {"what": "a role", "why": "no"}]


async def test_a_job_waits_where_the_api_asks_to_slow_down_and_gives_up_in_the_end() -> None:
    left = 2
    slept: list[float] = []

    async def read(call: Endpoint) -> Json:
        nonlocal left
        del call
        if left:
            left -= 1
            raise RateLimited("slow down", hint="")
        return {"id": "role_1"}

    assert await reader(read, slept).get("get_role", role_id="role_1") == {"id": "role_1"}
    assert slept == [*SLOWED_SECONDS[:2]]
    left = 100
    with pytest.raises(RateLimited):
        await reader(read, slept).get("get_role", role_id="role_2")


async def test_one_failure_of_several_reads_comes_out_as_itself() -> None:
    async def read(call: Endpoint) -> Json:
        raise NetworkError(f"no way to {call.SPEC.name}", hint="")

    one = reader(read)
    with pytest.raises(NetworkError):
        await one.each(range(5), lambda number: one.get("get_role", role_id=f"role_{number}"))


async def test_a_list_that_says_there_is_more_and_not_how_to_get_there_is_noted() -> None:
    async def read(call: Endpoint) -> Json:
        del call
        return {"data": [{"id": "a"}], "has_more": True, "next": None}

    one = reader(read)
    assert await one.all("list_groups") == [{"id": "a"}]
    assert one.unreadable() == [{"what": "list_groups beyond 1 items", "why": "the API names no further page"}]


async def test_an_id_that_is_none_is_the_apis_fault_and_one_gap() -> None:
    async def read(call: Endpoint) -> Json:
        raise AssertionError(call)

    one = reader(read)
    assert await one.attempt("a role", one.get("get_role", role_id="../users")) is None
    assert "get_role can't be called with what the API gave" in one.unreadable()[0]["why"]


async def test_only_the_first_of_much_that_can_not_be_read_is_named() -> None:
    async def read(call: Endpoint) -> Json:
        raise Permission(f"no {call.SPEC.name} {'x' * 1000}", hint="")

    one = reader(read)
    for number in range(300):
        await one.attempt(f"role {number}", one.get("get_role", role_id=f"role_{number}"))
    shown = one.unreadable()
    assert len(shown) == MOST_UNREAD + 1
    assert shown[-1]["what"] == "290 more, such as role 299"
    assert len(json.dumps(shown)) < 4000

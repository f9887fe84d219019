"""What an admin says leads to the one thing that is meant, whatever others call themselves."""

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.jobs.naming import all_chosen, chosen, find_user, label, labels, matches, rows
from admin_mcp.jobs.reader import Reader
from tests.jobs.executing import World, unheard

ANA: Json = {"id": "user-1", "name": "Ana", "email": "ana@example.com"}
LIAR: Json = {"id": "user-2", "name": "user-1", "email": "liar@example.com"}


@pytest.mark.parametrize("asked", ["user-1", " user-1 ", "ANA@example.com", "ana", "\uff21na"])
def test_an_id_goes_before_an_address_and_an_address_before_a_name(asked: str) -> None:
    assert matches(asked, [LIAR, ANA]) == [ANA]


def test_a_name_like_an_address_is_never_found_by_it() -> None:
    assert matches("ana@example.com", [{**LIAR, "name": "ana@example.com"}]) == []


@pytest.mark.parametrize("asked", ["", "None", "\u200b", "x" * 5000])
def test_what_says_nothing_means_nobody(asked: str) -> None:
    nobody: Json = {"id": "user-3", "name": None, "email": None}
    with pytest.raises(InvalidInput, match="there is no member") as raised:
        chosen(asked, [nobody], "member", "user")
    assert len(raised.value.message) < 500


def test_things_named_twice_are_taken_once() -> None:
    assert all_chosen(["Ana", "user-1"], [ANA, LIAR], "member", "users") == (ANA,)


def test_a_label_can_not_be_drawn_over_and_many_are_counted() -> None:
    assert label({"id": "a", "name": "x”\n\u202ey"}) == "“x\\”\\u{000A}\\u{202E}y” (a)"
    assert labels([{"id": str(number)} for number in range(7)], 2) == "(0), (1) and 5 more"


@pytest.mark.anyio
async def test_things_without_a_usable_id_are_left_out_and_told() -> None:
    async def read(call: Endpoint) -> Json:
        del call
        return {"data": [{"id": "../x"}, {"id": None}, {"id": 5}, {}, {"id": "user-1"}, None, "text"]}

    reader = Reader(compiled_catalog(), read, unheard, now=lambda: 0.0)
    assert await rows(reader, "list_users") == [{"id": "user-1"}]
    assert reader.unreadable() == [{"what": "items of list_users", "why": "4 without an id that could be passed on"}]


@pytest.mark.anyio
async def test_a_person_known_by_id_takes_one_read() -> None:
    world = World()
    ben = world.named("list_users", "Ben Okafor")
    reader = Reader(compiled_catalog(), world.read, unheard, now=lambda: 0.0)
    assert (await find_user(reader, ben["id"], "user"))["email"] == "ben.okafor@example.com"
    assert world.reads == ["get_user"]
    liar = world.new_user("user-friendly", "liar@example.com")
    assert (await find_user(reader, "user-friendly", "user"))["id"] == liar

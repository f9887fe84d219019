"""What an admin asks for is one call through the server, and costs the model little."""

import pytest

from tests.jobs.cost import tokens
from tests.sessions import LEGACY, session

pytestmark = pytest.mark.anyio
SANDBOX = ("--sandbox", "--people", "70", "--projects", "13")


async def test_reviewing_everybodys_access_is_one_call_of_6000_tokens() -> None:
    async with session(LEGACY, *SANDBOX) as server:
        answer = await server.call("review_access")
        assert (answer["totals"]["people"], answer["totals"]["projects"]) == (70, 13)
        assert "more" not in answer
        assert tokens(answer) <= 6_000


async def test_who_can_create_keys_in_a_project_is_one_call_of_400_tokens() -> None:
    async with session(LEGACY, *SANDBOX) as server:
        answer = await server.call("review_access", project="Billing", permission="create API keys")
        assert "Key manager through group Finance" in str(answer)
        assert tokens(answer) <= 400


async def test_finding_a_person_is_one_call_of_150_tokens_and_their_id_is_taken_by_the_next() -> None:
    async with session(LEGACY, *SANDBOX) as server:
        answer = await server.call("find", query="ortiz")
        assert tokens(answer) <= 150
        user = await server.call("get_user", user_id=answer["found"][0]["id"])
        assert user["name"] == "Ana Ortiz"


async def test_a_project_without_a_spend_limit_is_found_in_one_call_of_2000_tokens() -> None:
    async with session(LEGACY, *SANDBOX) as server:
        answer = await server.call("review_settings")
        unlimited = [row["name"] for row in answer["projects"] if row["spend_limit_usd"] is None]
        (finding,) = [each for each in answer["findings"] if each["kind"] == "no_spend_limit"]
        assert finding["who"] == unlimited
        assert tokens(answer) <= 2_000


async def test_an_unknown_name_is_an_error_that_offers_the_nearest() -> None:
    async with session(LEGACY, *SANDBOX) as server:
        error = await server.error("review_access", project="Billin G")
        assert error["kind"] == "invalid_input"
        assert "Billing" in error["message"]

"""Every tool, called through the real process, sends exactly the documented request and nothing else."""

import json
from pathlib import Path

import pytest

from tests.contract.cases import CASES
from tests.contract.examples import fullest, smallest, variants
from tests.contract.facts import TYPES
from tests.contract.test_returns import answer
from tests.contract.wire import documented
from tests.recorder import Canned, Recorder
from tests.sandbox.walk import accepted, organization
from tests.sessions import ERAS, KEY, approve_typing, session

pytestmark = pytest.mark.anyio


@pytest.fixture
def unguarded(tmp_path: Path) -> str:
    """Return the path of a policy without guardrails: their own reads would mix with the requests looked at."""
    path = tmp_path / "policy.toml"
    path.write_text("[guardrails]\nlast_owner = false\nown_key = false\n", "utf-8")
    path.chmod(0o600)
    return str(path)


@pytest.mark.parametrize("era", ERAS)
async def test_every_tool_sends_its_documented_request_with_the_bearer_key(
    era: str, recorder: Recorder, unguarded: str
) -> None:
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, "ADMIN_MCP_CONFIG": unguarded}
    async with session(era, "--approval", "none", env=env, answers=None) as running:
        for case in CASES:
            for variant in variants(case.documented):
                for arguments in (smallest(case.documented, variant), fullest(case.documented, variant)):
                    recorder.requests.clear()
                    result = await running.call(case.name, **arguments)
                    assert "error" not in result, (case.name, result)
                    sent = recorder.requests[-1]  # a change is preceded by reads of what it replaces
                    assert len(recorder.changes) == int(sent.changes)
                    expected = documented(case.documented, arguments)
                    query: dict[str, list[str]] = {}
                    for name, value in sent.query:
                        query.setdefault(name, []).append(value)
                    body = None if sent.body is None else json.dumps(sent.body, sort_keys=True)
                    assert (sent.method, sent.path.removeprefix("/v1")) == (expected.method, expected.path), case.name
                    assert (query, body) == (expected.query, expected.body), case.name
                    assert sent.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("era", ERAS)
async def test_a_validating_client_accepts_answers_of_today_and_tomorrow(
    era: str, recorder: Recorder, unguarded: str
) -> None:
    env = {
        "OPENAI_ADMIN_KEY": KEY,
        "OPENAI_BASE_URL": recorder.base_url,
        "ADMIN_MCP_CONFIG": unguarded,
        "ADMIN_MCP_SECRETS": "reveal",
    }
    async with session(era, "--approval", "none", env=env, answers=None) as running:
        await running.client.list_tools()  # from here on the client validates every result against its output schema
        for case in CASES:
            members = TYPES[case.documented.returns]
            for body in (
                answer(members, nulls=False, values="documented"),
                answer(members, nulls=True, values="new"),
                {},
            ):
                recorder.reply = lambda _, body=body: Canned(body=body)  # type: ignore[misc]  # a default, to bind it now
                assert await running.call(case.name, **smallest(case.documented)) == body, case.name


@pytest.mark.parametrize("era", ERAS)
async def test_every_read_works_on_the_sandbox(era: str) -> None:
    async with session(era, "--sandbox", answers=None) as running:
        await running.client.list_tools()
        for case in CASES:
            if case.documented.method == "GET":
                call, _ = accepted(organization(), case)
                assert "error" not in await running.call(case.name, **call.model_dump(mode="json", exclude_unset=True))


@pytest.mark.parametrize("era", ERAS)
async def test_every_changing_tool_waits_for_a_person(era: str, recorder: Recorder, unguarded: str) -> None:
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, "ADMIN_MCP_CONFIG": unguarded}
    changing = [case for case in CASES if case.documented.method != "GET"]
    wrong = approve_typing("certainly not its name")
    wrong.content = {**(wrong.content or {}), "decision": "yes"}
    async with session(era, env=env, answers=[wrong] * len(changing)) as running:
        for case in changing:
            error = await running.error(case.name, **smallest(case.documented))
            assert error["kind"] == "approval_denied", (case.name, error)
        assert len(running.asked) == len(changing)
    assert recorder.changes == []

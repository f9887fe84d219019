"""A rule demands a reason: the form of the real server asks for it, in both eras, and nothing is sent without."""

from pathlib import Path

import pytest

from tests.recorder import Recorder
from tests.sessions import APPROVE, ERAS, KEY, Answer, session

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ERAS)
async def test_the_clients_form_asks_for_the_reason(era: str, recorder: Recorder, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rules]]\ndecision = "confirm"\neffects = ["update"]\nreason = true\n', "utf-8")
    policy.chmod(0o600)
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url}
    said = Answer(action="accept", content={"decision": "approve", "reason": "the auditors asked"})
    async with session(era, "--config", str(policy), env=env, answers=[APPROVE, said]) as client:
        error = await client.error("update_role", role_id="role_1", description="new")
        assert error["kind"] == "approval_denied"
        await client.call("update_role", role_id="role_1", description="new")
    assert "reason" in client.asked[0].requested_schema["properties"]
    assert [request.body for request in recorder.changes] == [{"description": "new"}]

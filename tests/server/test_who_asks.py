"""The client's name goes from either era's session to the person who decides, and never back to the model."""

from pathlib import Path

import pytest

from admin_mcp.gate.database import epoch_seconds
from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.recorder import Recorder
from tests.sessions import ERAS, KEY, session

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ERAS)
async def test_the_client_the_label_and_the_end_of_the_key_are_kept_with_the_question_and_not_told_to_the_model(
    era: str, tmp_path: Path, recorder: Recorder
) -> None:
    env = {
        "ADMIN_MCP_STATE_DIR": str(tmp_path / "state"),
        "ADMIN_MCP_ORGANIZATION_LABEL": "Acme of Vienna",
        "OPENAI_ADMIN_KEY": KEY,
        "OPENAI_BASE_URL": recorder.base_url,
    }
    steps = [{"tool": "update_role", "arguments": {"role_id": "role_1", "description": "other"}}]
    async with session(era, env=env, answers=None) as running:
        told = [await running.call("update_role", role_id="role_1", description="new")]
        told.append(plan := await running.call("plan_changes", title="Lab", steps=steps))
        told.append(await running.call("apply_plan", plan_id=plan["plan_id"]))
        told += [await running.call("list_changes"), await running.call("list_approvals")]
    kept = open_storage(Settings(state_dir=tmp_path / "state"), epoch_seconds).approvals.all()
    assert [each.preview.asker.client[:4] for each in kept] == ["“mcp"] * 2
    assert {(each.preview.asker.organization, each.preview.asker.key) for each in kept} == {
        ("Acme of Vienna", KEY[-4:])
    }
    assert "Vienna" not in str(told)
    assert "calls itself" not in str(told)
    assert "asked_by" not in str(told)
    assert "key_last4" not in str(told)

"""Arguments that make an address which nothing takes are the caller's error, whichever part of it they make long."""

from pathlib import Path

import pytest

from admin_mcp.api.connection import LONGEST_TARGET
from tests.sessions import session

pytestmark = pytest.mark.anyio
LONG = "x" * (LONGEST_TARGET + 1)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_users", {"after": LONG}),
        ("list_users", {"emails": ["a@example.com"] * 5000}),
        ("get_user", {"user_id": LONG}),
        ("get_project_user", {"project_id": LONG, "user_id": "u"}),
        ("update_role", {"role_id": LONG, "name": "n"}),
        ("delete_user", {"user_id": LONG}),
        ("list_users", {"after": "ä" * 10_000}),
    ],
)
async def test_an_address_that_is_too_long_is_said(tmp_path: Path, tool: str, arguments: dict[str, object]) -> None:
    env = {"ADMIN_MCP_STATE_DIR": str(tmp_path / "state")}
    async with session("legacy", "--sandbox", env=env, answers=None, log=tmp_path / "log") as running:
        error = await running.error(tool, **arguments)
        assert error["kind"] == "invalid_input"
        assert "error" not in await running.call("list_users")
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")

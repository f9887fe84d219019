"""The real server on a state that is damaged, gone or open to others: it says so, reads go on, changes are refused."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.platforms import needs_file_modes
from tests.recorder import Recorder
from tests.sessions import KEY, LEGACY, environment, session

UPDATE = {"role_id": "role_1", "description": "new"}

pytestmark = pytest.mark.anyio


def filled(directory: Path) -> Path:
    journal = open_storage(Settings(state_dir=directory)).journal
    for number in range(3):
        journal.write("sending", f"change-{number}", by="x")
        journal.write("outcome", f"change-{number}", outcome="done")
    return directory / "gate.sqlite3"


def told(recorder: Recorder, directory: Path) -> str:
    """Start a server whose input ends at once, and return what it says on stderr."""
    env = environment(ADMIN_MCP_STATE_DIR=str(directory), OPENAI_ADMIN_KEY=KEY, OPENAI_BASE_URL=recorder.base_url)
    done = subprocess.run(
        [sys.executable, "-m", "admin_mcp"], env={**os.environ, **env}, input=b"", capture_output=True, check=True
    )
    return done.stderr.decode()


def no_json(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE journal SET record = '{' WHERE seq = 3")


def a_field_less(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE journal SET record = json_remove(record, '$.by') WHERE seq = 3")


def not_a_database(database: Path) -> None:
    database.write_bytes(b"not a database at all, but long enough to look at" * 100)


def open_to_all(database: Path) -> None:
    database.chmod(0o644)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (no_json, "record 3 of the journal"),
        (a_field_less, "record 3 of the journal"),
        (not_a_database, "file is not a database"),
        pytest.param(open_to_all, "can be read by other users", marks=needs_file_modes),
    ],
)
async def test_a_damaged_state_is_told_of_at_the_start_and_only_changes_are_refused(
    recorder: Recorder, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(filled(tmp_path / "state"))
    assert said in told(recorder, tmp_path / "state")
    env = {
        "ADMIN_MCP_STATE_DIR": str(tmp_path / "state"),
        "OPENAI_ADMIN_KEY": KEY,
        "OPENAI_BASE_URL": recorder.base_url,
    }
    for approval in ("none", "elicit"):
        async with session(LEGACY, "--approval", approval, env=env) as running:
            assert (await running.call("get_role", role_id="role_1"))["id"] == "thing_1"
            refused = await running.error("update_role", **UPDATE)
            assert refused["kind"] == "approval_unavailable"
            assert said in refused["message"]
            assert running.asked == []
    assert recorder.changes == []


@pytest.mark.parametrize("empty", [True, False])
async def test_a_state_that_is_gone_is_told_of_and_begun_anew_with_a_record_that_says_so(
    recorder: Recorder, tmp_path: Path, empty: bool
) -> None:
    database = filled(tmp_path / "state")
    database.unlink()
    if empty:
        database.touch(0o600)
    for _ in range(2):  # a start alone makes it no less so
        assert "it had 5 records or more" in told(recorder, tmp_path / "state")
    env = {
        "ADMIN_MCP_STATE_DIR": str(tmp_path / "state"),
        "OPENAI_ADMIN_KEY": KEY,
        "OPENAI_BASE_URL": recorder.base_url,
    }
    async with session(LEGACY, "--approval", "none", env=env) as running:
        await running.call("update_role", **UPDATE)
    kinds = [record.kind for record in open_storage(Settings(state_dir=tmp_path / "state")).journal.records()]
    assert kinds == ["lost", "sending", "outcome"]
    assert "records or more" not in told(recorder, tmp_path / "state")

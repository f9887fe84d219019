"""The sealing key: one for all servers of a state directory, and never one that others know."""

import os
from pathlib import Path

import pytest

from admin_mcp.channels.request_state_key import FILE_NAME, request_state_key
from tests.platforms import needs_file_modes


def test_the_key_stays_the_same_and_is_private(tmp_path: Path) -> None:
    key = request_state_key(tmp_path / "state")
    assert len(key) == 32
    assert request_state_key(tmp_path / "state") == key
    if os.name == "posix":
        assert (tmp_path / "state" / FILE_NAME).stat().st_mode & 0o777 == 0o600


@needs_file_modes
def test_a_key_that_others_can_read_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = request_state_key(tmp_path / "state")
    (tmp_path / "state" / FILE_NAME).chmod(0o644)
    assert request_state_key(tmp_path / "state") != key
    assert "chmod go-rwx" in caplog.text

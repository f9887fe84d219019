"""What every test may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorder import Recorder


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's key, settings or state."""
    for name in ("OPENAI_ADMIN_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("ADMIN_MCP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    monkeypatch.setenv("ADMIN_MCP_OPEN_BROWSER", "0")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as running:
        yield running

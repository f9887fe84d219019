"""What several commands' tests need."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from admin_mcp.gate.storage import GateStorage
from tests.cli.asked import Now
from tests.gate.questions import records
from tests.sandbox.serving import served
from tests.sessions import KEY


@pytest.fixture
def organization(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Serve an organization that outlives the commands, and yield a way to look at it."""
    with served() as url, httpx.Client(headers={"authorization": f"Bearer {KEY}"}, trust_env=False) as client:
        client.base_url = url
        monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        yield client


@pytest.fixture
def kept(tmp_path: Path) -> GateStorage:
    return records(tmp_path / "state", Now())

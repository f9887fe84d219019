"""What every test may ask for, and ``--no-processes``, which leaves out every test that starts a process."""

import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.recorder import Recorder

settings.register_profile("quick", max_examples=12)


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
    monkeypatch.setenv("ADMIN_MCP_DESKTOP_NOTIFICATIONS", "0")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as running:
        yield running


STARTS = frozenset({"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"})
"""What the interpreter calls the starting of a process, among the events it lets be audited."""


class Watch:
    """What is started while a test runs, and while it is set up."""

    def __init__(self) -> None:
        self.on = False
        self.started = False

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        del arguments
        if self.on and event in STARTS:
            self.started = True
            pytest.skip("it starts a process")

    def over(self) -> Generator[None, object, object]:
        """Skip the test, whatever became of what stopped it: a task group wraps it, a thread keeps it to itself."""
        self.on, self.started = True, False
        try:
            return (yield)
        finally:
            self.on = False
            if self.started:
                pytest.skip("it starts a process")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        return (yield from self.over())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        return (yield from self.over())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-processes", action="store_true", help="skip a test as soon as it would start a process")


def pytest_configure(config: pytest.Config) -> None:
    """Watch for processes, so that no test has to be marked, and none can be forgotten."""
    if config.getoption("--no-processes"):
        watch = Watch()
        sys.addaudithook(watch.hear)
        config.pluginmanager.register(watch)

"""What tests of the page share: a server with a browser at it, and a real browser."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.browser import Browser, chromium
from tests.channels.desk import Desk, PlanDesk
from tests.channels.screen import Screen


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path / "state")
    yield made
    await made.browser.aclose()
    made.server.stop()


@pytest.fixture
async def plans(tmp_path: Path) -> AsyncIterator[PlanDesk]:
    made = PlanDesk(tmp_path / "plans")
    yield made
    await made.browser.aclose()
    made.server.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def screen(tmp_path: Path, browser: Browser) -> Iterator[Screen]:
    made = Screen(tmp_path, browser)
    yield made
    made.end()


@pytest.fixture
def narrow(browser: Browser) -> Iterator[None]:
    """Make the window as narrow as a telephone's."""
    browser.resize(400, 1600)
    yield
    browser.resize(900, 1100)

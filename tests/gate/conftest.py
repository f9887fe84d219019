"""Worlds that end with their test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.gate.plan_world import PlanWorld
from tests.gate.world import World


class NewWorld(Protocol):
    def __call__(self, **given: Any) -> World: ...


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[NewWorld]:
    made: list[World] = []

    def new(**given: Any) -> World:
        if "beside" not in given:
            given.setdefault("directory", tmp_path / "state" if not made else tmp_path / f"state-{len(made)}")
        made.append(World(**given))
        return made[-1]

    yield new
    for world in made:
        world.close()


@pytest.fixture
def here(tmp_path: Path) -> PlanWorld:
    """Return a world for plans."""
    return PlanWorld(tmp_path / "state")

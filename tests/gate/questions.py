"""Questions and records for tests that need no API."""

from pathlib import Path

from admin_mcp.gate.approval import Question
from admin_mcp.gate.preview import Preview
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def records(directory: Path, clock: Clock | None = None) -> GateStorage:
    return open_storage(Settings(state_dir=directory), clock or Clock())


def question(key: str = "key", *, name: str = "Support", typed: bool = True, title: str = "Delete role") -> Question:
    preview = Preview(
        title=title,
        effect="destroy" if typed else "update",
        things={"Role": f"“{name}” (role_1)"},
        changes={},
        affected={},
        undo="not possible",
        target="the test system",
        request="DELETE /organization/roles/role_1",
        typed=(name, "role_1") if typed else (),
    )
    return Question(key, "delete_role", {"role_id": "role_1"}, preview)

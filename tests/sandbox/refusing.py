"""A pretend organization that is spoken to in short, and that notes by which rule and which line a call was refused."""

from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from admin_mcp.sandbox import rules
from admin_mcp.sandbox.errors import RefusalError
from admin_mcp.sandbox.organization import Organization
from admin_mcp.sandbox.routes import router
from tests.sandbox.walk import NOW

ORG = "/organization"

Site = tuple[str, int]


Rule = tuple[str, str, str]
"""Operation, kind and guard."""


class Sandbox:
    """An organization that is spoken to in short, and what refused each call that it refused."""

    def __init__(self) -> None:
        self.now = NOW
        self.org = Organization(clock=lambda: self.now)
        self.sites: set[Site] = set()
        self.rules: set[Rule] = set()

    def __call__(self, method: str, path: str, body: object = None, **query: str) -> dict[str, Any]:
        """Make a call that is accepted."""
        reply = self.org.respond(method, path, list(query.items()), body)
        assert reply.status == 200, (method, path, body, reply.body)
        answer: dict[str, Any] = reply.body
        return answer

    def refuses(
        self, method: str, path: str, body: object = None, *, status: int = 400, says: str, **query: str
    ) -> None:
        """Make a call that is refused, and note by what."""
        pairs = list(query.items())
        reply = self.org.respond(method, path, pairs, body)
        assert reply.status == status, reply.body
        assert says in str(reply.body), reply.body
        with pytest.raises(RefusalError) as refusal:
            self.org._answer(method, path, pairs, body, int(self.now))
        assert refusal.value.body == reply.body
        raised = refusal.traceback[-1]
        self.sites.add((Path(raised.path).name, raised.lineno + 1))
        ran = [entry.frame.code.raw for entry in refusal.traceback]
        self.rules |= _rules_of(method, path, ran)

    def id(self, path: str, name: str, key: str = "name") -> str:
        return next(str(item["id"]) for item in self("GET", path)["data"] if item[key] == name)

    def project(self, name: str) -> str:
        return f"{ORG}/projects/{self.id(f'{ORG}/projects', name)}"

    def user(self, name: str) -> str:
        return self.id(f"{ORG}/users", name)


def _rules_of(method: str, path: str, ran: list[CodeType]) -> set[Rule]:
    try:
        route, _ = router().find(method, path)
    except RefusalError:
        return set()
    guards = rules._GUARDS.get((route.operation, route.kind), ())
    return {(route.operation, route.kind, named(guard)) for guard in guards if guard.__code__ in ran}


def named(guard: Any) -> str:
    """Return what a guard is called."""
    return str(guard.__name__)

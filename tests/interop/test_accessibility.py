"""Every page that a person decides on, in a real Chromium, under axe: nothing serious, on any screen, light or dark.

axe comes from npm with what else ``make interop`` installs. With ``PAGE_SHOTS=DIRECTORY`` pictures are kept there.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from admin_mcp.channels.page_server import PageServer
from admin_mcp.gate.approval import APPLY_PLAN, Approval, Question, Result
from admin_mcp.gate.asker import Asker
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.gate.preview import Preview, ShownChange, ShownStep
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.settings import Settings
from tests.browser import Browser, chromium, needs_chromium

pytestmark = needs_chromium

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
SHORTEST_LEFT = 60
SCREENS = {"wide": (1280, 800), "telephone": (390, 844)}
ASKER = Asker(client="“Cursor 1.2.3”", key="wxyz", organization="Acme of Vienna")
LIGHT = Preview(
    title="Change role “Support” (role_1): description",
    effect="update",
    things={"Role": "“Support” (role_1)"},
    changes={"description": ShownChange(before="“old”", after="“new”")},
    affected={},
    undo="by setting the old values again",
    target="https://api.example.com/v1 with the key whose fingerprint is 3f9a01c2",
    request='POST /organization/roles/role_1 {"description":"new"}',
    typed=(),
    asker=ASKER,
)
GRAVE = LIGHT.model_copy(
    update={
        "title": "Delete role “Support” (role_1): everyone who has it loses what it allows",
        "effect": "destroy",
        "changes": {},
        "affected": {"users": "12"},
        "undo": "not possible",
        "request": "DELETE /organization/roles/role_1",
        "typed": ("Support", "role_1"),
        "wants_reason": True,
    }
)
STEPS = (
    ShownStep(number=2, mark="-", section="Takes away", why="“nobody has it”", preview=GRAVE),
    ShownStep(number=1, mark="~", section="Changes", why="", preview=LIGHT),
)
PLAN = GRAVE.model_copy(
    update={"title": "Plan “Spring”: 1 to change, 1 to remove", "steps": STEPS, "typed": ("remove 1",)}
)
PAGES = (
    "light",
    "grave",
    "too late",
    "plan",
    "inbox",
    "search",
    "together",
    "together, to reject",
    "done",
    "refused",
    "approved",
    "rejected",
    "ended",
    "became of those",
    "nothing there",
    "not allowed",
)


class Office:
    """A page server over a state with something of each kind in it, and a browser that was let in."""

    def __init__(self, directory: Path, browser: Browser) -> None:
        self.storage: GateStorage = open_storage(Settings(state_dir=directory))
        self.server = PageServer(self.storage.approvals, self.storage.plans, directory, epoch_seconds)
        self.browser = browser
        self.asked = {
            "light": self.ask("a", LIGHT),
            "other": self.ask("b", LIGHT.model_copy(update={"title": "Change role “Sales” (role_2): description"})),
            "grave": self.ask("c", GRAVE, "delete_role"),
            "graver": self.ask("d", GRAVE, "delete_role"),
            "plan": self.ask("e", PLAN, APPLY_PLAN),
        }
        over = {
            "done": Result("done", "The change was made. The new key is in /home/ada/keys/key_1.txt"),
            "refused": Result("refused", "The API refused it: 403, this role is predefined."),
        }
        for name, result in over.items():
            self.asked[name] = made = self.ask(name, LIGHT)
            self.storage.approvals.apply(made.id, "approve", via="page")
            self.storage.approvals.claim(made.id, {"by": "a test"})
            self.storage.approvals.finish(made.id, result, {})
        for name, event in (("approved", "approve"), ("rejected", "reject"), ("ended", "expire")):
            self.asked[name] = made = self.ask(name, GRAVE if name == "ended" else LIGHT)
            self.storage.approvals.apply(made.id, event, via="page")  # type: ignore[arg-type]  # one of the three above
        self.server.start()

    def ask(self, key: str, shown: Preview, tool: str = "update_role") -> Approval:
        arguments = {"plan_id": "none"} if tool == APPLY_PLAN else {"role_id": key}
        return self.storage.approvals.open(Question(key, tool, arguments, shown), "local")[0]

    def show(self, name: str) -> None:
        """Have one of ``PAGES`` in the browser."""
        inbox = f"{self.server._origin}{self.server._prefix}/"
        ids = {each: made.id for each, made in self.asked.items()}
        addresses = {
            "inbox": inbox,
            "search": f"{inbox}?q=delete",
            "together": f"{inbox}together?like={ids['light']}",
            "together, to reject": f"{inbox}together?like={ids['grave']}",
            "became of those": f"{inbox}together?decided={'.'.join(ids.values())}",
            "nothing there": f"{inbox}nothing",
            "not allowed": f"{inbox}enter/used",
            "too late": f"{inbox}approvals/{ids['grave']}",
        }
        self.browser.open(addresses.get(name) or f"{inbox}approvals/{ids[name]}")
        if name == "too late":
            self.browser.run("document.querySelectorAll('input').forEach(each => each.removeAttribute('pattern'))")
            self.browser.find("#typed_text").type("Suport")
            self.browser.find("#reason").type("nobody has it")
            self.browser.find("button.approve").click()
        if name == "together":
            self.browser.find(f"label[for='tick.{ids['light']}']").click()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    directory = tmp_path_factory.mktemp("office")
    with chromium(directory) as browser:
        made = Office(directory / "state", browser)
        try:
            browser.open(made.server.address())
            browser.wait_for("The last day")
            yield made
        finally:
            made.server.stop()


def findings(browser: Browser) -> list[dict[str, Any]]:
    """Return what axe has to say against the page, the grave part of it."""
    browser.run(AXE.read_text("utf-8") + "; return null")
    script = "axe.run(document).then(arguments[0], error => arguments[0]({violations: [{id: String(error)}]}))"
    answer = browser.command("POST", "execute/async", {"script": script, "args": []})
    return [
        {
            "rule": each["id"],
            "impact": each.get("impact"),
            "where": [node["html"][:200] for node in each.get("nodes", [])],
        }
        for each in answer["violations"]
        if each.get("impact") not in {"minor", "moderate"} and not at_the_end(each)
    ]


def at_the_end(violation: dict[str, Any]) -> bool:
    """Whether it is only that a question's page is loaded anew in the moment in which the question itself ends."""
    if violation["id"] != "meta-refresh":
        return False
    delays = [re.search(r'content="(\d+);', node["html"]) for node in violation["nodes"]]
    return all(delay and int(delay[1]) > SHORTEST_LEFT for delay in delays)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(name: str, screen: str, scheme: str, office: Office) -> None:
    browser = office.browser
    browser.resize(*SCREENS[screen])
    browser.prefer(scheme)
    office.show(name)
    keep(browser, f"{name}-{screen}-{scheme}".replace(", ", "-").replace(" ", "-"))
    assert findings(browser) == []
    assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_axe_does_find_what_is_wrong(office: Office) -> None:
    office.show("inbox")
    office.browser.run("document.querySelector('label').remove(); document.querySelector('html').lang = ''")
    assert {each["rule"] for each in findings(office.browser)} >= {"label", "html-has-lang"}


def keep(browser: Browser, name: str) -> None:
    if directory := os.environ.get("PAGE_SHOTS"):
        browser.screenshot(Path(directory) / f"{name}.png")

"""The inbox in a real browser, with what happens elsewhere meanwhile."""

from pathlib import Path

import pytest
from anyio import to_thread
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.gate.database import epoch_seconds
from tests.browser import needs_chromium
from tests.channels.screen import ENTER, LONG, UPDATE, Screen, env
from tests.gate.questions import Clock, records
from tests.recorder import Recorder
from tests.sessions import LEGACY, MODERN, session

pytestmark = [pytest.mark.anyio, needs_chromium]


def run(*words: str, state: Path) -> None:
    """Do something in a terminal, as the person does."""
    assert CliRunner().invoke(main, ["--state-dir", str(state), *words]).exit_code == 0


async def test_the_days_story_is_followed_on_the_inbox(screen: Screen, recorder: Recorder) -> None:  # noqa: PLR0915 - a story
    """Six questions of two servers: one decided in a terminal, two ticked, one expired, a plan with a struck step."""
    browser, state = screen.browser, screen.state

    async def shows(text: str) -> str:
        return await to_thread.run_sync(browser.wait_for, text)

    def entries(after: str) -> list[str]:
        found = browser.run(
            f"return [...document.querySelector('{after} ~ ul')?.children ?? []].map(each => each.innerText)"
        )
        return [str(each) for each in found]

    asked = env(screen, recorder)
    async with session(LEGACY, env=asked, answers=None) as one, session(MODERN, env=asked, answers=None) as two:
        await one.error("update_role", role_id="role_1", description="first")
        await to_thread.run_sync(screen.open)
        browser.find("header a").click()
        await shows("The last day")
        for server, text in ((one, "second"), (two, "third")):
            await server.error("update_role", role_id="role_1", description=text)
        await two.error("delete_role", role_id="role_1")
        await one.error("delete_role", role_id="role_2")
        steps = [{"tool": "update_role", "arguments": {"role_id": f"role_{n}", "description": "new"}} for n in (1, 2)]
        steps.append({"tool": "delete_role", "arguments": {"role_id": "role_3"}})
        plan = await two.call("plan_changes", title="Spring", steps=steps)
        await two.error("apply_plan", plan_id=plan["plan_id"])
        await shows("All that waits (6)")
        assert len(entries("h1")) == 6
        assert str(browser.command("GET", "title")) == "(6) All that waits"
        assert len(screen.opened) == 1

        # What is being typed stays, with the cursor in it, while a terminal decides.
        browser.find("#q").type("del")
        waiting = [each for each in reversed(records(state, RealClock()).approvals.all()) if each.state == "pending"]
        run("approvals", "deny", waiting[0].id, state=state)
        await shows("All that waits (5)")
        assert browser.run("return document.activeElement.id + document.activeElement.value") == "qdel"
        assert "Rejected. The change will not be made" in entries("h2")[0]

        # A focused link keeps the focus, for a keyboard, while a question runs out of time.
        link = f"a[href$='/approvals/{waiting[2].id}']"
        browser.run(f'document.querySelector("{link}").focus()')
        with records(state, RealClock()).database.transaction() as connection:
            connection.execute("UPDATE approvals SET since = since - 600 WHERE id = ?", (waiting[3].id,))
        await shows("All that waits (4)")
        assert any("Ended." in each for each in entries("h2"))
        assert browser.run(f'return document.activeElement.matches("{link}")')
        assert "by a client that calls itself “mcp" in entries("h1")[0]

        # Two of one kind are ticked and approved together; each is sent by the server that asked.
        browser.find("main a[href*='together']").click()
        shown = await shows("2 of one kind: update role")
        assert "“second”" in shown
        assert "“third”" in shown
        button = browser.find("button.approve")
        for each in waiting[1:3]:
            browser.find(f"label[for='tick.{each.id}']").click()
        assert (button.role, button.label) == ("button", "Approve what is ticked")
        # How many those are is counted by the style sheet alone, and seen.
        assert browser.run("return document.querySelector('.count').getBoundingClientRect().width > 0")
        button.click()
        await shows("What became of those that were ticked")
        assert [sent.body for sent in recorder.changes] == []
        await one.call("update_role", role_id="role_1", description="second")
        await two.call("update_role", role_id="role_1", description="third")
        await shows("The change was made.")
        browser.find("main a").click()
        await shows("All that waits (2)")
        assert str(browser.command("GET", "title")) == "(2) All that waits"

        # A step is struck out of the plan on its own page.
        (spring,) = (each for each in waiting if each.preview.steps)
        browser.find(f"a[href$='/approvals/{spring.id}']").click()
        await shows("They are sent in this order")
        browser.find("button[name=step][value='3']").click()
        await shows("struck out: 3")
        browser.find("header a").click()
        await shows("Plan “Spring”: 2 to change")

        browser.find("#q").type("delete role" + ENTER)
        await shows("Show all")
        assert browser.run("return location.search") == "?q=delete+role"
        assert ["Delete role" in each for each in entries("h1")] == [True]
    assert [sent.body for sent in recorder.changes] == [{"description": "second"}, {"description": "third"}]


class RealClock(Clock):
    def __call__(self) -> float:
        return epoch_seconds()


async def test_an_inbox_whose_server_is_gone_says_so(screen: Screen, recorder: Recorder) -> None:
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("update_role", **UPDATE)
        await to_thread.run_sync(screen.open)
    screen.browser.find("header a").click()
    await to_thread.run_sync(screen.browser.wait_for, "The last day")
    assert "not served any more" not in screen.browser.text
    await to_thread.run_sync(screen.end)
    await to_thread.run_sync(screen.browser.wait_for, "This page is not served any more")


@pytest.mark.usefixtures("narrow")
async def test_the_inbox_reaches_over_no_edge_of_a_narrow_screen(screen: Screen, recorder: Recorder) -> None:
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("update_role", role_id=LONG.replace("@", "."), description=LONG)
        await to_thread.run_sync(screen.open)
    screen.browser.find("header a").click()
    await to_thread.run_sync(screen.browser.wait_for, "The last day")
    assert screen.browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")

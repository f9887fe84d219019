"""A client without forms, the real server over stdio, and a person at a real browser."""

import shutil
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from click.testing import CliRunner

from admin_mcp.channels.page_process import LOCK_NAME
from admin_mcp.cli.main import main
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.private_files import FileLock
from tests.browser import Browser, chromium, needs_chromium
from tests.gate.questions import Clock, records
from tests.recorder import Canned, Recorder
from tests.sessions import KEY, LEGACY, MODERN, Session, session

pytestmark = [pytest.mark.anyio, needs_chromium]

UPDATE = {"role_id": "role_1", "description": "new"}
TAB = "\ue004"
ENTER = "\ue007"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


class Screen:
    """What the server opens on the person's screen: the command that would start a browser writes addresses down."""

    def __init__(self, directory: Path, browser: Browser) -> None:
        self.state = directory / "state"
        self.browser = browser
        self._opened = directory / "opened"
        command = directory / "browser.py"
        command.write_text(f"import sys\nopen({str(self._opened)!r}, 'a').write(sys.argv[1] + '\\n')\n", "utf-8")
        self.env = {
            "ADMIN_MCP_STATE_DIR": str(self.state),
            "ADMIN_MCP_OPEN_BROWSER": "1",
            "BROWSER": f"{sys.executable} {command} %s",
        }

    @property
    def opened(self) -> list[str]:
        return self._opened.read_text("utf-8").split() if self._opened.exists() else []

    def open(self, number: int = 1, says: str = "The exact request") -> str:
        """Open in Chromium what was put on the screen as the n-th, and return the page's text."""
        deadline = time.monotonic() + 20
        while len(self.opened) < number:
            assert time.monotonic() < deadline, "no page was opened"
            time.sleep(0.05)
        self.browser.open(self.opened[number - 1])
        return self.browser.wait_for(says)

    def end(self) -> None:
        """Take the state away, which ends the process that serves the pages."""
        shutil.rmtree(self.state / "run", ignore_errors=True)
        for path in self.state.glob("gate.sqlite3*"):
            path.unlink()
        lock = FileLock(self.state / LOCK_NAME)
        lock.acquire(10)
        lock.release()


@pytest.fixture
def screen(tmp_path: Path, browser: Browser) -> Iterator[Screen]:
    made = Screen(tmp_path, browser)
    yield made
    made.end()


def env(screen: Screen, recorder: Recorder, **more: str) -> dict[str, str]:
    return {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, **screen.env, **more}


@pytest.mark.parametrize("era", [LEGACY, MODERN])
async def test_approved_on_the_page_the_repeated_call_executes_once(
    era: str, screen: Screen, recorder: Recorder
) -> None:
    async with session(era, env=env(screen, recorder), answers=None) as running:
        assert (await running.error("update_role", **UPDATE))["kind"] == "approval_pending"
        shown = await to_thread.run_sync(screen.open)
        assert "“Support” (role_1)" in shown
        assert "“new”" in shown
        screen.browser.find("button.approve").click()
        screen.browser.wait_for("Approved.")
        assert recorder.changes == []
        assert (await running.call("update_role", **UPDATE))["id"] == "thing_1"
        await to_thread.run_sync(screen.browser.wait_for, "The change was made.")
        assert (await running.error("update_role", **UPDATE))["kind"] == "approval_pending"
    assert len(recorder.changes) == 1


async def test_the_call_that_waits_goes_on_when_the_page_is_answered(screen: Screen, recorder: Recorder) -> None:
    said: list[str | None] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        said.append(message)

    answers: list[Any] = []

    async def call(running: Session) -> None:
        result = await running.client.call_tool("delete_role", {"role_id": "role_1"}, progress_callback=report)
        answers.append(result.structured_content)

    waiting = env(screen, recorder, ADMIN_MCP_APPROVAL_WAIT="40")
    async with session(MODERN, env=waiting, answers=None) as running, anyio.create_task_group() as group:
        group.start_soon(partial(call, running))
        await to_thread.run_sync(screen.open)
        screen.browser.find("button.approve").click()
        assert screen.browser.find("#typed_text").text == ""
        assert "Done" not in screen.browser.text  # the form does not go without the text
        screen.browser.find("#typed_text").type("Suppor")
        screen.browser.find("button.approve").click()
        assert recorder.changes == []
        screen.browser.find("#typed_text").type("t")
        screen.browser.find("button.approve").click()
        await to_thread.run_sync(screen.browser.wait_for, "Done.")
    assert answers == [{"id": "thing_1", "name": "Support", "object": "thing"}]
    assert [sent.method for sent in recorder.changes] == ["DELETE"]
    assert said
    assert "127.0.0.1" not in str(said)


async def test_rejected_on_the_page_it_is_never_sent(screen: Screen, recorder: Recorder) -> None:
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("delete_role", role_id="role_1")
        await to_thread.run_sync(screen.open)
        screen.browser.find("button.reject").click()
        screen.browser.wait_for("will not be made")
        for _ in range(2):
            assert (await running.error("delete_role", role_id="role_1"))["kind"] == "approval_denied"
    assert recorder.changes == []


async def test_the_page_outlives_the_server_that_asked(screen: Screen, recorder: Recorder) -> None:
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("update_role", **UPDATE)
    await to_thread.run_sync(screen.open)
    screen.browser.find("button.approve").click()
    screen.browser.wait_for("tell it to try again")
    async with session(MODERN, env=env(screen, recorder), answers=None) as running:
        await running.call("update_role", **UPDATE)
    assert len(recorder.changes) == 1


async def test_the_page_can_be_used_with_the_keyboard_and_read_aloud(screen: Screen, recorder: Recorder) -> None:
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("delete_role", role_id="role_1")
        await to_thread.run_sync(screen.open)
        browser = screen.browser
        assert (browser.find("h1").role, browser.find("h1").text) == (
            "heading",
            "Delete role “Support” (role_1): everyone who has it loses what it allows",
        )
        assert (browser.find("form").role, browser.find("form").label) == ("form", "Your decision")
        browser.press(TAB)
        assert (browser.focused().role, browser.focused().label) == ("link", "All that waits (1)")
        browser.press(TAB)
        field = browser.focused()
        assert (field.role, field.label) == ("textbox", "To approve, type Support")
        field.type("Support")
        browser.press(TAB)
        assert (browser.focused().role, browser.focused().label) == ("button", "Approve")
        browser.press(TAB)
        assert browser.focused().label == "Reject"
        browser.press(ENTER)
        browser.wait_for("will not be made")
        assert browser.find(".note").role == "status"


async def test_enter_in_the_text_field_approves_only_with_the_text(screen: Screen, recorder: Recorder) -> None:
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("delete_role", role_id="role_1")
        await to_thread.run_sync(screen.open)
        screen.browser.find("#typed_text").type("wrong" + ENTER)
        assert "To approve" in screen.browser.text
        screen.browser.find("#typed_text").type("\ue009a\ue000\ue003Support" + ENTER)
        screen.browser.wait_for("Approved.")


async def test_a_second_question_joins_the_page_that_is_open(screen: Screen, recorder: Recorder) -> None:
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("update_role", **UPDATE)
        await to_thread.run_sync(screen.open)
        await running.error("update_role", role_id="role_1", description="another")
        screen.browser.find("button.reject").click()
        shown = await to_thread.run_sync(screen.browser.wait_for, "This is the next question.")
        assert "another" in shown
        while "tell it to try again" not in screen.browser.text:  # what comes too soon is half a double click
            screen.browser.run("document.querySelector('button.approve')?.click()")  # between two pages there is none
        await to_thread.run_sync(screen.browser.wait_for, "tell it to try again")
        await running.call("update_role", role_id="role_1", description="another")
    assert len(screen.opened) == 1
    assert [sent.body for sent in recorder.changes] == [{"description": "another"}]


async def test_a_hostile_name_is_shown_as_text(screen: Screen, recorder: Recorder) -> None:
    name = '"><script>document.title="owned"</script>\u202e'
    recorder.reply = lambda _: Canned(body={"id": "role_1", "name": name, "description": "old"})
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("delete_role", role_id="role_1")
        shown = await to_thread.run_sync(screen.open)
    assert '\\"><script>document.title=\\"owned\\"</script>\\u{202E}' in shown
    assert str(screen.browser.command("GET", "title")).startswith("(1) Approve? Delete role “")


LONG = "Maria-Magdalena.Schwarzenberger-Lichtenstein@accounting.international-department.example.com"


@pytest.fixture
def narrow(browser: Browser) -> Iterator[None]:
    """Make the window as narrow as a telephone's."""
    browser.resize(400, 1600)
    yield
    browser.resize(900, 1100)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("delete_user", {"user_id": "user_abc123"}),
        ("update_user", {"user_id": "user_abc123", "role": "owner"}),
        ("create_invite", {"email": LONG, "role": "reader"}),
    ],
)
async def test_nothing_reaches_over_the_edge_of_a_narrow_screen(
    tool: str, given: dict[str, Any], screen: Screen, recorder: Recorder, tmp_path: Path
) -> None:
    person = {"id": "user_abc123", "object": "organization.user", "name": LONG, "email": LONG, "role": "reader"}
    listed = {"object": "list", "data": [person | {"role": "owner", "id": "user_2"}], "has_more": False}
    recorder.reply = lambda sent: Canned(body=person if "user_abc123" in sent.path else listed)
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error(tool, **given)
        await to_thread.run_sync(screen.open)
        await running.error("update_role", role_id=LONG.replace("@", "."), description=LONG)
        screen.browser.command("POST", "refresh", {})
        shown = await to_thread.run_sync(screen.browser.wait_for, "Reject all 2 that wait")
    assert LONG in shown
    screen.browser.screenshot(tmp_path / f"{tool}.png")
    assert "Also waiting for you" in shown
    assert screen.browser.run("return window.innerWidth") == 400
    assert screen.browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    # Labels stand above what they label, so that neither takes the other's room.
    assert screen.browser.run(
        "return document.querySelector('dd').getBoundingClientRect().left"
        " === document.querySelector('dt').getBoundingClientRect().left"
    )


async def test_one_button_rejects_all_that_wait(screen: Screen, recorder: Recorder) -> None:
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        changes = [{"role_id": "role_1", "description": text} for text in ("first", "second", "third")]
        await running.error("update_role", **changes[0])
        await to_thread.run_sync(screen.open)
        for change in changes[1:]:
            await running.error("update_role", **change)
        screen.browser.command("POST", "refresh", {})
        await to_thread.run_sync(screen.browser.wait_for, "Reject all 3 that wait")
        button = screen.browser.find("form[aria-label='All that wait'] button")
        assert (button.role, button.label) == ("button", "Reject all 3 that wait")
        button.click()
        shown = await to_thread.run_sync(screen.browser.wait_for, "will not be made")
        assert "Also waiting for you" not in shown
        for change in changes:
            assert (await running.error("update_role", **change))["kind"] == "approval_denied"
    assert recorder.changes == []


async def test_a_step_is_struck_out_on_the_page_and_the_waiting_call_applies_the_smaller_plan(
    screen: Screen, recorder: Recorder
) -> None:
    steps = [{"tool": "update_role", "arguments": {"role_id": f"role_{n}", "description": "new"}} for n in (1, 2)]
    steps.append({"tool": "delete_role", "arguments": {"role_id": "role_3"}})
    answers: list[dict[str, Any]] = []
    waiting = env(screen, recorder, ADMIN_MCP_APPROVAL_WAIT="40")
    async with session(MODERN, env=waiting, answers=None) as running:
        plan = await running.call("plan_changes", title="Three", steps=steps)

        async def apply() -> None:
            answers.append(await running.call("apply_plan", plan_id=plan["plan_id"]))

        async with anyio.create_task_group() as group:
            group.start_soon(apply)
            shown = await to_thread.run_sync(partial(screen.open, says="They are sent in this order"))
            assert "To approve, type remove 1" in shown
            button = screen.browser.find("button[name=step][value='3']")
            assert (button.role, button.label) == ("button", "Strike out step 3")
            button.click()
            shown = await to_thread.run_sync(screen.browser.wait_for, "struck out: 3")
            assert "To approve, type" not in shown
            screen.browser.find("button.approve").click()
            await to_thread.run_sync(screen.browser.wait_for, "All 2 steps were made.")
            assert screen.browser.text.count("made\n") >= 2
    assert [step["state"] for step in answers[0]["steps"]] == ["done", "done", "struck"]
    assert [sent.path.rpartition("/")[2] for sent in recorder.changes] == ["role_1", "role_2"]


@pytest.mark.usefixtures("narrow")
async def test_a_plan_reaches_over_no_edge_of_a_narrow_screen(screen: Screen, recorder: Recorder) -> None:
    step = {"tool": "update_role", "arguments": {"role_id": LONG.replace("@", "."), "description": LONG}, "why": LONG}
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        plan = await running.call("plan_changes", title=LONG, steps=[step])
        await running.error("apply_plan", plan_id=plan["plan_id"])
        await to_thread.run_sync(partial(screen.open, says="They are sent in this order"))
    assert screen.browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


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
        assert (button.role, button.label) == ("button", "Approve the ticked")
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


@pytest.mark.usefixtures("narrow")
async def test_on_a_telephone_the_buttons_are_in_reach_before_one_has_scrolled(
    screen: Screen, recorder: Recorder
) -> None:
    screen.browser.resize(390, 500)
    async with session(LEGACY, env=env(screen, recorder), answers=None) as running:
        await running.error("delete_role", role_id="role_1")
        await to_thread.run_sync(screen.open)
    in_sight = (
        "const box = document.querySelector('button.approve').getBoundingClientRect();"
        "return box.top >= 0 && box.bottom <= window.innerHeight"
    )
    assert screen.browser.run("return document.documentElement.scrollHeight > 700")
    assert screen.browser.run(in_sight)
    screen.browser.run("window.scrollTo(0, document.body.scrollHeight)")
    assert screen.browser.run(in_sight)
    # At the end of the page nothing lies below the bar.
    assert screen.browser.run(
        "return document.querySelector('form').getBoundingClientRect().bottom"
        " <= document.querySelector('.decide').getBoundingClientRect().top"
    )
    screen.browser.find("#typed_text").type("Support")
    assert screen.browser.run(
        "return document.activeElement.getBoundingClientRect().bottom"
        " <= document.querySelector('.decide').getBoundingClientRect().top"
    )


async def test_a_reason_is_still_there_when_the_name_was_wrong(
    screen: Screen, recorder: Recorder, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rules]]\nname = "why"\ndecision = "confirm"\neffects = ["destroy"]\nreason = true\n', "utf-8")
    demanding = env(screen, recorder, ADMIN_MCP_CONFIG=str(policy))
    async with session(LEGACY, env=demanding, answers=None) as running:
        await running.error("delete_role", role_id="role_1")
        await to_thread.run_sync(screen.open)
        screen.browser.find("#reason").type("asked for by the auditors")
        screen.browser.find("#typed_text").type("Suport")
        screen.browser.run("document.querySelector('#typed_text').removeAttribute('pattern')")
        screen.browser.find("button.approve").click()
        screen.browser.wait_for("the text you typed is not the one")
        typed = "return [...document.querySelectorAll('input[type=text]')].map(each => each.value)"
        assert screen.browser.run(typed) == ["Suport", "asked for by the auditors"]

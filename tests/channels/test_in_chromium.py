"""A client without forms, the real server over stdio, and a person at a real browser."""

from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from admin_mcp.gate.storage import open_storage
from admin_mcp.settings import Settings
from tests.browser import needs_chromium
from tests.channels.screen import ENTER, LONG, TAB, UPDATE, Screen, env
from tests.recorder import Canned, Recorder
from tests.sessions import LEGACY, MODERN, Session, session

pytestmark = [pytest.mark.anyio, needs_chromium]


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


async def test_a_tab_left_open_after_its_outcome_shows_the_next_question_and_then_falls_silent(
    screen: Screen, recorder: Recorder
) -> None:
    async with session(MODERN, env=env(screen, recorder), answers=None) as running:
        await running.error("update_role", **UPDATE)
        await to_thread.run_sync(screen.open)
        screen.browser.find("button.reject").click()
        screen.browser.wait_for("You can close this tab")
        await running.error("delete_role", role_id="role_1")
        await to_thread.run_sync(screen.browser.wait_for, "All that waits (1)")
        assert "Delete" in screen.browser.text
        kept = open_storage(Settings(state_dir=screen.state))
        kept.approvals.apply(kept.approvals.all()[0].id, "reject", via="terminal")
        await to_thread.run_sync(screen.browser.wait_for, "You can close this tab")
        assert "All that waits (0)" in screen.browser.text
        screen.browser.run("missed = 0; fetch = () => { missed += 1; return Promise.reject(new Error()); }")
        with anyio.fail_after(20):
            while screen.browser.run("return missed") < 3:  # noqa: ASYNC110 - the page's own clock
                await anyio.sleep(0.2)
        assert screen.browser.run("return document.getElementById('gone').hidden")


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

"""Waiting for a person on this machine: how long, what the client hears meanwhile, what the agent is told then."""

import shlex
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from admin_mcp.channels.local_channel import NOTIFICATION, PAGE, Link, LocalChannel
from admin_mcp.channels.selector import OfferedChannels
from admin_mcp.errors import ApprovalPending
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.forms import LONGEST_FORM
from admin_mcp.gate.storage import GateStorage
from admin_mcp.settings import ApprovalMode
from tests.gate.questions import question, records
from tests.gate.world import APPROVE, AtOnce

pytestmark = pytest.mark.anyio


class Desk:
    def __init__(self, directory: Path) -> None:
        self.kept: GateStorage = records(directory)
        self.shown = 0
        self.works = True
        self.link: Link | None = None
        self.reports: list[float] = []
        self.said: list[str] = []
        self.reported = anyio.Event()

    def show(self) -> Callable[[], bool]:
        self.shown += 1
        return lambda: self.works

    async def report(self, waited: float, message: str) -> None:
        self.reports.append(waited)
        self.said.append(message)
        self.reported.set()

    def person(
        self,
        wait: float = 0.0,
        started: float | None = None,
        *,
        unseen: float = 45.0,
        opens: bool = True,
        too_long: bool = False,
        by_client: bool = False,
        screen: str = PAGE,
    ) -> LocalChannel:
        return LocalChannel(
            self.kept.approvals,
            show=self.show if opens else None,
            started=anyio.current_time() if started is None else started,
            wait=wait,
            unseen=unseen,
            report=self.report,
            at="/state of mine",
            screen=screen,
            too_long=too_long,
            link=lambda: self.link,
            by_client=by_client,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "state")


def ask(desk: Desk) -> Approval:
    return desk.kept.approvals.open(question(), "local")[0]


async def test_without_a_decision_the_call_ends_with_id_and_command(desk: Desk) -> None:
    approval = ask(desk)
    with pytest.raises(ApprovalPending) as caught:
        await desk.person().ask(approval)
    assert desk.shown == 1
    assert approval.id in caught.value.message
    assert not caught.value.retryable  # it would invite a loop
    words = shlex.split(caught.value.hint.partition("run ")[2].partition(" (deny")[0])
    assert words[-5:] == ["--state-dir", "/state of mine", "approvals", "approve", approval.id]
    assert Path(words[0]).is_absolute()
    assert "http" not in caught.value.hint
    assert "decide on the page in the browser or, in a terminal" in caught.value.hint


@pytest.mark.parametrize(("opens", "works"), [(True, False), (False, True)])
async def test_where_no_page_is_on_the_screen_the_hint_has_the_terminal_alone(
    desk: Desk, opens: bool, works: bool
) -> None:
    desk.works = works
    with pytest.raises(ApprovalPending) as caught:
        await desk.person(opens=opens).ask(ask(desk))
    assert "Tell the user: in a terminal of your own, run" in caught.value.hint
    assert "browser" not in caught.value.hint


async def test_a_page_that_is_lost_while_the_call_waits_is_not_promised(desk: Desk) -> None:
    async def lose() -> None:
        await desk.reported.wait()
        desk.works = False

    async with anyio.create_task_group() as group:
        group.start_soon(lose)
        with pytest.raises(ApprovalPending) as caught:
            await desk.person(wait=0.5).ask(ask(desk))
    assert "browser" not in caught.value.hint


async def test_where_the_screen_cant_show_it_the_call_waits_no_longer_than_without_the_setting(desk: Desk) -> None:
    desk.works = False
    with anyio.fail_after(20), pytest.raises(ApprovalPending) as caught:
        await desk.person(wait=1000, unseen=0.2).ask(ask(desk))
    assert "in a terminal of your own" in caught.value.hint


@pytest.mark.parametrize("opens", [True, False])
async def test_where_it_is_shown_or_nothing_was_to_show_it_the_setting_holds(desk: Desk, opens: bool) -> None:
    approval = ask(desk)

    async def decide() -> None:
        await desk.reported.wait()
        desk.kept.approvals.apply(approval.id, "approve")

    async with anyio.create_task_group() as group:
        group.start_soon(decide)
        with anyio.fail_after(20):
            await desk.person(wait=1000, unseen=0.0, opens=opens).ask(approval)
    assert desk.reports


async def test_where_nothing_shows_it_the_client_is_told_meanwhile_what_to_type(desk: Desk) -> None:
    approval = ask(desk)
    for opens in (True, False):
        desk.reported = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(desk.person(wait=1000, opens=opens).ask, approval)
            await desk.reported.wait()
            group.cancel_scope.cancel()
    shown, unseen = desk.said
    assert approval.id not in shown
    assert unseen.startswith("Waiting for a person's decision on this machine: ")
    assert unseen.endswith(f"approvals approve {approval.id}")


async def test_the_hint_says_what_to_do_with_what_is_shown(desk: Desk) -> None:
    approval = ask(desk)
    for screen in (PAGE, NOTIFICATION):
        with pytest.raises(ApprovalPending) as caught:
            await desk.person(screen=screen).ask(approval)
        assert f"Tell the user: {screen} or, in a terminal" in caught.value.hint


async def test_the_time_to_wait_runs_from_the_calls_start(desk: Desk) -> None:
    person = desk.person(wait=100, started=anyio.current_time() - 101)
    with pytest.raises(ApprovalPending):
        await person.ask(ask(desk))
    assert desk.reports == []


@pytest.mark.parametrize("event", ["approve", "reject", "void", "expire"])
async def test_a_decision_ends_the_wait_and_progress_is_told_meanwhile(desk: Desk, event: Any) -> None:
    approval = ask(desk)

    async def decide() -> None:
        await desk.reported.wait()
        desk.kept.approvals.apply(approval.id, event)

    async with anyio.create_task_group() as group:
        group.start_soon(decide)
        with anyio.fail_after(20):
            await desk.person(wait=1000).ask(approval)
    assert desk.reports[0] < 1


async def test_an_approval_that_is_gone_ends_the_wait(desk: Desk) -> None:
    approval = ask(desk)
    desk.kept.database.path.unlink()
    with anyio.fail_after(20):
        await desk.person(wait=1000).ask(approval)


class Offered:
    def __init__(self, taken: bool | None) -> None:
        self.taken = taken
        self.times = 0
        self.told = 0

    async def offer(self, approval: Approval, decided: Callable[[], Awaitable[None]]) -> bool | None:
        del approval, decided
        self.times += 1
        return self.taken

    async def done(self) -> None:
        self.told += 1


@pytest.mark.parametrize(("taken", "shown"), [(True, 0), (False, 0), (None, 1)])
async def test_the_page_is_opened_here_only_if_the_client_could_not_offer_it(
    desk: Desk, taken: bool | None, shown: int
) -> None:
    desk.link = offered = Offered(taken)
    with pytest.raises(ApprovalPending) as caught:
        await desk.person(by_client=True).ask(ask(desk))
    assert (offered.times, offered.told, desk.shown) == (1, 0, shown)
    assert ("decide on the page" in (caught.value.hint or "")) is (taken is not False)


@pytest.mark.parametrize(("mode", "demanded", "offers"), [("auto", None, 1), ("auto", "local", 0), ("local", None, 0)])
async def test_what_is_asked_past_the_client_gives_it_no_link(
    desk: Desk, mode: ApprovalMode, demanded: Any, offers: int
) -> None:
    desk.link = offered = Offered(taken=True)
    person = OfferedChannels(mode, None, partial(desk.person)).select(demanded)
    assert isinstance(person, LocalChannel)
    with pytest.raises(ApprovalPending):
        await person.ask(ask(desk))
    assert offered.times == offers


FORM = AtOnce(APPROVE)


@pytest.mark.parametrize(
    ("mode", "form", "demanded", "expected"),
    [
        ("auto", True, None, "elicit"),
        ("auto", False, None, "local"),
        ("auto", True, "local", "local"),
        ("auto", False, "elicit", None),
        ("elicit", True, None, "elicit"),
        ("elicit", False, None, None),
        ("elicit", True, "local", "local"),
        ("local", True, None, "local"),
        ("local", True, "elicit", "elicit"),
        ("two-step", True, None, "two-step"),
        ("two-step", False, "local", "local"),
        ("two-step", False, "elicit", None),
        ("none", True, None, None),
        ("none", False, "local", "local"),
        ("none", True, "elicit", "elicit"),
    ],
)
async def test_the_way_is_the_rules_or_else_the_modes_and_never_a_weaker_one(
    desk: Desk, mode: ApprovalMode, form: bool, demanded: Any, expected: str | None
) -> None:
    offered = OfferedChannels(mode, FORM if form else None, partial(desk.person))
    person = offered.select(demanded)
    assert (person.channel if person else None) == expected


async def test_a_question_too_long_for_the_form_that_is_there_says_why_it_is_asked_here(desk: Desk) -> None:
    for form, length, said in ((FORM, LONGEST_FORM + 1, True), (FORM, LONGEST_FORM, None), (None, 9_999, False)):
        person = OfferedChannels("auto", form, partial(desk.person)).select(None, length=length)
        if said is None:
            assert person is FORM
            continue
        assert isinstance(person, LocalChannel)
        with pytest.raises(ApprovalPending) as caught:
            await person.ask(ask(desk))
        assert ("too long for a form" in caught.value.message) is said

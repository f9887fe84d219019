"""Who is told of a question by a notification, by a tab, or by both; and what a click on a notification does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from admin_mcp.channels.attention import Attention
from admin_mcp.channels.page_server import PageServer
from admin_mcp.gate.approval import PENDING_SECONDS, Approval
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.storage import GateStorage
from tests.gate.questions import Clock, question, records

HALF = PENDING_SECONDS / 2 + 1


class Shown:
    """A desktop that remembers what it shows, as long as it ``works``."""

    def __init__(self) -> None:
        self.works = True
        self.there: list[str] = []
        self.told: list[tuple[str, bool]] = []
        self.clicks: list[str] = []

    def tell(self, approval: Approval, *, again: bool = False) -> bool:
        self.told.append((approval.id, again))
        if self.works and approval.id not in self.there:
            self.there.append(approval.id)
        return self.works

    def withdraw(self, approval_id: str) -> None:
        self.there = [each for each in self.there if each != approval_id]

    def clicked(self) -> list[str]:
        found, self.clicks = self.clicks, []
        return found

    def stop(self) -> None:
        self.there = []


class Person:
    """Somebody whose attention is drawn; ``watching`` and ``inbox_open`` are what the page knows of them."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.kept: GateStorage = records(directory, self.clock)
        self.page = PageServer(self.kept.approvals, self.kept.plans, directory, self.clock)
        self.desktop = Shown()
        self.opened: list[str] = []
        self.watching = False
        self.inbox_open = False
        monkeypatch.setattr(PageServer, "open_browser", lambda _, each="inbox": self.opened.append(each))
        monkeypatch.setattr(PageServer, "watched", property(lambda _: self.watching))
        monkeypatch.setattr(PageServer, "inbox_open", property(lambda _: self.inbox_open))

    def attention(self, *, opens: bool = True, desktop: bool = True, inbox: bool = False) -> Attention:
        return Attention(self.page, self.desktop if desktop else None, self.clock, opens=opens, inbox=inbox)

    def ask(self, key: str = "key", channel: Channel = "local") -> str:
        return self.kept.approvals.open(question(key), channel)[0].id

    def see(self, attention: Attention) -> None:
        attention.draw_to(self.kept.approvals.all())


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    found = Person(tmp_path / "state", monkeypatch)
    yield found
    found.page.stop()


def test_a_question_gets_a_tab_and_a_notification_once(person: Person) -> None:
    attention, asked = person.attention(), person.ask()
    for _ in range(3):
        person.see(attention)
    assert person.opened == [asked]
    assert person.desktop.told == [(asked, False)]


def test_who_looks_at_a_page_gets_a_notification_of_a_further_question_and_no_tab(person: Person) -> None:
    attention, first = person.attention(), person.ask()
    person.see(attention)
    person.watching = True
    second = person.ask("second")
    person.see(attention)
    assert person.opened == [first]
    assert person.desktop.there == [first, second]


def test_where_no_page_opens_by_itself_a_click_opens_it(person: Person) -> None:
    attention, asked = person.attention(opens=False), person.ask()
    person.see(attention)
    assert (person.opened, person.desktop.there) == ([], [asked])
    person.desktop.clicks = [asked]
    person.see(attention)
    person.see(attention)
    assert person.opened == [asked]


def test_a_notification_leaves_when_its_question_is_decided_elsewhere_or_ends(person: Person) -> None:
    attention = person.attention()
    first, second = person.ask(), person.ask("second")
    person.see(attention)
    person.kept.approvals.apply(first, "reject")
    person.see(attention)
    assert person.desktop.there == [second]
    person.clock.now += PENDING_SECONDS + 1
    person.see(attention)
    assert person.desktop.there == []


def test_half_of_its_time_on_a_notification_takes_the_place_of_the_second_tab(person: Person) -> None:
    attention, asked = person.attention(), person.ask()
    person.see(attention)
    person.clock.now += HALF
    for _ in range(3):
        person.see(attention)
    assert person.desktop.told == [(asked, False), (asked, True)]
    assert person.opened == [asked]


def test_where_the_desktop_takes_none_the_page_opens_once_more(person: Person) -> None:
    attention, asked = person.attention(), person.ask()
    person.desktop.works = False
    person.see(attention)
    person.clock.now += HALF
    for _ in range(3):
        person.see(attention)
    assert person.opened == [asked, asked]


def test_who_looks_at_the_page_is_not_reminded(person: Person) -> None:
    attention, asked = person.attention(), person.ask()
    person.see(attention)
    person.watching = True
    person.clock.now += HALF
    person.see(attention)
    assert person.desktop.told == [(asked, False)]


def test_an_inbox_in_a_tab_behind_others_leaves_it_to_notifications(person: Person) -> None:
    attention = person.attention(inbox=True)
    before = person.ask()
    attention.entered(person.kept.approvals.all())
    person.inbox_open = True
    after = person.ask("second")
    person.see(attention)
    assert person.desktop.told == [(after, False)]
    person.clock.now += HALF
    person.see(attention)
    assert sorted(person.desktop.told[1:]) == sorted([(before, True), (after, True)])
    assert person.opened == []


def test_an_inbox_without_notifications_opens_no_tab_while_one_has_it(person: Person) -> None:
    attention = person.attention(inbox=True, desktop=False)
    person.ask()
    attention.entered(person.kept.approvals.all())
    person.inbox_open = True
    person.clock.now += HALF
    person.see(attention)
    assert person.opened == []
    person.inbox_open = False
    person.see(attention)
    person.see(attention)
    assert person.opened == ["inbox"]


@pytest.mark.parametrize("channel", ["elicit", "two-step"])
def test_what_is_asked_elsewhere_is_told_of_there(person: Person, channel: Channel) -> None:
    attention = person.attention()
    person.ask(channel=channel)
    person.see(attention)
    assert (person.opened, person.desktop.told) == ([], [])

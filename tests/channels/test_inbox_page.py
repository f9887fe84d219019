"""The inbox's HTML: what waits, what became of the rest, and only its one script."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from admin_mcp.channels.document import SCRIPT_SOURCE, source_of
from admin_mcp.channels.inbox_page import LONGEST_WANTED, MOST_DECIDED, Inbox, inbox_digest, inbox_page
from admin_mcp.gate.approval import APPLY_PLAN, Approval, Result
from admin_mcp.gate.preview import ShownStep
from admin_mcp.settings import Settings
from tests.channels.test_page import APPROVAL, HOSTILE, PREVIEW, showing, tags

NOW = 1000.0


def inbox(*approvals: Approval, now: float = NOW, wanted: str = "", **states: Mapping[int, str]) -> Inbox:
    return Inbox(approvals, states, "/secret/", "/secret/pulse", now, wanted)


def titled(title: str, **changed: Any) -> Approval:
    return replace(showing(title=title), id=title.lower(), **changed)


def test_an_empty_one_says_so_and_asks_for_nothing() -> None:
    page = inbox_page(inbox())
    assert "Nothing waits for you." in page
    assert "Nothing was asked and answered." in page
    assert "<title>All that waits</title>" in page
    assert "All that waits (0)" in page


def test_what_waits_says_what_it_comes_to_since_when_and_how_long_and_leads_to_its_page() -> None:
    page = inbox_page(inbox(titled("Newer", opened=1100.0, since=1100.0), titled("Older"), now=1190.0))
    assert page.index(">Older</a>") < page.index(">Newer</a>")
    assert 'href="/secret/approvals/older"' in page
    assert "takes something away" in page
    assert f"In {PREVIEW.target}. Asked at " in page
    assert "3 minutes ago; 6 minutes left" in page
    assert "1 minute ago; 8 minutes left" in page
    assert "<title>(2) All that waits</title>" in page


@pytest.mark.parametrize(("seconds", "left"), [(0, "10 minutes"), (540, "1 minute"), (541, "less than a minute")])
def test_the_time_left_is_in_words(seconds: float, left: str) -> None:
    assert f"; {left} left" in inbox_page(inbox(APPROVAL, now=NOW + seconds))


@pytest.mark.parametrize(
    ("state", "result", "says"),
    [
        ("approved", None, "Approved."),
        ("used", Result("done", "The change was made."), "Done."),
        ("used", Result("outcome_unknown", "Lost."), "Nobody knows whether it was made."),
        ("rejected", None, "Rejected."),
        ("expired", None, "Ended."),
    ],
)
def test_what_was_decided_says_what_came_of_it(state: Any, result: Result | None, says: str) -> None:
    page = inbox_page(inbox(replace(APPROVAL, state=state, result=result), now=NOW + 7300))
    assert re.search(rf'<strong class="fate[^"]*">{re.escape(says)}</strong>', page)
    assert result is None or result.message in page
    assert "2 hours ago" in page
    assert "Nothing waits for you." in page
    assert 'href="/secret/approvals/a1b2c3"' in page


def plan(**changed: Any) -> Approval:
    steps = tuple(ShownStep(number=n, mark="~", section="Changes", why="", preview=PREVIEW) for n in (1, 2, 3))
    asked = showing(title="Lab", steps=steps)
    return replace(asked, id="lab", question=replace(asked.question, tool=APPLY_PLAN), **changed)


def test_a_plan_is_among_them_and_one_that_stopped_on_its_way_is_not_said_to_be_unsent() -> None:
    assert ">Lab</a>" in inbox_page(inbox(plan()))
    page = inbox_page(inbox(plan(state="expired"), lab={1: "done", 2: "refused"}))
    assert "Stopped.</strong> 1 of 3 steps are made" in page
    assert "Nothing was sent" not in page


def test_a_question_of_another_channel_is_not_shown_while_it_waits_and_has_no_page_afterwards() -> None:
    elsewhere = titled("Elsewhere", channel="elicit")
    assert "Elsewhere" not in inbox_page(inbox(elsewhere))
    page = inbox_page(inbox(replace(elsewhere, state="rejected")))
    assert "Elsewhere" in page
    assert "through the MCP client" in page
    assert "/approvals/" not in page


def test_the_system_is_in_the_header_only_where_it_is_one() -> None:
    pretended = replace(showing(target=Settings(sandbox=True).target.label), id="other")
    assert '<span class="band sandbox">SANDBOX</span>' in inbox_page(inbox(pretended))
    assert 'class="band' not in inbox_page(inbox(pretended, APPROVAL)).partition("<body")[2]


def test_each_word_wanted_must_stand_in_it_and_the_search_takes_only_so_much() -> None:
    given = (titled("Alpha one"), titled("Alpha two"), titled("Beta one", state="rejected"))
    page = inbox_page(inbox(*given, wanted="ONE  alpha"))
    assert [title in page.partition("<main")[2] for title in ("Alpha one", "Alpha two", "Beta one")] == [
        True,
        False,
        False,
    ]
    assert 'value="ONE  alpha"' in page
    assert "Nothing of the last day has these words" in page
    assert f'value="{"x" * LONGEST_WANTED}"' in inbox_page(inbox(*given, wanted="x" * 5000))


def test_without_scripts_it_is_loaded_anew_unless_a_search_would_be_lost() -> None:
    anew = '<noscript><meta http-equiv="refresh" content="5; url=/secret/"></noscript>'
    assert anew in inbox_page(inbox())
    assert "http-equiv" not in inbox_page(inbox(wanted="x"))


def test_only_so_many_of_the_day_are_shown_and_it_is_said() -> None:
    many = [titled(f"Change {number}", state="rejected") for number in range(MOST_DECIDED + 2)]
    page = inbox_page(inbox(*many))
    assert page.count("/secret/approvals/") == MOST_DECIDED
    assert "2 older ones are not shown." in page


def test_the_digest_changes_with_what_is_shown_and_stays_otherwise() -> None:
    shown = inbox(APPROVAL)
    others = [
        inbox(),
        inbox(replace(APPROVAL, state="rejected")),
        inbox(APPROVAL, now=NOW + 70),
        inbox(APPROVAL, wanted="nothing has this"),
        inbox(APPROVAL, titled("Other")),
    ]
    assert len({inbox_digest(each) for each in (shown, *others)}) == len(others) + 1
    assert inbox_digest(others[2]) == inbox_digest(inbox(APPROVAL, now=NOW + 71))
    assert f'data-digest="{inbox_digest(shown)}"' in inbox_page(shown)


def test_nothing_can_be_decided_here() -> None:
    found = tags(inbox_page(inbox(APPROVAL, plan())))
    assert [each["method"] for tag, each in found if tag == "form"] == ["get"]
    assert "csrf" not in inbox_page(inbox(APPROVAL))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_and_the_only_script_is_the_one_the_policy_names(name: str) -> None:
    hostile = showing(title=name, things={name: name}, target=name, request=name)
    over = replace(hostile, state="used", result=Result("refused", name))
    page = inbox_page(inbox(hostile, over, wanted=""))
    plain = {tag for tag, _ in tags(inbox_page(inbox(APPROVAL, replace(APPROVAL, state="rejected"))))}
    assert {tag for tag, _ in tags(page)} <= plain
    searched = inbox_page(inbox(hostile, over, wanted=name))
    assert {tag for tag, _ in tags(searched)} <= plain
    for text in (page, searched):
        (script,) = re.findall("<script>(.*?)</script>", text, re.DOTALL)
        assert source_of(script) == SCRIPT_SOURCE
        assert not any(attribute.startswith("on") for _, given in tags(text) for attribute in given)
        assert not any(set(given) & {"src", "srcset", "style"} for _, given in tags(text))

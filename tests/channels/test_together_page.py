"""Several of one kind on one page: each whole below its tick box, and each decided by itself."""

from dataclasses import replace
from typing import Any

import pytest

from admin_mcp.channels.inbox_page import Inbox, inbox_page
from admin_mcp.channels.together_page import (
    Surroundings,
    alike,
    as_shown,
    kinds,
    outcomes_page,
    tickable,
    together_page,
)
from admin_mcp.gate.approval import APPLY_PLAN, Approval, Result
from admin_mcp.gate.asker import Asker
from tests.channels.test_page import HOSTILE, showing, tags


def asked(identity: str, tool: str = "update_role", **changed: Any) -> Approval:
    shown = showing(**{"title": f"Change {identity}", "effect": "update", "typed": (), **changed})
    return replace(shown, id=identity, question=replace(shown.question, tool=tool))


ONE, TWO = asked("one"), asked("two", request="POST /two {}")
GRAVE = asked("grave", "delete_role", effect="destroy", typed=("Support",))


def around(*waiting: Approval) -> Surroundings:
    return Surroundings("/secret/", "/secret/together", "token", 1000.0, waiting)


def test_each_is_shown_whole_below_its_own_box_and_none_is_ticked() -> None:
    page = together_page([ONE, TWO], around(ONE, TWO))
    boxes = [each for tag, each in tags(page) if tag == "input" and each.get("type") == "checkbox"]
    assert [each["name"] for each in boxes] == ["tick.one", "tick.two"]
    assert [each["value"] for each in boxes] == [as_shown(ONE), as_shown(TWO)]
    assert not any("checked" in each for each in boxes)
    labels = [each["for"] for tag, each in tags(page) if tag == "label"]
    assert labels == [each["id"] for each in boxes]
    assert page.index("Change one") < page.index(ONE.preview.request) < page.index("Change two")
    assert page.index("Change two") < page.index(TWO.preview.request)
    assert "script" not in {tag for tag, _ in tags(page)}
    assert {each["value"] for tag, each in tags(page) if tag == "button"} == {"approve", "reject"}


@pytest.mark.parametrize(
    "other",
    [
        GRAVE,
        asked("typed", typed=("Support",)),
        asked("why", wants_reason=True),
        asked("plan", APPLY_PLAN),
        asked("gone", effect="destroy"),
    ],
)
def test_what_takes_typing_takes_away_or_is_a_plan_can_only_be_rejected_so(other: Approval) -> None:
    assert not tickable(other)
    page = together_page([other, replace(other, id="again")], around(other))
    assert {each["value"] for tag, each in tags(page) if tag == "button"} == {"reject"}
    assert f'href="/secret/approvals/{other.id}"' in page


def test_one_kind_is_one_tool_in_one_system_and_only_what_waits() -> None:
    elsewhere, over = asked("far", target="another system"), replace(asked("over"), state="approved")
    form = replace(asked("form"), channel="elicit")
    others = [asked("org", asker=Asker(organization="other")), asked("key", asker=Asker(key="abcd"))]
    client = asked("client", asker=Asker(client="“x”"))
    assert alike(ONE, [ONE, TWO, GRAVE, elsewhere, over, form, *others, client]) == [ONE, TWO, client]
    assert kinds([ONE, *others, GRAVE, TWO, elsewhere]) == [[ONE, TWO]]


def test_the_inbox_leads_there_where_there_are_several_of_one_kind() -> None:
    def page(*approvals: Approval) -> str:
        return inbox_page(Inbox(approvals, {}, "/secret/", "/secret/pulse", 1000.0))

    assert 'href="/secret/together?like=one"' in page(TWO, ONE)
    assert "Decide 2 of one kind together: update role" in page(TWO, ONE)
    assert "/together" not in page(ONE, GRAVE)


def test_what_became_of_each_is_told_and_looked_at_until_nothing_can() -> None:
    done = replace(ONE, state="used", result=Result("done", "The change was made."))
    page = outcomes_page([done, replace(TWO, state="expired")], {}, around())
    assert "Done.</strong> The change was made." in page
    assert "Ended.</strong>" in page
    assert "You can close this tab." in page
    assert "http-equiv" not in page
    page = outcomes_page([done, replace(TWO, state="approved")], {}, around(GRAVE))
    assert 'data-pulse="/secret/together?decided=one.two&amp;"' in page
    assert "You can close this tab." not in page
    assert 'href="/secret/">Go on to what waits (1)' in page
    assert "Nothing was ticked" in outcomes_page([], {}, around())


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_here_too(name: str) -> None:
    hostile = asked("one", title=name, things={name: name}, target=name, request=name)
    plain = {tag for tag, _ in tags(together_page([ONE, GRAVE], around(ONE)))}
    page = together_page([hostile, hostile], around(hostile))
    assert {tag for tag, _ in tags(page)} <= plain
    assert not any(attribute.startswith("on") for _, given in tags(page) for attribute in given)

"""The approval page's HTML: data stays data, and what matters comes first."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from admin_mcp.channels.document import message_page
from admin_mcp.channels.page import Frame, approval_page, state_in_words
from admin_mcp.channels.page_http import LONGEST_FORM
from admin_mcp.gate.approval import Approval, Question, Result
from admin_mcp.gate.asker import Asker
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.preview import Preview, ShownChange
from admin_mcp.gate.text import visible
from admin_mcp.settings import Settings

PREVIEW = Preview(
    title="Delete role",
    effect="destroy",
    things={"Role": "“Support” (role_1)", "Now: description": "“old”"},
    changes={},
    affected={"users": "12"},
    undo="not possible",
    target="https://api.example.com/v1 with the key whose fingerprint is 3f9a01c2",
    request="DELETE /organization/roles/role_1",
    typed=("Support", "role_1"),
)
APPROVAL = Approval("a1b2c3", "local", "pending", 1000.0, 1000.0, Question("k", "delete_role", {}, PREVIEW), None, None)
FRAME = Frame(
    address="/secret/approvals/a1b2c3",
    rejecting="/secret/approvals/a1b2c3/reject-all",
    csrf="token",
    now=1000.0,
    others={},
    inbox="/secret/",
)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return parser.found


def showing(**changed: Any) -> Approval:
    preview = PREVIEW.model_copy(update=changed)
    return replace(APPROVAL, question=replace(APPROVAL.question, preview=preview))


def test_what_matters_comes_first() -> None:
    page = approval_page(APPROVAL, FRAME)
    order = ["Delete role", "takes something away", "“Support” (role_1)", "3f9a01c2", "12", "not possible", "“old”"]
    body = page[page.index("<main") :]
    places = [body.index(text) for text in order]
    assert places == sorted(places)


HOSTILE = ['"><script>alert(1)</script>', "<img src=x onerror=alert(1)>", "</pre></form>", "&lt;b&gt;", "' onfocus='x"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_the_api_are_text_wherever_they_stand(name: str) -> None:
    plain = tags(approval_page(APPROVAL, FRAME))
    hostile = showing(
        title=name, things={name: name}, affected={name: name}, undo=name, target=name, request=name, typed=(name,)
    )
    page = approval_page(
        hostile, replace(FRAME, message=name, csrf=name, address=name, rejecting=name, others={name: hostile})
    )
    known = {"html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "span", "dl", "dt", "dd"}
    known |= {"header", "strong", "link", "div", "svg", "rect", "animate"}
    known |= {"pre", "form", "input", "label", "code", "button", "ul", "li", "a"}
    assert {tag for tag, _ in tags(page)} <= known
    assert not any(attribute.startswith("on") for _, attributes in tags(page) for attribute in attributes)
    assert {tag for tag, _ in plain} <= known


def test_the_page_has_no_script_and_nothing_from_elsewhere() -> None:
    for tag, attributes in tags(approval_page(APPROVAL, FRAME)):
        assert tag not in {"script", "img", "iframe", "object", "base"}
        assert tag != "link" or (attributes["rel"], (attributes["href"] or "")[:19]) == ("icon", "data:image/svg+xml,")
        assert "style" not in attributes
        assert not set(attributes) & {"src", "srcset"}


def test_approving_takes_the_text_and_rejecting_does_not() -> None:
    found = tags(approval_page(APPROVAL, FRAME))
    (text,) = [attributes for tag, attributes in found if tag == "input" and attributes.get("type") == "text"]
    assert "required" in text
    buttons = {attributes["value"]: attributes for tag, attributes in found if tag == "button"}
    assert set(buttons) == {"approve", "reject"}
    assert "formnovalidate" in buttons["reject"]
    assert "formnovalidate" not in buttons["approve"]
    labels = [attributes for tag, attributes in found if tag == "label"]
    assert labels[0]["for"] == text["id"]


@pytest.mark.parametrize("name", ["Support", "a.b*c", "[x](y)", "\\u{41}|", "日本", "a-b&&c"])
def test_the_pattern_matches_the_text_and_nothing_else(name: str) -> None:
    (pattern,) = [
        str(attributes["pattern"])
        for tag, attributes in tags(approval_page(showing(typed=(name,)), FRAME))
        if "pattern" in attributes
    ]
    python = re.sub(r"\\u\{([0-9A-F]+)\}", lambda match: re.escape(chr(int(match[1], 16))), pattern)
    assert re.fullmatch(python, f" {name} ")
    for other in (name[1:], name + "x", name.swapcase() + "y"):
        assert not re.fullmatch(python, other)


def test_a_change_that_needs_no_text_has_no_field_to_type_in() -> None:
    found = tags(approval_page(showing(typed=(), effect="update"), FRAME))
    assert not [1 for tag, attributes in found if tag == "input" and attributes["type"] == "text"]


def test_changes_are_a_table_of_before_and_after() -> None:
    changes = {"name": ShownChange(before="“a”", after="“b”"), "limit": ShownChange(before=None, after="5")}
    page = approval_page(showing(changes=changes), FRAME)
    assert re.findall(r"<t[hd](?: [^>]*)?>([^<]*)<", page) == [
        "Field", "Now", "New", "name", "“a”", "“b”", "limit", "not known", "5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "result", "says", "refreshes"),
    [
        ("pending", None, "Approve", True),
        ("approved", None, "tell it to try again", True),
        ("used", None, "being sent", True),
        ("used", Result("done", "The change was made."), "Done.", False),
        ("used", Result("refused", "No such role."), "<h1>The API refused it.</h1><p>No such role.</p>", False),
        ("used", Result("not_sent", "No connection."), "<h1>It was not sent.</h1><p>No connection.</p>", False),
        ("used", Result("outcome_unknown", "Lost."), "<h1>Nobody knows whether it was made.</h1><p>Lost.</p>", False),
        ("rejected", None, "will not be made", False),
        ("void", None, "has changed", False),
        ("expired", None, "<h1>Ended.</h1>", False),
    ],
)
def test_the_page_tells_what_became_of_the_call(state: Any, result: Result | None, says: str, refreshes: bool) -> None:
    page = approval_page(replace(APPROVAL, state=state, result=result), FRAME)
    assert says in page
    assert ("http-equiv" in page) is refreshes
    assert ("<form" in page) is (state == "pending")


def test_other_questions_that_wait_are_linked() -> None:
    other = replace(APPROVAL, id="other", question=replace(APPROVAL.question, preview=PREVIEW))
    page = approval_page(replace(APPROVAL, state="rejected"), replace(FRAME, others={"/secret/approvals/other": other}))
    assert 'href="/secret/approvals/other">Delete role</a>' in page


def waiting(*ids: str) -> dict[str, Approval]:
    return {f"/secret/approvals/{one}": replace(APPROVAL, id=one) for one in ids}


def forms(page: str) -> list[str]:
    return re.findall(r"<form.*?</form>", page, re.DOTALL)


@pytest.mark.parametrize(
    ("state", "others", "ids"),
    [
        ("pending", (), None),
        ("pending", ("b",), "a1b2c3 b"),
        ("pending", ("b", "c"), "a1b2c3 b c"),
        ("rejected", ("b",), None),
        ("rejected", ("b", "c"), "b c"),
    ],
)
def test_where_several_wait_one_button_rejects_what_the_page_shows(
    state: Any, others: tuple[str, ...], ids: str | None
) -> None:
    page = approval_page(replace(APPROVAL, state=state), replace(FRAME, others=waiting(*others)))
    if ids is None:
        assert "Reject all" not in page
        return
    form = forms(page)[-1]
    assert f">Reject all {len(ids.split())} that wait</button>" in form
    fields = {str(given["name"]): given for tag, given in tags(form) if tag == "input"}
    assert {name: given["value"] for name, given in fields.items()} == {"csrf": "token", "waiting": ids}
    assert {given["type"] for given in fields.values()} == {"hidden"}
    assert 'action="/secret/approvals/a1b2c3/reject-all"' in form


def test_the_most_that_can_wait_fits_into_the_form_that_is_taken() -> None:
    page = approval_page(
        APPROVAL, replace(FRAME, others=waiting(*(f"{number:010x}" for number in range(traits("local").most_open))))
    )
    (_, form) = forms(page)
    assert sum(len(str(given["value"])) for tag, given in tags(form) if tag == "input") < LONGEST_FORM / 2


@pytest.mark.parametrize(
    ("state", "result", "heading"),
    [
        ("pending", None, "What is set"),
        ("approved", None, "What is set"),
        ("used", None, "What is set"),
        ("used", Result("done", "It was made."), "What is set"),
        ("used", Result("outcome_unknown", "Lost."), "What is set"),
        ("used", Result("refused", "No."), "What would have been set"),
        ("used", Result("not_sent", "No."), "What would have been set"),
        ("rejected", None, "What would have been set"),
        ("void", None, "What would have been set"),
        ("expired", None, "What would have been set"),
    ],
)
def test_what_was_not_made_is_told_as_what_would_have_been(state: Any, result: Result | None, heading: str) -> None:
    asked = showing(changes={"limit": ShownChange(before=None, after="5")})
    page = approval_page(replace(asked, state=state, result=result), FRAME)
    assert f"<h2>{heading}</h2>" in page


@pytest.mark.parametrize(
    ("state", "others", "closable"),
    [
        ("pending", (), False),
        ("approved", (), False),
        ("rejected", (), True),
        ("expired", (), True),
        ("void", ("b",), False),
    ],
)
def test_the_tab_can_be_closed_once_nothing_more_can_become_of_anything(
    state: Any, others: tuple[str, ...], closable: bool
) -> None:
    page = approval_page(replace(APPROVAL, state=state), replace(FRAME, others=waiting(*others)))
    assert ("You can close this tab" in page) is closable
    # One heading of the first rank: the question while it is asked, and then what became of it.
    assert re.findall("<h1>([^<]*)</h1>", page) == (["Delete role"] if state == "pending" else [fate(state)])


def fate(state: Any) -> str:
    return state_in_words(state)[0]


@pytest.mark.parametrize(
    ("state", "others", "count"), [("pending", (), 1), ("pending", ("b",), 2), ("rejected", ("b",), 1), ("void", (), 0)]
)
def test_the_header_leads_to_all_that_waits_and_the_tab_says_how_much_that_is(
    state: Any, others: tuple[str, ...], count: int
) -> None:
    page = approval_page(replace(APPROVAL, state=state), replace(FRAME, others=waiting(*others)))
    assert f'<a href="/secret/">All that waits ({count})</a></header>' in page
    assert page.partition("<title>")[2].startswith(f"({count}) ") is (count > 0)


def test_the_header_bands_the_system_it_is_about() -> None:
    assert f'<span class="band">{PREVIEW.target}</span>' in approval_page(APPROVAL, FRAME)
    pretended = Settings(sandbox=True).target.label
    assert '<span class="band sandbox">SANDBOX</span>' in approval_page(showing(target=pretended), FRAME)


def test_invisible_characters_stay_visible_on_the_page() -> None:
    page = approval_page(showing(things={"Role": visible("a\u202eb\u200bc")}), FRAME)
    assert "a\\u{202E}b\\u{200B}c" in page
    assert "\u202e" not in page


def test_a_message_page_says_only_its_message() -> None:
    assert "a &lt; b" in message_page("Title", "a < b")


ASKER = Asker(client="“Cursor 1.2”", key="wxyz", organization="Acme")


def test_who_asks_is_shown_below_what_is_asked_and_the_label_stands_in_the_head() -> None:
    page = approval_page(showing(asker=ASKER), FRAME)
    assert '<dt>Asked by</dt><dd class="plain">a client that calls itself “Cursor 1.2”</dd>' in page
    head = page[page.index("<header>") : page.index("</header>")]
    assert "Acme · key …wxyz" in head
    assert "Cursor" not in page[: page.index("<dl>")]
    assert page.index("Delete role", page.index("<main")) < page.index("Cursor")


def test_a_client_that_says_nothing_of_itself_is_not_spoken_of() -> None:
    page = approval_page(APPROVAL, FRAME)
    assert "Asked by" not in page
    assert "key …" not in page


def test_what_was_typed_stays_where_the_other_field_was_wrong_unless_it_hides_something() -> None:
    asked = showing(wants_reason=True)
    page = approval_page(asked, replace(FRAME, message="No.", typed={"typed_text": "Suport", "reason": 'So "I" wish'}))
    fields = {each["name"]: each for tag, each in tags(page) if tag == "input" and each.get("type") == "text"}
    assert (fields["typed_text"]["value"], fields["reason"]["value"]) == ("Suport", 'So "I" wish')
    page = approval_page(asked, replace(FRAME, typed={"reason": "a\u202eb", "typed_text": "\x00"}))
    assert all("value" not in each for tag, each in tags(page) if tag == "input" and each.get("type") == "text")


def test_a_bar_becomes_shorter_with_the_time_that_is_left() -> None:
    page = approval_page(APPROVAL, replace(FRAME, now=1450.0))
    (bar,) = [each for tag, each in tags(page) if tag == "animate"]
    assert (bar["from"], bar["to"], bar["dur"]) == ("25.0%", "0%", "150s")
    assert "2 minutes left" in page


def test_the_tabs_picture_has_a_dot_while_something_waits() -> None:
    def icon(page: str) -> str:
        return str(next(each["href"] for tag, each in tags(page) if tag == "link"))

    over = approval_page(replace(APPROVAL, state="rejected"), FRAME)
    assert "circle" in icon(approval_page(APPROVAL, FRAME))
    assert "circle" not in icon(over)
    assert "circle" in icon(approval_page(replace(APPROVAL, state="rejected"), replace(FRAME, others={"/x": APPROVAL})))

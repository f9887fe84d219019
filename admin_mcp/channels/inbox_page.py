"""The inbox: all that waits for a person on this machine, and what came of the rest of the day. Pure.

Nothing is decided here: each question has a page of its own, and so have several of one kind; those have no script.
The script of this one only puts what the server says now in the place of what it said before. What is typed in stands
outside the part that is replaced.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from admin_mcp.channels.document import Header, digest_of, document, following, refreshing
from admin_mcp.channels.durations import ago, left
from admin_mcp.channels.html import element
from admin_mcp.channels.page import fate_in_words, header_of, risky
from admin_mcp.channels.together_page import LIKE, in_words, kinds
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.preview import effect_in_words

WANTED = "q"
"""The field with the words that what is shown must contain."""

TOGETHER = "together"
"""Where several of one kind are decided, relative to the inbox."""

SEEN = "seen"
LONGEST_WANTED = 200
MOST_DECIDED = 100
REFRESH_SECONDS = 5
"""How often the page is loaded anew where scripts don't run."""

_TITLE = "All that waits"


@dataclass(frozen=True, slots=True)
class Inbox:
    """All approvals, the newest first, how far the steps of the plans among them are, addresses, the time, the search.

    ``address`` is the inbox's own, to which the pages of approvals are relative; ``pulse`` is where its digest is told.
    """

    approvals: Sequence[Approval]
    states: Mapping[str, Mapping[int, str]]
    address: str
    pulse: str
    moment: float
    wanted: str = ""

    @property
    def waiting(self) -> list[Approval]:
        """What waits for this machine, the oldest first."""
        return [each for each in reversed(self.approvals) if traits(each.channel).here and each.state == "pending"]

    @property
    def decided(self) -> list[Approval]:
        """What does not wait any more, wherever it was asked, the newest first."""
        return [each for each in self.approvals if each.state != "pending"]

    def found(self, among: Sequence[Approval]) -> list[Approval]:
        """Return those in which each of the words wanted stands."""
        words = self.wanted[:LONGEST_WANTED].casefold().split()
        return [each for each in among if all(word in self._text(each) for word in words)] if words else [*among]

    def fate(self, approval: Approval) -> tuple[str, str, str]:
        """Return what became of an approval."""
        return fate_in_words(approval, self.states.get(approval.id, {}))

    def _text(self, approval: Approval) -> str:
        fate = () if approval.state == "pending" else self.fate(approval)[:2]
        effect = effect_in_words(approval.preview.effect)
        return " ".join((approval.id, approval.question.tool, approval.preview.text, effect, *fate)).casefold()


def inbox_page(inbox: Inbox) -> str:
    """Return the page. It follows what happens by its script, or is loaded anew every few seconds without one."""
    wanted = inbox.wanted[:LONGEST_WANTED]
    anew = element("noscript", refreshing(f"{REFRESH_SECONDS}; url={inbox.address}"))
    return document(
        _TITLE,
        _content(inbox),
        header=_header(inbox),
        head=[] if wanted else [anew],
        above=[_search(inbox.address, wanted)],
        follows=following(inbox_digest(inbox), f"{inbox.pulse}?{urlencode({WANTED: wanted})}"),
    )


def inbox_digest(inbox: Inbox) -> str:
    """Return what differs as soon as anything the page shows does, the minutes that are left included."""
    return digest_of(_TITLE, _header(inbox), [*_content(inbox)])


def _header(inbox: Inbox) -> Header:
    return header_of(inbox.address, inbox.waiting)


def _search(address: str, wanted: str) -> ET.Element:
    return element(
        "form",
        element("label", "Search", **{"for": WANTED}),
        element(
            "input",
            id=WANTED,
            name=WANTED,
            type="text",
            value=wanted,
            maxlength=str(LONGEST_WANTED),
            autocomplete="off",
            spellcheck="false",
        ),
        element("button", "Search", type="submit"),
        *([element("a", "Show all", href=address)] if wanted else []),
        method="get",
        action=address,
        role="search",
        **{"class": "search"},
    )


def _content(inbox: Inbox) -> Iterable[ET.Element]:
    waiting, decided = inbox.found(inbox.waiting), inbox.found(inbox.decided)
    yield element("h1", _TITLE)
    for several in kinds(waiting):
        count, tool = len(several), several[0].question.tool
        address = f"{inbox.address}{TOGETHER}?{urlencode({LIKE: several[0].id})}"
        yield element("p", element("a", f"Decide {count} of one kind together: {in_words(tool)}", href=address))
    if waiting:
        yield element("ul", *(_waiting(each, inbox) for each in waiting), **{"class": "entries"})
    else:
        yield element("p", _nothing(inbox), **{"class": "quiet"})
    yield element("h2", "The last day", **{"class": "title"})
    if decided:
        shown = decided[:MOST_DECIDED]
        yield element("ul", *(_decided(each, inbox) for each in shown), **{"class": "entries"})
        if len(decided) > len(shown):
            yield element("p", f"{len(decided) - len(shown)} older ones are not shown. Search finds them.")
    else:
        told = "Nothing of the last day has these words in it." if inbox.decided else "Nothing was asked and answered."
        yield element("p", told, **{"class": "quiet"})


def _nothing(inbox: Inbox) -> str:
    if count := len(inbox.waiting):
        return f"Nothing that waits has these words in it; {count} wait{'s' if count == 1 else ''} without them."
    return "Nothing waits for you. What comes up appears here by itself."


def _waiting(approval: Approval, inbox: Inbox) -> ET.Element:
    still = f"; {left((approval.ends or inbox.moment) - inbox.moment)}"
    return element(
        "li",
        _link(approval, inbox),
        element("p", element("span", effect_in_words(approval.preview.effect), **{"class": "kind"})),
        element("p", f"{_asked(approval, inbox.moment)}{still}", **{"class": "quiet"}),
        **{"class": "step grave risky" if risky(approval.preview) else "step"},
    )


def _decided(approval: Approval, inbox: Inbox) -> ET.Element:
    title, text, tone = inbox.fate(approval)
    return element(
        "li",
        _link(approval, inbox),
        element("p", element("strong", title, **{"class": f"fate {tone}".strip()}), f" {text}"),
        element("p", _asked(approval, inbox.moment), **{"class": "quiet"}),
        **{"class": "step"},
    )


def _link(approval: Approval, inbox: Inbox) -> ET.Element:
    """Return what leads to the approval's page, or only names it where it has none."""
    title = approval.preview.title
    if traits(approval.channel).here:
        return element("p", element("a", title, href=f"{inbox.address}approvals/{approval.id}"), **{"class": "what"})
    return element("p", title, **{"class": "what"})


def _asked(approval: Approval, now: float) -> str:
    at = datetime.fromtimestamp(approval.opened).astimezone().strftime("%H:%M")
    where = "" if traits(approval.channel).here else f" through {traits(approval.channel).where}"
    asker = approval.preview.asker
    by = f" by a client that calls itself {asker.client}" if asker.client else ""
    place = asker.organization or approval.preview.target
    place = f"{place}, key …{asker.key}" if asker.key else place
    return f"In {place}. Asked{where} at {at}{by}, {ago(now - approval.opened)}"

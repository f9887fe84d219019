"""Several questions of one kind on one page, each whole below its tick box, and what became of them. Pure, no script.

Only what a click could decide on its own page can be approved by a tick; the rest can be rejected so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.etree import ElementTree as ET

from admin_mcp.channels.document import digest_of, document, following
from admin_mcp.channels.durations import left
from admin_mcp.channels.html import element
from admin_mcp.channels.local_channel import waits
from admin_mcp.channels.page import CLOSE, CSRF, fate_in_words, header_of, risky, settled, shown_whole, without_script
from admin_mcp.channels.plan_page import plan_steps
from admin_mcp.gate.approval import APPLY_PLAN, Approval
from admin_mcp.gate.forms import DECISION

TICK = "tick."
"""What the name of a tick box begins with; the question's id follows. Its value stands for what was shown."""

LIKE = "like"
"""The field that names one question of the kind."""

DECIDED = "decided"
"""The field with the ids of what was decided together, with dots between them."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The inbox's address, that of what decides, the session's token, the time, and how much waits in all."""

    inbox: str
    address: str
    csrf: str
    now: float
    waiting: Sequence[Approval]


def tickable(approval: Approval) -> bool:
    """Whether a tick may approve it: it takes nothing away, nothing is to be typed, and it is one change."""
    preview = approval.preview
    typing = preview.typed or preview.wants_reason
    return not (typing or preview.effect == "destroy" or approval.question.tool == APPLY_PLAN)


def as_shown(approval: Approval) -> str:
    """Return what stands for all that is shown of it: a tick is for that and nothing else."""
    return approval.preview.drift


def alike(approval: Approval, among: Iterable[Approval]) -> list[Approval]:
    """Return those that wait and are of its kind: the same tool, in the same system and with the same key."""
    return [each for each in among if waits(each) and _kind(each) == _kind(approval)]


def kinds(waiting: Sequence[Approval]) -> list[list[Approval]]:
    """Return what waits by kind, where there are several of one."""
    grouped = groupby(sorted(waiting, key=_kind), _kind)
    return [found for _, each in grouped if len(found := [*each]) > 1]


def in_words(tool: str) -> str:
    """Return a tool's name as words."""
    return tool.replace("_", " ")


def together_page(asked: Sequence[Approval], around: Surroundings) -> str:
    """Return the page of several questions of one kind, the oldest first."""
    title = f"{len(asked)} of one kind: {in_words(asked[0].question.tool)}"
    possible = any(map(tickable, asked))
    how = "Tick those you mean and have read; what is not ticked goes on waiting."
    none = (
        "These can only be rejected together. What is to be typed, takes something away or is a plan has its own page."
    )
    return document(
        title,
        [
            element("h1", title),
            element("p", how if possible else f"{how} {none}", **{"class": "quiet"}),
            element(
                "form",
                element("input", type="hidden", name=CSRF, value=around.csrf),
                *(_question(each, around) for each in asked),
                _buttons(possible=possible),
                method="post",
                action=around.address,
                autocomplete="off",
                **{"aria-label": "Your decision on those that are ticked", "class": "together"},
            ),
        ],
        header=header_of(around.inbox, around.waiting),
        risky=any(risky(each.preview) for each in asked),
    )


def outcomes_page(decided: Sequence[Approval], states: Mapping[str, Mapping[int, str]], around: Surroundings) -> str:
    """Return the page of what became of several questions; it is loaded anew until nothing can become of them."""
    over = all(map(settled, decided))
    address = f"{around.address}?{DECIDED}={'.'.join(each.id for each in decided)}"
    fates = [(each, *fate_in_words(each, states.get(each.id, {}))) for each in decided]
    if around.waiting:
        onward = element("p", element("a", f"Go on to what waits ({len(around.waiting)})", href=around.inbox))
    else:
        onward = element("p", CLOSE if over else "", **{"class": "quiet"})
    title, header = "What became of those", header_of(around.inbox, around.waiting)
    content = [
        element("h1", "What became of those that were ticked" if decided else "Nothing was ticked"),
        *(
            element(
                "section",
                element("h2", each.preview.title),
                element("p", element("strong", title, **{"class": f"fate {tone}".strip()}), f" {text}"),
                **{"class": "step"},
            )
            for each, title, text, tone in fates
        ),
        onward,
    ]
    follows = following(digest_of(title, header, content), f"{address}&", over=over)
    return document(title, content, header=header, head=[] if over else without_script(address), follows=follows)


def _kind(approval: Approval) -> tuple[str, ...]:
    preview = approval.preview
    return approval.question.tool, preview.target, preview.asker.organization, preview.asker.key


def _question(approval: Approval, around: Surroundings) -> ET.Element:
    name = f"{TICK}{approval.id}"
    box = element("input", type="checkbox", id=name, name=name, value=as_shown(approval))
    label = element("label", approval.preview.title, **{"for": name})
    own = element("a", "on its own page", href=f"{around.inbox}approvals/{approval.id}")
    alone = element("p", "To approve this one, decide it ", own, ".", **{"class": "quiet"})
    return element(
        "section",
        element("div", box, element("h2", label), **{"class": "tick"}),
        element("p", f"{left((approval.ends or around.now) - around.now)}.", **{"class": "quiet"}),
        *([] if tickable(approval) else [alone]),
        *shown_whole(approval.preview),
        *(plan_steps(approval.preview, {}, None) if approval.preview.steps else ()),
        **{"class": "step" if tickable(approval) else "step grave alone"},
    )


def _buttons(*, possible: bool) -> ET.Element:
    made = {"approve": "Approve", "reject": "Reject"} if possible else {"reject": "Reject"}
    return element(
        "div",
        *(
            element(
                "button",
                f"{word} what is ticked",
                element("span", **{"class": "count", "aria-hidden": "true"}),
                type="submit",
                name=DECISION,
                value=decision,
                **{"class": decision},
            )
            for decision, word in made.items()
        ),
        **{"class": "decide"},
    )

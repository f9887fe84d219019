"""The approval page as HTML. Pure: an approval in, a page out. No scripts, nothing from elsewhere.

What a tired admin must see comes first: what, to which thing, in which organization, what changes, can it be undone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never
from xml.etree import ElementTree as ET

from admin_mcp.channels.document import Header, digest_of, document, following, refreshing
from admin_mcp.channels.durations import left
from admin_mcp.channels.html import element as _e
from admin_mcp.channels.plan_page import plan_steps
from admin_mcp.gate.approval import Approval, ApprovalState
from admin_mcp.gate.forms import DECISION, LONGEST_REASON, REASON, SHORTEST_REASON, TYPED, WHY, asked
from admin_mcp.gate.journal import Outcome
from admin_mcp.gate.preview import IMPOSSIBLE, Preview, effect_in_words
from admin_mcp.gate.text import in_plain_sight, visible

CSRF = "csrf"
WAITING = "waiting"
"""The field with the ids of all that a page shows as waiting, separated by spaces."""

SHOWN = "shown"
"""The field that stands for all that is shown above the buttons. An approval is for that and nothing else."""

REFRESH_SECONDS = 2
CLOSE = "You can close this tab."
_DECIDING = "decision-form"
_QUIET = {"class": "quiet"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds one approval: addresses on the same origin, the session's token, the time, what else is open.

    ``inbox`` is the page of all that waits, ``rejecting`` where it is rejected at once, ``striking`` where a step of a
    plan is struck out. ``states`` tells how far each step has come. ``message`` tells the person why their last answer
    did not count, and ``typed`` has what they had typed; ``decided`` is the question whose decision led here.
    """

    address: str
    rejecting: str
    csrf: str
    now: float
    others: Mapping[str, Approval]
    message: str | None = None
    striking: str = ""
    inbox: str = ""
    states: Mapping[int, str] = field(default_factory=dict)
    decided: Approval | None = None
    typed: Mapping[str, str] = field(default_factory=dict)


def approval_page(approval: Approval, frame: Frame) -> str:
    """Return the page of one approval: a form while it is pending, and what became of it afterwards."""
    pending = approval.state == "pending"
    preview = approval.preview
    title = f"{'Approve?' if pending else state_in_words(approval.state)[0]} {preview.title}"
    header = Header(frame.inbox, len(frame.others) + pending, preview.target, preview.asker)
    content = [
        *([] if pending else _status(approval, frame)),
        *([_note(frame.message, "bad")] if frame.message else []),
        *([_led_here(frame.decided)] if pending and frame.decided else []),
        *_what(preview, asking=pending, unsent=_unsent(approval)),
        *_steps(preview, frame, asking=pending),
        *(_form(approval, frame) if pending else []),
        *_others(approval, frame),
    ]
    goes_on = frame.others or not settled(approval)
    digest = digest_of(title, header, content)
    follows = None if pending else following(digest, f"{frame.address}?", over=not goes_on)
    ends = f"{max(1, round((approval.ends or frame.now) - frame.now))}; url={frame.address}"
    anew = [refreshing(ends)] if pending else without_script(frame.address) if goes_on else []
    return document(title, content, header=header, risky=risky(preview), head=anew, follows=follows)


def without_script(address: str) -> list[ET.Element]:
    """Return what has a page loaded anew every now and then where its script does not run."""
    return [_e("noscript", refreshing(f"{REFRESH_SECONDS}; url={address}"))]


def header_of(inbox: str, waiting: Sequence[Approval]) -> Header:
    """Return the head of a page about all that waits: it names the system, and who asks, where those are one."""
    targets = {(each.preview.target, each.preview.asker.organization, each.preview.asker.key) for each in waiting}
    one = waiting[0].preview if len(targets) == 1 else None
    return Header(inbox, len(waiting), one.target, one.asker) if one else Header(inbox, len(waiting), None)


def risky(preview: Preview) -> bool:
    """Whether it is to be shown as what takes care."""
    return bool(preview.typed) or preview.effect in {"destroy", "grant"}


def settled(approval: Approval) -> bool:
    """Whether nothing more can become of it."""
    return approval.result is not None or approval.state in {"rejected", "void", "expired"}


def _unsent(approval: Approval) -> bool:
    """Whether it was not made, and never will be on this approval."""
    if approval.result is not None:
        return approval.result.outcome in {"refused", "not_sent"}
    return settled(approval)


def state_in_words(state: ApprovalState) -> tuple[str, str, str]:
    """Return a title, a sentence, and the tone it is said in."""
    match state:
        case "pending":
            return "Waiting", "Nobody has decided yet.", ""
        case "approved":
            told = "Waiting for the assistant's call. If it has given up waiting, tell it to try again."
            return "Approved.", told, ""
        case "used":
            return "Approved.", "The request is being sent.", ""
        case "rejected":
            return "Rejected.", "The change will not be made; the same call is refused for ten minutes.", "good"
        case "void":
            told = "What this question showed has changed, so it counts no longer. Nothing was sent."
            return "Withdrawn.", told, "bad"
        case "expired":
            told = "It was not approved in time, or the approval was not used in time, or it had been rejected. "
            return "Ended.", f"{told}Nothing was sent.", "bad"
    assert_never(state)


def _sent_of_plan(state: ApprovalState, steps: Sequence[str]) -> tuple[str, str] | None:
    """Return a title and a sentence for a plan of which something was sent: its state alone would deny that."""
    if all(step == "open" for step in steps):
        return None
    made = f"{steps.count('done')} of {len(steps)} steps are made"
    if state in {"approved", "used"}:
        return "Approved.", f"{made}; below is how far each has come."
    return "Stopped.", f"{made}, and this approval counts no longer; below is how far each has come."


def _outcome_in_words(outcome: Outcome) -> tuple[str, str]:
    """Return a title and its tone."""
    match outcome:
        case "done":
            return "Done.", "good"
        case "refused":
            return "The API refused it.", "bad"
        case "not_sent":
            return "It was not sent.", "bad"
        case "outcome_unknown":
            return "Nobody knows whether it was made.", "bad"
    assert_never(outcome)


def fate_in_words(approval: Approval, states: Mapping[int, str]) -> tuple[str, str, str]:
    """Return what became of it, as a title, a sentence, and their tone. ``states`` is how far a plan's steps are."""
    title, text, tone = state_in_words(approval.state)
    if sent := _sent_of_plan(approval.state, [states.get(step.number, "open") for step in approval.preview.steps]):
        title, text = sent
    if approval.result is not None:
        title, tone = _outcome_in_words(approval.result.outcome)
        text = visible(approval.result.message, 1000)
    return title, text, tone


def _status(approval: Approval, frame: Frame) -> Iterable[ET.Element]:
    """Yield what became of it, as large as the question was, and whether there is anything left to look at."""
    title, text, tone = fate_in_words(approval, frame.states)
    yield _e("div", _e("h1", title), _e("p", text), **{"class": f"note {tone}".strip(), "role": "status"})
    if settled(approval) and not frame.others:
        yield _e("p", CLOSE, **{"class": "quiet"})


def _led_here(decided: Approval) -> ET.Element:
    title = _outcome_in_words(decided.result.outcome)[0] if decided.result else state_in_words(decided.state)[0]
    return _note(f"{title} {decided.preview.title}. This is the next question.", "")


def _note(text: str, tone: str) -> ET.Element:
    return _e("p", text, **{"class": f"note {tone}".strip(), "role": "status"})


def _what(preview: Preview, *, asking: bool, unsent: bool) -> Iterable[ET.Element]:
    """Yield the preview, most important first; ``unsent``: it will not be made any more."""
    if asking:
        yield _e("p", asked(preview), **{"class": "quiet"})
    yield _e("h1", preview.title) if asking else _e("h2", preview.title, **{"class": "title"})
    yield from shown_whole(preview, unsent=unsent)


def shown_whole(preview: Preview, *, unsent: bool = False) -> Iterable[ET.Element]:
    """Yield all of a preview below its title, most important first; ``unsent``: it will not be made any more."""
    yield _e("p", _e("span", effect_in_words(preview.effect), **{"class": "kind"}))
    present = {label: value for label, value in preview.things.items() if label.startswith("Now")}
    facts = [(label, value, "") for label, value in preview.things.items() if label not in present]
    facts.append(("In", preview.target, ""))
    facts += [(f"Affects {kind}", count, "affected") for kind, count in preview.affected.items()]
    facts += [(label, value, "") for label, value in preview.passing.items()]
    facts.append(("Undo", preview.undo, "final" if preview.undo == IMPOSSIBLE else "plain"))
    facts += [(label, value, "plain") for label, value in (present | preview.asker.facts).items()]
    yield _e("dl", *(part for label, value, kind in facts for part in _fact(label, value, kind)))
    if preview.changes:
        yield _e("h2", "What would have been set" if unsent else "What is set")
        yield _changes(preview)
    if not preview.steps:
        yield _e("h2", "The exact request")
        yield _e("pre", preview.request)


def _steps(preview: Preview, frame: Frame, *, asking: bool) -> Iterable[ET.Element]:
    if preview.steps:
        strike = {"address": frame.striking, "csrf": frame.csrf} if asking else None
        yield from plan_steps(preview, frame.states, strike)


def _fact(label: str, value: str, kind: str) -> tuple[ET.Element, ET.Element]:
    return _e("dt", label), _e("dd", value, **({"class": kind} if kind else {}))


def _changes(preview: Preview) -> ET.Element:
    before = any(change.before is not None for change in preview.changes.values())
    heads = ["Field", *(["Now"] if before else []), "New"]
    rows = [
        _e(
            "tr",
            _e("th", name, scope="row"),
            *([_e("td", change.before or "not known", **{"class": "old"})] if before else []),
            _e("td", change.after, **{"class": "new"}),
        )
        for name, change in preview.changes.items()
    ]
    head = _e("thead", _e("tr", *(_e("th", text, scope="col") for text in heads)))
    return _e("table", head, _e("tbody", *rows))


def _form(approval: Approval, frame: Frame) -> Iterable[ET.Element]:
    """Yield what is to be typed, and the buttons, which stay in reach at the foot of a small screen."""
    wanted = approval.preview.typed
    typing = []
    if wanted:
        exactly = {"pattern": _pattern(wanted), "title": f"Exactly: {wanted[0]}"}
        label = _e("label", "To approve, type ", _e("code", wanted[0]), **{"for": TYPED})
        typing += [label, _field(TYPED, frame, autocapitalize="off", spellcheck="false", **exactly)]
    if approval.preview.wants_reason:
        lengths = {"minlength": str(SHORTEST_REASON), "maxlength": str(LONGEST_REASON)}
        typing += [_e("label", WHY, **{"for": REASON}), _field(REASON, frame, **lengths)]
    ends = approval.ends or frame.now
    at = datetime.fromtimestamp(ends).astimezone().strftime("%H:%M:%S")
    yield _e(
        "form",
        _e("input", type="hidden", name=CSRF, value=frame.csrf),
        _e("input", type="hidden", name=SHOWN, value=approval.preview.drift),
        *typing,
        _e("p", f"{_once(approval.preview)} This question ends at {at}: {left(ends - frame.now)}.", **_QUIET),
        _countdown(ends - frame.now, approval.lifetime or 0),
        id=_DECIDING,
        method="post",
        action=frame.address,
        autocomplete="off",
        **{"aria-label": "Your decision"},
    )
    given = {"type": "submit", "name": DECISION, "form": _DECIDING}
    yield _e(
        "div",
        _e("button", "Approve", value="approve", **given, **{"class": "approve"}),
        _e("button", "Reject", value="reject", formnovalidate="", **given, **{"class": "reject"}),
        **{"class": "decide"},
    )


def _field(name: str, frame: Frame, **more: str) -> ET.Element:
    """Return a field with what was typed into it before, as far as that can be seen whole."""
    before = frame.typed.get(name, "")
    value = {"value": before} if before and in_plain_sight(before) else {}
    return _e("input", id=name, name=name, type="text", required="", autocomplete="off", **value, **more)


def _countdown(seconds: float, whole: float) -> ET.Element:
    """Return a bar that becomes shorter with the time that is left. It takes neither a script nor the page anew."""
    share = f"{100 * max(0.0, min(1.0, seconds / whole)) if whole else 0:.1f}%"
    shrinks = {"attributeName": "width", "from": share, "to": "0%", "dur": f"{max(1, round(seconds))}s"}
    bar = _e("rect", _e("animate", fill="freeze", **shrinks), width=share, height="4")
    return _e("svg", bar, width="100%", height="4", **{"class": "countdown", "aria-hidden": "true"})


def _once(preview: Preview) -> str:
    sent = "Each step is sent once" if preview.steps else "It is sent once"
    return f"{sent}, if nothing has changed by then."


def _pattern(wanted: Iterable[str]) -> str:
    """Return a pattern that matches these texts; every character is spelt as a code point, so that none is special."""
    spelt = ("".join(f"\\u{{{ord(character):X}}}" for character in text) for text in wanted)
    return rf"\s*(?:{'|'.join(spelt)})\s*"


def _others(approval: Approval, frame: Frame) -> Iterable[ET.Element]:
    """Yield what else waits, and a button for all of it."""
    if not frame.others:
        return
    yield _e("h2", "Also waiting for you")
    yield _e("ul", *(_e("li", _e("a", other.preview.title, href=address)) for address, other in frame.others.items()))
    waiting = [*([approval.id] if approval.state == "pending" else []), *(other.id for other in frame.others.values())]
    if len(waiting) > 1:
        yield _reject_all(waiting, frame)


def _reject_all(waiting: Sequence[str], frame: Frame) -> ET.Element:
    """Return the form that rejects what this page shows as waiting, and nothing that came later."""
    return _e(
        "form",
        _e("input", type="hidden", name=CSRF, value=frame.csrf),
        _e("input", type="hidden", name=WAITING, value=" ".join(waiting)),
        _e("button", f"Reject all {len(waiting)} that wait", type="submit", **{"class": "reject"}),
        method="post",
        action=frame.rejecting,
        autocomplete="off",
        **{"aria-label": "All that wait", "class": "bare"},
    )

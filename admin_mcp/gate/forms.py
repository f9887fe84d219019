"""The form a person fills in, and what their answer means. Pure.

``reject`` and MCP's ``decline`` are a no that stands. A form that is closed decides nothing.

Only one answer approves: an accepted form whose ``decision`` is ``approve``, with the text typed where text is wanted,
a reason where a rule demands one, and nothing else in it. An accepted empty form, as some hosts send by themselves, is
a refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.preview import Preview
from admin_mcp.gate.text import counted, in_plain_sight, visible

Action = Literal["accept", "decline", "cancel"]

DECISION = "decision"
TYPED = "typed_text"
REASON = "reason"
PHRASE = "phrase"
SHORTEST_REASON = 3
LONGEST_REASON = 500
WHY = f"Why you approve this ({SHORTEST_REASON} to {LONGEST_REASON} characters; kept in the journal)"
"""What asks for the reason that a rule demands."""

LONGEST_FORM = 8_000
"""Characters of text that hosts show above a form in full."""

_LONGEST_TYPED = 256
"""As long as an id may be: what is cut can't be typed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from the host: MCP's elicitation action, and the form's content."""

    action: Action
    content: Mapping[str, object] | None = None


Flaw = Literal["unanswered", "no_decision", "foreign_fields", "text_differs", "no_reason"]
"""Why a form that came back is neither a yes nor a no."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reply means: what happens to the question, and why.

    ``close`` decides nothing, because of the ``flaw``. A page or a terminal may then ask the person once more.
    ``given`` is the reason in the person's own words, where one was demanded.
    """

    event: Literal["approve", "reject", "close", "void"]
    reason: str
    hint: str = ""
    flaw: Flaw | None = None
    given: str | None = None

    @property
    def approved(self) -> bool:
        """Whether the person allowed the change."""
        return self.event == "approve"

    @property
    def recorded(self) -> str:
        """What the journal keeps as the reason of what was decided."""
        return self.given or self.reason


_APPROVED = Judgement("approve", "the person approved the change")
_PHRASE = "Call the changing tool again for a new id and phrase."


def form_schema(preview: Preview) -> Json:
    """Return the elicitation schema: a required decision without default and, where wanted, text to type."""
    properties: Json = {
        DECISION: {
            "type": "string",
            "title": "Decision",
            "description": "reject refuses the change for ten minutes; approve sends it once.",
            # A host that fills in the first choice must not approve by it.
            "enum": ["reject", "approve"],
        }
    }
    if preview.typed:
        properties[TYPED] = {
            "type": "string",
            "title": "To approve, type this text",
            "description": f"Type exactly: {visible(preview.typed[0], _LONGEST_TYPED)}",
        }
    if preview.wants_reason:
        properties[REASON] = {
            "type": "string",
            "title": "To approve, say why",
            "description": f"{WHY}.",
            "maxLength": LONGEST_REASON,
        }
    # The text is not `required`, so that rejecting takes no typing; approving without it is refused all the same.
    return {"type": "object", "properties": properties, "required": [DECISION]}


def form_message(preview: Preview) -> str:
    """Return the text above the form."""
    return f"{asked(preview)}\n\n{preview.text}"


def asked(preview: Preview) -> str:
    """Return the sentences that ask the person."""
    if preview.steps:
        return (
            f"An agent asks to carry out this plan of {counted(len(preview.steps), 'change')}. Your approval covers "
            "all of them, and nothing else. Approve only if you want every one."
        )
    return "An agent asks to make this change. Approve only if you want it."


def judge(reply: Reply, approval: Approval) -> Judgement:
    """Decide what a reply means, whichever way it came."""
    if traits(approval.channel).phrase:
        if approval.preview.wants_reason:
            return Judgement("void", "a reason is demanded, and a phrase gives none", _PHRASE)
        repeated = approval.phrase is not None and reply.content == {PHRASE: approval.phrase}
        return _APPROVED if repeated else Judgement("void", "the phrase is not the one that was shown", _PHRASE)
    return _judge_form(reply, approval.preview)


def _judge_form(reply: Reply, preview: Preview) -> Judgement:
    match reply.action:
        case "cancel":
            return _undecided("unanswered", "the form was closed without an answer", _ASK)
        case "decline":
            return Judgement("reject", "the person declined the change")
        case "accept":
            return _judge_content(dict(reply.content or {}), preview)


def _judge_content(content: dict[str, object], preview: Preview) -> Judgement:
    decision = content.pop(DECISION, None)
    typed = content.pop(TYPED, None)
    said = content.pop(REASON, None) if preview.wants_reason else None
    if decision == "reject":
        return Judgement("reject", "the person rejected the change")
    if decision != "approve":
        return _undecided("no_decision", "the form came back without a decision", _BY_ITSELF)
    if content:
        return _undecided("foreign_fields", "the form came back with fields it does not have", _BY_ITSELF)
    if preview.typed and not (isinstance(typed, str) and typed.strip() in preview.typed):
        return _undecided("text_differs", "the text to type was missing or did not match", _TYPE)
    given = _reason(said)
    if preview.wants_reason and given is None:
        return _undecided("no_reason", "no reason was given, or not in so many visible characters as are wanted", _SAY)
    return replace(_APPROVED, given=given)


def _reason(said: object) -> str | None:
    """Return the reason on one line, or None if it is none that somebody can read later."""
    given = " ".join(said.split()) if isinstance(said, str) else ""
    return given if SHORTEST_REASON <= len(given) <= LONGEST_REASON and in_plain_sight(given) else None


_ASK = "Ask the user in the conversation whether they want this change. Call again only if they say so."
_TYPE = "If the user wants this change, call again; they must type exactly what the form names."
_SAY = (
    f"If the user wants this change, call again; they must say why in {SHORTEST_REASON} to {LONGEST_REASON} visible "
    "characters, in their own words."
)
_BY_ITSELF = (
    "Tell the user. If they saw no form, this client answers forms by itself: the operator can start the server with "
    "--approval local, which asks on this machine."
)


def _undecided(flaw: Flaw, reason: str, hint: str) -> Judgement:
    return Judgement("close", reason, hint, flaw)

"""What a change comes to, in one sentence a person can't misread: the consequence, not the tool's name. Pure.

Sentences that move access or settings are written for their tools; the others follow from the tool's verb, its resource
and what was read.
"""

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.gate import access_sentences, setting_sentences
from admin_mcp.gate.described_change import ORGANIZATION, DescribedChange
from admin_mcp.gate.snapshot import PERSON, Lookup, Snapshot, described, email_of
from admin_mcp.gate.text import day, quoted

_WRITTEN = {**access_sentences.SENTENCES, **setting_sentences.SENTENCES}


def headline(call: Endpoint, seen: Snapshot) -> str:
    """Return the sentence, without its full stop."""
    return _WRITTEN.get(type(call).SPEC.name, _ordinary)(DescribedChange(call, seen))


def key_note(seen: Snapshot) -> str | None:
    """Say when the key that goes was last used, or None if it is no key. It may differ at every look."""
    state = seen.state
    if not isinstance(state, dict) or "last_used_at" not in state or "redacted_value" not in state:
        return None
    used = state["last_used_at"]
    return f"on {day(used)}" if isinstance(used, int) and used > 0 else "never"


def _ordinary(change: DescribedChange) -> str:
    spec = type(change.call).SPEC
    verb, noun = _words(spec.name)
    if change.seen.once:
        known = " (not set now)" if change.seen.state == "absent" else ""
        return f"{'Delete' if spec.effect == 'destroy' else 'Set'} the {noun} of {change.whole}{known}"
    if change.seen.own is not None:
        thing = change.thing(change.seen.own)
        owner = _owner(change.seen.state)
        return f"{verb} {noun} {thing}{f' of {owner}' if owner else ''}{change.place}"
    last = spec.path_fields[-1] if spec.path_fields else None
    if last not in {None, "project_id", "group_id"}:
        return f"{verb} {noun} {change.thing(str(last))}{change.place}"
    name = next((value for key in ("name", "role_name") if (value := change.value(key))), None)
    return f"{verb} {noun}{f' {quoted(name)}' if name else ''}{change.place or _in_organization(spec.name)}"


def _owner(state: Lookup | None) -> str:
    """Name the owner of a key."""
    owner = state.get("owner") if isinstance(state, dict) else None
    if not isinstance(owner, dict):
        return ""
    inner = next((part for part in (owner.get("user"), owner.get("service_account")) if isinstance(part, dict)), owner)
    kind = PERSON if email_of(inner) else "service_account_id"
    return described(kind, str(inner.get("id", "")), inner) if inner.get("id") else ""


def _words(tool: str) -> tuple[str, str]:
    """Return a tool's verb and what it acts on, without the place."""
    verb, _, rest = tool.partition("_")
    place, _, inner = rest.partition("_")
    noun = inner if place in {"project", "organization", "group"} and inner else rest
    return verb.capitalize(), noun.replace("_", " ").replace("api", "API")


def _in_organization(tool: str) -> str:
    return f" for {ORGANIZATION}" if "organization" in tool or "certificates" in tool else ""

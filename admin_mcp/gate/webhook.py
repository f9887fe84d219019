"""What a webhook of the operator's is told about a question, and the signature it can check that by. Pure.

A notice opens nothing: it has no link, no token and no key, and links and keys that names hold are taken out.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from admin_mcp.api.response import redact
from admin_mcp.endpoints.base import Effect
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.channel_traits import traits
from admin_mcp.settings import SANDBOX_LABEL

Moment = Literal["question", "decision", "outcome"]
"""When a webhook is told: somebody is asked, it was decided, it is known what came of it."""

MOMENTS: frozenset[Moment] = frozenset(get_args(Moment))
SHORTEST_SECRET = 16
"""Of a shorter one the signature proves little."""

TIMESTAMP_HEADER = "X-Admin-Mcp-Timestamp"
SIGNATURE_HEADER = "X-Admin-Mcp-Signature"

_LONGEST_HEADLINE = 300
_KEY = re.compile(r"sk-[\w-]{4,}", re.IGNORECASE)
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*:/+\S*|\bwww\.\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where notices go. ``secret_env`` names the variable with the secret; ``place`` is its line, ``host`` for people.

    The address may be a secret as well, so it is shown nowhere.
    """

    url: str
    host: str
    secret_env: str
    place: str
    on: frozenset[Moment] = MOMENTS
    effects: frozenset[Effect] | None = None

    def __repr__(self) -> str:
        return f"Webhook({self})"

    def __str__(self) -> str:
        """Name the webhook without its address."""
        return f"the webhook at {self.host} ({self.place})"

    def wants(self, moment: Moment, approval: Approval) -> bool:
        """Whether it is to be told."""
        return moment in self.on and (self.effects is None or approval.preview.effect in self.effects)


def moments(before: Approval, now: Approval) -> tuple[list[Moment], bool]:
    """Return what happened to a question between two looks at it, and whether more can happen to it."""
    happened: list[Moment] = ["decision"] if before.state == "pending" != now.state else []
    if now.result is not None:
        return [*happened, "outcome"], False
    return happened, now.state in {"pending", "approved", "used"}


def notice(moment: Moment, approval: Approval, secrets: Sequence[str] = ()) -> bytes:
    """Return the body of a notice, as JSON."""
    preview = approval.preview
    told = {
        "event": moment,
        "id": approval.id,
        "what": harmless(preview.title, secrets),
        "risk": preview.effect,
        "final": preview.final,
        "asked_by": _asker(approval, secrets),
        "answered_through": traits(approval.channel).where,
        "sandbox": preview.target == SANDBOX_LABEL,
        "asked_at": _instant(approval.opened),
    }
    if moment == "question":
        told["until"] = _instant(approval.ends) if approval.ends is not None else None
    else:
        told["decision"] = "approved" if approval.state == "used" else approval.state
    if moment == "outcome" and approval.result is not None:
        told["outcome"] = approval.result.outcome
    return json.dumps(told, ensure_ascii=False).encode()


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return what proves that this body was sent at this time by who knows the secret."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def harmless(text: str, secrets: Sequence[str] = ()) -> str:
    """Return a text without keys and links, and cut."""
    clean = _LINK.sub("[link]", _KEY.sub("[key]", redact(text, secrets)))
    return clean if len(clean) <= _LONGEST_HEADLINE else f"{clean[:_LONGEST_HEADLINE]}…"


def _asker(approval: Approval, secrets: Sequence[str]) -> str | None:
    """Return what the client that asks calls itself, if anything."""
    client = approval.preview.asker.client
    return harmless(client, secrets) if client else None


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

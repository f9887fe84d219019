"""What a webhook is told: enough to come and look, and nothing that opens anything."""

import hashlib
import hmac
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from admin_mcp.gate.approval import Approval, Result
from admin_mcp.gate.asker import Asker
from admin_mcp.gate.webhook import Moment, Webhook, harmless, moments, notice, signature
from tests.gate.questions import question, records

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"


@pytest.fixture
def asked(tmp_path: Path) -> Approval:
    approval, _ = records(tmp_path).approvals.open(question(title="Delete role “Support” (role_1)"), "local")
    return approval


def test_a_question_is_told_with_what_it_comes_to_and_until_when(asked: Approval) -> None:
    told = json.loads(notice("question", asked))
    assert told == {
        "event": "question",
        "id": asked.id,
        "what": "Delete role “Support” (role_1)",
        "risk": "destroy",
        "final": asked.preview.final,
        "asked_by": None,
        "answered_through": "this machine",
        "sandbox": False,
        "asked_at": "1970-01-12T13:46:40Z",
        "until": "1970-01-12T13:56:40Z",
    }


def test_the_client_that_asks_is_told_as_it_calls_itself(asked: Approval) -> None:
    shown = asked.preview.model_copy(update={"asker": Asker(client="“Ann https://evil.example/ 1.0”")})
    told = json.loads(notice("question", replace(asked, question=replace(asked.question, preview=shown))))
    assert told["asked_by"] == "“Ann [link] 1.0”"


def test_a_decision_and_an_outcome_say_which(asked: Approval) -> None:
    no, done = replace(asked, state="rejected"), replace(asked, state="used", result=Result("done", "sk-secret"))
    assert json.loads(notice("decision", no))["decision"] == "rejected"
    told = json.loads(notice("outcome", done))
    assert (told["decision"], told["outcome"]) == ("approved", "done")
    assert "sk-secret" not in str(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Create key “sk-admin-abcdef0123”", "Create key “[key]”"),
        ("Rename to “see http://127.0.0.1:1/x/enter/tok”", "Rename to “see [link]"),
        ("<https://evil.example|APPROVE>", "<[link]"),
        ("javascript:alert(1)//", "javascript:alert(1)//"),
        ("www.evil.example now", "[link] now"),
        ("the secret own-secret-0123456789", "the secret [redacted]"),
        ("x" * 400, "x" * 300 + "…"),
        ("Add ann@example.com to “a/b: c”", "Add ann@example.com to “a/b: c”"),
    ],
)
def test_keys_and_links_that_a_name_holds_are_taken_out(text: str, told: str) -> None:
    assert harmless(text, ["own-secret-0123456789"]) == told


def test_what_happened_between_two_looks(asked: Approval) -> None:
    yes, used = replace(asked, state="approved"), replace(asked, state="used")
    done = replace(used, result=Result("done", ""))
    looks: list[tuple[Approval, Approval, list[Moment], bool]] = [
        (asked, asked, [], True),
        (asked, yes, ["decision"], True),
        (yes, yes, [], True),
        (yes, used, [], True),
        (asked, used, ["decision"], True),
        (used, done, ["outcome"], False),
        (asked, done, ["decision", "outcome"], False),
        (asked, replace(asked, state="rejected"), ["decision"], False),
        (asked, replace(asked, state="expired"), ["decision"], False),
        (yes, replace(asked, state="expired"), [], False),
    ]
    for before, now, happened, goes_on in looks:
        assert moments(before, now) == (happened, goes_on)


def test_a_webhook_is_told_only_what_it_wants(asked: Approval) -> None:
    grants = Webhook("https://h.example/1", "h.example", "N", "p line 1", effects=frozenset(["grant"]))
    decisions = Webhook("https://h.example/1", "h.example", "N", "p line 1", on=frozenset(["decision"]))
    assert not grants.wants("question", asked)
    assert decisions.wants("decision", asked)
    assert not decisions.wants("question", asked)


def test_a_webhook_never_shows_its_address() -> None:
    hook = Webhook("https://h.example/services/T0/secret-path", "h.example", "N", "policy.toml line 3")
    assert str(hook) == "the webhook at h.example (policy.toml line 3)"
    assert "secret-path" not in repr(hook)


def test_the_signature_covers_time_and_body() -> None:
    expected = hmac.new(b"secret", b"1700000000.{}", hashlib.sha256).hexdigest()
    assert signature("secret", 1_700_000_000, b"{}") == expected
    assert signature("secret", 1_700_000_001, b"{}") != expected


def test_the_documents_example_accepts_what_is_sent_and_nothing_else() -> None:
    code = re.search(r"```python\n(def is_genuine.*?|import.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert code is not None
    known: dict[str, object] = {}
    exec(code[1], known)  # noqa: S102 - our own document
    genuine = known["is_genuine"]
    assert callable(genuine)
    body, now = b'{"event": "question"}', 1_700_000_000
    sent = {"X-Admin-Mcp-Timestamp": str(now), "X-Admin-Mcp-Signature": signature("s3cret", now, body)}
    assert genuine(sent, body, b"s3cret", now + 10)
    assert not genuine(sent, body + b" ", b"s3cret", now)
    assert not genuine(sent, body, b"other", now)
    assert not genuine(sent, body, b"s3cret", now + 3600)

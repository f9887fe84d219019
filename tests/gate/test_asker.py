"""Who asks: as the client says of itself, made safe to show, in no text that is compared or that a model reads."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from admin_mcp.gate.approval import Question
from admin_mcp.gate.asker import LONGEST_NAME, NOBODY, Asker, asker_of
from admin_mcp.gate.forms import form_message
from admin_mcp.gate.preview import Preview
from admin_mcp.settings import SANDBOX_LABEL, Settings, Target
from tests.gate.questions import question, records

TARGET = Target("the API", "system", organization="Acme", key_last4="wxyz")


def test_a_name_can_neither_hide_nor_end_its_quotation() -> None:
    client = asker_of('Cur\u202esor" Approved by IT 1.0', TARGET).client
    assert client == '“Cur\\u{202E}sor\\" Approved by IT 1.0”'


def test_a_long_name_is_cut_and_an_empty_one_is_none() -> None:
    client = asker_of("x" * 5000, TARGET).client
    assert len(client) == LONGEST_NAME + 2
    assert client.endswith("…”")
    assert asker_of("  ", TARGET).client == ""


def test_who_asks_is_neither_compared_nor_in_the_text() -> None:
    shown = question().preview
    asked = shown.model_copy(update={"asker": asker_of("Cursor", TARGET)})
    assert (asked.drift, asked.text, form_message(asked)) == (shown.drift, shown.text, form_message(shown))


def test_what_was_kept_before_there_was_such_a_thing_can_be_read() -> None:
    kept = json.loads(question().preview.model_dump_json())
    del kept["asker"]
    assert Preview.model_validate(kept).asker == NOBODY


def test_the_journal_keeps_who_asked(tmp_path: Path) -> None:
    kept, asked = records(tmp_path), question()
    shown = asked.preview.model_copy(update={"asker": asker_of("Cursor 1.2", TARGET)})
    approval, _ = kept.approvals.open(Question(asked.key, asked.tool, asked.arguments, shown), "local")
    (record,) = kept.journal.records(approval.id)
    assert record.fields["asked_by"] == "“Cursor 1.2”"
    assert (record.fields["organization"], record.fields["key_last4"]) == ("Acme", "wxyz")
    found = kept.approvals.get(approval.id)
    assert found is not None
    assert found.preview.asker == shown.asker


@pytest.mark.parametrize(
    ("given", "last4"),
    [
        (Settings(admin_key=SecretStr("sk-admin-0123456789-abcd")), "abcd"),
        (Settings(admin_key=SecretStr("sk-short-abcd")), ""),
        (Settings(admin_key=SecretStr("sk-admin-0123456789-abcd"), sandbox=True), ""),
        (Settings(), ""),
    ],
)
def test_only_the_last_four_of_a_real_and_long_key_are_told(given: Settings, last4: str) -> None:
    assert given.target.key_last4 == last4


def test_the_operators_label_is_cleaned_and_the_sandbox_may_have_one_too() -> None:
    target = Settings(sandbox=True, organization_label=" Acme\u202e ").target
    assert target.label == SANDBOX_LABEL
    assert asker_of("", target) == Asker(organization="Acme\\u{202E}")

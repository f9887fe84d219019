"""Every answer becomes the API's object or the error that says what to do."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from admin_mcp.api.response import Expectation, HttpAnswer, Received, read_answer, redact, take_in
from admin_mcp.errors import (
    ApiError,
    Authentication,
    CallError,
    Conflict,
    NotFound,
    OutcomeUnknown,
    Permission,
    RateLimited,
    SchemaMismatch,
)

READ = Expectation(mutates=False, verify="")
CHANGE = Expectation(mutates=True, verify="Call get_role first.")


def answered(
    status: int, body: bytes, content_type: str = "", request_id: str | None = None, secrets: Sequence[str] = ()
) -> HttpAnswer:
    return take_in(Received(status, body, content_type, request_id), secrets)


def error(message: object = "no", **more: object) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


def test_a_json_object_comes_back_untouched() -> None:
    assert read_answer(answered(200, b'{"id": "x", "new": {"deep": [null]}}'), READ) == {
        "id": "x",
        "new": {"deep": [None]},
    }


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, ApiError, False),
        (401, Authentication, False),
        (403, Permission, False),
        (404, NotFound, False),
        (408, ApiError, True),
        (409, Conflict, False),
        (422, ApiError, False),
        (429, RateLimited, True),
        (500, ApiError, True),
        (503, ApiError, True),
        (301, ApiError, False),
        (418, ApiError, False),
    ],
)
def test_a_refused_read_has_the_kind_of_its_status(status: int, kind: type[CallError], retryable: bool) -> None:
    answer = answered(status, error("the reason", param="name", code="bad"), request_id="req_1")
    with pytest.raises(kind) as caught:
        read_answer(answer, READ)
    told = caught.value
    assert type(told) is kind
    assert (told.status, told.param, told.code, told.request_id) == (status, "name", "bad", "req_1")
    assert told.retryable is retryable
    assert "the reason" in told.message
    assert told.hint


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429])
def test_a_plainly_refused_change_was_not_made(status: int) -> None:
    with pytest.raises(CallError) as caught:
        read_answer(answered(status, error()), CHANGE)
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_change_that_met_a_server_error_has_an_unknown_outcome_and_names_the_read_that_settles_it(
    status: int,
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        read_answer(answered(status, error()), CHANGE)
    assert caught.value.hint == "Call get_role first."
    assert caught.value.retryable is False


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"x"',
        b"null",
        b'{"cut": ',
        b'{"x": NaN}',
        b'{"x": -Infinity}',
        b'{"x": 1e999}',
        b'{"x": [-1e999]}',
        b'{"x": %b}' % (b"9" * 400),
        b'{"x": %b}' % (b"9" * 5000),
        b"\xff\xfe",
        b'{"x": "\xed\xa0\x80"}',
        b'{"x": "\xc0\xaf"}',
        '{"x": "é"}'.encode("latin-1"),
        '{"x": 1}'.encode("utf-16"),
        '{"x": "\ud800"}'.encode("utf-16", "surrogatepass"),
        '{"x": 1}'.encode("utf-32-le"),
        b"[" * 100_000,
        b'{"x":' * 65 + b"1" + b"}" * 65,
        b'{"x":' + b"[" * 254 + b"]" * 254 + b"}",
    ],
)
def test_an_answer_that_is_no_json_object_is_said_so(body: bytes) -> None:
    with pytest.raises(SchemaMismatch):
        read_answer(answered(200, body, "text/html"), READ)
    with pytest.raises(OutcomeUnknown):
        read_answer(answered(200, body, "text/html"), CHANGE)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": null}', b'{"error": []}', b'{"error": 5}'])
def test_an_error_body_of_another_shape_is_tolerated(body: bytes) -> None:
    with pytest.raises(NotFound, match="without saying why"):
        read_answer(answered(404, body), READ)


KEY = "sk-admin-1234567890"


@pytest.mark.parametrize(
    "written",
    [
        KEY.encode(),
        KEY.replace("-", "\\u002d").encode(),
        "".join(f"\\u{ord(letter):04X}" for letter in KEY).encode(),
        f"Bearer {KEY}, {KEY}{KEY}".encode(),
    ],
    ids=["as it is", "partly escaped", "all escaped", "inside a longer text"],
)
@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 429, 500, 503])
def test_the_key_is_blotted_out_wherever_an_answer_has_it(written: bytes, status: int) -> None:
    body = b'{"error": {"message": "%b", "param": "%b", "code": "%b"}, "%b": [{"x": ["%b"], "%b": null}]}' % (
        (written,) * 6
    )
    if status < 300:
        body = body.replace(b'"error"', b'"id"', 1)
    answer = answered(status, body, f"text/{KEY}", f"req_{KEY}", secrets=(KEY,))
    for expected in (READ, CHANGE):
        try:
            told: Any = read_answer(answer, expected)
        except CallError as caught:
            told = caught.as_object()
        assert KEY not in json.dumps(told)
        assert "[redacted]" in json.dumps(told)
    assert KEY not in repr(answer)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff", b"{"])
def test_an_unreadable_answer_shows_no_key_in_its_type_or_request_id(body: bytes) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        read_answer(answered(200, body, f"text/{KEY}", f"req_{KEY}", secrets=(KEY,)), READ)
    assert KEY not in json.dumps(caught.value.as_object())
    assert "[redacted]" in caught.value.message


def test_a_key_with_characters_that_texts_escape_is_blotted_out_in_each_spelling() -> None:
    key = 'sk-admin/a&b"c%d'
    for written in (key, "sk-admin%2Fa%26b%22c%25d", 'sk-admin/a&b\\"c%d', "sk-admin/a&amp;b&quot;c%d"):
        assert redact(f"it is {written}.", (key,)) == "it is [redacted]."
    told = read_answer(answered(200, json.dumps({"id": key}).replace("/", "\\/").encode(), secrets=(key,)), READ)
    assert told == {"id": "[redacted]"}


def test_a_redacted_key_and_a_text_too_short_to_be_one_stay() -> None:
    shown = {"redacted_value": "sk-admin-...7890", "id": "key"}
    assert read_answer(answered(200, json.dumps(shown).encode(), secrets=(KEY, "key")), READ) == shown


def test_half_a_surrogate_pair_can_not_break_the_answer() -> None:
    assert read_answer(answered(200, b'{"name": "a\\ud800b", "fine": "\\ud83d\\ude00"}'), READ) == {
        "name": "a?b",
        "fine": "😀",
    }
    assert read_answer(answered(200, b'{"\\udc00": ["\\\\ud800", "\\ud83d\\ud83d\\ude00", "\\uDBFFx"]}'), READ) == {
        "?": ["\\ud800", "?😀", "?x"]
    }
    for expected in (READ, CHANGE):
        with pytest.raises(NotFound, match=r"no \?") as caught:
            read_answer(answered(404, b'{"error": {"message": "no \\udfff", "param": "\\ud800"}}'), expected)
        assert json.dumps(caught.value.as_object(), ensure_ascii=False).encode()


def test_what_is_nested_64_deep_and_the_largest_numbers_are_taken() -> None:
    deep = read_answer(answered(200, b'{"x":' * 64 + b"1" + b"}" * 64), READ)
    assert json.dumps(deep).count("x") == 64
    assert (
        read_answer(answered(200, b'{"x": [1e308, -1e308, 18446744073709551616, 5e-324, true]}'), READ)["x"][0] == 1e308
    )


def test_a_byte_order_mark_does_not_spoil_an_answer() -> None:
    assert read_answer(answered(200, b'\xef\xbb\xbf{"id": "x"}'), READ) == {"id": "x"}


@pytest.mark.parametrize(
    "body", [b'{"error": {"message": "no such role"}}', b'{"error": {}}', b'{"error": "no such role"}', b'{"error": 5}']
)
def test_a_success_with_an_error_in_it_is_none(body: bytes) -> None:
    with pytest.raises(ApiError, match="answered 200, but with an error"):
        read_answer(answered(200, body), READ)
    with pytest.raises(OutcomeUnknown, match="may or may not") as caught:
        read_answer(answered(200, body), CHANGE)
    assert caught.value.hint == CHANGE.verify
    if b"no such" in body:
        assert "no such role" in caught.value.message


@pytest.mark.parametrize("nothing", ["null", "false", '""', "[]"])
def test_a_field_that_says_there_is_no_error_is_left_alone(nothing: str) -> None:
    assert read_answer(answered(200, f'{{"id": "x", "error": {nothing}}}'.encode()), CHANGE)["id"] == "x"


@pytest.mark.parametrize("status", [303, 408, 499])
def test_a_change_answered_by_a_status_that_settles_nothing_has_an_unknown_outcome(status: int) -> None:
    with pytest.raises(OutcomeUnknown, match="may or may not"):
        read_answer(answered(status, error()), CHANGE)
    with pytest.raises(ApiError):
        read_answer(answered(status, error()), READ)


def test_an_answer_that_would_take_too_much_memory_is_refused() -> None:
    light = b'{"a": "%b"}' % (b"x" * 9_000_000)
    assert read_answer(answered(200, light), READ)
    for part in (b"[],", b"{},", b'{"":0},', b"1.5,", b'"",'):
        heavy = b'{"a": [' + part * (9_000_000 // len(part)) + b"0]}"
        with pytest.raises(ApiError, match="too many values"):
            read_answer(answered(200, heavy), READ)
        with pytest.raises(OutcomeUnknown):
            read_answer(answered(200, heavy), CHANGE)


def test_a_long_message_is_cut() -> None:
    with pytest.raises(NotFound) as caught:
        read_answer(answered(404, error("x" * 5000)), READ)
    assert len(caught.value.message) < 600

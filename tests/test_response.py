"""Every answer becomes the API's object or the error that says what to do."""

import json

import pytest

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
from admin_mcp.response import Answer, Expectation, read_answer

READ = Expectation(mutates=False, verify="")
CHANGE = Expectation(mutates=True, verify="Call get_role first.")


def error(message: object = "no", **more: object) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


def test_a_json_object_comes_back_untouched() -> None:
    assert read_answer(Answer(200, b'{"id": "x", "new": {"deep": [null]}}'), READ) == {
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
    answer = Answer(status, error("the reason", param="name", code="bad"), request_id="req_1")
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
        read_answer(Answer(status, error()), CHANGE)
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_change_that_met_a_server_error_has_an_unknown_outcome_and_names_the_read_that_settles_it(
    status: int,
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        read_answer(Answer(status, error()), CHANGE)
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
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_no_json_object_is_said_so(body: bytes) -> None:
    with pytest.raises(SchemaMismatch):
        read_answer(Answer(200, body, "text/html"), READ)
    with pytest.raises(OutcomeUnknown):
        read_answer(Answer(200, body, "text/html"), CHANGE)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "text"}', b'{"error": null}', b'{"error": []}'])
def test_an_error_body_of_another_shape_is_tolerated(body: bytes) -> None:
    with pytest.raises(NotFound, match="without saying why"):
        read_answer(Answer(404, body), READ)


def test_a_secret_that_the_api_echoes_is_blotted_out() -> None:
    expected = Expectation(mutates=False, verify="", secrets=("sk-admin-1",))
    with pytest.raises(Authentication) as caught:
        read_answer(Answer(401, error("Incorrect API key provided: sk-admin-1.")), expected)
    assert "sk-admin-1" not in json.dumps(caught.value.as_object())
    assert "[redacted]" in caught.value.message
    assert "sk-admin-1" not in repr(expected)


def test_a_secret_echoed_beside_the_message_is_blotted_out_too() -> None:
    expected = Expectation(mutates=False, verify="", secrets=("sk-admin-1",))
    with pytest.raises(ApiError) as caught:
        read_answer(Answer(400, error("no", param="sk-admin-1", code="bad_sk-admin-1")), expected)
    assert "sk-admin-1" not in json.dumps(caught.value.as_object())


def test_half_a_surrogate_pair_can_not_break_the_answer() -> None:
    assert read_answer(Answer(200, b'{"name": "a\\ud800b", "fine": "\\ud83d\\ude00"}'), READ) == {
        "name": "a?b",
        "fine": "😀",
    }
    with pytest.raises(NotFound, match=r"no \?"):
        read_answer(Answer(404, b'{"error": {"message": "no \\udfff"}}'), READ)


def test_a_long_message_is_cut() -> None:
    with pytest.raises(NotFound) as caught:
        read_answer(Answer(404, error("x" * 5000)), READ)
    assert len(caught.value.message) < 600

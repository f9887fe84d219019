"""HTTP answer -> the API's JSON object, or the error that says whose turn it is. Pure.

Every answer comes in through ``take_in``, which parses it and blots the secrets out before anything else sees it.
A read that went wrong can be repeated. A change that was answered unclearly can't: it is ``outcome_unknown``, unless
the API plainly refused it.
"""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from admin_mcp.api.strict_json import TooHeavyError, UnreadableError, parse, without_halves
from admin_mcp.endpoints.schema import Json
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

_LONGEST_MESSAGE = 500
_LONGEST_HEADER = 200
_SHORTEST_SECRET = 8
"""Characters. A shorter key is none, and blotting it out would tear ordinary words apart."""

_UNCLEAR_STATUSES = frozenset({303, 408, 499})
"""Below 500: "see what came of it elsewhere", and "I gave up waiting". A change may have been made all the same."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete HTTP answer, without secrets: status, the headers that matter, and the JSON value of its body.

    ``problem`` says why there is no value, completing "the answer is ..."; ``size`` is the body's, in bytes.
    """

    status: int
    value: object = None
    problem: str | None = None
    too_long: bool = False
    size: int = 0
    content_type: str = ""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is known about the request an answer belongs to.

    ``verify`` is the sentence that says which read settles an unknown outcome; ``absence`` is the hint where 404 most
    likely means that nothing is set.
    """

    mutates: bool
    verify: str
    absence: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """An HTTP answer as it came. ``body`` is unpacked; where it could not be, the error says why."""

    status: int
    body: bytes | bytearray | UnreadableError
    content_type: str = ""
    request_id: str | None = None


def take_in(received: Received, secrets: Sequence[str]) -> HttpAnswer:
    """Parse an answer, and blot out secrets wherever they are in it: values, field names, headers."""
    spellings = [spelling for secret in secrets for spelling in _spellings(secret)]

    def clean(text: str) -> str:
        return _without(text, spellings)

    value, problem = None, None
    try:
        if isinstance(received.body, UnreadableError):
            raise received.body
        value = parse(received.body, clean if _may_hold(received.body, spellings) else None)
    except UnreadableError as error:
        problem = error
    return HttpAnswer(
        received.status,
        value,
        problem=None if problem is None else clean(str(problem)),
        too_long=isinstance(problem, TooHeavyError),
        size=0 if isinstance(received.body, UnreadableError) else len(received.body),
        content_type=clean(received.content_type)[:_LONGEST_HEADER],
        request_id=None if received.request_id is None else clean(received.request_id)[:_LONGEST_HEADER],
    )


def _may_hold(body: bytes | bytearray, spellings: Sequence[str]) -> bool:
    """Whether a spelling can be in JSON text; one that is written with escapes shows only once that is parsed."""
    return b"\\" in body or any(spelling.encode() in body for spelling in spellings)


def read_answer(answer: HttpAnswer, expected: Expectation) -> Json:
    """Return the API's JSON object.

    Raises:
        CallError: the API refused, failed, or did not answer with a JSON object.

    """
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own range for success
        raise _refusal(answer, expected)
    if answer.problem is not None:
        raise _unreadable(answer, expected, answer.problem)
    if not isinstance(answer.value, dict):
        raise _unreadable(answer, expected, "not a JSON object")
    if isinstance(answer.value.get("error"), dict) or answer.value.get("error"):
        raise _contradiction(answer, expected)
    return answer.value


def _unreadable(answer: HttpAnswer, expected: Expectation, what: str) -> CallError:
    shape = f" ({answer.size} bytes of {answer.content_type or 'an unnamed type'})" if answer.size else ""
    message = f"The API answered {answer.status}, but the answer is {what}{shape}."
    if expected.mutates:
        return OutcomeUnknown(
            f"{message} The change may have been made.",
            status=answer.status,
            request_id=answer.request_id,
            hint=expected.verify,
        )
    if answer.too_long:
        return ApiError(
            message,
            status=answer.status,
            request_id=answer.request_id,
            hint="Ask for less: a smaller limit, a shorter time range, or fewer groupings.",
        )
    return SchemaMismatch(
        message,
        status=answer.status,
        request_id=answer.request_id,
        retryable=True,
        hint="Try once more. If it stays so, the operator should check OPENAI_BASE_URL and any proxy in between.",
    )


def _refusal(answer: HttpAnswer, expected: Expectation) -> CallError:
    kind, hint, retryable = _KINDS.get(answer.status, _other(answer.status))
    if kind is NotFound:
        hint = expected.absence or hint
    details = _error_details(answer.value)
    said = details.get("message") or ""
    unclear = answer.status >= 500 or answer.status in _UNCLEAR_STATUSES  # noqa: PLR2004 - HTTP's own range
    if expected.mutates and unclear:
        kind, hint, retryable = OutcomeUnknown, expected.verify, False
        said = f"{said} The change may or may not have been made.".strip()
    return kind(
        f"The API answered {answer.status}" + (f": {said}" if said else " without saying why."),
        status=answer.status,
        code=details.get("code"),
        param=details.get("param"),
        request_id=answer.request_id,
        hint=hint,
        retryable=retryable,
    )


def _contradiction(answer: HttpAnswer, expected: Expectation) -> CallError:
    """Return the error for an answer whose status says yes and whose body says no."""
    details = _error_details(answer.value)
    said = f"The API answered {answer.status}, but with an error: {details.get('message', 'it does not say which')}"
    return (OutcomeUnknown if expected.mutates else ApiError)(
        f"{said} The change may or may not have been made." if expected.mutates else said,
        status=answer.status,
        code=details.get("code"),
        param=details.get("param"),
        request_id=answer.request_id,
        hint=expected.verify if expected.mutates else "Correct the arguments if the message says so; or try once more.",
    )


def _error_details(value: object) -> dict[str, str]:
    """Return ``message``, ``code`` and ``param`` of the API's error body, as far as they are there."""
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, dict):
        return {}
    return {key: str(error[key])[:_LONGEST_MESSAGE] for key in ("message", "code", "param") if error.get(key)}


_KINDS: dict[int, tuple[type[CallError], str, bool]] = {
    401: (
        Authentication,
        "The operator must set OPENAI_ADMIN_KEY to a valid admin key (not a project key) and restart the server.",
        False,
    ),
    403: (
        Permission,
        "The key lacks this permission. Ask the operator for a key that has it, or leave this out.",
        False,
    ),
    404: (NotFound, "Check the ids with the matching list tool; they may belong to another project or be gone.", False),
    409: (Conflict, "Read the current state, then decide anew.", False),
    429: (RateLimited, "Wait a minute before the next call, and ask for less at once.", True),
    408: (ApiError, "Try again.", True),
}


def _other(status: int) -> tuple[type[CallError], str, bool]:
    if status >= 500:  # noqa: PLR2004 - HTTP's own range for server errors
        return ApiError, "The API has trouble. Try again in a minute.", True
    if status < 400:  # noqa: PLR2004 - HTTP's own range for redirects
        return ApiError, "Redirects are not followed. The operator should check OPENAI_BASE_URL.", False
    return ApiError, "Correct the arguments as the message says; `param` names the field if the API named one.", False


def redact(text: str, secrets: Sequence[str]) -> str:
    """Blot out secrets, in each way a text may spell them, and make it a text that UTF-8 can hold."""
    return without_halves(_without(text, [spelling for secret in secrets for spelling in _spellings(secret)]))


def _without(text: str, spellings: Sequence[str]) -> str:
    for spelling in spellings:
        text = text.replace(spelling, "[redacted]")
    return text


@cache
def _spellings(secret: str) -> tuple[str, ...]:
    """Return the secret itself and, for one with characters that are escaped there, as URLs, JSON and HTML write it."""
    if len(secret) < _SHORTEST_SECRET:
        return ()
    written = (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], html.escape(secret))
    return tuple(dict.fromkeys(written))

"""HTTP answer -> the API's JSON object, or the error that says whose turn it is. Pure.

A read that went wrong can be repeated. A change that was answered unclearly can't: it is ``outcome_unknown``, unless
the API plainly refused it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

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
from admin_mcp.tool import Json

_LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer: status, the headers that matter, and the decoded body."""

    status: int
    body: bytes
    content_type: str = ""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is known about the request an answer belongs to.

    ``verify`` is the sentence that says which read settles an unknown outcome; ``secrets`` must not be repeated;
    ``absence`` is the hint where 404 most likely means that nothing is set.
    """

    mutates: bool
    verify: str
    secrets: Sequence[str] = field(default=(), repr=False)
    absence: str = ""


def read_answer(answer: Answer, expected: Expectation) -> Json:
    """Return the API's JSON object.

    Raises:
        CallError: the API refused, failed, or did not answer with a JSON object.

    """
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own range for success
        raise _refusal(answer, expected)
    try:
        value = _parsed(answer.body)
    except (ValueError, RecursionError):
        raise _unreadable(answer, expected, "not JSON") from None
    if not isinstance(value, dict):
        raise _unreadable(answer, expected, "not a JSON object")
    return value


def _parsed(body: bytes) -> object:
    """Parse JSON. Half of a surrogate pair, which JSON can spell and no text can hold, becomes a question mark."""
    value: object = json.loads(body, parse_constant=_no_such_number)
    if b"\\ud" in body.lower():
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _no_such_number(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _unreadable(answer: Answer, expected: Expectation, what: str) -> CallError:
    shape = f"{len(answer.body)} bytes of {answer.content_type or 'an unnamed type'}" if answer.body else "empty"
    message = f"The API answered {answer.status}, but the answer is {what} ({shape})."
    if expected.mutates:
        return OutcomeUnknown(
            f"{message} The change may have been made.",
            status=answer.status,
            request_id=answer.request_id,
            hint=expected.verify,
        )
    return SchemaMismatch(
        message,
        status=answer.status,
        request_id=answer.request_id,
        retryable=True,
        hint="Try once more. If it stays so, the operator should check OPENAI_BASE_URL and any proxy in between.",
    )


def _refusal(answer: Answer, expected: Expectation) -> CallError:
    details = _error_details(answer.body, expected.secrets)
    said = details.get("message") or ""
    kind, hint, retryable = _KINDS.get(answer.status, _other(answer.status))
    if kind is NotFound:
        hint = expected.absence or hint
    if expected.mutates and answer.status >= 500:  # noqa: PLR2004 - HTTP's own range for server errors
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


def _error_details(body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return ``message``, ``code`` and ``param`` of the API's error body, as far as they are there."""
    try:
        error = _parsed(body)["error"]  # type: ignore[index]  # any other shape is caught below
        given = {key: str(error[key]) for key in ("message", "code", "param") if error.get(key)}
        return {key: redact(text, secrets)[:_LONGEST_MESSAGE] for key, text in given.items()}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return {}


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
    409: (Conflict, "Read the current state with the matching get or list tool, then decide anew.", False),
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
    """Blot out secrets, should the API or a proxy echo one."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[redacted]")
    return text

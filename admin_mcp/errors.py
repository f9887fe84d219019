"""Every way a call can fail, and what the agent is told about it.

    AdminMcpError
    ├── SettingsError                the operator's settings make no sense; start-up ends with exit code 2
    │   └── FaultsError              the sandbox's faults can't be understood
    ├── CallError                    becomes the tool's error object
    │   ├── InvalidInput             the caller's arguments
    │   ├── PolicyDenied             the operator's policy, or a tool that is switched off
    │   ├── ApprovalDenied           a person said no, or did not say a clear yes
    │   ├── ApprovalPending          a person has not answered yet
    │   ├── ApprovalUnavailable      there is no way to ask a person
    │   │   └── StateUnavailable     the state on this machine can't be used
    │   │       └── StateBusy        another process keeps it to itself
    │   ├── Authentication           the API: no key, or one it does not take
    │   ├── Permission               the API: the key may not do this
    │   ├── NotFound                 the API: there is no such thing
    │   ├── Conflict                 the API, or our last look: it is not as the change assumes
    │   │   └── StoppedAtRecheck     our last look found that something has changed
    │   ├── RateLimited              the API asks to slow down
    │   ├── ApiError                 the API: anything else
    │   │   └── CursorGoneError      a list's next page, since what it begins after is gone
    │   ├── NetworkError             the way to the API
    │   ├── CallTimeout              no answer in time
    │   ├── OutcomeUnknown           a change was sent; whether it was made is not known
    │   ├── SchemaMismatch           the answer was not a JSON object
    │   └── Internal                 a defect of this server, met before anything was changed
    └── what stays within the rooms that raise and catch it, or is a defect:
        EndpointDefinitionError      endpoints: a class contradicts itself
        RefusalError                 sandbox: becomes an error body of the pretend API
        TooLongError                 api: a body is longer than the limit
        UndecodableError             api: a body can't be unpacked
        UnreadableError              api: a text is not JSON that can be taken in
        └── TooHeavyError            api: it would take too much memory
        PermitError                  api: a change was about to leave without the gate's permit
        NotPrivateError              private_files: others can reach what should be ours alone
        LockBusyError                private_files: another process holds the lock
        IllegalEventError            gate: an approval is not in a state in which this can happen
        SeenOtherwiseError           gate: what is approved is not what the person has read
        NeedsAnswerError             channels: the call ends with a question to the person
        EvidenceError                cli: files are no evidence that can be used
        UnfitFileError               cli: a host's configuration is not as it should be
        └── CommentedError           cli: it has comments, which only reading can pass over
        ResultTooLongError           server: an object is longer than can be passed on

No I/O and no formatting beyond the error object itself.
"""

import re
from typing import ClassVar, Literal, Self

ErrorKind = Literal[
    "invalid_input",
    "policy_denied",
    "approval_pending",
    "approval_denied",
    "approval_unavailable",
    "authentication",
    "permission",
    "not_found",
    "conflict",
    "rate_limited",
    "api_error",
    "network",
    "timeout",
    "outcome_unknown",
    "schema_mismatch",
    "internal",
]


_TO_OPERATOR = re.compile(r"\b([Tt])(?:he operator (?:should|must)|ell the (?:operator|user):|ell the user,? and) (\S)")
_OF_AGENT = (
    (re.compile(r"\b(?:Only the|The) operator can\b"), "You can"),
    (re.compile(r"\bthe operator can\b"), "you can"),
    (re.compile(r"\bthe user has\b"), "you have"),
    (re.compile(r"(?:^|(?<=[.] ))(?:Don't (?:retry|repeat|send)|(?:Tell|Ask) the|Call the tool)\b[^.:]*\.(?: |$)"), ""),
)
"""What a hint has an agent do or pass on, and what is left of that for a person who reads it themselves."""

_OF_A_COMMAND = (
    (re.compile(r" \(in the host's MCP configuration, under env\)|,? and restart (?:it|the server)\b"), ""),
    (re.compile(r"\bthis server's environment"), "this command's environment"),
    (re.compile(r"\bstart it with --sandbox"), "put --sandbox before the command"),
)
"""What a hint has the operator do to a server, and what it is for a command, which nobody restarts."""


class AdminMcpError(Exception):
    """Base of every error this package raises on purpose."""


class SettingsError(AdminMcpError):
    """The settings contradict themselves or can't be read; the message names the setting and the way out."""


class CallError(AdminMcpError):
    """A call that failed in a way the agent can be told about.

    ``hint`` says what to do next. ``retryable`` means that the same call, unchanged, may succeed later.
    """

    kind: ClassVar[ErrorKind]

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retryable = retryable

    def restated(self, message: str, *, hint: str | None = None, param: str | None = None) -> Self:
        """Return the same error in other words; what is not given stays."""
        other = type(self).__new__(type(self), message)  # an __init__ of its own may want other words than these
        vars(other).update(vars(self))
        other.message = message
        other.hint = self.hint if hint is None else hint
        other.param = self.param if param is None else param
        return other

    @property
    def told_to_operator(self) -> str:
        """Message and hint for the operator's own eyes: what the hint has the agent pass on is said to them.

        What only an agent can do, such as telling the user or not repeating its call, is left out.
        """
        hint = _TO_OPERATOR.sub(lambda found: found[2] if found[1].islower() else found[2].upper(), self.hint)
        for said, instead in (*_OF_AGENT, *_OF_A_COMMAND):
            hint = said.sub(instead, hint)
        ended = self.message.endswith((".", "!", "?", ":"))  # the API's own words often are no sentence
        return f"{self.message}{'' if ended else '.'} {hint}".strip()

    def as_object(self) -> dict[str, dict[str, object]]:
        """Return the error object that a tool result carries."""
        return {
            "error": {
                "kind": self.kind,
                "message": self.message,
                "status": self.status,
                "code": self.code,
                "param": self.param,
                "request_id": self.request_id,
                "hint": self.hint,
                "retryable": self.retryable,
            }
        }


class InvalidInput(CallError):
    """The arguments are not what the tool takes. Nothing was sent."""

    kind = "invalid_input"


class PolicyDenied(CallError):
    """The operator does not allow this call. Nothing was sent."""

    kind = "policy_denied"


class ApprovalDenied(CallError):
    """A person rejected the change, or their answer was not a clear approval. Nothing was sent."""

    kind = "approval_denied"


class ApprovalPending(CallError):
    """A person is being asked about this very change. Nothing was sent yet."""

    kind = "approval_pending"


class ApprovalUnavailable(CallError):
    """The change needs a person's approval and no person can be asked. Nothing was sent."""

    kind = "approval_unavailable"


class StateUnavailable(ApprovalUnavailable):
    """The state can't be used, so no change can be approved or recorded.

    ``reason`` says why. The message adds that nothing was sent, which holds for whoever asked for a change.
    """

    def __init__(self, reason: str, *, hint: str, retryable: bool = False) -> None:
        super().__init__(f"{reason} Nothing was sent.", hint=hint, retryable=retryable)
        self.reason = reason


class StateBusy(StateUnavailable):
    """Another process kept the state to itself for too long. Nothing was sent; the same call may succeed later."""


class Authentication(CallError):
    """No key is set, or the API does not accept it (401)."""

    kind = "authentication"


class Permission(CallError):
    """The key may not do this (403)."""

    kind = "permission"


class NotFound(CallError):
    """There is no such thing (404)."""

    kind = "not_found"


class Conflict(CallError):
    """The thing is not in the state the change assumes (409, or it changed between approval and execution)."""

    kind = "conflict"


class RateLimited(CallError):
    """The API asks to slow down (429)."""

    kind = "rate_limited"


class ApiError(CallError):
    """Any other refusal or failure of the API."""

    kind = "api_error"


class NetworkError(CallError):
    """The API could not be reached, or the connection broke before a read was answered."""

    kind = "network"


class CallTimeout(CallError):
    """A read was not answered in time."""

    kind = "timeout"


class OutcomeUnknown(CallError):
    """A change was sent and its answer was lost: it may or may not have been made."""

    kind = "outcome_unknown"


class SchemaMismatch(CallError):
    """The answer to a read was not a JSON object."""

    kind = "schema_mismatch"


class Internal(CallError):
    """This server failed. If it was a change, nothing of it was sent."""

    kind = "internal"

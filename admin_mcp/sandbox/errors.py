"""The API's error bodies, and the one exception that becomes such a body. No state."""

from pydantic import ValidationError

from admin_mcp.errors import AdminMcpError
from admin_mcp.sandbox.store import Row


class RefusalError(AdminMcpError):
    """The pretend API refuses a call. Raised before anything was changed."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.message = message
        self.param = param
        self.code = code

    @property
    def body(self) -> Row:
        """The error as the API writes it."""
        return {
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        }


def invalid(message: str, *, param: str | None = None, code: str | None = "invalid_value") -> RefusalError:
    """Refuse a call that can't be carried out as asked."""
    return RefusalError(400, message, param=param, code=code)


def not_allowed(message: str) -> RefusalError:
    """Refuse a well-formed call that the state of the organization forbids."""
    return RefusalError(400, message, code="not_allowed")


def conflict(message: str, *, param: str | None = None) -> RefusalError:
    """Refuse to make something a second time."""
    return RefusalError(409, message, param=param, code="already_exists")


def not_found(noun: str, item: str) -> RefusalError:
    """Refuse an id that names nothing."""
    return RefusalError(404, f"No such {noun.replace('_', ' ')}: '{item}'.", code="not_found")


def not_set(noun: str) -> RefusalError:
    """Refuse to show or clear a singleton that doesn't exist."""
    return RefusalError(404, f"No {noun.replace('_', ' ')} is set.", code="not_found")


def unauthorized() -> RefusalError:
    """Refuse a request without a bearer key."""
    return RefusalError(
        401, "No API key was given. Send one in an Authorization header: 'Bearer <key>'.", code="invalid_api_key"
    )


def wrong_key() -> RefusalError:
    """Refuse a key that belongs to a project."""
    return RefusalError(
        403, "You have insufficient permissions: this takes an admin key, and the key given is a project's."
    )


def rate_limited() -> RefusalError:
    """Refuse a request because there were too many."""
    return RefusalError(429, "Rate limit reached. Try again in a second.", code="rate_limit_exceeded")


def server_error() -> RefusalError:
    """Fail, before anything was changed."""
    return RefusalError(500, "The server had an error while processing your request.", kind="server_error")


def unknown_path(method: str, path: str) -> RefusalError:
    """Refuse a path the API doesn't have."""
    return RefusalError(404, f"Unknown request URL: {method} {path}.", code="unknown_url")


def wrong_method(method: str, path: str) -> RefusalError:
    """Refuse a method that a path the API has doesn't take."""
    return RefusalError(405, f"Method {method} is not allowed for {path}.", code="method_not_supported")


def unknown_parameter(name: str) -> RefusalError:
    """Refuse a query or body field the endpoint doesn't document."""
    return invalid(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def from_validation(error: ValidationError) -> RefusalError:
    """Translate the first thing pydantic found wrong."""
    detail = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return unknown_parameter(name)
    if detail["type"] == "missing":
        return invalid(f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    if not name:
        return invalid(f"Invalid request: {detail['msg']}.")
    return invalid(f"Invalid value for '{name}': {detail['msg']}.", param=name)

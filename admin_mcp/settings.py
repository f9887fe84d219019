"""The operator's settings: environment and flags -> one frozen ``Settings``. No ``.env``, no working directory."""

import difflib
import hashlib
import ipaddress
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from admin_mcp.errors import SettingsError

PREFIX = "ADMIN_MCP_"
DEFAULT_BASE_URL = "https://api.openai.com/v1"
PLACEHOLDER_KEY = "REPLACE-WITH-YOUR-ADMIN-KEY"

FLAGS = (
    "sandbox",
    "seed",
    "people",
    "projects",
    "faults",
    "read_only",
    "toolsets",
    "tools",
    "exclude_tools",
    "search",
    "no_prompts",
    "approval",
    "config",
    "state_dir",
)
"""The settings that are flags as well, in the order ``--help`` shows them."""

SANDBOX_LABEL = "the sandbox (a pretend organization)"

KEYED = " with the key whose fingerprint is "
"""What stands between an address and the beginning of the key's fingerprint in the label of a system."""

_SANDBOXED = ("seed", "people", "projects", "faults")
"""The settings that mean something only together with ``sandbox``."""

_SHOWN_OF_KEY = 4
_SHORTEST_KEY = 20
"""What is shorter is no key of which the last characters may be shown: they would be too much of it."""

ApprovalMode = Literal["auto", "elicit", "local", "two-step", "none"]
SecretsMode = Literal["file", "reveal"]


@dataclass(frozen=True, slots=True)
class Target:
    """The system that calls go to. ``label`` is for people; ``system`` is its identity and goes into every digest.

    ``organization`` is the operator's label for it, ``key_last4`` the end of the admin key: a person alone sees them.
    """

    label: str
    system: str
    organization: str = ""
    key_last4: str = ""


class Settings(BaseSettings):
    """Everything the operator can choose. Each is an environment variable; those in ``FLAGS`` are also flags."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    admin_key: SecretStr | None = Field(
        None,
        validation_alias="OPENAI_ADMIN_KEY",
        description="The admin key. Without it the server starts, lists its tools, and says what to set.",
    )
    base_url: str = Field(
        DEFAULT_BASE_URL, validation_alias="OPENAI_BASE_URL", description="The API. Plain http only to loopback."
    )
    approval: ApprovalMode = Field(
        "auto",
        description="How changes are approved: by the client's form or else on this machine (auto), only the one "
        "(elicit) or the other (local), by a second tool call (two-step), or not at all (none).",
    )
    approval_wait: float | None = Field(
        None,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds a call waits for a person on this machine before it answers approval_pending. "
        "If not set, or if the page can't be shown: 45 if the client shows progress, otherwise 4.",
    )
    question_minutes: int = Field(
        10,
        ge=1,
        le=480,
        description="Minutes for which a question on this machine stays open. After half of them it is shown "
        "once more if nobody seems to look. Forms end after ten, an approval after five.",
    )
    organization_label: str = Field(
        "",
        max_length=200,
        description="What you call this organization; the head of the approval page and of the inbox shows it.",
    )
    open_browser: bool = Field(
        default=True, description="Whether approval pages open by themselves. If not, decide in a terminal."
    )
    desktop_notifications: bool = Field(
        default=True,
        description="Whether a question on this machine is also told by a desktop notification, where the extra "
        "`desktop` is installed. A click on it opens the page.",
    )
    config: Path | None = Field(None, description="The policy file, by its full path.")
    read_only: bool = Field(default=False, description="Neither list nor run tools that change something.")
    toolsets: str = Field(
        "",
        description="Only these, and the lists their ids come from: people, projects, spend, security, read or a "
        "resource; see `tools`.",
    )
    tools: str = Field(
        "", description="Only these tools, or beside toolsets also these; names or globs such as list_*, with commas."
    )
    exclude_tools: str = Field("", description="Not these tools; names or globs, with commas.")
    search: bool = Field(default=False, description="List four tools that find and call the others.")
    no_prompts: bool = Field(
        default=False, description="Offer tools alone: no prompts to start from, and no resources to read."
    )
    answer_bytes: int = Field(
        64 * 1024,
        ge=4096,
        le=8 * 1024 * 1024,
        description="How much of a list one answer holds, as compact JSON. It is cut between items, and says how to "
        "go on.",
    )
    secrets: SecretsMode = Field(
        "file", description="Where a new key's value goes: to a private file (file), or to the model (reveal)."
    )
    state_dir: Path = Field(
        default_factory=lambda: platformdirs.user_state_path("openai-admin-mcp"),
        description="Where approvals, journal and new keys are kept, by its full path.",
    )
    sandbox: bool = Field(default=False, description="Serve a pretend organization: no key, no network.")
    seed: int = Field(0, description="With the sandbox: another organization of the same kind.")
    people: int = Field(7, ge=7, le=20_000, description="With the sandbox: how many people the organization has.")
    projects: int = Field(3, ge=3, le=2_000, description="With the sandbox: how many projects it has.")
    faults: str = Field("", description="With the sandbox: what goes wrong, such as 429=10%,drop=2%,latency=0.3")

    @field_validator("admin_key")
    @classmethod
    def _usable_key(cls, key: SecretStr | None) -> SecretStr | None:
        text = key.get_secret_value().strip() if key else ""
        if not text or text == PLACEHOLDER_KEY:
            return None
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("the key contains a character no key has (a space, a line break or a quote mark?)")
        return SecretStr(text)

    @field_validator("state_dir", "config")
    @classmethod
    def _anchored(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            path = path.expanduser()
        except RuntimeError:
            raise ValueError(f"{path} names a home directory that can't be found") from None
        if not path.is_absolute():
            raise ValueError(f"{path} is relative, and the working directory means nothing here; give the full path")
        return path

    @field_validator("base_url")
    @classmethod
    def _safe_base_url(cls, url: str) -> str:
        parts = urlsplit(url.strip())
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise ValueError("must be an https:// URL such as " + DEFAULT_BASE_URL)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must have no user, query or fragment in it")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("plain http is only for loopback addresses; use https://")
        return url.strip().rstrip("/")

    @property
    def target(self) -> Target:
        """The system that calls go to."""
        if self.sandbox:
            return Target(label=SANDBOX_LABEL, system="sandbox", organization=self.organization_label)
        secret = self.admin_key.get_secret_value() if self.admin_key else ""
        fingerprint = hashlib.sha256(secret.encode()).hexdigest()
        return Target(
            label=f"{self.base_url}{KEYED}{fingerprint[:8]}",
            system=f"{self.base_url} {fingerprint}",
            organization=self.organization_label,
            key_last4=secret[-_SHOWN_OF_KEY:] if len(secret) >= _SHORTEST_KEY else "",
        )


def load_settings(**given: object) -> Settings:
    """Read the environment, overridden by the flags that were given.

    Raises:
        SettingsError: names the flag or the variable, as it was given, and what it may be or what was probably meant.

    """
    if unknown := [*_unknown(os.environ)]:
        raise SettingsError("; ".join(unknown))
    try:
        return Settings(**given)  # type: ignore[arg-type]  # checked by pydantic, which also reads the environment
    except ValidationError as error:
        wrong = (f"{spelt(str(item['loc'][0]), given)}: {_reason(item['msg'])}" for item in error.errors())
        raise SettingsError("; ".join(wrong)) from None


def require_effect(settings: Settings, given: Collection[str]) -> None:
    """Refuse settings that would do nothing; ``given`` are the fields that were flags.

    Raises:
        SettingsError: names the first of them, as it was given.

    """
    for field in _SANDBOXED:
        if not settings.sandbox and field in settings.model_fields_set:
            raise SettingsError(f"{spelt(field, given)} works only with --sandbox")


def variable(field: str) -> str:
    """Return the environment variable of a setting."""
    alias = Settings.model_fields[field].validation_alias if field in Settings.model_fields else None
    return alias if isinstance(alias, str) else field if field.isupper() else f"{PREFIX}{field.upper()}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unknown(environment: Iterable[str]) -> Iterable[str]:
    """Say of each variable with our prefix that is no setting what may have been meant. Letter case doesn't matter."""
    by_suffix = {field.upper(): variable(field) for field in Settings.model_fields}
    known = {*by_suffix.values()}
    for name in sorted(environment):
        if not name.upper().startswith(PREFIX) or name.upper() in {*known, "ADMIN_MCP_FRONT"}:
            continue
        near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), by_suffix, n=1)
        question = f"did you mean {by_suffix[near[0]]}?" if near else f"there are {', '.join(sorted(known))}"
        yield f"{name}: there is no such setting; {question}"


def spelt(field: str, given: Collection[str]) -> str:
    """Return the flag if the setting was given as one, as ``given`` tells, otherwise its variable."""
    return f"--{field.replace('_', '-')}" if field in given and field in FLAGS else variable(field)


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")

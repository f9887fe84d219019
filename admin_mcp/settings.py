"""The operator's settings: environment and flags -> one frozen ``Settings``. No ``.env``, no working directory."""

import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from admin_mcp.errors import SettingsError
from admin_mcp.sandbox.faults import Faults, parse_faults
from admin_mcp.selection import Selection

DEFAULT_BASE_URL = "https://api.openai.com/v1"
PLACEHOLDER_KEY = "REPLACE-WITH-YOUR-ADMIN-KEY"

ApprovalMode = Literal["auto", "elicit", "local", "two-step", "none"]
SecretsMode = Literal["file", "reveal"]


@dataclass(frozen=True, slots=True)
class Target:
    """The system that calls go to. ``label`` is for people; ``system`` is its identity and goes into every digest."""

    label: str
    system: str


class Settings(BaseSettings):
    """Everything the operator can choose. Each is an environment variable; most are also flags.

    ``approval``: ``auto`` asks through the client where it can show forms, else on this machine; ``elicit`` and
    ``local`` only the one or the other; ``two-step`` has the call repeated with a phrase; ``none`` never asks.
    ``approval_wait``: seconds a call waits for a person on this machine; None: 45 with a progress token, else 4.
    ``answer_bytes``: how much of a list one answer holds, as compact JSON.
    ``toolsets``, ``tools`` and ``exclude_tools``: names separated by commas; see ``Selection``. ``search``: four tools
    that lead to those, in place of them.
    ``seed`` and ``faults`` are the sandbox's.
    ``secrets``: where a new key's value goes: ``file`` keeps it from the model, ``reveal`` hands it over.
    """

    model_config = SettingsConfigDict(
        env_prefix="ADMIN_MCP_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    admin_key: SecretStr | None = Field(None, validation_alias="OPENAI_ADMIN_KEY")
    base_url: str = Field(DEFAULT_BASE_URL, validation_alias="OPENAI_BASE_URL")
    approval: ApprovalMode = "auto"
    sandbox: bool = False
    read_only: bool = False
    toolsets: str = ""
    tools: str = ""
    exclude_tools: str = ""
    search: bool = False
    secrets: SecretsMode = "file"
    state_dir: Path = Field(default_factory=lambda: platformdirs.user_state_path("openai-admin-mcp"))
    config: Path | None = None
    approval_wait: float | None = Field(None, ge=0, le=3600, allow_inf_nan=False)
    answer_bytes: int = Field(64 * 1024, ge=4096, le=8 * 1024 * 1024)
    open_browser: bool = True
    seed: int = 0
    faults: str = ""

    @field_validator("admin_key")
    @classmethod
    def _usable_key(cls, key: SecretStr | None) -> SecretStr | None:
        text = key.get_secret_value().strip() if key else ""
        if not text or text == PLACEHOLDER_KEY:
            return None
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("the key contains a character no key has (a space, a line break or a quote mark?)")
        return SecretStr(text)

    @field_validator("faults")
    @classmethod
    def _known_faults(cls, text: str) -> str:
        parse_faults(text)
        return text

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
    def parsed_faults(self) -> Faults:
        """What goes wrong in the sandbox, on purpose."""
        return parse_faults(self.faults)

    @property
    def selection(self) -> Selection:
        """Which tools are offered."""
        return Selection(self.toolsets, self.tools, self.exclude_tools, self.read_only)

    @property
    def target(self) -> Target:
        """The system that calls go to."""
        if self.sandbox:
            return Target(label="the sandbox (a pretend organization)", system="sandbox")
        secret = self.admin_key.get_secret_value() if self.admin_key else ""
        fingerprint = hashlib.sha256(secret.encode()).hexdigest()
        return Target(
            label=f"{self.base_url} with the key whose fingerprint is {fingerprint[:8]}",
            system=f"{self.base_url} {fingerprint}",
        )


def load_settings(**given: object) -> Settings:
    """Read the environment, overridden by the flags that were given.

    Raises:
        SettingsError: names the variable and what it may be.

    """
    try:
        return Settings(**given)  # type: ignore[arg-type]  # checked by pydantic, which also reads the environment
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(str(item["loc"][0]), item["msg"]) for item in error.errors())) from None


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _explain(field: str, message: str) -> str:
    known = {"admin_key": "OPENAI_ADMIN_KEY", "base_url": "OPENAI_BASE_URL"}
    variable = known.get(field, field if field.isupper() else f"ADMIN_MCP_{field.upper()}")
    return f"{variable}: {message.removeprefix('Value error, ')}"

"""The hosts from npm, each with a home of its own and no way to anything but loopback."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from admin_mcp.cli.host_files import parsed
from admin_mcp.cli.host_table import HOSTS
from admin_mcp.cli.snippets import SERVER, Shape, as_yaml
from admin_mcp.installation import command

HERE = Path(__file__).parent
BIN = HERE / "node_modules" / ".bin"
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Home:
    """Where one host lives while it is tested, and the state that its server keeps."""

    directory: Path

    @property
    def work(self) -> Path:
        return self.directory / "work"

    @property
    def state(self) -> Path:
        return self.directory / "state"

    @classmethod
    def new(cls, directory: Path) -> "Home":
        home = cls(directory)
        home.work.mkdir(parents=True)
        return home

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Nothing of the developer's: a home, a path, loopback, and a proxy that leads nowhere else."""
        return {
            "HOME": str(self.directory),
            "PATH": f"{BIN}{os.pathsep}/usr/local/bin{os.pathsep}/usr/bin{os.pathsep}/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "HTTPS_PROXY": NOWHERE,
            "HTTP_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "ADMIN_MCP_OPEN_BROWSER": "0",
            "ADMIN_MCP_DESKTOP_NOTIFICATIONS": "0",
            **more,
        }

    def write(self, path: str, text: str) -> Path:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def printed(self, host: str, *flags: str, **variables: str) -> str:
        """What ``config HOST`` prints, with this home's state, and these variables for the server."""
        words = [*command(), "--state-dir", str(self.state), *flags, "config", host]
        out = subprocess.run(words, capture_output=True, check=True, text=True).stdout
        return _with_variables(HOSTS[host].shape(), out, variables) if variables else out


def _with_variables(shape: Shape, printed: str, variables: Mapping[str, str]) -> str:
    if shape.write is as_yaml:  # which nothing here reads
        before, present, after = re.split(
            rf"^    {shape.environment}:(?: {{}}|((?:\n      .*)+))$", printed, flags=re.MULTILINE
        )
        kept = {name: json.loads(value) for name, value in re.findall(r"(\w+): (.*)", present or "")}
        lines = "".join(f"\n      {name}: {json.dumps(value)}" for name, value in {**kept, **variables}.items())
        return f"{before}    {shape.environment}:{lines}{after}"
    config = parsed(shape, printed)
    entry = config[shape.section][SERVER]
    entry[shape.environment] = {**entry.get(shape.environment, {}), **variables}
    return shape.write(config)


Prepare = Callable[[Home, str, str], None]
"""Write a host's configuration: its home, the model's address, and what ``config`` printed."""


@dataclass(frozen=True)
class Program:
    """A host's program: how it is prepared, what else is in its environment, and the words that give it a task."""

    name: str
    prepare: Prepare
    environment: Callable[[str], dict[str, str]]
    task: tuple[str, ...]
    screen: tuple[str, ...] = ()
    """The words that give it a task at a screen, where that is tried."""

    def words(self) -> list[str]:
        return [str(BIN / self.task[0]), *self.task[1:]]

    def at_screen(self) -> list[str]:
        return [str(BIN / self.screen[0]), *self.screen[1:]]


def _claude(home: Home, address: str, printed: str) -> None:
    del address
    known = {"hasCompletedOnboarding": True, "theme": "dark", "numStartups": 5, "autoUpdates": False}
    trust = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "allowedTools": []}
    key = {"customApiKeyResponses": {"approved": ["dummy"], "rejected": []}}
    projects = {"projects": {str(home.work): trust}}
    home.write(".claude.json", json.dumps({**known, **key, **projects, **json.loads(printed)}))


def _claude_environment(address: str) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": address,
        "ANTHROPIC_API_KEY": "dummy",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
    }


def _codex(home: Home, address: str, printed: str) -> None:
    before = {
        "model": "stand-in",
        "model_provider": "loopback",
        "approval_policy": "never",
        "sandbox_mode": "danger-full-access",
        "check_for_update_on_startup": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in before.items()]
    provider = f'name = "loopback"\nbase_url = "{address}/v1"\nwire_api = "responses"\nenv_key = "DUMMY_KEY"'
    quiet = '[analytics]\nenabled = false\n\n[otel]\nexporter = "none"'
    # Without this the first turn doesn't wait for the server.
    printed = printed.replace("command = ", "required = true\ncommand = ", 1)
    trust = f'[projects.{json.dumps(str(home.work))}]\ntrust_level = "trusted"'
    text = "\n".join(lines) + f"\n\n{trust}\n\n[model_providers.loopback]\n{provider}\n\n{quiet}\n\n{printed}"
    home.write(".codex/config.toml", text)


def _gemini(home: Home, address: str, printed: str) -> None:
    del address
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
    }
    home.write(".gemini/settings.json", json.dumps({**settings, **json.loads(printed)}))


def _opencode(home: Home, address: str, printed: str) -> None:
    model = {"models": {"stand-in": {"name": "stand-in", "tool_call": True}}}
    options = {"options": {"baseURL": f"{address}/v1", "apiKey": "dummy"}}
    provider = {"loopback": {"npm": "@ai-sdk/openai-compatible", "name": "loopback", **options, **model}}
    settings = {"provider": provider, "model": "loopback/stand-in", "autoupdate": False, "share": "disabled"}
    home.write(".config/opencode/opencode.json", json.dumps({**settings, **json.loads(printed)}))


def _goose(home: Home, address: str, printed: str) -> None:
    del address
    settings = "GOOSE_PROVIDER: openai\nGOOSE_MODEL: stand-in\nGOOSE_TELEMETRY_ENABLED: false\n"
    home.write(".config/goose/config.yaml", f"{settings}{printed}")


def _goose_environment(address: str) -> dict[str, str]:
    model = {"OPENAI_HOST": address, "OPENAI_API_KEY": "dummy"}
    return {**model, "GOOSE_MODE": "auto", "GOOSE_DISABLE_KEYRING": "1"}


def _cline(home: Home, address: str, printed: str) -> None:
    home.write(".cline/data/settings/cline_mcp_settings.json", printed)
    words = [str(BIN / "cline"), "auth", "-p", "openai", "-k", "dummy", "-m", "stand-in", "-b", f"{address}/v1"]
    subprocess.run(words, cwd=home.work, env=home.environment(_CLINE_OFF), check=True, capture_output=True)


_CLINE_OFF = {"CLINE_TELEMETRY_DISABLED": "1", "CLINE_NO_AUTO_UPDATE": "1"}

_OPENCODE_OFF = (
    "OPENCODE_DISABLE_AUTOUPDATE",
    "OPENCODE_DISABLE_MODELS_FETCH",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS",
    "OPENCODE_DISABLE_LSP_DOWNLOAD",
    "OPENCODE_DISABLE_EXTERNAL_SKILLS",
    "OPENCODE_PURE",
)
"""What would look for something on the network, which takes it half a minute to find out about."""

PROMPT = "Do what you are scripted to do."

PROGRAMS = {
    program.name: program
    for program in (
        Program(
            "claude-code",
            _claude,
            _claude_environment,
            ("claude", "-p", PROMPT, "--allowedTools", "mcp__openai-admin"),
            ("claude", "--allowedTools", "mcp__openai-admin", "--", PROMPT),
        ),
        Program(
            "codex",
            _codex,
            lambda _: {"DUMMY_KEY": "dummy"},
            ("codex", "exec", "--strict-config", "--skip-git-repo-check", "--json", PROMPT),
            ("codex", "-c", 'approval_policy="on-request"', PROMPT),
        ),
        Program(
            "gemini",
            _gemini,
            lambda address: {"GOOGLE_GEMINI_BASE_URL": address, "GEMINI_API_KEY": "dummy"},
            ("gemini", "--yolo", "-m", "gemini-2.5-flash", "-p", PROMPT),
        ),
        Program(
            "opencode",
            _opencode,
            lambda _: dict.fromkeys(_OPENCODE_OFF, "1"),
            ("opencode", "run", PROMPT),
        ),
        Program(
            "goose",
            _goose,
            _goose_environment,
            ("goose", "run", "--no-session", "-t", PROMPT),
            ("goose", "run", "--no-session", "--interactive", "-t", PROMPT),
        ),
        Program("cline", _cline, lambda _: _CLINE_OFF, ("cline", "--json", "-t", "90", PROMPT)),
    )
}


def run(program: Program, home: Home, address: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Give a host its task, and wait until it has ended."""
    return subprocess.run(
        program.words(),
        cwd=home.work,
        env=home.environment({**program.environment(address), **variables}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )

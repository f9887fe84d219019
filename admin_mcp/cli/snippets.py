"""What each MCP host has to be told to start this installation, in its own form of configuration. Pure.

GUI hosts have no PATH, so a bare command name would not be found. Programs have ``program_snippets``.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from admin_mcp.endpoints.schema import Json
from admin_mcp.installation import command
from admin_mcp.settings import PLACEHOLDER_KEY

SERVER = "openai-admin"
KEY = "OPENAI_ADMIN_KEY"
WAIT = "ADMIN_MCP_APPROVAL_WAIT"
PATIENCE = 660
"""The seconds for one call, for hosts that would give up while the question to a person, of ten minutes, is open."""
SECONDS = "570"
"""How long the server lets a call wait in a host that allows it: the question is open for ten minutes."""


_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Launch:
    """How the server is to be started: its command, arguments, whether it needs a key and may ask on this machine."""

    program: str
    arguments: tuple[str, ...]
    key: bool
    asks: bool = True

    @classmethod
    def of(cls, flags: Sequence[str]) -> "Launch":
        """Return the launch of this installation with these flags."""
        program, *before = command()
        asks = "--read-only" not in flags and not {"elicit", "two-step", "none"} & {*flags}
        return cls(program, (*before, *flags), key="--sandbox" not in flags, asks=asks)

    def entry(self, key: str, *, waits: bool = False) -> Json:
        """Return the entry that most hosts' configuration has for a server; ``key`` stands for the admin key."""
        return {"command": self.program, "args": list(self.arguments), **self.environment("env", key, waits=waits)}

    def environment(self, name: str, key: object = None, *, waits: bool = False) -> Json:
        """Return the variables that the server needs, under the host's own name for them, or nothing if it needs none.

        ``key`` stands for the admin key; ``waits`` tells that the host has been seen to let a call wait for a person.
        """
        passed = {KEY: key} if self.key and key is not None else {}
        variables = {**passed, **(self.waiting() if waits else {})}
        return {name: variables} if variables else {}

    def waiting(self) -> Json:
        """Return what has the server wait for a person on this machine as long as the question is open, if it asks."""
        return {WAIT: SECONDS} if self.asks else {}


def as_json(value: Json) -> str:
    """Write a configuration as JSON. Half of a surrogate pair, which no file can hold, stays an escape."""
    written = json.dumps(value, indent=2, ensure_ascii=False)
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", written)


def as_toml(value: Json) -> str:
    """Write a configuration as TOML, each table under a header of its own.

    Raises:
        TypeError: it holds something that such a table of a host has no use for.

    """
    return "\n\n".join(_toml_tables(value, ()))


def as_yaml(value: Json) -> str:
    """Write a configuration as YAML. Every string is in quotes, as JSON has them, which YAML reads as well."""
    return "\n".join(_yaml_lines(value, ""))


@dataclass(frozen=True, slots=True)
class Shape:
    """The form in which one host wants a server: under which name, what, and written how.

    ``environment`` is the host's name for the variables of a server. ``beside`` is what it needs at the top besides.
    ``comments``: the host reads JSON with comments, and commas after the last value.
    """

    section: str
    entry: Callable[[Launch], Json]
    write: Callable[[Json], str] = as_json
    environment: str = "env"
    beside: Callable[[Launch], Json] = lambda _: {}
    comments: bool = False

    def __call__(self, launch: Launch) -> str:
        """Return what goes into the host's configuration for this launch."""
        return self.write({**self.beside(launch), self.section: {SERVER: self.entry(launch)}})


def _stdio(key: str, *, waits: bool = False) -> Callable[[Launch], Json]:
    return lambda launch: {"type": "stdio", **launch.entry(key, waits=waits)}


def _vscode_input(launch: Launch) -> Json:
    asked = {"type": "promptString", "id": _VSCODE_INPUT, "description": "OpenAI admin key (sk-admin-...)"}
    return {"inputs": [{**asked, "password": True}]} if launch.key else {}


def _codex_entry(launch: Launch) -> Json:
    entry: Json = {"command": launch.program, "args": list(launch.arguments)}
    names: Json = {"env_vars": [KEY]} if launch.key else {}
    return {**entry, **names, "tool_timeout_sec": PATIENCE, **launch.environment("env", waits=True)}


def _opencode_entry(launch: Launch) -> Json:
    words = [launch.program, *launch.arguments]
    variables = launch.environment("environment", f"{{env:{KEY}}}", waits=True)
    return {"type": "local", "command": words, **variables, "enabled": True}


def _goose_entry(launch: Launch) -> Json:
    server: Json = {"enabled": True, "type": "stdio", "name": SERVER, "description": "OpenAI Admin API"}
    keys = [KEY] if launch.key else []
    variables = {"envs": {}, **launch.environment("envs", waits=True), "env_keys": keys}
    return {**server, "cmd": launch.program, "args": list(launch.arguments), **variables, "timeout": PATIENCE}


_VSCODE_INPUT = "openai-admin-key"

claude_desktop = Shape("mcpServers", lambda launch: launch.entry(PLACEHOLDER_KEY))
claude_code = Shape("mcpServers", _stdio(f"${{{KEY}}}", waits=True))
cursor = Shape("mcpServers", _stdio(f"${{env:{KEY}}}"))
vscode = Shape("servers", _stdio(f"${{input:{_VSCODE_INPUT}}}"), beside=_vscode_input, comments=True)
codex = Shape("mcp_servers", _codex_entry, as_toml)
gemini = Shape(
    "mcpServers",
    lambda launch: {**launch.entry(f"${{{KEY}}}", waits=True), "timeout": PATIENCE * 1000},
    comments=True,
)
opencode = Shape("mcp", _opencode_entry, environment="environment", comments=True)
goose = Shape("extensions", _goose_entry, as_yaml, environment="envs")
cline = Shape("mcpServers", lambda launch: {**launch.entry(PLACEHOLDER_KEY, waits=True), "timeout": PATIENCE})
windsurf = Shape("mcpServers", lambda launch: launch.entry(f"${{env:{KEY}}}"))
zed = Shape("context_servers", lambda launch: launch.entry(PLACEHOLDER_KEY), comments=True)


def cursor_link(launch: Launch) -> str:
    """Return the link that has Cursor ask whether to add this installation. It holds no key."""
    entry = base64.b64encode(json.dumps(cursor.entry(launch)).encode()).decode()
    return f"cursor://anysphere.cursor-deeplink/mcp/install?{urlencode({'name': SERVER, 'config': entry})}"


def vscode_link(launch: Launch) -> str:
    """Return the link that has VS Code ask whether to add this installation. It holds no key."""
    entry = {"name": SERVER, **vscode.entry(launch), **vscode.beside(launch)}
    return f"vscode:mcp/install?{quote(json.dumps(entry), safe='')}"


def words_of(entry: Mapping[str, object]) -> list[str]:
    """Return the words an entry starts its server with, in whichever of the hosts' forms it is; none if it has none."""
    named = entry.get("command", entry.get("cmd"))
    words = named if isinstance(named, list) else [named]
    arguments = entry.get("args", [])
    every = [*words, *(arguments if isinstance(arguments, list) else [arguments])]
    return [word for word in every if isinstance(word, str)] if all(isinstance(word, str) for word in every) else []


def is_reference(value: object) -> bool:
    """Whether an environment variable's value only says where a host takes the real one from."""
    return isinstance(value, str) and bool(re.fullmatch(r"\$\{[\w:.-]+\}|\$\w+|\{env:\w+\}", value))


def _toml_tables(table: Json, path: tuple[str, ...]) -> list[str]:
    tables = {name: value for name, value in table.items() if isinstance(value, dict)}
    lines = [f"{_toml_key(name)} = {_toml(value)}" for name, value in table.items() if name not in tables]
    if path and (lines or not tables):
        lines.insert(0, f"[{'.'.join(map(_toml_key, path))}]")
    inner = [each for name, value in tables.items() for each in _toml_tables(value, (*path, name))]
    return ["\n".join(lines), *inner] if lines else inner


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: object) -> str:
    match value:
        case str():  # JSON's strings are TOML's, but for this one character
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case bool() | int() | float():
            return json.dumps(value)
        case list():
            return f"[{', '.join(map(_toml, value))}]"
    raise TypeError(f"a {type(value).__name__} in this server's table can't be written here")


def _yaml_lines(table: Json, indent: str) -> list[str]:
    lines: list[str] = []
    for name, value in table.items():
        if isinstance(value, dict) and value:
            lines += [f"{indent}{name}:", *_yaml_lines(value, f"{indent}  ")]
        elif isinstance(value, list) and value:
            lines += [f"{indent}{name}:", *(f"{indent}  - {json.dumps(each, ensure_ascii=False)}" for each in value)]
        else:
            lines.append(f"{indent}{name}: {json.dumps(value, ensure_ascii=False)}")
    return lines

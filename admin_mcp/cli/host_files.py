"""The hosts' own configuration files: where each is, and this server put into one, found in it or taken out. Pure."""

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from admin_mcp.cli.snippets import KEY, SERVER, WAIT, Launch, Shape, as_toml, as_yaml, is_reference, words_of
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import AdminMcpError
from admin_mcp.settings import PLACEHOLDER_KEY

_LEFT_ALONE = "(left alone)"
_HIDDEN = "(hidden)"
_JSON = {False: "JSON (comments count as errors here)", True: "JSON"}
_KINDS: Mapping[object, str] = {as_toml: "TOML", as_yaml: "YAML"}
_LONGEST_COMMENTED = 256 * 1024
_KEY_LIKE = re.compile(r"(?<![A-Za-z0-9])sk-[\w-]{8,}", re.IGNORECASE)


class UnfitFileError(AdminMcpError):
    """A file that is not as it should be, so that it is left as it is; the message says in which way."""


@dataclass(frozen=True, slots=True)
class Place:
    """What decides where a host keeps its configuration."""

    platform: str
    home: Path
    environment: Mapping[str, str]

    def application_data(self) -> Path:
        """Return where the platform has programs keep what is a user's."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        if self.platform == "win32":
            named = self.environment.get("APPDATA")
            return Path(named) if named else self.home / "AppData" / "Roaming"
        return self.home / ".config"

    def named(self, variable: str, *otherwise: str) -> Path:
        """Return the directory that a variable of the host's names, or its usual one."""
        named = self.environment.get(variable)
        return Path(named) if named else self.home.joinpath(*otherwise)


Where = Callable[[Place], Path]


def claude_desktop_file(place: Place) -> Path:
    """Return where Claude Desktop keeps its configuration."""
    return place.application_data() / "Claude" / "claude_desktop_config.json"


def claude_code_file(place: Place) -> Path:
    """Return where Claude Code keeps the servers that are a user's in every project."""
    return place.named("CLAUDE_CONFIG_DIR") / ".claude.json"


def cursor_file(place: Place) -> Path:
    """Return where Cursor keeps the servers that are a user's in every project."""
    return place.home / ".cursor" / "mcp.json"


def vscode_file(place: Place) -> Path:
    """Return where VS Code keeps the servers of a user's default profile."""
    return place.application_data() / "Code" / "User" / "mcp.json"


def codex_file(place: Place) -> Path:
    """Return where Codex keeps its configuration."""
    return place.named("CODEX_HOME", ".codex") / "config.toml"


def gemini_file(place: Place) -> Path:
    """Return where Gemini CLI keeps a user's settings."""
    return place.named("GEMINI_CLI_HOME") / ".gemini" / "settings.json"


def opencode_file(place: Place) -> Path:
    """Return where opencode keeps a user's settings."""
    return place.named("XDG_CONFIG_HOME", ".config") / "opencode" / "opencode.json"


def cline_file(place: Place) -> Path:
    """Return where Cline's program keeps its servers."""
    return place.home / ".cline" / "data" / "settings" / "cline_mcp_settings.json"


def goose_file(place: Place) -> Path:
    """Return where Goose keeps its configuration."""
    if place.platform == "win32":
        return place.application_data() / "Block" / "goose" / "config" / "config.yaml"
    return place.named("XDG_CONFIG_HOME", ".config") / "goose" / "config.yaml"


def zed_file(place: Place) -> Path:
    """Return where Zed keeps a user's settings."""
    if place.platform == "win32":
        return place.application_data() / "Zed" / "settings.json"
    return place.named("XDG_CONFIG_HOME", ".config") / "zed" / "settings.json"


def windsurf_file(place: Place) -> Path:
    """Return where Windsurf keeps its servers."""
    return place.home / ".codeium" / "windsurf" / "mcp_config.json"


@dataclass(frozen=True, slots=True)
class Logs:
    """Where a host writes what became of its servers: a directory, and what the files below it are called."""

    directory: Path
    pattern: str


def claude_code_logs(place: Place) -> Logs:
    """Return where Claude Code writes a log for each start of this server."""
    caches = (
        place.home / "Library" / "Caches" if place.platform == "darwin" else place.named("XDG_CACHE_HOME", ".cache")
    )
    return Logs(caches / "claude-cli-nodejs", f"*/mcp-logs-{SERVER}/*.jsonl")


def codex_logs(place: Place) -> Logs:
    """Return where Codex keeps its log, which is a database."""
    return Logs(place.named("CODEX_HOME", ".codex"), "logs_*.sqlite")


def opencode_logs(place: Place) -> Logs:
    """Return where opencode writes its log."""
    return Logs(place.named("XDG_DATA_HOME", ".local", "share") / "opencode" / "log", "*.log")


def cline_logs(place: Place) -> Logs:
    """Return where Cline's program writes its log."""
    return Logs(place.home / ".cline" / "data" / "logs", "*.log")


def parsed(shape: Shape, text: str | None) -> Json:
    """Return what a host's file holds, if its values are all there is to it; nothing if there is none.

    Raises:
        UnfitFileError: it can't be read as this host's file, or would lose something if its values were written anew.

    """
    return _object(_loaded(shape, text) if text and text.strip() else {})


def understood(shape: Shape, text: str | None) -> Json:
    """Return what a host's file says, as the host reads it: with comments in it, where it takes them.

    Raises:
        UnfitFileError: it can't be read as this host's file.

    """
    try:
        return parsed(shape, text)
    except CommentedError as commented:
        return _object(commented.value)


class CommentedError(UnfitFileError):
    """JSON that is more than its values, which are in ``value``."""

    def __init__(self, value: object) -> None:
        super().__init__("has comments, or commas after a last value, which would be lost if it were written anew")
        self.value = value


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise UnfitFileError("holds no object")
    return value


def _loaded(shape: Shape, text: str) -> object:
    try:
        if shape.write is as_toml:
            return tomllib.loads(text)
        if shape.write is as_yaml:
            return _yaml(text)
        return json.loads(text, object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        if shape.comments and (value := _with_comments(text)) is not None:
            raise CommentedError(value) from None
        raise UnfitFileError(f"is not {_KINDS.get(shape.write, _JSON[shape.comments])}: {error}") from None


def _yaml(text: str) -> object:
    import yaml  # noqa: PLC0415 - for one host

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise ValueError(str(error).partition("\n")[0]) from None


def _with_comments(text: str) -> object | None:
    """Return the values of JSON with comments, or None if it is none, or too long for a reader that is slow."""
    import json5  # noqa: PLC0415 - few files need it

    if len(text) > _LONGEST_COMMENTED:
        return None
    try:
        value: object = json5.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return value


def _once(given: Iterable[tuple[str, Any]]) -> Json:
    pairs = list(given)
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UnfitFileError(f"has {json.dumps(twice)} twice in one object")
    return found


def _finite(text: str) -> float:
    return number if math.isfinite(number := float(text)) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise UnfitFileError(f"has {text}, which is no number that JSON can spell")


def servers_of(shape: Shape, config: Json) -> Json:
    """Return the servers in a host's configuration.

    Raises:
        UnfitFileError: they, or this server among them, are no object.

    """
    servers = config.get(shape.section, {})
    ours = servers.get(SERVER, {}) if isinstance(servers, dict) else None
    if not isinstance(servers, dict) or not isinstance(ours, dict) or not isinstance(_variables(shape, ours), dict):
        raise UnfitFileError(f'has no objects where "{shape.section}" and the servers in it must be')
    return servers


def _variables(shape: Shape, entry: Json) -> Any:  # noqa: ANN401 - whatever the file holds
    return entry.get(shape.environment, {})


def merged(shape: Shape, config: Json, launch: Launch) -> Json:
    """Return a host's configuration with this server in it. Other servers, and a key that is there, are left alone.

    Raises:
        UnfitFileError: the servers in it are no objects.

    """
    servers = servers_of(shape, config)
    present = servers.get(SERVER, {})
    entry = {**present, **shape.entry(launch)}
    if variables := {**_variables(shape, entry), **_variables(shape, present)}:
        entry[shape.environment] = variables
    beside = {name: _joined(config.get(name, []), added) for name, added in shape.beside(launch).items()}
    return {**config, **beside, shape.section: {**servers, SERVER: entry}}


def _joined(present: object, added: list[Json]) -> list[Any]:
    """Return a list of a host's with what this server needs in it; what is there with the same id stays."""
    if not isinstance(present, list):
        raise UnfitFileError('has no list where "inputs" must be')
    known = [each.get("id") for each in present if isinstance(each, dict)]
    return [*present, *(each for each in added if each["id"] not in known)]


def without(shape: Shape, config: Json) -> Json:
    """Return a host's configuration without this server, and without what only it needed.

    Raises:
        UnfitFileError: the servers in it are no objects.

    """
    servers = {name: value for name, value in servers_of(shape, config).items() if name != SERVER}
    rest = {**config, shape.section: servers} if shape.section in config else dict(config)
    for name, added in shape.beside(Launch("", (), key=True)).items():
        present = rest.get(name)
        if isinstance(present, list):
            rest[name] = [each for each in present if each not in added or _needed(each, servers)]
    return rest


def _needed(given: Json, servers: Json) -> bool:
    return f"${{input:{given['id']}}}" in json.dumps(servers)


def shown(shape: Shape, config: Json) -> Json:
    """Return a configuration fit to be shown: this server without its secrets, and nothing of what is not ours."""
    beside = shape.beside(Launch("", (), key=True))
    visible: Json = {name: _LEFT_ALONE for name in config if name not in {shape.section, *beside}}
    for name in beside.keys() & config.keys():
        given = config[name]
        parts = [each if each in beside[name] else _LEFT_ALONE for each in given] if isinstance(given, list) else None
        visible[name] = _LEFT_ALONE if parts is None else parts
    if shape.section in config:
        servers = servers_of(shape, config)
        visible[shape.section] = {
            name: _hidden(shape, entry) if name == SERVER else _LEFT_ALONE for name, entry in servers.items()
        }
    return visible


def _hidden(shape: Shape, entry: Json) -> Json:
    """Return this server's entry without what is or may be a secret: nobody knows what else people put into one."""
    ours = {*shape.entry(Launch("", (), key=True)), "enabled", "disabled"}
    told = {name: _without_keys(value) if name in ours else _HIDDEN for name, value in entry.items()}
    if variables := _variables(shape, entry):
        told[shape.environment] = {
            name: value if name == WAIT or value == PLACEHOLDER_KEY or is_reference(value) else _HIDDEN
            for name, value in variables.items()
        }
    return told


def _without_keys(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    if isinstance(value, list):
        return [_without_keys(each) for each in value]
    return _KEY_LIKE.sub(_HIDDEN, value) if isinstance(value, str) else value


def key_of(shape: Shape, entry: Json) -> object:
    """Return what an entry has for the admin key, if anything."""
    return _variables(shape, entry).get(KEY)


KeyState = Literal["not needed", "missing", "in the file", "asked for", "kept", "passed on"]
"""Where the admin key comes from, for a server in a host's file; the placeholder counts as missing."""


def key_state(shape: Shape, entry: Json) -> KeyState:
    """Return where an entry's admin key comes from."""
    if "--sandbox" in words_of(entry):
        return "not needed"
    kept = entry.get("env_keys")
    if isinstance(kept, list) and KEY in kept:
        return "kept"
    passed = entry.get("env_vars")
    if isinstance(passed, list) and KEY in passed:
        return "passed on"
    key = key_of(shape, entry)
    if key == PLACEHOLDER_KEY or not key:
        return "missing"
    if not is_reference(key):
        return "in the file"
    return "asked for" if "input:" in str(key) else "passed on"


def switched_off(entry: Json) -> bool:
    """Whether the host has the entry's server switched off."""
    return entry.get("disabled") is True or entry.get("enabled") is False

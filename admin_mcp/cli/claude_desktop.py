"""Claude Desktop's own configuration: where it is, and this server put into it. Pure."""

from pathlib import Path

from admin_mcp.cli.snippets import SERVER, Launch
from admin_mcp.endpoints.schema import Json
from admin_mcp.settings import PLACEHOLDER_KEY


def claude_desktop_file(platform: str, home: Path, app_data: str | None) -> Path:
    """Return where Claude Desktop keeps its configuration."""
    if platform == "darwin":
        directory = home / "Library" / "Application Support" / "Claude"
    elif platform == "win32":
        directory = Path(app_data) / "Claude" if app_data else home / "AppData" / "Roaming" / "Claude"
    else:
        directory = home / ".config" / "Claude"
    return directory / "claude_desktop_config.json"


def merged(config: Json, launch: Launch) -> Json:
    """Return a host's configuration with this server in it. Other servers, and a key that is there, are left alone.

    Raises:
        TypeError: ``mcpServers``, or this server in it, is not an object.

    """
    servers = config.get("mcpServers", {})
    present = servers.get(SERVER, {}) if isinstance(servers, dict) else None
    if not isinstance(present, dict) or not isinstance(environment := present.get("env", {}), dict):
        raise TypeError('"mcpServers" and the servers in it must be objects')
    entry = {**present, **launch.entry(PLACEHOLDER_KEY)}
    if environment or "env" in entry:
        entry["env"] = {**entry.get("env", {}), **environment}
    return {**config, "mcpServers": {**servers, SERVER: entry}}


def shown(config: Json) -> Json:
    """Return a configuration fit to be shown: this server without its secrets, and nothing of what is not ours."""
    servers = config.get("mcpServers", {})
    if not isinstance(servers, dict):
        return {}
    ours = servers.get(SERVER)
    if isinstance(ours, dict) and isinstance(environment := ours.get("env"), dict):
        hidden = {name: value if value == PLACEHOLDER_KEY else "(hidden)" for name, value in environment.items()}
        ours = {**ours, "env": hidden}
    return {
        **{name: "(left alone)" for name in config if name != "mcpServers"},
        "mcpServers": {name: ours if name == SERVER else "(left alone)" for name in servers},
    }

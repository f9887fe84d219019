"""What ``doctor`` looks at: each check is a finding that says what is so and, where it is wrong, the way out.

It reads, and changes nothing but an empty state directory, which it makes as the server would.
"""

import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from admin_mcp.catalog import compiled_catalog
from admin_mcp.cli.host_table import HOSTS, asked_where
from admin_mcp.cli.tool_pages import cost
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.errors import Authentication, CallError, NetworkError, Permission, StateUnavailable
from admin_mcp.gate.storage import GateStorage, open_storage
from admin_mcp.installation import command_line, start_child
from admin_mcp.private_files import open_to_others, private_directory
from admin_mcp.settings import Settings
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.selection import selection_of

if TYPE_CHECKING:
    from admin_mcp.api.network import Proxy

Level = Literal["ok", "note", "FAIL"]
_KEYS_PAGE = "https://platform.openai.com/settings/organization/admin-keys"
_DAY = 86_400
_BY_NO_PERSON = {"none", "two-step"}
"""The ways of approving a change in which it may be that no person is asked."""

CHEAP_READS = (
    "list_users",
    "list_projects",
    "list_groups",
    "list_roles",
    "list_invites",
    "list_admin_api_keys",
    "list_audit_logs",
    "list_certificates",
    "get_costs",
)
"""One small read of each part of the API that has a permission of its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    level: Level
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.level:4}  {self.what}: {self.detail}"


async def examine(settings: Settings, now: float | None = None) -> AsyncIterator[Finding]:
    """Yield the findings, from the installation outward to the API and the hosts."""
    yield Finding("ok", "command", command_line())
    yield _key(settings)
    async for finding in _api(settings, int(time.time() if now is None else now)):
        yield finding
    yield _state(settings)
    yield _browser(settings)
    yield _notifications(settings)
    for finding in _tools(settings):
        yield finding
    level: Level = "note" if settings.approval in _BY_NO_PERSON and not settings.read_only else "ok"
    for asked, titles in _who_is_asked(settings).items():
        yield Finding(level, "approval", f"{asked}: {', '.join(titles)}")


def _key(settings: Settings) -> Finding:
    if settings.sandbox:
        return Finding("ok", "key", "none is needed for the sandbox")
    if settings.admin_key is None:
        return Finding("FAIL", "key", f"OPENAI_ADMIN_KEY is not set; make an admin key at {_KEYS_PAGE}")
    key = settings.admin_key.get_secret_value()
    if key.startswith("sk-admin-"):
        return Finding("ok", "key", "an admin key is set")
    if key.startswith("sk-"):
        return Finding("FAIL", "key", f"this is a project's key, not an admin key; make one at {_KEYS_PAGE}")
    return Finding("note", "key", "a key is set that does not begin with sk-admin-, as admin keys do")


async def _api(settings: Settings, now: int) -> AsyncIterator[Finding]:
    """Read a little of everything. What the key may not read is only noted."""
    try:
        if proxy := _proxy(settings):
            yield Finding("ok", "proxy", f"requests go through {proxy}")
    except NetworkError as error:
        yield Finding("FAIL", "network", error.told_to_operator)
        return
    if not settings.sandbox and settings.admin_key is None:
        yield Finding("note", "API", f"not asked, because there is no key: {settings.base_url}")
        return
    from admin_mcp.api.connection import connected  # noqa: PLC0415

    lacking: list[str] = []
    async with connected(settings, compiled_catalog()) as api:
        for tool in CHEAP_READS:
            try:
                await api.read(_cheap_read(tool, now))
            except Permission:
                lacking.append(tool)
            except CallError as error:
                side = "key" if isinstance(error, Authentication) else "API"
                yield Finding("FAIL", side, f"{tool}: {error.told_to_operator}")
                return
    yield Finding("ok", "API", f"reachable: {settings.target.label}")
    yield _permissions(lacking)


def _permissions(lacking: Sequence[str]) -> Finding:
    tried = len(CHEAP_READS)
    if len(lacking) == tried:
        none = f"the key may read none of the {tried} parts that were tried: is it an admin key of this organization?"
        return Finding("FAIL", "permissions", f"{none} Admin keys are made at {_KEYS_PAGE}")
    if lacking:
        others = f"of the {tried} parts that were tried it can read {tried - len(lacking)}"
        return Finding("note", "permissions", f"the key may not {', '.join(lacking)}; {others}")
    return Finding("ok", "permissions", f"all {tried} parts that were tried can be read")


def _proxy(settings: Settings) -> "Proxy | None":
    """Return the proxy the API is reached through; the certificates are loaded as well, to see whether they can be."""
    if settings.sandbox:
        return None
    from admin_mcp.api.network import route_to  # noqa: PLC0415 - loads the HTTP library

    return route_to(settings.base_url).proxy


def _cheap_read(tool: str, now: int) -> Endpoint:
    endpoint = compiled_catalog().endpoint(tool)
    start = {"start_time": now - _DAY} if "start_time" in endpoint.model_fields else {}
    return endpoint.model_validate({"limit": 1, **start})


def _state(settings: Settings) -> Finding:
    where = str(settings.state_dir)
    try:
        private_directory(settings.state_dir)
        storage: GateStorage = open_storage(settings)
        count, broken = storage.journal.verify()
        mode = open_to_others(settings.state_dir)
    except (StateUnavailable, OSError) as error:
        return Finding("FAIL", "state", f"{where}: {error} Changes are refused until this is fixed.")
    if broken is not None and broken.damaged:
        return Finding("FAIL", "state", f"{where}: {broken.reason}; changes are refused. See `journal verify`")
    if broken is not None:
        return Finding("note", "state", f"{where}: {broken.reason}; see `journal verify`")
    if mode is not None:
        looked = f"others may look into it (its mode is {mode}), though not into its files; chmod 700 closes it"
        return Finding("note", "state", f"{where}: {looked}; {count} journal records")
    return Finding("ok", "state", f"{where}, private, {count} journal records")


def _browser(settings: Settings) -> Finding:
    terminal = "decide in a terminal: openai-admin-mcp approvals list"
    if not settings.open_browser:
        return Finding("ok", "browser", f"switched off (ADMIN_MCP_OPEN_BROWSER=0); {terminal}")
    screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not _browser_found(settings):
        return Finding("note", "browser", f"none was found; {terminal}")
    if not screen:
        return Finding("note", "browser", f"there is no screen here (no DISPLAY); {terminal}")
    return Finding("ok", "browser", "approval pages open in the default browser")


def _notifications(settings: Settings) -> Finding:
    from admin_mcp.channels.desktop import EXTRA, SystemDesktop, installed  # noqa: PLC0415 - few have it

    if not settings.desktop_notifications:
        return Finding("ok", "desktop", "notifications are switched off (ADMIN_MCP_DESKTOP_NOTIFICATIONS=0)")
    if not installed():
        return Finding("ok", "desktop", f"no notifications; they come with the extra {EXTRA}, see docs/installing.md")
    try:
        SystemDesktop().stop()
    except OSError as error:
        return Finding("note", "desktop", f"no notification can be shown: {error}")
    return Finding("ok", "desktop", "questions on this machine are told by notifications")


def _browser_found(settings: Settings) -> bool:
    """Whether there is a browser where the page's process looks for one."""
    try:
        looking = start_child(["-c", "import webbrowser; webbrowser.get()"], settings.state_dir)
    except OSError:  # the state directory is not there, which is a finding of its own
        return False
    return looking.wait() == 0


def _tools(settings: Settings) -> Iterator[Finding]:
    listed = selection_of(settings).of(every_definition())
    if settings.search:
        yield Finding("ok", "tools", f"four that lead to {len(listed)}")
        return
    yield Finding("ok", "tools", cost(listed))
    fewer = [host for host in HOSTS.values() if host.most_tools is not None and len(listed) > host.most_tools]
    if fewer:
        most = ", ".join(f"{host.title} about {host.most_tools}" for host in fewer)
        yield Finding("note", "tools", f"some hosts show a model fewer: {most}; choose --toolsets, or --search")


def _who_is_asked(settings: Settings) -> dict[str, list[str]]:
    """Return the hosts' titles by who is asked about a change in them."""
    if settings.read_only:
        return {"nothing to ask, the server is read-only": ["every host"]}
    asked: dict[str, list[str]] = {}
    for host in HOSTS.values():
        asked.setdefault(asked_where(host, settings.approval), []).append(host.title)
    return asked if len(asked) > 1 else {words: ["every host"] for words in asked}

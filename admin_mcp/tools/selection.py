"""Which of the tools a server offers: by toolset, by name, and by effect. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import SettingsError
from admin_mcp.settings import Settings
from admin_mcp.suggestions import nearest
from admin_mcp.tools.mentions import without_mentions
from admin_mcp.tools.toolsets import fits, members, only_reads, presets_with, toolsets


@dataclass(frozen=True, slots=True)
class Selection:
    """What the operator wants offered. Names are separated by commas; ``tools`` and ``exclude`` may be globs."""

    toolsets: str = ""
    tools: str = ""
    exclude: str = ""
    read_only: bool = False

    def of(self, tools: Sequence[Json]) -> list[Json]:
        """Return the tools that are listed and callable, their texts rid of what they say of the others.

        With neither toolsets nor tools all are; with both, those of either. A toolset brings along the lists its ids
        come from; a tool that is named by itself brings nothing. What is excluded goes last.

        Raises:
            SettingsError: a name fits nothing, or nothing is left.

        """
        sets, names, excluded = _names(self.toolsets), _names(self.tools), _names(self.exclude)
        known = [tool["name"] for tool in tools]
        _check("--toolsets", sets, toolsets(tools))
        _check("--tools", names, known)
        _check("--exclude-tools", excluded, known)
        usable = [tool for tool in tools if not self.read_only or only_reads(tool)]
        brought = {tool["name"] for each in sets for tool in members(usable, each)}
        chosen = [
            tool for tool in usable if (not sets and not names) or tool["name"] in brought or fits(tool["name"], names)
        ]
        left = [tool for tool in chosen if not fits(tool["name"], excluded)]
        if not left:
            raise SettingsError("--toolsets, --tools, --exclude-tools and --read-only together leave no tool")
        missing = set(known) - {tool["name"] for tool in left}
        return [without_mentions(tool, missing) for tool in left] if missing else left


def selection_of(settings: Settings) -> Selection:
    """Return the selection that the settings ask for."""
    return Selection(settings.toolsets, settings.tools, settings.exclude_tools, settings.read_only)


def left_out(settings: Settings, tools: Sequence[Json]) -> dict[str, list[str]]:
    """Return the tools that the selection lacks by the toolsets that have them, but for those read-only takes away.

    Raises:
        SettingsError: a name fits nothing, or nothing is left.

    """
    offered = {tool["name"] for tool in selection_of(settings).of(tools)}
    missing: dict[str, list[str]] = {}
    for tool in tools:
        if tool["name"] not in offered and (only_reads(tool) or not settings.read_only):
            missing.setdefault(" or ".join(presets_with(tool)), []).append(tool["name"])
    return missing


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _check(flag: str, given: Iterable[str], known: Collection[str]) -> None:
    for name in given:
        if not any(fnmatchcase(each, name) for each in known):
            what, more = ("toolset", "") if flag == "--toolsets" else ("tool", " --markdown")
            near = nearest(name, known)
            raise SettingsError(
                f"{flag}: there is no {what} {name!r}.{near} `openai-admin-mcp tools{more}` lists them all."
            )

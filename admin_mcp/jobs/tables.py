"""The text of a report: one line a row, in which no name can seem to be more than a name. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from admin_mcp.gate.text import spelt_out, visible

_LONGEST_LABEL = 48
_MOST_UNREAD = 5
_SEPARATOR = " | "


def label(text: object, otherwise: str = "") -> str:
    """Return a name made safe to show on a line: nothing hidden in it, no line of its own, and not too long."""
    if not isinstance(text, str) or not text.strip():
        return otherwise
    cut = text.strip()
    cut = cut if len(cut) <= _LONGEST_LABEL else f"{cut[: _LONGEST_LABEL - 1]}…"
    return visible(cut, len(cut)).replace("|", spelt_out("|"))


def named(thing: Mapping[str, object]) -> str:
    """Return what to call a thing that has a name, an e-mail address or at least an id."""
    return label(thing.get("name")) or label(thing.get("email")) or label(thing.get("id"), "(no name)")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a head line and a line for each row. What is None is shown as a dash."""
    lines = [heads, *rows]
    return "\n".join(_SEPARATOR.join("-" if cell is None else str(cell) for cell in line) for line in lines)


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def unread_line(unreadable: Sequence[Mapping[str, object]]) -> list[str]:
    """Return a line on what could not be read, if anything."""
    if not unreadable:
        return []
    first = ", ".join(str(each["what"]) for each in unreadable[:_MOST_UNREAD])
    rest = f" and {len(unreadable) - _MOST_UNREAD} more" if len(unreadable) > _MOST_UNREAD else ""
    return [f"Could not be read: {first}{rest}."]

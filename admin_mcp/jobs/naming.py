"""From what an admin says (an id, an e-mail address, a name) to the one thing that is meant, and back into words.

Names are written by anybody and may lie: an id goes before an address, an address before a name, and what looks like
an address is never taken for a name. Two things that look the same are both named, and none is chosen.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from pydantic import TypeAdapter, ValidationError

from admin_mcp.endpoints.fields import ResourceId
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, NotFound
from admin_mcp.gate.snapshot import address
from admin_mcp.gate.text import folded, quoted, visible
from admin_mcp.jobs.reader import Reader, Unread
from admin_mcp.suggestions import nearest

_MOST_SHOWN = 5
_LONGEST_NAME = 60
_USER_ID_BEGINS = "user-"
_ID = TypeAdapter(ResourceId)


def label(thing: Json) -> str:
    """Return how a thing is called in a sentence: its name, its address if it has one, and its id."""
    name, email = thing.get("name"), thing.get("email")
    words = [quoted(str(name), _LONGEST_NAME)] if name else []
    words += [f"<{address(str(email), _LONGEST_NAME)}>"] if email else []
    return " ".join([*words, f"({visible(str(thing.get('id')), _LONGEST_NAME)})"])


def labels(things: Sequence[Json], most: int = _MOST_SHOWN) -> str:
    """Return several things by their labels; beyond ``most`` only how many more there are."""
    return listed([label(thing) for thing in things], most)


def listed(words: Sequence[str], most: int = _MOST_SHOWN) -> str:
    """Return words with commas, cut with a count."""
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" and {rest} more" if rest > 0 else "")


def matches(asked: str, things: Iterable[Json]) -> list[Json]:
    """Return all that may be meant, at the most certain level that fits anything."""
    known = list(things)
    wanted = folded(asked)
    if not wanted:
        return []
    levels = (
        [thing for thing in known if thing.get("id") == asked.strip()],
        [thing for thing in known if "@" in wanted and folded(str(thing.get("email") or "")) == wanted],
        [thing for thing in known if "@" not in wanted and folded(str(thing.get("name") or "")) == wanted],
    )
    return next((found for found in levels if found), [])


def chosen(asked: str, things: Iterable[Json], noun: str, param: str) -> Json:
    """Return the one thing that is meant.

    Raises:
        InvalidInput: it could be several, which are named, or none, with those most like it.

    """
    known = list(things)
    found = matches(asked, known)
    if len(found) == 1:
        return found[0]
    if found:
        raise ambiguous(asked, [label(thing) for thing in found], param)
    raise unknown(asked, known, noun, param)


def ambiguous(asked: str, candidates: Sequence[str], param: str) -> InvalidInput:
    """Return the error for a name that several things go by."""
    return InvalidInput(
        f"{param}: {quoted(asked, _LONGEST_NAME)} may be {len(candidates)} things: {listed(candidates)}.",
        param=param,
        hint="Nothing was changed. Call again with the id of the one that is meant; ask the user if that is unclear.",
    )


def unknown(asked: str, known: Sequence[Json], noun: str, param: str) -> InvalidInput:
    """Return the error for a name that nothing goes by, with what is most like it."""
    wanted = folded(asked)
    inside = [
        thing for thing in known if wanted and wanted in folded(f"{thing.get('name') or ''} {thing.get('email') or ''}")
    ]
    words = [folded(str(thing[key])) for thing in known for key in ("email", "name", "id") if thing.get(key)]
    meant = f" Is it {labels(inside)}?" if inside else visible(nearest(wanted, words), 3 * _LONGEST_NAME)
    return InvalidInput(
        f"{param}: there is no {noun} {quoted(asked, _LONGEST_NAME)}.{meant}",
        param=param,
        hint="Nothing was changed. Give an id, or the e-mail address or name exactly as it stands in the organization.",
    )


def all_chosen(asked: Iterable[str], things: Iterable[Json], noun: str, param: str) -> tuple[Json, ...]:
    """Return the things that are meant, each once, however often and by whatever it is called.

    Raises:
        InvalidInput: as ``chosen``.

    """
    known = list(things)
    found = [chosen(each, known, noun, param) for each in asked]
    return tuple({thing["id"]: thing for thing in found}.values())


async def rows(reader: Reader, tool: str, **arguments: object) -> list[Json]:
    """Return the items of a list that have an id that a step can name. Others are noted as not read."""
    found = await reader.all(tool, **arguments)
    usable = [row for row in found if _is_id(row.get("id"))]
    if len(usable) < len(found):
        count = len(found) - len(usable)
        reader.unread.append(Unread(f"items of {tool}", f"{count} without an id that could be passed on"))
    return usable


def _is_id(value: object) -> bool:
    try:
        _ID.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


async def find_user(reader: Reader, asked: str, param: str) -> Json:
    """Return the member of the organization who is meant.

    Raises:
        CallError: the members can't be read. ``InvalidInput``: it is nobody, or not clear who.

    """
    if "@" in asked and asked.isprintable():
        addresses = list(dict.fromkeys([asked.strip(), asked.strip().lower()]))
        if found := matches(asked, await rows(reader, "list_users", emails=addresses)):
            return chosen(asked, found, "member", param)
    if asked.startswith(_USER_ID_BEGINS) and _is_id(asked):
        with suppress(NotFound):  # a name may begin like an id; and then those most like it are told
            return await reader.get("get_user", user_id=asked)
    return chosen(asked, await rows(reader, "list_users"), "member", param)

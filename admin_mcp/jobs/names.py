"""Finding things by what people call them: ranked, forgiving of typing errors, honest about two of one name. Pure."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.jobs.answers import one_line

EXACT = 90.0
"""Scores from here on mean that the id, the e-mail address or the whole name is the very one."""

_WHOLE_WORDS = 70.0
_CLOSE = 0.74
_NEAR = 0.5
_LONGEST_COMPARED = 80
_LONGEST_NAME = 256
_SHORTEST_PART_OF_ID = 4
_MOST_NAMED = 5
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that can be looked for. ``also`` is further text it may be known by; ``more`` goes into the answer."""

    kind: str
    id: str
    name: str
    email: str = ""
    also: str = ""
    more: Json = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The thing in words, its id at the end."""
        email = f" <{one_line(self.email)}>" if self.email else ""
        return f"{one_line(self.name) or 'without a name'}{email} ({one_line(self.id)})"


def ranked(query: str, things: Iterable[Named]) -> list[tuple[float, Named]]:
    """Return what the query means, best first.

    The middle of a word counts where no beginning of one is found, and a like spelling where nothing is.
    """
    listed = [*things]
    found = [(score, thing) for thing in listed if (score := _direct(query, thing)) > 0]
    if any(score >= _WHOLE_WORDS for score, _ in found):
        found = [(score, thing) for score, thing in found if score >= _WHOLE_WORDS]
    if not found:
        alike = ((_alike(fold(query), thing), thing) for thing in listed)
        found = [(score * 30, thing) for score, thing in alike if score >= _CLOSE]
    return sorted(found, key=lambda pair: (-pair[0], fold(pair[1].name), pair[1].id))


def nearest_to(query: str, things: Iterable[Named], most: int = 3) -> list[Named]:
    """Return the few things whose names are least unlike the query."""
    scored = [(score, thing) for thing in things if (score := _alike(fold(query), thing)) >= _NEAR]
    return [thing for _, thing in sorted(scored, key=lambda pair: (-pair[0], pair[1].name))[:most]]


def resolve(argument: str, given: str, things: Sequence[Named]) -> Named:
    """Return the one thing that an argument names: by its id, name or e-mail address, or a part that only it has.

    Raises:
        InvalidInput: none or several are called so; says which could be meant.

    """
    given = named(argument, given)
    direct = [(score, thing) for thing in things if (score := _direct(given, thing)) > 0]
    best = [thing for score, thing in direct if score >= EXACT] or [thing for _, thing in direct]
    if len(by_id := [thing for thing in best if thing.id == given]) == 1:
        return by_id[0]
    if len(best) == 1:
        return best[0]
    if best:
        which = "; ".join(thing.label for thing in best[:_MOST_NAMED])
        more = f"; and {len(best) - _MOST_NAMED} more" if len(best) > _MOST_NAMED else ""
        raise InvalidInput(
            f"{argument}: {one_line(given)!r} may be any of {len(best)}: {which}{more}.",
            param=argument,
            hint="Nothing was changed. Give the id of the one that is meant.",
        )
    near = nearest_to(given, things)
    said = f"; the nearest are {'; '.join(thing.label for thing in near)}" if near else ""
    raise InvalidInput(
        f"{argument}: none of {len(things)} goes by {one_line(given)!r}{said}.",
        param=argument,
        hint="Give an id, a name or an e-mail address; `find` looks for parts of them.",
    )


def named(argument: str, given: str) -> str:
    """Return what an argument names, without blanks around it.

    Raises:
        InvalidInput: it is blank, or longer than any name.

    """
    text = given.strip()
    if not text or len(text) > _LONGEST_NAME:
        wrong = "it is blank" if not text else f"it has {len(text)} characters, and a name at most {_LONGEST_NAME}"
        raise InvalidInput(f"{argument}: {wrong}", param=argument, hint="Give an id, a name, or leave it out.")
    return text


def fold(text: str) -> str:
    """Return text without what people leave out when they type: case, accents, outer blanks."""
    if text.isascii():
        return text.lower().strip()
    spread = unicodedata.normalize("NFKD", text)
    return "".join(each for each in spread if not unicodedata.combining(each)).casefold().strip()


def _direct(query: str, thing: Named) -> float:
    """Score how well a thing answers to the query, letter for letter; 0: it does not."""
    if not (wanted := fold(query)):
        return 0
    asked = query.strip()
    name, email = fold(thing.name), fold(thing.email)
    score = 0.0
    if asked == thing.id:
        score = 100
    elif wanted in {name, email}:
        score = EXACT
    elif name.startswith(wanted) or email.startswith(wanted):
        score = 80
    elif _begin_words(wanted, f"{name} {email}"):
        score = _WHOLE_WORDS
    elif wanted in name or wanted in email:
        score = 60
    elif wanted in fold(thing.also):
        score = 50
    elif len(asked) >= _SHORTEST_PART_OF_ID and asked in thing.id:
        score = 40
    return score


def _begin_words(wanted: str, text: str) -> bool:
    """Whether each word that is wanted begins a word of the text, in any order."""
    parts = _WORD.findall(wanted)
    if not parts or parts[0] not in text:
        return False
    words = _WORD.findall(text)
    return all(any(word.startswith(part) for word in words) for part in parts)


def _alike(wanted: str, thing: Named) -> float:
    """Score from 0 to 1 how alike the spellings are: as a whole, or word by word."""
    name = fold(thing.name)[:_LONGEST_COMPARED]
    texts = (name, fold(thing.email).partition("@")[0][:_LONGEST_COMPARED])
    whole = max(_ratio(wanted[:_LONGEST_COMPARED], text) for text in texts)
    asked, words = _WORD.findall(wanted)[:6], _WORD.findall(name)[:12]
    if not asked or not words:
        return whole
    return max(whole, sum(max(_ratio(part, word) for word in words) for part in asked) / len(asked))


@lru_cache(maxsize=4096)
def _ratio(one: str, other: str) -> float:
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < _NEAR or matcher.quick_ratio() < _NEAR:
        return 0
    return matcher.ratio()

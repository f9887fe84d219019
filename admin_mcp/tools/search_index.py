"""Which tools fit what somebody asks for, in their own words. Pure.

A tool's words weigh as much as the place they stand in tells, and as they are rare. A word asked for counts by itself,
by what the tools call it, and, if nobody knows it, by the known word it is a slip of.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cached_property

from admin_mcp.endpoints.schema import META_EFFECT, META_ENDPOINT, META_RESOURCE, Json
from admin_mcp.tools.search_words import FOREIGN, NOISE, SAME, compounds, rewritten, words

_NAME, _RESOURCE, _BEGINNING, _DESCRIPTION, _ARGUMENTS = 3.0, 1.0, 1.5, 0.8, 0.4
_MEANT, _BEGUN, _SLIP = 0.85, 0.7, 0.8
_SHORTEST_SLIP, _LEAST_LIKE = 4, 0.75
_LEAST_KNOWN, _LEAST_FOREIGN, _GUESSED = 0.3, 0.5, 0.5
_WORST_SHARE = 0.2
_CHECKING = {"validat"}
_VERB = 0.4
_READ, _JOB, _OTHER_VERB, _SAID_VERB = 1.5, 1.2, 0.6, 0.5
_NAMED, _QUALIFIED = 0.3, 0.6
_QUALIFIES, _GOES_ON = {"with", "by", "per"}, {"in", "for", "of", "to", "from", "on"}
_QUESTION = re.compile(
    r"(who|whom|whose|which|what|where|when|why|how|is|are|was|were|does|did|do|has|have|show|list|see)\b"
)
_INSTRUCTION = re.compile(r"how (do|to|can|should|would)\b")

_Term = dict[str, float]
"""One word asked for: the words of tools that it may mean, each with how surely it does."""


class SearchIndex:
    """The tools one can search in. It is made at the first search."""

    def __init__(self, tools: Sequence[Json]) -> None:
        self.tools = tools

    def ranked(self, query: str) -> list[Json]:
        """Return the tools that fit a query, the best first; none if too little of it is understood."""
        said = set(re.findall(r"[a-z0-9_]+", query.lower()))
        named = {number for name, number in self._numbers.items() if name in said and ("_" in name or len(said) == 1)}
        scores = {**dict.fromkeys(named, 0.0), **self._scores(self._terms(query), query.lower())}
        least = max(scores.values(), default=0.0) * _WORST_SHARE
        best = sorted(scores, key=lambda number: (number not in named, -scores[number], number))
        return [self.tools[number] for number in best if number in named or scores[number] >= least]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {tool["name"]: number for number, tool in enumerate(self.tools)}

    @cached_property
    def _postings(self) -> dict[str, dict[int, float]]:
        """For each word, the tools that have it, and what it weighs there."""
        names = frozenset(self._numbers)
        found: dict[str, dict[int, float]] = defaultdict(dict)
        for number, tool in enumerate(self.tools):
            for word, weight in _weighted(tool, names).items():
                found[word][number] = weight
        return {
            word: {number: weight * self._rarity(word, len(inside)) for number, weight in inside.items()}
            for word, inside in found.items()
        }

    def _rarity(self, word: str, count: int) -> float:
        # How many tools share a verb says nothing about how likely it is meant.
        return _VERB if word in self._verbs else math.log(1 + len(self.tools) / count)

    @cached_property
    def _verbs(self) -> frozenset[str]:
        return frozenset(words(tool["name"])[0] for tool in self.tools)

    @cached_property
    def _things(self) -> list[list[str]]:
        """What each tool's name says after its verb."""
        return [words(tool["name"])[1:] for tool in self.tools]

    @cached_property
    def _slips(self) -> dict[str, set[str]]:
        """The known words, by what is left of each with one letter missing or none."""
        found: dict[str, set[str]] = defaultdict(set)
        for word in {*self._postings, *SAME}:
            for part in _with_a_letter_less(word):
                found[part].add(word)
        return found

    def _terms(self, query: str) -> list[_Term]:
        """Return what the words asked for may mean, or nothing where too few are known."""
        asked = dict(_weighed(rewritten(query)))
        terms = [self._term(word, share) for word, share in asked.items()]
        known = sum(1.0 if self._knows(word) else _GUESSED for word, term in zip(asked, terms, strict=True) if term)
        if known < len(terms) * (_LEAST_FOREIGN if _is_foreign(query) else _LEAST_KNOWN) or not known:
            return []
        # Whoever is named by a word nobody knows is mostly a person.
        return [term or ({"user": _NAMED} if "user" in self._postings else {}) for term in terms]

    def _knows(self, word: str) -> bool:
        return (word in self._postings or word in SAME) and word not in FOREIGN

    def _term(self, word: str, share: float) -> _Term:
        """Return the known words that a word means."""
        if word in FOREIGN:
            return {}
        if self._knows(word):
            return self._meant(word, share)
        close = self._closest(word)
        if close:
            return self._meant(close, share * _SLIP)
        if len(word) < _SHORTEST_SLIP:
            return {}
        return {known: share * _BEGUN for known in self._postings if known.startswith(word)}

    def _meant(self, word: str, share: float) -> _Term:
        meant = {other: share * _MEANT for other in SAME.get(word, ()) if other in self._postings}
        return {**meant, word: share} if word in self._postings else meant

    def _closest(self, word: str) -> str | None:
        """Return the known word that this is most likely a slip of."""
        if len(word) < _SHORTEST_SLIP:
            return None
        close = {known for part in _with_a_letter_less(word) for known in self._slips.get(part, ())}
        likeness = {known: SequenceMatcher(None, word, known).ratio() for known in close if known[0] == word[0]}
        best = max(sorted(likeness), key=likeness.__getitem__, default=None)
        return best if best is not None and likeness[best] >= _LEAST_LIKE else None

    def _scores(self, terms: Sequence[_Term], query: str) -> dict[int, float]:
        """Add up how well each word asked for fits; then see how well the tool's name does."""
        total: dict[int, float] = defaultdict(float)
        asked: dict[str, float] = {}
        for term in terms:
            asked |= {word: max(share, asked.get(word, 0.0)) for word, share in term.items()}
            for number, weight in self._best(term).items():
                total[number] += weight
        verbs = {verb: asked[verb] for verb in (_CHECKING if _asks_to_read(query) else self._changing) & asked.keys()}
        things = sum(not self._verbs & term.keys() for term in terms)
        return {
            number: score * self._fit(number, asked, things) * self._verb_fit(number, verbs)
            for number, score in total.items()
        }

    def _best(self, term: _Term) -> dict[int, float]:
        """Return the tools that have one of the words that may be meant, each with what its best is worth."""
        best: dict[int, float] = {}
        for word, share in term.items():
            for number, weight in self._postings[word].items():
                best[number] = max(best.get(number, 0.0), share * weight)
        return best

    def _fit(self, number: int, asked: Mapping[str, float], things: int) -> float:
        """Prefer the tool whose name says all that is asked for, and the least besides."""
        name = self._things[number]
        said = sum(asked.get(word, 0.0) for word in name)
        return 1 + 2 * said / max(len(name) + things, 1)

    def _verb_fit(self, number: int, verbs: Mapping[str, float]) -> float:
        tool = self.tools[number]
        verb = words(tool["name"])[0]
        reads = tool["_meta"][META_EFFECT] == "read"
        if META_ENDPOINT not in tool["_meta"]:
            return _JOB if verbs else _READ
        if verb in verbs:
            return 1 + _SAID_VERB * verbs[verb]
        return _OTHER_VERB if verbs else _READ if reads else 1.0

    @cached_property
    def _changing(self) -> frozenset[str]:
        return frozenset(words(tool["name"])[0] for tool in self.tools if tool["_meta"][META_EFFECT] != "read")


def _weighted(tool: Json, names: frozenset[str]) -> dict[str, float]:
    """Return a tool's words, each with the weight of the most telling place it stands in."""
    # A tool that is only pointed to says little about this one.
    text = re.sub(r"[a-z]+(_[a-z]+)+", lambda match: "" if match[0] in names else match[0], tool["description"])
    beginning, _, rest = text.partition(". ")
    places = (
        (_NAME, tool["name"]),
        (_RESOURCE, f"{tool['_meta'][META_RESOURCE]} {tool['_meta'].get(META_ENDPOINT, '')}"),
        (_BEGINNING, beginning),
        (_DESCRIPTION, rest),
        (_ARGUMENTS, " ".join(tool["inputSchema"]["properties"])),
    )
    weights: dict[str, float] = {}
    for weight, place in places:
        inside = words(place)
        for word in (*inside, *compounds(inside)):
            weights[word] = max(weights.get(word, 0.0), weight)
    return weights


def _weighed(text: str) -> Iterator[tuple[str, float]]:
    """Yield the telling words of a query, each with how much it counts: less where it only qualifies the rest."""
    share, before = 1.0, ""
    for said in re.findall(r"[^\W_]+(?:_[^\W_]+)*", text):
        if said in _QUALIFIES:
            share = _QUALIFIED
        elif said in _GOES_ON:
            share = 1.0
        for word in [said] if said in FOREIGN else words(said):
            if word not in NOISE and said not in NOISE and not word.isdigit():
                yield word, share
                yield from ((pair, share) for pair in compounds((before, word)))
            before = word


def _is_foreign(query: str) -> bool:
    return not query.isascii() or not FOREIGN.isdisjoint(re.findall(r"[^\W_]+", query.lower()))


def _asks_to_read(query: str) -> bool:
    return bool(_QUESTION.match(query.strip())) and not _INSTRUCTION.match(query.strip())


def _with_a_letter_less(word: str) -> Iterator[str]:
    yield word
    yield from (word[:place] + word[place + 1 :] for place in range(len(word)))

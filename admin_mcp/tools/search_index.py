"""Which tools fit what somebody asks for, in their own words. Pure."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from admin_mcp.endpoints.schema import META_ENDPOINT, META_RESOURCE, Json

_WEIGHTS = {"name": 3.0, "resource": 1.0, "description": 1.0, "arguments": 0.5}
_SAME: dict[str, tuple[str, ...]] = {
    "member": ("user",),
    "person": ("user",),
    "people": ("user",),
    "team": ("group",),
    "permission": ("role",),
    "token": ("key",),
    "money": ("cost",),
    "spent": ("cost",),
    "spend": ("cost",),
    "pay": ("cost",),
    "invoice": ("cost",),
    "price": ("cost",),
    "budget": ("spend", "limit"),
    "cap": ("limit",),
    "quota": ("limit",),
    "rotate": ("create", "delete"),
    "revoke": ("delete", "remove"),
    "delete": ("remove", "archive"),
    "remove": ("delete",),
    "owner": ("user", "role"),
    "grant": ("assign", "add"),
    "log": ("audit",),
    "event": ("audit",),
    "history": ("audit",),
    "bot": ("service", "account"),
    "cert": ("certificate",),
    "make": ("create",),
    "new": ("create",),
    "rename": ("update",),
    "set": ("update",),
    "edit": ("update",),
    "change": ("update",),
    "show": ("get", "list"),
    "see": ("get", "list"),
    "find": ("list",),
    "disable": ("archive", "deactivate"),
}
"""What people say, and what the tools call it."""
_NOISE = frozenset(
    """
    a all an and any are by can do does for from give her him his how i in is it last me my of on our she he so
    that the their them they this to us was we what when which who with
    """.split()  # noqa: SIM905 - a list of them would fill a page
)

_Text = dict[str, float]
"""A tool's words, each with the weight of the most telling place it stands in."""


_Terms = list[list[tuple[str, float]]]
"""The words asked for, each with what else may be meant by it and how surely."""


def ranked(tools: Sequence[Json], query: str) -> list[Json]:
    """Return the tools that fit a query, the best first."""
    texts = [_words(tool) for tool in tools]
    spread = Counter(word for text in texts for word in text)
    rarity = {word: math.log(1 + len(tools) / count) for word, count in spread.items()}
    terms = _known(_terms(query), rarity)
    scores = [_score(tool, text, terms, rarity) for tool, text in zip(tools, texts, strict=True)]
    ranks = [(tool["name"] not in query.lower(), -score) for tool, score in zip(tools, scores, strict=True)]
    order = sorted(range(len(tools)), key=ranks.__getitem__)
    return [tools[number] for number in order if scores[number] > 0]


def _score(tool: Json, text: "_Text", terms: "_Terms", rarity: Mapping[str, float]) -> float:
    """Add up how well each word asked for fits, and prefer the tool whose name says the least besides."""
    fits = ((share * text[word] * rarity[word] for word, share in term if word in text) for term in terms)
    asked = {word for term in terms for word, _ in term}
    things = _split(tool["name"])[1:]
    return sum(max(fit, default=0.0) for fit in fits) * (
        1 + sum(word in asked for word in things) / max(len(things), 1)
    )


def _words(tool: Json) -> _Text:
    places = {
        "name": tool["name"],
        "resource": f"{tool['_meta'][META_RESOURCE]} {tool['_meta'].get(META_ENDPOINT, '')}",
        "description": tool["description"],
        "arguments": " ".join(tool["inputSchema"]["properties"]),
    }
    found: _Text = {}
    for place, text in places.items():
        for word in _split(text):
            found[word] = max(found.get(word, 0.0), _WEIGHTS[place])
    return found


def _terms(query: str) -> _Terms:
    words = [word for word in _split(query) if word not in _NOISE] or _split(query)
    return [[(word, 1.0), *((other, 0.9) for other in _SAME.get(word, ()))] for word in words]


def _known(terms: _Terms, known: Mapping[str, float]) -> _Terms:
    """Replace a word no tool has by the words that begin like it."""
    return [
        [
            (match, share * (1.0 if match == word else 0.8))
            for word, share in term
            for match in ([word] if word in known else [each for each in known if _alike(each, word)])
        ]
        for term in terms
    ]


def _alike(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return shorter >= 4 and one[:shorter] == other[:shorter]  # noqa: PLR2004 - shorter beginnings mean little


def _split(text: str) -> list[str]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return [word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words]  # noqa: PLR2004

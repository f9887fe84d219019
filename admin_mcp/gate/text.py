r"""Text from the API or an agent, made safe to show: nothing in it can hide, draw, reorder or overflow. Pure.

What is not plainly visible is spelt out as ``\u{...}``. Text in quotation marks has its own marks and backslashes
escaped, so that it can't seem to end early or to hold an escape that is none.
"""

import unicodedata
from bisect import bisect_right
from datetime import UTC, datetime
from hashlib import sha256

LONGEST = 200
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Me"})
_MARKS = frozenset({"Mn", "Mc", "Me"})
_MOST_MARKS = 2
"""Marks that one letter may carry, as in Vietnamese or Thai. More of them climb over the lines around it."""

_DEFAULT_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties, which ``unicodedata`` does not have."""

_STARTS = [first for first, _ in _DEFAULT_IGNORABLE]
_BLANK_SYMBOLS = frozenset("\u2800\U0001d159")
"""Symbols that look like a blank: the empty braille pattern, the null notehead."""

_QUOTES = frozenset({"Pi", "Pf"})
_LIKE_QUOTES = frozenset(
    "\u02ba\u02ee\u201a\u201e\u2033\u2036\u275b\u275c\u275d\u275e\u276e\u276f\u2e42\u3003\u301d\u301e\u301f\uff02"
)
"""What looks like a quotation mark and is none to Unicode."""

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_ISOLATE, _END_ISOLATE = _ISOLATES = "\u2068", "\u2069"
_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
"""Scripts whose letters are easily taken for one another."""


def visible(text: str, longest: int = LONGEST) -> str:
    r"""Return text with all that is hidden, stacked or blank in it spelt out as ``\u{...}``, folded and capped.

    Right-to-left text is isolated, so that it reorders nothing around it, and marked.
    """
    return _marked(_spelt(text[:longest]), text, longest)


def quoted(text: str, longest: int = LONGEST) -> str:
    """Return text in quotation marks that nothing inside it can seem to close."""
    return _marked(f"“{_spelt(text[:longest], escape=True)}”", text, longest)


def counted(count: int, thing: str) -> str:
    """Return how many things there are, in words."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def day(seconds: int) -> str:
    """Return the date of a moment in unix seconds, in UTC."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return "an unreadable date"


def unhidden(text: str) -> str:
    """Return text with what is hidden in it spelt out, and nothing else changed. Right-to-left text stays isolated."""
    return "".join(
        spelt_out(each) if each not in _ISOLATES and _hidden(each, unicodedata.category(each)) else each
        for each in text
    )


def spelt_out(character: str) -> str:
    """Return a character's code point, in place of the character."""
    return f"\\u{{{ord(character):04X}}}"


def folded(text: str) -> str:
    """Return text without what a person can't tell: case, width, runs of blanks, invisible characters."""
    seen = (each for each in unicodedata.normalize("NFKC", text) if not _hidden(each, unicodedata.category(each)))
    return " ".join("".join(seen).casefold().split())


def plain(text: str) -> bool:
    """Whether text is exactly what it looks like, so that a person can be asked to type it."""
    return text.strip() == text != "" and visible(text) == text and not mixed_scripts(text)


def in_plain_sight(text: str) -> bool:
    """Whether nothing in text is hidden, stacked or blank; it may run from right to left."""
    return _spelt(text) == text


def mixed_scripts(text: str) -> tuple[str, ...]:
    """Return the scripts of a text that has look-alike letters of more than one, as an impostor's name may."""
    names = {unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha()}
    found = tuple(script.capitalize() for script in _ALIKE if script in names)
    return found if len(found) > 1 else ()


def _marked(shown: str, text: str, longest: int) -> str:
    """Add what a person must know of the text as a whole."""
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text[:longest]):
        shown = f"{_ISOLATE}{shown}{_END_ISOLATE} (right-to-left text)"
    if scripts := mixed_scripts(text[:longest]):
        shown = f"{shown} (mixes {' and '.join(scripts)} letters)"
    return shown if len(text) <= longest else f"{shown}… (cut; {len(text)} characters in all, digest {_digest(text)})"


def _digest(text: str) -> str:
    """Return what stands for the part that is not shown, so that a change of it is seen as well."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _spelt(text: str, *, escape: bool = False) -> str:
    """Spell out what can't be seen; with ``escape`` also what could be taken for the end of the text or an escape."""
    parts: list[str] = []
    marks = blanks = 0
    for character in text:
        if character == " ":
            blanks += 1
            continue
        parts.append(_folded(blanks))
        stands_alone = not parts or blanks > 0 or not any(parts)
        blanks = 0
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if _hidden(character, category) or marks > (0 if stands_alone else _MOST_MARKS):
            parts.append(spelt_out(character))
        elif escape and (character in '\\"' or character in _LIKE_QUOTES or category in _QUOTES):
            parts.append(f"\\{character}")
        else:
            parts.append(character)
    return "".join([*parts, _folded(blanks)])


def _folded(blanks: int) -> str:
    """Return a run of blanks as one, or as its length, so that it can't push text out of sight."""
    return " " * blanks if blanks < 2 else f"\\u{{0020}}x{blanks}"  # noqa: PLR2004 - a run


def _hidden(character: str, category: str) -> bool:
    return (
        category in _HIDDEN_CATEGORIES
        or (category == "Zs" and character != " ")
        or character in _BLANK_SYMBOLS
        or _ignorable(ord(character))
    )


def _ignorable(point: int) -> bool:
    at = bisect_right(_STARTS, point) - 1
    return at >= 0 and point <= _DEFAULT_IGNORABLE[at][1]

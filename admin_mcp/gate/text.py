"""Text from the API or an agent, made safe to show to a person: nothing in it can hide, reorder or overflow. Pure."""

import unicodedata

LONGEST = 200
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, longest: int = LONGEST) -> str:
    r"""Return text with every control, bidi, zero-width or unassigned character shown as ``\u{...}``, and capped."""
    shown = "".join(_shown(character) for character in text[:longest])
    return shown if len(text) <= longest else f"{shown}… (cut; {len(text)} characters in all)"


def _shown(character: str) -> str:
    hidden = unicodedata.category(character) in _HIDDEN_CATEGORIES
    return f"\\u{{{ord(character):04X}}}" if hidden else character

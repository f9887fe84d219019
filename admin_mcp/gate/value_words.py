"""Values of a request or an answer in words, for a person: no raw flags, no JSON. Pure.

Text stands in quotation marks that nothing in it can close, so that no text can pass for a word of ours.
"""

import json
import re

from admin_mcp.gate.described_change import money
from admin_mcp.gate.text import day, quoted, visible

LONGEST_VALUE = 2000
NOT_SET = "not set"
_EXPIRY = "expires_at"
_DEEPEST = 3


def in_words(name: str, value: object, longest: int = LONGEST_VALUE) -> str:
    """Return the value of the field ``name`` in words."""
    if isinstance(value, bool):
        return _plain(value, longest)
    if isinstance(value, int) and name.endswith("amount"):
        return f"{value} US cents ({money(value)})"
    if isinstance(value, int) and name == _EXPIRY:
        return f"on {day(value)}"
    if isinstance(value, list) and not value:
        return "none (no restriction)" if name == "scopes" else "none"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = sorted(value)
    return _plain(value, longest)


def _plain(value: object, longest: int, depth: int = 0) -> str:
    """Return a value in words; what is nested deeper than anybody could follow in words stays JSON."""
    if value is None or isinstance(value, bool):
        return {None: NOT_SET, True: "yes", False: "no"}[value]
    if isinstance(value, str):
        return quoted(value, longest)
    whole = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if not isinstance(value, dict | list) or depth >= _DEEPEST or len(whole) > longest:
        return visible(whole, longest)
    if isinstance(value, list):
        return ", ".join(_nested(each, longest, depth) for each in value) or "none"
    parts = (f"{_key(str(key))}: {_nested(each, longest, depth)}" for key, each in value.items())
    return "; ".join(parts) or "none"


def _nested(value: object, longest: int, depth: int) -> str:
    """Return one of several values, in brackets where it has several itself."""
    said = _plain(value, longest, depth + 1)
    return f"({said})" if isinstance(value, dict | list) and value else said


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w.-]{1,64}", key, re.ASCII) else quoted(key)

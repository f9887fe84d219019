"""JSON from outside -> values that any JSON text, any client and this process's memory can carry. Pure.

It is read as UTF-8 and nothing else. Half of a surrogate pair, which JSON can spell and no text can hold, becomes a
question mark. Nesting, numbers and the memory the values would take have bounds.
"""

import re
import sys
from collections.abc import Callable, Iterable

from pydantic_core import from_json

from admin_mcp.errors import AdminMcpError

DEEPEST = 64
HEAVIEST = 30 * 1024 * 1024
"""The most that one text may weigh: bytes of memory that its values can take."""

Clean = Callable[[str], str]

_BOM = b"\xef\xbb\xbf"
_PAIR = rb"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rb"\\(?:%b|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)" % _PAIR, re.DOTALL)
_WIDE, _WIDEST = re.compile(rb"[\xc4-\xff]|\\u"), re.compile(rb"[\xf0-\xff]|\\u[dD]")
_NUMBERS = (int, float)
_LARGEST = sys.float_info.max
_LIGHT = 512 * 1024
"""Bytes of JSON that can't become too heavy, whatever they are."""


class UnreadableError(AdminMcpError, ValueError):
    """The text is not JSON that can be taken in; the message completes "the answer is ..."."""


class TooHeavyError(UnreadableError):
    """It would take too much memory."""


def parse(text: bytes | bytearray, clean: Clean | None = None) -> object:
    """Return the value that JSON text holds, with every string and field name passed through ``clean``.

    Raises:
        UnreadableError: it is not JSON in UTF-8, or goes beyond a bound.

    """
    if len(text) > _LIGHT and weight(text) > HEAVIEST:
        raise TooHeavyError(f"too long: its {len(text) / 1024**2:.1f} MB hold too many values")
    try:
        value = _values(text.removeprefix(_BOM) if text.startswith(_BOM) else text)
    except ValueError:
        raise UnreadableError("not JSON in UTF-8") from None
    if clean is not None:
        return _bounded(value, clean, DEEPEST)
    _require_bounded((value,), DEEPEST)
    return value


def has_halves(text: bytes) -> bool:
    """Whether JSON text spells half of a surrogate pair."""
    return any(found["half"] for found in _ESCAPE.finditer(text))


def without_halves(text: str) -> str:
    """Return text that UTF-8 can hold: a question mark stands for each half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _values(text: bytes | bytearray) -> object:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        if b"\\u" not in text:
            raise
    return from_json(_ESCAPE.sub(lambda found: b"?" if found["half"] else found[0], text), allow_inf_nan=False)


def _require_bounded(values: Iterable[object], depth: int) -> None:
    """Raise if one of the values goes beyond a bound. Most are strings, and need no more than to be passed over."""
    for value in values:
        if isinstance(value, str):
            continue
        if isinstance(value, dict):
            _require_bounded(value.values(), _deeper(depth))
        elif isinstance(value, list):
            _require_bounded(value, _deeper(depth))
        elif isinstance(value, _NUMBERS) and not -_LARGEST <= value <= _LARGEST:
            raise _unreadable_number()


def _deeper(depth: int) -> int:
    if depth == 0:
        raise UnreadableError(f"nested more than {DEEPEST} deep")
    return depth - 1


def _unreadable_number() -> UnreadableError:
    return UnreadableError("not JSON that others can read: a number in it is too large")


def _bounded(value: object, clean: Clean, depth: int) -> object:
    """Return the value cleaned, in place as far as it goes: a large answer must not be held twice."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return _bounded_object(value, clean, _deeper(depth))
    if isinstance(value, list):
        return _bounded_list(value, clean, _deeper(depth))
    if isinstance(value, _NUMBERS) and not -_LARGEST <= value <= _LARGEST:
        raise _unreadable_number()
    return value


def _bounded_list(values: list[object], clean: Clean, depth: int) -> list[object]:
    for place, item in enumerate(values):
        values[place] = _bounded(item, clean, depth)
    return values


def _bounded_object(fields: dict[str, object], clean: Clean, depth: int) -> dict[str, object]:
    for name, item in fields.items():
        fields[name] = _bounded(item, clean, depth)
    if all(clean(name) == name for name in fields):
        return fields
    return {clean(name): item for name, item in fields.items()}


def weight(text: bytes | bytearray) -> int:
    """Return the most bytes of memory that the values of JSON text can take, by CPython's size of each kind."""
    return (
        _width(text) * len(text)
        + 32 * text.count(b'"')
        + 200 * text.count(b"{")
        + 72 * text.count(b"[")
        + 45 * text.count(b":")
        + 40 * text.count(b",")
    )


def _width(text: bytes | bytearray) -> int:
    """Return how many bytes a letter of the widest string can take."""
    if text.isascii() and b"\\u" not in text:  # ten times as fast as looking for what is wider
        return 1
    return 1 if not _WIDE.search(text) else 2 if not _WIDEST.search(text) else 4

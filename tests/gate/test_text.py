"""What text from elsewhere looks like to a person: nothing hides, draws, reorders or ends early."""

import unicodedata

import pytest

from admin_mcp.gate.text import plain, quoted, visible

SHALOM = "\u05e9\u05dc\u05d5\u05dd"
RTL = f"\u2068{SHALOM}\u2069 (right-to-left text)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ana Ortiz é 日本", "Ana Ortiz é 日本"),
        ("a\tb\nc", "a\\u{0009}b\\u{000A}c"),
        ("\u202eevil\u2066", "\\u{202E}evil\\u{2066}"),
        ("zero\u200bwidth\ufeff", "zero\\u{200B}width\\u{FEFF}"),
        ("a\u2028b", "a\\u{2028}b"),
        ("hangul\u3164filler", "hangul\\u{3164}filler"),
        ("combining\u034fjoiner", "combining\\u{034F}joiner"),
        ("variation\ufe0f", "variation\\u{FE0F}"),
        ("tag\U000e0041", "tag\\u{E0041}"),
        ("no\u00a0break", "no\\u{00A0}break"),
        ("braille\u2800blank", "braille\\u{2800}blank"),
        ("a    b", "a\\u{0020}x4b"),
        ("e\u0301\u0302\u0303\u0304", "e\u0301\u0302\\u{0303}\\u{0304}"),
        ("\u0301alone", "\\u{0301}alone"),
        (SHALOM, RTL),
        ("p\u0430ypal", "p\u0430ypal (mixes Latin and Cyrillic letters)"),
    ],
)
def test_text_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_is_cut_carries_a_digest_of_the_whole() -> None:
    one, other = visible("x" * 300 + "a"), visible("x" * 300 + "b")
    assert one.startswith("x" * 200 + "… (cut; 301 characters in all, digest ")
    assert one != other


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('a" (u_1)', '“a\\" (u_1)”'),
        ("a” (u_1)", "“a\\” (u_1)”"),
        ("a\\u{202E}", "“a\\\\u{202E}”"),
        ("»a«", "“\\»a\\«”"),
    ],
)
def test_quoted_text_can_not_seem_to_end_early(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_no_invisible_character_is_shown_as_it_is() -> None:
    for point in (*range(0x3000), *range(0xFE00, 0x10000), *range(0xE0000, 0xE0200)):
        character = chr(point)
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            assert character not in visible(f"a{character}b"), hex(point)


@pytest.mark.parametrize("text", ["", " a", "a ", "a\u200b", "a  b", "p\u0430ypal", SHALOM])
def test_only_what_is_exactly_what_it_looks_like_is_asked_to_be_typed(text: str) -> None:
    assert not plain(text)
    assert plain("Group manager")

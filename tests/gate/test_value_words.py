"""Values in words: no flags, no JSON, and no text that passes for a word of ours."""

import json

import pytest

from admin_mcp.gate.value_words import LONGEST_VALUE, in_words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("enabled", True, "yes"),
        ("enabled", "yes", "“yes”"),
        ("enabled", None, "not set"),
        ("names", ["b", "a"], "“a”, “b”"),
        ("names", [], "none"),
        ("scopes", [], "none (no restriction)"),
        ("limit_amount", 1200, "1200 US cents (12.00 USD)"),
        ("expires_at", 0, "on 1970-01-01"),
        ("settings", {"on": False, "days": 30, "who": {"id": "x"}}, "on: no; days: 30; who: (id: “x”)"),
        ("settings", {"a: yes; b": 1}, "“a: yes; b”: 1"),
        ("steps", [{"n": 1}, {"n": 2}], "(n: 1), (n: 2)"),
        ("settings", {"a": [], "b": {}}, "a: none; b: none"),
    ],
)
def test_a_value_is_read_as_words(name: str, value: object, words: str) -> None:
    assert in_words(name, value) == words


def test_what_is_nested_too_deep_stays_json_and_what_is_too_long_is_cut_with_its_digest() -> None:
    assert in_words("x", {"a": {"b": {"c": {"d": 1}}}}) == 'a: (b: (c: ({"d": 1})))'
    long = in_words("x", {"a": "y" * LONGEST_VALUE})
    assert "digest" in long
    assert long != in_words("x", {"a": "y" * LONGEST_VALUE + "z"})


def test_two_values_that_differ_differ_in_words() -> None:
    values: list[object] = [True, "yes", {"yes": True}, 1, "1", [1, 2], ["1, 2"], ["a", "b"], ["a, b"], "none", []]
    values += [{"a": 1, "b": 2}, {"a": "1; b: 2"}, None, "not set", [[1], [2]], [[1, 2]]]
    said = {in_words("x", value) for value in values}
    assert len(said) == len({json.dumps(value) for value in values})

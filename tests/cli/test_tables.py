"""Lists, as a person at a terminal and a program behind a pipe get them."""

import io
import re
import sys
from typing import Any

import pytest

from admin_mcp.cli.tables import Column, field, moment, print_list

COLUMNS = (Column("ID", field("id"), 4), Column("Risk", field("risk")), Column("What", field("what")))
ROWS: list[dict[str, Any]] = [
    {"id": "a1", "risk": "destroy", "what": "Delete role"},
    {"id": "b2", "risk": "create", "what": "Create [bold]group[/]"},
]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_screen(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]], **env: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", **env}.items():
        monkeypatch.setenv(name, value)
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    print_list(COLUMNS, rows, json=False)
    return screen.getvalue()


def test_behind_a_pipe_it_is_plain_columns_with_heads(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(COLUMNS, ROWS, json=False)
    assert capsys.readouterr().out.splitlines() == [
        "ID    Risk     What",
        "a1    destroy  Delete role",
        "b2    create   Create [bold]group[/]",
    ]


def test_at_a_terminal_it_is_a_table_in_colour_by_risk(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_screen(monkeypatch, ROWS)
    assert "\x1b[1;31mdestroy" in shown
    assert "\x1b[32mcreate" in shown
    assert "Create [bold]group[/]" in shown  # a name is no markup


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = on_screen(monkeypatch, ROWS, NO_COLOR="1")
    assert "\x1b[1;31m" not in shown
    assert "\x1b[32m" not in shown
    assert "destroy" in shown


@pytest.mark.parametrize("screen", [True, False])
def test_no_name_can_steer_the_terminal_or_reorder_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, screen: bool
) -> None:
    rows = [{"id": "a", "risk": "update", "what": "x\x1b[2Jy\u202ez\nAPPROVED\u009b1m\u200b"}]
    if screen:
        text = on_screen(monkeypatch, rows, NO_COLOR="1", COLUMNS="200")
    else:
        print_list(COLUMNS, rows, json=False)
        text = capsys.readouterr().out
    assert r"x\u{001B}[2Jy\u{202E}z\u{000A}APPROVED\u{009B}1m\u{200B}" in text
    assert not set("\u202e\u009b\u200b") & set(text)


def test_json_is_ascii_so_that_no_name_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(COLUMNS, [{"id": "a", "risk": "update", "what": "\x1b\u009b\u202e"}], json=True)
    assert capsys.readouterr().out == '[\n {"id": "a", "risk": "update", "what": "\\u001b\\u009b\\u202e"}\n]\n'


def test_a_long_list_has_its_heads_once(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(COLUMNS, ({"id": str(n), "risk": "create", "what": "x"} for n in range(450)), json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 451
    assert [line for line in lines if line.startswith("ID")] == lines[:1]


def plain(shown: str) -> list[str]:
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]


def test_where_the_last_column_is_short_it_stands_beside_the_others_as_far_as_they_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert plain(on_screen(monkeypatch, ROWS, COLUMNS="36")) == [
        "ID    Risk     What",
        "a1    destroy  Delete role",
        "b2    create   Create [bold]group[/]",
    ]
    assert plain(on_screen(monkeypatch, ROWS, COLUMNS="35")) == [
        "ID    Risk",
        "    What",
        "a1    destroy",
        "    Delete role",
        "b2    create",
        "    Create [bold]group[/]",
    ]


def test_where_not_even_the_first_columns_fit_they_take_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": "a" * 14, "risk": "destroy", "what": "Delete role"}, {"id": "b", "risk": "", "what": ""}]
    assert plain(on_screen(monkeypatch, rows, COLUMNS="18"))[2:] == [
        "a" * 14,
        "    destroy",
        "    Delete role",
        "b",
    ]


def test_a_long_last_column_is_folded_beside_the_others_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": "a1", "risk": "destroy", "what": "Delete role " * 20}]
    lines = plain(on_screen(monkeypatch, rows, COLUMNS="100"))
    assert lines[1].startswith("a1    destroy  Delete role Delete role")
    assert all(line.startswith(" " * 15) for line in lines[2:])


def test_a_wide_character_takes_two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"id": "\u65e5\u672c\u8a9e", "risk": "create", "what": "x"},
        {"id": "abcdef", "risk": "create", "what": "x"},
    ]
    assert plain(on_screen(monkeypatch, rows))[1:] == ["\u65e5\u672c\u8a9e  create  x", "abcdef  create  x"]


def test_a_moment_is_whole_behind_a_pipe_and_to_the_minute_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = (Column("ID", field("id")), moment("When", "at", 25), Column("What", field("what")))
    rows = [{"id": "a", "at": at, "what": "x"} for at in ("2026-11-30T09:34:17+00:00", "", "no time at all")]
    print_list(columns, rows, json=False)
    first, *rest = (
        line.split(maxsplit=1)[1].rsplit(maxsplit=1)[0] for line in capsys.readouterr().out.splitlines()[1:]
    )
    assert re.fullmatch(r"2026-1[12]-\d\d \d\d:\d\d:17[+-]\d\d:\d\d", first.strip())
    assert [each.strip() for each in rest] == ["(no time)", "no time at all"]
    monkeypatch.setattr("tests.cli.test_tables.COLUMNS", columns)
    at_screen = plain(on_screen(monkeypatch, rows, COLUMNS="40"))
    assert re.fullmatch(r"a   2026-1[12]-\d\d \d\d:\d\d  x", at_screen[1])
    assert at_screen[2:] == ["a   (no time)         x", "a   no time at all    x"]


def test_on_a_narrow_screen_only_the_last_column_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": "appr_0123456789", "risk": "destroy", "what": "Delete role " * 20}]
    shown = on_screen(monkeypatch, rows, NO_COLOR="1", COLUMNS="60")
    assert "appr_0123456789" in shown
    assert all(len(line) <= 60 for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines())

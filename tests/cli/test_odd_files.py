"""A host's own file that is odd in any way: it is left as it is and said why, or changed without losing anything."""

import json
import os
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner

from admin_mcp.cli.host_checks import _log, _started
from admin_mcp.cli.host_files import Logs
from admin_mcp.cli.host_table import HOSTS, WRITTEN
from admin_mcp.cli.main import main
from tests.cli.entries import OTHER
from tests.cli.test_install import backups
from tests.platforms import needs_posix_processes, needs_root

JSON_HOSTS = [name for name in WRITTEN if name != "codex"]


def put(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def change(path: Path, host: str = "cursor", *flags: str, what: str = "install") -> tuple[int, str]:
    """Return the exit code, and all that was said; nothing may fail in any other way."""
    return run(what, host, "--yes", "--file", str(path), *flags)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, result.stdout + result.stderr


def unchanged(path: Path, text: str) -> bool:
    return path.read_bytes() == text.encode() and [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize(
    "text",
    [
        '{"mcpServers": {"other": {"command": "a"}}, "mcpServers": {}}',
        '{"mcpServers": {"other": {"command": "a"}, "other": {"command": "b"}}}',
        '{"theme": 1, "mcpServers": {}, "theme": 2}',
    ],
)
@pytest.mark.parametrize("what", ["install", "uninstall"])
def test_a_key_that_is_there_twice_is_not_dropped(tmp_path: Path, what: str, text: str) -> None:
    path = put(tmp_path / "mcp.json", text)
    code, said = change(path, what=what)
    assert (code, "twice" in said) == (1, True), said
    assert unchanged(path, text)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_a_number_that_json_can_not_spell_again_is_left_alone(tmp_path: Path, number: str) -> None:
    text = '{"zoom": ' + number + "}"
    path = put(tmp_path / "mcp.json", text)
    code, said = change(path)
    assert (code, "nothing was written" in said) == (1, True), said
    assert unchanged(path, text)


def test_half_a_character_in_another_servers_entry_stays_as_it_is_spelt(tmp_path: Path) -> None:
    path = put(tmp_path / "mcp.json", '{"mcpServers": {"x\\ud800": {"command": "\\udfff"}}}')
    code, said = change(path)
    assert code == 0, said
    assert json.loads(path.read_text("utf-8"))["mcpServers"]["x\ud800"] == {"command": "\udfff"}


def test_a_servers_name_can_not_draw_on_the_screen(tmp_path: Path) -> None:
    names = ["\x9b2J", "a\u202eb", "\u2028", "\x7f", "\u200b", "\x1b[2J"]
    path = put(tmp_path / "mcp.json", json.dumps({"mcpServers": dict.fromkeys(names, OTHER)}))
    code, said = change(path)
    assert code == 0
    assert not [name for name in names if name in said]
    assert list(json.loads(path.read_text("utf-8"))["mcpServers"])[: len(names)] == names


def test_a_deeply_nested_file_is_changed_or_left_alone(tmp_path: Path) -> None:
    for depth in (100, 900, 980, 100_000):
        text = '{"other": ' + "[" * depth + "]" * depth + "}"
        path = put(tmp_path / f"mcp-{depth}.json", text)
        code, said = change(path)
        left = path.read_bytes() == text.encode() and not backups(path)
        assert code == 0 if not left else "nothing was written" in said, (depth, said)


@pytest.mark.parametrize("host", JSON_HOSTS)
@pytest.mark.parametrize("odd", [None, 5, "x", [], [None], {}, {"a": 1}, True])
@pytest.mark.parametrize("what", ["install", "uninstall"])
def test_whatever_stands_anywhere_is_said_or_gone_past(tmp_path: Path, what: str, odd: Any, host: str) -> None:
    shape = HOSTS[host].shape()
    entry = {"command": "x", "args": [], shape.environment: {}}
    files: list[Any] = [
        odd,
        {shape.section: odd},
        {shape.section: {"openai-admin": odd}},
        {shape.section: {"other": odd, "openai-admin": entry}},
        {"inputs": odd, shape.section: {"openai-admin": entry}},
        {"inputs": [{"id": odd}], shape.section: {"openai-admin": entry}},
        *({shape.section: {"openai-admin": {**entry, name: odd}}} for name in [*entry, "env_vars", "disabled", "type"]),
    ]
    for number, value in enumerate(files):
        path = put(tmp_path / f"{number}.json", json.dumps(value))
        for flags in ((), ("--sandbox",)) if what == "install" else ((),):
            code, said = change(path, host, *flags, what=what)
            assert code in {0, 1}, (value, said)


@pytest.mark.parametrize("odd", ["5", '"x"', "[]", "true", "[[1]]", "{a = 1}"])
@pytest.mark.parametrize("what", ["install", "uninstall"])
def test_whatever_stands_in_a_toml_file_is_said_or_gone_past(tmp_path: Path, what: str, odd: str) -> None:
    for name in ("env_vars", "command", "args", "env", "enabled"):
        for flags in ((), ("--sandbox",)) if what == "install" else ((),):
            path = put(tmp_path / "config.toml", f"[mcp_servers.openai-admin]\n{name} = {odd}\n")
            code, said = change(path, "codex", *flags, what=what)
            assert code in {0, 1}, (name, said)


@pytest.mark.parametrize("what", ["install", "uninstall"])
def test_a_toml_file_keeps_its_line_ends(tmp_path: Path, what: str) -> None:
    before = '# mine\r\nmodel = "x"\r\n\r\n[mcp_servers.other]\r\ncommand = "o"\r\n'
    path = put(tmp_path / "config.toml", before)
    assert change(path, "codex")[0] == 0
    if what == "uninstall":
        assert change(path, "codex", what=what)[0] == 0
    after = path.read_bytes()
    assert after.startswith(before.encode())
    assert after.count(b"\n") == after.count(b"\r\n")


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\u2029"])
def test_what_only_python_takes_for_the_end_of_a_line_stays_in_a_toml_file(tmp_path: Path, odd: str) -> None:
    before = f'# a{odd}b\nmodel = "x{odd}y"\n'
    path = put(tmp_path / "config.toml", before)
    code, said = change(path, "codex")
    assert code == 0, said
    assert path.read_bytes().startswith(before.encode())


def test_a_mark_at_the_beginning_is_no_matter(tmp_path: Path) -> None:
    for host, text in (("cursor", '{"mcpServers": {}}'), ("codex", 'model = "x"\n')):
        path = put(tmp_path / host, f"\ufeff{text}")
        assert change(path, host)[0] == 0


@needs_posix_processes
@pytest.mark.parametrize("command", ["install", "uninstall", "doctor"])
def test_what_is_no_file_is_not_read(tmp_path: Path, command: str) -> None:
    pipe = tmp_path / "mcp.json"
    os.mkfifo(pipe)
    found: list[tuple[int, str]] = []
    words = (command, "cursor", "--file", str(pipe), *(() if command == "doctor" else ("--yes",)))
    reader = threading.Thread(target=lambda: found.append(run(*words)), daemon=True)
    reader.start()
    reader.join(10)
    hangs = reader.is_alive()
    if hangs:
        pipe.write_bytes(b"{}")  # lets it go
        reader.join(10)
    assert not hangs
    assert found[0][0] == 1
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@needs_posix_processes
def test_links_that_lead_nowhere_are_said(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for place in (str(loop), "~nobody-of-that-name/mcp.json"):
        for words in (("install", "cursor", "--yes"), ("uninstall", "cursor", "--yes"), ("doctor", "cursor")):
            code, said = run(*words, "--file", place)
            assert (code, bool(said)) == (1, True), (place, words)


@needs_posix_processes
def test_a_link_leads_to_the_file_that_is_changed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = put(tmp_path / "real" / "mcp.json", "{}")
    link = tmp_path / "mcp.json"
    link.symlink_to(real)
    assert change(link)[0] == 0
    assert link.is_symlink()
    assert "openai-admin" in real.read_text("utf-8")


@pytest.mark.parametrize(("error", "ends"), [(OSError("disk full"), 1), (KeyboardInterrupt(), 130)])
def test_what_was_written_in_part_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, ends: int
) -> None:
    path = put(tmp_path / "mcp.json", '{"mcpServers": {"other": {"env": {"KEY": "other-secret"}}}}')
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "replace", fail)
    code, said = change(path)
    assert code == ends
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == sorted([path, *backups(path)]), said


@needs_root
def test_a_file_stays_its_owners(tmp_path: Path) -> None:
    path = put(tmp_path / "mcp.json", "{}")
    os.chown(path, 1234, 1235)
    assert change(path)[0] == 0
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)
    (backup,) = backups(path)
    assert backup.stat().st_uid == 1234


def test_a_key_is_not_shown_wherever_it_stands_in_our_entry(tmp_path: Path) -> None:
    key = "sk-admin-0123456789abcdef"
    entry = {
        "command": "x",
        "args": ["--key", key],
        "headers": {"Authorization": f"Bearer {key}"},
        "environment": {"K": key},
        "note": f"say {key}",
    }
    path = put(tmp_path / "mcp.json", json.dumps({"mcpServers": {"openai-admin": entry}}))
    for what in ("install", "uninstall"):
        code, said = change(path, what=what)
        assert code == 0
        assert key not in said


ODD_ENTRIES: list[dict[str, Any]] = [
    {"command": "a\0b"},
    {"command": "/a\0b"},
    {"command": sys.executable, "args": ["a\0b"]},
    {"command": sys.executable, "args": ["\ud800"]},
    {"command": "\ud800"},
    {"command": sys.executable, "env": {"A=B": "x"}},
    {"command": sys.executable, "env": {"": "x"}},
    {"command": sys.executable, "env": {"A": "a\0b"}},
    {"command": sys.executable, "env": {"A": "\ud800"}},
    {"command": sys.executable, "env": {"\ud800": "x"}},
    {"command": sys.executable, "args": ["x" * 5_000_000]},
    {"command": str(Path(__file__).parent)},
    {"command": ""},
    {"command": "", "args": [""]},
    {"command": "."},
    {"command": __file__},
]


@pytest.mark.parametrize("entry", ODD_ENTRIES)
def test_a_command_that_no_system_can_start_is_said(tmp_path: Path, entry: dict[str, Any]) -> None:
    path = put(tmp_path / "mcp.json", json.dumps({"mcpServers": {"openai-admin": entry}}))
    code, said = run("doctor", "cursor", "--file", str(path))
    assert code == 1
    assert "FAIL  command" in said or "FAIL  start" in said


SAYS = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **ANSWER[request["method"]]}), flush=True)
"""
GREETING = {
    "protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}
}  # fmt: skip


@pytest.mark.parametrize(
    "answers",
    [
        {"initialize": {"result": None}},
        {"initialize": {"result": {}}},
        {"initialize": {"result": {**GREETING, "protocolVersion": "1999-01-01"}}},
        {"initialize": {"result": {**GREETING, "protocolVersion": None}}},
        {"initialize": {"error": {"code": 1, "message": "no"}}},
        {"initialize": {"result": GREETING}, "tools/list": {"result": {}}},
        {"initialize": {"result": GREETING}, "tools/list": {"result": {"tools": [{}]}}},
        {"initialize": {"result": GREETING}, "tools/list": {"result": None}},
    ],
)
def test_a_program_that_answers_wrongly_is_said(tmp_path: Path, answers: Any) -> None:
    other = {"error": {"code": -32601, "message": "unknown"}}
    script = tmp_path / "script.py"
    known = f"import collections\nANSWER = collections.defaultdict(lambda: {other!r}, {answers!r})\n"
    script.write_text(known + SAYS, "utf-8")
    entry = {"command": sys.executable, "args": [str(script)], "env": {"OPENAI_ADMIN_KEY": "x"}}
    path = put(tmp_path / "mcp.json", json.dumps({"mcpServers": {"openai-admin": entry}}))
    code, said = run("doctor", "cursor", "--file", str(path))
    assert (code, "FAIL  start" in said) == (1, True), said


def test_a_value_that_is_null_is_no_word(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import os, sys; sys.exit(repr(os.environ.get('OPENAI_ADMIN_KEY')))", "utf-8")
    entry = {"command": sys.executable, "args": [str(script)], "env": {"OPENAI_ADMIN_KEY": None}}
    path = put(tmp_path / "mcp.json", json.dumps({"mcpServers": {"openai-admin": entry}}))
    assert "'None'" not in run("doctor", "cursor", "--file", str(path))[1]


@needs_posix_processes
def test_a_log_that_leads_nowhere_hides_no_other(tmp_path: Path) -> None:
    logs = Logs(tmp_path, "*.log")
    put(tmp_path / "a.log", "")
    (tmp_path / "b.log").symlink_to(tmp_path / "gone")
    assert "a.log" in str(_log("X", logs, 0.0))


@pytest.mark.anyio
@pytest.mark.parametrize("said", ["\\n", "x"])
async def test_a_program_that_complains_for_ever_fills_no_disk(said: str) -> None:
    endless = f"import sys\nwhile True: sys.stderr.write('{said}' * 65536)"
    entry = {"command": sys.executable, "args": ["-c", endless]}
    with anyio.fail_after(HOSTS["cursor"].starts_within):
        started = await _started(HOSTS["cursor"], entry)
    assert started.tools is None
    assert "on stderr" in started.said

"""What ``doctor HOST`` finds in a host's own configuration, and in the server that it starts."""

import json
import os
import re
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from admin_mcp.cli.host_checks import _SLOW, _start, _Started
from admin_mcp.cli.host_table import HOSTS, READ, WRITTEN
from admin_mcp.installation import command
from admin_mcp.settings import PLACEHOLDER_KEY
from tests.cli.test_main import run
from tests.platforms import needs_file_modes

PROGRAM, *BEFORE = command()
ENTRY = {"command": PROGRAM, "args": [*BEFORE, "--sandbox", "--search"]}


def findings(tmp_path: Path, entry: object, host: str = "cursor", **env: str) -> tuple[int, dict[str, str]]:
    path = tmp_path / "mcp.json"
    path.write_text(json.dumps({HOSTS[host].shape().section: {"openai-admin": entry}}), "utf-8")
    return told(path, host, **env)


def told(path: Path, host: str = "cursor", **env: str) -> tuple[int, dict[str, str]]:
    code, out, _ = run("doctor", host, "--file", str(path), **env)
    lines = [(line[:4].strip(), *line[6:].partition(": ")) for line in out.splitlines()]
    return code, {what: f"{level} {detail}" for level, what, _, detail in lines}


@pytest.mark.parametrize("host", WRITTEN)
def test_what_install_wrote_is_found_fit(host: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    assert run("--sandbox", "--search", "install", host, "--yes", "--file", str(path))[0] == 0
    code, found = told(path, host)
    assert code == 0, found
    assert found["command"] == "ok it starts this installation"
    assert found["key"] == "ok none is needed for the sandbox"
    assert found["tools"].startswith("ok ")
    assert found["start"].split()[0] in {"ok", "note"}
    assert f"seconds that {HOSTS[host].title} gives it" in found["start"]


def test_a_missing_file_and_a_file_without_this_server_say_what_to_do(tmp_path: Path) -> None:
    code, found = told(tmp_path / "none.json")
    assert (code, "install cursor --dry-run" in found["file"]) == (1, True)
    (tmp_path / "mcp.json").write_text("{}", "utf-8")
    code, found = told(tmp_path / "mcp.json")
    assert (code, found["file"].partition(";")[0]) == (1, f"FAIL {tmp_path / 'mcp.json'} has no openai-admin")
    (tmp_path / "mcp.json").write_text("{", "utf-8")
    assert "is not JSON" in told(tmp_path / "mcp.json")[1]["file"]
    (tmp_path / "mcp.json").write_bytes(b"\xff")
    assert "can't be read" in told(tmp_path / "mcp.json")[1]["file"]


@pytest.mark.parametrize(
    ("key", "env", "said"),
    [
        (PLACEHOLDER_KEY, {}, "FAIL there is no admin key in it"),
        ("", {}, "FAIL there is no admin key in it"),
        (None, {}, "FAIL there is no admin key in it"),
        ("sk-admin-mine", {}, "ok an admin key stands in the file"),
        ("${env:OPENAI_ADMIN_KEY}", {}, "note the host passes on OPENAI_ADMIN_KEY, which is not set here"),
        ("${env:OPENAI_ADMIN_KEY}", {"OPENAI_ADMIN_KEY": "sk-admin-x"}, "ok the host passes on"),
        ("${input:openai-admin-key}", {}, "ok the host asks for it"),
    ],
)
def test_the_key_is_judged_and_never_shown(key: str | None, env: dict[str, str], said: str, tmp_path: Path) -> None:
    entry = {"command": "/nowhere/python", "args": [], "env": {"OPENAI_ADMIN_KEY": key}}
    code, found = findings(tmp_path, entry, **env)
    assert code == 1
    assert found["key"].startswith(said)
    assert "sk-admin" not in str(found)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"command": "/nowhere/python", "args": []}, "FAIL /nowhere/python is not there"),
        ({"command": "no-such-program-here"}, "FAIL no-such-program-here is not found"),
        ({"command": 7}, "FAIL it names no command"),
        ({"command": PROGRAM, "args": [None]}, "FAIL it names no command"),
        ({}, "FAIL it names no command"),
    ],
)
def test_a_command_that_cant_be_started_is_named(entry: dict[str, Any], said: str, tmp_path: Path) -> None:
    code, found = findings(tmp_path, entry)
    assert code == 1
    assert found["command"].startswith(said)
    assert "start" not in found


def test_a_wrong_flag_is_told_in_the_servers_own_words(tmp_path: Path) -> None:
    code, found = findings(tmp_path, {"command": PROGRAM, "args": [*BEFORE, "--sandbox", "--tolsets", "people"]})
    assert code == 1
    assert "No such option '--tolsets'" in found["start"]


def test_a_selection_too_large_for_the_host_fails_with_what_to_choose(tmp_path: Path) -> None:
    code, found = findings(tmp_path, {"command": PROGRAM, "args": [*BEFORE, "--sandbox"]})
    assert code == 1
    assert "Cursor shows a model about 40; choose --toolsets, or --search" in found["tools"]


def test_a_server_that_is_switched_off_is_told(tmp_path: Path) -> None:
    code, found = findings(tmp_path, {**ENTRY, "disabled": True})
    assert code == 1
    assert found["switch"] == "FAIL the host has this server switched off"


@needs_file_modes
def test_another_installation_and_a_program_that_is_no_server_are_told(tmp_path: Path) -> None:
    script = tmp_path / "other"
    script.write_text("#!/bin/sh\necho 'not \033[31mtoday' >&2\n", "utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    code, found = findings(tmp_path, {"command": str(script)})
    assert code == 1
    assert "starts another installation" in found["command"]
    assert found["start"].startswith("FAIL not ")
    assert "\033" not in str(found)


def test_a_start_that_takes_much_of_the_hosts_patience_is_noted() -> None:
    host = HOSTS["codex"]
    slow, *_ = _start(host, _Started(_SLOW * host.starts_within + 0.1, 4, ""))
    assert (slow.level, slow.detail) == ("note", "it took 5.1 of the 10 seconds that Codex gives it")


def test_a_silent_end_is_told_too() -> None:
    (silent,) = _start(HOSTS["codex"], _Started(0.1, None, ""))
    assert (silent.level, silent.what) == ("FAIL", "start")


def hosts_here(home: Path, **env: str) -> dict[str, list[str]]:
    """The rows of the table of hosts, by the host's name: the other cells."""
    mine = {"HOME": str(home), "USERPROFILE": str(home), "APPDATA": str(home / "data"), "CODEX_HOME": "", **env}
    _, out, _ = run("doctor", "--sandbox", **{"CLAUDE_CONFIG_DIR": "", "GEMINI_CLI_HOME": "", **mine})
    table = out.partition("\nHOST ")[2].splitlines()[1:]
    return {cells[0]: cells[1:] for cells in (re.split(r"\s{2,}", line) for line in table)}


def put(path: Path, entry: object, section: str = "mcpServers") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({section: {"openai-admin": entry}}), "utf-8")
    return path


def test_the_hosts_that_are_here_are_shown_with_what_they_have_of_this_server(tmp_path: Path) -> None:
    assert hosts_here(tmp_path) == {}
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".claude.json").write_text("{}", "utf-8")
    cursor = put(tmp_path / ".cursor" / "mcp.json", {"command": "x", "env": {"OPENAI_ADMIN_KEY": PLACEHOLDER_KEY}})
    gemini = put(tmp_path / ".gemini" / "settings.json", {**ENTRY, "disabled": True})
    assert hosts_here(tmp_path) == {
        "claude-code": ["not in it", str(tmp_path / ".claude.json")],
        "cursor": ["in it", "missing", str(cursor)],
        "codex": ["no file yet", str(tmp_path / ".codex" / "config.toml")],
        "gemini": ["switched off", "none needed", str(gemini)],
    }


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("sk-admin-mine", "in the file"),
        ("${env:OPENAI_ADMIN_KEY}", "OPENAI_ADMIN_KEY of its environment"),
        ("${input:openai-admin-key}", "the host asks"),
        ("", "missing"),
    ],
)
def test_the_table_says_where_a_key_comes_from_and_never_shows_it(key: str, said: str, tmp_path: Path) -> None:
    path = put(tmp_path / ".cursor" / "mcp.json", {"command": "x", "env": {"OPENAI_ADMIN_KEY": key}})
    assert hosts_here(tmp_path) == {"cursor": ["in it", said, str(path)]}


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b"[]", b'{"mcpServers": 1}', b'{"mcpServers": {"openai-admin": null}}']
)
def test_a_file_that_is_unfit_is_a_row_and_ends_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".cursor" / "mcp.json").parent.mkdir()
    (tmp_path / ".cursor" / "mcp.json").write_bytes(content)
    assert hosts_here(tmp_path)["cursor"][0] == "unreadable"


def test_a_path_cant_colour_or_reorder_the_table(tmp_path: Path) -> None:
    strange = tmp_path / "a\033[31m\u202eb"
    strange.mkdir()
    put(strange / "config.toml", {})
    cells = hosts_here(tmp_path, CODEX_HOME=str(strange))["codex"]
    assert not {"\033", "\u202e"} & set("".join(cells))


def test_a_file_without_its_host_is_refused(tmp_path: Path) -> None:
    code, _, err = run("doctor", "--file", str(tmp_path))
    assert code == 2
    assert "name the host as well" in err


def test_what_a_host_has_is_there_for_programs_without_the_hosts_here(tmp_path: Path) -> None:
    path = put(tmp_path / "mcp.json", {"command": "/nowhere/\033python", "env": {"OPENAI_ADMIN_KEY": "sk-admin-mine"}})
    code, out, _ = run("doctor", "cursor", "--json", "--file", str(path))
    found = json.loads(out)
    assert code == 1
    assert found.keys() == {"well", "findings"}
    assert (found["well"], found["findings"][-1]["level"], found["findings"][-1]["what"]) == (False, "fail", "command")
    assert "\033" not in out
    assert "sk-admin-mine" not in out


def test_the_hosts_here_are_there_for_programs(tmp_path: Path) -> None:
    put(tmp_path / "config.toml", {})
    _, out, _ = run("doctor", "--sandbox", "--json", CODEX_HOME=str(tmp_path))
    row = next(row for row in json.loads(out)["hosts"] if row["host"] == "codex")
    assert row == {"host": "codex", "server": "unreadable", "key": "", "file": str(tmp_path / "config.toml")}


@pytest.mark.parametrize("host", sorted(READ.keys() - WRITTEN.keys()))
def test_what_was_pasted_into_a_host_that_is_only_read_is_found_fit(host: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    assert "paste what config" in told(path, host)[1]["file"]
    path.write_text(run("config", host, "--sandbox", "--search")[1], "utf-8")
    code, found = told(path, host)
    assert code == 0, found
    assert found["command"] == "ok it starts this installation"


COMMENTED = """{
  // what a person wrote
  "SECTION": {
    "other": {"command": "x"}, /* and beside it */
    "openai-admin": ENTRY,
  },
}"""


@pytest.mark.parametrize("host", [name for name, host in READ.items() if host.shape().comments])
def test_comments_are_read_where_the_host_reads_them_and_never_written_over(host: str, tmp_path: Path) -> None:
    printed = json.loads(run("config", host, "--sandbox", "--search")[1].partition("\n\n")[0])
    section = HOSTS[host].shape().section
    path = tmp_path / "config"
    text = COMMENTED.replace("SECTION", section).replace("ENTRY", json.dumps(printed[section]["openai-admin"]))
    path.write_text(text, "utf-8")
    code, found = told(path, host)
    assert code == 0, found
    if host in WRITTEN:
        for words, way_out in ((["--sandbox", "install"], "config"), (["uninstall"], 'Take "openai-admin" out')):
            code, _, err = run(*words, host, "--yes", "--file", str(path))
            assert code == 1
            assert "has comments, or commas after a last value, which would be lost" in err
            assert way_out in err
    assert path.read_text("utf-8") == text


@pytest.mark.parametrize(
    "text", ["{// a\n", "{/* a", "{'a': 1, // twice\n 'a': 2}", "{//" + "x" * 300_000 + "\n}", "[//\n" * 9]
)
def test_what_is_no_json_with_comments_either_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(text, "utf-8")
    assert told(tmp_path / "settings.json", "gemini")[1]["file"].startswith("FAIL ")


def test_hosts_that_read_no_comments_are_held_to_that(tmp_path: Path) -> None:
    (tmp_path / "mcp.json").write_text('{"mcpServers": {}} // mine', "utf-8")
    assert "comments count as errors here" in told(tmp_path / "mcp.json", "claude-desktop")[1]["file"]


@pytest.mark.parametrize(
    "text",
    ["a: [", "\t", "a: b: c", "- 1", "!!python/object/apply:os.system ['true']", "? [a]\n: b", "a: *b", "&a [*a]"],
)
def test_yaml_that_is_none_or_more_than_values_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    assert told(tmp_path / "config.yaml", "goose")[1]["file"].startswith("FAIL ")


def test_a_key_that_goose_keeps_is_believed_where_it_is_set_here(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(run("config", "goose")[1], "utf-8")
    unset, here = (told(path, "goose", **env)[1]["key"] for env in ({}, {"OPENAI_ADMIN_KEY": "sk-admin-x"}))
    assert unset.startswith("note the host keeps it among its secrets")
    assert here.startswith("ok the host keeps it")


CACHES = "Library/Caches" if sys.platform == "darwin" else "cache"


@pytest.mark.parametrize(
    ("host", "places"),
    [
        ("claude-code", f"{CACHES}/claude-cli-nodejs/-work/mcp-logs-openai-admin/{{}}.jsonl"),
        ("codex", "codex/logs_{}.sqlite"),
        ("opencode", "data/opencode/log/{}.log"),
        ("cline", ".cline/data/logs/{}.log"),
    ],
)
def test_the_newest_log_is_named_and_not_read(host: str, places: str, tmp_path: Path) -> None:
    homes = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "CODEX_HOME": str(tmp_path / "codex")}
    homes |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_DATA_HOME": str(tmp_path / "data")}
    file = put(tmp_path / "entry", {"command": "/nowhere"}, HOSTS[host].shape().section)
    if host == "codex":
        file.write_text('[mcp_servers.openai-admin]\ncommand = "/nowhere"\n', "utf-8")
    assert "has written none" in told(file, host, **homes)[1]["log"]
    now = time.time()
    for number, age in (("1", 7 * 3600), ("2", 3 * 3600 + 60), ("3", 5 * 86_400)):
        log = tmp_path / places.format(number)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("secret words", "utf-8")
        os.utime(log, (now - age, now - age))
    said = told(file, host, **homes)[1]["log"]
    assert said.startswith("ok ")
    assert said.endswith(f"{tmp_path / places.format('2')}, written 3 hours ago")
    assert "secret words" not in said

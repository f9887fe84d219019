"""What ``doctor`` finds, and that it changes nothing."""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.channels import desktop
from admin_mcp.cli.checks import CHEAP_READS
from admin_mcp.cli.host_table import HOSTS
from tests.cli.test_main import run
from tests.gate.questions import records
from tests.platforms import needs_file_modes, needs_linux
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import KEY


def findings(*arguments: str, **env: str) -> tuple[int, dict[str, tuple[str, str]]]:
    code, out, _ = run("doctor", *arguments, **env)
    lines = [line.split("  ", 1) for line in out.partition("\n\n")[0].splitlines()]  # and then the hosts here
    return code, {rest.strip().partition(": ")[0]: (level, rest.strip().partition(": ")[2]) for level, rest in lines}


def api(recorder: Recorder, key: str = KEY) -> dict[str, str]:
    return {"OPENAI_ADMIN_KEY": key, "OPENAI_BASE_URL": recorder.base_url}


def test_the_sandbox_needs_nothing() -> None:
    code, found = findings("--sandbox")
    assert code == 0
    assert found["key"][0] == found["API"][0] == found["state"][0] == found["permissions"][0] == "ok"


def test_a_good_key_is_tried_with_small_reads_only(recorder: Recorder) -> None:
    recorder.reply = lambda _: Canned(body={"object": "list", "data": [], "has_more": False})
    code, found = findings(**api(recorder))
    assert code == 0
    assert found["permissions"] == ("ok", f"all {len(CHEAP_READS)} parts that were tried can be read")
    assert len(recorder.requests) == len(CHEAP_READS)
    assert {request.method for request in recorder.requests} == {"GET"}
    assert {dict(request.query)["limit"] for request in recorder.requests} == {"1"}


def test_each_cheap_read_is_a_read_that_takes_a_limit() -> None:
    for tool in CHEAP_READS:
        endpoint = compiled_catalog().endpoint(tool)
        assert not endpoint.SPEC.mutates
        assert "limit" in endpoint.model_fields


def test_what_the_key_may_not_is_noted_and_no_failure(recorder: Recorder) -> None:
    def reply(request: Recorded) -> Canned:
        refused = "audit_logs" in request.path
        return Canned(status=403, body={"error": {"message": "no"}}) if refused else Canned(body={"data": []})

    recorder.reply = reply
    code, found = findings(**api(recorder))
    assert code == 0
    assert found["permissions"][0] == "note"
    assert found["permissions"][1] == ("the key may not list_audit_logs; of the 9 parts that were tried it can read 8")


def test_a_key_that_may_read_nothing_fails(recorder: Recorder) -> None:
    recorder.reply = lambda _: Canned(status=403, body={"error": {"message": "no"}})
    code, found = findings(**api(recorder))
    assert code == 1
    assert found["permissions"][0] == "FAIL"
    assert f"none of the {len(CHEAP_READS)} parts" in found["permissions"][1]


@pytest.mark.parametrize(("mode", "level"), [("none", "note"), ("two-step", "note"), ("local", "ok"), ("auto", "ok")])
def test_that_perhaps_no_person_is_asked_is_noted(mode: str, level: str) -> None:
    _, found = findings("--sandbox", "--approval", mode)
    assert found["approval"][0] == level
    _, found = findings("--sandbox", "--read-only", "--approval", mode)
    assert found["approval"][0] == "ok"


@pytest.mark.parametrize(
    ("env", "check", "said"),
    [
        ({}, "key", "OPENAI_ADMIN_KEY is not set"),
        ({"OPENAI_ADMIN_KEY": "sk-proj-1"}, "key", "a project's key, not an admin key"),
    ],
)
def test_a_missing_or_wrong_key_fails_with_the_page_to_go_to(
    env: dict[str, str], check: str, said: str, recorder: Recorder
) -> None:
    recorder.reply = lambda _: Canned(body={"data": []})
    code, out, _ = run("doctor", **{"OPENAI_BASE_URL": recorder.base_url, **env})
    assert code == 1
    assert f"FAIL  {check}: " in out
    assert said in out
    assert "https://platform.openai.com/settings/organization/admin-keys" in out


def test_a_key_the_api_refuses_fails_and_is_not_repeated(recorder: Recorder) -> None:
    recorder.reply = lambda _: Canned(status=401, body={"error": {"message": f"Incorrect API key: {KEY}"}})
    code, out, _ = run("doctor", **api(recorder))
    assert code == 1
    assert "FAIL  key: list_users: The API answered 401" in out
    assert KEY not in out
    assert len(recorder.requests) == 1


def test_an_unreachable_api_fails_and_names_it() -> None:
    code, out, _ = run("doctor", OPENAI_ADMIN_KEY=KEY, OPENAI_BASE_URL="http://127.0.0.1:9")
    assert code == 1
    assert "FAIL  API: list_users: Could not connect to 127.0.0.1" in out


def test_a_state_directory_that_cant_be_used_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    code, out, _ = run("doctor", "--sandbox", "--state-dir", str(tmp_path / "file"))
    assert code == 1
    assert "FAIL  state: " in out


def state_of(tmp_path: Path) -> tuple[int, str, str]:
    code, found = findings("--sandbox", "--state-dir", str(tmp_path / "state"))
    return code, *found["state"]


def written(tmp_path: Path) -> Path:
    journal = records(tmp_path / "state").journal
    journal.write("refused", "x", tool="delete_role")
    journal.write("refused", "y", tool="delete_role")
    return tmp_path / "state" / "gate.sqlite3"


@needs_file_modes
def test_a_state_directory_is_called_private_only_if_it_is(tmp_path: Path) -> None:
    written(tmp_path)
    assert state_of(tmp_path) == (0, "ok", f"{tmp_path / 'state'}, private, 2 journal records")
    (tmp_path / "state").chmod(0o755)
    code, level, detail = state_of(tmp_path)
    assert (code, level) == (0, "note")
    assert "others may look into it (its mode is 755)" in detail
    assert "chmod 700" in detail
    assert "private" not in detail
    (tmp_path / "state").chmod(0o777)
    code, level, detail = state_of(tmp_path)
    assert (code, level) == (1, "FAIL")
    assert "can be written by other users" in detail


@needs_file_modes
def test_a_database_that_others_can_read_fails_with_its_mend(tmp_path: Path) -> None:
    database = written(tmp_path)
    database.chmod(0o644)
    code, level, detail = state_of(tmp_path)
    assert (code, level) == (1, "FAIL")
    assert f"chmod go-rwx {database}" in detail


def test_a_damaged_record_fails_and_a_journal_that_is_gone_is_noted(tmp_path: Path) -> None:
    database = written(tmp_path)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE journal SET record = 'x' WHERE seq = 1")
    code, level, detail = state_of(tmp_path)
    assert (code, level) == (1, "FAIL")
    assert "record 1 is damaged, it is not JSON; changes are refused" in detail
    database.unlink()
    code, level, detail = state_of(tmp_path)
    assert (code, level) == (0, "note")
    assert "an earlier journal, of 1 records or more, is gone" in detail


def test_a_selection_too_large_for_a_host_is_noted() -> None:
    _, out, _ = run("doctor", "--sandbox", "--toolsets", "projects")
    assert "note  tools: some hosts show a model fewer: Cursor about 40; choose --toolsets, or --search" in out
    assert "Cursor about 40, VS Code about 128, Windsurf about 100;" in run("doctor", "--sandbox")[1]
    assert "show a model fewer" not in run("doctor", "--sandbox", "--search")[1]


def test_the_ways_to_a_person_follow_the_settings() -> None:
    out = run("doctor", "--sandbox")[1]
    assert "ok    approval: a page or a terminal on this machine: Claude Desktop, " in out
    assert "ok    approval: the host's own form: Claude Code, " in out
    assert all(out.count(host.title) >= 1 for host in HOSTS.values())
    assert out.count("approval: ") == 3
    assert "approval: NOBODY is asked: every host" in run("doctor", "--sandbox", "--approval", "none")[1]
    assert (
        "approval: nothing to ask, the server is read-only: every host" in run("doctor", "--sandbox", "--read-only")[1]
    )


def test_a_browser_switched_off_is_said() -> None:
    assert "switched off (ADMIN_MCP_OPEN_BROWSER=0)" in run("doctor", "--sandbox")[1]


def test_a_browser_is_looked_for_where_the_pages_process_will_look(tmp_path: Path) -> None:
    here = {"ADMIN_MCP_OPEN_BROWSER": "1", "DISPLAY": ":1", "PATH": str(tmp_path)}
    assert "ok    browser: approval pages open" in run("doctor", "--sandbox", **here, BROWSER="/some/browser %s")[1]
    if sys.platform == "linux":
        assert "note  browser: none was found" in run("doctor", "--sandbox", **here, BROWSER="")[1]


@pytest.mark.parametrize(
    ("there", "wanted", "said"),
    [
        (True, "0", "ok    desktop: notifications are switched off"),
        (False, "1", "ok    desktop: no notifications; they come with the extra desktop"),
        (True, "1", "note  desktop: no notification can be shown: [Errno 2] No such file"),
    ],
)
@needs_linux
def test_whether_notifications_can_be_shown_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool, wanted: str, said: str
) -> None:
    monkeypatch.setattr(desktop, "installed", lambda: there)
    bus = f"unix:path={tmp_path / 'none'}"
    here = {"ADMIN_MCP_DESKTOP_NOTIFICATIONS": wanted, "DBUS_SESSION_BUS_ADDRESS": bus}
    assert said in run("doctor", "--sandbox", **here)[1]


def test_a_wrong_policy_ends_it_as_it_would_end_the_server(tmp_path: Path) -> None:
    code, out, err = run("doctor", "--sandbox", "--config", str(tmp_path / "none.toml"))
    assert (code, out) == (2, "")
    assert "can't be read" in err


def test_what_the_operator_should_do_is_said_to_the_reader_who_is_the_operator() -> None:
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": "http://127.0.0.1:9"}
    _, out, _ = run("doctor", **env)
    assert "If it stays so, check OPENAI_BASE_URL, proxy and network." in out
    _, out, _ = run("doctor", **{**env, "OPENAI_BASE_URL": "https://api.example.com/v1"}, HTTPS_PROXY="ftp://x")
    assert "Correct or remove that variable" in out
    assert "The operator" not in out


def test_what_was_found_is_there_for_programs_with_the_same_exit_codes() -> None:
    code, out, _ = run("doctor", "--json", "--sandbox")
    found = json.loads(out)
    assert (code, found["well"]) == (0, True)
    assert {"policy", "command", "key", "API", "state", "tools"} <= {each["what"] for each in found["findings"]}
    assert {each["level"] for each in found["findings"]} <= {"ok", "note"}
    assert isinstance(found["hosts"], list)
    code, out, _ = run("doctor", "--json", OPENAI_BASE_URL="http://127.0.0.1:9")
    found = json.loads(out)
    assert (code, found["well"]) == (1, False)
    assert ("fail", "key") in {(each["level"], each["what"]) for each in found["findings"]}

"""The server inside the real hosts, which are told what to do by a stand-in for their model on loopback.

``make hosts`` installs the hosts, from npm, and runs this; ``make test`` leaves it out.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from admin_mcp.installation import command
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.search import search_tools
from tests.hosts.hosts import BIN, HERE, NOWHERE, PROGRAMS, Home, run
from tests.hosts.models import Arguments, Call, Json, Model, model
from tests.hosts.screen import Screen, needs_screen, screen
from tests.terminal import needs_terminal, terminal

ROLE = "role_TyyjNbUhqc566UPc"
EVERY = {tool["name"] for tool in every_definition()}
PREFIX = "mcp__openai-admin__"

hosts = pytest.mark.parametrize("host", PROGRAMS)


@pytest.fixture
def home() -> Iterator[Home]:
    """Not under pytest's own directory: its names are too long for tmux's socket, and Codex wants no /tmp."""
    directory = Path("/var/tmp") if Path("/var/tmp").is_dir() else None  # noqa: S108 - a new directory in it
    with TemporaryDirectory(prefix="hosts-", dir=directory, ignore_cleanup_errors=True) as made:
        yield Home.new(Path(made) / "home")


def script(host: str, *calls: tuple[str, Arguments]) -> list[Call]:
    """The calls as this host's model has to make them.

    Claude Code shows its model no tool of a server until the model has searched for it, and then calls it by name.
    """
    if host != "claude-code":
        return [Call(tool, arguments) for tool, arguments in calls]
    names = ",".join(f"{PREFIX}{tool}" for tool in dict.fromkeys(tool for tool, _ in calls))
    # The first search may come while the server is still starting: it waits, and may have nothing yet.
    search = [Call("ToolSearch", {"query": f"select:{names}"})] * 2
    return [*search, *(Call(f"{PREFIX}{tool}", arguments, unseen=True) for tool, arguments in calls)]


def said(result: str) -> Json:
    """The server's JSON in what a host makes of a result: some put words of their own around it."""
    if "with response: [" in result:  # Gemini CLI tells its model of an error by the MCP result it came in, whole
        (whole,) = json.JSONDecoder().raw_decode(result.partition("with response: ")[2])[0]
        result = whole["functionResponse"]["response"]["content"][0]["text"]
    value: Json = json.JSONDecoder().raw_decode(result[result.index("{") :])[0]
    if isinstance(content := value.get("content"), list):  # Cline hands on the MCP result as it is
        value = json.loads(content[0]["text"])
    return value


def answers(made: Model, count: int) -> list[Json]:
    assert made.unknown == []
    assert len(made.results) == len(made.calls), made.results
    return [said(result) for result in made.results[-count:]]


def describe(text: str) -> Json:
    return {"role_id": ROLE, "description": text}


def pending(results: list[str]) -> str:
    error = said(results[-1])["error"]
    assert error["kind"] == "approval_pending"
    found = re.search(r"approvals approve (\w+)", error["hint"])
    assert found
    return found[1]


def approved(home: Home, arguments: Json) -> Callable[[list[str]], Json]:
    """Approve as a person does who was told the command, before the model repeats the call."""

    def then(results: list[str]) -> Json:
        with terminal("--state-dir", str(home.state), "approvals", "approve", pending(results)) as at:
            at.wait_for("To approve, type ")
            at.type("approve")
            assert at.end() == 0
        return arguments

    return then


def denied(home: Home, arguments: Json) -> Callable[[list[str]], Json]:
    def then(results: list[str]) -> Json:
        words = [*command(), "--state-dir", str(home.state), "approvals", "deny", pending(results)]
        subprocess.run(words, check=True, capture_output=True)
        return arguments

    return then


@needs_terminal
@hosts
def test_a_host_reads_is_put_off_is_refused_and_changes_once_a_person_at_a_terminal_approved(
    host: str, home: Home
) -> None:
    no, yes = describe("never"), describe(f"changed in {host}")
    calls = script(
        host,
        ("list_roles", {}),
        ("update_role", no),
        ("update_role", denied(home, no)),
        ("update_role", yes),
        ("update_role", approved(home, yes)),
        ("get_role", {"role_id": ROLE}),
    )
    with model(*calls) as made:
        flags = ("--sandbox", "--approval", "local")
        program = PROGRAMS[host]
        program.prepare(home, made.address, home.printed(host, *flags, ADMIN_MCP_APPROVAL_WAIT="0.5"))
        done = run(program, home, made.address)
    assert done.returncode == 0, done.stderr
    roles, first, refused, second, changed, role = answers(made, 6)
    assert ROLE in {each["id"] for each in roles["data"]}
    assert first["error"]["kind"] == second["error"]["kind"] == "approval_pending"
    assert refused["error"]["kind"] == "approval_denied"
    assert changed["description"] == role["description"] == f"changed in {host}"


def offered(host: str, made: Model) -> set[str]:
    """The server's own names of the tools that the host told its model of, in its list or, Claude Code, in words."""
    if host == "claude-code":
        return set(re.findall(rf"{PREFIX}(\w+)", json.dumps(made.bodies[-1][1])))
    return {bare for name in made.offered if (bare := re.sub(r"^(mcp_)?openai-admin_+", "", name)) in KNOWN}


KNOWN = EVERY | {tool["name"] for tool in search_tools()}
PEOPLE = {"list_users", "create_invite", "delete_user"}


@hosts
def test_a_host_is_shown_every_tool_unless_fewer_are_chosen(host: str, home: Home) -> None:
    assert listed(host, home, "get_role", {"role_id": ROLE}) == EVERY


@hosts
def test_a_host_is_shown_the_toolset_that_was_chosen(host: str, home: Home) -> None:
    found = listed(host, home, "list_users", {}, "--toolsets", "people")
    assert found >= PEOPLE
    assert found < EVERY


@hosts
def test_a_host_finds_and_calls_a_tool_in_the_search_mode(host: str, home: Home) -> None:
    arguments = {"name": "list_roles", "arguments": {}}
    assert listed(host, home, "call_read", arguments, "--search") == {tool["name"] for tool in search_tools()}


def listed(host: str, home: Home, tool: str, arguments: Json, *flags: str) -> set[str]:
    """Have the host make one read, which succeeds, and return the tools that its model was told of."""
    with model(*script(host, (tool, arguments))) as made:
        program = PROGRAMS[host]
        program.prepare(home, made.address, home.printed(host, "--sandbox", *flags))
        done = run(program, home, made.address)
    assert done.returncode == 0, done.stderr
    (read,) = answers(made, 1)
    assert read.get("data") or read.get("id") == ROLE, read
    return offered(host, made)


@contextmanager
def sandbox() -> Iterator[str]:
    """The sandbox over HTTP, in place of the API."""
    with subprocess.Popen([*command(), "sandbox"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.mark.parametrize(
    "host", [name for name in PROGRAMS if name != "cline"]
)  # it knows none: the key is in its file
def test_a_host_follows_the_reference_to_the_key_that_config_prints(host: str, home: Home) -> None:
    with sandbox() as api, model(*script(host, ("list_users", {}))) as made:
        program = PROGRAMS[host]
        away = {"HTTPS_PROXY": NOWHERE, "HTTP_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1"}
        printed = home.printed(host, OPENAI_BASE_URL=api, **away)
        assert "sk-admin" not in printed
        program.prepare(home, made.address, printed)
        done = run(program, home, made.address, OPENAI_ADMIN_KEY="sk-admin-dummy")
    assert done.returncode == 0, done.stderr
    (users,) = answers(made, 1)
    assert users["data"]


@pytest.mark.parametrize(("host", "told"), [("claude-code", "closed without an answer"), ("codex", "declined")])
def test_a_host_that_shows_forms_closes_them_where_nobody_looks_and_nothing_is_changed(
    host: str, told: str, home: Home
) -> None:
    with model(*script(host, ("update_role", describe("never")), ("get_role", {"role_id": ROLE}))) as made:
        program = PROGRAMS[host]
        program.prepare(home, made.address, home.printed(host, "--sandbox"))
        done = run(program, home, made.address)
    assert done.returncode == 0, done.stderr
    refused, role = answers(made, 2)
    assert refused["error"]["kind"] == "approval_denied"
    assert told in refused["error"]["message"]
    assert role["description"] != "never"


@contextmanager
def on_screen(host: str, home: Home, *calls: tuple[str, Arguments]) -> Iterator[tuple[Screen, Model]]:
    program = PROGRAMS[host]
    with model(*script(host, *calls)) as made:
        program.prepare(home, made.address, home.printed(host, "--sandbox"))
        environment = home.environment(program.environment(made.address))
        with screen(program.at_screen(), environment, home.work, home.directory.parent / "tmux") as at:
            yield at, made


FORM = "An agent asks to make this change"
MAY_RUN = "Allow the openai-admin MCP server to run tool"


@needs_screen
def test_claude_code_shows_its_form_on_the_screen_and_a_no_and_a_yes_are_heard(home: Home) -> None:
    calls = (("update_role", describe("never")), ("update_role", describe("changed")), ("get_role", {"role_id": ROLE}))
    with on_screen("claude-code", home, *calls) as (at, made):
        shown = at.wait_for("requests your input")
        assert FORM in shown
        assert f"Change role “Group manager” ({ROLE})" in shown
        at.press("Down", "❯ Accept")
        at.press("Right", "❯ Decline")
        at.press_until_gone("Enter", "❯ Decline")
        made.wait_for(3)
        at.wait_for("Decision: ▸ not set")
        at.press("Right", "❯ ◯ reject")
        at.press("Down", "❯ ◯ approve")
        at.press("Space", "Decision: ▸ approve")
        at.press("Enter", "❯ Accept")
        at.press_until_gone("Enter", "❯ Accept")
        at.wait_for("All done.")
    refused, changed, role = answers(made, 3)
    assert refused["error"]["kind"] == "approval_denied"
    assert changed["description"] == role["description"] == "changed"


@needs_screen
def test_codex_asks_whether_the_tool_may_run_then_shows_the_form_and_a_no_and_a_yes_are_heard(home: Home) -> None:
    calls = (("update_role", describe("never")), ("update_role", describe("changed")), ("get_role", {"role_id": ROLE}))
    with on_screen("codex", home, *calls) as (at, made):
        at.wait_for("description: never")
        at.press_until_gone("Enter", MAY_RUN)
        shown = at.wait_for(FORM)
        for line in ("Set description: “Manages groups and who is in them.” -> “never”", "Undo: ", "Request: POST /"):
            assert line in shown
        at.wait_for("› 1. reject")
        at.press_until_gone("Enter", "› 1. reject")
        at.wait_for("description: changed")
        at.press_until_gone("Enter", MAY_RUN)
        at.wait_for(FORM)
        at.wait_for("› 1. reject")
        at.press("Down", "› 2. approve")
        at.press_until_gone("Enter", "› 2. approve")
        at.wait_for("All done.")
    refused, changed, role = answers(made, 3)
    assert refused["error"]["kind"] == "approval_denied"
    assert changed["description"] == role["description"] == "changed"


@needs_screen
def test_goose_shows_the_form_and_a_no_and_a_yes_are_heard(home: Home) -> None:
    calls = (("update_role", describe("never")), ("update_role", describe("changed")), ("get_role", {"role_id": ROLE}))
    with on_screen("goose", home, *calls) as (at, made):
        at.wait_for("-> “never”")
        shown = at.wait_for("Options: reject, approve")
        for line in (FORM, f"Change role “Group manager” ({ROLE})", "Undo: ", "Request: POST /"):
            assert line in shown
        at.wait_for("sends it once.)*:")
        at.press("reject", "sends it once.)*: reject")
        at.press("Enter", "-> “changed”")
        at.press("approve", "sends it once.)*: approve")
        at.press("Enter", "All done.")
    refused, changed, role = answers(made, 3)
    assert refused["error"]["kind"] == "approval_denied"
    assert changed["description"] == role["description"] == "changed"


def test_codexs_own_parser_reads_what_is_printed(home: Home) -> None:
    program = PROGRAMS["codex"]
    program.prepare(home, NOWHERE, home.printed("codex", "--read-only"))
    done = subprocess.run(
        [str(BIN / "codex"), "mcp", "list", "--json"],
        env=home.environment(program.environment(NOWHERE)),
        cwd=home.work,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (server,) = json.loads(done.stdout)
    assert server["name"] == "openai-admin"
    transport: dict[str, Any] = server["transport"]
    assert [transport["command"], *transport["args"]][-1] == "--read-only"
    assert transport["env_vars"] == ["OPENAI_ADMIN_KEY"]


def test_the_yaml_for_goose_is_read_by_a_parser_of_yaml(home: Home) -> None:
    read = "parse(readFileSync(0, 'utf8'))"
    program = f"import {{parse}} from 'yaml'; import {{readFileSync}} from 'fs'; console.log(JSON.stringify({read}))"
    words = [str(BIN / "node"), "--input-type=module", "-e", program]
    printed = home.printed("goose", "--toolsets", "people")
    done = subprocess.run(words, input=printed, cwd=HERE, capture_output=True, check=True, text=True)
    entry = json.loads(done.stdout)["extensions"]["openai-admin"]
    assert [entry["cmd"], *entry["args"]][-2:] == ["--toolsets", "people"]
    assert entry["env_keys"] == ["OPENAI_ADMIN_KEY"]
    assert (entry["enabled"], entry["type"], entry["timeout"]) == (True, "stdio", 660)

"""The command line, as an operator types it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from admin_mcp import __version__
from admin_mcp.cli.main import main
from admin_mcp.settings import PLACEHOLDER_KEY, Settings
from admin_mcp.tools.definitions import every_definition
from tests.sessions import LEGACY, environment, session
from tests.terminal import needs_terminal, terminal

CONFIG = Path(__file__).parents[2] / "config" / "claude_desktop_config.json"


def run(*arguments: str, **env: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, arguments, env=env)
    return result.exit_code, result.stdout, result.stderr


def test_version_is_printed() -> None:
    assert run("--version") == (0, f"openai-admin-mcp, version {__version__}\n", "")


def test_tools_prints_what_a_client_gets() -> None:
    code, out, _ = run("tools", "--json")
    assert code == 0
    assert json.loads(out) == {"tools": list(every_definition())}
    assert f"{len(every_definition())} tools" in run("tools")[1]


def test_tools_of_a_read_only_server_are_the_reading_ones() -> None:
    _, out, _ = run("--read-only", "tools", "--json")
    assert {tool["annotations"]["readOnlyHint"] for tool in json.loads(out)["tools"]} == {True}


def test_tools_as_markdown_names_every_tool_once() -> None:
    _, out, _ = run("tools", "--markdown")
    for tool in every_definition():
        assert out.count(f"| `{tool['name']}` |") == 1


def test_the_printed_claude_desktop_configuration_starts_the_server() -> None:
    code, out, _ = run("--sandbox", "config", "claude-desktop")
    assert code == 0
    entry = json.loads(out)["mcpServers"]["openai-admin"]
    assert Path(entry["command"]).is_absolute()
    completed = subprocess.run(
        [entry["command"], *entry["args"]],
        env={**os.environ, **environment()},
        input=b"",
        capture_output=True,
        check=True,
    )
    assert b"sandbox" in completed.stderr
    assert completed.stdout == b""


def test_the_sample_configuration_is_the_printed_one_with_a_placeholder_for_the_command() -> None:
    sample = json.loads(CONFIG.read_text("utf-8"))
    printed = json.loads(run("config", "claude-desktop")[1])
    assert "REPLACE" in sample["mcpServers"]["openai-admin"]["command"]
    printed["mcpServers"]["openai-admin"]["command"] = sample["mcpServers"]["openai-admin"]["command"]
    printed["mcpServers"]["openai-admin"]["args"] = sample["mcpServers"]["openai-admin"]["args"]
    assert sample == printed


def test_the_page_of_tools_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "tools.md"
    assert page.read_text("utf-8") == run("tools", "--markdown")[1], "run `make catalog`"


def test_the_page_of_settings_is_up_to_date() -> None:
    script = Path(__file__).parents[2] / "scripts" / "write_configuration.py"
    made = subprocess.run([sys.executable, str(script)], capture_output=True, check=True, encoding="utf-8")
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert page.read_text("utf-8") == made.stdout, "run `make catalog`"


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.anyio
async def test_the_placeholder_key_counts_as_no_key() -> None:
    async with session(LEGACY, env={"OPENAI_ADMIN_KEY": PLACEHOLDER_KEY}) as running:
        assert (await running.error("list_roles"))["kind"] == "authentication"


@pytest.mark.parametrize(
    ("arguments", "env", "says"),
    [
        ((), {"OPENAI_BASE_URL": "http://api.example.com"}, "OPENAI_BASE_URL: plain http is only for loopback"),
        ((), {"OPENAI_BASE_URL": "ftp://x"}, "OPENAI_BASE_URL: must be an https:// URL"),
        ((), {"OPENAI_ADMIN_KEY": "sk admin"}, "OPENAI_ADMIN_KEY: the key contains a character no key has"),
        ((), {"ADMIN_MCP_APPROVAL": "maybe"}, "ADMIN_MCP_APPROVAL"),
        (("--approval", "maybe"), {}, "'maybe' is not one of"),
        (("--nonsense",), {}, "No such option"),
        (("nonsense",), {}, "No such command"),
    ],
)
def test_wrong_settings_end_with_2_and_name_the_setting(
    arguments: tuple[str, ...], env: dict[str, str], says: str
) -> None:
    code, out, err = run(*arguments, **env)
    assert (code, out) == (2, "")
    assert says in err
    assert "sk admin" not in err


WRONG = [
    (["--nonsense"], {}, "No such option '--nonsense'."),
    (["serve", "--nonsense"], {}, "No such option '--nonsense'."),
    (["nonsense"], {}, "No such command 'nonsense'."),
    (["--approval", "maybe"], {}, "Invalid value for '--approval'"),
    (["--faults", "429=1%"], {}, "--faults works only with --sandbox."),
    (["--config", "/nowhere/policy.toml"], {}, "/nowhere/policy.toml: the policy file can't be read"),
    (["--toolsets", "peple"], {}, "--toolsets: there is no toolset 'peple'. Did you mean people?"),
    (["--toolsets", "costs", "--exclude-tools", "*"], {}, "together leave no tool."),
    ([], {"ADMIN_MCP_APPROVAL": "maybe"}, "ADMIN_MCP_APPROVAL: "),
    ([], {"ADMIN_MCP_READONLY": "1"}, "ADMIN_MCP_READONLY: there is no such setting; did you mean"),
    (["serve"], {"OPENAI_BASE_URL": "ftp://x"}, "OPENAI_BASE_URL: must be an https:// URL"),
]


@pytest.mark.parametrize(("arguments", "env", "says"), WRONG, ids=str)
def test_a_wrong_setting_ends_the_server_with_2_and_one_line(
    arguments: list[str], env: dict[str, str], says: str
) -> None:
    code, out, err = run(*arguments, **env)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert says in err
    assert err.endswith(" See openai-admin-mcp --help\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "access", "--sandbox"], "--sandbox goes before the command: main --sandbox report access\n"),
        (["plans", "list", "--state-dir=/x"], "--state-dir goes before the command: main --state-dir ... plans list\n"),
        (["report", "access", "--nonsense"], "No such option '--nonsense'.\n"),
        (["report", "acces"], "No such command 'acces'. Did you mean access?\n"),
        (["report", "nonsense"], "No such command 'nonsense'.\n"),
        (["approvals", "lst"], "No such command 'lst'. Did you mean 'list'?\n"),
    ],
)
def test_what_is_misplaced_or_misspelt_is_told_with_the_way_out(arguments: list[str], says: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.endswith(f"Error: {says}")


def test_a_flag_of_the_program_that_a_command_has_too_is_taken_there() -> None:
    assert run("tools", "--read-only")[0] == 0
    assert run("doctor", "--sandbox")[0] == 0


def test_completion_takes_any_stdin() -> None:
    for script in ("bash_source", "zsh_source"):
        done = subprocess.run(
            [sys.executable, "-m", "admin_mcp"],
            env={**os.environ, **environment(), "_OPENAI_ADMIN_MCP_COMPLETE": script},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert b"_openai_admin_mcp_completion" in done.stdout
        assert b"approval" not in done.stderr


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield each command there is, with the words that name it."""
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (below := command.get_command(context, name)) is not None:
                yield from commands(below, click.Context(below, context, name))


EVERY = {path: (each, context) for path, each, context in commands(main, click.Context(main, info_name="main"))}


@pytest.mark.parametrize("path", EVERY)
def test_the_help_of_no_command_breaks_a_word(path: str) -> None:
    command, context = EVERY[path]
    context.terminal_width = 80
    shown = set(command.get_help(context).split())
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden and parameter.help:
            assert set(parameter.help.split()) <= shown


def test_a_wrong_setting_of_another_command_shows_how_that_is_used() -> None:
    code, _, err = run("doctor", "--nonsense")
    assert code == 2
    assert err.startswith("Usage: openai-admin-mcp doctor") or "Usage: main doctor" in err


@needs_terminal
def test_started_by_hand_it_says_what_it_waits_for_and_ctrl_c_ends_it() -> None:
    with terminal("--sandbox") as at:
        at.wait_for("This waits for an MCP client")
        at.wait_for("openai-admin-mcp install claude-desktop")
        at.wait_for("--help  ")
        at.process.send_signal(signal.SIGINT)  # the child has no controlling terminal to turn the key into it
        assert at.end() != 0


def test_started_by_a_host_it_says_nothing_of_terminals() -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "admin_mcp", "--sandbox"],
        env={**os.environ, **environment()},
        input=b"",
        capture_output=True,
        check=True,
    )
    assert b"Ctrl-C" not in completed.stderr


def test_the_demo_reads_is_put_off_is_approved_and_shows_the_change() -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "admin_mcp", "demo"],
        env={**os.environ, **environment()},
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=60,
    )
    story = completed.stdout
    steps = [
        f"lists the tools: {len(every_definition())}",
        "list_roles",
        "The person closes it undecided",
        "approval_denied",
        "approve",
        "description is now",
    ]
    places = [story.index(step) for step in steps]
    assert places == sorted(places)
    assert "asked 2 times; exactly one change" in story


def test_approval_none_warns_loudly() -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "admin_mcp", "--sandbox", "--approval", "none"],
        env={**os.environ, **environment()},
        input=b"",
        capture_output=True,
        check=True,
    )
    assert b"WARNING: --approval none: every change is made WITHOUT asking anyone." in completed.stderr


def modules_after(imports: str) -> set[str]:
    script = f"{imports}\nimport sys\nprint(*sys.modules)"
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, encoding="utf-8")
    return set(completed.stdout.split())


SMALL = {"dotenv", "platformdirs", "pydantic", "pydantic_settings"}
"""The packages the server loads beside the SDK before its first tools/list: the settings, and the state's directory."""


def test_the_first_list_needs_the_sdk_a_few_small_modules_and_nothing_of_the_catalog() -> None:
    sdk = modules_after("import mcp.server.lowlevel, mcp.server.stdio, mcp_types")
    ours = modules_after(
        "import admin_mcp.cli.main, admin_mcp.server.app, admin_mcp.server.stdio, admin_mcp.gate.storage\n"
        "from admin_mcp.catalog import compiled_catalog\ncompiled_catalog()"
    )
    added = ours - sdk - {"admin_mcp.catalog.hints"}
    assert not [name for name in added if name.startswith(("admin_mcp.catalog.", "admin_mcp.api.client"))]
    assert {
        "admin_mcp.channels.page_server",
        "admin_mcp.channels.page_process",
        "admin_mcp.sandbox.organization",
    }.isdisjoint(added)
    packages = {name.partition(".")[0] for name in added} - {"admin_mcp"} - sys.stdlib_module_names
    assert packages <= SMALL
    assert "httpx" not in ours
    assert {"pkgutil", "asyncio.subprocess", "unittest", "xml"}.isdisjoint(added)


def cut_short(group: click.Group, before: str = "") -> list[str]:
    """The commands whose line in their group's help ends in three dots, at 80 columns."""
    context = click.Context(group)
    commands = {name: group.get_command(context, name) for name in group.list_commands(context)}
    room = 78 - 6 - max(map(len, commands))
    found: list[str] = []
    for name, command in commands.items():
        assert command is not None
        line = command.get_short_help_str(room)
        found += [f"{before}{name}: {line}"] * (line.endswith("...") or len(line) > room) if not command.hidden else []
        found += cut_short(command, f"{before}{name} ") if isinstance(command, click.Group) else []
    return found


def test_no_command_is_described_by_half_a_sentence() -> None:
    assert cut_short(main) == []
    long = click.Group(commands=[click.Command("a", help="word " * 40)])
    assert len(cut_short(long)) == 1

"""Settings: environment below flags, keys never shown, unsafe URLs refused."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from admin_mcp.cli.main import main
from admin_mcp.errors import SettingsError
from admin_mcp.settings import DEFAULT_BASE_URL, load_settings


def test_defaults_are_the_safe_ones() -> None:
    settings = load_settings()
    assert settings.admin_key is None
    assert (settings.base_url, settings.approval, settings.secrets) == (DEFAULT_BASE_URL, "auto", "file")
    assert not settings.sandbox
    assert not settings.read_only


def test_the_environment_is_read_and_a_flag_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_MCP_APPROVAL", "none")
    monkeypatch.setenv("ADMIN_MCP_READ_ONLY", "true")
    assert load_settings().approval == "none"
    assert load_settings().read_only
    assert load_settings(approval="elicit").approval == "elicit"


def test_no_env_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ADMIN_MCP_APPROVAL=none\nOPENAI_ADMIN_KEY=sk-admin-planted\n")
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert (settings.approval, settings.admin_key) == ("auto", None)


def test_the_key_is_trimmed_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", " sk-admin-secret\n")
    settings = load_settings()
    assert settings.admin_key is not None
    assert settings.admin_key.get_secret_value() == "sk-admin-secret"
    assert "sk-admin-secret" not in repr(settings)
    assert "sk-admin-secret" not in str(settings.target)


@pytest.mark.parametrize("key", ["", "   ", "REPLACE-WITH-YOUR-ADMIN-KEY"])
def test_an_empty_or_placeholder_key_is_no_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", key)
    assert load_settings().admin_key is None


def test_a_bad_key_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-“quoted”")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "quoted" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "https://",
        "api.example.com",
        "https://user:pass@x/v1",
        "https://x/v1?a=b",
        "file:///x",
    ],
)
def test_an_unsafe_base_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL"):
        load_settings(base_url=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://localhost/v1", "https://x/v1/"]
)
def test_https_and_loopback_base_urls_are_taken_without_their_last_slash(url: str) -> None:
    assert load_settings(base_url=url).base_url == url.rstrip("/")


def test_the_sandbox_another_url_and_another_key_are_other_systems() -> None:
    systems = {
        load_settings(sandbox=True).target.system,
        load_settings(admin_key="a").target.system,
        load_settings(admin_key="b").target.system,
        load_settings(admin_key="a", base_url="https://x/v1").target.system,
    }
    assert len(systems) == 4


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().approval = "none"  # type: ignore[misc]  # the point


@pytest.mark.parametrize("name", ["state_dir", "config"])
def test_a_relative_path_is_refused_and_a_home_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert getattr(load_settings(**{name: "~/x"}), name) == tmp_path / "x"
    for relative in ("x", "./x", "../x"):
        with pytest.raises(SettingsError, match=f"--{name.replace('_', '-')}: .* is relative"):
            load_settings(**{name: relative})
        monkeypatch.setenv(f"ADMIN_MCP_{name.upper()}", relative)
        with pytest.raises(SettingsError, match=f"ADMIN_MCP_{name.upper()}: .* is relative"):
            load_settings()
        monkeypatch.delenv(f"ADMIN_MCP_{name.upper()}")


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "4000", "soon"])
def test_a_wait_that_makes_no_sense_is_refused(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_MCP_APPROVAL_WAIT", seconds)
    with pytest.raises(SettingsError, match="ADMIN_MCP_APPROVAL_WAIT"):
        load_settings()


UNKNOWN = [
    ("ADMIN_MCP_READONLY", "did you mean ADMIN_MCP_READ_ONLY?"),
    ("ADMIN_MCP_Read_Onyl", "did you mean ADMIN_MCP_READ_ONLY?"),
    ("admin_mcp_readonly", "did you mean ADMIN_MCP_READ_ONLY?"),
    ("ADMIN_MCP_TOOLSET", "did you mean ADMIN_MCP_TOOLSETS?"),
    ("ADMIN_MCP_APROVAL", "did you mean ADMIN_MCP_APPROVAL?"),
    ("ADMIN_MCP_ADMIN_KEY", "did you mean OPENAI_ADMIN_KEY?"),
    ("ADMIN_MCP_BASE_URL", "did you mean OPENAI_BASE_URL?"),
    ("ADMIN_MCP_XYZZY", "there are ADMIN_MCP_ANSWER_BYTES, ADMIN_MCP_APPROVAL, "),
]


@pytest.mark.parametrize(("name", "said"), UNKNOWN)
@pytest.mark.parametrize("value", ["1", ""])
def test_a_variable_that_is_no_setting_is_an_error_with_the_one_that_was_meant(
    name: str, said: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"{name}: there is no such setting; {said}")


def test_several_variables_that_are_no_settings_come_in_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_MCP_READONLY", "1")
    monkeypatch.setenv("ADMIN_MCP_STATEDIR", "/tmp/x")  # noqa: S108 - never touched
    with pytest.raises(SettingsError, match=r"READONLY: .*READ_ONLY\?; ADMIN_MCP_STATEDIR: .*STATE_DIR\?"):
        load_settings()


def test_a_variables_letter_case_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("admin_mcp_read_only", "1")
    assert load_settings().read_only


def test_variables_of_other_programs_are_no_concern(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADMIN_MCPX", "ADMIN_READ_ONLY", "MY_ADMIN_MCP_READONLY", "OPENAI_ORG_ID"):
        monkeypatch.setenv(name, "1")
    assert not load_settings().read_only


COMMANDS = [
    (),
    ("serve",),
    ("tools",),
    ("doctor",),
    ("policy", "explain", "get_user"),
    ("policy", "check", "policy.toml"),
    ("approvals", "list"),
    ("inbox",),
    ("journal", "list"),
    ("plans", "list"),
    ("secrets", "list"),
    ("config", "cursor"),
    ("install", "claude-desktop", "--dry-run"),
    ("report", "keys"),
    ("evidence", "export", "--period", "30d", "-o", "unused"),
    ("sandbox",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_ends_with_2_on_a_variable_that_is_no_setting(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, command, env={"ADMIN_MCP_READONLY": "1"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert "ADMIN_MCP_READONLY: there is no such setting; did you mean ADMIN_MCP_READ_ONLY?" in result.stderr


def test_the_commands_tried_are_all_that_have_settings() -> None:
    # The demo starts a server with settings of its own, and uninstall takes an entry out whatever is set.
    assert {command[0] for command in COMMANDS if command} == set(main.commands) - {"demo", "uninstall"}


SERVED = [
    command
    for command in COMMANDS
    if command[:1] not in [("approvals",), ("inbox",), ("journal",), ("plans",), ("secrets",), ("sandbox",)]
]


@pytest.mark.parametrize("command", SERVED, ids=" ".join)
@pytest.mark.parametrize(("name", "value"), [("faults", "429=10%"), ("seed", "0")])
def test_what_is_for_the_sandbox_alone_is_refused_without_it(command: tuple[str, ...], name: str, value: str) -> None:
    for flags, env, spelt in (
        ([f"--{name}", value], {}, f"--{name}"),
        ([], {f"ADMIN_MCP_{name.upper()}": value}, f"ADMIN_MCP_{name.upper()}"),
        ([f"--{name}", value], {f"ADMIN_MCP_{name.upper()}": value}, f"--{name}"),
    ):
        result = CliRunner().invoke(main, [*flags, *command], env=env)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{spelt} works only with --sandbox" in result.stderr


@pytest.mark.parametrize("sandbox", [{"ADMIN_MCP_SANDBOX": "1"}, {}])
def test_what_is_for_the_sandbox_is_taken_with_it(sandbox: dict[str, str]) -> None:
    flags = [] if sandbox else ["--sandbox"]
    for given in (["--faults", "429=10%"], ["--seed", "3"]):
        assert CliRunner().invoke(main, [*flags, *given, "tools"], env=sandbox).exit_code == 0


@pytest.mark.parametrize("command", [("approvals", "list"), ("journal", "list"), ("secrets", "list")], ids=" ".join)
def test_a_command_in_the_environment_of_a_sandbox_started_by_a_flag_works(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, command, env={"ADMIN_MCP_FAULTS": "429=10%", "ADMIN_MCP_SEED": "3"})
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("flags", "env", "says"),
    [
        (["--faults", "x"], {}, "--faults: x: no such fault"),
        ([], {"ADMIN_MCP_FAULTS": "x"}, "ADMIN_MCP_FAULTS: x: no such fault"),
        (["--faults", "x"], {"ADMIN_MCP_FAULTS": "429=1%"}, "--faults: x: no such fault"),
        (["--state-dir", "x"], {}, "--state-dir: x is relative"),
        ([], {"ADMIN_MCP_STATE_DIR": "x"}, "ADMIN_MCP_STATE_DIR: x is relative"),
    ],
)
def test_a_wrong_value_is_named_as_it_was_given(flags: list[str], env: dict[str, str], says: str) -> None:
    result = CliRunner().invoke(main, ["--sandbox", *flags, "tools"], env=env)
    assert result.exit_code == 2
    assert f"Error: {says}" in result.stderr

"""``policy``: the sample, what a file comes to, which rule decides, and why not the ones before it."""

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.tools.definitions import every_definition

SAMPLE = Path(__file__).parents[2] / "config" / "policy.toml"


def run(*arguments: str, **env: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, arguments, env=env)
    return result.exit_code, result.stdout, result.stderr


def policy(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policy.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return str(path)


def test_the_default_is_explained_without_a_file() -> None:
    code, out, _ = run("policy", "explain", "delete_role")
    assert code == 0
    assert "decides      default: changes need a person's approval" in out
    assert "delete_role (destroy): a person is asked (--approval auto)" in out
    assert "allowed without asking" in run("policy", "explain", "list_roles")[1]


def test_each_rule_that_was_passed_over_says_why(tmp_path: Path) -> None:
    config = policy(tmp_path, SAMPLE.read_text("utf-8"))
    _, out, _ = run("--config", config, "policy", "explain", "create_admin_api_key", "--args", '{"name": "ci"}')
    assert "decides      nobody makes admin keys through an assistant" in out
    assert "create_admin_api_key (grant): refused" in out
    _, out, _ = run("--config", config, "policy", "explain", "delete_role", ADMIN_MCP_APPROVAL="none")
    assert (
        "passed over  nobody makes admin keys through an assistant (policy.toml line 16): delete_role fits none" in out
    )
    assert "delete_role (destroy): a person is asked, through local only" in out
    _, out, _ = run("--config", config, "policy", "explain", "create_project", "--args", '{"name": "Lab"}')
    assert "are confirmed on this machine (policy.toml line 22): create is not destroy or grant" in out


def test_arguments_decide_where_a_rule_names_projects(tmp_path: Path) -> None:
    config = policy(tmp_path, '[[rules]]\ndecision = "deny"\nproject_ids = ["proj_1"]\n')
    explain = ("--config", config, "policy", "explain", "archive_project")
    assert "refused" in run(*explain, "--args", '{"project_id": "proj_1"}')[1]
    assert "a person is asked" in run(*explain, "--args", '{"project_id": "proj_2"}')[1]
    assert "give the call's arguments" in run(*explain)[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("delet_role",), "there is no tool delet_role"),
        (("delete_role", "--args", "{"), "--args is not JSON"),
        (("delete_role", "--args", "[]"), "--args must be a JSON object"),
        (("delete_role", "--args", '{"role": "x"}'), "--args: delete_role: role_id is missing"),
    ],
)
def test_what_cannot_be_explained_says_why(arguments: tuple[str, ...], says: str) -> None:
    code, out, err = run("policy", "explain", *arguments)
    assert (code, out) == (2, "")
    assert says in err


def test_a_wrong_policy_file_stops_every_start(tmp_path: Path) -> None:
    config = policy(tmp_path, '[[rules]]\ndecision = "deny"\ntool = ["x"]\n')
    for arguments in ((), ("serve",), ("policy", "explain", "delete_role")):
        code, _, err = run("--config", config, *arguments)
        assert code == 2
        assert "line 3: tool: no such key" in err
    code, _, err = run("policy", "explain", "delete_role", ADMIN_MCP_CONFIG="policy.toml")
    assert code == 2
    assert "ADMIN_MCP_CONFIG: policy.toml is relative" in err


def test_a_tool_that_is_not_there_is_answered_with_the_nearest() -> None:
    code, _, err = run("policy", "explain", "delet_role")
    assert code == 2
    assert "there is no tool delet_role. Did you mean delete_role" in err
    assert "Did you mean" not in run("policy", "explain", "xyzzy")[2]


def test_a_sample_is_written_for_its_owner_alone_and_checks_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    code, out, err = run("policy", "init", str(path))
    assert (code, err) == (0, "")
    assert path.read_text("utf-8") == SAMPLE.read_text("utf-8")
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f'openai-admin-mcp --config "{path}"' in out
    assert run("policy", "check", str(path))[0] == 0
    assert run("--config", str(path), "policy", "explain", "get_user")[0] == 0


def test_a_sample_is_written_where_the_person_says_from_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path / "policy.toml") in run("policy", "init", "policy.toml")[1]
    assert (tmp_path / "policy.toml").exists()
    assert run("policy", "check", "policy.toml")[0] == 0


def test_without_a_place_the_sample_goes_to_the_platforms_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / "new" / name)
    assert run("policy", "init")[0] == 0
    assert (tmp_path / "new" / "openai-admin-mcp" / "policy.toml").read_text("utf-8") == SAMPLE.read_text("utf-8")


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("mine")
    link = tmp_path / "link.toml"
    if os.name == "posix":
        link.symlink_to(tmp_path / "nowhere.toml")
    else:
        link.write_text("mine")
    for taken in (path, link, tmp_path):
        code, _, err = run("policy", "init", str(taken))
        assert code == 1
        assert "is there already, and is left as it is; choose another name or delete it" in err
    assert path.read_text() == "mine"
    assert not (tmp_path / "nowhere.toml").exists()


def test_a_sample_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run("policy", "init", str(tmp_path / "none" / "policy.toml"))
    assert code == 1
    assert f"can't be written: there is no directory {tmp_path / 'none'}; make it first" in err
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / "file" / name)
    code, _, err = run("policy", "init")
    assert code == 1
    assert "can't be written: Not a directory" in err


def test_checking_says_what_each_rule_does_in_order(tmp_path: Path) -> None:
    code, out, err = run("policy", "check", policy(tmp_path, SAMPLE.read_text("utf-8")))
    assert (code, err) == (0, "")
    assert "1. nobody makes admin keys through an assistant (policy.toml line " in out
    assert "2. destruction and grants are confirmed on this machine (policy.toml line " in out
    assert "): a person is asked, through local only" in out
    assert f"1 of {len(every_definition())} tools: create_admin_api_key" in out
    assert "Otherwise reads are allowed; of a change: a person is asked (--approval auto)." in out
    assert "Guardrails: last_owner on, own_key on." in out


def test_checking_warns_of_what_passes_unasked_and_of_rules_that_do_nothing(tmp_path: Path) -> None:
    text = (
        '[[rules]]\ndecision = "allow"\ntools = ["delete_role", "get_*"]\nproject_ids = ["proj_1"]\n'
        '[[rules]]\ndecision = "deny"\neffects = ["destroy"]\n'
        '[[rules]]\ndecision = "confirm"\ntools = ["delete_user"]\n'
        '[[rules]]\ndecision = "deny"\ntools = ["list_*"]\neffects = ["grant"]\n'
        "[guardrails]\nown_key = false\n"
    )
    code, out, err = run("policy", "check", policy(tmp_path, text))
    assert code == 0
    assert "rule 1 (policy.toml line 1): allowed without asking" in out
    assert ", in proj_1: " in out
    assert out.count("Never decides: the rules before it fit all of these.") == 1
    assert out.index("rule 3 (policy.toml") < out.index("Never decides") < out.index("rule 4 (policy.toml")
    assert f"0 of {len(every_definition())} tools: none has one of these effects" in out
    assert "own_key off" in out
    assert "WARNING: rule 1 (policy.toml line 1) allows WITHOUT asking anyone: delete_role" in err
    assert "WARNING: the guardrail own_key is switched off." in err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[rules]]\ndecision = "perhaps"\n', "line 2: decision: Input should be 'allow'"),
        (
            '[[rules]]\ndecision = "deny"\nproject_ids = ["Billing"]\n',
            "line 3: project_ids: 'Billing' is no project's id",
        ),
    ],
)
def test_checking_a_wrong_file_ends_with_2_and_the_line(tmp_path: Path, text: str, says: str) -> None:
    code, out, err = run("policy", "check", policy(tmp_path, text))
    assert (code, out) == (2, "")
    assert says in err
    assert run("policy", "check", str(tmp_path / "none.toml"))[0] == 2


def test_a_reason_is_told_of_and_that_nobody_can_give_it_where_that_is_so(tmp_path: Path) -> None:
    text = '[[rules]]\ndecision = "confirm"\ntools = ["delete_role"]\nreason = true\n'
    file = policy(tmp_path, text)
    _, out, err = run("policy", "check", file)
    assert "a person is asked (--approval auto), and must say why" in out
    assert err == ""
    _, out, _ = run("--config", file, "policy", "explain", "delete_role", ADMIN_MCP_APPROVAL="two-step")
    assert "must say why, which --approval two-step can't take: refused" in out
    for mode in ("two-step", "none"):
        _, _, err = run("--config", file, "policy", "explain", "delete_role", ADMIN_MCP_APPROVAL=mode)
        assert f"WARNING: rule 1 (policy.toml line 1) demands a reason, which --approval {mode} can't take" in err
    file = policy(tmp_path, f'{text}channel = "local"\n')
    _, out, err = run("--config", file, "policy", "explain", "delete_role", ADMIN_MCP_APPROVAL="two-step")
    assert "through local only, and must say why" in out
    assert "demands a reason" not in err


def test_what_a_file_comes_to_is_there_for_programs(tmp_path: Path) -> None:
    text = (
        '[[rules]]\ndecision = "deny"\ntools = ["create_admin_api_key"]\nproject_ids = ["proj_1"]\n'
        '[[rules]]\ndecision = "confirm"\nname = "why"\ntools = ["delete_role"]\nreason = true\nchannel = "local"\n'
        '[[rules]]\ndecision = "allow"\ntools = ["delete_role"]\n[guardrails]\nown_key = false\n'
    )
    code, out, err = run("policy", "check", "--json", policy(tmp_path, text))
    found = json.loads(out)
    assert code == 0
    assert (found["approval"], found["of_tools"]) == ("auto", len(every_definition()))
    denied, asked, never = found["rules"]
    assert (denied["decision"], denied["outcome"], denied["project_ids"]) == ("deny", "refused", ["proj_1"])
    assert asked["rule"].startswith("why (policy.toml line ")
    assert (asked["channel"], asked["reason"], asked["outcome"]) == ("local", True, "asked")
    assert (never["tools"], never["never_decides"], asked["never_decides"]) == (["delete_role"], True, False)
    assert found["otherwise"]["reads"]["outcome"] == "allowed"
    assert found["otherwise"]["changes"]["outcome"] == "asked"
    assert found["guardrails"] == {"last_owner": True, "own_key": False}
    assert "the guardrail own_key is switched off." in found["warnings"]
    assert all(warning in err for warning in found["warnings"])
    code, out, _ = run("policy", "check", "--json", policy(tmp_path, "rules = 1\n"))
    assert (code, out) == (2, "")


@pytest.mark.parametrize(
    ("tool", "mode", "outcome"),
    [
        ("list_roles", "auto", "allowed"),
        ("delete_role", "auto", "asked"),
        ("delete_role", "two-step", "asked"),
        ("delete_role", "none", "allowed"),
    ],
)
def test_which_rule_decides_is_there_for_programs(tool: str, mode: str, outcome: str) -> None:
    code, out, _ = run("policy", "explain", tool, "--json", ADMIN_MCP_APPROVAL=mode)
    said = json.loads(out)
    assert code == 0
    assert (said["tool"], said["approval"], said["outcome"]) == (tool, mode, outcome)
    assert said["rule"].startswith("default: ")


def test_why_rules_are_passed_over_and_what_cant_be_told_are_there_for_programs(tmp_path: Path) -> None:
    text = (
        '[[rules]]\ndecision = "deny"\nproject_ids = ["proj_1"]\n'
        '[[rules]]\ndecision = "confirm"\ntools = ["archive_*"]\nreason = true\n'
    )
    config = policy(tmp_path, text)
    explain = ("--config", config, "policy", "explain", "archive_project", "--json")
    said = json.loads(run(*explain, ADMIN_MCP_APPROVAL="two-step")[1])
    assert said["outcome"] == "refused"
    assert said["passed_over"][0]["rule"].startswith("rule 1 (policy.toml line 1)")
    assert "give the call's arguments" in said["notes"][0]
    said = json.loads(run(*explain, "--args", '{"project_id": "proj_1"}')[1])
    assert (said["decision"], said["project_ids"], said["passed_over"]) == ("deny", ["proj_1"], [])
    assert "destroy" in said["effects"] or "update" in said["effects"]


def test_check_and_explain_say_who_is_told_without_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SECRET", raising=False)
    path = tmp_path / "policy.toml"
    path.write_text('[[notify]]\nurl = "https://h.example/s3cret-path"\nsecret_env = "NOTIFY_SECRET"\n', "utf-8")
    path.chmod(0o600)
    checked = CliRunner().invoke(main, ["policy", "check", str(path)])
    explained = CliRunner().invoke(main, ["--config", str(path), "policy", "explain", "delete_role"])
    for result in (checked, explained):
        assert result.exit_code == 0
        assert (
            "Told of each decision, outcome, question: the webhook at h.example (policy.toml line 1)" in result.output
        )
        assert "s3cret-path" not in result.output
    assert "is told NOTHING: NOTIFY_SECRET is not set" in explained.output

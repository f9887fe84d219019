"""``policy explain``: which rule decides, and why not the ones before it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from admin_mcp.cli import main

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
    assert "passed over  destruction is confirmed on this machine (policy.toml line 12): its effect grant" in out
    assert "decides      nobody makes admin keys through an assistant" in out
    assert "create_admin_api_key (grant): refused" in out
    _, out, _ = run("--config", config, "policy", "explain", "delete_role", ADMIN_MCP_APPROVAL="none")
    assert "delete_role (destroy): a person is asked, through local only" in out


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

"""Which rule decides: the first that matches, read-only before all, defaults after all."""

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.gate.policy import READ_ONLY, Channel, Decision, Policy, Rule


def decide(policy: Policy, tool: str, project: str | None = None) -> tuple[Decision, Channel | None]:
    verdict = policy.decide(compiled_catalog().endpoint(tool).SPEC, project)
    return verdict.decision, verdict.channel


def test_by_default_reads_pass_and_changes_are_confirmed() -> None:
    policy = Policy.standard(read_only=False)
    assert decide(policy, "list_roles") == ("allow", None)
    for tool in ("create_role", "update_role", "assign_user_role", "delete_role"):
        assert decide(policy, tool) == ("confirm", None)


def test_read_only_comes_before_every_rule() -> None:
    policy = Policy.standard(read_only=True, rules=[Rule("all", "allow")])
    assert decide(policy, "delete_role") == ("deny", None)
    assert decide(policy, "list_roles") == ("allow", None)


def test_the_first_rule_that_matches_decides() -> None:
    rules = [Rule("one", "deny", tools=("delete_role",)), Rule("two", "allow", tools=("delete_*",))]
    policy = Policy.standard(read_only=False, rules=rules)
    assert decide(policy, "delete_role") == ("deny", None)
    assert decide(policy, "delete_group") == ("allow", None)
    assert decide(policy, "update_role") == ("confirm", None)


def test_a_rule_matches_by_glob_effect_and_project_together() -> None:
    rule = Rule("r", "allow", ("*_project_*",), frozenset(["grant"]), frozenset(["proj_1"]))
    assert rule.mismatch("create_project_user", "grant", "proj_1") is None
    assert "fits none of" in str(rule.mismatch("create_role", "grant", "proj_1"))
    assert "effect destroy" in str(rule.mismatch("delete_project_user", "destroy", "proj_1"))
    assert "project_id proj_2 is not listed" in str(rule.mismatch("create_project_user", "grant", "proj_2"))
    assert "has no project_id" in str(rule.mismatch("create_project_user", "grant", None))


def test_globs_know_upper_from_lower_case() -> None:
    assert Rule("r", "allow", ("DELETE_*",)).mismatch("delete_role", "destroy", None) is not None


def test_a_rule_may_demand_a_channel() -> None:
    policy = Policy.standard(
        read_only=False, rules=[Rule("r", "confirm", effects=frozenset(["destroy"]), channel="local")]
    )
    assert decide(policy, "delete_role") == ("confirm", "local")
    assert decide(policy, "update_role") == ("confirm", None)


def test_without_any_rule_everything_is_refused() -> None:
    assert decide(Policy(()), "list_roles") == ("deny", None)
    verdict = Policy(()).decide_tool(compiled_catalog().endpoint("list_roles").SPEC)
    assert verdict
    assert verdict.decision == "deny"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], "confirm"),
        ([Rule("r", "deny")], "deny"),
        ([Rule("r", "deny", project_ids=frozenset(["proj_1"]))], None),
        ([Rule("r", "deny", ("delete_role",), project_ids=frozenset(["proj_1"]))], "confirm"),
        ([READ_ONLY, Rule("r", "deny", project_ids=frozenset(["proj_1"]))], "deny"),
    ],
)
def test_a_tool_is_judged_before_its_arguments_only_where_they_do_not_matter(
    rules: list[Rule], expected: str | None
) -> None:
    policy = Policy.standard(read_only=False, rules=rules)
    verdict = policy.decide_tool(compiled_catalog().endpoint("delete_project_user").SPEC)
    assert (verdict.decision if verdict else None) == expected

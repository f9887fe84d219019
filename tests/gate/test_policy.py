"""Which rule decides: the first that matches, read-only before all, defaults after all."""

from collections.abc import Collection

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.base import Effect
from admin_mcp.gate.effects import possible_effects
from admin_mcp.gate.policy import READ_ONLY, Channel, Decision, Policy, Rule, Verdict


def decide(policy: Policy, tool: str, *projects: str) -> tuple[Decision, Channel | None]:
    verdict = policy.decide(tool, frozenset([compiled_catalog().endpoint(tool).SPEC.effect]), projects)
    return verdict.decision, verdict.channel


def decide_tool(policy: Policy, tool: str) -> Verdict | None:
    return policy.decide_tool(tool, possible_effects(compiled_catalog().tool(tool)))


def mismatch(rule: Rule, tool: str, effect: Effect, projects: Collection[str] = ()) -> str | None:
    return rule.mismatch(tool, frozenset([effect]), projects)


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
    assert mismatch(rule, "create_project_user", "grant", ["proj_1"]) is None
    assert "fits none of" in str(mismatch(rule, "create_role", "grant", ["proj_1"]))
    assert "destroy is not grant" in str(mismatch(rule, "delete_project_user", "destroy", ["proj_1"]))
    assert "project proj_2 is not listed" in str(mismatch(rule, "create_project_user", "grant", ["proj_2"]))
    assert "names no project" in str(mismatch(rule, "create_project_user", "grant"))


def test_globs_know_upper_from_lower_case() -> None:
    assert Rule("r", "allow", ("DELETE_*",)).mismatch("delete_role", frozenset(["destroy"]), ()) is not None


def test_a_rule_may_demand_a_channel() -> None:
    policy = Policy.standard(
        read_only=False, rules=[Rule("r", "confirm", effects=frozenset(["destroy"]), channel="local")]
    )
    assert decide(policy, "delete_role") == ("confirm", "local")
    assert decide(policy, "update_role") == ("confirm", None)


def test_without_any_rule_everything_is_refused() -> None:
    assert decide(Policy(()), "list_roles") == ("deny", None)
    verdict = decide_tool(Policy(()), "list_roles")
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
    verdict = decide_tool(policy, "delete_project_user")
    assert (verdict.decision if verdict else None) == expected


def test_of_several_projects_one_is_enough_to_refuse_or_ask_and_all_must_be_listed_to_allow() -> None:
    for decision, matches in (("deny", True), ("confirm", True), ("allow", False)):
        rule = Rule("r", decision, project_ids=frozenset(["proj_1"]))  # type: ignore[arg-type]  # each is a decision
        assert (mismatch(rule, "create_invite", "grant", ["proj_1", "proj_2"]) is None) is matches
        assert mismatch(rule, "create_invite", "grant", ["proj_1"]) is None


def test_what_an_update_may_turn_out_to_be_is_judged_with_its_arguments() -> None:
    policy = Policy.standard(read_only=False, rules=[Rule("r", "allow", effects=frozenset(["update"]))])
    assert decide_tool(policy, "update_user") is None
    verdict = decide_tool(policy, "update_group")
    assert verdict
    assert verdict.decision == "allow"


@pytest.mark.parametrize(
    ("rules", "name"),
    [
        ([], None),
        ([Rule("r", "deny", project_ids=frozenset(["p"]))], "r"),
        ([Rule("r", "deny", ("get_*",), project_ids=frozenset(["p"]))], None),
        ([Rule("all", "allow"), Rule("r", "deny", project_ids=frozenset(["p"]))], None),
        ([Rule("other", "allow", ("get_*",)), Rule("r", "deny", project_ids=frozenset(["p"]))], "r"),
    ],
)
def test_the_rule_that_would_refuse_a_call_for_its_project_is_found(rules: list[Rule], name: str | None) -> None:
    rule = Policy.standard(read_only=False, rules=rules).project_denial("delete_invite", [frozenset(["destroy"])])
    assert (rule.name if rule else None) == name


def test_a_call_that_does_two_things_is_refused_for_either_and_allowed_for_both() -> None:
    both = frozenset[Effect](["update", "grant"])
    for decision, listed, matches in (
        ("deny", ["update"], True),
        ("deny", ["grant"], True),
        ("confirm", ["update"], True),
        ("allow", ["update"], False),
        ("allow", ["update", "grant"], True),
    ):
        rule = Rule("r", decision, effects=frozenset(listed))  # type: ignore[arg-type]  # each is one of the kind
        assert (rule.mismatch("update_user", both, ()) is None) is matches, (decision, listed)

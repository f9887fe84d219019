"""What a model may read of the policy: the rules, and not which projects the operator keeps from it."""

import json

from admin_mcp.gate.policy import LEFT_OUT, Policy, Rule
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.state_texts import STATE_TEXTS, policy_object


def test_the_projects_of_a_rule_are_not_told() -> None:
    secret = Rule("hidden", "deny", project_ids=frozenset({"proj_secret"}))
    plans = Rule("long plans", "deny", steps=5)
    told = policy_object(Policy.standard(read_only=True, rules=[secret, plans], left_out=[Rule(LEFT_OUT, "deny")]))
    assert "proj_secret" not in json.dumps(told)
    assert [rule["decision"] for rule in told["rules"]] == ["deny", "deny", "deny", "allow", "confirm"]
    assert told["rules"][1]["projects"] == "some only"
    assert told["rules"][2]["plans_of_steps"] == 5
    assert told["tools_left_out"] == 1


def test_each_names_a_tool_that_there_is() -> None:
    names = {tool["name"] for tool in every_definition()}
    assert {text.tool for text in STATE_TEXTS} - {None} <= names

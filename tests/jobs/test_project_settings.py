"""Which of a project's settings are its own, and which are what every new project has."""

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.project_settings import changed_rate_limits


def limit(model: str, requests: int, **more: int) -> Json:
    return {"id": f"rl-{model}", "model": model, "max_requests_per_1_minute": requests, **more}


def test_only_a_limit_that_most_others_do_not_have_counts_as_changed() -> None:
    usual = [limit("a", 10), limit("b", 20)]
    mine = [limit("a", 10), limit("b", 5), limit("c", 1)]
    changed = changed_rate_limits(mine, [usual, usual, [limit("a", 99), limit("b", 5)]])
    assert [row["model"] for row in changed] == ["b", "c"]
    assert changed_rate_limits(mine, []) == mine

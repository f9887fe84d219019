"""What a report of spend says of the month that goes on: limits, alerts, how long they last, and where it will end."""

from datetime import date, timedelta

import pytest

from admin_mcp.catalog.project_api_keys import ListProjectApiKeys
from admin_mcp.jobs.reports.report_spend import ReportSpend
from tests.jobs.pretend import ORG, SEEDS, Pretend
from tests.jobs.test_report_spend import DAY, TODAY, costs, paid, raw, small

pytestmark = pytest.mark.anyio


async def test_limits_show_how_much_is_used_and_how_long_it_lasts() -> None:
    days = costs({ago: [paid(10)] for ago in range(40)})
    limit = {"threshold_amount": 28_000, "enforcement": {"status": "inactive"}}
    alerts = {"data": [{"threshold_amount": 20_000}, {"threshold_amount": 30_000}, {"threshold_amount": None}]}
    one = small(days, get_project_spend_limit=limit, list_project_spend_alerts={**alerts, "has_more": False})
    answer = await one.report(ReportSpend, period="this_month", by="project")
    assert answer["limits"]["projects"] == [
        {
            "id": "proj_1",
            "name": "Billing",
            "spent_cents": 25_000,
            "limit_cents": 28_000,
            "used_percent": 89,
            "next_alert_cents": 30_000,
            "alerts_passed": 1,
            "days_left": 3,
        }
    ]
    assert answer["limits"]["organization"] == {"spent_cents": 25_000}
    assert answer["limits"]["neither"] == 0
    assert answer["month_end"]["low_cents"] == answer["month_end"]["high_cents"] == 30_000
    assert "percentile" in answer["month_end"]["method"]
    assert "Billing: 89% of its limit of $280.00, 3 days left" in answer["text"]


async def test_a_limit_that_outlasts_the_month_has_no_days_left_and_an_alert_is_passed_when_it_is_reached() -> None:
    days = costs({ago: [paid(10)] for ago in range(40)})
    limit = {"threshold_amount": 30_000, "enforcement": {"status": "enforcing"}}
    alerts = {"data": [{"threshold_amount": 25_000}], "has_more": False}
    one = small(days, get_project_spend_limit=limit, list_project_spend_alerts=alerts)
    (row,) = (await one.report(ReportSpend, period="today", by="project"))["limits"]["projects"]
    assert (row["lasts_month"], row["enforcing"], row["alerts_passed"]) == (True, True, 1)
    assert not {"days_left", "next_alert_cents"} & set(row)


async def test_every_enabled_key_is_asked_for() -> None:
    one = Pretend()
    await one.report(ReportSpend, period="yesterday", by="key")
    assert {call.owner_project_access for call in one.calls if isinstance(call, ListProjectApiKeys)} == {"any"}


@pytest.mark.parametrize("seed", SEEDS)
async def test_limits_and_alerts_agree_with_the_raw_ones(seed: int) -> None:
    one = Pretend(seed)
    one.grow(people=0, projects=2)
    answer = await one.report(ReportSpend, period="30d", by="project")
    spent = raw(one, (TODAY - 24 * DAY, TODAY + DAY), "project_id")
    neither = []
    for project in one.all(f"{ORG}/projects"):
        place = f"{ORG}/projects/{project['id']}"
        limit = one.org.respond("GET", f"{place}/spend_limit", [], None)
        row = next((row for row in answer["limits"]["projects"] if row["id"] == project["id"]), None)
        if limit.status == 404 and not one.all(f"{place}/spend_alerts"):
            neither.append({"id": project["id"], "name": project["name"]})
            assert row is None
            continue
        assert row is not None
        assert row["spent_cents"] == round(spent[project["id"]] * 100)
        assert row.get("limit_cents") == limit.body.get("threshold_amount")
    assert (answer["limits"]["neither"], answer["limits"]["neither_named"]) == (len(neither), neither)
    own = one.ask("GET", f"{ORG}/spend_limit")
    assert answer["limits"]["organization"]["limit_cents"] == own["threshold_amount"]
    assert answer["limits"]["organization"]["spent_cents"] == round(sum(spent.values()) * 100)
    assert answer["unreadable"] == []


async def test_the_months_end_is_a_range_between_quartiles_of_full_days() -> None:
    answer = await small(costs({ago: [paid(ago)] for ago in range(1, 29)})).report(
        ReportSpend, period="this_month", by="day"
    )
    # 24 full days of November cost 1 to 24 dollars; six days are left, today among them.
    past = sum(range(1, 25)) * 100
    assert answer["month_end"]["low_cents"] == past + 6 * 775
    assert answer["month_end"]["high_cents"] == past + 6 * 2125


async def test_a_period_that_is_over_says_nothing_of_this_month() -> None:
    one = Pretend()
    answer = await one.report(ReportSpend, period="last_month", by="project")
    assert "limits" not in answer
    assert "month_end" not in answer
    assert not any("spend" in type(call).SPEC.name for call in one.calls)


async def test_a_first_day_of_a_month_has_no_days_before_it() -> None:
    one = small(costs({}))
    one.now = (date(2026, 11, 1) - date(1970, 1, 1)) / timedelta(seconds=1) + 60
    answer = await one.report(ReportSpend, period="this_month", by="project")
    assert (answer["period"], answer["compared_with"]) == ("2026-11-01", "2026-10-01")

"""The report on spending adds up exactly, names what is unusual by stated rules, and says what it could not tell."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput, Permission, RateLimited
from admin_mcp.jobs.reports.report_spend import USAGE, ReportSpend
from tests.jobs.pretend import NOW, ORG, SEEDS, Pretend, nothing

pytestmark = pytest.mark.anyio

DAY = 86_400
TODAY = NOW // DAY * DAY
OCTOBER = (1_790_812_800, 1_793_491_200)
SEPTEMBER = (1_788_220_800, 1_790_812_800)
FIELDS = {"project": "project_id", "person": "user_id", "key": "api_key_id", "line_item": "line_item"}


def raw(one: Pretend, span: tuple[int, int], field: str) -> dict[str, Fraction]:
    """Add the sandbox's own answer up, exactly."""
    query: dict[str, Any] = {"start_time": span[0], "end_time": span[1], "limit": 180, "group_by": [field]}
    sums: dict[str, Fraction] = {}
    for bucket in one.ask("GET", f"{ORG}/costs", **query)["data"]:
        for result in bucket["results"]:
            sums[result[field]] = sums.get(result[field], Fraction(0)) + Fraction(repr(result["amount"]["value"]))
    return sums


def costs(by_day: dict[int, list[Json]]) -> Json:
    """Return costs of days, counted back from today."""
    buckets = [{"start_time": TODAY - ago * DAY, "results": results} for ago, results in by_day.items()]
    return {"data": buckets, "has_more": False, "next_page": None}


def paid(value: object, project: str | None = "proj_1", currency: object = "usd") -> Json:
    return {"project_id": project, "user_id": None, "amount": {"value": value, "currency": currency}}


def small(given: Json, **canned: Any) -> Pretend:
    """Return an organization of one project with these costs, and no limits."""
    projects = {"data": [{"id": "proj_1", "name": "Billing"}], "has_more": False}
    lists = nothing("list_users", "list_organization_spend_alerts", "list_project_spend_alerts")
    limits: dict[str, Json] = {"get_organization_spend_limit": {}, "get_project_spend_limit": {}}
    return Pretend(canned={"get_costs": given, "list_projects": projects, **lists, **limits, **canned})


@pytest.mark.parametrize("by", FIELDS)
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_sums_of_a_month_agree_with_the_raw_costs(seed: int, by: str) -> None:
    one = Pretend(seed)
    answer = await one.report(ReportSpend, period="2026-10", by=by, top=100)
    now, before = (raw(one, span, FIELDS[by]) for span in (OCTOBER, SEPTEMBER))
    assert (answer["period"], answer["compared_with"]) == ("2026-10-01..2026-10-31", "2026-09-01..2026-09-30")
    assert answer["totals"]["cents"] == round(sum(now.values()) * 100)
    assert answer["totals"]["before_cents"] == round(sum(before.values()) * 100)
    change = (sum(now.values()) - sum(before.values())) / sum(before.values())
    assert answer["totals"]["change_percent"] == round(change * 100)
    rows = {row.get("id", row["name"]): row for row in answer["rows"]}
    assert {name: row["cents"] for name, row in rows.items()} == {name: round(sum_ * 100) for name, sum_ in now.items()}
    for name, row in rows.items():
        assert row["change_cents"] == round((now[name] - before.get(name, 0)) * 100)
    assert [row["cents"] for row in answer["rows"]] == sorted((row["cents"] for row in rows.values()), reverse=True)
    moved = sorted(now, key=lambda name: (-abs(now[name] - before.get(name, 0)), name))[:3]
    assert [each["change_cents"] for each in answer["movers"]] == [rows[name]["change_cents"] for name in moved]
    members = {user["id"] for user in one.all(f"{ORG}/users")}
    nobody = sum(amount for user, amount in raw(one, OCTOBER, "user_id").items() if user not in members)
    assert answer["totals"]["no_person_cents"] == round(nobody * 100)
    assert answer["totals"]["no_person_percent"] == round(nobody / sum(now.values()) * 100)
    assert answer["unreadable"] == []


async def test_each_id_has_the_name_it_goes_by() -> None:
    one = Pretend()
    for by, names in {
        "project": {project["id"]: project["name"] for project in one.all(f"{ORG}/projects")},
        "person": {user["id"]: user["name"] for user in one.all(f"{ORG}/users")},
    }.items():
        rows = (await one.report(ReportSpend, period="2026-10", by=by))["rows"]
        known = [row for row in rows if row["id"] in names]
        assert known
        assert all(row["name"] == names[row["id"]] for row in known)
    keys = (await one.report(ReportSpend, period="2026-10", by="key"))["rows"]
    assert {row["name"] for row in keys} >= {
        "Billing nightly job key (Billing)",
        "Dev Patel's laptop (Default project)",
    }


@pytest.mark.parametrize("seed", SEEDS)
async def test_days_come_in_order_and_add_up_to_the_total(seed: int) -> None:
    one = Pretend(seed)
    answer = await one.report(ReportSpend, period="2026-10", by="day")
    query = {"start_time": OCTOBER[0], "end_time": OCTOBER[1], "limit": 31}
    buckets = one.ask("GET", f"{ORG}/costs", **query)["data"]
    values = [Fraction(repr(bucket["results"][0]["amount"]["value"])) for bucket in buckets]
    assert [row["cents"] for row in answer["rows"]] == [round(value * 100) for value in values]
    assert [row["name"] for row in answer["rows"]] == [str(date(2026, 10, day)) for day in range(1, 32)]
    assert answer["totals"]["cents"] == round(sum(values) * 100)
    assert answer["movers"] == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_models_are_counted_in_tokens_since_costs_have_none(seed: int) -> None:
    one = Pretend(seed)
    answer = await one.report(ReportSpend, period="2026-10-01..2026-10-07", by="model", compare="none")
    tokens: dict[str, int] = {}
    requests: dict[str, int] = {}
    for kind in USAGE:
        query: dict[str, Any] = {"start_time": OCTOBER[0], "end_time": OCTOBER[0] + 7 * DAY, "group_by": ["model"]}
        for bucket in one.ask("GET", f"{ORG}/usage/{kind}", **query)["data"]:
            for result in bucket["results"]:
                model = result["model"]
                used = result.get("input_tokens", 0) + result.get("output_tokens", 0)
                tokens[model] = tokens.get(model, 0) + used
                requests[model] = requests.get(model, 0) + result["num_model_requests"]
    assert answer["totals"] == {"tokens": sum(tokens.values()), "requests": sum(requests.values())}
    shown = {row["name"]: (row["tokens"], row["requests"]) for row in answer["rows"]}
    assert shown == {name: (tokens[name], requests[name]) for name in shown}
    assert "limits" not in answer
    assert any("Costs have no model" in sentence for sentence in answer["findings"])


async def test_money_is_summed_exactly_and_rounded_once() -> None:
    tenths = costs({1: [paid(0.1, f"proj_{number}") for number in range(3)], 2: [paid("0.005000"), paid(-0.0001)]})
    answer = await small(tenths).report(ReportSpend, period="2d", by="project", compare="none")
    assert answer["totals"]["cents"] == 30
    half_cents = costs({0: [paid(0.004) for _ in range(1000)]})
    assert (await small(half_cents).report(ReportSpend, period="today", by="project"))["totals"]["cents"] == 400
    huge = costs({0: [paid(10**30), paid(0.01), paid(-5)]})
    answer = await small(huge).report(ReportSpend, period="today", by="project", compare="none")
    assert answer["totals"]["cents"] == 10**32 - 499


@pytest.mark.parametrize("value", [None, "nought", True, float("1e308") * 10, "1e999999999", {}, [], "9" * 5000])
async def test_what_is_no_amount_counts_as_nothing_and_is_said(value: object) -> None:
    answer = await small(costs({0: [paid(value), paid(1)]})).report(ReportSpend, period="today", by="project")
    assert answer["totals"]["cents"] == 100
    assert "1 amount could not be read and counted as nothing" in answer["findings"]


async def test_credits_make_a_negative_row_and_other_currencies_are_left_out_and_said() -> None:
    given = costs({0: [paid(-2.5), paid(7, "proj_2"), paid(9, "proj_2", "eur"), paid(1, None, None)]})
    answer = await small(given).report(ReportSpend, period="today", by="project", compare="none")
    assert [(row.get("id"), row["cents"]) for row in answer["rows"]] == [("proj_2", 700), (None, 100), ("proj_1", -250)]
    assert [row["name"] for row in answer["rows"]] == ["(unknown)", "(not attributed)", "Billing"]
    assert "1 amount in another currency than US dollars left out" in answer["findings"]
    assert "-$2.50" in answer["text"]


async def test_a_bucket_that_comes_twice_counts_once() -> None:
    page = costs({1: [paid(3)], 0: [paid(1)]})
    page["data"].append(page["data"][0])
    page["data"] += [{"start_time": None, "results": [paid(9)]}, {"start_time": TODAY + DAY, "results": [paid(9)]}, {}]
    answer = await small(page).report(ReportSpend, period="2d", by="project", compare="none")
    assert answer["totals"]["cents"] == 400


async def test_a_day_far_above_its_median_is_a_spike_and_steady_days_are_none() -> None:
    steady = {ago: [paid(10 + ago % 3), paid(2, "proj_2")] for ago in range(1, 20)}
    calm = await small(costs(steady)).report(ReportSpend, period="2026-11-20..2026-11-24", by="project")
    assert calm["spikes"] == []
    steady[3] = [paid(90), paid(2, "proj_2")]
    wild = await small(costs(steady)).report(ReportSpend, period="2026-11-12..2026-11-24", by="project")
    assert wild["spikes"] == [{"name": "Billing", "day": "2026-11-22", "cents": 9000, "usual_cents": 1100}]
    assert "Spike: Billing 2026-11-22 $90.00, usually $11.00" in wild["text"]


@pytest.mark.parametrize(("dollars", "stands_out"), [(16.9, False), (17.0, True)])
async def test_a_spike_begins_at_four_scaled_deviations_above_the_median(dollars: float, stands_out: bool) -> None:
    # Days of 10, 11 and 12: the median is 11, the median deviation 1, so the bound is 11 + 4 x 1.4826 = 16.93.
    days = {ago: [paid(10 + ago % 3)] for ago in range(1, 31)} | {2: [paid(dollars)]}
    answer = await small(costs(days)).report(ReportSpend, period="2026-10-26..2026-11-24", by="day", compare="none")
    assert bool(answer["spikes"]) is stands_out


async def test_today_is_measured_by_full_days_only() -> None:
    days = {ago: [paid(1)] for ago in range(1, 7)} | {0: [paid(500)]}
    few = await small(costs(days)).report(ReportSpend, period="7d", by="day", compare="none")
    enough = await small(costs(days | {7: [paid(1)]})).report(ReportSpend, period="8d", by="day", compare="none")
    assert few["spikes"] == []
    assert [spike["day"] for spike in enough["spikes"]] == ["2026-11-25"]


async def test_one_outlier_does_not_hide_another() -> None:
    """Two sigma would call neither of these a spike once a third, far larger, is among the days."""
    days = {ago: [paid(10)] for ago in range(1, 13)}
    days |= {2: [paid(10_000)], 4: [paid(60)]}
    answer = await small(costs(days)).report(ReportSpend, period="2026-11-13..2026-11-24", by="project", compare="none")
    assert [spike["cents"] for spike in answer["spikes"]] == [1_000_000, 6000]


async def test_a_new_project_is_a_mover_and_no_spike() -> None:
    days = {ago: [paid(5), *([paid(50, "proj_2")] if ago < 3 else [])] for ago in range(1, 20)}
    answer = await small(costs(days)).report(ReportSpend, period="2026-11-20..2026-11-24", by="project")
    assert answer["spikes"] == []
    assert answer["movers"][0] == {"name": "(unknown)", "change_cents": 10_000}


async def test_an_empty_organization_spent_nothing() -> None:
    empty = small(costs({}), list_projects=nothing("x")["x"])
    answer = await empty.report(ReportSpend, period="this_month", by="project")
    assert answer["totals"] == {"cents": 0, "before_cents": 0, "no_person_cents": 0}
    assert (answer["rows"], answer["movers"], answer["spikes"], answer["unreadable"]) == ([], [], [], [])
    assert "month_end" not in answer


async def test_a_key_that_may_not_read_costs_is_told_so() -> None:
    with pytest.raises(Permission):
        await Pretend(refused=("get_costs",)).report(ReportSpend, period="last_month", by="project")


async def test_what_else_may_not_be_read_is_named_and_the_rest_reported() -> None:
    one = Pretend(refused=("list_users", "list_projects", "get_organization_spend_limit"))
    answer = await one.report(ReportSpend, period="this_month", by="project")
    assert answer["totals"]["cents"] > 0
    assert "no_person_cents" not in answer["totals"]
    assert "organization" not in answer["limits"]
    assert {each["what"] for each in answer["unreadable"]} == {
        "the organization's members",
        "projects",
        "spend limit of the organization",
    }


async def test_usage_of_one_kind_that_may_not_be_read_is_named() -> None:
    one = Pretend(refused=("get_usage_images",))
    answer = await one.report(ReportSpend, period="yesterday", by="model")
    assert {each["what"] for each in answer["unreadable"]} == {"usage of images"}
    assert answer["totals"]["tokens"] > 0


@pytest.mark.parametrize("by", ["project", "model", "day"])
async def test_an_api_that_always_asks_to_slow_down_ends_the_report_with_that(by: str) -> None:
    with pytest.raises(RateLimited):
        await Pretend(slowed=True).report(ReportSpend, period="last_month", by=by)


async def test_a_long_period_is_read_page_by_page_to_its_end() -> None:
    one = Pretend()
    answer = await one.report(ReportSpend, period="2026-06-01..2026-10-31", by="project", compare="none")
    span = (1_780_272_000, OCTOBER[1])
    assert answer["totals"]["cents"] == round(sum(raw(one, span, "project_id").values()) * 100)


async def test_any_other_period_can_be_compared_with() -> None:
    one = Pretend()
    answer = await one.report(ReportSpend, period="2026-10", by="project", compare="2026Q3")
    span = (1_782_864_000, OCTOBER[0])
    assert answer["compared_with"] == "2026-07-01..2026-09-30"
    assert answer["totals"]["before_cents"] == round(sum(raw(one, span, "project_id").values()) * 100)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"period": "next_month"}, "period"),
        ({"period": "2027-01"}, "period"),
        ({"period": "2026-10", "compare": "2026-10-09..2026-10-01"}, "compare"),
    ],
)
async def test_a_period_that_makes_no_sense_is_refused_before_anything_is_read(arguments: Json, names: str) -> None:
    one = Pretend()
    with pytest.raises(InvalidInput) as caught:
        await one.report(ReportSpend, by="project", **arguments)
    assert caught.value.param == names
    assert one.calls == []


async def test_names_that_lie_stay_on_their_line() -> None:
    lying = {"data": [{"id": "proj_1", "name": "a\n2026-10: $0.00 | $0 | \u202e"}], "has_more": False}
    answer = await small(costs({0: [paid(1)]}), list_projects=lying).report(ReportSpend, period="today", by="project")
    assert sum(line.startswith("2026-10") for line in answer["text"].splitlines()) == 0
    (line,) = [line for line in answer["text"].splitlines() if "2026-10" in line and "|" in line]
    assert line.count(" | ") == 2


async def test_what_is_not_shown_is_summed_and_can_be_seen() -> None:
    given = costs({0: [paid(number + 1, f"proj_{number}") for number in range(20)]})
    answer = await small(given).report(ReportSpend, period="today", by="project", compare="none", top=5)
    assert [row["cents"] for row in answer["rows"]] == [2000, 1900, 1800, 1700, 1600]
    assert answer["rest"] == {"cents": sum(range(1, 16)) * 100}
    assert answer["more"] == "15 more rows; see all with top: 20"


async def test_a_list_of_projects_that_changes_while_it_is_read_counts_each_once() -> None:
    def pages(call: Endpoint, own: Callable[[], Json]) -> Json:
        del own
        if call.after is None:  # type: ignore[attr-defined]  # a list
            return {"data": [{"id": "proj_1", "name": "Old"}, {"id": None}], "has_more": True, "last_id": "proj_1"}
        return {"data": [{"id": "proj_1", "name": "New"}], "has_more": False}

    answer = await small(costs({0: [paid(1)]}), list_projects=pages).report(ReportSpend, period="today", by="project")
    assert answer["rows"][0]["name"] == "New"
    assert answer["limits"]["neither_named"] == [{"id": "proj_1", "name": "New"}]


async def test_a_period_of_which_nothing_is_known_says_so() -> None:
    answer = await small(costs({0: [paid(1)]})).report(ReportSpend, period="today", by="project")
    (finding,) = [each for each in answer["findings"] if "keeps" in each]
    assert finding.startswith(f"Nothing is known of {answer['compared_with']}:")


async def test_the_last_days_come_first_and_the_rest_follows() -> None:
    one = Pretend()
    whole = (await one.report(ReportSpend, period="2026-10", by="day"))["rows"]
    late = await one.report(ReportSpend, period="2026-10", by="day", top=20)
    early = await one.report(ReportSpend, period="2026-10", by="day", skip=20, top=20)
    assert early["rows"] + late["rows"] == whole
    assert "more" not in early


async def test_a_period_that_begins_before_there_is_data_says_from_when_there_is() -> None:
    one = small(costs({ago: [paid(1.0)] for ago in range(1, 11)}))
    answer = await one.report(ReportSpend, period="30d", by="project")
    first = date(1970, 1, 1) + timedelta(days=TODAY // DAY - 10)
    told = [each for each in answer["findings"] if "the first amount" in each]
    assert [f"the first amount is of {first};" in each for each in told] == [True]
    assert told[0] in answer["text"]
    whole = small(costs({ago: [paid(1.0)] for ago in range(30)}))
    assert "the first amount" not in str(await whole.report(ReportSpend, period="10d", by="project"))

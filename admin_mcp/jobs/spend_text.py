"""What ``report_spend`` says, as a text: one line a row, and one for each thing that is unusual. Pure."""

from collections.abc import Callable
from typing import Literal

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.money import in_dollars
from admin_mcp.jobs.tables import plural, table, unread_line

Measure = Literal["cents", "tokens"]
"""What the amounts of a report are in."""


def text_of(answer: Json, measure: Measure) -> str:
    """Return the report as a text."""
    show = in_dollars if measure == "cents" else "{:,}".format
    hidden = [each for each in answer["movers"] if "id" in each]  # the others are rows, with their change
    parts = [
        _head(answer, measure, show),
        *_rows(answer, measure, show),
        *(f"Moved: {each['name']} {_signed(show, each[f'change_{measure}'])}" for each in hidden),
        *(
            f"Spike: {each['name']} {each['day']} {show(each[measure])}, usually {show(each[f'usual_{measure}'])}"
            for each in answer["spikes"]
        ),
        *_month_lines(answer),
        *answer["findings"],
        *([answer["more"]] if "more" in answer else []),
    ]
    return "\n".join([*parts, *unread_line(answer["unreadable"])])


def _head(answer: Json, measure: Measure, show: Callable[[int], str]) -> str:
    totals = answer["totals"]
    head = f"{answer['period']}: {show(totals[measure])}{' tokens' if measure == 'tokens' else ''}"
    if "compared_with" in answer:
        change = f" ({_signed(str, totals['change_percent'])}%)" if "change_percent" in totals else ""
        head += f"; {answer['compared_with']}: {show(totals[f'before_{measure}'])}{change}"
    if "no_person_percent" in totals:
        head += f"; {totals['no_person_percent']}% has no person behind it"
    return f"{head}."


def _rows(answer: Json, measure: Measure, show: Callable[[int], str]) -> list[str]:
    compared = any(f"change_{measure}" in row for row in answer["rows"])
    asked = measure == "tokens"
    heads = (answer["by"], "tokens" if asked else "spent", *["change"] * compared, *["requests"] * asked)
    rows = [
        (
            row["name"],
            show(row[measure]),
            *([_signed(show, row[f"change_{measure}"])] if compared else []),
            *([f"{row['requests']:,}"] if asked else []),
        )
        for row in answer["rows"]
    ]
    return [table(heads, rows)] if rows else []


def _month_lines(answer: Json) -> list[str]:
    found = []
    if end := answer.get("month_end"):
        found.append(f"Month's end: {in_dollars(end['low_cents'])} to {in_dollars(end['high_cents'])}.")
    if limits := answer.get("limits"):
        bounds = [{"name": "organization", **limits.get("organization", {})}, *limits["projects"]]
        found += [_bound_line(row) for row in bounds if "limit_cents" in row or "next_alert_cents" in row]
        found.append(f"{plural(limits['neither'], 'project')} with neither limit nor alert.")
    return found


def _bound_line(row: Json) -> str:
    what = (
        f"{row.get('used_percent', 100)}% of its limit of {in_dollars(row['limit_cents'])}"
        if "limit_cents" in row
        else f"{in_dollars(row['spent_cents'])}, alert at {in_dollars(row['next_alert_cents'])}"
    )
    left = f", {plural(row['days_left'], 'day')} left" if "days_left" in row else ", lasts the month"
    return f"{row['name']}: {what}{left}"


def _signed(show: Callable[[int], str], amount: int) -> str:
    return f"+{show(amount)}" if amount > 0 else show(amount)

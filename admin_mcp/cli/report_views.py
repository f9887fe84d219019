"""What each report's answer comes to in a view: which findings it has, which sheets, which charts. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final

from admin_mcp.cli.report_view import Chart, Finding, Matrix, Severity, Sheet, View, flat, kind_of, sheet, shown, words
from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.money import in_dollars

UNREADABLE: Final = "unreadable"
_ALL: Final[dict[str, Severity]] = {UNREADABLE: "medium"}

FINDINGS: Final[dict[str, dict[str, Severity]]] = {
    "access": {
        "owner_through_group": "high",
        "service_account_owner": "high",
        "outside_domain": "high",
        "disabled": "high",
        "owners": "medium",
        "inactive": "medium",
        "never_active": "medium",
        "project_without_owner": "medium",
        "invite_pending": "low",
        "invite_expired": "low",
        **_ALL,
    },
    "keys": {
        "owner_gone": "high",
        "owner_not_in_project": "high",
        "unused": "medium",
        "never_used": "medium",
        "old": "medium",
        "owner_of_organization": "medium",
        "no_expiry": "low",
        "expired": "low",
        **_ALL,
    },
    "spend": {
        "limit_passed": "high",
        "limit_before_month_end": "high",
        "spike": "medium",
        "alert_passed": "medium",
        "no_limit_or_alert": "low",
        **_ALL,
    },
    "activity": {
        "failed_login": "high",
        "made_owner": "high",
        "sign_in": "medium",
        "keys": "medium",
        "access": "medium",
        "data": "medium",
        "network": "medium",
        "certificates": "medium",
        "incomplete": "medium",
        **_ALL,
    },
    "settings": {
        "no_spend_limit": "medium",
        "no_spend_alert": "medium",
        "different_retention": "low",
        "different_residency": "low",
        "different_models": "low",
        "different_hosted_tools_off": "low",
        "different_service_tier": "low",
        "different_rate_limits": "low",
        **_ALL,
    },
}
"""The names that a finding can have in each report, and how grave it is."""

TITLES: Final = {
    "access": "Access review",
    "keys": "API keys",
    "spend": "Spend",
    "activity": "Activity",
    "settings": "Project settings",
}
_GRAVEST_FIRST: Final[tuple[Severity, ...]] = ("high", "medium", "low")
_AGES: Final = ((30, "under 30 days"), (90, "30 to 89"), (180, "90 to 179"), (365, "180 to 364"))
_OLDEST, _NO_AGE = "a year or more", "not known"
_CONCERNS: Final = ("sign_in", "keys", "access", "data", "network", "certificates")
_MOST_BARS: Final = 20
_PERCENT: Final = 100


def view_of(report: str, answer: Json, target: str, days: Json | None = None, matrix: Matrix | None = None) -> View:
    """Return a report's answer as a view. ``days`` is spend by day, for its chart."""
    made = _MAKERS[report](answer, days)
    unreadable = tuple((str(each["what"]), str(each["why"])) for each in answer["unreadable"])
    found = [*made.findings]
    if unreadable:
        found.append(Finding(UNREADABLE, "medium", len(unreadable), "could not be read", _who(unreadable)))
    found.sort(key=lambda each: _GRAVEST_FIRST.index(each.severity))
    return View(
        report=report,
        title=TITLES[report],
        target=target,
        as_of=str(answer["as_of"]),
        facts=(*_facts(answer), *made.facts),
        findings=tuple(found),
        sheets=tuple(each for each in made.sheets if each.rows),
        notes=tuple(made.notes),
        unreadable=unreadable,
        charts=tuple(made.charts),
        matrix=matrix,
        answer=answer,
    )


class _Made:
    """What one report brings into its view."""

    def __init__(
        self,
        findings: Sequence[Finding] = (),
        sheets: Sequence[Sheet] = (),
        notes: Sequence[str] = (),
        charts: Sequence[Chart] = (),
        facts: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.findings = findings
        self.sheets = sheets
        self.notes = notes
        self.charts = charts
        self.facts = facts


def _who(unreadable: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(what for what, _ in unreadable)


def _facts(answer: Json) -> Iterator[tuple[str, str]]:
    """Yield the totals, and what the report is of."""
    for name in ("period", "compared_with", "by"):
        if name in answer:
            yield words(name), str(answer[name]).replace("..", " to ")
    for name, value in answer.get("about", {}).items():
        yield words(name), str(flat(value))
    for name, value in answer["totals"].items():
        if not isinstance(value, dict | bool) and value is not None:
            yield words(name), shown(value, kind_of(name))


def _keys(answer: Json, days: Json | None) -> _Made:
    del days
    grave = FINDINGS["keys"]
    called: dict[str, list[str]] = {}
    for row in answer["keys"]:
        for name in row.get("findings", ()):
            called.setdefault(name, []).append(f"{row['name']} ({row['owner']})")
    counts = answer["totals"]["findings"]
    findings = [Finding(name, grave[name], count, words(name), tuple(called[name])) for name, count in counts.items()]
    order = ("name", "kind", "project", "owner", "owner_state", "created", "last_used", "expires", "cents_30d")
    rows = sheet("key", "Keys", answer["keys"], (*order, "findings"), by=lambda row: _worst(grave, row))
    return _Made(findings, [rows], charts=[_ages(answer)] if answer["keys"] else ())


def _worst(grave: Mapping[str, Severity], row: Json) -> Severity | None:
    held = {grave[name] for name in row.get("findings", ())}
    return next((each for each in _GRAVEST_FIRST if each in held), None)


def _ages(answer: Json) -> Chart:
    """Return how many keys of each kind are how old."""
    labels = [*(name for _, name in _AGES), _OLDEST, _NO_AGE]
    kinds = [*dict.fromkeys(str(row["kind"]) for row in answer["keys"])]
    counts = {kind: dict.fromkeys(labels, 0) for kind in kinds}
    for row in answer["keys"]:
        counts[row["kind"]][_age(row.get("created"), str(answer["as_of"]))] += 1
    used = [label for label in labels if label != _NO_AGE or any(counts[kind][label] for kind in kinds)]
    series = {words(kind): tuple(counts[kind][label] for label in used) for kind in kinds}
    return Chart("Keys by age in days", tuple(used), series)


def _age(created: object, as_of: str) -> str:
    if not isinstance(created, str):
        return _NO_AGE
    age = (date.fromisoformat(as_of[:10]) - date.fromisoformat(created)).days
    return next((name for most, name in _AGES if age < most), _OLDEST)


def _told(report: str, answer: Json) -> list[Finding]:
    """Return the findings of an answer that has them with names and counts."""
    grave = FINDINGS[report]
    return [
        Finding(each["kind"], grave.get(each["kind"], "low"), each["count"], each["says"], tuple(each["who"]))
        for each in answer["findings"]
    ]


def _access(answer: Json, days: Json | None) -> _Made:
    del days
    about = ("name", "email", "role", "in", "through", "roles")
    order = (*about, "people", "groups", "service_accounts", "last_used", "quiet")
    names = ("people", "service_accounts", "ways", "roles", "groups", "projects")
    records = ("person", "service_account", "way", "role", "group", "project")
    sheets = [
        sheet(record, words(name), answer[name], order, by=_power if name == "people" else None)
        for name, record in zip(names, records, strict=True)
        if answer.get(name)
    ]
    return _Made(_told("access", answer), sheets)


def _power(row: Json) -> Severity | None:
    held = [*row.get("roles", ()), *row.get("through", ())]
    return "medium" if any(str(each).startswith(("owner", "organization owner")) for each in held) else None


def _inside(name: str) -> str:
    """Return a field's name as it stands within a line."""
    said = words(name)
    return said[:1].lower() + said[1:]


def _settings(answer: Json, days: Json | None) -> _Made:
    del days
    order = ("name", "spend_limit_usd", "alerts_usd", "retention", "residency", "models", "hosted_tools_off")
    own = [(f"Organization: {_inside(name)}", str(flat(value))) for name, value in answer["organization"].items()]
    usual = [(f"Usual: {_inside(name)}", str(flat(value)) or "none") for name, value in answer["usual"].items()]
    rows = sheet("project", "Projects", answer["projects"], order)
    return _Made(_told("settings", answer), [rows], facts=[*own, *usual])


def _spend(answer: Json, days: Json | None) -> _Made:
    sheets = [sheet("row", f"By {words(answer['by']).lower()}", answer["rows"], ("name",))]
    sheets.append(sheet("spike", "Spikes", answer["spikes"], ("name", "day"), by=lambda _: "medium"))
    limits = answer.get("limits", {})
    bounds = [*_bounds(limits)]
    sheets.append(sheet("limit", "Limits and alerts this month", bounds, ("name",), by=_strain))
    facts = []
    if end := answer.get("month_end"):
        facts.append(("Month's end", f"{in_dollars(end['low_cents'])} to {in_dollars(end['high_cents'])}"))
    notes = [*answer["findings"], *([str(limits["method"]).capitalize() + "."] if "method" in limits else [])]
    charts = [chart for chart in (_by_day(days), _by_row(answer)) if chart]
    return _Made([*_of_spend(answer, bounds)], sheets, notes, charts, facts)


def _bounds(limits: Json) -> Iterator[Json]:
    if "organization" in limits:
        yield {"name": "(organization)", **limits["organization"]}
    yield from limits.get("projects", ())


def _strain(row: Json) -> Severity | None:
    if _is_passed(row) or "days_left" in row:
        return "high"
    return "medium" if row.get("alerts_passed") else None


def _is_passed(row: Json) -> bool:
    return "limit_cents" in row and bool(row["spent_cents"] >= row["limit_cents"])


def _of_spend(answer: Json, bounds: Sequence[Json]) -> Iterator[Finding]:
    grave = FINDINGS["spend"]
    tests: dict[str, tuple[str, Callable[[Json], bool]]] = {
        "limit_passed": ("limit reached or passed", _is_passed),
        "limit_before_month_end": (
            "reaches its limit before the month ends, at the present pace",
            lambda row: "limit_cents" in row and "days_left" in row and not _is_passed(row),
        ),
        "alert_passed": ("alert passed this month", lambda row: bool(row.get("alerts_passed"))),
    }
    for name, (says, holds) in tests.items():
        if called := tuple(str(row["name"]) for row in bounds if holds(row)):
            yield Finding(name, grave[name], len(called), says, called)
    if spikes := tuple(f"{each['name']} on {each['day']}" for each in answer["spikes"]):
        yield Finding("spike", grave["spike"], len(spikes), "far above what is usual", spikes)
    limits = answer.get("limits", {})
    if count := limits.get("neither"):
        named = tuple(str(each["name"]) for each in limits["neither_named"])
        yield Finding("no_limit_or_alert", grave["no_limit_or_alert"], count, "neither limit nor alert", named)


def _by_day(days: Json | None) -> Chart | None:
    rows = (days or {}).get("rows")
    if not rows:
        return None
    amounts = tuple(row["cents"] for row in rows)
    return Chart("Spend by day", tuple(row["name"] for row in rows), {"Spend": amounts}, money=True)


def _by_row(answer: Json) -> Chart | None:
    measure = "tokens" if answer["by"] == "model" else "cents"
    rows = [row for row in answer["rows"] if row[measure] > 0]
    if answer["by"] == "day" or not rows:
        return None
    first, rest = rows[:_MOST_BARS], rows[_MOST_BARS:]
    labels = [str(row["name"]) for row in first] + ([f"{len(rest)} more"] if rest else [])
    amounts = [row[measure] for row in first] + ([sum(row[measure] for row in rest)] if rest else [])
    title = f"{'Tokens' if measure == 'tokens' else 'Spend'} by {words(answer['by']).lower()}"
    return Chart(title, tuple(labels), {title: tuple(amounts)}, money=measure == "cents", sideways=True)


def _activity(answer: Json, days: Json | None) -> _Made:
    del days
    order = ("first", "last", "what", "count", "who", "targets", "project", "detail", "ip", "key_id", "concern")
    rows = [
        {**row, **({"targets": [each["name"] for each in row["targets"]]} if "targets" in row else {})}
        for row in answer["rows"]
    ]
    notes = [*answer["findings"]]
    if not answer["totals"]["complete"]:
        notes.append("The log is too long for one report: give a shorter period, who or what.")
    sheets = [sheet("event", "What was done", rows, order, by=_concern)]
    return _Made([*_of_activity(answer)], sheets, notes)


def _concern(row: Json) -> Severity | None:
    if _is_failed_login(row) or _makes_owner(row):
        return "high"
    return "medium" if "concern" in row else None


def _is_failed_login(row: Json) -> bool:
    return bool(row["what"] == "login.failed")


def _makes_owner(row: Json) -> bool:
    return "role owner" in str(row.get("detail", "")).split(", ")


def _of_activity(answer: Json) -> Iterator[Finding]:
    grave = FINDINGS["activity"]
    tests: dict[str, tuple[str, Callable[[Json], bool]]] = {
        "failed_login": ("failed login", _is_failed_login),
        "made_owner": ("made owner, or invited as one", _makes_owner),
        **{name: (f"sensitive: {name.replace('_', ' ')}", partial(_is_about, name)) for name in _CONCERNS},
    }
    for name, (says, holds) in tests.items():
        fits = [row for row in answer["rows"] if holds(row)]
        if fits:
            called = tuple(dict.fromkeys(f"{row['what']} by {row['who']}" for row in fits))
            yield Finding(name, grave[name], sum(row["count"] for row in fits), says, called)
    if not answer["totals"]["complete"]:
        yield Finding("incomplete", grave["incomplete"], 1, "the log is longer than was read")


def _is_about(name: str, row: Json) -> bool:
    return str(row.get("concern", "")).replace("-", "_") == name


_MAKERS: Final[dict[str, Callable[[Json, Json | None], _Made]]] = {
    "access": _access,
    "keys": _keys,
    "spend": _spend,
    "activity": _activity,
    "settings": _settings,
}

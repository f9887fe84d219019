"""``report_spend``: what was spent in a period, by what, and what is unusual about it.

    {"as_of", "period", "compared_with"?, "by",
     "totals": {"cents", "before_cents"?, "change_percent"?, "no_person_cents"?, "no_person_percent"?},
     "rows": [{"id"?, "name", "cents", "change_cents"?}], "rest"?: {"cents"},
     "movers": [{"id"?, "name", "change_cents"}]: what changed most; an id stands where no row has it
     "spikes": [{"id"?, "name", "day", "cents", "usual_cents"}], "findings": [sentence],
     "limits"?: {"organization"?, "projects", "neither", "method"}, "month_end"?: {"low_cents", "high_cents", "method"},
     "more"?: how to see the rest, "unreadable": [...], "text": the same as a table}

Costs can be had by project, person, key, line item and day. They can't by model: there the rows count tokens, with
``tokens`` in place of ``cents`` and ``requests`` beside it. ``no_person`` is the part that no member of the
organization stands for: service accounts, people who left, and what the API attributes to nobody. Limits and the
month's end are about the present month, so they come only with a period that reaches today.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from admin_mcp.endpoints.fields import INTEGRAL, UNSET
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import NotFound
from admin_mcp.jobs.answers import stretch
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.costs import Costs
from admin_mcp.jobs.ledger import Ledger, ledger
from admin_mcp.jobs.limits import PACE_METHOD, RANGE_DAYS, Cap, cap, month_end, standing
from admin_mcp.jobs.listed import by_id, names_of
from admin_mcp.jobs.money import added, cents, exact, percent
from admin_mcp.jobs.periods import Period, PeriodText, iso, parse_period, today_at
from admin_mcp.jobs.reader import Reader
from admin_mcp.jobs.spend import Line, Spike, lines, movers, spikes, without_person
from admin_mcp.jobs.spend_text import Measure, text_of
from admin_mcp.jobs.tables import label, named, plural

By = Literal["project", "person", "key", "model", "line_item", "day"]

GROUPS: Final[dict[By, str | None]] = {
    "project": "project_id",
    "person": "user_id",
    "key": "api_key_id",
    "model": "model",
    "line_item": "line_item",
    "day": None,
}
USAGE: Final = (
    "completions",
    "decisions",
    "embeddings",
    "moderations",
    "images",
    "audio_speeches",
    "audio_transcriptions",
)
"""The usage that the API counts by model."""

_FEW, _MONTH = 6, 31
_MOVERS, _SPIKES, _CAPS = 3, 3, 5
_LEAST: Final[dict[Measure, Decimal]] = {"cents": Decimal(1), "tokens": Decimal(1000)}
_NO_COMPARISON = "none"
_STRANGERS: Final[dict[By, str]] = {"person": "(no member now)", "key": "(deleted or unknown)"}


class ReportSpend(Report, toolsets=("spend", "projects")):
    """Report spend with change, movers and spikes; up to today also limits and month-end forecast. By model: tokens."""

    period: PeriodText
    by: By
    compare: Annotated[str | None, Field(description="Period, or none; else the one before.")] = UNSET
    top: Annotated[int, Field(ge=1), INTEGRAL] = UNSET
    skip: Annotated[int, Field(ge=0, description="Rows already seen."), INTEGRAL] = UNSET

    async def answer(self, reader: Reader) -> Json:
        """Read the sums of both periods, and what gives the rows their names."""
        now = reader.now()
        period = parse_period(self.period, now)
        other = self._compared(period, now)
        costs = Costs(reader)
        wanted = [period, *([other] if other else [])]
        books = await reader.each(wanted, lambda each: _read(reader, costs, each, self.by))
        people = await reader.attempt("the organization's members", reader.all("list_users"))
        names = await _names(reader, self.by, people or [], books[0].main)
        spend = Spend(
            period=period,
            other=other,
            by=self.by,
            book=books[0],
            before=books[1] if other else None,
            names=names,
            today=today_at(now),
        )
        answer: Json = {"as_of": iso(now), **spend.summary()}
        if self.by != "model" and people is not None:
            answer["totals"] |= await _no_person(reader, costs, period, people)
        answer |= spend.detail(self.skip or 0, self.top or (_MONTH if self.by == "day" else _FEW), self.room)
        if period.reaches(now) and self.by != "model":
            answer |= await _this_month(reader, costs, now)
        answer["unreadable"] = reader.unreadable()
        return answer | {"text": text_of(answer, spend.measure)}

    def _compared(self, period: Period, now: float) -> Period | None:
        if self.compare is None:
            return period.previous()
        if self.compare.strip().casefold() == _NO_COMPARISON:
            return None
        return parse_period(self.compare, now, "compare")


@dataclass(frozen=True, slots=True)
class Book:
    """What a period adds up to; ``requests`` only of usage."""

    main: Ledger
    requests: Ledger | None = None


@dataclass(frozen=True, slots=True)
class Spend:
    """All that was read of the periods, and what follows from it."""

    period: Period
    other: Period | None
    by: By
    book: Book
    before: Book | None
    names: Mapping[str, str]
    today: date

    @property
    def measure(self) -> Measure:
        """What the amounts are in."""
        return "tokens" if self.by == "model" else "cents"

    def whole(self, amount: Decimal) -> int:
        """Return an amount as a whole number of what it is in."""
        return int(amount) if self.by == "model" else cents(amount)

    def summary(self) -> Json:
        """Return what the report is of, and its totals."""
        total = self.book.main.total()
        totals: Json = {self.measure: self.whole(total)}
        if self.book.requests:
            totals["requests"] = int(self.book.requests.total())
        if self.before:
            then = self.before.main.total()
            totals[f"before_{self.measure}"] = self.whole(then)
            if (change := percent(added((total, -then)), then)) is not None:
                totals["change_percent"] = change
        compared = {"compared_with": str(self.other)} if self.other else {}
        return {"period": str(self.period), **compared, "by": self.by, "totals": totals}

    def detail(self, skip: int, top: int, room: int | None) -> Json:
        """Return the rows and what is unusual about them. Of days the last ones come first, each part in order."""
        found = lines(self.book.main, self.before.main if self.before else self.book.main)
        rows = self._days()[::-1] if self.by == "day" else [self._row(line) for line in found]
        shown, way_on = stretch(rows, skip, top, room)
        end = skip + len(shown)
        detail: Json = {"rows": shown[::-1] if self.by == "day" else shown}
        if way_on:
            if self.by != "day":
                detail["rest"] = {self.measure: self.whole(added(line.amount for line in found[end:]))}
            detail["more"] = f"{plural(len(rows) - end, 'more row')}; {way_on}"
        ids = {row.get("id") for row in shown}
        moved = movers(found, _MOVERS) if self.before and self.by != "day" else []
        detail["movers"] = [self._named(line.name, ids) | self._change(line) for line in moved]
        detail["spikes"] = [self._spike(spike, ids) for spike in self._spikes()[:_SPIKES]]
        detail["findings"] = self._findings()
        return detail

    def _row(self, line: Line) -> Json:
        row = self._named(line.name) | {self.measure: self.whole(line.amount)}
        if self.book.requests:
            row["requests"] = int(self.book.requests.by_name().get(line.name, Decimal(0)))
        return row | (self._change(line) if self.before else {})

    def _days(self) -> list[Json]:
        amounts = self.book.main.by_day()
        return [{"name": str(day), "cents": cents(amounts.get(day, Decimal(0)))} for day in self.period.days]

    def _change(self, line: Line) -> Json:
        return {f"change_{self.measure}": self.whole(line.change)}

    def _named(self, name: str | None, known: object = ()) -> Json:
        if name is None:
            return {"name": "(all)" if self.by == "day" else "(not attributed)"}
        if self.by in {"model", "line_item"}:
            return {"name": label(name, "(no name)")}
        identity = {} if isinstance(known, set) and name in known else {"id": name}
        return {**identity, "name": self.names.get(name, _STRANGERS.get(self.by, "(unknown)"))}

    def _spike(self, spike: Spike, known: object) -> Json:
        amounts = {self.measure: self.whole(spike.amount), f"usual_{self.measure}": self.whole(spike.usual)}
        return self._named(spike.name, known) | {"day": str(spike.day)} | amounts

    def _spikes(self) -> list[Spike]:
        known, days = [self.book.main], list(self.period.days)
        if self.before and self.other and not set(self.other.days) & set(days):
            known, days = [self.before.main, *known], [*self.other.days, *days]
        full = [day for day in days if day < self.today]
        return spikes(known, full, set(self.period.days), _LEAST[self.measure])

    def _findings(self) -> list[str]:
        found = []
        for book in (self.book.main, *([self.before.main] if self.before else [])):
            if book.unclear:
                found.append(f"{plural(book.unclear, 'amount')} could not be read and counted as nothing")
            if book.foreign:
                found.append(f"{plural(book.foreign, 'amount')} in another currency than US dollars left out")
        if self.by == "model":
            found.append("Costs have no model: these are tokens. Costs by line_item name models.")
        if self.period.past > self.today:
            found.append("Today counts up to now.")
        found += [
            f"Nothing is known of {each}: nothing was spent, or it lies before what the API keeps."
            for each, book in ((self.period, self.book), (self.other, self.before))
            if each and book and not book.main.amounts
        ]
        found += [
            _gap(each, book.main)
            for each, book in ((self.period, self.book), (self.other, self.before))
            if each and book
        ]
        found = [each for each in found if each]
        return list(dict.fromkeys(found))


def _gap(period: Period, book: Ledger) -> str:
    """Return a sentence on the first days of a period that the API has nothing of, if there are any."""
    first = min((day for _, day in book.amounts), default=period.first)
    if first == period.first:
        return ""
    return f"{period}: the first amount is of {first}; before, nothing was spent, or it lies before what the API keeps."


async def _read(reader: Reader, costs: Costs, period: Period, by: By) -> Book:
    if by == "model":
        return await _read_usage(reader, period)
    return Book((await costs.by(GROUPS[by], period)).within(period))


async def _read_usage(reader: Reader, period: Period) -> Book:
    async def one(kind: str) -> tuple[Ledger, Ledger]:
        buckets = await reader.attempt(
            f"usage of {kind.replace('_', ' ')}",
            reader.all(f"get_usage_{kind}", start_time=period.start, end_time=period.end, group_by=["model"]),
        )
        return ledger(buckets or [], "model", _tokens), ledger(buckets or [], "model", _requests)

    tokens, requests = Ledger(), Ledger()
    for counted, asked in await reader.each(USAGE, one):
        tokens.merge(counted)
        requests.merge(asked)
    return Book(tokens.within(period), requests.within(period))


def _tokens(result: Json) -> Decimal:
    return added(number for name in ("input_tokens", "output_tokens") if (number := exact(result.get(name))))


def _requests(result: Json) -> Decimal | None:
    return exact(result.get("num_model_requests"))


async def _no_person(reader: Reader, costs: Costs, period: Period, people: list[Json]) -> Json:
    every = await reader.attempt("costs by person", costs.by("user_id", period))
    if every is None:
        return {}
    book = every.within(period)
    part = without_person(book, by_id(people))
    share = percent(part, book.total())
    return {"no_person_cents": cents(part), **({} if share is None else {"no_person_percent": share})}


async def _names(reader: Reader, by: By, people: list[Json], book: Ledger) -> dict[str, str]:
    """Return what the ids of the rows are called."""
    match by:
        case "project":
            return names_of(await reader.attempt("projects", reader.all("list_projects", include_archived=True)))
        case "person":
            known = names_of(people)
            missing = {name for name, _ in book.amounts if name is not None} - set(known)
            accounts = (
                await _in_projects(reader, "list_project_service_accounts", "service accounts") if missing else {}
            )
            return accounts | known
        case "key":
            return await _in_projects(reader, "list_project_api_keys", "keys")
        case "model" | "line_item" | "day":
            return {}


async def _in_projects(reader: Reader, tool: str, what: str) -> dict[str, str]:
    async def one(project: Json) -> list[Json] | None:
        every = {"owner_project_access": "any"} if tool == "list_project_api_keys" else {}
        reading = reader.all(tool, project_id=project["id"], **every)
        return await reader.attempt(f"{what} of {named(project)}", reading)

    projects = list(by_id(await reader.attempt("projects", reader.all("list_projects"))).values())
    found: dict[str, str] = {}
    for project, listed in zip(projects, await reader.each(projects, one), strict=True):
        found |= {item: f"{name} ({named(project)})" for item, name in names_of(listed).items()}
    return found


async def _this_month(reader: Reader, costs: Costs, now: float) -> Json:
    """Return how limits and alerts stand, and where the month will likely end."""
    month = parse_period("this_month", now)
    today = month.past - timedelta(1)
    reach = parse_period(f"{max(today.day, RANGE_DAYS + 1)}d", now)
    projects = list(by_id(await reader.attempt("projects", reader.all("list_projects"))).values())
    book = await reader.attempt("this month's costs", costs.by("project_id", reach))
    if book is None:
        return {}
    caps = await reader.each(projects, lambda project: _cap(reader, project))
    days: dict[str | None, dict[date, Decimal]] = {}
    for (name, day), amount in book.amounts.items():
        days.setdefault(name, {})[day] = amount
    rows = [
        {"id": str(project["id"]), "name": named(project), **standing(bounds, days.get(str(project["id"]), {}), today)}
        for project, bounds in zip(projects, caps, strict=True)
        if bounds is not None and bounds.exists
    ]
    neither = [project for project, bounds in zip(projects, caps, strict=True) if bounds and not bounds.exists]
    limits: Json = {"projects": sorted(rows, key=_urgency)[:_CAPS], "with_limit_or_alert": len(rows)}
    limits["neither"] = len(neither)
    limits["neither_named"] = [{"id": str(each["id"]), "name": named(each)} for each in neither[:_CAPS]]
    whole = book.by_day()
    if (own := await _cap(reader, None)) is not None:
        limits = {"organization": standing(own, whole, today), **limits}
    end = month_end(whole, today)
    return {"limits": {**limits, "method": PACE_METHOD}, **({"month_end": end} if end else {})}


def _urgency(row: Json) -> tuple[int, int, str]:
    return (row.get("days_left", _MONTH), -row.get("used_percent", 0), row["id"])


async def _cap(reader: Reader, project: Json | None) -> Cap | None:
    """Return the limit and alerts of a project, or of the organization; None where they can't be read."""
    scope = "organization" if project is None else "project"
    whose = "the organization" if project is None else named(project)
    given: dict[str, object] = {} if project is None else {"project_id": project["id"]}
    limit = await reader.attempt(
        f"spend limit of {whose}", _if_set(lambda: reader.get(f"get_{scope}_spend_limit", **given))
    )
    alerts = await reader.attempt(f"spend alerts of {whose}", reader.all(f"list_{scope}_spend_alerts", **given))
    return None if limit is None or alerts is None else cap(limit, alerts)


async def _if_set(read: Callable[[], Awaitable[Json]]) -> Json:
    """Return what is read, or an empty object where it is not set."""
    try:
        return await read()
    except NotFound:
        return {}

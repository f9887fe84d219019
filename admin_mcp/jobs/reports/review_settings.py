"""``review_settings``: how the projects are set, beside each other.

The answer: ``totals``; what the ``organization`` has; ``usual``, the values that more than half of the projects have;
``findings``, each with ``kind``, ``count``, what it ``says`` and ``who``; ``projects``, a row each, where amounts in
US dollars, null is not set and "unread" could not be read; ``as_of``, ``unreadable``, ``more`` where rows are left out,
and ``text``.
"""

from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from admin_mcp.endpoints.fields import INTEGRAL, UNSET
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import NotFound
from admin_mcp.jobs.answers import (
    MOST_BYTES,
    MOST_BYTES_OF_TEXT,
    cut,
    first_of,
    inner,
    listed,
    moment,
    names,
    said,
    size,
    table,
    window,
)
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.reader import Reader

UNREAD = "unread"
"""What stands in place of a setting that could not be read, so that it is not taken for one that is not set."""

_PARTS = {
    "spend_limit": "get_project_spend_limit",
    "retention": "get_project_data_retention",
    "models": "get_project_model_permissions",
    "hosted_tools": "get_project_hosted_tool_permissions",
    "service_tier": "get_project_service_tier_settings",
}
_LISTS = {"alerts": "list_project_spend_alerts", "rate_limits": "list_project_rate_limits"}
_LIMITS = (
    "max_requests_per_1_minute",
    "max_tokens_per_1_minute",
    "max_requests_per_1_day",
    "max_images_per_1_minute",
    "max_audio_megabytes_per_1_minute",
    "batch_1_day_max_input_tokens",
)
_COMPARED = ("retention", "residency", "models", "hosted_tools_off", "service_tier")
_ALL = "all"
_INHERITED = "organization_default"
_MOST_MODELS = 8
_MOST_RATES = 8
_COLUMNS = (
    "name",
    "spend_limit_usd",
    "alerts_usd",
    "retention",
    "residency",
    "models",
    "hosted_tools_off",
    "rate_limits",
)


class ReviewSettings(Report, toolsets=("projects", "spend", "security")):
    """All active projects' settings beside each other: spend limit, alerts, retention, residency, models, hosted tools,
    rate limits; and what is unset or different where most projects agree.
    """

    skip: Annotated[int, Field(ge=0, description="Rows already seen."), INTEGRAL] = UNSET

    async def answer(self, reader: Reader) -> Json:
        """Read every project's settings, and compare them."""
        projects = await reader.all("list_projects")
        read = await reader.each(projects, lambda project: _read(reader, project))
        organization = await _organization(reader)
        return compared(read, organization, reader.unreadable(), reader.now(), self.skip or 0)


@dataclass(slots=True)
class ProjectSettings:
    """One project, and its settings as the API answers them: empty where nothing is set, None where unreadable."""

    project: Json
    parts: dict[str, Json | None] = field(default_factory=dict)
    lists: dict[str, list[Json] | None] = field(default_factory=dict)


async def _read(reader: Reader, project: Json) -> ProjectSettings:
    found = ProjectSettings(project)
    identity, name = said(project, "id"), said(project, "name")

    async def part(which: str) -> None:
        reading = _or_empty(reader.get(_PARTS[which], project_id=identity))
        found.parts[which] = await reader.attempt(_label(which, name), reading)

    async def several(which: str) -> None:
        reading = reader.all(_LISTS[which], project_id=identity)
        found.lists[which] = await reader.attempt(_label(which, name), reading)

    await reader.each(_PARTS, part)
    await reader.each(_LISTS, several)
    return found


async def _organization(reader: Reader) -> Json:
    """Read what the organization itself has set."""
    limit = await reader.attempt("organization spend limit", _or_empty(reader.get("get_organization_spend_limit")))
    retention = await reader.attempt("organization retention", _or_empty(reader.get("get_organization_data_retention")))
    alerts = await reader.attempt("organization spend alerts", reader.all("list_organization_spend_alerts"))
    return {
        "spend_limit_usd": UNREAD if limit is None else _dollars(limit),
        "alerts_usd": UNREAD if alerts is None else sorted(filter(None, map(_dollars, alerts))),
        "retention": UNREAD if retention is None else said(retention, "type"),
    }


async def _or_empty(reading: Awaitable[Json]) -> Json:
    """Return a setting, empty where there is none: the API answers 404 then, which is no gap."""
    try:
        return await reading
    except NotFound:
        return {}


def _label(which: str, project: str) -> str:
    return f"{which.replace('_', ' ')} of project {project}"


def compared(
    read: Sequence[ProjectSettings], organization: Json, unreadable: Sequence[Json], now: float, skip: int
) -> Json:
    """Return the projects beside each other, and what differs where most agree."""
    rates = _usual_rates(read)
    rows = [_row(project, rates) for project in read]
    common = {name: _usual(row[name] for row in rows) for name in _COMPARED}
    usual = {name: value for name, value in common.items() if value is not None}
    findings = [*_unset(rows, organization), *_different(rows, usual), *_different_rates(rows)]
    head: Json = {
        "totals": {
            "projects": len(rows),
            "with_spend_limit": sum(isinstance(row["spend_limit_usd"], float | int) for row in rows),
            "with_alerts": sum(isinstance(row["alerts_usd"], list) and bool(row["alerts_usd"]) for row in rows),
            "with_own_models": sum(row["models"] not in {_ALL, UNREAD} for row in rows),
            "with_own_retention": sum(row["retention"] not in {_INHERITED, UNREAD} for row in rows),
        },
        "organization": organization,
        "usual": usual,
        "findings": findings,
    }
    ending: Json = {"as_of": moment(now), "unreadable": [*unreadable]}
    budget = MOST_BYTES - MOST_BYTES_OF_TEXT - size({**head, **ending})
    while True:
        shown, following = window({"projects": rows}, skip, budget)
        if following is not None:
            ending["more"] = f"{len(rows) - following} more projects: repeat with skip={following}."
        text = _text(head, shown["projects"], usual, ending)
        if (long := size(text)) <= MOST_BYTES_OF_TEXT or len(shown["projects"]) <= 1:
            return {**head, **shown, **ending, "text": cut(text)}
        # Who is shown the text alone must not miss a row that the rows have.
        budget = min(budget, size(shown)) * MOST_BYTES_OF_TEXT // (long + 1)


def _row(found: ProjectSettings, rates: Mapping[tuple[str, str], int]) -> Json:
    """Return one project's settings in short."""
    limit, alerts = found.parts["spend_limit"], found.lists["alerts"]
    retention, tier = found.parts["retention"], found.parts["service_tier"]
    return {
        "id": said(found.project, "id"),
        "name": said(found.project, "name"),
        "spend_limit_usd": UNREAD if limit is None else _dollars(limit),
        "alerts_usd": UNREAD if alerts is None else sorted(filter(None, map(_dollars, alerts))),
        "retention": UNREAD if retention is None else said(retention, "type"),
        "residency": said(found.project, "residency"),
        "models": _models(found.parts["models"]),
        "hosted_tools_off": _tools_off(found.parts["hosted_tools"]),
        "service_tier": UNREAD if tier is None else said(tier, "default"),
        "rate_limits": _unusual_rates(found.lists["rate_limits"], rates),
    }


def _dollars(row: Json) -> float | int | None:
    """Return an amount in dollars; the API gives cents."""
    cents = row.get("threshold_amount")
    if not isinstance(cents, int) or isinstance(cents, bool):
        return None
    return cents // 100 if cents % 100 == 0 else cents / 100


def _models(policy: Json | None) -> str:
    if policy is None:
        return UNREAD
    if not policy:
        return _ALL
    ids = sorted(model for model in listed(policy, "model_ids") if isinstance(model, str))
    words = {"allow_list": "only", "deny_list": "all but"}.get(said(policy, "mode"), said(policy, "mode"))
    return f"{words} {names(ids, _MOST_MODELS) or 'none'}"


def _tools_off(permissions: Json | None) -> list[str] | str:
    if permissions is None:
        return UNREAD
    return [name for name in sorted(permissions) if inner(permissions, name).get("enabled") is False]


def _usual_rates(read: Sequence[ProjectSettings]) -> dict[tuple[str, str], int]:
    """Return what more than half of the projects that have a limit have it at, by model and limit."""
    seen: dict[tuple[str, str], list[int]] = {}
    for project in read:
        for row in project.lists["rate_limits"] or ():
            for name, value in _rates(row):
                seen.setdefault((said(row, "model"), name), []).append(value)
    found = {key: _usual(values) for key, values in seen.items()}
    return {key: value for key, value in found.items() if isinstance(value, int)}


def _rates(row: Json) -> Iterator[tuple[str, int]]:
    for name in _LIMITS:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            yield name, value


def _unusual_rates(rows: list[Json] | None, usual: Mapping[tuple[str, str], int]) -> list[str]:
    """Return, in words, the limits of a project that are not what most projects have."""
    if rows is None:
        return [UNREAD]
    found = [
        f"{said(row, 'model')} {name.removeprefix('max_')} {value} (usual {usual[said(row, 'model'), name]})"
        for row in rows
        for name, value in _rates(row)
        if usual.get((said(row, "model"), name), value) != value
    ]
    return first_of(found, _MOST_RATES)


def _usual(values: Iterable[object]) -> object | None:
    """Return the value that more than half of them are, or None. What could not be read doesn't count."""
    read = [value for value in values if value != UNREAD]
    known = {_comparable(value): value for value in read}
    counted = Counter(map(_comparable, read))
    key, count = next(iter(counted.most_common(1)), (None, 0))
    return known[key] if count * 2 > counted.total() else None


def _comparable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _words(value: object) -> str:
    """Return a setting in words; an empty one is none."""
    return names([str(each) for each in value], 3) or "none" if isinstance(value, list) else str(value or "none")


def _unset(rows: Sequence[Json], organization: Json) -> Iterator[Json]:
    """Yield which projects have no spend limit, or no alert, while most have."""
    for name, words in (("spend_limit_usd", "spend limit"), ("alerts_usd", "spend alert")):
        known = [row for row in rows if row[name] != UNREAD]
        without = [said(row, "name") for row in known if not row[name]]
        if without and len(without) * 2 < len(known):
            yield _finding(f"no_{words.replace(' ', '_')}", f"no {words}, which most projects have", without)
        elif without and len(without) == len(known) and not organization[name]:
            yield _finding(f"no_{words.replace(' ', '_')}", f"no {words}, and the organization has none", without)


def _different(rows: Sequence[Json], usual: Mapping[str, object]) -> Iterator[Json]:
    """Yield what single projects have that most don't."""
    for name, common in usual.items():
        apart = [row for row in rows if row[name] not in (common, UNREAD)]
        if apart:
            values = names([*dict.fromkeys(_words(row[name]) for row in apart)], 3)
            words = f"{name.replace('_', ' ')} is {values}; most have {_words(common)}"
            yield _finding(f"different_{name}", words, [said(row, "name") for row in apart])


def _different_rates(rows: Sequence[Json]) -> Iterator[Json]:
    apart = [said(row, "name") for row in rows if row["rate_limits"] and row["rate_limits"] != [UNREAD]]
    if apart:
        yield _finding("different_rate_limits", "rate limits that differ from what most projects have", apart)


def _finding(kind: str, words: str, called: Sequence[str]) -> Json:
    return {"kind": kind, "count": len(called), "says": words, "who": first_of(called)}


def _text(head: Json, rows: Sequence[Json], usual: Mapping[str, object], ending: Json) -> str:
    """Return the comparison as a table in which only what is not usual is written out."""
    totals = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in head["totals"].items())
    common = "usual: " + ", ".join(f"{name} {_words(value)}" for name, value in usual.items())
    lines = table(_COLUMNS, ([_cell(name, row[name], usual) for name in _COLUMNS] for row in rows))
    missing = "Not all could be read: see unreadable." if ending["unreadable"] else ""
    return "\n".join(part for part in (totals, common, lines, missing, ending.get("more", "")) if part)


def _cell(name: str, value: object, usual: Mapping[str, object]) -> object:
    if name in usual and value == usual[name]:
        return "-"
    return _words(value)

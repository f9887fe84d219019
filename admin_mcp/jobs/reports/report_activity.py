"""``report_activity``: the audit log of a period as a story, what concerns an auditor first.

    {"as_of", "period", "totals": {"events", "sensitive", "actors", "addresses", "complete"},
     "rows": [{"what", "concern"?, "count", "who_id"?, "who", "key_id"?, "ip"?, "targets": [{"id", "name"}],
               "more_targets"?, "project"?, "detail"?, "first", "last"?}],
     "findings": [sentence], "more"?: how to see the rest, "unreadable": [...], "text": the same as a table}

One row is all that one actor did of one kind from one place. The log names an address for people who were signed in,
not for API keys: there ``key_id`` says which key was used. ``complete`` is false where the log was too long.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated, Final

from pydantic import Field

from admin_mcp.endpoints.fields import INTEGRAL, UNSET
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, InvalidInput
from admin_mcp.jobs.answers import said, stretch
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.listed import by_id, names_of
from admin_mcp.jobs.names import Named, nearest_to
from admin_mcp.jobs.periods import Period, PeriodText, iso, parse_period
from admin_mcp.jobs.reader import Reader, Unread
from admin_mcp.jobs.tables import label, plural, table, unread_line
from admin_mcp.jobs.trail import (
    Event,
    counts,
    events,
    findings,
    matching_types,
    names_in,
    nearest_types,
    sensitive_types,
    story,
    strange,
)

MOST_EVENTS: Final = 5000
_PAGE: Final = 100
_MOST_PROJECTS: Final = 10
_DAY: Final = 86_400
_MOST_NAMESAKES: Final = 20
_LIKE_AN_ID = re.compile(r"(?=.*[0-9])[A-Za-z]+[-_][A-Za-z0-9_.:~-]{2,250}")

_NOTHING: Final = "The log has nothing that fits: it did not happen, or lies before what the API keeps."

_NAMED_BY: Final = (
    ("list_groups", "groups", r"group\."),
    ("list_roles", "roles", r"role\."),
    ("list_admin_api_keys", "admin keys", r"api_key\."),
)
"""Which lists give names, and to which types of event."""


class ReportActivity(Report, toolsets=("security", "people")):
    """Report from the audit log who did what to whom, when and from which IP; sensitive events first."""

    period: PeriodText
    who: Annotated[str, Field(description="Name, email, id or IP.")] = UNSET
    what: Annotated[str, Field(description="deleted, api_key, sensitive...; or a thing's id.")] = UNSET
    top: Annotated[int, Field(ge=1), INTEGRAL] = 8
    skip: Annotated[int, Field(ge=0, description="Rows already seen."), INTEGRAL] = UNSET

    async def answer(self, reader: Reader) -> Json:
        """Read the log, and the names of what it speaks of."""
        now = reader.now()
        period = parse_period(self.period, now)
        users = await reader.attempt("the organization's members", reader.all("list_users"))
        address = _address(self.who)
        given = _within(period) | _by(self.who if address is None else None, users) | _of(self.what)
        entries, complete = await _log(reader, given)
        found = [event for event in events(entries) if _fits(event, period, address)]
        names = names_in(found) | await _names(reader, found) | names_of(users)
        rows, skip = story(found, names), self.skip or 0
        shown, way_on = stretch(rows, skip, self.top, self.room)
        answer: Json = {
            "as_of": iso(now),
            "period": str(period),
            "totals": {**counts(found), "complete": complete},
            "rows": shown,
            "findings": [*findings(found, names), *strange(entries), *_gaps(entries, period, self, complete=complete)],
        }
        if way_on:
            answer["more"] = f"{plural(len(rows) - skip - len(shown), 'more row')}; {way_on}, or narrow by what"
        answer["unreadable"] = reader.unreadable()
        return answer | {"text": text_of(answer)}


def _within(period: Period) -> dict[str, object]:
    return {"effective_at": {"gte": period.start, "lt": period.end}}


def _address(who: str | None) -> str | None:
    """Return the address that is asked for, spelt as it is usually written, or None if it is no address."""
    try:
        return str(ip_address(who.strip())) if who else None
    except ValueError:
        return None


def _by(who: str | None, users: list[Json] | None) -> dict[str, object]:
    """Return the filter by actor.

    Raises:
        InvalidInput: nobody goes by that name, or too many do.

    """
    if not who:
        return {}
    wanted = who.strip()
    if "@" in wanted:
        return {"actor_emails": [wanted]}
    if wanted in names_of(users) or _LIKE_AN_ID.fullmatch(wanted):
        return {"actor_ids": [wanted]}
    people = [user for user in users or () if wanted and wanted.casefold() in str(user.get("name")).casefold()]
    if not 0 < len(people) <= _MOST_NAMESAKES:
        why = f"fits {len(people)} people" if people else "is no member's name, e-mail address, id or IP address"
        why = why if users is not None else "may be a name, and the members' names can't be read"
        raise InvalidInput(
            f"who: {label(wanted)!r} {why}{_nearest(wanted, users or ()) if not people else ''}.",
            param="who",
            hint="Someone who has left is found by e-mail address or id only. find looks names up.",
        )
    return {"actor_ids": [*by_id(people)]}


def _nearest(wanted: str, users: Iterable[Json]) -> str:
    near = nearest_to(
        wanted, [Named("person", item, said(user, "name"), said(user, "email")) for item, user in by_id(users).items()]
    )
    return f"; the nearest are {'; '.join(thing.label for thing in near)}" if near else ""


def _of(what: str | None) -> dict[str, object]:
    """Return the filter by event or by thing.

    Raises:
        InvalidInput: it is neither.

    """
    if not what:
        return {}
    if types := matching_types(what):
        return {"event_types": types}
    if _LIKE_AN_ID.fullmatch(what.strip()):
        return {"resource_ids": [what.strip()]}
    close = "".join(f", {name}" for name in nearest_types(what))
    raise InvalidInput(
        f"what: {label(what)!r} fits no type of event and is no id.",
        param="what",
        hint=f"Try deleted, created, api_key, role, login.failed, sensitive{close}; or leave it out.",
    )


async def _log(reader: Reader, given: dict[str, object]) -> tuple[list[Json], bool]:
    """Return the entries, and whether they are all. Of a log that is too long the sensitive ones are all looked for."""
    entries, complete = await _pages(reader, given)
    if complete or "event_types" in given:
        return entries, complete
    oldest = min((event.at for event in events(entries)), default=None)
    since = f"before {iso(oldest)}, but for sensitive events" if oldest else "but for sensitive events"
    reader.unread.append(Unread(f"the log {since}", "it is too long for one report"))
    sensitive, _ = await _pages(reader, {**given, "event_types": sensitive_types()})
    return entries + sensitive, False


async def _pages(reader: Reader, given: dict[str, object]) -> tuple[list[Json], bool]:
    entries: list[Json] = []
    after: dict[str, object] = {}
    seen: set[object] = set()
    while len(entries) < MOST_EVENTS:
        try:
            page = await reader.get("list_audit_logs", **given, **after, limit=_PAGE)
        except CallError as error:
            if not after:
                raise
            reader.unread.append(Unread(f"the log beyond {len(entries)} entries", error.message))
            return entries, False
        listed = [entry for entry in page.get("data") or () if isinstance(entry, dict)]
        entries += listed
        cursor = page.get("last_id") or (listed[-1].get("id") if listed else None)
        if not page.get("has_more") or not isinstance(cursor, str) or cursor in seen:
            return entries, not page.get("has_more")
        seen.add(cursor)
        after = {"after": cursor}
    return entries, False


def _gaps(entries: list[Json], period: Period, asked: ReportActivity, *, complete: bool) -> list[str]:
    """Return a sentence on the part of a period that nothing is told of, if there is one.

    A log that was asked for by whom or what says nothing about how far it goes back.
    """
    if not entries:
        return [_NOTHING]
    first = min((event.at for event in events(entries)), default=period.start)
    if not complete or asked.who or asked.what or first < period.start + _DAY:
        return []
    return [
        f"The log begins at {iso(first)}: before that nothing happened in this period, or the API keeps it no more."
    ]


def _fits(event: Event, period: Period, address: str | None) -> bool:
    return period.start <= event.at < period.end and (address is None or _address(event.ip) == address)


async def _names(reader: Reader, found: list[Event]) -> dict[str, str]:
    """Return the names of things that still exist, of the kinds that the events speak of."""
    kinds = {event.type for event in found}
    names: dict[str, str] = {}
    for tool, what, pattern in _NAMED_BY:
        if any(re.search(pattern, kind) for kind in kinds):
            names |= names_of(await reader.attempt(f"names of {what}", reader.all(tool)))
    projects = {
        event.project.id: event.project.name or event.project.id
        for event in found
        if event.project and re.search(r"api_key\.|service_account\.", event.type)
    }

    async def inside(project: str) -> dict[str, str]:
        where = projects[project]
        keys = await reader.attempt(
            f"names of keys in {where}", reader.all("list_project_api_keys", project_id=project)
        )
        accounts = await reader.attempt(
            f"names of service accounts in {where}", reader.all("list_project_service_accounts", project_id=project)
        )
        return names_of([*(keys or ()), *(accounts or ())])

    for each in await reader.each(list(projects)[:_MOST_PROJECTS], inside):
        names |= each
    return names


def text_of(answer: Json) -> str:
    """Return the report as a text."""
    totals = answer["totals"]
    head = f"{answer['period']}: {plural(totals['events'], 'event')}, {totals['sensitive']} sensitive"
    head += f", by {plural(totals['actors'], 'actor')} from {plural(totals['addresses'], 'address', 'addresses')}."
    lines = [head, *answer["findings"]]
    if not totals["complete"]:
        lines.append("The log is too long for one report: give a shorter period, who or what.")
    rows = [
        (
            row["first"] if "last" not in row else f"{row['first']}..{row['last']}",
            f"{row['count']}x {row['what']}" if row["count"] > 1 else row["what"],
            row["who"],
            _whom(row),
            row.get("ip", "API key" if "key_id" in row else None),
        )
        for row in answer["rows"]
    ]
    lines += [table(("when", "what", "who", "whom", "from"), rows)] if rows else []
    lines += [answer["more"]] if "more" in answer else []
    return "\n".join([*lines, *unread_line(answer["unreadable"])])


def _whom(row: Json) -> str:
    said = ", ".join(target["name"] for target in row.get("targets", ()))
    said += f" +{row['more_targets']}" if "more_targets" in row else ""
    where = f" in {row['project']}" if "project" in row else ""
    detail = f" ({row['detail']})" if "detail" in row else ""
    return f"{said or '-'}{detail}{where}"

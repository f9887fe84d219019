"""Who has which role where, as a matrix: people and service accounts down, organization and projects across. Pure."""

from typing import Final

from admin_mcp.cli.report_view import Matrix, Severity
from admin_mcp.jobs.access import ORGANIZATION, Access, Way
from admin_mcp.jobs.access_words import labels, name_of, project_name

_MOST_ROWS: Final = 300
_MOST_PLACES: Final = 40


def matrix_of(access: Access) -> Matrix:
    """Return everybody who has a role anywhere; who may do most comes first."""
    held: dict[tuple[str, str], dict[str, list[Way]]] = {}
    for way in access.ways():
        held.setdefault((way.kind, way.holder), {}).setdefault(way.role.project, []).append(way)
    places = [ORGANIZATION, *access.projects]
    shown = places[:_MOST_PLACES]
    called = labels(access)
    order = sorted(held, key=lambda one: _power([*_all(held[one])]))
    rows = tuple(
        (
            called.get(holder) or f"{name_of(access, holder)} (service account)",
            tuple(_cell(held[kind, holder].get(place, [])) for place in shown),
        )
        for kind, holder in order[:_MOST_ROWS]
    )
    heads = tuple("Organization" if place == ORGANIZATION else project_name(access, place) for place in shown)
    return Matrix("Who has which role where", heads, rows, _left_out(len(order), len(places)))


def _all(places: dict[str, list[Way]]) -> list[Way]:
    return [way for ways in places.values() for way in ways]


def _power(ways: list[Way]) -> tuple[bool, int, int]:
    owned = sum(way.role.owns_project for way in ways)
    return (not any(way.role.owns_organization for way in ways), -owned, -len(ways))


def _cell(ways: list[Way]) -> tuple[str, Severity | None]:
    """Return the roles held in one place; those that come only through a group say so."""
    names = dict.fromkeys(way.role.name for way in ways)
    direct = {way.role.name for way in ways if not way.group}
    said = ", ".join(name if name in direct else f"{name} (group)" for name in names)
    if any(way.role.owns_organization for way in ways):
        return said, "high"
    if any(way.role.owns_project for way in ways):
        return said, "medium"
    return said, "low" if ways else None


def _left_out(people: int, places: int) -> str:
    parts = [
        f"{count - most} more {what}"
        for count, most, what in ((people, _MOST_ROWS, "rows"), (places, _MOST_PLACES, "projects"))
        if count > most
    ]
    return f"Not shown here: {' and '.join(parts)}. The tables have them." if parts else ""

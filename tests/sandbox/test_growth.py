"""A larger organization is more of the same, and the default one has nothing added."""

from typing import Any

import pytest

from admin_mcp.errors import SettingsError
from admin_mcp.sandbox.organization import Organization, Size
from admin_mcp.settings import load_settings, require_effect

NOW = 1_800_000_000
LISTS = ("/organization/users", "/organization/groups", "/organization/projects", "/organization/invites")


def grown(seed: int = 0, **size: int) -> Organization:
    return Organization(clock=lambda: NOW, seed=seed, size=Size(**size))


def listed(org: Organization, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    query = [("limit", "100")]
    while True:
        page: dict[str, Any] = org.respond("GET", path, query, None).body
        items += page["data"]
        if not page["has_more"]:
            return items
        query = [("limit", "100"), ("after", page.get("next") or page["last_id"])]


def test_the_default_organization_has_nothing_added() -> None:
    plain = Organization(clock=lambda: NOW)
    assert [listed(plain, path) for path in LISTS] == [listed(grown(people=7, projects=3), path) for path in LISTS]
    assert (len(listed(plain, LISTS[0])), len(listed(plain, LISTS[2]))) == (7, 3)


def test_an_organization_grows_to_the_size_asked_for_and_the_same_way_each_time() -> None:
    org = grown(people=310, projects=40)
    assert (len(listed(org, LISTS[0])), len(listed(org, LISTS[2]))) == (310, 40)
    again = grown(people=310, projects=40)
    assert [listed(org, path) for path in LISTS] == [listed(again, path) for path in LISTS]
    assert listed(grown(1, people=310, projects=40), LISTS[0]) != listed(org, LISTS[0])


def test_what_the_seed_made_stands_first_and_unchanged() -> None:
    assert listed(grown(people=50), LISTS[0])[:7] == listed(grown(), LISTS[0])


@pytest.mark.parametrize("size", [{"people": 30}, {"projects": 9}])
def test_people_and_projects_grow_alone_as_well(size: dict[str, int]) -> None:
    org = grown(**size)
    assert len(listed(org, LISTS[0])) == size.get("people", 7)
    assert len(listed(org, LISTS[2])) == size.get("projects", 3)


def test_a_size_means_something_only_with_the_sandbox() -> None:
    with pytest.raises(SettingsError, match="--people works only with --sandbox"):
        require_effect(load_settings(people=20), {"people"})
    with pytest.raises(SettingsError, match="--projects"):
        load_settings(sandbox=True, projects=0)


def test_a_filter_finds_one_of_many() -> None:
    org = grown(people=150)
    sought = listed(org, "/organization/users")[120]
    found = org.respond("GET", "/organization/users", [("emails[]", sought["email"]), ("limit", "20")], None)
    assert [user["id"] for user in found.body["data"]] == [sought["id"]]  # type: ignore[attr-defined]  # it is a list

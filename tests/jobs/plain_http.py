"""The organization's own answers over plain HTTP, past the server, to compute from what a report should have said."""

from fractions import Fraction
from typing import Any, Self

import httpx

from tests.sessions import KEY

Row = dict[str, Any]
ORG = "/organization"


class PlainHttp:
    """Requests to one organization."""

    def __init__(self, url: str) -> None:
        headers = {"authorization": f"Bearer {KEY}"}
        self._client = httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: str | int) -> Row:
        answer = self._client.get(f"{ORG}{path}", params=query)
        answer.raise_for_status()
        found: Row = answer.json()
        return found

    def unset(self, path: str) -> bool:
        """Tell whether there is no such thing."""
        return self._client.get(f"{ORG}{path}").status_code == 404

    def delete(self, path: str) -> None:
        self._client.delete(f"{ORG}{path}").raise_for_status()

    def all(self, path: str, **query: str | int) -> list[Row]:
        """Read a list page by page."""
        page = self.get(path, limit=100, **query)
        rows: list[Row] = [*page["data"]]
        while page["has_more"]:
            page = self.get(path, limit=100, after=page.get("next") or rows[-1]["id"], **query)
            rows += page["data"]
        return rows

    def cents(self, start: int, end: int, by: str) -> dict[str, Fraction]:
        """Add up the costs of a month, exactly."""
        sums: dict[str, Fraction] = {}
        for bucket in self.get("/costs", start_time=start, end_time=end, limit=31, group_by=by)["data"]:
            for result in bucket["results"]:
                sums[result[by]] = sums.get(result[by], Fraction(0)) + Fraction(repr(result["amount"]["value"])) * 100
        return sums

"""``find``: who or what goes by a name."""

from typing import Annotated

from pydantic import Field

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.base import Report
from admin_mcp.jobs.reader import Reader


class Find(Report, toolsets=("people", "projects", "security")):
    """Find a person by any part of their name or e-mail address, and get the id that other tools take."""

    query: Annotated[str, Field(min_length=1, max_length=200)]

    async def answer(self, reader: Reader) -> Json:
        """Look through the organization's users."""
        users = await reader.all("list_users")
        return {"found": people(users, self.query), "unreadable": reader.unreadable()}


def people(users: list[Json], query: str) -> list[Json]:
    """Return those users whose name or e-mail address has the query in it."""
    wanted = query.strip().casefold()
    named = ({"kind": "person", **{key: user.get(key) for key in ("id", "name", "email")}} for user in users)
    return [one for one in named if wanted in f"{one['name']} {one['email']}".casefold()]

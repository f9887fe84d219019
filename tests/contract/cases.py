"""Each documented endpoint beside the class that implements it, as pytest parameters with the tool's name as id."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from admin_mcp.catalog import all_endpoints
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json, build_tool
from tests.contract.facts import ENDPOINTS, DocumentedEndpoint, Member


class Case(NamedTuple):
    """One endpoint: what is documented, what implements it, and the tool a client sees."""

    documented: DocumentedEndpoint
    implemented: type[Endpoint]
    tool: Json

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.implemented.SPEC.name

    def schema_of(self, member: Member) -> Json:
        """The JSON schema of one argument; empty if the tool has no such argument."""
        schema: Json = self.tool["inputSchema"]["properties"].get(member.name, {})
        return schema


CLASSES = tuple(all_endpoints())
_BY_ENDPOINT = {endpoint.SPEC.endpoint: endpoint for endpoint in CLASSES}

CASES = tuple(
    Case(documented, implemented, build_tool(implemented))
    for documented in ENDPOINTS
    if (implemented := _BY_ENDPOINT.get(documented.endpoint))
)


def tools_where(holds: Callable[[DocumentedEndpoint], bool]) -> list[Any]:
    """The cases whose documentation holds something, as pytest parameters."""
    return [pytest.param(case, id=case.name) for case in CASES if holds(case.documented)]


every_tool = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
every_argument = pytest.mark.parametrize(
    ("case", "member"),
    [
        pytest.param(case, member, id=f"{case.name}-{member.name}")
        for case in CASES
        for member in case.documented.members
    ],
)

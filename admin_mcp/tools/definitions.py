"""Everything a server could list: a tool for each endpoint, one for each job, and those of plans."""

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs import compiled_jobs
from admin_mcp.tools.plan_definitions import plan_definitions


def every_definition() -> tuple[Json, ...]:
    """Return the ``tools/list`` entries: the endpoints' first."""
    return (*compiled_catalog().tools, *compiled_jobs(), *plan_definitions())

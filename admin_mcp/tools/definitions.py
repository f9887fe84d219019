"""Everything a server could list: a tool for each endpoint, and one for each job, as compiled."""

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs import compiled_jobs


def every_definition() -> tuple[Json, ...]:
    """Return the ``tools/list`` entries: the endpoints' first."""
    return (*compiled_catalog().tools, *compiled_jobs())

"""Which other tool helps where a call went wrong: worked out from the catalog's paths. Pure."""

from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import EndpointSpec


def verification(spec: EndpointSpec, catalog: Catalog) -> str:
    """Return the hint that says which read tells whether a change was made."""
    path = spec.path
    while path:
        if found := catalog.find(f"GET {path}"):
            return f"Call {found.SPEC.name} to see whether the change was made. Don't repeat the change before that."
        path = path.rpartition("/")[0]
    return "Read the present state to see whether the change was made. Don't repeat the change before that."


def absence(spec: EndpointSpec, catalog: Catalog) -> str:
    """Return the hint for a read of something that is set at most once and is not there, or an empty string.

    The ids may be right then: nothing may be set yet.
    """
    setter = None if spec.path.endswith("}") else catalog.find(f"POST {spec.path}")
    if spec.mutates or setter is None or "data" in spec.returns.model_fields:
        return ""
    where = " Otherwise check the project's id with list_projects." if spec.path_fields else ""
    return f"Most likely nothing is set here. {setter.SPEC.name} sets it, also for the first time.{where}"

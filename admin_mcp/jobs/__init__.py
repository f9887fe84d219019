"""Work above single endpoints: reports, which only read, and playbooks, which draft a plan. One class is one tool.

This module finds them. What is compiled is listed without importing any of them.
"""

import json
from functools import cache
from importlib import import_module, resources
from typing import TYPE_CHECKING

from admin_mcp.endpoints.discovery import class_name, specified
from admin_mcp.endpoints.schema import META_RESOURCE, Json

if TYPE_CHECKING:
    from admin_mcp.jobs.base import Job

REPORTS, PLAYBOOKS = "reports", "playbooks"
"""The two kinds, each a package with a module for each job."""


@cache
def compiled_jobs() -> tuple[Json, ...]:
    """Return the ``tools/list`` entries of all jobs, as compiled by ``make catalog``."""
    return tuple(json.loads(resources.files(__name__).joinpath("jobs.json").read_text("utf-8"))["tools"])


def job_class(definition: Json) -> "type[Job]":
    """Return the class behind a compiled entry, importing its module on first use."""
    module = import_module(f"{__name__}.{definition['_meta'][META_RESOURCE]}.{definition['name']}")
    job: type[Job] = getattr(module, class_name(definition["name"]))
    return job


def all_jobs() -> "list[type[Job]]":
    """Import every job's module and return their classes, reports first."""
    from admin_mcp.jobs.base import Job  # noqa: PLC0415 - what is compiled is served without it

    return [job for kind in (REPORTS, PLAYBOOKS) for job in specified(f"{__name__}.{kind}", Job)]

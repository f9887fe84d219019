"""Writes ``jobs.json``, the jobs as clients get them: ``make catalog`` runs it as a module."""

import json
from pathlib import Path

from admin_mcp.jobs import all_jobs
from admin_mcp.jobs.base import build_job_tool

JOBS_JSON = Path(__file__).with_name("jobs.json")


def compiled() -> str:
    """Return the text ``jobs.json`` must have."""
    return json.dumps({"tools": [build_job_tool(job) for job in all_jobs()]}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    JOBS_JSON.write_text(compiled(), encoding="utf-8")

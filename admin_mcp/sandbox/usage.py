"""Usage and costs: made-up numbers that stay the same, and that add up.

A report is a sum over *cells*: one project, one key, one model. Each cell has a number of requests in each hour, worked
out from the seed; a metric is so much per request. So groups add up to totals, and hours to days.
"""

import zlib
from collections.abc import Iterator
from typing import cast

from admin_mcp.endpoints.base import ApiObject
from admin_mcp.sandbox.errors import invalid
from admin_mcp.sandbox.projections import PROJECTS
from admin_mcp.sandbox.requests import Call, default_of
from admin_mcp.sandbox.resources import DAY
from admin_mcp.sandbox.serialization import models_in, tag_of
from admin_mcp.sandbox.store import Row, Store, number

_MINUTE, _HOUR = 60, 60 * 60
_WIDTHS = {"1m": _MINUTE, "1h": _HOUR, "1d": DAY}
_LIMITS = {"1m": 60, "1h": 24, "1d": 7}
_MOST_REQUESTS_AN_HOUR = 40
_CURSOR = "page_"

_PER_REQUEST = {
    "num_model_requests": 1,
    "num_requests": 1,
    "num_sessions": 1,
    "images": 2,
    "characters": 900,
    "seconds": 45,
    "usage_bytes": 52_000,
    "input_tokens": 850,
    "input_text_tokens": 850,
    "input_cached_tokens": 250,
    "input_cached_text_tokens": 250,
    "input_uncached_tokens": 600,
    "output_tokens": 210,
    "output_text_tokens": 210,
}
"""What one pretend request adds to each metric. Metrics that are missing here stay 0."""

_DOLLARS_PER_REQUEST = 0.0032

_MODELS = {
    "completions": ("gpt-5.2", "gpt-5-mini"),
    "decisions": ("gpt-5.2",),
    "embeddings": ("text-embedding-3-small",),
    "moderations": ("omni-moderation-latest",),
    "images": ("gpt-image-1",),
    "audio_speeches": ("gpt-4o-mini-tts",),
    "audio_transcriptions": ("gpt-4o-transcribe",),
    "web_search_calls": ("gpt-5.2",),
    "costs": ("gpt-5.2", "gpt-5-mini"),
}

_DIMENSIONS: Row = {
    "batch": False,
    "service_tier": "default",
    "api_source": "unlabeled",
    "size": "1024x1024",
    "source": "image.generation",
    "context_level": "medium",
    "vector_store_id": "vs_sandbox",
}
"""What every cell has in common."""

Cell = dict[str, object]


def report(store: Store, call: Call) -> Row:
    """Return the page of buckets that a call asks for."""
    width = _WIDTHS[str(call.given.get("bucket_width") or "1d")]
    start = number(call.given, "start_time")
    end = call.given.get("end_time")
    end = end if isinstance(end, int) else call.now
    if end <= start:
        raise invalid("Invalid value for 'end_time': must be later than 'start_time'.", param="end_time")
    moments = range(_resumed(call, start) // width * width, end, width)
    limit = _limit(call)
    buckets: list[Row] = [
        {"start_time": moment, "end_time": moment + width, "results": _results(store, call, moment, width)}
        for moment in moments[:limit]
    ]
    more = len(moments) > limit
    return {"data": buckets, "has_more": more, "next_page": f"{_CURSOR}{moments[limit]}" if more else None}


def _resumed(call: Call, start: int) -> int:
    cursor = call.given.get("page")
    if cursor is None:
        return start
    moment = str(cursor).removeprefix(_CURSOR)
    if not str(cursor).startswith(_CURSOR) or not moment.isdigit():
        raise invalid("Invalid value for 'page': take it from 'next_page' of the page before.", param="page")
    return int(moment)


def _limit(call: Call) -> int:
    limit = call.given.get("limit") or default_of(call.route.endpoint, "limit")
    if not isinstance(limit, int):
        return _LIMITS[str(call.given.get("bucket_width") or "1d")]
    if limit < 1:
        raise invalid("Invalid value for 'limit': must be at least 1.", param="limit")
    return limit


def _results(store: Store, call: Call, moment: int, width: int) -> list[Row]:
    """Add up the cells of one bucket by what they are grouped by."""
    grouped_by = cast("list[str]", call.given.get("group_by") or [])
    sums: dict[tuple[object, ...], int] = {}
    for cell in _cells(store, call):
        requests = _requests(store.seed, cell, moment, min(moment + width, call.now))
        if requests and _passes(call, cell):
            group = tuple(cell.get(name) for name in grouped_by)
            sums[group] = sums.get(group, 0) + requests
    result = _result_model(call)
    return [
        {**dict(zip(grouped_by, group, strict=True)), **_metrics(result, requests)} for group, requests in sums.items()
    ]


def _metrics(result: type[ApiObject], requests: int) -> Row:
    ints = [name for name, field in result.model_fields.items() if field.annotation is int]
    metrics: Row = {name: _PER_REQUEST.get(name, 0) * requests for name in ints}
    dollars = round(requests * _DOLLARS_PER_REQUEST, 6)
    return {**metrics, "object": tag_of(result), "amount": {"value": dollars, "currency": "usd"}}


def _result_model(call: Call) -> type[ApiObject]:
    """Return which of the documented results this report holds, by the name in the path."""
    bucket = models_in(call.route.endpoint.SPEC.returns.model_fields["data"].annotation)[0]
    name = call.path.rpartition("/")[2].removesuffix("_calls")
    results = models_in(bucket.model_fields["results"].annotation)
    return next(result for result in results if str(tag_of(result)).split(".")[-2].startswith(name))


def _cells(store: Store, call: Call) -> Iterator[Cell]:
    """Each key of each project, with each model, consumes something."""
    report_name = call.path.rpartition("/")[2]
    for project, about in store.rows(PROJECTS).items():
        for key, row in store.rows(f"{PROJECTS}/{project}/api_keys").items():
            owner = row.get("user_id") or row.get("service_account_id")
            for model in _MODELS.get(report_name, ("",)):
                cell = {"report": report_name, "since": about["created_at"], "model": model}
                caller = {"project_id": project, "api_key_id": key, "user_id": owner}
                yield {**_DIMENSIONS, **cell, **caller, "line_item": f"{model}, input"}


def _passes(call: Call, cell: Cell) -> bool:
    """Whether a cell passes every filter: ``project_ids`` holds what ``project_id`` may be."""
    for name, asked in call.given.items():
        key = name.removesuffix("s")
        if isinstance(asked, list) and key in cell and cell[key] not in asked:
            return False
        if isinstance(asked, bool) and cell[name] != asked:
            return False
    return True


def _requests(seed: int, cell: Cell, start: int, end: int) -> int:
    """Return how many requests a cell makes in a span, such that adjacent spans add up to the whole."""
    identity = f"{seed}/{cell['report']}/{cell['api_key_id']}/{cell['model']}"
    start = max(start, number(cell, "since"))
    total = 0
    for hour in range(start // _HOUR, -(-end // _HOUR)):
        whole = zlib.crc32(f"{identity}/{hour}".encode()) % _MOST_REQUESTS_AN_HOUR
        first, last = max(start - hour * _HOUR, 0), min(end - hour * _HOUR, _HOUR)
        total += whole * last // _HOUR - whole * first // _HOUR
    return total

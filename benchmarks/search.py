"""Measures how well ``search_tools`` finds what people ask for in their own words.

    .venv/bin/python benchmarks/search.py [--misses]

The search was built looking at the queries of "build"; those of "measure" were written before and never looked at for
that, so only their figures count. An expected tool that this version doesn't have is left out.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from admin_mcp.endpoints.schema import Json  # noqa: E402 - the repository has to be on the path first
from admin_mcp.tools.definitions import every_definition  # noqa: E402
from admin_mcp.tools.search_index import SearchIndex  # noqa: E402

QUERIES = HERE / "search_queries.json"
_AMONG = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What one query led to: the names, best first, and those of them that answer it."""

    query: str
    names: Sequence[str]
    expected: frozenset[str]

    @property
    def rank(self) -> int | None:
        """The place of the first right tool, from 1, or None if there is none."""
        return next((place for place, name in enumerate(self.names, 1) if name in self.expected), None)


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a search is over many queries. ``mrr``: the mean of 1 / rank, 0 where nothing right was found."""

    queries: int
    hit_1: float
    hit_5: float
    mrr: float


def queries(part: str) -> dict[str, list[str]]:
    """Return the queries of one part, each with the tools that answer it."""
    read: dict[str, list[str]] = json.loads(QUERIES.read_text("utf-8"))[part]
    return read


def searched(tools: Sequence[Json], asked: Mapping[str, Sequence[str]]) -> list[Found]:
    """Ask for everything that one of these tools could answer."""
    names = frozenset(tool["name"] for tool in tools)
    index = SearchIndex(tools)
    return [
        Found(query, [tool["name"] for tool in index.ranked(query)], right)
        for query, expected in asked.items()
        if (right := names.intersection(expected))
    ]


def quality(found: Sequence[Found]) -> Quality:
    """Return the figures."""
    ranks = [each.rank for each in found]
    return Quality(
        queries=len(ranks),
        hit_1=sum(rank == 1 for rank in ranks) / len(ranks),
        hit_5=sum(rank is not None and rank <= _AMONG for rank in ranks) / len(ranks),
        mrr=sum(1 / rank for rank in ranks if rank) / len(ranks),
    )


def main(arguments: Sequence[str]) -> None:
    """Print the figures of both parts, what a search takes, and what was not found first if that is asked for."""
    tools = every_definition()
    for part in ("build", "measure"):
        found = searched(tools, queries(part))
        best = quality(found)
        print(f"{part:8} {best.queries} queries: hit@1 {best.hit_1:.2f}, hit@5 {best.hit_5:.2f}, MRR {best.mrr:.2f}")
        for each in found if "--misses" in arguments else ():
            if each.rank != 1:
                print(f"    {each.rank or '-':>3}  {each.query}: {', '.join(each.names[:_AMONG])}")
    print(f"making the index takes {_milliseconds(tools, repeats=1):.1f} ms, a search {_each(tools):.2f} ms")


def _milliseconds(tools: Sequence[Json], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        SearchIndex(tools).ranked("role")
    return (time.perf_counter() - start) * 1000 / repeats


def _each(tools: Sequence[Json]) -> float:
    index, asked = SearchIndex(tools), [*queries("build"), *queries("measure")]
    index.ranked("role")
    start = time.perf_counter()
    for query in asked:
        index.ranked(query)
    return (time.perf_counter() - start) * 1000 / len(asked)


if __name__ == "__main__":
    main(sys.argv[1:])

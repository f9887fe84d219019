"""All that is set on one project, as far as a new one can be given the same. Reads only."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from admin_mcp.endpoints.schema import Json
from admin_mcp.jobs.naming import rows
from admin_mcp.jobs.person_access import direct, if_there
from admin_mcp.jobs.reader import Reader

RATE_LIMITS = (
    "batch_1_day_max_input_tokens",
    "max_audio_megabytes_per_1_minute",
    "max_images_per_1_minute",
    "max_requests_per_1_day",
    "max_requests_per_1_minute",
    "max_tokens_per_1_minute",
)


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What a project has. None and empty: nothing is set, or it could not be read. ``groups`` come with their roles."""

    project: Json
    spend_limit: Json | None = None
    models: Json | None = None
    hosted_tools: Json | None = None
    service_tier: Json | None = None
    data_retention: Json | None = None
    rate_limits: tuple[Json, ...] = ()
    alerts: tuple[Json, ...] = ()
    roles: tuple[Json, ...] = ()
    groups: tuple[tuple[Json, tuple[Json, ...]], ...] = ()
    certificates: tuple[Json, ...] = ()


async def read_settings(reader: Reader, project: Json) -> ProjectSettings:
    """Read everything that is set on a project."""
    place = {"project_id": project["id"]}

    async def one(what: str, tool: str) -> Json | None:
        return await if_there(reader, f"the original's {what}", reader.get(tool, **place))

    async def many(what: str, tool: str) -> tuple[Json, ...]:
        return tuple(await if_there(reader, f"the original's {what}", rows(reader, tool, **place)) or ())

    return ProjectSettings(
        project=project,
        spend_limit=await one("spend limit", "get_project_spend_limit"),
        models=await one("model permissions", "get_project_model_permissions"),
        hosted_tools=await one("hosted tools", "get_project_hosted_tool_permissions"),
        service_tier=await one("service tiers", "get_project_service_tier_settings"),
        data_retention=await one("data retention", "get_project_data_retention"),
        rate_limits=await many("rate limits", "list_project_rate_limits"),
        alerts=await many("spend alerts", "list_project_spend_alerts"),
        roles=await many("roles", "list_project_roles"),
        groups=await _groups(reader, place),
        certificates=await many("certificates", "list_project_certificates"),
    )


async def _groups(reader: Reader, place: Mapping[str, str]) -> tuple[tuple[Json, tuple[Json, ...]], ...]:
    reading = reader.all("list_project_groups", **place)
    found = await if_there(reader, "the original's groups", reading) or []
    groups = [group for group in found if isinstance(group.get("group_id"), str)]

    async def roles(group: Json) -> tuple[Json, ...]:
        held = rows(reader, "list_project_group_roles", **place, group_id=group["group_id"])
        return direct(await if_there(reader, "the roles of the original's groups", held) or [], group["group_id"])

    return tuple(zip(groups, await reader.each(groups, roles), strict=True))


def changed_rate_limits(limits: Sequence[Json], others: Sequence[Sequence[Json]]) -> list[Json]:
    """Return those rate limits that are not what most other projects have, which is taken for the default.

    The API doesn't tell the default. Without another project to compare with, each limit may be a changed one.
    """
    usual: dict[str, Counter[tuple[object, ...]]] = {}
    for other in others:
        for limit in other:
            usual.setdefault(str(limit.get("model")), Counter())[_values(limit)] += 1
    return [limit for limit in limits if not _is_usual(limit, usual.get(str(limit.get("model"))))]


def _is_usual(limit: Json, seen: "Counter[tuple[object, ...]] | None") -> bool:
    return seen is not None and seen.most_common(1)[0][0] == _values(limit)


def _values(limit: Json) -> tuple[object, ...]:
    return tuple(limit.get(name) for name in RATE_LIMITS)

"""How a tool that stands for no endpoint is listed. Pure, and small: it is loaded at start-up."""

from collections.abc import Mapping, Sequence

from admin_mcp.endpoints.base import Effect
from admin_mcp.endpoints.schema import META_EFFECT, Json


def list_entry(
    name: str,
    description: str,
    properties: Json,
    required: Sequence[str],
    *,
    output: Json | None,
    effect: Effect = "read",
    idempotent: bool = True,
    open_world: bool = True,
    meta: Mapping[str, object] | None = None,
) -> Json:
    """Return the ``tools/list`` entry of a tool that either reads or, at its gravest, destroys."""
    title = name.replace("_", " ").capitalize()
    changes = effect != "read"
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": properties,
            **({"required": list(required)} if required else {}),
            "additionalProperties": False,
        },
        **({"outputSchema": output} if output else {}),
        "annotations": {
            "title": title,
            "readOnlyHint": not changes,
            "destructiveHint": changes,
            "idempotentHint": idempotent,
            "openWorldHint": open_world,
        },
        "_meta": {META_EFFECT: effect, **(meta or {})},
    }

"""How the tools of plans are listed. Pure, and small: it is loaded at start-up."""

from functools import cache

from admin_mcp.endpoints.base import Effect
from admin_mcp.endpoints.schema import META_RESOURCE, META_TOOLSETS, Json
from admin_mcp.gate.plan import MOST_STEPS
from admin_mcp.tools.list_entry import list_entry

PLANS = "plans"
"""The resource, and so the toolset, that these tools are of; they are in every preset as well."""

_TOOLSETS = ["people", "projects", "spend", "security"]


@cache
def plan_definitions() -> tuple[Json, ...]:
    """Return the ``tools/list`` entries."""
    plan_id: Json = {"plan_id": {"type": "string"}}
    step: Json = {
        "type": "object",
        "properties": {
            "tool": {"type": "string"},
            "arguments": {"type": "object"},
            "why": {"type": "string"},
        },
        "required": ["tool", "arguments"],
        "additionalProperties": False,
    }
    return (
        _listed(
            "plan_changes",
            "Make a plan of several changes, for one approval. Sends nothing: it checks every step and shows what each "
            'would do. A step is a changing tool and its arguments; {"from_step": 1, "field": "id"} stands for an '
            "id that an earlier step makes.",
            {
                "title": {"type": "string"},
                "steps": {"type": "array", "items": step, "minItems": 1, "maxItems": MOST_STEPS},
            },
            ["steps", "title"],
        ),
        _listed("get_plan", "Show a plan and how far each of its steps has come.", plan_id, ["plan_id"]),
        _listed(
            "list_plans",
            "List the plans made on this machine, newest first.",
            {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}},
            [],
        ),
        _listed(
            "apply_plan",
            "Carry a plan out: a person is asked once about all its steps, which are then sent in order. It stops "
            "where one fails. Call it again to go on after approval_pending or an interruption; nothing is sent twice.",
            plan_id,
            ["plan_id"],
            effect="destroy",
        ),
        _listed(
            "undo_change",
            "Make a plan that undoes one change made through this server, or say why nothing can. Sends nothing.",
            {"change_id": {"type": "string", "description": "From list_changes."}},
            ["change_id"],
        ),
        _listed(
            "undo_plan",
            "Make a plan that undoes what was made of another plan, last step first. Sends nothing.",
            plan_id,
            ["plan_id"],
        ),
        _listed(
            "list_approvals",
            "Tell which changes wait for a person, and what was decided about others today. Decides nothing.",
            {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}},
            [],
        ),
        _listed(
            "list_changes",
            "Tell what was asked, decided, sent and done through this server on this machine, latest first.",
            {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}},
            [],
        ),
    )


def _listed(name: str, description: str, properties: Json, required: list[str], effect: Effect = "read") -> Json:
    meta = {META_RESOURCE: PLANS, META_TOOLSETS: _TOOLSETS}
    return list_entry(name, description, properties, required, output={"type": "object"}, effect=effect, meta=meta)

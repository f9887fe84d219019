"""``confirm_change``: the second of the two steps. It executes the call that a pending approval has stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from anyio import to_thread

from admin_mcp.channels.two_step import CONFIRM_CHANGE, Confirmation, TwoStepConfirm
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import ApprovalDenied, InvalidInput
from admin_mcp.gate.approvals import Approvals
from admin_mcp.tools.list_entry import list_entry
from admin_mcp.tools.protocol import CallContext, Defined, Tool

CONFIRM_DEFINITION = list_entry(
    CONFIRM_CHANGE,
    "Execute a change that an earlier call answered with approval_pending. Only after the user, who has "
    "seen the whole preview, said yes. The stored request is sent, once, if what it changes still looks as shown.",
    {
        "id": {"type": "string", "description": "The approval's id, from the pending answer."},
        "phrase": {"type": "string", "description": "The phrase beside it, unchanged."},
    },
    ["id", "phrase"],
    output=None,
    effect="destroy",
    idempotent=False,
)


@dataclass(frozen=True, slots=True)
class ConfirmTool(Defined):
    """``find`` returns the tool of a name, whose call was stored."""

    approvals: Approvals
    find: Callable[[str], Tool | None]

    async def run(self, arguments: Mapping[str, object], context: CallContext) -> Json:
        """Execute the stored call."""
        given = parse_confirmation(arguments)
        approval = await to_thread.run_sync(self.approvals.get, given.id)
        tool = self.find(approval.question.tool) if approval else None
        if approval is None or tool is None:
            raise ApprovalDenied(
                "There is no open approval with this id. Nothing was sent.",
                hint="Call the changing tool itself first; its answer has the id and the phrase.",
            )
        context.channels = TwoStepConfirm(given)
        return await tool.run(approval.question.arguments, context)


def parse_confirmation(arguments: Mapping[str, object]) -> Confirmation:
    """Validate the arguments.

    Raises:
        InvalidInput: they are not exactly the two.

    """
    approval_id, phrase = arguments.get("id"), arguments.get("phrase")
    if len(arguments) == 2 and isinstance(approval_id, str) and isinstance(phrase, str):  # noqa: PLR2004 - id and phrase
        return Confirmation(approval_id, phrase)
    raise InvalidInput(
        f"{CONFIRM_CHANGE} takes id and phrase, both strings, and nothing else; nothing was sent.",
        hint="Pass both exactly as the pending answer gave them.",
    )

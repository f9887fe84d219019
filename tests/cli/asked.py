"""Questions that wait, and the commands about them."""

from click.testing import CliRunner

from admin_mcp.cli.main import main
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.database import epoch_seconds
from admin_mcp.gate.policy import Channel
from admin_mcp.gate.storage import GateStorage
from tests.gate.questions import Clock, question


class Now(Clock):
    """The real time, because the commands run in processes of their own."""

    def __call__(self) -> float:
        return epoch_seconds()


def ask(kept: GateStorage, key: str = "key", channel: Channel = "local", *, typed: bool = True) -> Approval:
    return kept.approvals.open(question(key, typed=typed), channel)[0]


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["approvals", *arguments])
    return result.exit_code, result.stdout, result.stderr


def state(kept: GateStorage, approval: Approval) -> str:
    found = kept.approvals.get(approval.id)
    return found.state if found else "gone"

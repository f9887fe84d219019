"""Has a change sent, once it may be: lock, last look, claim, permit, and the record of it before and after."""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio

from admin_mcp.api.permits import Admission, Permits
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, StateUnavailable
from admin_mcp.gate.approval import Result
from admin_mcp.gate.assessment import Assessment, Change, arguments_of
from admin_mcp.gate.before_image import kept_of_answer
from admin_mcp.gate.offload import done_whole, threaded
from admin_mcp.gate.refusals import StoppedAtRecheck, failed, not_resent
from admin_mcp.gate.snapshot import Snapshot
from admin_mcp.gate.storage import GateStorage
from admin_mcp.private_files import LockBusyError

logger = logging.getLogger(__name__)

_LATE_SECONDS = 0.5
"""Waiting this long for the state makes the last look an old one."""

Recheck = Callable[[], Awaitable[Snapshot | None]]
"""Raises if a change must not be made any more, and returns what it read of the target, if it did."""

Claim = Callable[[Json], None]
"""Uses the approval up and records that the change is sent, with an image of what it replaces."""

Finish = Callable[[Result, Admission], None]


@dataclass(frozen=True, slots=True)
class Beginning:
    """A change that is recorded as being sent; ``late``: so long after the last look that another one is due."""

    change_id: str
    late: bool


class Sending:
    """What every change goes through on its way out, be it a call or a step of a plan."""

    def __init__(self, assessment: Assessment, storage: GateStorage, permits: Permits) -> None:
        self._assessment = assessment
        self._storage = storage
        self._permits = permits

    async def begun(
        self, change: Change, change_id: str, held: AsyncExitStack, *, recheck: Recheck, claim: Claim
    ) -> Beginning:
        """Take every lock, look a last time, and claim the change, which records that it is sent.

        What takes long comes first, so that nothing is waited for between the last look and the request.
        """
        await threaded(self._process_name)
        await held.enter_async_context(self._assessment.guardrails.held(change.call))
        image = await self._assessment.image(change, await recheck())
        looked = anyio.current_time()
        await threaded(claim, image)
        return Beginning(change_id, late=anyio.current_time() - looked > _LATE_SECONDS)

    @asynccontextmanager
    async def sent(
        self, change: Change, began: Beginning, recheck: Recheck, finish: Finish
    ) -> AsyncIterator[Admission]:
        """Enter with the permit, and record how the sending ended. ``recheck`` comes before it is sent once more."""
        permit = self._permits.issue(change.key)
        admission = Admission(permit, recheck=recheck)
        try:
            if began.late:
                await recheck()
            yield admission
        except BaseException as error:
            unused = self._permits.withdraw(permit)
            await self._finished(began.change_id, finish, failed(error, unused=unused), admission)
            raise
        self._permits.withdraw(permit)
        await self._finished(began.change_id, finish, Result("done", "The change was made."), admission)

    async def _finished(self, change_id: str, finish: Finish, result: Result, admission: Admission) -> None:
        """Record the outcome. By now it stands, so that failing to write it down must not hide it."""
        try:
            await done_whole(partial(finish, result, admission))
        except StateUnavailable as error:
            told = "change %s: %s. That stands, but the journal can't be written: %s"
            logger.error(told, change_id, result.outcome, error.reason)  # noqa: TRY400 - the message says it all

    async def rechecked_again(self, recheck: Recheck, call: Endpoint) -> Snapshot | None:
        """Check anew what was claimed a while ago, or is to be sent again because the API did not take it."""
        try:
            await self._assessment.guardrails.check(call)
            return await recheck()
        except StoppedAtRecheck:
            raise
        except CallError as error:
            raise not_resent(error) from None

    def _process_name(self) -> str:
        """Return the name under which the journal has this process."""
        try:
            return self._storage.process.name()
        except (OSError, LockBusyError) as error:
            raise StateUnavailable(
                f"Changes can't be recorded: {error}.",
                hint="Tell the operator: make the state directory writable, or set ADMIN_MCP_STATE_DIR to another.",
            ) from None

    def record(self, change: Change, image: Json) -> dict[str, object]:
        """Return what the journal keeps of a change that is sent: all that it takes to undo it, among others."""
        return {
            "tool": change.tool,
            "arguments": arguments_of(change.call),
            "before": image,
            "request": change.request,
            "target": self._assessment.target.label,
            "by": self._process_name(),
        }

    async def record_refusal(self, error: CallError, tool: str, request: str | None = None) -> None:
        """Write down that a change was refused, if that can be done."""
        write = partial(
            self._storage.journal.write,
            "refused",
            secrets.token_hex(5),
            tool=tool,
            request=request,
            reason=error.kind,
            message=error.message,
            target=self._assessment.target.label,
        )
        try:
            await done_whole(write)
        except StateUnavailable as unavailable:
            logger.warning("%s was refused (%s); it can't be recorded: %s", tool, error.kind, unavailable.reason)


def outcome_record(admission: Admission) -> Json:
    """Return what the journal keeps of an answer: the API's request id, and the id of what was made."""
    made = kept_of_answer(admission.answer) if admission.answer else {}
    request_id = {"request_id": admission.request_id} if admission.request_id else {}
    return {**request_id, **({"made": made} if made else {})}

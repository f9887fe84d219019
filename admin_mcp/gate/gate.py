"""The gate itself: policy, preview, approval, re-check, permit, in this order and nowhere else.

It composes the pure parts around it. It reads through the reader it is given and never sends a change.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn, Protocol

import anyio

from admin_mcp.catalog import Catalog
from admin_mcp.endpoint import Endpoint, Spec
from admin_mcp.errors import (
    ApprovalDenied,
    ApprovalPending,
    ApprovalUnavailable,
    CallError,
    Conflict,
    InvalidInput,
    NotFound,
    Permission,
    PolicyDenied,
)
from admin_mcp.gate.approvals import Approval, Approvals, Event, IllegalEventError
from admin_mcp.gate.forms import Reply, judge
from admin_mcp.gate.permits import Permit, Permits
from admin_mcp.gate.policy import Policy, Verdict
from admin_mcp.gate.preview import LONGEST_BODY, Found, Preview, Seen, build_preview
from admin_mcp.gate.reads import plan_reads
from admin_mcp.request import WireRequest
from admin_mcp.settings import Target
from admin_mcp.tool import Json

_STATE = ""

Reader = Callable[[Endpoint], Awaitable[Json]]
"""Sends a read and returns the API's JSON object, or raises ``CallError``."""


class Person(Protocol):
    """A way to a person, for one call."""

    @property
    def answers(self) -> str | None:
        """Id of the approval that this call brings an answer to, where a repeated call brings it; otherwise None."""

    async def ask(self, approval: Approval) -> Reply:
        """Show the form and return what came back, or interrupt the call until it is repeated with the answer."""


class Gate:
    """Decides about every call. Gives out a permit for a change that a person or an explicit rule allowed."""

    def __init__(
        self,
        *,
        policy: Policy,
        confirm: bool,
        catalog: Catalog,
        target: Target,
        approvals: Approvals,
        permits: Permits,
        reader: Reader,
    ) -> None:
        """``confirm=False`` lets changes pass that the policy wants confirmed: the operator's ``--approval none``."""
        self._policy = policy
        self._confirm = confirm
        self._catalog = catalog
        self._target = target
        self._approvals = approvals
        self._permits = permits
        self._reader = reader
        self._asking: set[str] = set()

    def check(self, spec: Spec) -> Verdict:
        """Return the policy's verdict on a tool, whatever its arguments.

        Raises:
            PolicyDenied: names the rule.

        """
        verdict = self._policy.decide(spec)
        if verdict.decision == "deny":
            raise PolicyDenied(
                f"{spec.name} is not allowed here ({verdict.rule}); nothing was sent.",
                hint="Don't retry. Only the operator can change the policy this server was started with.",
            )
        return verdict

    async def admit(self, call: Endpoint, wire: WireRequest, person: Person | None) -> Permit | None:
        """Return a permit for a change, None for a read.

        ``person`` is the way to ask, or None where the client offers none.

        Raises:
            CallError: the call is refused, and why. Nothing was sent.

        """
        verdict = self.check(type(call).SPEC)
        if not wire.mutates:
            return None
        key = wire.digest(self._target.system)
        if verdict.decision == "confirm" and self._confirm:
            if person is None:
                _no_way_to_ask()
            await self._approve(call, wire, key, person)
        return self._permits.issue(key)

    async def _approve(self, call: Endpoint, wire: WireRequest, key: str, person: Person) -> None:
        """Return once a person has approved exactly this request and its target still looks as they saw it."""
        if len(wire.body or "") > LONGEST_BODY:
            raise InvalidInput(
                f"The change is longer than the {LONGEST_BODY} characters a person can be shown; nothing was sent.",
                hint="Make it smaller, or make it in several calls.",
            )
        approval = await self._open(call, wire, key, person)
        if approval.state == "rejected":
            _denied("A person rejected this same change less than ten minutes ago")
        try:
            if approval.state == "pending":
                await self._ask(approval, person)
            self._recheck(approval, await self._preview(call, wire))
        except (anyio.get_cancelled_exc_class(), ApprovalUnavailable):
            # Nobody waits for this answer any more, so it must not lie there for a later call to find.
            self._void(approval)
            raise
        self._apply(approval, "claim")

    def _recheck(self, approval: Approval, now: Preview) -> None:
        if now.drift == approval.preview.drift:
            return
        self._void(approval)
        raise Conflict(
            f"What the person saw has changed since: {_difference(approval.preview, now)}. Nothing was sent.",
            hint="Call the tool again to have the person asked about the present state.",
        )

    async def _open(self, call: Endpoint, wire: WireRequest, key: str, person: Person) -> Approval:
        if person.answers is None:
            return self._approvals.open(key, await self._preview(call, wire))
        approval = self._approvals.get(person.answers)
        if approval is None or approval.key != key or approval.state != "pending":
            _denied("This answer belongs to no open question about this very change (expired, used, or another's)")
        return approval

    async def _ask(self, approval: Approval, person: Person) -> None:
        if approval.id in self._asking:
            raise ApprovalPending(
                "A person is being asked about this same change right now; nothing was sent yet.",
                hint="Wait for the answer to the first call. Don't send the call again meanwhile.",
                retryable=True,
            )
        self._asking.add(approval.id)
        try:
            reply = await person.ask(approval)
        finally:
            self._asking.discard(approval.id)
        judgement = judge(reply, approval.preview)
        self._apply(approval, "approve" if judgement.approved else "reject" if judgement.standing else "void")
        if not judgement.approved:
            _denied(judgement.reason[:1].upper() + judgement.reason[1:])

    def _void(self, approval: Approval) -> None:
        with suppress(IllegalEventError, KeyError):
            self._approvals.apply(approval.id, "void")

    def _apply(self, approval: Approval, event: Event) -> None:
        try:
            self._approvals.apply(approval.id, event)
        except (IllegalEventError, KeyError):
            _denied("The question had already ended (answered, used or expired)")

    async def _preview(self, call: Endpoint, wire: WireRequest) -> Preview:
        plan = plan_reads(call, self._catalog)
        seen: dict[str, Found] = {}
        failures: list[CallError] = []

        async def read(label: str, endpoint: Endpoint, *, may_be_absent: bool) -> None:
            try:
                seen[label] = await self._read(endpoint, may_be_absent=may_be_absent)
            except CallError as error:
                failures.append(error)

        async with anyio.create_task_group() as group:
            if plan.state is not None:
                group.start_soon(partial(read, _STATE, plan.state, may_be_absent=plan.may_be_absent))
            for name, endpoint in plan.names.items():
                group.start_soon(partial(read, name, endpoint, may_be_absent=True))
        if failures:
            raise failures[0]
        names = {name: seen[name] for name in plan.names}
        state = seen.get(_STATE)
        return build_preview(call, wire, Seen(state, plan.own, names), catalog=self._catalog, target=self._target.label)

    async def _read(self, endpoint: Endpoint, *, may_be_absent: bool) -> Found:
        try:
            return await self._reader(endpoint)
        except Permission:
            return "unreadable"
        except NotFound:
            if may_be_absent:
                return "absent"
            raise


def _denied(reason: str) -> NoReturn:
    raise ApprovalDenied(
        f"{reason}. Nothing was sent.",
        hint="Don't repeat the call on your own. Tell the user what was not done and let them decide.",
    )


def _no_way_to_ask() -> NoReturn:
    raise ApprovalUnavailable(
        "This change needs a person's approval, and this client can't show an approval form. Nothing was sent.",
        hint="Tell the user: changes need an MCP client that supports elicitation (Claude Code, Cursor, VS Code, ...). "
        "Only for automation without a person can the operator start the server with --approval none.",
    )


def _difference(before: Preview, after: Preview) -> str:
    labels = [*before.facts, *(label for label in after.facts if label not in before.facts)]
    changed = [label for label in labels if before.facts.get(label) != after.facts.get(label)]
    values = ((label, before.facts.get(label, "nothing"), after.facts.get(label, "nothing")) for label in changed)
    return "; ".join(f"{label}: {old} is now {new}" for label, old, new in values)

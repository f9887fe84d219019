"""Looks at the steps of a plan again, before a person is asked and before each is sent: is all as it was shown?"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from admin_mcp.api.request import build_request
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.assessment import Assessment, Change
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.foresight import Foresight
from admin_mcp.gate.gate import Gate
from admin_mcp.gate.offload import threaded
from admin_mcp.gate.plan import Plan, Step, texts_in, with_tokens
from admin_mcp.gate.plan_preview import in_words, plan_preview
from admin_mcp.gate.plans import Progress
from admin_mcp.gate.policy import Channel, Verdict
from admin_mcp.gate.preview import Preview
from admin_mcp.gate.refusals import StoppedAtRecheck, difference, drifted, policy_denial
from admin_mcp.gate.snapshot import Snapshot

HERE: Channel = "local"
"""The way that no host stands in: what was approved on this machine is approved wherever no rule says otherwise."""


class PlanReview:
    """Looks at plans for one process."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def shown(
        self, plan: Plan, progress: Mapping[int, Progress], channel: Channel, *, wants_reason: bool
    ) -> Preview:
        """Look at every step once more, before a person is asked, as it will find things.

        Raises:
            Conflict: something is not as the plan says. ``PolicyDenied``: a guardrail refuses a step.

        """
        made = {number for number, each in progress.items() if each.state == "done"}
        calls: list[Endpoint] = []
        for step in plan.live:
            call = self.drafted(step)
            needed = [self.drafted(each) for each in plan.needed_by(step) if each.number in made]
            foreseen = self._foreseeing([*needed, *calls], _made_ids(plan, progress))
            try:
                now = await self._as_planned(step, foreseen)
                await foreseen.guardrails.check(call)
            except CallError as error:
                raise error.restated(f"Step {step.number}: {error.message}") from None
            _require_alike(step, now)
            calls.append(call)
        return plan_preview(plan, hide=traits(channel).shown_to_model, wants_reason=wants_reason)

    def drafted(self, step: Step) -> Endpoint:
        """Return a step's call as it was planned: with tokens in the place of what is made by others."""
        return parse_arguments(self._gate.assessment.catalog.endpoint(step.tool), with_tokens(step.arguments))

    def _foreseeing(self, before: Sequence[Endpoint], made: Collection[str]) -> Assessment:
        assessment = self._gate.assessment
        return assessment.reading(Foresight(assessment.read, before, made).read)

    async def _as_planned(self, step: Step, foreseen: Assessment) -> Preview:
        """Show a step anew, in the words of the plan."""
        call = self.drafted(step)
        return in_words(await foreseen.preview(self._gate.change(call, build_request(call))))

    async def step_as_shown(self, plan: Plan, step: Step, change: Change, approval: Approval | None) -> Snapshot:
        """Return what was read if all that was shown of this step is still so, but for what earlier steps changed.

        What earlier steps made was shown without a name, so it is compared as it was foreseen, and the rest as it is.

        Raises:
            PolicyDenied, Conflict: it is not. Any other ``CallError``: it can't be read.

        """
        made = _made_ids(plan, await threaded(self._gate.storage.plans.progress, plan))
        assessment = self._gate.assessment if step.refers_to else self._foreseeing([], made)
        seen = await assessment.snapshot(change.call)
        verdict = assessment.judged_seen(change, seen)
        if verdict.decision == "deny":
            raise policy_denial(change.tool, verdict)
        self._require_covered(verdict, approval)
        if step.refers_to:
            needed = [self.drafted(each) for each in plan.needed_by(step)]
            foreseen = self._foreseeing(needed, made)
            _require_alike(step, await self._as_planned(step, foreseen))
        else:
            _require_alike(step, assessment.shown(change, seen))
        return seen

    def _require_covered(self, verdict: Verdict, approval: Approval | None) -> None:
        """Return if the plan was let pass by what the policy wants of a step, now that all of it is known.

        Raises:
            Conflict: it wants a person asked, or asked in another way.

        """
        if verdict.decision == "allow" or not (self._gate.confirm or verdict.demanding):
            return
        if approval is None or (verdict.channel and approval.channel not in {verdict.channel, HERE}):
            raise StoppedAtRecheck(
                f"As things are now, the policy wants a person asked about this step ({verdict.rule}), and nobody was.",
                hint="Make this change by a call or a plan of its own.",
            )
        if verdict.reason and not approval.preview.wants_reason:
            raise StoppedAtRecheck(
                f"As things are now, whoever approves this step must say why ({verdict.rule}), and nobody did.",
                hint="Make this change by a call or a plan of its own.",
            )


def _made_ids(plan: Plan, progress: Mapping[int, Progress]) -> frozenset[str]:
    """Return the ids of what the steps have made by now: those in their answers that they were not given."""
    found: set[str] = set()
    for step in plan.steps:
        answer = progress[step.number].answer
        if progress[step.number].state == "done" and answer:
            found |= set(_ids_in(answer)) - set(texts_in(step.arguments))
    return frozenset(found)


def _ids_in(answer: Json) -> Iterator[str]:
    for part in (answer, *answer.values()):
        if isinstance(part, dict) and isinstance(identity := part.get("id"), str):
            yield identity


def _require_alike(step: Step, now: Preview) -> None:
    """Return if a step looks as it was shown, but for what earlier steps may change."""
    then, current = step.preview.compared, now.compared
    labels = {label for label in {**then, **current} if then.get(label) != current.get(label)}
    if labels - set(step.loose):
        withheld = now.withheld or step.preview.withheld
        error = drifted(None if withheld else difference(step.preview, now))
        raise error.restated(
            f"Step {step.number}: {error.message}", hint="Make the plan again; it will show what is there now."
        )

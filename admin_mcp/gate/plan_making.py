"""Makes a plan: every step is checked, judged and shown as it will find things. Reads, and sends no change."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from admin_mcp.api.request import build_request
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.arguments import ID_HINT, parse_arguments
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import META_EFFECT
from admin_mcp.errors import CallError, Conflict, InvalidInput, NotFound
from admin_mcp.gate.effects import effects_of
from admin_mcp.gate.foresight import Foresight
from admin_mcp.gate.gate import Gate, require_showable
from admin_mcp.gate.plan import (
    LONGEST_TEXT,
    MOST_DESTRUCTIVE,
    MOST_STEPS,
    Plan,
    Step,
    holds_token,
    references,
    too_deep,
    with_tokens,
)
from admin_mcp.gate.plan_preview import in_words, told_to_model
from admin_mcp.gate.plans import new_id
from admin_mcp.gate.preview import Preview
from admin_mcp.gate.projects import named_projects, projects_read
from admin_mcp.gate.refusals import policy_denial
from admin_mcp.gate.snapshot import Snapshot
from admin_mcp.suggestions import nearest

_NEW_IDS = ("id", "api_key.id")
"""The fields of an answer that hold the id of something just made. Others may hold any id there is."""


class DraftedStep(Protocol):
    """A step as it is asked for."""

    @property
    def tool(self) -> str:
        """The tool of an endpoint that changes something."""

    @property
    def arguments(self) -> Mapping[str, object]:
        """Its arguments, with references in the place of ids that earlier steps make."""

    @property
    def why(self) -> str:
        """What it is for, in the asker's words."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The steps before one: their calls, in order."""

    calls: tuple[Endpoint, ...] = ()

    def shares_with(self, call: Endpoint) -> bool:
        """Whether one of them is about something that this call is about as well."""
        own = _ids(call)
        return any(own & _ids(earlier) for earlier in self.calls)

    def names(self, identity: object) -> bool:
        """Whether one of them is about the thing with this id."""
        return any(identity in _ids(earlier) for earlier in self.calls)


class PlanMaking:
    """Makes the plans of one process. ``clock`` gives unix seconds."""

    def __init__(self, gate: Gate, clock: Callable[[], float]) -> None:
        self._gate = gate
        self._clock = clock

    async def made(
        self,
        title: str,
        steps: Sequence[DraftedStep],
        notes: Sequence[str] = (),
        *,
        skip_idle: bool = False,
        own_words: bool = False,
    ) -> Plan:
        """Return the plan, not kept yet. With ``skip_idle`` a step that would change nothing is left out, and noted.

        ``own_words``: title and reasons are not the words of whoever asks, and what was read stands ``quoted`` in them.

        Raises:
            CallError: a step can't be taken into a plan; names it. Nothing was sent, and nothing is kept.

        """
        if not steps:
            raise InvalidInput("A plan needs at least one step; nothing was planned.", param="steps", hint="Give some.")
        if len(steps) > MOST_STEPS:
            raise InvalidInput(
                f"A plan has at most {MOST_STEPS} steps, and this has {len(steps)}; nothing was planned.",
                param="steps",
                hint="Make several plans.",
            )
        calls = [self._parsed(number, step, steps) for number, step in enumerate(steps, 1)]
        _require_few_destructive(calls)
        made: list[Step] = []
        said = list(notes)
        for number, (step, call) in enumerate(zip(steps, calls, strict=True), 1):
            earlier = _Earlier(tuple(calls[: number - 1]))
            planned = await self._planned(number, step, call, earlier, LONGEST_TEXT if not own_words else None)
            if planned.preview.idle:
                if not skip_idle or _is_needed(number, steps):
                    raise Conflict(
                        f"Step {number} ({step.tool}) would change nothing: it is so already. Nothing was planned.",
                        hint="Leave that step out.",
                    )
                said.append(f"Left out, because it is so already: {told_to_model(planned)}")
                continue
            made.append(planned)
        if not made:
            raise Conflict("Nothing is left to do: it is all so already.", hint="Tell the user how it stands.")
        return Plan(
            id=new_id(),
            title=title if own_words else title[:LONGEST_TEXT],
            system=self._gate.assessment.target.system,
            target=self._gate.assessment.target.label,
            made=self._clock(),
            steps=tuple(made),
            notes=tuple(said),
            own_words=own_words,
        )

    def _parsed(self, number: int, step: DraftedStep, steps: Sequence[DraftedStep]) -> Endpoint:
        catalog = self._gate.assessment.catalog
        if step.tool not in catalog:
            names = [tool["name"] for tool in catalog.tools if tool["_meta"][META_EFFECT] != "read"]
            raise _of_step(
                number,
                InvalidInput(
                    f"there is no tool {step.tool!r} that makes one change.{nearest(step.tool, names)}",
                    hint="Steps are tools of single endpoints that change something.",
                ),
            )
        endpoint = catalog.endpoint(step.tool)
        if not endpoint.SPEC.mutates:
            raise _of_step(
                number,
                InvalidInput(f"{step.tool} only reads.", hint="Read beforehand; a plan holds changes alone."),
            )
        try:
            if too_deep(step.arguments):
                raise InvalidInput("its arguments are nested too deep.", hint="No tool takes such arguments.")
            for referred, field in references(step.arguments):
                if not 1 <= referred < number:
                    raise InvalidInput(
                        f"it refers to step {referred}, which is not before it.",
                        hint="Refer to an earlier step; they count from 1.",
                    )
                self._require_new(referred, catalog.endpoint(steps[referred - 1].tool), field)
            return parse_arguments(endpoint, with_tokens(step.arguments))
        except CallError as error:
            raise _of_step(number, _referring(number, error)) from None

    def _require_new(self, number: int, endpoint: type[Endpoint], field: str) -> None:
        """Return if an earlier step gives this id to what it makes: what is there already must be named by its id.

        A person is shown "(new, step 1)" for a reference, which must be true.
        """
        if field not in _NEW_IDS or not _makes_new(endpoint, self._gate.assessment.catalog):
            raise InvalidInput(
                f"it refers to {field!r} of step {number}, and {endpoint.SPEC.name} makes nothing new with that id.",
                hint="Write the id itself: a person must be shown what it stands for.",
            )

    async def _planned(
        self, number: int, step: DraftedStep, call: Endpoint, earlier: _Earlier, longest_why: int | None
    ) -> Step:
        assessment = self._gate.assessment
        foreseen = assessment.reading(Foresight(assessment.read, earlier.calls).read)
        change = self._gate.change(call, build_request(call))
        try:
            await self._gate.check(change.spec)
            require_showable(change)
            seen = await foreseen.snapshot(call)
            verdict = foreseen.judged_seen(change, seen)
            if verdict.decision == "deny":
                raise policy_denial(change.tool, verdict)
            await foreseen.guardrails.check(call)
        except CallError as error:
            raise _of_step(number, _referring(number, error)) from None
        preview = in_words(foreseen.shown(change, seen))
        return Step(
            number=number,
            tool=step.tool,
            arguments={name: _plain(value) for name, value in step.arguments.items()},
            why=step.why[:longest_why],
            key=change.key,
            effects=tuple(sorted(effects_of(call, seen))),
            projects=tuple(sorted(each for each in _projects(call, seen) if not holds_token(each))),
            preview=preview,
            loose=tuple(_loose(preview, call, earlier)),
        )


def _makes_new(endpoint: type[Endpoint], catalog: Catalog) -> bool:
    """Whether a call makes something under an id of its own, rather than change or link what is there."""
    spec = endpoint.SPEC
    if spec.effect not in {"create", "grant"} or "id" not in spec.returns.model_fields:
        return False
    pattern = re.compile(rf"GET {re.escape(spec.path)}/\{{(\w+)\}}")
    return not any(
        found[1] in endpoint.model_fields for each in catalog.endpoints if (found := pattern.fullmatch(each))
    )


def _projects(call: Endpoint, seen: Snapshot) -> frozenset[str]:
    return named_projects(call) | projects_read(seen)


def _plain(value: object) -> object:
    """Return JSON as JSON's own types."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _ids(call: Endpoint) -> set[str]:
    """Return the ids in a call's path and body, but for projects, which too much is about."""
    return {
        value
        for name in type(call).model_fields
        if name.endswith("_id") and name != "project_id" and isinstance(value := getattr(call, name), str)
    }


def _loose(preview: Preview, call: Endpoint, earlier: _Earlier) -> list[str]:
    """Return the labels whose values the earlier steps may change, where that can't be foreseen.

    Counts of what goes along, and what is said of a person or thing that an earlier step is about as well. Who or what
    it is, what is set, and what is to be typed are never among them.
    """
    if not earlier.calls:
        return []
    loose = [f"Affects {kind}" for kind in preview.affected]
    about: tuple[str, ...] = ()
    if earlier.shares_with(call):
        about = ("Now", "Their projects", "Role in the", "Careful")
    if earlier.names(getattr(call, "group_id", None)):
        about = (*about, "The group carries", "The group's roles allow")
    loose += [label for label in preview.things if label.startswith(about)]
    return loose


def _is_needed(number: int, steps: Sequence[DraftedStep]) -> bool:
    return any(number == referred for step in steps for referred, _ in references(step.arguments))


def _require_few_destructive(calls: Sequence[Endpoint]) -> None:
    count = sum(type(call).SPEC.effect == "destroy" for call in calls)
    if count > MOST_DESTRUCTIVE:
        raise InvalidInput(
            f"A plan takes away at most {MOST_DESTRUCTIVE} things, and this takes away {count}; nothing was planned.",
            param="steps",
            hint="Make several plans.",
        )


def _referring(number: int, error: CallError) -> CallError:
    """Return an error about an id with the way to write that of what is not there yet, which may have been meant."""
    if number == 1 or not (error.hint == ID_HINT or isinstance(error, NotFound)):
        return error
    return error.restated(
        error.message,
        hint="Nothing was planned. Pass the id exactly as a list or get tool returned it. For what an earlier step "
        f'makes, put {{"from_step": {number - 1}, "field": "id"}} in the place of the id, with that step\'s number.',
    )


def _of_step(number: int, error: CallError) -> CallError:
    """Return the same error, told of a step."""
    place = f"steps[{number - 1}]"
    return error.restated(f"Step {number}: {error.message}", param=f"{place}.{error.param}" if error.param else place)

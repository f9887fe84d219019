"""A plan: a frozen list of changes that is shown whole, approved once, and made in order. Pure.

A step may refer to what an earlier one makes, by ``{"from_step": 1, "field": "id"}`` in the place of an id. Until that
step is made a *token* stands for the id: in requests, in previews, in all that is hashed.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from admin_mcp.endpoints.base import Effect
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import InvalidInput
from admin_mcp.gate.preview import Preview
from admin_mcp.gate.text import quoted

MOST_STEPS = 50
MOST_DESTRUCTIVE = 10
LONGEST_TEXT = 200
"""Characters of the title that is given to a plan, and of what a step is said to be for."""

LIFE_SECONDS = 86_400.0
"""How long a plan can be applied: what it shows is compared again all the same."""

_LONGEST_NAMED = 600
"""Characters of a title up to which it is told in that of the plan that undoes it: undoing can be undone again."""

_DEEPEST = 32

_FIELD = r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?"
_TOKEN = re.compile(rf"~step\.(\d{{1,2}})\.({_FIELD})~")

_WRITTEN_TOKEN = re.compile(rf"\(?{_TOKEN.pattern}\)?")

StepState = Literal["open", "sending", "done", "refused", "outcome_unknown", "struck"]
"""``open``: not sent. ``sending``: by a process that may have ended since. ``refused``: by the API, for good."""


class Step(BaseModel):
    """One change of a plan. ``number`` counts from 1 and stays when others are struck out.

    ``key`` is the digest of its request, with tokens in it; ``effects`` is all that it does; ``projects`` those it is
    about; ``loose`` are the labels of its preview that earlier steps may change.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    tool: str
    arguments: Json
    why: str
    key: str
    effects: tuple[Effect, ...]
    projects: tuple[str, ...]
    preview: Preview
    loose: tuple[str, ...] = ()

    @property
    def refers_to(self) -> frozenset[int]:
        """The steps whose results it needs."""
        return frozenset(number for number, _ in references(self.arguments))


class Plan(BaseModel):
    """A plan as it is kept. ``system`` is the identity of the system it is for, and ``target`` what people call it.

    ``made`` is in unix seconds. ``own_words``: this server wrote the title and why each step is there, and each name in
    them is quoted already.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    system: str
    target: str
    made: float
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    struck: tuple[int, ...] = ()
    own_words: bool = False

    @property
    def called(self) -> str:
        """The title, fit to be shown: words of whoever asked for the plan stand in quotation marks, our own don't."""
        return self.title if self.own_words else quoted(self.title)

    @property
    def title_of_undo(self) -> str:
        """What a plan is called that undoes this one: our own words."""
        named = f"Undo: {self.title}" if self.own_words else f"Undo {self.called}"
        return named if len(named) <= _LONGEST_NAMED else f"Undo plan {self.id}"

    @property
    def live(self) -> tuple[Step, ...]:
        """The steps that were not struck out."""
        return tuple(step for step in self.steps if step.number not in self.struck)

    @property
    def digest(self) -> str:
        """The identity of what is approved: this plan, the system, and each live step with its request and preview.

        The plan itself counts, because another one with the same steps is another round of the same changes.
        """
        parts = [self.id, self.system, self.title, [[step.number, step.key, step.preview.drift] for step in self.live]]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def rest(self, done: Collection[int]) -> "Plan":
        """Return what is left of the plan once these steps are made."""
        return self.model_copy(update={"struck": tuple(sorted({*self.struck, *done}))})

    def keys(self, done: Sequence[int]) -> list[str]:
        """Return the digests under which what is left may have been approved: now, or with less of it done.

        ``done`` are the steps that are made, in order.
        """
        return [self.rest(done[:count]).digest for count in range(len(done), -1, -1)]

    def step(self, number: int) -> Step:
        """Return a step by its number.

        Raises:
            KeyError: there is none.

        """
        for step in self.steps:
            if step.number == number:
                return step
        raise KeyError(number)

    def needed_by(self, step: Step) -> list[Step]:
        """Return the steps that make what a step refers to, in order: those it names, and those they need."""
        needed = set(step.refers_to)
        for each in reversed(self.steps):
            if each.number in needed:
                needed |= each.refers_to
        return [each for each in self.steps if each.number in needed]

    def without(self, numbers: Sequence[int]) -> "Plan":
        """Return the smaller plan.

        Raises:
            InvalidInput: there is no such step, another one needs it, or nothing would be left.

        """
        known = {step.number for step in self.live}
        for number in numbers:
            if number not in known:
                raise InvalidInput(f"The plan has no step {number} to strike out.", hint="get_plan shows its steps.")
        smaller = self.model_copy(update={"struck": tuple(sorted({*self.struck, *numbers}))})
        if not smaller.live:
            raise InvalidInput("No step would be left: reject the plan instead.", hint="Nothing was struck out.")
        for step in smaller.live:
            if missing := step.refers_to & set(smaller.struck):
                raise InvalidInput(
                    f"Step {step.number} needs what step {min(missing)} makes, so both must be struck out.",
                    hint="Nothing was struck out.",
                )
        return smaller


def token(number: int, field: str) -> str:
    """Return what stands for an id until its step is made."""
    return f"~step.{number}.{field}~"


def holds_token(text: str) -> bool:
    """Whether a text has a token in it."""
    return _TOKEN.search(text) is not None


def token_in_words(text: str) -> str:
    """Return a text with each token told in words."""
    return _WRITTEN_TOKEN.sub(lambda found: f"(new, step {found[1]})", text)


def too_deep(arguments: object) -> bool:
    """Whether arguments are nested deeper than any tool takes, which would exhaust whatever goes through them."""
    level = [arguments]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def references(arguments: object) -> Iterator[tuple[int, str]]:
    """Yield step and field of each reference in a call's arguments, at any depth."""
    if isinstance(arguments, Mapping):
        if "from_step" in arguments:
            yield _reference(arguments)
            return
        for inner in arguments.values():
            yield from references(inner)
    elif isinstance(arguments, list | tuple):
        for inner in arguments:
            yield from references(inner)


def texts_in(value: object) -> Iterator[str]:
    """Yield each text in a call's arguments, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)


def with_tokens(arguments: Mapping[str, object]) -> Json:
    """Return the arguments with a token in the place of each reference.

    Raises:
        InvalidInput: a reference is not of this shape, or a text looks like a token.

    """
    return {name: _tokenized(value) for name, value in arguments.items()}


def resolved(arguments: Mapping[str, object], made: Mapping[int, Json]) -> Json:
    """Return the arguments with the real ids; ``made`` has what the steps before it answered.

    Raises:
        KeyError: an earlier step's answer lacks the field.

    """
    return {name: _resolved(value, made) for name, value in arguments.items()}


def renumbered(arguments: Mapping[str, object], numbers: Mapping[int, int]) -> Json:
    """Return the arguments with references to the steps as they are to be counted."""
    return {name: _renumbered(value, numbers) for name, value in arguments.items()}


def _renumbered(value: object, numbers: Mapping[int, int]) -> object:
    if isinstance(value, Mapping):
        if "from_step" in value:
            number, field = _reference(value)
            return {"from_step": numbers[number], "field": field}
        return {name: _renumbered(inner, numbers) for name, inner in value.items()}
    return [_renumbered(inner, numbers) for inner in value] if isinstance(value, list | tuple) else value


def _tokenized(value: object) -> object:
    if isinstance(value, Mapping):
        if "from_step" in value:
            return token(*_reference(value))
        return {name: _tokenized(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_tokenized(inner) for inner in value]
    if isinstance(value, str) and holds_token(value):
        raise InvalidInput(
            f"{value!r} is how this server writes a reference; nothing was planned.",
            hint='Refer to an earlier step with {"from_step": 1, "field": "id"} in the place of the id.',
        )
    return value


def _resolved(value: object, made: Mapping[int, Json]) -> object:
    if isinstance(value, Mapping):
        if "from_step" in value:
            number, field = _reference(value)
            return field_of(made[number], field)
        return {name: _resolved(inner, made) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(inner, made) for inner in value]
    return value


def field_of(answer: Json, field: str) -> str:
    """Return an id in an answer.

    Raises:
        KeyError: it is not there.

    """
    found: object = answer
    for name in field.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, str) or not found:
        raise KeyError(field)
    return found


def _reference(value: Mapping[str, object]) -> tuple[int, str]:
    number, field = value.get("from_step"), value.get("field", "id")
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    shaped = set(value) <= {"from_step", "field"} and isinstance(number, int) and not isinstance(number, bool)
    if not shaped or not isinstance(field, str) or not re.fullmatch(_FIELD, field) or not field.endswith("id"):
        raise InvalidInput(
            'A reference is {"from_step": 1, "field": "id"}: the number of an earlier step, and the field of its '
            "answer that holds an id; nothing was planned.",
            param="steps",
            hint="Correct the reference.",
        )
    assert isinstance(number, int)  # noqa: S101 - `shaped` has told so
    return number, field

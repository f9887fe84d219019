"""What a job is: a class with typed inputs, and one method that reads. No I/O of its own.

    class ReviewKeys(Report, toolsets=("security",)):
        '''Find API keys that nobody uses, that are old, or whose person has left.'''

        unused_days: Annotated[int, Field(ge=1), INTEGRAL] = 90

        async def answer(self, reader: Reader) -> Json: ...

The heart of a job is a pure function from what was read to what is said or drafted. Everything that can be wrong about
such a class is an ``EndpointDefinitionError`` when the class is made.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr

from admin_mcp.endpoints.base import Effect, EndpointDefinitionError, Inputs, tool_description, tool_name, tool_title
from admin_mcp.endpoints.schema import META_EFFECT, META_RESOURCE, META_TOOLSETS, Json, input_schema
from admin_mcp.jobs.answers import MOST_BYTES_OF_ROWS
from admin_mcp.jobs.reader import Reader


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The facts of one job, apart from its fields. ``kind`` is the name of the package it stands in."""

    name: str
    title: str
    description: str
    kind: str
    toolsets: tuple[str, ...]
    effect: Effect = "read"


class Job(Inputs):
    """Base of both kinds. ``SPEC`` is its only class attribute, so fields may be called what an admin says."""

    SPEC: ClassVar[JobSpec]

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:  # noqa: ANN401 - pydantic's own signature
        """Check the class and give it its ``SPEC``; ``toolsets`` are the presets it belongs to.

        Raises:
            EndpointDefinitionError: the definition contradicts itself or leaves something out.

        """
        if keywords.pop("abstract", False):
            return
        *_, kind, module = cls.__module__.split(".")
        if module != tool_name(cls):
            raise EndpointDefinitionError(f"{cls.__name__}: its module must be called {tool_name(cls)}.py")
        cls.SPEC = JobSpec(
            name=tool_name(cls),
            title=tool_title(cls),
            description=tool_description(cls),
            kind=kind,
            toolsets=keywords.pop("toolsets", ()),
        )
        if keywords:
            raise EndpointDefinitionError(f"{cls.__name__}: unknown class keyword {', '.join(keywords)}")

    def __init_subclass__(cls, **keywords: Any) -> None:  # noqa: ANN401 - pydantic takes them
        """Take the class keywords; they are read once pydantic knows the fields."""
        super().__init_subclass__()


class Report(Job, abstract=True):
    """A job that only reads, and answers with a small object."""

    _in_one: bool = PrivateAttr(default=False)

    def in_one(self) -> Self:
        """Return the same report, for one who takes it whole: no row waits for a next part."""
        report = self.model_copy()
        report._in_one = True  # noqa: SLF001 - of its own class
        return report

    @property
    def room(self) -> int | None:
        """How many bytes of rows an answer has room for; None: any number."""
        return None if self._in_one else MOST_BYTES_OF_ROWS

    @abstractmethod
    async def answer(self, reader: Reader) -> Json:
        """Read, and return the object the tool answers with.

        Raises:
            CallError: nothing useful can be said without what could not be read.

        """


@dataclass(frozen=True, slots=True)
class DraftStep:
    """One endpoint call of a plan that is being made. ``arguments`` may refer to what an earlier step makes.

    Such a reference is ``{"from_step": 1, "field": "id"}``, steps counted from 1.
    """

    tool: str
    arguments: Mapping[str, object]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a playbook comes to: the steps in order, and what the person should know besides.

    ``notes`` are sentences: what is left as it is, what the plan can't reach, what could not be read.
    """

    title: str
    steps: tuple[DraftStep, ...]
    notes: tuple[str, ...] = ()
    more: Mapping[str, object] = field(default_factory=dict)


class Playbook(Job, abstract=True):
    """A job that drafts a plan. What a person gets to see is the plan, whatever the playbook was called."""

    @abstractmethod
    async def draft(self, reader: Reader) -> Draft:
        """Read, and return the steps.

        Raises:
            CallError: no plan can be made; says why, and what to do instead.

        """


def build_job_tool(job: type[Job]) -> Json:
    """Return the ``tools/list`` entry of one job."""
    spec = job.SPEC
    return {
        "name": spec.name,
        "title": spec.title,
        "description": spec.description,
        "inputSchema": input_schema(job),
        "outputSchema": {"type": "object"},
        "annotations": {
            "title": spec.title,
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": True,
        },
        "_meta": {META_EFFECT: spec.effect, META_RESOURCE: spec.kind, META_TOOLSETS: list(spec.toolsets)},
    }

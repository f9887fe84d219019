"""What one documented endpoint is: a class that holds its path, its inputs and what it returns. No I/O, no gate.

    class UpdateProjectRole(Endpoint, post="/projects/{project_id}/roles/{role_id}", returns=Role, effect="update"):
        '''Change a custom project role's name, description or permissions.'''

        project_id: ResourceId
        role_id: ResourceId
        permissions: list[str] | None = Field(UNSET, description="Replaces the whole set.")

A field named in the path is a path parameter; the rest go to the query of a GET or the JSON body of a POST.
Everything that can be wrong about such a class is an ``EndpointDefinitionError`` when the class is made.
"""

import inspect
import re
import sys
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self, TypedDict, Unpack, cast, get_args

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from admin_mcp.errors import AdminMcpError

Method = Literal["GET", "POST", "DELETE"]
Effect = Literal["read", "create", "update", "grant", "destroy"]
"""What a call does: ``grant`` gives someone or something access, ``destroy`` takes a thing or access away."""

VERBS = frozenset(
    [
        "list",
        "get",
        "create",
        "update",
        "delete",
        "add",
        "remove",
        "assign",
        "unassign",
        "activate",
        "deactivate",
        "archive",
        "upload",
        "validate",
    ]
)
_TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class EndpointDefinitionError(AdminMcpError, TypeError):
    """An endpoint class contradicts itself or leaves something out; raised when the class is made."""


class ApiObject(BaseModel):
    """Something the API returns, typed as documented. Unknown fields are kept, so a newer API still fits."""

    model_config = ConfigDict(extra="allow", frozen=True)


class InputObject(BaseModel):
    """An object inside an endpoint's input: as strict as the endpoint itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class NotSent:
    """Metadata of a field that this server acts on itself. It is an argument of the tool and part of no request."""


@dataclass(frozen=True, slots=True)
class Retired:
    """Metadata of a field that the API still takes and that changes nothing any more.

    The tool doesn't offer it, since a person would be asked about a change that is none. ``reason`` says so to whoever
    gives it all the same.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """The facts of one endpoint, apart from its fields.

    ``undo`` names the tool that reverses the call, where that can't be seen from the paths.
    ``sensitive`` marks a change whose approval needs typed text although its effect alone would not.
    ``secret`` is the place of a newly made secret in the answer, such as ``("api_key", "value")``.
    """

    name: str
    title: str
    description: str
    method: Method
    path: str
    path_fields: tuple[str, ...]
    local_fields: tuple[str, ...]
    effect: Effect
    returns: type[ApiObject]
    undo: str | None
    sensitive: bool
    secret: tuple[str, ...]

    @property
    def endpoint(self) -> str:
        """Method and documented path, as ``"POST /projects/{project_id}/roles"``."""
        return f"{self.method} {self.path}"

    @property
    def mutates(self) -> bool:
        """Whether a call changes something."""
        return self.effect != "read"


class Keywords(TypedDict, total=False):
    """The keywords of an endpoint class; ``abstract`` marks a base that is no endpoint itself.

    None may be the name of a pydantic setting, which would swallow it.
    """

    get: str
    post: str
    delete: str
    returns: type[ApiObject]
    effect: Effect
    undo: str
    sensitive: bool
    secret: tuple[str, ...]
    abstract: bool


class NamedSpec(Protocol):
    """What every tool with typed arguments has: a name to be called by, and what its calls do."""

    @property
    def name(self) -> str:
        """The tool's name."""

    @property
    def effect(self) -> Effect:
        """What a call does."""


class Inputs(BaseModel):
    """The typed arguments of one tool."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    SPEC: ClassVar[NamedSpec]


class Endpoint(Inputs):
    """Base of every catalog class. ``SPEC`` is its only class attribute, so fields may be called what the API says."""

    SPEC: ClassVar[EndpointSpec]

    def __init_subclass__(cls, **keywords: Unpack[Keywords]) -> None:
        """Take the class keywords; they are read once pydantic knows the fields."""
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:  # noqa: ANN401 - pydantic's own signature
        """Check the class and give it its ``SPEC``.

        Raises:
            EndpointDefinitionError: the definition contradicts itself or leaves something out.

        """
        if unknown := sorted(set(keywords) - set(Keywords.__annotations__)):
            raise EndpointDefinitionError(f"{cls.__name__}: unknown class keyword {', '.join(unknown)}")
        given = cast("Keywords", keywords)
        if given.get("abstract"):
            return
        method, path = _method_and_path(cls, given)
        if "returns" not in given:
            raise EndpointDefinitionError(f"{cls.__name__}: say what it returns: returns=Model")
        cls.SPEC = EndpointSpec(
            name=_endpoint_name(cls),
            title=tool_title(cls),
            description=tool_description(cls),
            method=method,
            path=path,
            path_fields=_path_fields(cls, method, path),
            local_fields=tuple(
                name for name, field in cls.model_fields.items() if any(isinstance(m, NotSent) for m in field.metadata)
            ),
            effect=_effect(cls, method, given.get("effect")),
            returns=given["returns"],
            undo=given.get("undo"),
            sensitive=given.get("sensitive", False),
            secret=given.get("secret", ()),
        )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        """Refuse an update that has fields to change and changes none."""
        spec = type(self).SPEC
        if spec.effect != "update":
            return self
        fields = [name for name in type(self).model_fields if name not in spec.path_fields]
        if fields and not self.model_fields_set.intersection(fields):
            raise PydanticCustomError(
                "nothing_to_change",
                "nothing to change: give at least one of {fields}",
                {"fields": ", ".join(name for name in fields if retirement(type(self), name) is None)},
            )
        return self


def retirement(inputs: type[BaseModel], name: str) -> str | None:
    """Return why a field is no argument of the tool although the API documents it, or None if it is one."""
    field = inputs.model_fields.get(name)
    reasons = (note.reason for note in (field.metadata if field else ()) if isinstance(note, Retired))
    return next(reasons, None)


def _method_and_path(cls: type[Endpoint], given: Keywords) -> tuple[Method, str]:
    paths: dict[Method, str | None] = {
        "GET": given.get("get"),
        "POST": given.get("post"),
        "DELETE": given.get("delete"),
    }
    found = [(method, path) for method, path in paths.items() if path is not None]
    if len(found) != 1:
        raise EndpointDefinitionError(f"{cls.__name__}: give exactly one of get=, post= and delete=")
    method, path = found[0]
    if not path.startswith("/") or path.endswith("/") or "//" in path:
        raise EndpointDefinitionError(f"{cls.__name__}: {path!r} is not a path such as '/projects/{{project_id}}'")
    return method, path


def tool_name(cls: type) -> str:
    """Return the tool's name: the class's, in snake_case."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
    if not _TOOL_NAME.fullmatch(name):
        raise EndpointDefinitionError(f"{cls.__name__}: {name!r} is not a tool name of at most 40 characters")
    return name


def _endpoint_name(cls: type[Endpoint]) -> str:
    name = tool_name(cls)
    if name.partition("_")[0] not in VERBS:
        raise EndpointDefinitionError(f"{cls.__name__}: begin the name with one of {', '.join(sorted(VERBS))}")
    return name


def tool_title(cls: type) -> str:
    """Return the tool's title: its name in words."""
    words = tool_name(cls).replace("_api_", "_API_").replace("_api", "_API").split("_")
    return " ".join([words[0].capitalize(), *words[1:]])


def tool_description(cls: type) -> str:
    """Return the tool's description: the class's docstring, as one line."""
    text = cls.__dict__.get("__doc__")
    if text is None and sys.flags.optimize >= 2:  # noqa: PLR2004 - `-OO` drops docstrings; the compiled list has them
        return ""
    if not text or not text.strip():
        raise EndpointDefinitionError(f"{cls.__name__}: its docstring is the tool's description; write one")
    return " ".join(inspect.cleandoc(text).split())


def _path_fields(cls: type[Endpoint], method: Method, path: str) -> tuple[str, ...]:
    names = tuple(_PLACEHOLDER.findall(path))
    if missing := [name for name in names if name not in cls.model_fields]:
        raise EndpointDefinitionError(f"{cls.__name__}: the path names {', '.join(missing)}, which is not a field")
    if len(set(names)) != len(names):
        raise EndpointDefinitionError(f"{cls.__name__}: the path names a field twice")
    if optional := [name for name in names if not cls.model_fields[name].is_required()]:
        raise EndpointDefinitionError(f"{cls.__name__}: path parameter {', '.join(optional)} must be required")
    if method == "DELETE" and (extra := [name for name in cls.model_fields if name not in names]):
        raise EndpointDefinitionError(f"{cls.__name__}: a DELETE has neither query nor body, so no {', '.join(extra)}")
    return names


def _effect(cls: type[Endpoint], method: Method, declared: Effect | None) -> Effect:
    implied: dict[Method, Effect] = {"GET": "read", "DELETE": "destroy"}
    if method in implied:
        if declared is not None:
            raise EndpointDefinitionError(
                f"{cls.__name__}: the effect of a {method} is {implied[method]}; drop effect="
            )
        return implied[method]
    if declared is None or declared == "read" or declared not in get_args(Effect):
        raise EndpointDefinitionError(
            f"{cls.__name__}: a POST says what it does: effect= create, update, grant or destroy"
        )
    return declared

"""The documented contract, loaded from ``tests/data``: what each endpoint takes and what it returns. Facts only.

``endpoints.json`` has one endpoint a line, ``types.json`` one return type a line, both in one notation: a ``Shape``
says what a value may be, a ``Member`` names one and says whether it must be there and whether it may be null.
"""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

DATA = Path(__file__).parents[1] / "data"


class Fact(BaseModel):
    """Something documented; a key the tests do not know is an error, so that no fact goes unread."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Shape(Fact):
    """What a value may be. A ``ref`` names a return type; ``any`` is a value nothing is said about."""

    type: Literal["string", "integer", "number", "boolean", "array", "object", "map", "union", "ref", "any"]
    enum: tuple[str, ...] = ()
    items: "Shape | None" = None
    fields: tuple["Member", ...] = ()
    variants: tuple["Shape", ...] = ()
    ref: str = ""
    min: int | None = None
    max: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    min_length: int | None = None
    max_length: int | None = None

    @property
    def item(self) -> "Shape":
        """What an array or a map holds."""
        assert self.items is not None, "only arrays and maps have items"
        return self.items

    @property
    def of_objects(self) -> bool:
        """Whether this is a union of objects that a ``type`` tells apart."""
        return self.type == "union" and all(variant.type == "object" for variant in self.variants)


class Member(Shape):
    """A parameter of an endpoint, or a field of an object.

    ``wire`` is how a query spells it where that isn't its name. ``max_by`` and ``default_by`` hold what depends on
    another parameter's value. ``only_when_type`` are the values of ``type`` it belongs to. ``identifies`` marks what is
    documented as an id though its name doesn't say so. ``clears`` marks where null empties what was set; a null that is
    merely ``nullable`` says nothing. ``retired`` marks what is kept for old callers only and changes nothing.
    """

    name: str
    required: bool = False
    nullable: bool = False
    deprecated: bool = False
    identifies: bool = False
    clears: bool = False
    retired: bool = False
    default: str | int | bool | None = None
    unit: Literal["unix_seconds", "seconds", "cents"] | None = None
    wire: tuple[str, ...] = ()
    max_by: dict[str, dict[str, int]] = {}
    default_by: dict[str, dict[str, int]] = {}
    only_when_type: tuple[str, ...] = ()


class Rule(Fact):
    """What is documented about several parameters at once: ``one_of`` must be given, or ``not_both`` may be."""

    kind: Literal["one_of", "not_both"]
    of: tuple[str, str]


class DocumentedEndpoint(Fact):
    """One endpoint. ``sdk`` is the method of the official Python SDK that calls it."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    sdk: str
    path_params: tuple[str, ...]
    query: tuple[Member, ...]
    body: tuple[Member, ...]
    body_variants: tuple[tuple[Member, ...], ...] = ()
    returns: str
    rules: tuple[Rule, ...] = ()

    @property
    def endpoint(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def path_members(self) -> tuple[Member, ...]:
        """The parameters in the path, all of them required strings."""
        return tuple(Member(name=name, type="string", required=True) for name in self.path_params)

    @property
    def members(self) -> tuple[Member, ...]:
        """Every parameter that does something, wherever it goes."""
        return tuple(member for member in self.path_members + self.query + self.body if not member.retired)

    @property
    def updates(self) -> bool:
        """Whether the documentation calls it an update."""
        return self.sdk.rpartition(".")[2].startswith("update")

    def rule(self, kind: Literal["one_of", "not_both"]) -> tuple[str, ...]:
        """The parameters under a rule of this kind, if there is one."""
        return next((rule.of for rule in self.rules if rule.kind == kind), ())


ENDPOINTS = TypeAdapter(tuple[DocumentedEndpoint, ...]).validate_python(
    json.loads((DATA / "endpoints.json").read_text("utf-8"))
)
COUNT = len(ENDPOINTS)
"""How many endpoints are documented, and so how many tools there are."""

TYPES = TypeAdapter(dict[str, tuple[Member, ...]]).validate_python(json.loads((DATA / "types.json").read_text("utf-8")))

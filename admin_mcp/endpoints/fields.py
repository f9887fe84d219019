"""The field types that endpoints share: ids, cursors, moments, money, and how an optional field is spelled.

Types only. What one endpoint takes lives in its catalog module.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

UNSET: Final[Any] = None
"""Default of a field that is left out of the request unless given.

Typed ``Any`` so that ``limit: int = UNSET`` says what the API takes: an ``int`` or nothing, never null.
Whether a field was given is ``model_fields_set``'s to answer; the value itself is never sent.
"""

T = TypeVar("T")

Open: TypeAlias = T | str
"""An answer's enum: the documented values, and whatever the API adds later."""

_RESOURCE_ID = re.compile(r"[A-Za-z0-9_\-.:~]{1,256}")


def _check_resource_id(value: str) -> str:
    if not _RESOURCE_ID.fullmatch(value) or value in {".", ".."}:
        raise PydanticCustomError(
            "resource_id",
            "must be an id as the API returned it: 1-256 ASCII letters, digits or _ - . : ~ (and not '.' or '..')",
        )
    return value


def _integral(value: object) -> object:
    # Hosts that carry arguments as protobuf or JavaScript numbers turn 20 into 20.0.
    return int(value) if isinstance(value, float) and value.is_integer() else value


_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


def _unix_seconds(value: object) -> object:
    if not isinstance(value, str) or (seconds := seconds_of(value)) is None:
        return _integral(value)
    raise PydanticCustomError(
        "unix_seconds", "must be a whole number: unix seconds, for this date {seconds}", {"seconds": seconds}
    )


def seconds_of(text: str) -> int | None:
    """Return the unix seconds of an ISO 8601 date or time, in UTC where it names no other zone; None if it is none."""
    if not _ISO_DATE.match(text.strip()):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


_RESOURCE_ID_CHECK: Final = AfterValidator(_check_resource_id)

ResourceId = Annotated[str, _RESOURCE_ID_CHECK]
"""The id of one thing, safe to stand in a URL path."""


def names_thing(field: FieldInfo) -> bool:
    """Whether a field holds a ``ResourceId``, be it optional."""
    if _RESOURCE_ID_CHECK in field.metadata:
        return True
    return any(_RESOURCE_ID_CHECK in getattr(part, "__metadata__", ()) for part in get_args(field.annotation))


def names_things(field: FieldInfo) -> bool:
    """Whether a field holds a list of ``ResourceId``."""
    return get_origin(field.annotation) is list and ResourceId in get_args(field.annotation)


INTEGRAL: Final = BeforeValidator(_integral)
"""Lets ``20.0`` count as ``20``. Stands last in an ``Annotated``, so that bounds still reach the JSON schema."""

UNIX_SECONDS: Final = BeforeValidator(_unix_seconds)
"""``INTEGRAL`` for a moment: a date in place of the number is refused with the number it means."""

Int = Annotated[int, INTEGRAL]
Moment = Annotated[int, UNIX_SECONDS]
UnixSeconds = Annotated[int, Field(description="Unix seconds."), UNIX_SECONDS]
Lifetime = Annotated[int, Field(ge=1), INTEGRAL]
"""Seconds until a new key expires; one that has expired at birth can't be made."""
Cents = Annotated[int, Field(ge=0, description="US cents."), INTEGRAL]

After = str
AfterItem = Annotated[str, Field(description="Last id.")]
AfterNext = Annotated[str, Field(description="Previous `next`.")]
Before = str
Order = Literal["asc", "desc"]

Limit100 = Annotated[int, Field(ge=1, le=100), INTEGRAL]
Limit0To100 = Annotated[int, Field(ge=0, le=100), INTEGRAL]
Limit0To1000 = Annotated[int, Field(ge=0, le=1000), INTEGRAL]


@dataclass(frozen=True, slots=True)
class ApiDefault:
    """Metadata: the value the API assumes when the field is left out. Shown in the schema, never sent."""

    value: str | int | bool

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add ``default`` to the field's JSON schema."""
        return {**handler(schema), "default": self.value}


def declared_default(field: FieldInfo) -> str | int | bool | None:
    """Return the default a field's schema declares, or None."""
    return next((note.value for note in field.metadata if isinstance(note, ApiDefault)), None)


class BareInSchema:
    """Metadata: the schema tells the type alone, since the rest would cost more than an error that tells it."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Drop the values and bounds from the field's JSON schema."""
        return {"type": handler(schema)["type"]}


class Grave:
    """Metadata: a change of this field needs text typed, although the change as a whole does not."""


@dataclass(frozen=True, slots=True)
class IfLeftOut:
    """Metadata: what it means that the field is left out, in words for the person who approves. Not in the schema."""

    says: str


class _ClearsWithNull:
    """Metadata: null has a meaning of its own here, so the schema offers it."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"type": "null"}]}


_CLEARS_WITH_NULL: Final = _ClearsWithNull()

Clearable = Annotated[T | None, _CLEARS_WITH_NULL]
"""An optional field that null empties."""


def clears_with_null(field: FieldInfo) -> bool:
    """Whether null empties a field. Elsewhere a null that the API takes means the same as leaving the field out."""
    return _CLEARS_WITH_NULL in field.metadata

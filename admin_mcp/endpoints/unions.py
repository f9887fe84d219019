"""Unions flattened into one object: many hosts take no union at a schema's root, so ``type`` says which fields belong.

The check and nothing else; each catalog module has its own table of variants.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel
from pydantic_core import PydanticCustomError


class Variant(NamedTuple):
    """The fields that one ``type`` of a flattened union needs, and those it may have besides."""

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


def check_variant(given: BaseModel, kind: str, variants: Mapping[str, Variant]) -> None:
    """Check a flattened union: all that its ``type`` needs was given, and nothing that belongs only to another type.

    Raises:
        PydanticCustomError: names the fields to add and the fields to leave out.

    """
    names = given.model_fields_set
    own = variants[kind]
    every = {name for variant in variants.values() for name in variant.needs + variant.takes}
    missing = [name for name in own.needs if name not in names]
    foreign = sorted(names & every - {*own.needs, *own.takes})
    problems = []
    if missing:
        problems.append(f"also needs {', '.join(missing)}")
    if foreign:
        problems.append(f"does not take {', '.join(foreign)}")
    if problems:
        raise PydanticCustomError(
            "missing_for_type", "type '{type}' {problems}", {"type": kind, "problems": " and ".join(problems)}
        )

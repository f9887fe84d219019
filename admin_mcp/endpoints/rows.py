"""What of a list's rows an answer shows: the fields that were asked for, and the rows whose name fits. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

_NAMES = frozenset({"name", "email"})
_ALWAYS = ("start_time", "end_time")
RESULTS = "results"


@dataclass(frozen=True, slots=True)
class View:
    """Which rows are shown, and what of each. Empty: all of it, as the API gave it."""

    fields: tuple[str, ...] = ()
    name: str = ""

    def keeps(self, row: object) -> bool:
        """Whether the row is shown at all."""
        return not self.name or any(self.name.casefold() in text.casefold() for text in _names(row))

    def rows(self, rows: Iterable[Any]) -> list[Any]:
        """Return the rows that are shown, as they are."""
        return [self.shown(row) for row in rows if self.keeps(row)]

    def shown(self, row: Any) -> Any:  # noqa: ANN401 - whatever the API has in its lists
        """Return the row as it is shown."""
        if not self.fields or not isinstance(row, dict):
            return row
        if isinstance(results := row.get(RESULTS), list):
            kept = {name: row[name] for name in _ALWAYS if name in row}
            return {**kept, RESULTS: [self._selected(result) for result in results]}
        return self._selected(row)

    def _selected(self, row: object) -> dict[str, Any]:
        found = ((field, _telling(_at(row, field))) for field in self.fields)
        return {field: value for field, value in found if value is not None}


EVERYTHING = View()


def field_names(rows: object) -> list[str]:
    """Return the names of the fields that the rows of a list have, given the list's annotation."""
    models = [*_models(rows)]
    inner = [
        model
        for row in models
        if RESULTS in row.model_fields
        for model in _models(row.model_fields[RESULTS].annotation)
    ]
    names = (field.alias or name for model in inner or models for name, field in model.model_fields.items())
    return list(dict.fromkeys((*names, *(_ALWAYS if inner else ()))))


def unknown_fields(fields: Iterable[str], known: Sequence[str]) -> list[str]:
    """Return the fields that no row has. What stands behind a dot is for the row to say."""
    return [field for field in fields if not any(field == name or field.startswith(f"{name}.") for name in known)]


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _names(row: object) -> Iterator[str]:
    """Yield the names and addresses a row has, also those of the person inside it; not those in the lists it holds."""
    for key, value in row.items() if isinstance(row, dict) else ():
        if key in _NAMES and isinstance(value, str):
            yield value
        yield from _names(value)


def _at(value: object, path: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what a dotted name leads to, or None. Some of the API's own names have dots in them."""
    if isinstance(value, list):
        return [_at(item, path) for item in value]
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    for place in (place for place, letter in enumerate(path) if letter == "."):
        if path[:place] in value:
            return _at(value[path[:place]], path[place + 1 :])
    return None


def _telling(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Drop what says nothing: nulls, and the name of the kind of object."""
    if isinstance(value, list):
        return [_telling(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _telling(part) for name, part in value.items() if part is not None and name != "object"}

"""Where the pretend organization's state lives: rows in collections, and singletons, each by its path.

A collection's *place* is its path, always with ``/organization`` in front, as in
``/organization/projects/proj_1/users``. Rows hold what was asked for and when; what follows from other rows is left to
``projections``. A collection of *members* (a group's users, a user's roles) holds only the link: its keys are ids of
rows that live elsewhere.
"""

import hashlib

Row = dict[str, object]
"""A JSON object."""

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH = 16


class Store:
    """The rows, and the maker of new ids."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._made = 0
        self._collections: dict[str, dict[str, Row]] = {}
        self._singletons: dict[str, Row] = {}

    def new_id(self, prefix: str) -> str:
        """Return an id that was never returned before. The same seed gives the same ids in the same order."""
        return prefix + self.new_token(_ID_LENGTH)

    def new_token(self, length: int) -> str:
        """Return letters and digits that look random and are not."""
        self._made += 1
        digest = hashlib.sha512(f"{self.seed}/{self._made}".encode()).digest()
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:length])

    def rows(self, place: str) -> dict[str, Row]:
        """Return a collection, oldest row first."""
        return self._collections.setdefault(place, {})

    def find(self, place: str, item: str) -> Row | None:
        """Return one row, or None."""
        return self._collections.get(place, {}).get(item)

    def row(self, place: str, item: str) -> Row:
        """Return one row that must be there."""
        return self._collections[place][item]

    def put(self, place: str, item: str, row: Row) -> None:
        """Add a row at the end of its collection, or replace it where it stands."""
        self.rows(place)[item] = row

    def remove(self, place: str, item: str) -> None:
        """Take a row away, with everything below it and every membership of it."""
        scope, _, segment = place.rpartition("/")
        for other, rows in self._collections.items():
            if other.startswith(f"{scope}/") and other.endswith(f"/{segment}"):
                rows.pop(item, None)
        for kept in (self._collections, self._singletons):
            for other in [other for other in kept if other.startswith(f"{scope}/")]:
                if f"/{segment}/{item}/" in other:
                    del kept[other]

    def singleton(self, place: str) -> Row | None:
        """Return a singleton's row, or None while it is not set."""
        return self._singletons.get(place)

    def put_singleton(self, place: str, row: Row) -> None:
        """Set a singleton."""
        self._singletons[place] = row

    def remove_singleton(self, place: str) -> None:
        """Unset a singleton."""
        del self._singletons[place]


def text(row: Row, key: str) -> str:
    """Return a field that is known to be a string."""
    return str(row[key])


def number(row: Row, key: str) -> int:
    """Return a field that is known to be a whole number."""
    value = row[key]
    if not isinstance(value, int):
        raise TypeError(f"{key} is {type(value).__name__}")
    return value

"""What reads will answer once the earlier steps of a plan are made, as far as that can be told from their requests.

It stands between a step's preview and the API, so that each step is shown as it will find things. A guess it is all
the same: before a step is sent, all that is shown of it is read again.
"""

from collections.abc import Collection, Sequence

from admin_mcp.api.connection import Read
from admin_mcp.api.request import build_request
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, NotFound
from admin_mcp.gate.plan import holds_token
from admin_mcp.gate.snapshot import SET_AS, body_of


class Foresight:
    """Reads as if the calls ``before`` had been made."""

    def __init__(self, read: Read, before: Sequence[Endpoint], made: Collection[str] = ()) -> None:
        """``made`` are the ids of what those calls have made by now: it is told of under its token, and not twice."""
        self._read = read
        self._made = made
        self._before = [(call, build_request(call).path) for call in before]

    async def read(self, call: Endpoint) -> Json:
        """Return what this read will answer.

        Raises:
            CallError: it can't be read, or will not be there any more.

        """
        path = build_request(call).path
        if holds_token(path):
            return self._new(call, path)
        answer: Json | CallError
        try:
            answer = await self._read(call)
        except NotFound as error:
            answer = error
        for earlier, at in self._before:
            answer = _after(answer, earlier, at, path)
        if isinstance(answer, CallError):
            raise answer
        for identity in self._made:
            answer = _without(answer, identity)
        return answer

    def _new(self, call: Endpoint, path: str) -> Json:
        """Return what will be known of a thing that an earlier step makes: what that step says of it."""
        if "data" in type(call).SPEC.returns.model_fields:
            return {"data": [], "has_more": False}
        parent, _, last = path.rpartition("/")
        for earlier, at in self._before:
            if at == parent and holds_token(last):
                return {**body_of(earlier), "id": last}
        raise NotFound(f"There is no {path} yet.", hint="An earlier step of the plan makes it.")


def _after(answer: Json | CallError, earlier: Endpoint, at: str, path: str) -> Json | CallError:
    """Return what a read of ``path`` answers after an earlier step was made ``at`` its own path."""
    spec = type(earlier).SPEC
    parent, _, last = path.rpartition("/")
    if spec.method == "DELETE":
        if path == at or path.startswith(f"{at}/"):
            return NotFound(f"{path} is taken away by an earlier step.", hint="Leave that step or this one out.")
        return _without_row(answer, at, path)
    if at == path and spec.effect in {"update", "grant"}:
        return _set(answer if isinstance(answer, dict) else {}, body_of(earlier))
    if at == parent and last in body_of(earlier).values():
        return {"id": last, **body_of(earlier)}
    if spec.effect == "update":
        return _with_row(answer, earlier, at, path)
    return answer


def _set(state: Json, body: Json) -> Json:
    """Return the state with the fields of a body set, by the names under which they are read."""
    changed = dict(state)
    for name, value in body.items():
        names = (name, name.rpartition("_")[2], SET_AS.get(name, name))
        changed[next((each for each in names if each in state and each != "id"), name)] = value
    return changed


def _without_row(answer: Json | CallError, at: str, path: str) -> Json | CallError:
    """Return a list without the row of what an earlier step took away."""
    collection, _, identity = at.rpartition("/")
    if not isinstance(answer, dict) or path != collection:
        return answer
    return _without(answer, identity)


def _without(answer: Json, identity: str) -> Json:
    """Return a list without one row, and anything else as it is."""
    rows = answer.get("data")
    return {**answer, "data": [row for row in rows if not _is(row, identity)]} if isinstance(rows, list) else answer


def _with_row(answer: Json | CallError, earlier: Endpoint, at: str, path: str) -> Json | CallError:
    """Return a list with the row of what an earlier step changed as it will be."""
    collection, _, identity = at.rpartition("/")
    if not isinstance(answer, dict) or path != collection or not isinstance(rows := answer.get("data"), list):
        return answer
    return {**answer, "data": [_set(row, body_of(earlier)) if _is(row, identity) else row for row in rows]}


def _is(row: object, identity: str) -> bool:
    return isinstance(row, dict) and row.get("id") == identity

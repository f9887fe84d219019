"""Work that waits for the disk, done beside the event loop."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
from anyio import to_thread

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def threaded(function: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
    """Run what waits for the disk beside the event loop."""
    return await to_thread.run_sync(partial(function, *given, **named))


async def done_whole(function: Callable[[], object]) -> None:
    """Do that even if the call is cancelled already."""
    with anyio.CancelScope(shield=True):
        await to_thread.run_sync(function)

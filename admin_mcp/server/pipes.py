"""stdin and stdout as most clients connect them, pipes or sockets, read and written without a thread for each line.

A thread for a line takes as much processor time as everything else that is done with it. Neither end is made
non-blocking, which other holders of it would notice: it is asked first, and given no more than it surely takes.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO, TextIOWrapper

import anyio
from anyio import to_thread

_ANSWERS_LINE = 64 * 1024
"""Bytes. A longer one is a thread's from the start: the pipe is not that long."""

_READ = 64 * 1024


def is_pipe(descriptor: int) -> bool:
    """Whether this is open, and can be waited for and asked whether it has room."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return os.name == "posix" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


class PipeLines:
    """The lines of a pipe, as bytes that end with a line feed; what is left at its end may have none."""

    def __init__(self, descriptor: int, ahead: bytes = b"") -> None:
        """``ahead`` is what was read of it before."""
        self._descriptor = descriptor
        self._ahead = bytearray(ahead)

    async def next(self) -> bytes:
        """Return the next line, or nothing at the end."""
        looked = 0
        while (end := self._ahead.find(b"\n", looked) + 1) == 0:
            looked = len(self._ahead)
            await anyio.wait_readable(self._descriptor)
            more = os.read(self._descriptor, _READ)
            if not more:
                end = looked
                break
            self._ahead += more
        line = bytes(self._ahead[:end])
        del self._ahead[:end]
        return line


class PipeText(anyio.AsyncFile[str]):
    """A pipe to write text to."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(TextIOWrapper(FileIO(descriptor, "w", closefd=False), "utf-8"))
        self._descriptor = descriptor

    async def write(self, text: str) -> int:
        """Write all of it. What does not fit in now is left to a thread."""
        rest = memoryview(text.encode())
        if len(rest) <= _ANSWERS_LINE:
            rest = self._as_much_as_fits(rest)
        if rest:
            await to_thread.run_sync(self._all, rest)
        return len(text)

    async def flush(self) -> None:
        """Nothing is kept back."""

    def _as_much_as_fits(self, rest: memoryview) -> memoryview:
        import select  # noqa: PLC0415 - not on all platforms as it is needed here

        while rest and select.select([], [self._descriptor], [], 0)[1]:
            rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]
        return rest

    def _all(self, rest: memoryview) -> None:
        import select  # noqa: PLC0415 - as above

        while rest:
            select.select([], [self._descriptor], [])  # whoever gave us this end may have made it non-blocking
            rest = rest[os.write(self._descriptor, rest) :]


@contextmanager
def own_stdout() -> Iterator[PipeText | None]:
    """Yield the client's end while whatever prints writes to stderr; None where that takes more than this knows."""
    if not is_pipe(1) or sys.stdout is None or sys.stdout.fileno() != 1 or not _are_open(0, 2):
        yield None
        return
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        yield PipeText(own)
    finally:
        sys.stdout.flush()
        os.dup2(own, 1)
        os.close(own)


def _are_open(*descriptors: int) -> bool:
    try:
        return all(os.fstat(descriptor) for descriptor in descriptors)
    except OSError:
        return False

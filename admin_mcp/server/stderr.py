"""stderr while serving. A host that never reads it must not make the server wait, and a secret must not get there.

What is written goes to a thread through a queue with a bound. What finds the queue full is dropped, and counted.
"""

import io
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from admin_mcp.api.response import redact

_MOST_WAITING = 1000
_LONGEST = 64 * 1024
_LAST_SECONDS = 0.5


class NeverWaiting(io.TextIOBase):
    """A text stream in front of another, to which only its own thread writes."""

    def __init__(self, behind: TextIO, secrets: Sequence[str] = ()) -> None:
        self._behind = behind
        self._secrets = secrets
        # The simple queue alone may be used by a signal handler that interrupts its user.
        self._waiting: queue.SimpleQueue[str | threading.Event] = queue.SimpleQueue()
        self._dropped = 0
        threading.Thread(target=self._pass_on, name="stderr", daemon=True).start()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # TextIOBase declares an attribute, and this one is another's
        """The encoding of the stream behind."""
        return self._behind.encoding

    def fileno(self) -> int:
        """Return the descriptor of the stream behind, which children are given."""
        return self._behind.fileno()

    def isatty(self) -> bool:
        """Whether a person sees it."""
        return self._behind.isatty()

    def writable(self) -> bool:
        """Whether one can write to it: always."""
        return True

    def write(self, text: str) -> int:
        """Hand text over, and return at once."""
        if not isinstance(text, str):
            raise TypeError("this is a text stream")  # which is how click tells one from a binary stream
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put(redact(text, self._secrets)[:_LONGEST])
        else:
            self._dropped += 1
        return len(text)

    def finish(self) -> None:
        """Wait for what was handed over to be written, though not for long."""
        written = threading.Event()
        self._waiting.put(written)
        written.wait(_LAST_SECONDS)

    def _pass_on(self) -> None:
        while True:
            item = self._waiting.get()
            if isinstance(item, threading.Event):
                item.set()
                continue
            if self._dropped:
                item, self._dropped = f"openai-admin-mcp: {self._dropped} messages were dropped here\n{item}", 0
            try:
                self._behind.write(item)
                self._behind.flush()
            except (OSError, ValueError):
                continue  # nobody is there any more, and there is nobody to tell


@contextmanager
def never_waiting(secrets: Sequence[str] = ()) -> Iterator[Callable[[], None]]:
    """Put such a stream in stderr's place; yield what waits for its last words."""
    behind = sys.stderr
    if behind is None:  # started without one
        yield lambda: None
        return
    stream = NeverWaiting(behind, secrets)
    sys.stderr = stream
    try:
        yield stream.finish
    finally:
        stream.finish()
        sys.stderr = behind

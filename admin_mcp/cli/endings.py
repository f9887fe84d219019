"""How a command ends that its user, or whoever reads its output, ends: quietly, and with the exit code that is due."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click

_INTERRUPTED = 130
"""The exit code of what Ctrl-C ended before it was done, as shells have it."""


@contextmanager
def until_enough_was_read() -> Iterator[None]:
    """Stop, quite content, when whoever reads the output wants no more of it."""
    try:
        yield
    except (BrokenPipeError, BaseExceptionGroup) as error:
        if not (_no_more_is_read() and _is_broken_pipe(error)):
            raise
    finally:
        _no_more_is_read()


@contextmanager
def ended_by_interrupt(said: str) -> Iterator[None]:
    """Take Ctrl-C for the proper end of what goes on until then, and say what that comes to."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{said}", err=True)


@contextmanager
def interrupted_with(said: str) -> Iterator[None]:
    """Have Ctrl-C, or the end of the input at a prompt, end a command with these words on a line of their own."""
    try:
        yield
    except (KeyboardInterrupt, click.Abort) as error:
        click.echo(f"\n{said}", err=True)
        pressed = isinstance(error, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt)
        raise click.exceptions.Exit(_INTERRUPTED if pressed else 1) from None


def _is_broken_pipe(error: BaseException) -> bool:
    """Whether it came of a broken pipe, alone or with what that brought about in tasks beside it."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(BrokenPipeError) is not None
    return True


def _no_more_is_read() -> bool:
    """Whether what was printed has no reader any more. What is left of it goes nowhere then."""
    gone = [stream for stream in (sys.stdout, sys.stderr) if stream is not None and _has_no_reader(stream)]
    for stream in gone:
        # Or else the interpreter would fail to flush what is left when it ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    return bool(gone)


def _has_no_reader(stream: TextIO) -> bool:
    try:
        stream.flush()
        number = stream.fileno()
    except BrokenPipeError:
        return True
    except (OSError, ValueError):  # no file of the system, or closed
        return False
    return _is_broken_for_good(number)


def _is_broken_for_good(number: int) -> bool:
    """Whether nobody reads a file: once a write has failed, a buffer may be empty and flushing it no test."""
    import select  # noqa: PLC0415 - not on all platforms as it is needed here

    if not hasattr(select, "poll"):
        return False
    asked = select.poll()
    asked.register(number, 0)
    return any(event & select.POLLERR for _, event in asked.poll(0))

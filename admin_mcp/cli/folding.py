"""Text for a terminal: folded between words at its width, what goes on below indented more than what begins there."""

import re
import shutil
import sys
import textwrap

_MORE, _MORE_OF_STEP = 4, 2
_NARROWEST = 20
"""The least that is left of a line, however far in it goes on."""


_FIRST = re.compile(r".*\S {2,}(?=\S)| *(?:[-!~+] )?\d+\. ")
"""What stands before the words of a line: a step's sign and number, or cells in columns. No name has two blanks."""


def folded(text: str) -> str:
    """Return a text as its reader's terminal shows it best; a program gets it as it is.

    Nothing in a line can seem to be a line of its own: what goes on is further in than where it began.
    """
    if not sys.stdout.isatty():
        return text
    return "\n".join(_folded(line, shutil.get_terminal_size().columns) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    step = _FIRST.match(line)
    start = step[0] if step else line[: len(line) - len(line.lstrip(" "))]
    if len(line) <= width or width < _MORE + _NARROWEST:
        return line
    inside = min(len(start) + (_MORE_OF_STEP if step else _MORE), width - _NARROWEST)
    return textwrap.fill(
        line[len(start) :],
        width,
        initial_indent=start,
        subsequent_indent=" " * inside,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        expand_tabs=False,
        replace_whitespace=False,
    )

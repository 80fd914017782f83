"""What a command prints: no text from a file commands the terminal, and no output that is full or
closed changes what the command does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from io import StringIO
from typing import Any

_CONTROLS = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """The text, with escapes for control characters, and for those that turn its direction.

    Line ends and tabs stay.
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


GOOD, BAD, DOUBTFUL = "\ufdd0", "\ufdd1", "\ufdd2"
"""Marks before a text to be shown in green, red or yellow; no text contains them."""

_PLAIN = "\ufdd3"
_COLOURS = {GOOD: "\x1b[32m", BAD: "\x1b[31m", DOUBTFUL: "\x1b[33m", _PLAIN: "\x1b[0m"}
_SIGNS = re.compile(f"[{''.join(_COLOURS)}]")


def coloured(text: str, sign: str) -> str:
    """Return a text that `Output` shows in a colour if the terminal has colours."""
    return f"{sign}{text}{_PLAIN}"


def has_colours(stream: Any) -> bool:
    """Return whether a stream is a terminal and NO_COLOR (no-color.org) is not set."""
    known = os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
    return known and bool(getattr(stream, "isatty", lambda: False)())


class Output:
    """Standard output, on which all text is printable.

    When it fails, `error` says why, and what else is written is lost, so that the command still
    does the rest of its work. If only the reader has gone, such as `head`, that is not a failure.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = StringIO() if stream is None else stream  # None: it was closed before
        self.colours = has_colours(self.stream)
        self.error = OSError(errno.EBADF, os.strerror(errno.EBADF)) if stream is None else None

    def write(self, text: str) -> int:
        """Write the text, unless an error came before."""
        shown = _SIGNS.sub(lambda found: _COLOURS[found[0]] * self.colours, printable(text))
        self._attempt("write", shown)
        return len(text)

    def flush(self) -> None:
        """Write what is waiting."""
        self._attempt("flush")

    def close(self) -> OSError | None:
        """Write what is waiting; the error, if there was one that is a failure."""
        self.flush()
        return None if isinstance(self.error, BrokenPipeError) else self.error

    def _attempt(self, action: str, *arguments: str) -> None:
        if self.error is None:
            try:
                getattr(self.stream, action)(*arguments)
            except OSError as error:
                self.error = error
                with contextlib.suppress(OSError, ValueError):  # or Python fails when it ends
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, self.stream.fileno())
                    os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

"""The user's line: where in the code that calls this package something was made or went wrong."""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import Any, NamedTuple

_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_NETWORKS = str(Path(__file__).parents[2] / "nn") + os.sep
_PYTHON = os.path.dirname(linecache.__file__) + os.sep  # `os` is frozen and may name another place


class Line(NamedTuple):
    """A line of source; `text` is "" where the source cannot be read."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}" + (f": {self.text}" if self.text else "")

    @property
    def place(self) -> str:
        """The name of the file and the number of the line, such as `train.py:12`."""
        return f"{Path(self.file).name}:{self.number}"


def line_of_user(frame: FrameType | None = None) -> Line:
    """The innermost line of code that is not this package's, NumPy's or Python's own.

    Args:
        frame: where to begin; by default the caller's frame.
    """
    frame = frame or sys._getframe(1)
    while frame.f_back is not None and _is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return _line(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)


def line_of_error(error: BaseException) -> Line:
    """The innermost line of the user's code that an error came through."""
    for frame, number in reversed([*walk_tb(error.__traceback__)]):
        if not _is_own(frame.f_code.co_filename):
            return _line(frame.f_code.co_filename, number, frame.f_globals)
    return line_of_user()


def is_from(error: BaseException, *rooms: str) -> bool:
    """Whether a line of these rooms raised the error, and not Python, NumPy or a user's line."""
    frames = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].startswith(tuple(_PACKAGE + room for room in rooms))


def line_of_function(f: Callable[..., Any]) -> Line | str:
    """The line where a function begins, or the `repr` of a function that has no source."""
    while hasattr(f, "__wrapped__"):
        f = f.__wrapped__
    code = getattr(f, "__code__", None)
    return _line(code.co_filename, code.co_firstlineno, f.__globals__) if code else repr(f)


def _line(file: str, number: int, names: dict[str, Any]) -> Line:
    return Line(file, number, linecache.getline(file, number, names).strip())


@cache
def _is_own(file: str) -> bool:
    if file.startswith(("<micrograd ", _PACKAGE, _NETWORKS)):
        return True
    installed = re.split(r"[\\/](?:site|dist)-packages[\\/]", file)
    if len(installed) > 1:
        return installed[-1].startswith(("numpy/", "numpy\\"))
    return file.startswith(_PYTHON)

"""Where in the user's code each node of a graph was made, found out by running the function again.

Nothing is recorded while checks pass: lines are asked for once a check has failed.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from micrograd import engine
from micrograd.engine import Value

_PACKAGE = str(Path(engine.__file__).parent)


class Line(NamedTuple):
    """A line of source."""

    file: str
    number: int

    @property
    def text(self) -> str:
        """The source of the line, "" if it cannot be read."""
        return linecache.getline(self.file, self.number).strip()

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.number}"


def traced(run: Callable[[], Any]) -> tuple[Any, dict[int, Line]]:
    """The result of `run`, and the line that made each Value, by the Value's id."""
    lines: dict[int, Line] = {}
    before = sys.getprofile()

    def watch(frame: FrameType, event: str, result: Any) -> None:
        if event != "return":
            return
        code = frame.f_code
        if code.co_name == "__init__":
            result = frame.f_locals.get("self")
        if isinstance(result, Value) and id(result) not in lines:
            line = _user_line(frame)
            if line is not None:
                lines[id(result)] = line

    sys.setprofile(watch)
    try:
        result = run()
    finally:
        sys.setprofile(before)
    return result, lines


def _user_line(frame: FrameType | None) -> Line | None:
    """The innermost line outside this package."""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((_PACKAGE, "<micrograd ")):
            return Line(file, frame.f_lineno)
        frame = frame.f_back
    return None

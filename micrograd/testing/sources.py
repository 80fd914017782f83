"""Where in the user's code each node of a graph was made, found out by running the function again.

Nothing is recorded while checks pass: lines are asked for once a check has failed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from micrograd.engine.lines import Line, line_of_user
from micrograd.engine.value import Value


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
            lines[id(result)] = line_of_user(frame)

    sys.setprofile(watch)
    try:
        result = run()
    finally:
        sys.setprofile(before)
    return result, lines

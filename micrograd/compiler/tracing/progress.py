"""Long traces: a progress line on the terminal, and a limit."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from micrograd.compiler.tracing.recorder import Recorder, TraceError

EVERY = 3.0
"""Seconds between two messages about a trace; shorter traces print none."""


@contextmanager
def told(recorder: Recorder) -> Iterator[None]:
    """Report on the terminal from time to time how many operations were recorded.

    Nothing is written if the standard error is not a terminal.

    Args:
        recorder: the recorder of the trace that runs in this context.
    """
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield
        return
    done, began = threading.Event(), time.monotonic()

    def tell() -> None:
        written = False
        while not done.wait(EVERY):
            seconds = time.monotonic() - began
            count = recorder.count
            stream.write(
                f"\rcompiling: {count:,} operations traced after {seconds:.0f} s (Ctrl-C stops)"
            )
            stream.flush()
            written = True
        if written:
            stream.write("\n")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


class Limited(dict[Any, int]):
    """The operations of a recorder, up to a limit.

    Args:
        most: the largest number of operations.

    >>> operations = Limited(1)
    >>> operations.setdefault("mul", 0)
    0
    >>> operations.setdefault("add", 1)
    Traceback (most recent call last):
        ...
    micrograd...TraceError: a compiled function does more than 1 operation, ...
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = self.left = most

    def setdefault(self, key: Any, default: int = 0) -> int:
        """Return the place of an operation; raise a TraceError for one too many."""
        if key not in self:
            self.take(1)
        return super().setdefault(key, default)

    def take(self, count: int) -> None:
        """Allow further operations; raise a TraceError for one too many.

        Args:
            count: how many.
        """
        self.left -= count
        if self.left >= 0:
            return
        plural = "" if self.most == 1 else "s"
        raise TraceError(
            f"a compiled function does more than {self.most:,} operation{plural}, the limit= that "
            "compile was given: write a loop with repeat or scan, which trace one step, or raise "
            "the limit"
        )

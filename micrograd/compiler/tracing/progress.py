"""Long traces: a progress line on the terminal, and a limit."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from micrograd.compiler.tracing.graph import Graph
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


class Limited(list[Any]):
    """The rows of a recorder, which may become a graph of a limited number of operations.

    As equal operations count once, they are counted in a graph, each time that their number has
    doubled.

    Args:
        most: the largest number of operations.
        recorder: the recorder.
    """

    def __init__(self, most: int, recorder: Recorder) -> None:
        super().__init__()
        self.most, self.recorder, self.next = most, recorder, most

    def append(self, row: Any) -> None:
        """Add an operation; raise a TraceError for one too many."""
        super().append(row)
        self.check()

    def extend(self, rows: Iterable[Any]) -> None:
        """Add operations; raise a TraceError if they are too many."""
        super().extend(rows)
        self.check()

    def check(self) -> None:
        """Raise a TraceError if there are too many operations."""
        if self.recorder.count > self.next:
            self.next = 2 * self.recorder.count
            check(self.recorder.graph([]), self.most)


def check(graph: Graph, limit: int) -> None:
    """Raise a TraceError if a graph, in which no operations are repeated, has too many.

    Args:
        graph: what was recorded.
        limit: the largest number of operations.
    """
    if int((graph.code >= 0).sum()) <= limit:
        return
    plural = "" if limit == 1 else "s"
    raise TraceError(
        f"a compiled function does more than {limit:,} operation{plural}, the limit= that compile "
        "was given: write a loop with repeat or scan, which trace one step, or raise the limit"
    )

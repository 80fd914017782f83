"""Time derivations, drawings and pages, and the refusal of graphs that are too large to read.

python benchmarks/pictures.py [--rounds N] [--quick]

Prints medians and minima in milliseconds. Only the row of the picture depends on a renderer.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from micrograd import Value, draw, draw_dot, explain, step_page


def chain(length: int) -> tuple[Value, Value]:
    """A value and the sum of `length` operations on it."""
    x = y = Value(1.0, label="x")
    for _ in range(length):
        y = y + 1.0
    return x, y


def diamonds(count: int) -> tuple[Value, Value]:
    """A graph with 2**count paths."""
    x = y = Value(0.5, label="x")
    for _ in range(count):
        y = y * y.cos()
    return x, y


def refused(attempt: Callable[[], Any]) -> None:
    """Attempt to draw what must be refused."""
    try:
        attempt()
    except ValueError:
        return
    raise SystemExit("a graph that nobody could read was not refused")


def tasks(size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The names and functions to time, for graphs of about this many values."""
    x, y = diamonds(size // 2)
    few, small = diamonds(14)
    _, long = chain(5 * size)
    begin, huge = chain(100 * size)
    most = 10 * size
    yield f"explain {size:,} values: text", lambda: explain(y, x).text()
    yield f"board of {size:,} values: text", lambda: explain(y, x, style="board").text()
    yield f"explain {size:,} values: Markdown", lambda: explain(y, x).markdown("zh")
    yield f"DOT text of {5 * size:,} values", lambda: draw_dot(long, max_nodes=most).source
    yield f"Mermaid of {5 * size:,} values", lambda: draw_dot(long, max_nodes=most).mermaid()
    yield f"refuse to explain {100 * size:,} values", lambda: refused(lambda: explain(huge, begin))
    yield f"refuse to draw {100 * size:,} values", lambda: refused(lambda: draw_dot(huge))
    yield "explain 29 values: text", lambda: explain(small, few).text()
    yield "compact picture of 29 values: SVG", lambda: draw(small).pipe("svg")
    yield "picture of 29 values: SVG", lambda: draw_dot(small).pipe("svg")
    yield f"page of 29 values: {len(step_page(small).encode()):,} bytes", lambda: step_page(small)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="small graphs, one round")
    options = parser.parse_args()
    print(f"{'':<44} {'median':>9} {'minimum':>9}  ms")
    for name, task in tasks(50 if options.quick else 1_000):
        times = []
        for _ in range(1 if options.quick else options.rounds):
            start = time.perf_counter()
            task()
            times.append(1e3 * (time.perf_counter() - start))
        print(f"{name:<44} {statistics.median(times):>9.1f} {min(times):>9.1f}")


if __name__ == "__main__":
    main()

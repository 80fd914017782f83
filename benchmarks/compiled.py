"""Time compiled programs against other engines on the same mathematics, and the cost of planning.

    python benchmarks/compiled.py              # a few minutes; --quick for a few seconds

Prints four tables: the standard step (`step`), the GPT of the examples (`gpt`), Black-Scholes with
five greeks (`greeks`), and tracing and planning (`planning`). Everything runs in float64, on one
thread of one core and in one process; the engines take turns, and their results are compared before
they are timed. Engines that are not installed are skipped with a note.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(
        Path(__file__).resolve().parent.parent
    )  # so that `benchmarks` can be imported
    from benchmarks.one_thread import limit

    limit()

from benchmarks import gpt, greeks, planning, step
from benchmarks.eager import machine
from benchmarks.timing import Effort, available
from micrograd import compile  # noqa: A004

BACKENDS = ("numpy", "numba", "jax")
TABLES = ("step", "gpt", "greeks", "planning")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", choices=TABLES, action="append", help="print only this table; may be repeated"
    )
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument(
        "--seconds", type=float, default=5, help="time limit for one engine in one row (default 5)"
    )
    parser.add_argument("--backends", nargs="+", default=BACKENDS, help="backends of our programs")
    parser.add_argument(
        "--no-peers", action="store_true", help="compare only our programs and hand-written NumPy"
    )
    parser.add_argument(
        "--points", type=int, help="number of points of the greeks (default a million)"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="plot the time of a step against the batch size"
    )
    parser.add_argument("--full", action="store_true", help="also plan graphs of a million nodes")
    parser.add_argument("--quick", action="store_true", help="small sizes, three rounds")
    options = parser.parse_args()
    tables = options.only or TABLES
    quick, peers = options.quick, not options.no_peers
    effort = Effort(3 if quick else options.rounds, options.seconds)
    print(", ".join(machine().values()))
    backends = list(
        available({name: partial(compile, abs, backend=name) for name in options.backends})
    )
    if "step" in tables:
        sizes = (1, 10) if quick else (1, 100, 1_000, 10_000)
        times = step.measure(step.engines(backends, peers), sizes, effort)
        if options.plot:
            step.plot(times, options.plot)
    if "gpt" in tables:
        model = gpt.small() if quick else gpt.full()
        gpt.measure(model, [2] if quick else [32], backends, peers, effort)
    if "greeks" in tables:
        count = options.points or (1_000 if quick else 1_000_000)
        greeks.measure(count, backends, peers, effort)
    if "planning" in tables:
        nodes = [1_000] if quick else [1_000, 10_000, 100_000]
        planning.measure([*nodes, 1_000_000] if options.full else nodes, quick)


if __name__ == "__main__":
    main()

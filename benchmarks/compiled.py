"""Compiled programs beside what others make of the same mathematics: time, and cost of planning.

    python benchmarks/compiled.py              # some minutes; --quick for some seconds

Four tables: the standard step (`step`), the GPT of the examples (`gpt`), Black and Scholes with
five greeks (`greeks`), tracing and planning (`planning`). One thread, one process, float64; the
engines in turn, compared before they are timed. What is not installed is skipped, and said so.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # where `benchmarks` can be imported
    for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_variable, "1")  # before NumPy is imported
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    os.environ["NPROC"] = "1"  # which XLA's other threads, that the flag leaves, obey
    os.environ["JAX_ENABLE_X64"] = "1"

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
    parser.add_argument("--only", choices=TABLES, action="append", help="one table, or some")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=5, help="the most for one engine, one row")
    parser.add_argument("--backends", nargs="+", default=BACKENDS, help="of our programs")
    parser.add_argument("--no-peers", action="store_true", help="our programs and NumPy by hand")
    parser.add_argument("--points", type=int, help="at which there are greeks; else a million")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw how the steps scale")
    parser.add_argument("--full", action="store_true", help="plan graphs of a million nodes")
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

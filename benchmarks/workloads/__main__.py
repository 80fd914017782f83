"""Time compiled programs on workloads of many kinds against JAX written by hand.

    python -m benchmarks.workloads             # about 20 minutes; --quick for small sizes

Each workload is written for this library and for JAX (`jit`, `vmap` over samples), and both must
agree up to rounding. Everything runs in float64, on one thread of one core and in one process; the
engines take turns. Each row shows JAX's fastest call and its first call, and for each backend the
ratios to JAX of the fastest calls, of the medians, and of the first calls, which include tracing
and compiling. A ratio below 1 means that the program is faster than JAX. All times are processor
times.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from benchmarks.one_thread import limit

limit()
if not find_spec("jax"):
    raise SystemExit("the workloads need JAX: pip install 'micrograd-engine[jax]'")

from benchmarks.eager import machine
from benchmarks.timing import Effort
from benchmarks.workloads.catalogue import ALL
from benchmarks.workloads.measuring import Measured, header, line, measure, plot, summary


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workloads",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", metavar="NAME", action="append", help="only workloads whose names contain this"
    )
    parser.add_argument("--backends", nargs="+", default=["numba"], help="default: numba")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument(
        "--seconds", type=float, default=2, help="time limit of an engine in a row (default 2)"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ratios as bars")
    parser.add_argument("--quick", action="store_true", help="small sizes, three rounds")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args()
    wanted = [w.lower() for w in options.only or [""]]
    chosen = {name: each for name, each in ALL.items() if any(w in name.lower() for w in wanted)}
    if not chosen:
        parser.error(f"no workload is named like {' or '.join(wanted)}; --list prints the names")
    if options.list:
        print(*chosen, sep="\n")
        return
    effort = Effort(3 if options.quick else options.rounds, options.seconds)
    print(", ".join(machine().values()))
    print(header(options.backends), flush=True)
    rows: dict[str, dict[str, Measured]] = {}
    for name, sized in chosen.items():
        rows[name] = measure(sized, options.backends, effort, small=options.quick)
        print(line(name, rows[name]), flush=True)
    print(summary([*rows.values()]))
    if options.plot:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()

"""Time engines in turn, A B C A B C …, so that a busy spell of the machine affects all of them.

An engine takes the arguments and returns the function to time, which takes no arguments and returns
numbers. So each engine can convert its arguments before the clock starts. All engines of a
comparison must give the same numbers before any of them is timed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import numpy as np

Run = Callable[[], Sequence[Any]]
Engine = Callable[..., Run]
T = TypeVar("T")

TOLERANCE = 1e-10
"""The largest accepted difference, relative to the largest number of a result. Sums of 10,000
samples in different orders differ by less than 1e-12, and a wrong formula by much more."""

SHORT = 0.01
"""Runs that take less than this many seconds depend on the caches of the processor."""


MAPPED = 31 * 2**20
"""Bytes. glibc maps each array above a threshold anew, and its pages when they are written, which
triples the time of hand-written NumPy. Freeing an array of up to 32 MiB raises the threshold."""


class Effort(NamedTuple):
    """How long to measure: the number of rounds, and the time limit of an engine in seconds."""

    rounds: int
    seconds: float


class Times(NamedTuple):
    """The times of an engine in seconds, and the number of rounds."""

    minimum: float
    median: float
    rounds: int


def available(makers: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """Make what can be made here; print the reason for everything else."""
    made = {}
    for name, make in makers.items():
        try:
            made[name] = make()
        except (ImportError, ValueError) as reason:  # noqa: PERF203 (there are few)
            print(f"skipped {name}: {reason}")
    return made


def difference(result: Iterable[Any], expected: Iterable[Any]) -> float:
    """The largest difference between two results, relative to their largest numbers."""
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(result, expected, strict=True)]
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


def compare(
    engines: Mapping[str, Engine], arguments: Sequence[Any], effort: Effort
) -> dict[str, Times]:
    """Time the engines, after checking that all of them give the numbers of the first one.

    Raises SystemExit if one does not.
    """
    keep_freed_memory()
    runs = {name: engine(*arguments) for name, engine in engines.items()}
    expected = None
    for name, run in runs.items():
        result = [np.array(each) for each in run()]
        expected = expected or result
        distance = difference(result, expected)
        if not distance <= TOLERANCE:
            raise SystemExit(f"{name} computes something else: the difference is {distance:.1e}")
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(effort.rounds):
        for name, run in runs.items():
            if sum(taken[name]) < effort.seconds:
                taken[name].append(seconds(run))
    return {name: Times(min(each), median(each), len(each)) for name, each in taken.items()}


def keep_freed_memory() -> None:
    """Make the times independent of what other engines have freed before."""
    np.empty(MAPPED, np.uint8)


def seconds(run: Run) -> float:
    """The time of a run in seconds.

    A short run is timed directly after itself, as in training, so that the caches are not full of
    another engine's data. After a long run, the garbage is collected, so that it does not slow down
    the next engine.
    """
    start = perf_counter()
    run()
    taken = perf_counter() - start
    if taken > SHORT:
        gc.collect()
        return taken
    start = perf_counter()
    run()
    return perf_counter() - start


def print_times(title: str, times: Mapping[str, Times]) -> None:
    """Print a table in microseconds, with the ratio of each minimum to the first engine's."""
    print(f"\n{title:<54} {'minimum':>12} {'median':>12}  us  {'ratio':>9} {'rounds':>7}")
    first = next(iter(times.values())).minimum
    for name, each in times.items():
        least, middle = 1e6 * each.minimum, 1e6 * each.median
        ratio = each.minimum / first
        print(f"  {name:<52} {least:>12,.1f} {middle:>12,.1f}      {ratio:>9.3g} {each.rounds:>7}")

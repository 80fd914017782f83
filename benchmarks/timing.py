"""Engines timed in turn, A B C A B C …: a busy spell of the machine meets all of them.

An engine is given arguments and returns what is timed: a function without arguments that gives
numbers. So each engine has its arguments in the form that it likes best before the clock runs. All
engines of a comparison must give the same numbers before any is timed.
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
"""The largest difference, relative to the largest number of a result: sums of 10,000 samples that
are added up in another order differ by less than 1e-12, and a wrong formula by much more."""

SHORT = 0.01
"""Seconds within which the caches of a processor matter."""


MAPPED = 31 * 2**20
"""Bytes. glibc asks the system for each array above a threshold, and for its pages when they are
written: thrice the time of NumPy by hand. The threshold rises, up to 32 MiB, to what is freed."""


class Effort(NamedTuple):
    """How long to measure: so many rounds, but after so many seconds an engine sits out."""

    rounds: int
    seconds: float


class Times(NamedTuple):
    """The seconds that an engine takes."""

    minimum: float
    median: float
    rounds: int


def available(makers: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """What can be made here; what cannot is skipped, and it says why."""
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
    """The times of the engines, once all of them have given the numbers of the first one.

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
            raise SystemExit(f"{name} computes something else: it is {distance:.1e} away")
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(effort.rounds):
        for name, run in runs.items():
            if sum(taken[name]) < effort.seconds:
                taken[name].append(seconds(run))
    return {name: Times(min(each), median(each), len(each)) for name, each in taken.items()}


def keep_freed_memory() -> None:
    """Let no engine's time depend on what others, or peers that are missing, have freed before."""
    np.empty(MAPPED, np.uint8)


def seconds(run: Run) -> float:
    """How long a run takes.

    A short one follows upon itself, as steps of training do, and does not find its caches full of
    what others left. After a long one, what it threw away goes before others are timed: Python's
    garbage collector looks at graphs of many objects.
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
    """A table in microseconds, with the ratio of each minimum to the first engine's."""
    print(f"\n{title:<54} {'minimum':>12} {'median':>12}  us  {'ratio':>9} {'rounds':>7}")
    first = next(iter(times.values())).minimum
    for name, each in times.items():
        least, middle = 1e6 * each.minimum, 1e6 * each.median
        ratio = each.minimum / first
        print(f"  {name:<52} {least:>12,.1f} {middle:>12,.1f}      {ratio:>9.3g} {each.rounds:>7}")

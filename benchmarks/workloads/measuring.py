"""Each workload by JAX and by compiled programs: first calls, further calls, and their ratios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import geometric_mean, median
from time import process_time
from typing import NamedTuple

from benchmarks.timing import Effort, Run, Times, keep_freed_memory
from benchmarks.workloads.workload import Sized, by_jax, by_program, disagreement, held_by, jitted
from micrograd.compiler.executor import load

HAND = "JAX by hand"
LEAST = 0.002
"""The minimum length of a measurement in seconds; short calls are repeated to fill it."""


class Measured(NamedTuple):
    """An engine on a workload: its first call in seconds, and its further calls."""

    first: float
    times: Times


def measure(
    sized: Sized, backends: Sequence[str], effort: Effort, *, small: bool = False
) -> dict[str, Measured]:
    """Time JAX and programs in turn; all times are processor times.

    Before the first calls, the backends have been imported, as JAX has, and JAX's arrays and the
    Values of the parameters have been made.

    Raises:
        ValueError: a program's result differs from JAX's.
    """
    keep_freed_memory()
    task = sized.made(small=small)
    f = jitted(task)
    runs: dict[str, Run] = {HAND: by_jax(task, f)}
    firsts = {HAND: _seconds(runs[HAND])}
    for backend in backends:
        load(backend)
        held = held_by(task)
        start = process_time()
        runs[backend] = by_program(task, backend, held)
        result = runs[backend]()
        firsts[backend] = process_time() - start
        distance = disagreement(task, result, f)
        if not distance <= 1:
            raise ValueError(f"{backend} differs by {distance:.1e} of what rounding may change")
    taken = _in_turn(runs, effort)
    return {name: Measured(firsts[name], taken[name]) for name in runs}


def _in_turn(runs: Mapping[str, Run], effort: Effort) -> dict[str, Times]:
    # A program prepares its further calls in the first few.
    fastest = {name: min(_seconds(run) for _ in range(5)) for name, run in runs.items()}
    calls = {name: 1 + int(LEAST / max(each, 1e-7)) for name, each in fastest.items()}
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(effort.rounds):
        for name, run in runs.items():
            # A call in which a kernel is compiled does not use up the time of the others.
            spent = len(taken[name]) * min(taken[name], default=0.0) * calls[name]
            if spent < effort.seconds:
                taken[name].append(_seconds(run, calls[name]))
    return {name: Times(min(each), median(each), len(each)) for name, each in taken.items()}


def _seconds(run: Run, calls: int = 1) -> float:
    start = process_time()
    for _ in range(calls):
        run()
    return (process_time() - start) / calls


# ---------------------------------------------------------------------------------------- results


class Ratios(NamedTuple):
    """The times of a program divided by JAX's: minima, medians, and first calls."""

    minimum: float
    median: float
    first: float


def ratios(measured: Mapping[str, Measured]) -> dict[str, Ratios]:
    """The ratios of each backend."""
    jax = measured[HAND]
    return {
        name: Ratios(
            each.times.minimum / jax.times.minimum,
            each.times.median / jax.times.median,
            each.first / jax.first,
        )
        for name, each in measured.items()
        if name != HAND
    }


def header(backends: Iterable[str]) -> str:
    """The head of the table."""
    columns = "".join(f"{name:>10} {'median':>8} {'first':>7}" for name in backends)
    return f"{'':<48} {'JAX, us':>11} {'first, s':>9}{columns}"


def line(name: str, measured: Mapping[str, Measured]) -> str:
    """A row: JAX's times, and for each backend the ratios."""
    jax = measured[HAND]
    found = "".join(
        f"{each.minimum:>10.3g} {each.median:>8.3g} {each.first:>7.2g}"
        for each in ratios(measured).values()
    )
    return f"{name:<48} {1e6 * jax.times.minimum:>11,.1f} {jax.first:>9.2f}{found}"


def summary(rows: Sequence[Mapping[str, Measured]]) -> str:
    """The geometric means of the ratios, and how many workloads are faster than JAX."""
    means, faster = [], []
    for backend in ratios(rows[0]):
        found = [ratios(row)[backend] for row in rows if backend in row]
        least, middle, first = map(geometric_mean, zip(*found, strict=True))
        means.append(f"{least:>10.3g} {middle:>8.3g} {first:>7.2g}")
        faster.append(f"{sum(each.minimum <= 1 for each in found):>10} of {len(found):<13}")
    return f"{'geometric mean':<70}{''.join(means)}\n{'at most 1':<70}{''.join(faster)}"


def plot(rows: Mapping[str, Mapping[str, Measured]], path: Path) -> None:
    """Draw the ratios of the minima as bars, the slowest workload at the top."""
    from matplotlib.figure import Figure

    backends = list(ratios(next(iter(rows.values()))))
    ordered = sorted(rows, key=lambda name: ratios(rows[name])[backends[0]].minimum)
    figure = Figure((9, 1 + 0.17 * len(rows) * (1 + len(backends))), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(backends)
    for i, backend in enumerate(backends):
        places = [place - i * height for place in range(len(ordered))]
        widths = [ratios(rows[name])[backend].minimum for name in ordered]
        bars = axes.barh(places, [width - 1 for width in widths], height, left=1, label=backend)
        axes.bar_label(bars, [f"{width:.2g}" for width in widths], padding=3, fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel="time / JAX's time", yticks=range(len(ordered)))
    axes.set_yticklabels(ordered)
    axes.margins(x=0.12, y=0.01)
    figure.legend(loc="outside upper right")
    figure.savefig(path)
    print(f"wrote {path}")

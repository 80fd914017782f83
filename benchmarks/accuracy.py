"""The accuracy of every operation in every executor: `python benchmarks/accuracy.py [NAME …]`.

The table has the worst point of each row in each executor. Errors of values and first partials are
in units in the last place of the true number, and those of second partials are relative. If a
result is a sum, the unit is that of its largest term.
"""

from __future__ import annotations

import argparse
import math
import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf

from benchmarks.exact import BITS, definition
from micrograd import Value, compile, derivative, grad  # noqa: A004
from micrograd.engine import functions
from micrograd.ops import SERVING, TABLE, Operation
from micrograd.table.formulas import fold
from micrograd.table.interpreters import IEEE

LIMIT = 8
"""The largest error of values and first partials, in units in the last place."""

RELATIVE = 1e-12
"""The largest relative error of second partials."""

TINY = 2.0**-1022
GROUP = 8
"""Points of a batch: enough to fill vector registers, few enough to keep special points apart."""

Point = tuple[float, ...]
Results = list[list[float]]
"""Numbers by quantity, then by point; nan stands for a missing result."""


def quantities(row: Operation) -> list[str]:
    """The names of the value, of the partials and of the second partials."""
    names = row.operands
    pairs = [a + b for i, a in enumerate(names) for b in names[i:]]
    return ["value", *(f"d/d{x}" for x in names), *(f"d²/d{xy}" for xy in pairs)]


# ------------------------------------------------------------------------------------- exceptions


def _flushed(point: Point, true: float) -> bool:
    return any(0 < abs(x) < 2 * TINY for x in (*point, true))


def _is_tiny(point: Point, true: float) -> bool:
    return abs(true) < 64 * TINY


def _anywhere(point: Point, true: float) -> bool:
    return True


def _is_huge(point: Point, true: float) -> bool:
    return abs(point[0]) > 1e307


_THIRD = "a third derivative of the row that it serves: sums of products, some of them subnormal"
EXCEPTIONS: dict[tuple[str, str, str], tuple[str, Callable[[Point, float], bool]]] = {
    ("*", "jax", "*"): ("XLA treats subnormal numbers as zero", _flushed),
    ("gauss", "*", "d/dx"): ("a product of a subnormal number", _is_tiny),
    ("log_ndtr", "jax", "d²/dxx"): ("XLA takes 1 / x for zero", _is_huge),
    ("log_ndtr_slope", "jax", "d/dx"): ("XLA takes 1 / x for zero", _is_huge),
    **{
        (name, "jax", "d/dx"): ("sums of powers, which XLA computes to a few units", _anywhere)
        for name in ("digamma", "digamma_above")
    },
} | {
    (name, "*", quantity): (_THIRD, _anywhere)
    for name in sorted(SERVING)
    if "_slope" in name
    for quantity in quantities(TABLE[name])
    if "²" in quantity
}
"""By row, executor and quantity (each may be `*`): why, and where (operands, result)."""


# ------------------------------------------------------------------------------------------ points

_EDGES = (
    *(5e-324, 1e-310, TINY, 1e-300, 1e-160, 1e-154, 1e-80, 1e-40, 1e-20, 2.0**-53, 1e-12, 1e-9),
    *(1e-7, 1e-5, 1e-3, 0.01, 0.1, 0.25, 0.414, 0.5, 0.625, 0.7, 0.9, 0.99, 1 - 1e-9, 1 - 2.0**-53),
    *(1.0, 1 + 2.0**-52, 1 + 1e-9, 1.01, 1.2, 1.5, 2.0, 3.0, 4.0, 5.5, 6.0, 8.0, 9.0, 10.0, 12.0),
    *(17.0, 18.5, 20.0, 22.0, 26.0, 27.0, 30.0, 36.5, 37.6, 38.2, 38.5, 40.0, 50.0, 100.0, 300.0),
    *(350.0, 360.0, 372.0, 400.0, 600.0, 700.0, 705.0, 708.0, 709.5, 709.9, 710.0, 720.0, 740.0),
    *(744.0, 745.0, 746.0, 800.0, 1e3, 1e4, 1e5, 1e6, 1e8, 1e10, 1e16, 1e22, 1e50, 1e80, 1e105),
    *(1e120, 1e150, 1e155, 1e160, 1e200, 1e250, 1e300, 1e308, 1.7e308),
)
_BASES = (5e-324, 1e-310, 1e-300, 1e-200, 1e-10, 0.1, 0.5, 0.9, 1 - 7e-8, 1 + 7e-8, 1.1, 2.0, 1e5)
_EXPONENTS = (1e-310, 1e-20, 1e-10, 0.01, 0.3, 0.5, 1.0, 1.5, 2.0, 3.3, 7.7, 50.5, 1e4, 1e9, 1e10)
_ZEROS = {
    "lgamma": (1.0, 2.0),
    "digamma": (1.4616321449683622,),
    "silu": (-1.2784645427610737,),
    "mish": (-1.1924312145154952,),
    "gelu": (-0.7517915246935645,),
}
"""Where a value or a slope is 0 and keeps its digits."""


def points(row: Operation, count: int, seed: int = 0) -> list[Point]:
    """Fixed points over the whole range of floats, and `count` random ones of all sizes."""
    rng = random.Random(f"{row.name} {seed}")

    def number() -> float:
        kind = rng.random()
        if kind < 0.4:
            x = 10 ** rng.uniform(-3, 3)
        elif kind < 0.6:
            x = rng.uniform(0, 40)
        elif kind < 0.7:
            x = 1 - 10 ** rng.uniform(-16, 0)
        else:
            x = 10 ** rng.uniform(-323, 308)
        return rng.choice((-1, 1)) * x

    fixed: Iterable[Point]
    if row.arity == 1:
        fixed = [(sign * x,) for x in _EDGES for sign in (1, -1)]
        zeros, steps = _ZEROS.get(row.name, ()), (4, 8, 12, 20, 30, 40, 52)
        fixed += [(x * (1 + sign * 2.0**-k),) for x in zeros for k in steps for sign in (1, -1)]
    elif row.name.startswith("pow"):
        fixed = [(x, s * y) for x in _BASES for y in _EXPONENTS for s in (1, -1)]
        fixed += [(0.0, y) for y in (1.0, 1.5, 2.0, 2.5, 3.0, 7.0)]
    else:
        sizes = (5e-324, 1e-320, 1e-310, 3e-309, 1e-300, 1e-160, 1e-9, 0.5, 1.0, 3.0, 1e10)
        sizes += (1e155, 1e300, 1.7e308)
        fixed = [(s * x, t * y) for x in sizes for y in sizes for s in (1, -1) for t in (1, -1)]
        fixed += [(1.0, 1 + 1e-9), (1.0, -1 + 1e-9), (0.0, 1.0), (1.0, 0.0), (0.0, -2.0)]
    if row.arity == 3:
        fixed = [(x, *pair) for x in (0.0, 1.0, -2.0) for pair in fixed]
    drawn = [tuple(number() for _ in row.operands) for _ in range(count)]
    if row.name.startswith("pow"):
        drawn = [(abs(x), y) for x, y in drawn]
        for _ in range(count):  # powers that are floats, with exponents of all sizes
            y = rng.choice((-1, 1)) * 10 ** rng.uniform(-6, 12)
            drawn.append((math.exp(rng.uniform(-740, 700) / y) if abs(y) > 1 else 0.7, y))
    return [point for point in [*fixed, *drawn] if is_inside(row, point)]


def is_inside(row: Operation, point: Point) -> bool:
    """Whether the row has derivatives at the point, by its domain and kinks."""
    if row.kink and not _holds(row.kink, row, point):
        return False
    if row.name == "pow" and point[0] == 0:
        return True
    if row.name in ("lgamma", "digamma", "digamma_above") and point[0] < -1e6:
        return False  # mpmath takes too long
    if row.name == "normal_tail":  # from t = 0.5 to infinity
        return -7 / 9 <= point[0] < 0.85
    return row.domain in ("", "0") or _holds(row.domain, row, point)


def _holds(text: str, row: Operation, point: Point) -> bool:
    return bool(fold(row.read(text), IEEE, dict(zip(row.operands, point, strict=True))))


# --------------------------------------------------------------------------------------- executors


def on_values(row: Operation, at: Sequence[Point]) -> Results:
    """Eager mode."""
    f = getattr(functions, row.name)
    found: Results = [[] for _ in quantities(row)]
    for point in at:
        operands = [Value(x) for x in point]
        out = f(*operands)
        slopes = derivative(out, operands)
        numbers = [out.data, *out._local_grads]
        for i, slope in enumerate(slopes):
            if isinstance(slope, Value):
                seconds = derivative(slope, operands)
                numbers += [float(getattr(x, "data", x)) for x in seconds[i:]]
            else:
                numbers += [0.0] * (len(operands) - i)
        for column, number in zip(found, numbers, strict=True):
            column.append(number)
    return found


def compiled_with(backend: str) -> Callable[[Operation, Sequence[Point]], Results]:
    """An executor that compiles the operation and its derivatives for a backend."""

    def run(row: Operation, at: Sequence[Point]) -> Results:
        f = getattr(functions, row.name)
        columns = [np.array(column) for column in zip(*at, strict=True)]
        options: Any = {"batched": True, "backend": backend}
        found = _in_groups(compile(_taking(row, f), **options), columns)
        for i in range(row.arity):
            slope = compile(_taking(row, grad(f, argnums=i)), **options)
            if row.partials[i] in ("0", "1", "-1"):
                found += [np.zeros(len(at))] * (row.arity - i)
                continue
            found += _in_groups(slope, columns)[1 + i :]
        return [np.asarray(each, dtype=float).tolist() for each in found]

    return run


def _in_groups(program: Any, columns: Sequence[Any]) -> list[Any]:
    """The values and the slopes at all points, a few points at a time.

    If a gradient in a batch is not finite, NumPy computes the whole batch again. So the points that
    turn out to be finite are computed once more without the others. All groups have one size,
    because JAX compiles a program for each size.
    """
    found = np.empty((1 + len(columns), len(columns[0])))

    def compute(chosen: Any) -> None:
        for start in range(0, len(chosen), GROUP):
            group = np.resize(chosen[start : start + GROUP], GROUP)
            values, slopes = program.value_and_grad(*(column[group] for column in columns))
            found[:, group] = [values, *(slopes if isinstance(slopes, tuple) else [slopes])]

    compute(np.arange(len(columns[0])))
    (finite,) = np.nonzero(np.isfinite(found).all(axis=0))
    compute(finite)
    return list(found)


def _taking(row: Operation, f: Callable[..., Any]) -> Callable[..., Any]:
    """The function with as many parameters as the row has operands."""
    if row.arity == 1:
        return lambda x: f(x)
    return (lambda x, y: f(x, y)) if row.arity == 2 else lambda x, y, z: f(x, y, z)


def executors() -> dict[str, Callable[[Operation, Sequence[Point]], Results]]:
    """The executors that are installed."""
    found: dict[str, Any] = {"values": on_values, "numpy": compiled_with("numpy")}
    for backend, needed in {"numba": "llvmlite", "jax": "jax"}.items():
        if find_spec(needed):
            found[backend] = compiled_with(backend)
    return found


def run(executor: str, row: Operation, at: Sequence[Point]) -> Results:
    """What an executor computes at the points, without its warnings."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return executors()[executor](row, at)


# ------------------------------------------------------------------------------------------- errors


class Worst(NamedTuple):
    """The largest error of a quantity, as a multiple of its limit, and where it occurs."""

    error: float
    point: Point = ()
    got: float = 0.0
    true: float = 0.0

    def __str__(self) -> str:
        if not self.point:
            return "exact"
        at = ", ".join(map(repr, self.point))
        return f"{self.error:.2g} at ({at}): {self.got!r} for {self.true!r}"


def truths(row: Operation, at: Sequence[Point]) -> list[list[tuple[Any, Any]]]:
    """The true number and the size of its largest term, by quantity and by point."""
    exact = definition(row.name)
    wanted = (exact.value, *exact.first, *exact.second)
    with mp.workprec(BITS):
        return [
            [_truth(exact.sizes.get(i), f, [mpf(x) for x in point]) for point in at]
            for i, f in enumerate(wanted)
        ]


def _truth(size: Any, f: Any, point: Sequence[Any]) -> tuple[Any, Any]:
    true = f(*point)
    largest = abs(true if size is None else size(*point))
    with mp.workprec(160):
        return +true, +largest


def error(got: float, true: Any, size: Any) -> tuple[float, float]:
    """The error in units in the last place of `size`, and relative to `size`."""
    if mp.isnan(true):
        return (0.0, 0.0) if got != got else (math.inf, math.inf)
    unit = math.ulp(float(size)) if size < 1.7e308 else 2.0**971
    nearest = float(true)
    if math.isinf(got) or math.isinf(nearest):
        largest = mpf(2) ** 1024 - 8 * mpf(2) ** 971
        fits = (
            got == got and abs(true) >= largest and abs(got) > 1.7e308 and (got > 0) == (true > 0)
        )
        return (0.0, 0.0) if fits else (math.inf, math.inf)
    if got != got:
        return math.inf, math.inf
    distance = abs(mpf(got) - true)
    # A subnormal number does not have twelve digits, only its last places.
    return float(distance / unit), float(distance / max(size, mpf(TINY)))


def measure(
    row: Operation,
    executor: str,
    results: Results,
    at: Sequence[Point],
    exact: Sequence[Sequence[tuple[Any, Any]]],
) -> Iterator[tuple[str, Worst]]:
    """The worst point of each quantity, apart from exceptions."""
    for i, name in enumerate(quantities(row)):
        is_second = i > row.arity
        worst = Worst(0.0)
        for got, (true, size), point in zip(results[i], exact[i], at, strict=True):
            if excused(row, executor, name, point, float(true)):
                continue
            ulps, relative = error(got, true, size)
            found = relative / RELATIVE if is_second else ulps / LIMIT
            if not found <= worst.error < math.inf:
                worst = Worst(found, point, got, float(true))
        yield name, worst


def excused(row: Operation, executor: str, quantity: str, point: Point, true: float) -> bool:
    """Whether an exception explains an inaccurate number at this point."""
    return any(
        applies(point, true)
        for (name, backend, what), (_, applies) in EXCEPTIONS.items()
        if name in ("*", row.name) and backend in ("*", executor) and what in ("*", quantity)
    )


def report(
    names: Iterable[str], count: int, seed: int = 0, only: Sequence[str] = ()
) -> Mapping[tuple[str, str, str], Worst]:
    """The worst points by row, executor and quantity."""
    found: dict[tuple[str, str, str], Worst] = {}
    for name in names:
        row = TABLE[name]
        at = points(row, count, seed)
        exact = truths(row, at)
        for executor in only or executors():
            for quantity, worst in measure(row, executor, run(executor, row, at), at, exact):
                found[name, executor, quantity] = worst
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="rows of the table (default: all)")
    parser.add_argument(
        "--points", type=int, default=100, help="random points for each row (default 100)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--executors", nargs="*", default=())
    parser.add_argument("--bad", action="store_true", help="print only errors beyond the limits")
    options = parser.parse_args()
    for (name, executor, quantity), (reason, _) in EXCEPTIONS.items():
        print(f"not counted: {name}, {quantity} by {executor}: {reason}")
    for name in options.names or TABLE:
        found = report([name], options.points, options.seed, options.executors)
        for (row, executor, quantity), worst in found.items():
            if worst.error > 1 or not options.bad:
                scale = f"{RELATIVE:g}" if "²" in quantity else f"{LIMIT} ulp"
                print(f"{row:11} {executor:7} {quantity:7} (of {scale:5}) {worst}", flush=True)


if __name__ == "__main__":
    main()

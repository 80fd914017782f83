"""Time every operation of the table in machine code against JAX's function.

    python benchmarks/elementary.py            # some minutes; NAME … for single rows

For each row that has a counterpart in JAX, prints the nanoseconds per element of both engines and
their ratio, for the value and for the value with its gradient, in both precisions. Both engines run
on one thread of one core and take turns, and the shortest processor time counts. Results are
compared before anything is timed.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmarks.one_thread import limit

    limit()

import numpy as np

from benchmarks.accuracy import is_inside
from benchmarks.timing import difference, keep_freed_memory
from micrograd import compile  # noqa: A004
from micrograd.engine import functions
from micrograd.ops import ROWS, TABLE, Operation

SKIPPED = {"where", "detach", "lt", "le", "gt", "ge", "eq", "ne", "polygamma"}
"""Rows whose cost is that of reading and writing, or that have no function of numbers in JAX."""

POWERS = {f"x ** {n}": n for n in (2, 3, 4, -2, 0.5, 2.5)}
"""Powers with a constant exponent."""

NAMES = [*(row.name for row in ROWS if row.name not in SKIPPED), *POWERS]


def peers() -> dict[str, Callable[..., Any]]:
    """JAX's functions by the names of the rows."""
    import jax
    import jax.numpy as jnp
    from jax.scipy import special

    found: dict[str, Any] = {
        "div": jnp.divide,
        "mul": jnp.multiply,
        "sub": jnp.subtract,
        "neg": jnp.negative,
        "mod": jnp.mod,
        "floordiv": jnp.floor_divide,
        "floor": jnp.floor,
        "atan2": jnp.arctan2,
        "clip": jnp.clip,
        "gelu": partial(jax.nn.gelu, approximate=False),
        "lgamma": special.gammaln,
        "rsqrt": jax.lax.rsqrt,
        "step": lambda x: jnp.heaviside(x, 0.0),
        "ndtr": special.ndtr,
        "softsign": jax.nn.soft_sign,
        "log_sigmoid": jax.nn.log_sigmoid,
        "reciprocal": lambda x: 1.0 / x,
    }
    for name in NAMES:
        for place in (jnp, jax.nn, special, jax.lax):
            if name not in found and hasattr(place, name):
                found[name] = getattr(place, name)
    return found | {name: partial(_power, exponent=n) for name, n in POWERS.items()}


def _power(x: Any, exponent: float) -> Any:
    return x**exponent


def ours(name: str) -> tuple[Operation, Callable[..., Any]]:
    """The row and the function to compile, which takes as many parameters as the row."""
    if name in POWERS:
        exponent = POWERS[name]
        return TABLE["square" if exponent == int(exponent) else "sqrt"], lambda x: x**exponent
    row, f = TABLE[name], getattr(functions, name)
    if row.arity == 1:
        return row, lambda x: f(x)
    return row, (lambda x, y: f(x, y)) if row.arity == 2 else (lambda x, y, z: f(x, y, z))


def arguments(row: Operation, count: int, kind: Any) -> list[Any]:
    """Numbers of ordinary size in the domain of the row."""
    generator = np.random.default_rng(0)
    drawn: list[Any] = []
    while len(drawn) < 1_000:
        point = tuple(generator.normal(0, 2, row.arity).round(6).tolist())
        if is_inside(row, point):
            drawn.append(point)
    chosen = generator.integers(0, len(drawn), count)
    return [np.array(column)[chosen].astype(kind) for column in zip(*drawn, strict=True)]


def least(runs: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """The shortest processor time of each function, in seconds; the functions take turns."""
    found = [math.inf] * len(runs)
    for _ in range(rounds):
        for i, run in enumerate(runs):
            start = process_time()
            run()
            found[i] = min(found[i], process_time() - start)
    return found


def measure(name: str, count: int, rounds: int) -> dict[tuple[str, str], tuple[float, float]]:
    """Nanoseconds per element for this engine and for JAX, by precision and by what is computed."""
    import jax

    row, f = ours(name)
    g = peers()[name]
    places = tuple(range(row.arity))
    value = jax.jit(jax.vmap(g))
    slope = jax.jit(jax.vmap(jax.value_and_grad(g, argnums=places)))
    found = {}
    for kind in ("float64", "float32"):
        columns = arguments(row, count, kind)
        devices = [jax.numpy.asarray(each) for each in columns]
        program = compile(f, batched=True, backend="numba", dtype=kind)
        pairs = {
            "value": (partial(program, *columns), partial(value, *devices)),
            "gradient": (partial(program.value_and_grad, *columns), partial(slope, *devices)),
        }
        for what, (mine, theirs) in pairs.items():
            near = 1e-9 if kind == "float64" else 1e-3
            for a, b in zip(_flat(mine()), _flat(theirs()), strict=True):
                if not np.allclose(a, b, rtol=near, atol=near):
                    print(f"{name}, {what} in {kind}: the difference is {difference(a, b):.0e}")
            times = least((mine, partial(_finished, theirs)), rounds)
            found[kind, what] = (times[0] / count * 1e9, times[1] / count * 1e9)
    return found


def _finished(run: Callable[[], Any]) -> Any:
    import jax

    return jax.block_until_ready(run())


def _flat(results: Any) -> list[Any]:
    if isinstance(results, tuple | list):
        return [each for part in results for each in _flat(part)]
    return [np.asarray(results)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="rows of the table (default: all)")
    parser.add_argument("--count", type=int, default=100_000, help="elements (default 100,000)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="few elements, three rounds")
    options = parser.parse_args()
    count, rounds = (1_000, 3) if options.quick else (options.count, options.rounds)
    known = peers()
    keep_freed_memory()
    print(f"{'ns per element':14}" + 2 * f"{'value':>11}{'and gradient':>18}".rjust(36))
    ratios: dict[tuple[str, str], list[float]] = {}
    for name in options.names or [each for each in NAMES if each in known]:
        line = f"{name:14}"
        for key, (mine, theirs) in measure(name, count, rounds).items():
            line += f"{mine:7.2f}/{theirs:6.2f} {mine / theirs:4.2f}"
            ratios.setdefault(key, []).append(mine / theirs)
        print(line, flush=True)
    for (kind, what), each in ratios.items():
        mean = math.exp(sum(map(math.log, each)) / len(each))
        slower = sum(ratio > 1 for ratio in each)
        print(f"{kind} {what:9} mean {mean:.2f}, {slower} of {len(each)} slower than JAX")


if __name__ == "__main__":
    main()

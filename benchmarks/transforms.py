"""Time `grad`, `jvp`, `hvp` and `hessian` against HIPS autograd, on functions of scalars.

python benchmarks/transforms.py [--rounds N]

Runs on one thread, both engines in turn, and prints medians and minima in milliseconds. The source
of the function is the same for both. HIPS autograd is skipped if it is not installed (`pip install
autograd`).
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import micrograd

SIZE = 20


def rosenbrock(x: Any) -> Any:
    """The banana-shaped valley, in SIZE dimensions."""
    terms = (
        100 * (x[i + 1] - x[i] * x[i]) ** 2 + (1 - x[i]) * (1 - x[i]) for i in range(len(x) - 1)
    )
    return sum(terms)


def ours() -> dict[str, Callable[[], Any]]:
    """The four transforms of the function at one point."""
    x = [0.1 * i for i in range(SIZE)]
    v = [1.0] * SIZE
    return {
        "grad": lambda: micrograd.grad(rosenbrock)(x),
        "jvp": lambda: micrograd.jvp(rosenbrock, (x,), (v,))[1],
        "hvp": lambda: micrograd.hvp(rosenbrock, x, v),
        "hessian": lambda: micrograd.hessian(rosenbrock)(x),
    }


def hips() -> dict[str, Callable[[], Any]]:
    """The same with HIPS autograd; ImportError if it is not installed."""
    import autograd
    import numpy as np

    x = np.array([0.1 * i for i in range(SIZE)])
    v = np.ones(SIZE)
    return {
        "grad": lambda: autograd.grad(rosenbrock)(x),
        "jvp": lambda: autograd.make_jvp(rosenbrock)(x)(v)[1],
        "hvp": lambda: autograd.hessian_vector_product(rosenbrock)(x, v),
        "hessian": lambda: autograd.hessian(rosenbrock)(x),
    }


def milliseconds(call: Callable[[], Any]) -> float:
    """The time of one call, after collecting earlier garbage."""
    gc.collect()
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def main() -> None:
    """Time everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds

    engines = {"this engine": ours()}
    try:
        engines["HIPS autograd"] = hips()
    except ImportError:
        print("HIPS autograd is not installed, skipped: pip install autograd")
    compare(engines)
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, transforms in engines.items():
            for transform, call in transforms.items():
                times.setdefault((transform, name), []).append(milliseconds(call))
    print(f"Rosenbrock's function of {SIZE} scalars, ms: median (minimum) of {rounds}")
    for (transform, name), found in times.items():
        ratio = statistics.median(found) / statistics.median(times[transform, "this engine"])
        median, least = statistics.median(found), min(found)
        print(f"  {transform:<8} {name:<14} {median:9.3f} ({least:.3f})  ratio {ratio:6.2f}")


def compare(engines: dict[str, dict[str, Callable[[], Any]]]) -> None:
    """Raise SystemExit unless all engines give the same numbers, up to rounding."""
    import numpy as np

    first, *others = engines.values()
    for transform, call in first.items():
        for other in others:
            if not np.allclose(call(), other[transform](), rtol=1e-12, atol=1e-12):
                raise SystemExit(f"{transform} differs between {' and '.join(engines)}")


if __name__ == "__main__":
    main()

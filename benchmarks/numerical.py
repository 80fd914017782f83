"""Numerical derivatives against numdifftools: `python benchmarks/numerical.py [--quick]`.

Both differentiate the functions of numdifftools' own tests, and the functions of several variables
from its documentation, in one process. For each task and each library: the largest error and the
largest estimated error, relative to the largest derivative, the calls of the function, and the
processor time. Without numdifftools (`pip install numdifftools`) its columns stay empty.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from micrograd.testing import numerical_gradient, numerical_hessian, numerical_jacobian

try:
    import numdifftools
except ImportError:
    numdifftools = None

POINTS = (0.1, 0.5, 0.9)

FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "cos": (np.cos, lambda x: -np.sin(x)),
    "sin": (np.sin, np.cos),
    "tan": (np.tan, lambda x: 1 / np.cos(x) ** 2),
    "cosh": (np.cosh, np.sinh),
    "sinh": (np.sinh, np.cosh),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "arcsinh": (np.arcsinh, lambda x: 1 / np.sqrt(1 + x * x)),
    "exp": (np.exp, np.exp),
    "expm1": (np.expm1, np.exp),
    "exp2": (np.exp2, lambda x: np.log(2) * np.exp2(x)),
    "square": (np.square, lambda x: 2 * x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "log": (np.log, lambda x: 1 / x),
    "log1p": (np.log1p, lambda x: 1 / (1 + x)),
    "log10": (np.log10, lambda x: 1 / (np.log(10) * x)),
    "log2": (np.log2, lambda x: 1 / (np.log(2) * x)),
    "arccos": (np.arccos, lambda x: -1 / np.sqrt(1 - x * x)),
    "arcsin": (np.arcsin, lambda x: 1 / np.sqrt(1 - x * x)),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x)),
}
"""The functions of `numdifftools.example_functions` with their derivatives."""


class Task(NamedTuple):
    """Something to differentiate, and the true derivatives."""

    name: str
    kind: str
    f: Callable[..., Any]
    x: Any
    true: Any


def rosenbrock(x: np.ndarray) -> Any:
    """The function, in any number of variables."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def _rosenbrock_hessian(x: np.ndarray) -> np.ndarray:
    made = np.zeros((len(x), len(x)))
    for i in range(len(x) - 1):
        made[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        made[i, i + 1] = made[i + 1, i] = -400 * x[i]
        made[i + 1, i + 1] += 200
    return made


def _rosenbrock_gradient(x: np.ndarray) -> np.ndarray:
    made = np.zeros(len(x))
    made[:-1] += -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    made[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return made


def tasks() -> Iterator[Task]:
    """All tasks."""
    for name, (f, df) in FUNCTIONS.items():
        for x in POINTS:
            yield Task(name, "derivative", f, x, df(x))
    x = np.linspace(-1.2, 1.3, 10)
    yield Task("Rosenbrock, 10", "gradient", rosenbrock, x, _rosenbrock_gradient(x))
    data = np.linspace(0, 1, 10)
    c, e = np.array([1.0, 2.0, 0.75]), np.exp(0.75 * data)
    residuals = np.stack([np.ones(10), e, 2 * data * e], axis=1)
    yield Task(
        "exponential fit", "jacobian", lambda c: c[0] + c[1] * np.exp(c[2] * data), c, residuals
    )
    true = np.array([[-1.0, 1], [1, -1]])
    yield Task("cos(x - y)", "hessian", lambda x: np.cos(x[0] - x[1]), np.zeros(2), true)
    yield Task("Rosenbrock, 5", "hessian", rosenbrock, x[:5], _rosenbrock_hessian(x[:5]))


OURS = {
    "derivative": numerical_gradient,
    "gradient": numerical_gradient,
    "jacobian": numerical_jacobian,
    "hessian": numerical_hessian,
}
PEERS = {
    "derivative": "Derivative",
    "gradient": "Gradient",
    "jacobian": "Jacobian",
    "hessian": "Hessian",
}


class Result(NamedTuple):
    """What one library makes of a task; errors are relative to the largest derivative."""

    error: float
    estimate: float
    calls: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.error:9.0e} {self.estimate:9.0e} {self.calls:6d} {self.seconds * 1e6:8.0f} µs"
        )


def by_us(task: Task) -> Callable[[Callable[..., Any]], tuple[Any, Any]]:
    """The functions of `micrograd.testing`."""
    return lambda f: OURS[task.kind](f, task.x)


def by_peer(task: Task) -> Callable[[Callable[..., Any]], tuple[Any, Any]]:
    """The same with numdifftools."""
    made = getattr(numdifftools, PEERS[task.kind])
    return lambda f: made(f, full_output=True)(task.x)[:2]


def measured(task: Task, run: Callable[[Callable[..., Any]], Any], rounds: int) -> Result:
    """The errors of one run, and the shortest of several times."""
    calls = 0

    def counted(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return task.f(x)

    value, error = run(counted)
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run(task.f)
        times.append(time.process_time() - start)
    size = float(np.max(np.abs(task.true)))
    apart = float(np.max(np.abs(np.reshape(value, np.shape(task.true)) - task.true)))
    return Result(apart / size, float(np.max(error)) / size, calls, min(times))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="time each task once")
    rounds = 1 if parser.parse_args().quick else 15
    warnings.simplefilter("ignore")  # of points outside a domain
    libraries = {"this library": by_us}
    if numdifftools is None:
        print("skipped numdifftools: it is not installed")
    else:
        libraries[f"numdifftools {numdifftools.__version__}"] = by_peer
    title = f"{'error':>9} {'estimate':>9} {'calls':>6} {'time':>11}"
    print(f"{'':28}" + "".join(f"{name:^38}   " for name in libraries))
    print(f"{'':28}" + "".join(f"{title}   " for _ in libraries))
    found: dict[str, list[Result]] = {name: [] for name in libraries}
    for task in tasks():
        results = [measured(task, made(task), rounds) for made in libraries.values()]
        at = f" at {task.x}" if task.kind == "derivative" else f", {task.kind}"
        print(f"{task.name + at:28}" + "   ".join(map(str, results)))
        if task.kind == "derivative":
            for name, result in zip(libraries, results, strict=True):
                found[name].append(result)
    print()
    for name, results in found.items():
        errors = [result.error for result in results]
        slow = median(result.seconds for result in results)
        honest = sum(result.error <= result.estimate + 2e-16 for result in results)
        print(
            f"{name}, {len(results)} derivatives: median error {median(errors):.0e}, largest"
            f" {max(errors):.0e}; within the estimate {honest}; median time {slow * 1e6:.0f} µs"
        )


if __name__ == "__main__":
    main()

"""Derivatives of what an iteration finds, by the implicit function theorem.

python -m examples.implicit

The position of a planet is the root of Kepler's equation E − e sin E = M, found by Newton's method,
and the solution of a linear system is found by a library. Neither is differentiated through: the
equation itself says how its solution changes, and `custom_derivative` takes it from there. The
claim is that first and second derivatives agree with those through all the operations of a solver,
and with differences.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrograd import cos, custom_derivative, grad, hessian, jacobian, mean, sin

from ._training import Result, report

MEAN_ANOMALY, ECCENTRICITY = 0.8, 0.6
STEP = 1e-5  # of the differences


def _kepler_slopes(args: tuple[Any, Any], E: Any, cotangent: Any) -> tuple[Any, Any]:
    """The root of F(E, M, e) = E − e sin E − M changes by −F_M / F_E and −F_e / F_E."""
    _, e = args
    share = cotangent / (1 - e * cos(E))
    return share, share * sin(E)


def _kepler(M: float, e: float) -> float:
    E, change = M, math.inf
    while abs(change) > 1e-15 * (1 + abs(E)):
        change = (E - e * math.sin(E) - M) / (1 - e * math.cos(E))
        E -= change
    return E


kepler = custom_derivative(_kepler, vjp=_kepler_slopes)


def kepler_unrolled(M: Any, e: Any) -> Any:
    """The same root by ten iterations on Values, which are all part of the graph."""
    E = M
    for _ in range(10):
        E = E - (E - e * sin(E) - M) / (1 - e * cos(E))
    return E


def _solve_slopes(args: tuple[Any, Any], x: Any, cotangent: Any) -> tuple[Any, Any]:
    """From A x = b: the adjoint of b solves the transposed system, and that of A follows."""
    adjoint = solve(args[0].T, cotangent)
    return -adjoint[:, None] * x, adjoint


solve = custom_derivative(np.linalg.solve, vjp=_solve_slopes)


def solve_unrolled(A: Any, b: Any) -> Any:
    """The same solution by Gaussian elimination on Values, without exchanging rows."""
    rows = [[*row, right] for row, right in zip(A, b, strict=True)]
    for i, pivot in enumerate(rows):
        for j, row in enumerate(rows):
            if j != i:
                factor = row[i] / pivot[i]
                rows[j] = [x - factor * y for x, y in zip(row, pivot, strict=True)]
    return np.array([row[-1] / row[i] for i, row in enumerate(rows)])


MATRIX = np.array([[4.0, 1.0, -0.5], [0.5, 3.0, 1.0], [-1.0, 0.5, 5.0]])
RIGHT = np.array([1.0, -2.0, 0.5])


def differences(f: Any, x: Any) -> Any:
    """The Jacobian of `f` at an array by central differences."""
    units = STEP * np.eye(x.size).reshape(x.size, *x.shape)
    columns = [(np.array(f(x + unit)) - np.array(f(x - unit))) / (2 * STEP) for unit in units]
    return np.moveaxis(np.array(columns), 0, -1).reshape(*columns[0].shape, *x.shape)


def run() -> Result:
    """Differentiate both solvers in three ways; the claim is that all agree."""
    at = np.array([MEAN_ANOMALY, ECCENTRICITY])

    def largest(x: Any, y: Any) -> float:
        return float(np.abs(np.array(x) - np.array(y)).max())

    def size_of_solution(solver: Any) -> Any:
        return lambda A: mean(solver(A, RIGHT) ** 2)

    def root(p: Any) -> Any:
        return kepler(*p)

    def root_unrolled(p: Any) -> Any:
        return kepler_unrolled(*p)

    slopes = grad(root)(at)
    by_A, by_A_unrolled = jacobian(solve)(MATRIX, RIGHT), jacobian(solve_unrolled)(MATRIX, RIGHT)
    second, second_unrolled = (
        hessian(size_of_solution(solver))(MATRIX) for solver in (solve, solve_unrolled)
    )
    numbers = {
        "root, through the iterations": largest(slopes, grad(root_unrolled)(at)),
        "root, second derivatives": largest(hessian(root)(at), hessian(root_unrolled)(at)),
        "root, differences": largest(slopes, differences(root, at)),
        "solution, through the elimination": largest(by_A, by_A_unrolled),
        "solution, second derivatives": largest(second, second_unrolled),
        "solution, differences": largest(by_A, differences(lambda A: solve(A, RIGHT), MATRIX)),
    }
    lines = [
        f"E = {kepler(*at):.12f}, dE/dM = {slopes[0]:.12f}, dE/de = {slopes[1]:.12f}",
        f"x = {solve(MATRIX, RIGHT).round(6).tolist()}, {by_A.size} derivatives by A",
        *(f"{name:35}{number:8.0e}" for name, number in numbers.items()),
    ]
    holds = all(
        number <= (1e-8 if "differences" in name else 1e-12) for name, number in numbers.items()
    )
    return Result(numbers, lines, holds)


if __name__ == "__main__":
    raise SystemExit(report(run()))

"""Matrices of balls: floats with bounds of their rounding errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import mul

from micrograd import Value
from micrograd.engine.graph import number, operands, operation, order, partials
from micrograd.table.balls import ON_BALLS, Ball, on_balls
from micrograd.table.formulas import RESULT, Tree, variables

Sheet = list[list[Ball]]
"""The rows of a matrix."""


def sheet(numbers: Sequence[Sequence[float | Value]]) -> Sheet:
    """Return a matrix of exact numbers."""
    return [[Ball(x.data if isinstance(x, Value) else x) for x in row] for row in numbers]


def transposed(matrix: Sheet) -> Sheet:
    """Return the transpose."""
    return [list(column) for column in zip(*matrix, strict=True)]


def weighted(weights: Sheet, values: Sheet, biases: Sheet) -> Sheet:
    """Return the product of two matrices, plus the biases, if there are any, in every column."""
    columns = transposed(values)
    starts = biases or [[Ball(0.0)]] * len(weights)
    return [
        [_sum(first, map(mul, row, column)) for column in columns]
        for (first,), row in zip(starts, weights, strict=True)
    ]


def multiplied(left: Sheet, right: Sheet) -> Sheet:
    """Return the product of two matrices of the chain rule, where 0 times infinity is 0."""
    columns = transposed(right)
    return [[_sum(Ball(0.0), map(stopped, row, column)) for column in columns] for row in left]


def stopped(x: Ball, y: Ball) -> Ball:
    """Return the product, which is 0 for zero times infinity or nan, as in the chain rule."""
    if (x.mid == 0 and not math.isfinite(y.mid)) or (y.mid == 0 and not math.isfinite(x.mid)):
        return Ball(0.0)
    return x * y


def row_sums(matrix: Sheet) -> Sheet:
    """Return a column with the sum of each row."""
    return [[_sum(Ball(0.0), row)] for row in matrix]


def _sum(total: Ball, terms: Iterable[Ball]) -> Ball:
    for term in terms:
        total = total + term
    return total


def entries(tree: Tree, matrices: Mapping[str, Sheet]) -> Sheet:
    """Evaluate a formula entry by entry; a matrix of one entry counts as a number."""
    used = {name: matrix for name, matrix in matrices.items() if name in variables(tree)}
    shape = next(matrix for matrix in matrices.values())
    return [
        [
            on_balls(tree, {name: matrix[i][j] for name, matrix in used.items()})
            for j in range(len(shape[0]))
        ]
        for i in range(len(shape))
    ]


def gradient_bounds(roots: Mapping[Value, Ball], wrt: Sequence[Value]) -> list[float]:
    """Bound the rounding errors of the gradients that `backward()` gives.

    Args:
        roots: where the sweep begins, with the adjoints there.
        wrt: the values whose gradients are meant.
    """
    nodes: list[Value] = order(list(roots))
    values: dict[Value, Ball] = {}
    held: dict[Value, list[Ball]] = {}
    for node in nodes:
        values[node] = Ball(node.data)
        if row := operation(node):
            held[node] = [
                values[x] if isinstance(x, Value) else Ball(number(x)) for x in operands(node)
            ]
            values[node].rad = ON_BALLS[row.name](*held[node]).rad
    adjoints = dict.fromkeys(nodes, Ball(0.0)) | dict(roots)
    for node in reversed(nodes):
        row, adjoint = operation(node), adjoints[node]
        if row is None or not (adjoint.mid or adjoint.rad):
            continue
        here = dict(zip((*row.operands, RESULT), (*held[node], values[node]), strict=True))
        each = zip(operands(node), partials(node), row.slopes, strict=True)
        for operand, slope, formula in each:
            if isinstance(operand, Value) and slope is not None:
                partial = Ball(slope, on_balls(formula, here).rad)
                adjoints[operand] = adjoints[operand] + partial * adjoint
    return [adjoints[value].rad if value in adjoints else 0.0 for value in wrt]


def floats(matrix: Sheet) -> list[list[float]]:
    """Return the numbers of a matrix without their bounds."""
    return [[ball.mid for ball in row] for row in matrix]


def flattened(matrix: Sheet) -> list[Ball]:
    """Return the entries, row by row."""
    return [entry for row in matrix for entry in row]

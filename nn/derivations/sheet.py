"""Matrices of balls: floats with bounds of their rounding errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import mul

from micrograd import Value
from micrograd.engine.graph import number, operands, operation, order, partials
from micrograd.table.balls import ON_BALLS, Ball, on_balls, stopped, swept
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
    starts = biases or [[Ball(0.0)]] * len(weights)
    return [
        [sum(map(mul, row, column), first) for column in zip(*values, strict=True)]
        for (first,), row in zip(starts, weights, strict=True)
    ]


def multiplied(left: Sheet, right: Sheet) -> Sheet:
    """Return the product of two matrices of the chain rule, where 0 times infinity is 0."""
    columns = transposed(right)
    return [[sum(map(stopped, row, column), Ball(0.0)) for column in columns] for row in left]


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
        wrt: the values whose gradients are bounded.
    """
    nodes: list[Value] = order(list(roots))
    values: dict[Value, Ball] = {}
    for node in nodes:
        values[node] = found = Ball(node.data)
        if row := operation(node):
            found.rad = ON_BALLS[row.name](*_held(node, values)).rad
    adjoints = swept(roots, reversed(nodes), lambda node: _partials(node, values)).adjoints
    return [adjoints[value].rad if value in adjoints else 0.0 for value in wrt]


_ONE = Ball(1.0)


def _held(node: Value, values: Mapping[Value, Ball]) -> list[Ball]:
    return [values[x] if isinstance(x, Value) else Ball(number(x)) for x in operands(node)]


def _partials(node: Value, values: Mapping[Value, Ball]) -> Iterator[tuple[Value, Ball]]:
    """The operands of a node and the local partials. Those of sums and products are at hand."""
    here: dict[str, Ball] = {}
    if (row := operation(node)) is None:
        return
    each = zip(operands(node), partials(node), row.slopes, strict=True)
    for operand, slope, formula in each:
        if not isinstance(operand, Value) or slope is None:
            continue
        if formula == 1.0:
            yield operand, _ONE
            continue
        if not here:
            here = dict(zip(row.operands, _held(node, values), strict=True))
            here[RESULT] = values[node]
        rad = here[formula].rad if isinstance(formula, str) else on_balls(formula, here).rad
        yield operand, Ball(slope, rad)


def floats(matrix: Sheet) -> list[list[float]]:
    """Return the numbers of a matrix without their bounds."""
    return [[ball.mid for ball in row] for row in matrix]

"""Numeric differentiation with an error bound, and what the table claims at a point.

A point is a tuple of multiples of 2**-16 of at most 4 and the steps are powers of two, so `x + h`
is exact. With D(h) the central difference, D(h) - D(h/2) is 3/4 of the h² term of D(h)'s error. D
at h = STEP/2 is off by at most |D(STEP) - D(STEP/2)| + |D(STEP/2) - D(STEP/4)| (the second term
covers the points where the h² and h⁴ terms cancel in the first), plus the rounding of the two
function values, each good to ULPS units in the last place of the largest intermediate number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from micrograd.engine import Value
from micrograd.engine.definitions import VOCABULARY as VALUES
from micrograd.ops import Operation
from micrograd.table.formulas import COMPARISONS, Call, Tree, fold

EPSILON = 2.0**-52
ULPS = 16
STEP = 2.0**-10
MARGIN = 32 * STEP  # distance to the border of the domain and to a kink

Point = tuple[float, ...]


def moved(point: Point, index: int, by: float) -> Point:
    return (*point[:index], point[index] + by, *point[index + 1 :])


def difference(f: Callable[..., float], point: Point, index: int) -> tuple[float, float]:
    """The derivative of f with respect to one argument, and a bound of the error."""
    slopes, largest = [], 1.0
    for h in (STEP, STEP / 2, STEP / 4):
        above, below = f(*moved(point, index, h)), f(*moved(point, index, -h))
        slopes.append((above - below) / (2 * h))
        largest = max(largest, abs(above), abs(below))
    rounding = ULPS * EPSILON * largest / (STEP / 4)
    return slopes[1], abs(slopes[0] - slopes[1]) + abs(slopes[1] - slopes[2]) + rounding


def at(row: Operation, expression: Tree, point: Point) -> float:
    """A formula in the row's operands at a point."""
    return float(fold(expression, VALUES, dict(zip(row.operands, point, strict=True))))


def is_smooth(row: Operation, point: Point) -> bool:
    """Whether a point is in the row's domain, MARGIN away from its border and from a kink."""
    for text in filter(None, (row.domain, row.kink and f"abs({row.kink}) > 0")):
        condition = row.read(text)
        if not at(row, condition, point):
            return False
        assert isinstance(condition, Call)
        assert condition.name in COMPARISONS
        if abs(at(row, Call("sub", condition.operands), point)) < MARGIN:
            return False
    return True


def slope(row: Operation, index: int, point: Sequence[float]) -> float:
    """The local partial that the row gives at a point."""
    return row.evaluate(*point)[1][index] or 0.0


def first_disagreement(row: Operation, point: Point) -> str:
    """What is wrong with the row's partials at a point; "" if nothing is."""
    for index, name in enumerate(row.operands):
        got = slope(row, index, point)
        expected, bound = difference(row.value, point, index)
        if not abs(got - expected) <= bound:
            return f"d {row.name}/d{name} at {point}: table {got}, numeric {expected} ± {bound}"
    return ""


def second_disagreement(row: Operation, point: Point) -> str:
    """What is wrong with the derivatives of the row's partials, read as formulas on Values."""
    for index, name in enumerate(row.operands):
        operands = [Value(x) for x in point]
        out = functions_of(row)(*operands)
        names = dict(zip((*row.operands, "out"), (*operands, out), strict=True))
        partial = fold(row.slopes[index], VALUES, names)
        if isinstance(partial, Value):
            partial.backward()
        for second, operand in enumerate(operands):
            expected, bound = difference(lambda *p, i=index: slope(row, i, p), point, second)
            if not abs(operand.grad - expected) <= bound:
                return (
                    f"d² {row.name}/d{name}d{row.operands[second]} at {point}: "
                    f"table {operand.grad}, numeric {expected} ± {bound}"
                )
    return ""


def functions_of(row: Operation) -> Callable[..., Value]:
    function: Callable[..., Value] = VALUES[row.name]
    return function

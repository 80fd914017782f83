"""Evidence for derived formulas: a graph evaluated with bounds of its rounding errors.

A formula that was simplified is written down only if it equals the engine's derivative at the
numbers of the graph and at points near them. The bounds come from `micrograd.table.balls`; at the
points near, the graph is evaluated again, row by row of the table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from micrograd.derivation.chain import edges
from micrograd.derivation.definitions import Definition, Definitions
from micrograd.engine.graph import backward_step, is_alias, is_leaf, operands, operation, order
from micrograd.engine.value import Value
from micrograd.table.balls import Ball, Sweep, constant, on_balls, swept
from micrograd.table.formulas import RESULT, Tree, variables

_POINTS = 3  # near the numbers of the graph
_DISTANCE = 0.1  # of these points, in proportion to the numbers
_OFFSET = 0.01  # and of zeros
_GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples are spread evenly


class Point(NamedTuple):
    """The values of a graph at some numbers, and the local partials of each value."""

    values: dict[Value, Ball]
    slopes: dict[Value, list[tuple[Value, Ball]]]


class Evidence:
    """The graph of some definitions at its numbers and at points near them.

    Args:
        cut: the definitions.
        nodes: all values of the graph in topological order.
    """

    def __init__(self, cut: Definitions, nodes: Sequence[Value]) -> None:
        self.cut, self.nodes = cut, nodes
        self._inside: dict[str, list[Value]] = {}
        self._swept: dict[tuple[int, Value, int], Sweep] = {}

    @cached_property
    def points(self) -> list[Point]:
        """The numbers of the graph, then points near them if every operation has a formula."""
        leaves = [node for node in self.nodes if is_leaf(node)]
        found = [self._point({})]
        if all(is_leaf(n) or is_alias(n) or operation(n) for n in self.nodes) and not any(
            map(backward_step, self.nodes)
        ):
            for i in range(_POINTS):
                moved = {
                    leaf: _near(leaf.data, i * len(leaves) + j) for j, leaf in enumerate(leaves)
                }
                found.append(self._point(moved))
        return found

    def _point(self, moved: Mapping[Value, float]) -> Point:
        values: dict[Value, Ball] = {}
        slopes: dict[Value, list[tuple[Value, Ball]]] = {}
        for node in self.nodes:
            if is_leaf(node):
                values[node] = Ball(moved.get(node, node.data))
                continue
            held = [*operands(node)]
            balls = [values[x] if isinstance(x, Value) else constant(x) for x in held]
            row = operation(node)
            here: dict[str, Ball] = {}
            if is_alias(node):
                values[node] = balls[0]
            elif row is None:
                values[node] = Ball(node.data)
            else:
                here = dict(zip(row.operands, balls, strict=True))
                values[node] = here[RESULT] = on_balls(row.expression, here)
            if row is None or backward_step(node) is not None:
                slopes[node] = [(edge.operand, Ball(edge.slope or 0.0)) for edge in edges(node)]
            else:
                slopes[node] = [
                    (operand, on_balls(slope, here))
                    for operand, slope in zip(held, row.slopes, strict=True)
                    if isinstance(operand, Value)
                ]
        return Point(values, slopes)

    def agrees(
        self,
        tree: Tree,
        conditions: Iterable[Tree],
        root: Value,
        wrt: Value,
        inside: Sequence[Value],
        known: float | None = None,
    ) -> bool:
        """Whether a formula equals the derivative of `root` with respect to `wrt`.

        Args:
            tree: the formula, of named values.
            conditions: what must hold at a point for the formula to be the derivative there.
            root: the value that is differentiated.
            wrt: what it is differentiated with respect to.
            inside: the values below `root` through which derivatives flow, in topological order.
            known: the derivative at the numbers of the graph, if it is known.
        """
        conditions = list(conditions)
        used = variables(tree).union(*map(variables, conditions))
        below = {key: self.cut.value(key) for key in used}
        confirmed = 0
        for number, point in enumerate(self.points):
            names = {key: point.values[value] for key, value in below.items()}
            if not all(on_balls(each, names).mid for each in conditions):
                continue
            right, scale = self._derivative(number, root, wrt, inside)
            if number == 0 and known is not None:
                right = Ball(known, right.rad)
            verdict = _same(on_balls(tree, names), right, scale)
            if verdict is False:
                return False
            confirmed += verdict is True
        return confirmed > 0

    def _derivative(
        self, number: int, root: Value, wrt: Value, inside: Sequence[Value]
    ) -> tuple[Ball, float]:
        """The derivative by the chain rule, and the sum of the sizes of all paths.

        One sweep gives the derivatives with respect to all values below the root. Values that the
        definitions take for one move together.
        """
        key = number, root, len(inside)  # these are all values below the root, or those of its step
        if key not in self._swept:
            slopes, same = self.points[number].slopes, self.cut.same
            self._swept[key] = swept(
                {root: Ball(1.0)},
                reversed(inside),
                lambda node: ((same.get(x, x), slope) for x, slope in slopes.get(node, ())),
            )
        adjoints, sizes = self._swept[key]
        return adjoints.get(wrt, Ball(0.0)), sizes.get(wrt, 0.0)

    def inside(self, definition: Definition) -> list[Value]:
        """The values that were written into a definition, and its own."""
        found = self._inside.get(definition.key)
        if found is None:
            found = order(definition.value, until=definition.operands.values())
            self._inside[definition.key] = found
        return found


def _near(x: float, number: int) -> float:
    """A number near x, different for each number."""
    spread = 2 * math.modf(_GOLDEN * (number + 1))[0] - 1
    return x + spread * (_DISTANCE * abs(x) + _OFFSET)


def _same(left: Ball, right: Ball, scale: float) -> bool | None:
    """Whether two numbers may be equal; None if the bounds are too wide to tell."""
    if not (math.isfinite(left.mid) and math.isfinite(right.mid)):
        return None if repr(left.mid) == repr(right.mid) else False
    bound = left.rad + right.rad
    if not math.isfinite(bound):
        return None
    if abs(left.mid - right.mid) > bound:
        return False
    return True if bound <= 1e-3 * max(scale, abs(right.mid)) else None

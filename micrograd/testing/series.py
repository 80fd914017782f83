"""The witness `series`: derivatives of order 2 and higher, from Taylor series of the function.

The engine finds them by differentiating its own derivative. A series knows nothing of that: it runs
through the graph of the function itself. If c_m(v) is its coefficient of order m in the direction
v, the derivative along u_1, …, u_m is a sum over all their subsets S, by polarization:

    Σ_S (-1)^(m - |S|) · c_m(Σ_{u in S} u)

Coefficients are computed with bounds of their rounding errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from operator import attrgetter
from typing import Any

from micrograd.table.balls import EXACT, Ball
from micrograd.testing.arithmetic import NotApplicable
from micrograd.testing.differences import Estimate
from micrograd.testing.recording import Direction, Recording
from micrograd.testing.rounding import balls
from micrograd.testing.witnesses import Witness
from micrograd.transforms.power_series import Numbers, coefficients

_FLOATS = balls()
_BALLS = Numbers(
    _FLOATS.number,
    attrgetter("mid"),
    lambda row, operands: _FLOATS.function(row)(*operands),
    EXACT["div"],
)


class Series(Witness):
    """The Taylor series of the function whose derivative is checked."""

    name = "series"

    @cached_property
    def _function(self) -> tuple[Recording, dict[Any, Ball]]:
        """The graph of the function that is differentiated again and again, and what is known."""
        subject, point = self.subject.origin, tuple(self.subject.point)
        if point not in subject.series:
            subject.series[point] = (subject.record(point), {})
        return subject.series[point]

    def along(self, direction: Direction) -> Estimate:
        """The derivative in a direction, unless an operation has a kink or no formula."""
        directions, scale = [], 0
        for each in (*self.subject.directions, direction):
            _, size = math.frexp(max(map(abs, each.values())))
            directions.append({index: math.ldexp(step, -size) for index, step in each.items()})
            scale += size
        order, first = len(directions), directions[0]
        if all(each == first for each in directions):
            found = math.factorial(order) * self._coefficient([first], order)
        else:
            found = self._polarized(directions)
        if not math.isfinite(found.mid):
            raise NotApplicable("a coefficient that is not finite")
        return Estimate(math.ldexp(found.mid, scale), math.ldexp(found.rad, scale))

    def _polarized(self, directions: Sequence[Direction]) -> Ball:
        order, total = len(directions), Ball(0.0)
        for size in range(1, order + 1):
            for subset in combinations(directions, size):
                term = self._coefficient(subset, order)
                total = total - term if (order - size) % 2 else total + term
        return total

    def _coefficient(self, directions: Sequence[Direction], order: int) -> Ball:
        """The coefficient of the highest order in the direction of a sum."""
        steps: dict[int, float] = {}
        for each in directions:
            for index, step in each.items():
                steps[index] = steps.get(index, 0.0) + step
        graph, known = self._function
        key = (order, *sorted(steps.items()))
        if key not in known:
            slopes = {graph.inputs[index]: step for index, step in steps.items()}
            root = 0.0 if graph.root is None else graph.root
            ((*_, known[key]),) = coefficients([root], slopes, order, _BALLS)
        return known[key]

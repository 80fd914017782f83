"""Bounds of rounding errors, from which every verdict of the checker is derived.

A `Ball` is a float with a radius. Arithmetic widens the radius by half a unit in the last place and
by what the operands' radii can do (Higham, Accuracy and Stability of Numerical Algorithms, ch. 3);
a function of the library by four units and by its largest change at the ends of its operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from micrograd.table.interpreters import IEEE
from micrograd.testing.arithmetic import Arithmetic
from micrograd.testing.recording import RecordedNode, Recording

HALF_ULP = 2.0**-53
LIBRARY = 8 * HALF_ULP  # the accuracy asked of exp, sin, … of the platform
LEAST = 5e-324


class Ball:
    """A float, and a radius within which the exact result lies."""

    __slots__ = ("mid", "rad")

    def __init__(self, mid: float, rad: float = 0.0) -> None:
        self.mid = mid
        self.rad = math.inf if rad != rad or mid != mid else rad

    def __repr__(self) -> str:
        return f"{self.mid!r} ± {self.rad:.1e}"

    def __add__(self, other: Ball) -> Ball:
        return _sum(self.mid, other.mid, self.rad + other.rad)

    def __sub__(self, other: Ball) -> Ball:
        return _sum(self.mid, -other.mid, self.rad + other.rad)

    def __mul__(self, other: Ball) -> Ball:
        mid = self.mid * other.mid
        if math.isinf(mid):
            return Ball(mid)
        rad = abs(self.mid) * other.rad + (abs(other.mid) + other.rad) * self.rad
        if self.mid in _HARMLESS or other.mid in _HARMLESS:
            return Ball(mid, rad)
        return _rounded(mid, rad)

    def __rmul__(self, number: float) -> Ball:
        return Ball(number) * self

    def __truediv__(self, number: float) -> Ball:
        return divided(self, Ball(number))

    def __bool__(self) -> bool:
        return bool(self.mid or self.rad)

    def __neg__(self) -> Ball:
        return Ball(-self.mid, self.rad)

    def __pos__(self) -> Ball:
        return self


_HARMLESS = (0.0, 1.0, -1.0)  # products with these are exact


def _sum(x: float, y: float, rad: float) -> Ball:
    """With the error that this very addition makes (Knuth's TwoSum)."""
    mid = x + y
    if math.isinf(mid):
        return Ball(mid, rad)
    part = mid - x
    return Ball(mid, rad + abs((x - (mid - part)) + (y - part)))


def _rounded(mid: float, rad: float) -> Ball:
    """With the error of rounding; what overflows is infinite, whatever it was."""
    return Ball(mid, rad if math.isinf(mid) else rad + HALF_ULP * abs(mid) + LEAST)


def divided(x: Ball, y: Ball) -> Ball:
    """The quotient."""
    mid, margin = IEEE["div"](x.mid, y.mid), abs(y.mid) - y.rad
    if math.isinf(y.mid) and math.isfinite(x.mid):  # y is beyond the range of floats
        return Ball(mid, (abs(x.mid) + x.rad) * 2.0**-1023)
    return _rounded(mid, (x.rad + abs(mid) * y.rad) / margin if margin > 0 else math.inf)


def _library(function: Callable[..., float]) -> Callable[..., Ball]:
    def bounded(*operands: Ball) -> Ball:
        at = [x.mid for x in operands]
        mid = function(*at)
        rad = 0.0 if math.isinf(mid) else LIBRARY * abs(mid) + LEAST
        for index, x in enumerate(operands):
            if x.rad:
                # Wide enough that the ends differ from the middle as floats.
                width = max(x.rad, 4 * math.ulp(x.mid)) if math.isfinite(x.mid) else math.inf
                ends = (
                    function(*at[:index], x.mid + side * width, *at[index + 1 :])
                    for side in (1, -1)
                )
                rad += _largest(0.0 if end == mid else abs(end - mid) for end in ends)
        return Ball(mid, rad)

    return bounded


def _largest(numbers: Any) -> float:
    """The largest number; infinity if one of them is nan."""
    return max(math.inf if x != x else x for x in numbers)


_EXACT: dict[str, Any] = {
    "abs": lambda x: Ball(abs(x.mid), x.rad),
    "sign": lambda x: Ball(IEEE["sign"](x.mid)),
    "step": lambda x: Ball(IEEE["step"](x.mid)),
    "maximum": lambda x, y: Ball(IEEE["maximum"](x.mid, y.mid), max(x.rad, y.rad)),
    "minimum": lambda x, y: Ball(IEEE["minimum"](x.mid, y.mid), max(x.rad, y.rad)),
    "div": divided,
    "pow": _library(IEEE["pow"]),
}


def _constant(number: float) -> Ball:
    """A number written in a formula: rounded to a float there, unless it is whole."""
    number = float(number)
    return Ball(number, 0.0 if number.is_integer() else HALF_ULP * abs(number))


def balls() -> Arithmetic:
    """Floats with a bound of their rounding error."""
    return Arithmetic(
        "floats with bounds",
        _constant,
        attrgetter("mid"),
        _EXACT,
        lambda name: _library(IEEE[name]),
        has_functions=True,
    )


class Rounding:
    """How far rounding may have moved the value and the gradient of a recorded graph.

    Args:
        recording: the graph.
        arithmetic: that of `balls()`, which remembers the formulas that it has compiled.
    """

    def __init__(self, recording: Recording, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.nodes, self.places = recording.nodes, recording.places
        self.values: list[Ball] = []
        for node in self.nodes:
            self.values.append(self._value(node))
        self.value_error = self.values[-1].rad if self.values else 0.0
        # For each input, the sum over all paths of |product of slopes|.
        self.path_sizes: list[float] = []

    def _operands(self, node: RecordedNode) -> list[Ball]:
        return [Ball(x) if place is None else self.values[place] for place, x in node.operands]

    def _value(self, node: RecordedNode) -> Ball:
        if node.row is None or node.is_frozen:
            return Ball(node.value.data)
        operands = self._operands(node)
        if not node.is_by_hand:
            rad = self.arithmetic.function(node.row)(*operands).rad
        else:
            # What the code does inside is unknown: sixteen units, and what its slopes pass on.
            rad = LIBRARY * 2 * abs(node.value.data) + LEAST
            shares = zip(node.slopes, operands, strict=True)
            rad += sum(abs(slope or 0.0) * x.rad for slope, x in shares)
        return Ball(node.value.data, rad)

    def gradient_errors(self) -> list[float]:
        """A bound of the rounding in the derivative for each input; 0 for one not in the graph."""
        root = len(self.nodes) - 1
        adjoints: dict[int, Ball] = {root: Ball(1.0)}
        sizes: dict[int, float] = {root: 1.0}
        for index in range(root, -1, -1):
            adjoint = adjoints.get(index)
            if adjoint is None or (not adjoint.mid and not adjoint.rad):
                continue
            node = self.nodes[index]
            for (place, _), slope in zip(node.operands, self._slopes(node, index), strict=True):
                if place is not None and slope is not None:
                    share = slope * adjoint
                    sizes[place] = sizes.get(place, 0.0) + abs(slope.mid) * sizes[index]
                    adjoints[place] = adjoints[place] + share if place in adjoints else share
        zero = Ball(0.0)
        self.path_sizes = [sizes.get(-1 if p is None else p, 0.0) for p in self.places]
        return [0.0 if place is None else adjoints.get(place, zero).rad for place in self.places]

    def _slopes(self, node: RecordedNode, index: int) -> list[Ball | None]:
        slopes = node.slopes
        if node.is_by_hand:
            return [Ball(x, LIBRARY * 2 * abs(x)) if x else None for x in slopes]
        operands = self._operands(node)
        found: list[Ball | None] = []
        for number, (slope, (place, _)) in enumerate(zip(slopes, node.operands, strict=True)):
            if slope is None or place is None:
                found.append(None)
            else:
                partial = self.arithmetic.partial(node.row, number)
                found.append(Ball(slope, partial(*operands, self.values[index]).rad))
        return found

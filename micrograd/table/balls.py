"""Bounds of rounding errors: `Ball`, a float with a radius, and formulas evaluated on balls.

Arithmetic widens the radius by half a unit in the last place and by what the operands' radii can do
(Higham, Accuracy and Stability of Numerical Algorithms, ch. 3); a function of the library by four
units and by its largest change at the ends of its operands.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from micrograd.table.formulas import COMPARISONS, Tree, fold
from micrograd.table.interpreters import IEEE

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
        return _div(self, Ball(number))

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


def _div(x: Ball, y: Ball) -> Ball:
    mid, margin = IEEE["div"](x.mid, y.mid), abs(y.mid) - y.rad
    if math.isinf(y.mid) and math.isfinite(x.mid):  # y is beyond the range of floats
        return Ball(mid, (abs(x.mid) + x.rad) * 2.0**-1023)
    return _rounded(mid, (x.rad + abs(mid) * y.rad) / margin if margin > 0 else math.inf)


def library_function(function: Callable[..., float]) -> Callable[..., Ball]:
    """A function of floats, accurate to `LIBRARY`, as one of balls."""

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


EXACT: dict[str, Any] = {
    "abs": lambda x: Ball(abs(x.mid), x.rad),
    "sign": lambda x: Ball(IEEE["sign"](x.mid)),
    "step": lambda x: Ball(IEEE["step"](x.mid)),
    "maximum": lambda x, y: Ball(IEEE["maximum"](x.mid, y.mid), max(x.rad, y.rad)),
    "minimum": lambda x, y: Ball(IEEE["minimum"](x.mid, y.mid), max(x.rad, y.rad)),
    "div": _div,
    "pow": library_function(IEEE["pow"]),
}


def constant(number: float) -> Ball:
    """A number written in a formula: rounded to a float there, unless it is whole."""
    number = float(number)
    return Ball(number, 0.0 if number.is_integer() else HALF_ULP * abs(number))


class _Vocabulary(dict[str, Callable[..., Any]]):
    """What each operation means on balls. A choice takes the branch of the middle."""

    def __missing__(self, name: str) -> Callable[..., Ball]:
        # The function is looked up at each call, because users may replace their operations.
        function = self[name] = library_function(lambda *operands: IEEE[name](*operands))
        return function


def _comparing(name: str) -> Callable[[Ball, Ball], Ball]:
    compare = getattr(operator, name)
    return lambda x, y: Ball(float(compare(x.mid, y.mid)))


ON_BALLS: Mapping[str, Callable[..., Ball]] = _Vocabulary(
    {
        "add": operator.add,
        "sub": operator.sub,
        "mul": operator.mul,
        "neg": operator.neg,
        "square": lambda x: x * x,
        "detach": operator.pos,
        "where": lambda test, then, otherwise: then if test.mid else otherwise,
        **{name: _comparing(name) for name in COMPARISONS},
        **EXACT,
    }
)
"""What the operations mean on balls, by name."""


def on_balls(tree: Tree, variables: Mapping[str, Ball]) -> Ball:
    """Evaluate a formula on balls.

    >>> on_balls("x", {"x": Ball(1.0)})
    1.0 ± 0.0e+00
    """
    return fold(tree, ON_BALLS, variables, constant)


# ----------------------------------------------------------------------------------- the chain rule

Node = TypeVar("Node", bound=Hashable)


def stopped(x: Ball, y: Ball) -> Ball:
    """A product in the chain rule, where 0 stops a path: 0 times infinity or nan is 0."""
    stops = not (x and y) or not (
        (x.mid or math.isfinite(y.mid)) and (y.mid or math.isfinite(x.mid))
    )
    return Ball(0.0) if stops else x * y


class Sweep(NamedTuple):
    """The derivatives of a value with respect to others, and the sums of the sizes of all paths."""

    adjoints: dict[Any, Ball]
    sizes: dict[Any, float]


def swept(
    roots: Mapping[Node, Ball],
    nodes: Iterable[Node],
    flows: Callable[[Node], Iterable[tuple[Node, Ball]]],
) -> Sweep:
    """The chain rule with bounds of its rounding errors, from the roots down.

    Args:
        roots: where the sweep begins, with the derivatives there.
        nodes: the nodes of the graph, each before its operands.
        flows: the operands of a node, with the local partials.
    """
    adjoints = dict(roots)
    sizes = {node: abs(ball.mid) for node, ball in roots.items()}
    for node in nodes:
        adjoint = adjoints.get(node)
        if not adjoint:
            continue
        for operand, slope in flows(node):
            share, before = stopped(slope, adjoint), adjoints.get(operand)
            adjoints[operand] = share if before is None else before + share
            sizes[operand] = sizes.get(operand, 0.0) + sizes[node] * abs(slope.mid)
    return Sweep(adjoints, sizes)

"""Numbers that stand for constants: 2.5066282746310002 for √(2π), 0.3333333333333333 for 1/3."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from micrograd.table.formulas import Call, Tree
from micrograd.writing.parts import times

_TWO_PI = Call("mul", (2.0, "π"))
_UNITS: tuple[tuple[float, Tree], ...] = (
    (1.0, 1.0),
    (math.pi, "π"),
    (math.pi**2, Call("pow", ("π", 2.0))),
    (math.sqrt(2), Call("sqrt", (2.0,))),
    (math.sqrt(3), Call("sqrt", (3.0,))),
    (math.sqrt(math.pi), Call("sqrt", ("π",))),
    (math.sqrt(2 * math.pi), Call("sqrt", (_TWO_PI,))),
    (math.sqrt(2 / math.pi), Call("sqrt", (Call("div", (2.0, "π")),))),
    (math.log(2), Call("log", (2.0,))),
    (math.log(10), Call("log", (10.0,))),
    (math.log(2 * math.pi), Call("log", (_TWO_PI,))),
)
_LONG_NUMBER = 15  # digits that nobody types: the number was computed
_DECIMALS = 10_000  # what makes a decimal fraction of four digits a whole number
_LARGEST = 32  # numerator and denominator of its fraction of a unit


@lru_cache(1024)
def constant(x: float) -> Tree | None:
    """A number such as 2.5066… as √(2π), as it was probably meant; it has 15 digits in common."""
    if not math.isfinite(x) or len(repr(x).strip("-0.").partition("e")[0]) < _LONG_NUMBER:
        return None
    found: list[tuple[int, Tree]] = []
    for unit, tree in _UNITS:
        for is_below, ratio in enumerate((abs(x) / unit, abs(x) * unit)):
            near = Fraction(ratio).limit_denominator(_LARGEST)
            if near.numerator <= _LARGEST and abs(float(near) - ratio) <= 2e-15 * ratio:
                above, below = float(near.numerator), float(near.denominator)
                if tree == 1.0 and (_DECIMALS * near).denominator == 1:
                    above, below = float(near), 1.0
                sides = ([above], [below, tree]) if is_below else ([above, tree], [below])
                over, under = (times([y for y in side if y != 1.0] or [1.0]) for side in sides)
                known = over if under == 1.0 else Call("div", (over, under))
                found.append((near.numerator * near.denominator, known))
    if not found:
        return None
    simplest = min(found, key=lambda each: each[0])[1]
    if x > 0:
        return simplest
    return -simplest if isinstance(simplest, float) else Call("neg", (simplest,))


def with_constants(tree: Tree) -> Tree:
    """The formula with such constants in place of numbers; its variable π is the number."""
    if isinstance(tree, Call):
        return Call(tree.name, tuple(map(with_constants, tree.operands)))
    known = constant(tree) if isinstance(tree, float) else None
    return tree if known is None else known

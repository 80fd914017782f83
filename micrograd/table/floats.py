"""The primitives of the table on floats by IEEE 754, also where Python's functions raise."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Number = int | float


def _maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def _minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


def _sign(x: float) -> float:
    return 1.0 if x > 0 else -1.0 if x < 0 else x * 0.0


def _step(x: float) -> float:
    return 1.0 if x > 0 else 0.0 if x <= 0 else x


def _floor(x: float) -> float:
    return x if not math.isfinite(x) or x == math.floor(x) else float(math.floor(x))


def _ceil(x: float) -> float:
    return -_floor(-x)


def _trunc(x: float) -> float:
    return math.copysign(_floor(abs(x)), x)


def _round(x: float) -> float:
    return math.copysign(float(round(abs(x))), x) if math.isfinite(x) else x


def _mod(x: float, y: float) -> float:
    return x % y if y and math.isfinite(x) else math.nan


def _floordiv(x: float, y: float) -> float:
    return x // y if y and math.isfinite(x) else quotient(x, y) if not y else math.nan


def _cbrt(x: float) -> float:
    if not x or not math.isfinite(x):
        return x
    root = math.copysign(abs(x) ** (1 / 3), x)
    near = root * 134217729.0  # 2**27 + 1
    near -= near - root  # 26 bits of the root, so that the square is exact
    rest = x / (near * near)
    return near + near * ((rest - near) / (near + near + rest))  # a step of Halley's method


GRID = 1.5 * 2.0**31
"""Adding and subtracting this rounds to a multiple of 2**-21, so that the square of a number up to
2**5 is exact."""

GRID_SINGLE = 1.5 * 2.0**15
"""The same for single precision: it rounds to a multiple of 2**-8, for numbers up to 2**4."""

ERF_NUMERATOR = (
    9.60497373987051638749e0,
    9.00260197203842689217e1,
    2.23200534594684319226e3,
    7.00332514112805075473e3,
    5.55923013010394962768e4,
)
ERF_DENOMINATOR = (
    1.0,
    3.35617141647503099647e1,
    5.21357949780152679795e2,
    4.59432382970980127987e3,
    2.26290000613890934246e4,
    4.92673942608635921086e4,
)
"""erf(x) / x for |x| < 1 is the quotient of these polynomials in x², the highest power first; from
Cephes (Moshier, 1989). For interpreters that have no such function."""


def _gauss(x: float) -> float:
    if -2 < x < 2:  # the rounding error of the square is at most half a unit of 4
        return math.exp(-(x * x))
    x = abs(x)
    if not x < 28:
        return x if x != x else 0.0
    near = (x + GRID) - GRID
    rest = (x - near) * (x + near)
    return math.exp(-(near * near)) * (1.0 - rest * (1.0 - 0.5 * rest * (1.0 - rest / 3)))


def quotient(x: float, y: float) -> float:
    """`x / y` by IEEE 754."""
    if y != 0:
        return x / y
    return math.nan if x == 0 or x != x else math.copysign(math.inf, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """`x ** y` by IEEE 754, on real numbers."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        if x != 0:
            return math.nan  # a negative base with a fractional exponent
        return math.copysign(math.inf, x) if y % 2 == 1 else math.inf


def completed(name: str, function: Callable[..., float]) -> Callable[..., float]:
    """A function of the math module that returns IEEE's result where the original raises."""
    poles = POLES.get(name, {})

    def complete(x: float, *others: float) -> float:
        try:
            return function(x, *others)
        except OverflowError:
            return math.copysign(math.inf, x if name == "sinh" else 1.0)
        except (ValueError, ZeroDivisionError):
            return poles.get(x, math.nan)

    return complete


POLES = {
    "log": {0.0: -math.inf},
    "log2": {0.0: -math.inf},
    "log10": {0.0: -math.inf},
    "log1p": {-1.0: -math.inf},
    "atanh": {1.0: math.inf, -1.0: -math.inf},
}
SHARED: dict[str, Callable[..., float]] = {
    "abs": abs,
    "sign": _sign,
    "step": _step,
    "maximum": _maximum,
    "minimum": _minimum,
    "hypot": math.hypot,
    "atan2": math.atan2,
    "gauss": _gauss,
    "floor": _floor,
    "ceil": _ceil,
    "trunc": _trunc,
    "round": _round,
    "mod": _mod,
    "floordiv": _floordiv,
    "copysign": lambda x, y: math.copysign(x, y if y == y else 1.0),  # a nan has no sign
    "cbrt": _cbrt,
}
"""The primitives that never raise. All others are functions of the math module."""


def real(found: Any, name: str) -> float:
    """What the function of an operation returned, as a float; TypeError if not a real number."""
    if type(found) is float:
        return found
    if getattr(found, "shape", None) == () and hasattr(found, "item"):
        found = found.item()  # of NumPy
    if hasattr(found, "__float__"):  # Decimal and the like have it, and text has not
        with suppress(TypeError):
            return to_float(found)
    raise TypeError(
        f"operation {name!r}: its function returns a real number, got {type(found).__name__} "
        f"{found!r}"
    )


def to_float(number: Any) -> float:
    """The nearest float of a real number; one beyond the range of floats is an infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf

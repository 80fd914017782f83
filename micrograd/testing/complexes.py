"""The table's primitives on complex numbers, accurate where the imaginary part is tiny.

f(x + ih) has the imaginary part h·f'(x), up to terms in h³: a derivative without any difference
and without any rule (Squire and Trapp, SIAM Review 40, 1998). Functions with pieces follow the
piece that the real part chooses.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from micrograd.table.interpreters import IEEE
from micrograd.testing.kinds import Kind, NotApplicable

_RANGE = (1e-100, 1e100)


def has_room(numbers: Iterable[float]) -> bool:
    """Whether products with a tiny imaginary part stay far from underflow and overflow."""
    return all(not x or _RANGE[0] < abs(x) < _RANGE[1] for x in numbers)


def _expm1(z: complex) -> complex:
    x, y = z.real, z.imag
    return complex(
        math.expm1(x) * math.cos(y) - 2 * math.sin(y / 2) ** 2, math.exp(x) * math.sin(y)
    )


def _log1p(z: complex) -> complex:
    x, y = z.real, z.imag
    if not x > -1:
        raise NotApplicable("log1p at a singular point")
    return complex(math.log1p(x), math.atan2(y, 1 + x))


def _pow(x: complex, y: complex) -> complex:
    n = y.real
    if not y.imag and n.is_integer() and abs(n) <= 1024:
        return _whole_power(x, int(n))
    if x == 0 or x.real < 0:
        raise NotApplicable("a power with a base that is not positive")
    return cmath.exp(y * cmath.log(x))


def _whole_power(x: complex, n: int) -> complex:
    power, square, rest = 1 + 0j, x, abs(n)
    while rest:
        if rest & 1:
            power *= square
        rest >>= 1
        if rest:
            square *= square
    return 1 / power if n < 0 else power


def _hypot(x: complex, y: complex) -> complex:
    scale = max(abs(x.real), abs(y.real))
    if not scale:
        raise NotApplicable("hypot at the origin")
    x, y = x / scale, y / scale
    return scale * cmath.sqrt(x * x + y * y)


def _hypot_slope(x: complex, y: complex) -> complex:
    h = _hypot(x, y)
    if abs(x.real) <= abs(y.real):
        return x / h
    # In x / h the parts that move with x nearly cancel.
    return (1 - y / h * (y / (h + _abs(x)))) * _sign(x)


def _atan2(y: complex, x: complex) -> complex:
    if abs(x.real) >= abs(y.real):
        turn = 0.0 if x.real > 0 else math.copysign(math.pi, y.real)
        return turn + cmath.atan(y / x)
    return math.copysign(math.pi / 2, y.real) - cmath.atan(x / y)


def _erf(z: complex) -> complex:
    """The defining integral of exp(-t²), from the real axis upwards by its middle."""
    return math.erf(z.real) + 2 / math.sqrt(math.pi) * (
        complex(0, z.imag) * cmath.exp(-(complex(z.real, z.imag / 2) ** 2))
    )


def _gauss(z: complex) -> complex:
    x, y = z.real, z.imag
    size: float = IEEE["gauss"](x)
    return size * cmath.exp(complex(y * y, -2 * x * y))


def _sign(x: complex) -> complex:
    return complex((x.real > 0) - (x.real < 0))


def _abs(x: complex) -> complex:
    return x if x.real > 0 else -x


_PRIMITIVES: dict[str, Any] = {
    "log2": lambda z: cmath.log(z) / math.log(2),
    "expm1": _expm1,
    "log1p": _log1p,
    "erf": _erf,
    "gauss": _gauss,
    "hypot": _hypot,
    "hypot_slope": _hypot_slope,  # whose formula would lose digits
    "atan2": _atan2,
    "abs": _abs,
    "sign": _sign,
    "step": lambda x: complex(x.real > 0),
    "maximum": lambda x, y: x if x.real > y.real else y,
    "minimum": lambda x, y: x if x.real < y.real else y,
    "div": lambda x, y: x / y,
    "pow": _pow,
}


def complexes() -> Kind:
    """Complex numbers."""
    return Kind("complex numbers", complex, attrgetter("real"), _PRIMITIVES, [cmath])

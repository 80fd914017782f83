"""Formulas of the table evaluated in other arithmetics: complex, exact, and observed.

An `Arithmetic` knows the primitives of the table on one type of number, with division, powers and
comparisons. All other rows follow from their formulas, so a row that a user adds is understood at
once. No local partial is read here, so what an arithmetic finds out about a function is independent
of the rules under test.

| arithmetic | numbers | used for |
|---|---|---|
| `complex_numbers()` | complex numbers | the complex step |
| `dual_fractions()` | fractions with their derivatives | exact derivatives of rational functions |
| `Observer` | floats | the branches that a formula takes, such as the side of a kink |
| `balls()` in `rounding.py` | floats with a radius | bounds of rounding errors |
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from micrograd.ops import Operation, lookup
from micrograd.table.formulas import COMPARISONS, RESULT, Tree, calls
from micrograd.table.interpreters import ATOM, IEEE, ON_IEEE, Interpreter, Text, Texts

Function = Callable[..., Any]


class NotApplicable(Exception):  # noqa: N818 (not an error: a witness that has nothing to say)
    """An arithmetic has no answer here; the message says why."""


class Arithmetic(Interpreter):
    """The formulas of the table on one type of number.

    Args:
        name: what the numbers are called in messages.
        number: makes such a number from a float.
        real: the real number by which one is compared.
        primitives: functions of such numbers by the names of the rows, including `div` and `pow`.
        library: the function of a primitive that is not among these, by its name. An
            AttributeError or a KeyError means that there is none.
        has_functions: whether the library has the operations that users define by functions too.
    """

    def __init__(
        self,
        name: str,
        number: Function,
        real: Callable[[Any], Any],
        primitives: Mapping[str, Function],
        library: Callable[[str], Function],
        *,
        has_functions: bool = False,
    ) -> None:
        given: dict[str, Function] = {f"_{each}": _comparing(each, real) for each in COMPARISONS}
        given |= {"_number": number, "_truth": lambda x: real(x) != 0, **primitives}
        super().__init__(name, given, texts=_TEXTS, literal=_literal)
        self.number, self.library = number, library
        self.has_functions = has_functions
        self.function: Callable[[Operation], Function] = cache(self.value)
        self.partial: Callable[[Operation, int], Function] = cache(self._partial)

    def _partial(self, row: Operation, index: int) -> Function:
        """A local partial of a row as a function of the operands and of the result."""
        return self.compiled((*row.operands, RESULT), row.slopes[index])

    def compiled(self, parameters: Sequence[str], tree: Tree) -> Function:
        """A formula as a function of its variables."""
        for name in self.called(tree) - self.scope.keys():
            self.enter(lookup(name))
        return super().compiled(parameters, tree)

    def primitive(self, name: str) -> Function:
        """The function of the library, or one that refuses every number."""
        try:
            return self.library(name)
        except (AttributeError, KeyError):
            return _refusing(f"{name} is not defined on {self.name}")

    def of_function(self, name: str, function: Function) -> Function:
        """The function of the library, or one that refuses every number."""
        if self.has_functions:
            return self.library(name)
        return _refusing(f"{name} is defined by a function on floats")


def _refusing(reason: str) -> Function:
    def refuse(*_: Any) -> Any:
        raise NotApplicable(reason)

    return refuse


def _comparing(name: str, real: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    compare = getattr(operator, name)
    return lambda x, y: compare(real(x), real(y))


# Written as calls, so that Python's own numbers do not leak into a formula.
_TEXTS = Texts("div", "pow", "mod", "floordiv", "_truth", *(f"_{name}" for name in COMPARISONS))


def _literal(number: float) -> Text:
    return f"_number({number!r})".replace("inf", "1e309"), ATOM


@lru_cache(maxsize=256)
def domain(row: Operation) -> Callable[..., Any]:
    """Where a row claims to be differentiable, as a function of its operands."""
    return ON_IEEE.compiled(row.operands, row.read(row.domain or "1"))


def sign(x: float) -> int:
    """-1, 0 or 1; 0 for a nan."""
    return (x > 0) - (x < 0)


# --------------------------------------------------------------------------------- complex numbers

# f(x + ih) has the imaginary part h·f'(x), up to terms in h³: a derivative without any difference
# and without any rule (Squire and Trapp, SIAM Review 40, 1998). The functions here are accurate
# where the imaginary part is tiny, and follow the piece that the real part chooses.

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
    if not z.real > -1:
        raise NotApplicable("log1p at a singular point")
    return complex(math.log1p(z.real), math.atan2(z.imag, 1 + z.real))


def _pow(x: complex, y: complex) -> complex:
    n = y.real
    if not y.imag and n.is_integer() and abs(n) <= 100:
        return x ** int(n)  # Python multiplies; beyond 100 it takes a logarithm
    if x == 0 or x.real < 0:
        raise NotApplicable("a power with a base that is not positive")
    return cmath.exp(y * cmath.log(x))


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
    return (1 - y / h * (y / (h + _abs(x)))) * sign(x.real)


def _softsign(x: complex) -> complex:
    return sign(x.real) * (1 - 1 / (1 + _abs(x)))


def _mish_slope(x: complex) -> complex:
    if x.real <= 0:
        e = cmath.exp(x)
        below = e * (e + 2) + 2
        return (e * (e + 2) + 4 * x * e * (1 + e) / below) / below
    e = cmath.exp(-x)
    below = 1 + 2 * e + 2 * e * e
    return 1 - 2 * e * e / below * (1 - 2 * x * (1 + e) / below)


def _atan2(y: complex, x: complex) -> complex:
    if abs(x.real) >= abs(y.real):
        turn = 0.0 if x.real > 0 else math.copysign(math.pi, y.real)
        return turn + cmath.atan(y / x)
    return math.copysign(math.pi / 2, y.real) - cmath.atan(x / y)


def _erf(z: complex) -> complex:
    """The defining integral of exp(-t²), from the real axis upwards by the midpoint rule."""
    return math.erf(z.real) + 2 / math.sqrt(math.pi) * (
        complex(0, z.imag) * cmath.exp(-(complex(z.real, z.imag / 2) ** 2))
    )


def _gauss(z: complex) -> complex:
    x, y = z.real, z.imag
    size: float = IEEE["gauss"](x)
    return size * cmath.exp(complex(y * y, -2 * x * y))


def _abs(x: complex) -> complex:
    return x if x.real > 0 else -x


_COMPLEX: dict[str, Any] = {
    "log2": lambda z: cmath.log(z) / math.log(2),
    "expm1": _expm1,
    "log1p": _log1p,
    "erf": _erf,
    "gauss": _gauss,
    "hypot": _hypot,
    # The formulas of these would lose digits, as parts that move with x nearly cancel.
    "hypot_slope": _hypot_slope,
    "softsign": _softsign,
    "mish_slope": _mish_slope,
    "atan2": _atan2,
    "abs": _abs,
    "sign": lambda x: complex(sign(x.real)),
    "step": lambda x: complex(x.real > 0),
    "maximum": lambda x, y: x if x.real > y.real else y,
    "minimum": lambda x, y: x if x.real < y.real else y,
    "div": operator.truediv,
    "pow": _pow,
}


def complex_numbers() -> Arithmetic:
    """Complex numbers."""
    return Arithmetic(
        "complex numbers", complex, attrgetter("real"), _COMPLEX, lambda name: getattr(cmath, name)
    )


# ---------------------------------------------------------------------------------- dual fractions

_LONGEST = 20_000  # bits of a numerator or denominator; beyond, exactness costs too much


def _length(number: Fraction) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())


class Dual:
    """A dual number a + b·ε with ε² = 0 over the fractions: an exact value and its derivative."""

    __slots__ = ("slope", "value")

    def __init__(self, value: Fraction, slope: Fraction = Fraction(0)) -> None:
        if _length(value) > _LONGEST:
            raise NotApplicable("the fractions grow too long")
        self.value, self.slope = value, slope

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Dual) -> Dual:
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other: Dual) -> Dual:
        slope = self.slope * other.value + self.value * other.slope
        return Dual(self.value * other.value, slope)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __pos__(self) -> Dual:
        return self


def exactly(number: float) -> Fraction:
    """A float as a fraction."""
    try:
        return Fraction(number)
    except (OverflowError, ValueError):
        raise NotApplicable(f"{number} is not a fraction") from None


def _quotient(x: Dual, y: Dual) -> Dual:
    if not y.value:
        raise NotApplicable("a division by zero")
    quotient = x.value / y.value
    return Dual(quotient, (x.slope - quotient * y.slope) / y.value)


def _power(x: Dual, y: Dual) -> Dual:
    n = y.value
    if y.slope or n.denominator != 1 or abs(n) > 1000:
        raise NotApplicable("a power whose exponent is not a constant whole number")
    if not x.value and n < 1:
        raise NotApplicable("a power of zero")
    if abs(n) * _length(x.value) > _LONGEST:
        raise NotApplicable("the fractions grow too long")
    return Dual(x.value ** int(n), n * x.value ** int(n - 1) * x.slope)


def _side(number: Fraction) -> int:
    """The side of a kink at 0 on which a number lies."""
    if not number:
        raise NotApplicable("a tie")
    return 1 if number > 0 else -1


_EXACT: dict[str, Any] = {
    "abs": lambda x: x if _side(x.value) > 0 else -x,
    "sign": lambda x: Dual(Fraction(_side(x.value))),
    "step": lambda x: Dual(Fraction(_side(x.value) > 0)),
    "maximum": lambda x, y: x if _side(x.value - y.value) > 0 else y,
    "minimum": lambda x, y: x if _side(x.value - y.value) < 0 else y,
    "div": _quotient,
    "pow": _power,
}


_NONE: dict[str, Function] = {}


def dual_fractions() -> Arithmetic:
    """Fractions with their exact derivatives."""
    return Arithmetic(
        "fractions", lambda x: Dual(exactly(x)), attrgetter("value"), _EXACT, _NONE.__getitem__
    )


# ------------------------------------------------------------------------------------------ floats


FLOATS = Arithmetic("floats", float, float, {}, IEEE.__getitem__, has_functions=True)
FLOATS.function = lambda row: row.value
"""The engine's own arithmetic."""

_STEPS: dict[str, Callable[..., tuple[float, float]]] = {
    **dict.fromkeys(("floor", "ceil"), lambda x: (x - IEEE["floor"](x), IEEE["floor"](x))),
    "trunc": lambda x: (1.0 if abs(x) < 1 else x - IEEE["trunc"](x), IEEE["trunc"](x)),
    "round": lambda x: (x + 0.5 - IEEE["floor"](x + 0.5), IEEE["floor"](x + 0.5)),
    **dict.fromkeys(("mod", "floordiv"), lambda x, y: (IEEE["mod"](x, y), IEEE["floordiv"](x, y))),
}
"""Functions that jump: a number that is 0 where they do, and the number of the step."""


def _gap(x: float, y: float) -> int:
    return (x > y) - (x < y)


_BRANCHES: dict[str, Callable[..., float]] = {
    **dict.fromkeys(("abs", "sign", "step", "_truth"), float),
    **dict.fromkeys(("maximum", "minimum", *(f"_{name}" for name in COMPARISONS)), _gap),
    "atan2": lambda y, x: y if x < 0 else 1.0,  # it jumps across the negative axis
    "copysign": lambda x, y: math.copysign(1.0, y) * x,
}
"""Functions that take branches: a number whose sign says which."""

_CHOOSING = {*_BRANCHES, *_STEPS, *COMPARISONS, "where"}


class Observer:
    """Evaluates rows on floats and notes the branches that they take.

    A branch is the side of `abs` or `relu`, the winner of `maximum`, or the truth of a comparison.
    Two points with the same branches lie on one smooth piece of a function, as far as the formulas
    show. Branches are found in a row's formula, so a row that a user adds needs no column for them.
    """

    def __init__(self) -> None:
        self._seen: list[Any] = []
        self._floats = Arithmetic(
            "floats", float, float, self._primitives(), IEEE.__getitem__, has_functions=True
        )
        self.chooses = cache(_chooses)

    def branches(self, row: Operation, operands: Sequence[float]) -> tuple[Any, ...]:
        """The branches that a row takes at its operands; empty for a row that has none."""
        if not self.chooses(row):
            return ()
        self._seen.clear()
        self._floats.function(row)(*operands)
        return tuple(self._seen)

    def _noting(self, function: Function, where: Callable[..., float]) -> Function:
        def noting(*operands: float) -> Any:
            self._seen.append(sign(where(*operands)))
            return function(*operands)

        return noting

    def _stepping(self, name: str) -> Function:
        def stepping(*operands: float) -> Any:
            distance, number = _STEPS[name](*operands)
            self._seen += [abs(sign(distance)), (name, number)]
            return IEEE[name](*operands)

        return stepping

    def _primitives(self) -> dict[str, Function]:
        given = {"_truth": bool, **{f"_{name}": getattr(operator, name) for name in COMPARISONS}}
        return {
            **{name: IEEE[name] for name in ("div", "pow")},
            **{
                name: self._noting(given.get(name) or IEEE[name], where)
                for name, where in _BRANCHES.items()
            },
            **{name: self._stepping(name) for name in _STEPS},
        }


def _chooses(row: Operation) -> bool:
    """Whether the formula of a row has branches."""
    called = calls(row.expression)
    below = (lookup(name) for name in called - _CHOOSING - {row.name})
    return bool(called & _CHOOSING) or any(map(_chooses, below))

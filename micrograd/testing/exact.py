"""Exact derivatives of rational functions: power series a + b·ε with ε² = 0 over the fractions."""

from __future__ import annotations

from fractions import Fraction
from operator import attrgetter
from typing import Any, NoReturn

from micrograd.testing.kinds import Kind, NotApplicable

_LONGEST = 20_000  # bits of a numerator or denominator; beyond, exactness costs too much


class Series:
    """An exact number and its exact derivative."""

    __slots__ = ("slope", "value")

    def __init__(self, value: Fraction, slope: Fraction = Fraction(0)) -> None:
        if max(value.denominator.bit_length(), value.numerator.bit_length()) > _LONGEST:
            raise NotApplicable("the fractions grow too long")
        self.value, self.slope = value, slope

    def __add__(self, other: Series) -> Series:
        return Series(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Series) -> Series:
        return Series(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other: Series) -> Series:
        slope = self.slope * other.value + self.value * other.slope
        return Series(self.value * other.value, slope)

    def __neg__(self) -> Series:
        return Series(-self.value, -self.slope)

    def __pos__(self) -> Series:
        return self


def series(number: float) -> Series:
    """A float, exactly."""
    try:
        return Series(Fraction(number))
    except (OverflowError, ValueError):
        raise NotApplicable(f"{number} is no fraction") from None


def _div(x: Series, y: Series) -> Series:
    if not y.value:
        raise NotApplicable("a division by zero")
    quotient = x.value / y.value
    return Series(quotient, (x.slope - quotient * y.slope) / y.value)


def _pow(x: Series, y: Series) -> Series:
    n = y.value
    if y.slope or n.denominator != 1 or abs(n) > 1000:
        raise NotApplicable("a power that is no constant whole number")
    if not x.value and n < 1:
        raise NotApplicable("a power of zero")
    if abs(n) * max(x.value.numerator.bit_length(), x.value.denominator.bit_length()) > _LONGEST:
        raise NotApplicable("the fractions grow too long")
    return Series(x.value ** int(n), n * x.value ** int(n - 1) * x.slope)


def _piece(x: Series, y: Series) -> NoReturn:
    raise NotApplicable("a tie")


def _abs(x: Series) -> Series:
    return x if x.value > 0 else -x if x.value < 0 else _piece(x, x)


def _maximum(x: Series, y: Series) -> Series:
    return x if x.value > y.value else y if y.value > x.value else _piece(x, y)


def _minimum(x: Series, y: Series) -> Series:
    return x if x.value < y.value else y if y.value < x.value else _piece(x, y)


def _sign(x: Series) -> Series:
    return Series(Fraction((x.value > 0) - (x.value < 0))) if x.value else _piece(x, x)


def _step(x: Series) -> Series:
    return Series(Fraction(x.value > 0)) if x.value else _piece(x, x)


_PRIMITIVES: dict[str, Any] = {
    "abs": _abs,
    "sign": _sign,
    "step": _step,
    "maximum": _maximum,
    "minimum": _minimum,
    "div": _div,
    "pow": _pow,
}


def fractions() -> Kind:
    """Exact rational numbers with their derivatives."""
    return Kind("fractions", series, attrgetter("value"), _PRIMITIVES)

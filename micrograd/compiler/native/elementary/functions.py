"""The functions that formulas call: those of the bases of `Functions`, and a few short ones."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
from llvmlite import ir

from micrograd.compiler.native.elementary import coefficients
from micrograd.compiler.native.elementary.lanes import DOUBLE, SINGLE, Number, outlined, some
from micrograd.compiler.native.elementary.normal import NormalLaw
from micrograd.compiler.native.writing import KINDS, WORD, Writer, word

_PRODUCTS = -3, 7
"""The whole exponents for which powers are products."""


def functions(writer: Writer, width: int) -> Functions:
    """The functions of the numbers of a writer, on vectors of `width` lanes; 1 for numbers."""
    return Functions(writer, width, DOUBLE if writer.number == KINDS["float64"] else SINGLE)


class Functions(NormalLaw):
    """All functions of numbers of one format; each takes and returns a `Number`."""

    def applied(self, name: str, *operands: Any) -> Any:
        """A function, which is given by its name, of values of LLVM."""
        found = getattr(self, name)(*map(self.number, operands))
        return found.ir if isinstance(found, Number) else found

    def abs(self, x: Number) -> Number:
        """The absolute value."""
        return abs(x)

    def sign(self, x: Number) -> Number:
        """-1 or 1; zeros (with their sign) and nan are kept."""
        return self.select(x > 0.0, 1.0, self.select(x < 0.0, -1.0, x * 0.0))

    def step(self, x: Number) -> Number:
        """1 above 0, else 0; nan is kept."""
        return self.select(x > 0.0, 1.0, self.select(x <= 0.0, 0.0, x))

    def maximum(self, x: Number, y: Number) -> Number:
        """The larger one, or nan if one is nan."""
        return self.select(x > y, x, self.select(self.compare("!=", x, x), x, y))

    def minimum(self, x: Number, y: Number) -> Number:
        """The smaller one, or nan if one is nan."""
        return self.select(x < y, x, self.select(self.compare("!=", x, x), x, y))

    def floor(self, x: Number) -> Number:
        """The largest whole number that is not larger."""
        return self.intrinsic("floor", x)

    def ceil(self, x: Number) -> Number:
        """The smallest whole number that is not smaller."""
        return self.intrinsic("ceil", x)

    def trunc(self, x: Number) -> Number:
        """The whole number next to it on the way to 0."""
        return self.intrinsic("trunc", x)

    def round(self, x: Number) -> Number:
        """The nearest whole number, the even one of two."""
        return self.intrinsic("rint", x)

    def copysign(self, x: Number, y: Number) -> Number:
        """X with the sign of y; a nan has none."""
        return self.select(self.compare("!=", y, y), abs(x), self.signed(x, y))

    # -------------------------------------------------------------------------------------- powers

    def pow(self, x: Number, y: Number) -> Number:
        """X to the power y: products and roots if all lanes share a y for which they serve."""
        build = self.build
        first = build.extract_element(y.ir, word(0)) if self.width > 1 else y.ir
        single = Functions(self.writer, 1, self.form)
        shared, (low, high) = single.number(first), _PRODUCTS
        in_range = build.and_(shared >= low, shared <= high)
        # A number beyond the range may not fit into a word.
        n = build.fptosi(single.select(in_range, shared, 0.0).ir, WORD)
        whole = single.number(build.sitofp(n, first.type))
        is_small = build.and_(in_range, single.compare("==", whole, shared))
        is_half = single.compare("==", abs(shared), 0.5)
        if self.width > 1:
            all_lanes = self.number(self.writer.splat(first, self.width))
            is_shared = build.not_(some(self.writer, self.compare("!=", y, all_lanes)))
            is_small, is_half = (build.and_(each, is_shared) for each in (is_small, is_half))
        return self.either(
            is_small,
            lambda: self.whole_power(x, n),
            lambda: self.either(
                is_half, lambda: self.half_power(x, y), lambda: self._any_power(x, y)
            ),
        )

    def are_ordinary(self, *numbers: Number) -> Any:
        """Whether numbers are far from 0, from subnormal numbers and from infinity."""
        far = 2.0 ** (self.form.bias - 20)
        sizes = map(abs, numbers)
        return reduce(self.build.and_, (test for x in sizes for test in (x > 1 / far, x < far)))

    def _any_power(self, x: Number, y: Number) -> Number:
        """A power of any two numbers; it is long, so it is written once in a module."""
        if self.width == 1:  # the C library uses tables, and is faster
            return self.library("pow", x, y)
        power = Functions.power if self.form == DOUBLE else Functions.power_of_floats

        def body(x: Any, y: Any) -> Any:
            return self.in_doubles(power, self.number(x), self.number(y)).ir

        return self.number(outlined(self.writer, f"power.{self.width}", body, x.ir, y.ir))

    # --------------------------------------------------------------------------- the gamma function

    def lgamma(self, x: Number) -> Number:
        """The logarithm of |Γ(x)|."""
        if self.form == SINGLE:
            return self.in_doubles(Functions._lgamma_to_floats, x)
        # Γ(-x) Γ(x) = -π / (x sin(πx)), unless -x is so small that Γ(x) is 1 / |x|.
        size = abs(x)
        value = self._lgamma_above(size)

        def reflected() -> Number:
            sine = abs(self._sine_of_turn(x))
            found = self.log(math.pi / (size * sine)) - value
            return self.select(self.compare("==", sine, 0.0), math.inf, found)

        value = self.rarely(self.compare("<", x, -1e-20), value, reflected)
        return self.select(self.compare("==", size, math.inf), math.inf, value)

    def _lgamma_above(self, x: Number) -> Number:
        """From 0 on, in doubles: a polynomial from 1/2 to 5/2, and Stirling's series from 8 on."""
        is_small, is_low = self.compare("<", x, 8.0), self.compare("<", x, 0.5)
        y, product = self.select(is_low, x + 1.0, self.smaller(x, 8.0)), self.number(1.0)
        for _ in range(6):  # Γ(y) = (y - 1) Γ(y - 1)
            is_high = self.compare(">", y, 2.5)
            y = self.select(is_high, y - 1.0, y)
            product = self.select(is_high, product * y, product)
        is_plain = self.build.and_(is_small, self.build.not_(is_low))
        log = self.log(self.select(is_plain, product, x))
        t = y - 1.5
        near = (y - 1.0) * (y - 2.0) * self.polynomial(t, coefficients.LOG_GAMMA)
        near = self.select(is_low, near - log, near + log)
        inverse = 1.0 / x
        rest = inverse * self.polynomial(inverse * inverse, coefficients.STIRLING)
        far = self.muladd(x - 0.5, log - 1.0, 0.5 * math.log(2 * math.pi) - 0.5 + rest)
        return self.select(is_small, near, far)

    def _lgamma_to_floats(self, x: Number) -> Number:
        """In doubles for floats, to 15 digits after the point, by Stirling's series from 8 on."""
        size = abs(x)
        is_small, product = size < 8.0, size
        for k in range(1, 8):  # Γ(x) = Γ(x + 8) / (x (x + 1) … (x + 7))
            product = product * (size + float(k))
        y = self.select(is_small, size + 8.0, size)
        inverse = 1.0 / y
        rest = inverse * self.polynomial(inverse * inverse, coefficients.STIRLING)
        log = self.muladd(y - 0.5, self.log(y), 0.5 * math.log(2 * math.pi) - y) + rest
        product = self.select(is_small, product, 1.0)
        reflected = product * (math.pi / (size * abs(self._sine_of_turn(x))))
        is_below = self.compare("<", x, 0.0)
        value = log - self.log(self.select(is_below, reflected, product))
        value = self.select(is_below, -value, value)
        value = self.select(self.compare("==", (x - 1.0) * (x - 2.0), 0.0), 0.0, value)
        return self.select(self.compare("==", size, math.inf), math.inf, value)

    def trigamma(self, x: Number) -> Number:
        """The derivative of the digamma function: a series from 10 on."""
        is_below = self.compare("<", x, 0.0)
        y = self.select(is_below, 1.0 - x, x)
        is_low = self.compare("<", y, 10.0)
        inverse = 1.0 / self.select(is_low, y + 10.0, y)
        square = inverse * inverse
        rest = square * self.polynomial(square, coefficients.TRIGAMMA)
        far = inverse + self.muladd(square, 0.5, inverse * rest)
        total = far  # ψ'(y) = ψ'(y + 10) + 1 / (y + 9)² + … + 1 / y²
        for k in range(9, -1, -1):
            share = 1.0 / (y + float(k))
            total = self.muladd(share, share, total)
        value = self.select(is_low, total, far)
        # ψ'(x) + ψ'(1 - x) = (π / sin(πx))²
        ratio = math.pi / self._sine_of_turn(x)
        return self.select(is_below, ratio * ratio - value, value)

    def _sine_of_turn(self, x: Number) -> Number:
        """Sin(πx), or its negative."""
        turn = math.pi * (x - self.round(x))
        return turn * self.polynomial(turn * turn, coefficients.SINE)

    # ------------------------------------------------------------------------------------ quotients

    def div(self, x: Number, y: Number) -> Number:
        """The quotient; by a constant of ordinary size, a sum of products with 1 / y in two parts.

        Source: Brisebarre, Muller and Raina (2004). Nearly always, the sum rounds to the quotient.
        The first part is cut off, so that no sum is one of infinities with different signs.
        """
        known = None if isinstance(x.ir, ir.Constant) else constant(y.ir)
        if known is None or not 2.0**-30 < abs(known) < 2.0**30:
            return x / y
        kind = np.float64 if self.form == DOUBLE else np.float32
        exact = 1 / Fraction(float(kind(known)))
        high = kind(float(exact))
        if abs(Fraction(float(high))) > abs(exact):
            high = np.nextafter(high, kind(0.0))
        low = float(exact - Fraction(float(high)))
        return self.muladd(x, float(high), x * low) if low else x * float(high)

    def mod(self, x: Number, y: Number) -> Number:
        """The remainder with the sign of the divisor, as Python's `%`."""
        return self.in_doubles(Functions._mod, x, y)

    def floordiv(self, x: Number, y: Number) -> Number:
        """The quotient rounded down, as Python's `//`."""
        return self.in_doubles(Functions._floordiv, x, y)

    def _divided(self, x: Number, y: Number) -> tuple[Number, Any]:
        """The remainder with the sign of x, and whether that of y is the other one."""
        rest = self.remainder(x, y)
        return rest, self.build.select(y < 0.0, rest > 0.0, rest < 0.0)

    def _mod(self, x: Number, y: Number) -> Number:
        rest, differs = self._divided(x, y)
        moved = self.select(differs, rest + y, rest)
        return self.select(self.compare("==", rest, 0.0), self.signed(0.0, y), moved)

    def _floordiv(self, x: Number, y: Number) -> Number:
        rest, differs = self._divided(x, y)
        plain, quotient = x / y, (x - rest) / y
        quotient = self.select(differs, quotient - 1.0, quotient)
        down = self.floor(quotient)
        down = self.select(quotient - down > 0.5, down + 1.0, down)
        whole = self.select(self.compare("==", quotient, 0.0), self.signed(0.0, plain), down)
        return self.select(self.compare("==", y, 0.0), plain, whole)


def constant(x: Any) -> float | None:
    """Return the constant that a number is in every lane, or None."""
    if not isinstance(x, ir.Constant):
        return None
    lanes = x.constant if isinstance(x.constant, list) else [x.constant]
    found = {getattr(each, "constant", each) for each in lanes}
    only = found.pop()
    return only if not found and isinstance(only, float) else None

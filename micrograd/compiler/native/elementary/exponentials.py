"""exp and the functions that follow from it.

Sources: exp after Cody and Waite (1980), the others after Muller, Elementary Functions (2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from micrograd.compiler.native.elementary import coefficients
from micrograd.compiler.native.elementary.lanes import DOUBLE, Format, Lanes, Number
from micrograd.compiler.native.writing import Writer


class Exponentials(Lanes):
    """Functions of numbers of one format; each takes and returns a `Number`."""

    def __init__(self, writer: Writer, width: int, form: Format) -> None:
        super().__init__(writer, width, form)
        self.c = coefficients.DOUBLE if form == DOUBLE else coefficients.SINGLE

    def exp(self, x: Number) -> Number:
        """The exponential function."""
        return self._exp(x)

    def exp2(self, x: Number) -> Number:
        """2 to the power x."""
        shifted = x + self.form.magic
        r = (x - (shifted - self.form.magic)) * math.log(2)
        limit = self.form.bias - 2.0
        return self._raised(x, self._series(r), shifted, limit, (-1.5 * limit, 1.5 * limit))

    def expm1(self, x: Number) -> Number:
        """exp(x) - 1."""
        return self._unless_tiny(x, 4.0 * self._quarter(x))

    def sinh(self, x: Number) -> Number:
        """The hyperbolic sine: with E = exp(|x|) - 1, (E + E / (E + 1)) / 2."""
        quarter = self._quarter(abs(x))
        twice = quarter + quarter
        return self._unless_tiny(x, self.signed(twice + quarter / (twice + 0.5), x))

    def cosh(self, x: Number) -> Number:
        """The hyperbolic cosine."""
        half = self._exp(abs(x), halvings=1)
        return half + 0.25 / half

    def tanh(self, x: Number) -> Number:
        """The hyperbolic tangent: with E = exp(2|x|) - 1 = 2 h, h / (h + 1).

        For small numbers, h - h h / (h + 1) has fewer of the errors of the sum and the quotient.
        """
        _, half, _, ratio = self._tanh_parts(x)
        near = self.muladd(-half, ratio, half)
        size = self.select(self.compare("<", abs(x), 0.35), near, ratio)
        return self.turned(size, x)

    def sech2(self, x: Number) -> Number:
        """1 - tanh²(x): with y = 1 - tanh |x| = 1 / (h + 1), y (2 - y).

        In doubles, a step after Newton turns 1 - tanh |x| into the quotient and takes less time.
        Here n times the rounding error of ln 2, which `_tanh_parts` does without, counts.
        """
        n, _, below, ratio = self._tanh_parts(x)
        size, two = abs(x), self.number(2.0)
        if self.form == DOUBLE:
            border, rest = 9.0, 1.0 - ratio
            lost = self.muladd(n, self.c.ln2_error, self.muladd(-below, rest, 1.0))
            rest = self.muladd(lost, rest, rest)
        else:
            border, rest = 0.5 * self.normal, 1.0 / below
            two = self.muladd(n, 2.0 * self.c.ln2_error, two)

        def far() -> Number:
            small = self._exp(-2.0 * size, halvings=-2)  # 4 e, and the result is 4 e / (1 + e)²
            return self.muladd(small * small, self.muladd(small, 3 / 16, -0.5), small)

        return self.rarely(self.compare(">", size, border), rest * (two - rest), far)

    def _tanh_parts(self, x: Number) -> tuple[Number, Number, Number, Number]:
        """Return n, the h of tanh, h + 1 and their quotient, which tanh and its slope share.

        With 2|x| = n ln 2 + 2 r, h is 2 ** n (1/2 + r + …) - 1/2. The bits of n + biased end with
        those of the exponent of 2 ** n.
        """
        form = self.form
        biased = form.magic + form.bias
        size = self.smaller(abs(x), 0.5 * self.normal)
        shifted = self.muladd(size, 2 * self.c.log2_e[0], biased)
        n = shifted - biased
        r = self.muladd(n, -0.5 * math.log(2), size)
        scale = self.of_bits(self.build.shl(self.bits(shifted), self.word(form.digits)))
        table = [coefficient * 2.0 ** (k + 1) for k, coefficient in enumerate(self.c.exp)]
        base = self.muladd(scale, r, self.muladd(scale, 0.5, -0.5))
        half = self.muladd(scale * (r * r), self.polynomial(r, table), base)
        below = half + 1.0
        return n, half, below, half / below

    def sigmoid(self, x: Number) -> Number:
        """exp(x) / (1 + exp(x))."""
        e, below = self._sigmoid_parts(x)
        return self.rarely(self.exceeds(-x, self.normal), e / below, lambda: self._exp(x))

    def sigmoid_slope(self, x: Number) -> Number:
        """The derivative of the sigmoid: the product of those of x and -x."""
        e, below = self._sigmoid_parts(x)
        slope = (e / below) * (1.0 / below)
        return self.rarely(self.exceeds(abs(x), self.normal), slope, lambda: self._exp(-abs(x)))

    def silu(self, x: Number) -> Number:
        """The product of x and its sigmoid."""
        e, below, _ = self._silu_parts(x)
        return self._unless_far_below(x, x * (e / below), lambda x: x)

    def silu_slope(self, x: Number) -> Number:
        """The derivative of silu: with E = exp(x), E (1 + E + x) / (1 + E)²."""
        e, below, total = self._silu_parts(x)
        return self._unless_far_below(x, (e / below) * (total / below), lambda x: 1.0 + x)

    def _silu_parts(self, x: Number) -> tuple[Number, Number, Number]:
        """Return E = exp(x), 1 + E and 1 + E + x, which keeps its digits beside its zero z.

        With x - z = n ln 2 + r and S = 2 ** n e^z, E is S exp(r). Since 1 + z is -e^z, the last one
        is E - e^z + (x - z).
        """
        x, magic = self._inside(x), self.form.magic
        (high, low), (zero, zero_low) = self.c.ln2, self.c.silu_zero
        at_zero, lost = self.c.silu_scale
        shifted = self.muladd(x, self.c.log2_e[0], -zero * self.c.log2_e[0]) + magic
        n = shifted - magic
        r = (self.muladd(n, -high, x) - zero) + self.muladd(n, -low, -zero_low)
        more = self.muladd(r * r, self.polynomial(r, self.c.exp), r)
        scale = self._moved(self.number(at_zero), shifted)
        e = self.muladd(scale, more + lost if lost else more, scale)
        total = self.muladd(scale, more, scale - at_zero) + ((x - zero) - zero_low)
        return e, e + 1.0, total

    def _inside(self, x: Number) -> Number:
        """X, moved to where exp(x) is a normal number."""
        return self.larger(self.smaller(x, self.normal), -self.normal)

    def _sigmoid_parts(self, x: Number) -> tuple[Number, Number]:
        """Return E = exp(x) and 1 + E, which the sigmoid and its slope share."""
        e = self._exp_within(self._inside(x))
        return e, e + 1.0

    def _unless_far_below(
        self, x: Number, usual: Number, factor: Callable[[Number], Number]
    ) -> Number:
        """A product with exp(x), which is rounded once where exp(x) is subnormal."""

        def product() -> Number:
            below = self.larger(x, -2000.0)
            return factor(below) * self._exp(below, halvings=-10) * 2.0**-10

        return self.rarely(
            self.compare("<", x, (10 - self.form.bias) * math.log(2)), usual, product
        )

    def gauss(self, x: Number) -> Number:
        """exp(-x²), with the rounding error of the square."""
        return self._gauss(x, 1.0)

    def _gauss(self, x: Number, factor: float, halvings: int = 0) -> Number:
        """exp(-x² factor) / 2 ** halvings, for a factor that is a power of two."""
        square, lost = self.product(x, x)
        return self._exp(-factor * square, -factor * lost, halvings)

    def _reduced(self, x: Number) -> tuple[Number, Number, Number]:
        """Find n + magic, r and a small rest, where x = n ln 2 + r + rest."""
        shifted = self.muladd(x, self.c.log2_e[0], self.form.magic)
        n, (high, low) = shifted - self.form.magic, self.c.ln2
        r, rest = self.muladd(n, -high, x), n * -low
        total = r + rest
        return shifted, total, (r - total) + rest

    def _series(self, r: Number) -> Number:
        """exp(r) for small numbers."""
        return 1.0 + self.muladd(r * r, self.polynomial(r, self.c.exp), r)

    def _exp_within(self, x: Number) -> Number:
        """exp(x) for numbers up to the size `normal`; of nan it may be any number."""
        shifted, r = self._turned_down(x)
        return self._moved(self._series(r), shifted)

    def _exp(self, x: Number, low: Number | None = None, halvings: int = 0) -> Number:
        """exp(x + low) / 2 ** halvings, for a small `low`."""
        shifted, r = self._turned_down(x, low)
        if halvings:
            shifted = shifted - float(halvings)
        ends = self.c.lowest + halvings, self.c.highest
        return self._raised(x, self._series(r), shifted, self.normal - abs(halvings), ends)

    def _raised(
        self, x: Number, factor: Number, shifted: Number, usual: float, ends: tuple[float, float]
    ) -> Number:
        """Return the factor times 2 ** n, given n + magic, for a power with the exponent x.

        Up to the size `usual` of x, it is a normal number; beyond the `ends`, it is 0 or infinite.
        """

        def at_limits() -> Number:
            value = self._scaled(factor, self.whole(shifted))
            value = self.select(self.compare(">", x, ends[1]), math.inf, value)
            return self.select(self.compare("<", x, ends[0]), 0.0, value)

        return self.rarely(self.exceeds(abs(x), usual), self._moved(factor, shifted), at_limits)

    @property
    def normal(self) -> float:
        """Up to this size of x, exp(x) is a normal number."""
        return (self.form.bias - 2) * math.log(2)

    def _turned_down(self, x: Number, low: Number | None = None) -> tuple[Number, Number]:
        """Find n + magic and r, where x + low = n ln 2 + r; the rounding error of r is lost."""
        shifted = self.muladd(x, self.c.log2_e[0], self.form.magic)
        n, (high_ln2, low_ln2) = shifted - self.form.magic, self.c.ln2
        r = self.muladd(n, -high_ln2, x)
        if low is None:
            return shifted, self.muladd(n, -low_ln2, r)
        return shifted, r + self.muladd(n, -low_ln2, low)

    def _moved(self, x: Number, shifted: Number) -> Number:
        """Return x 2 ** n, given n + magic, if that is a normal number."""
        moved = self.build.shl(self.bits(shifted), self.word(self.form.digits))
        return self.of_bits(self.build.add(self.bits(x), moved))

    def _scaled(self, x: Number, n: Any) -> Number:
        """Return x 2 ** n, by two factors, since n may exceed the exponents of normal numbers."""
        half = self.build.ashr(n, self.word(1))
        return x * self.power_of_two(half) * self.power_of_two(self.build.sub(n, half))

    def _quarter(self, x: Number) -> Number:
        """(exp(x) - 1) / 4, which is finite wherever sinh is."""
        x = self.larger(self.smaller(x, self.c.highest), -2 * self.c.flat)
        shifted, r, rest = self._reduced(x)
        tail = self.muladd(r * r, self.polynomial(r, self.c.exp), rest)
        scale = self.power_of_two(self.build.sub(self.whole(shifted), self.word(2)))
        base = scale - 0.25
        total = self.muladd(scale, r, base)
        lost = self.muladd(scale, r, base - total)
        return total + self.muladd(scale, tail, lost)

    def _unless_tiny(self, x: Number, result: Number) -> Number:
        """The result of an odd function with slope 1 at 0, where x² is not lost beside 1."""
        return self.select(self.compare("<", abs(x), 2.0 ** (-self.form.digits - 2)), x, result)

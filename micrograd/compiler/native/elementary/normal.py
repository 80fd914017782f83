"""The error function and the normal law.

Source of erf: Cephes (Moshier, 1989).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from micrograd.compiler.native.elementary import coefficients as tables
from micrograd.compiler.native.elementary.angles import Angles
from micrograd.compiler.native.elementary.lanes import DOUBLE, Number
from micrograd.table.floats import ERF_DENOMINATOR, ERF_NUMERATOR
from micrograd.table.parts import GELU

_MORE = 10
_BACK = 2.0**-_MORE


class NormalLaw(Angles):
    """The error function and what belongs to it."""

    def erf(self, x: Number) -> Number:
        """The error function."""
        size, square = abs(x), x * x
        if self.form == DOUBLE:
            ratio = self._ratio(square, ERF_NUMERATOR[::-1], ERF_DENOMINATOR[::-1])
            border, near = 1.0, x * ratio
            far_x = self.larger(self.smaller(size, 6.0), 1.0)  # beyond, the result is 1
            ratio = self._ratio(far_x, tables.ERFC_NUMERATOR, tables.ERFC_DENOMINATOR)
            far = 1.0 - self._exp(-(far_x * far_x)) * ratio
        else:
            border = 0.72
            near = self.muladd(x, self.polynomial(square, tables.ERF_SINGLE), x)
            root = self.horner(self.smaller(size, 3.95), tables.ERFC_ROOT_SINGLE)
            root = root * root
            far = self.muladd(-root, root, 1.0)
        return self.select(size < border, near, self.turned(far, x))

    def _ratio(self, x: Number, above: Sequence[float], below: Sequence[float]) -> Number:
        return self.horner(x, above) / self.horner(x, below)

    def erfc(self, x: Number) -> Number:
        """1 - erf(x)."""
        size = self.smaller(abs(x), 28.0)
        tail = 2.0 * self._above(size * math.sqrt(2)) * self.gauss(x)
        return self.select(self.compare("<", x, 0.0), 2.0 - tail, tail)

    def ndtr(self, x: Number) -> Number:
        """The distribution function of the normal law."""
        tail = self._above(self._bounded(x)) * self._density(x) * _BACK
        return self.select(self.compare(">", x, 0.0), 1.0 - tail, tail)

    def log_ndtr(self, x: Number) -> Number:
        """The logarithm of `ndtr`."""
        size = abs(x)
        above = self._above(size)
        left = self.log(above) - 0.5 * size * size
        right = self.log1p(-(above * self._density(x) * _BACK))
        return self.select(self.compare(">", x, 0.0), right, left)

    def log_ndtr_slope(self, x: Number) -> Number:
        """The derivative of `log_ndtr`: far below 0, a continued fraction."""
        size, root = abs(x), math.sqrt(2 * math.pi)
        above, density = self._above(size), self._gauss(x, 0.5)
        right = density / (root * (1.0 - above * density))
        slope = self.select(self.compare(">", x, 0.0), right, 1.0 / (root * above))

        def far() -> Number:
            value = size
            for k in range(6, 0, -1):
                value = size + float(k) / value
            return value

        border = -39.0 if self.form == DOUBLE else -14.0
        return self.rarely(self.compare("<", x, border), slope, far)

    def gelu(self, x: Number) -> Number:
        """The product of x and `ndtr`."""
        size = self._bounded(x)
        above, density = self._above(size), self._density(x)
        left = -size * above * density * _BACK
        right = x * (1.0 - above * density * _BACK)
        return self.select(self.compare("<", x, 0.0), left, right)

    def gelu_slope(self, x: Number) -> Number:
        """The derivative of gelu: for negative x a tail, for positive x 1 minus a tail."""
        size = self._bounded(x)
        slope = self.muladd(size, -1 / math.sqrt(2 * math.pi), self._above(size))
        left = slope * self._density(x) * _BACK
        slope = self.select(self.compare("<", x, 0.0), left, 1.0 - left)
        t = (x - self.c.gelu_zero[0]) - self.c.gelu_zero[1]
        near = t * self.polynomial(x + 0.75, GELU)
        return self.select(self.compare("<", abs(t), 0.49), near, slope)

    def _density(self, x: Number) -> Number:
        """exp(-x²/2) / _BACK, so that it keeps its digits where its multiples are normal."""
        return self._gauss(x, 0.5, -_MORE)

    def _above(self, t: Number) -> Number:
        """exp(t²/2) Φ(-t), for positive t."""
        inverse = 1.0 / (t + 4.0)
        table = tables.TAIL if self.form == DOUBLE else tables.TAIL_SINGLE
        u = self.muladd(inverse, -8.0, 1.0)
        return inverse * self.muladd(u, self.polynomial(u, table[1:]), table[0])

    def _bounded(self, x: Number) -> Number:
        """|x|, capped where Φ(-|x|) is 0; a nan is kept."""
        size = abs(x)
        return self.select(self.compare("<=", size, math.inf), self.smaller(size, 40.0), size)

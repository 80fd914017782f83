"""log and the functions that follow from it.

Sources: log and log1p after fdlibm (Sun, 1993), log2 and log10 after FreeBSD's libm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.compiler.native.elementary.coefficients import Pair
from micrograd.compiler.native.elementary.exponentials import Exponentials
from micrograd.compiler.native.elementary.lanes import DOUBLE, Number

_SQRT_HALF = {52: 0x3FE6A09E667F3BCD, 23: 0x3F3504F3}  # the bits of sqrt(1/2), by digits


class Logarithms(Exponentials):
    """Logarithms and the inverse hyperbolic functions."""

    def log(self, x: Number) -> Number:
        """The natural logarithm."""
        return self._for_normal(x, "log", lambda k, f: self._logarithm(f, k))

    def log1p(self, x: Number) -> Number:
        """log(1 + x)."""
        return self.signed(self._log1p(x), x)

    def logit(self, x: Number) -> Number:
        """log(x / y) for y = 1 - x: for x / y = 2 ** k (1 + s) / (1 - s), k ln 2 + 2 atanh(s)."""
        y, build = 1.0 - x, self.build
        lost = (1.0 - y) - x
        # Bits count like logarithms to base 2, which are that of a quotient by their difference.
        half, digits = self.word(1 << self.form.digits - 1), self.word(self.form.digits)
        bits = self.bits(x)
        bits_of_k = build.ashr(build.add(build.sub(bits, self.bits(y)), half), digits)
        k, (high, low) = self.as_number(bits_of_k), self.c.ln2
        scaled = self.of_bits(build.sub(bits, build.shl(bits_of_k, digits)))
        s = ((scaled - y) - lost) / (scaled + y)
        z = s * s
        rest = self.muladd(k, low, s * z * self.polynomial(z, self.c.logit))
        is_usual = build.and_(self.compare(">=", x, self.form.tiny), self.compare("<", x, 1.0))
        value = self.muladd(k, high, s + s + rest)
        return self.rarely(build.not_(is_usual), value, lambda: self.library("log", x / y))

    def softplus(self, x: Number) -> Number:
        """log(1 + exp(x))."""
        return self._log_of_sum(self.larger(x, 0.0), abs(x))

    def logaddexp(self, x: Number, y: Number) -> Number:
        """log(exp(x) + exp(y))."""
        size = self.select(self.compare("==", x, y), 0.0, abs(x - y))  # of infinities, too
        return self._log_of_sum(self.larger(x, y), size)

    def _log_of_sum(self, larger: Number, size: Number) -> Number:
        """The logarithm of a sum of exponentials, given the larger argument and their distance."""
        e = self._exp_within(-self.smaller(size, self.normal))
        s = e / (e + 2.0)
        z = s * s
        log = self.muladd(s * z, self.polynomial(z, self.c.half_logit), s + s)
        far = self.exceeds(size, self.normal)
        return larger + self.rarely(far, log, lambda: self._exp(-size))

    def logaddexp_slope_x(self, x: Number, y: Number) -> Number:
        """The derivative of logaddexp by x."""
        return self._logaddexp_slope(x, y, 1.0)

    def logaddexp_slope_y(self, x: Number, y: Number) -> Number:
        """The derivative of logaddexp by y."""
        return self._logaddexp_slope(x, y, -1.0)

    def _logaddexp_slope(self, x: Number, y: Number, sign: float) -> Number:
        """The sigmoid s of d = x - y, or of -d, with what d has lost by rounding.

        It loses s(d) s(-d) times as much.
        """
        d = x - y
        back = d - x
        lost = (x - (d - back)) - (y + back)
        e = self._exp_within(-self.smaller(abs(d), self.normal))
        inverse = 1.0 / (1.0 + e)
        small = e * inverse
        is_above = self.compare(">", sign * d, 0.0)
        slope = self.select(is_above, inverse, small)
        slope = self.muladd(sign * lost, inverse * small, slope)

        def far() -> Number:
            distance = sign * d
            value = self._exp(self.smaller(distance, 0.0))
            keeps = self.build.and_(distance < 0.0, distance > -800.0)
            value = self.select(keeps, value * (sign * lost + 1.0), value)
            return self.select(self.compare("==", x, y), 0.5, value)

        return self.rarely(self.exceeds(abs(d), self.normal), slope, far)

    def log2(self, x: Number) -> Number:
        """The logarithm to base 2."""
        return self._to_base(x, "log2", (1.0, 0.0), self.c.log2_e)

    def log10(self, x: Number) -> Number:
        """The logarithm to base 10."""
        return self._to_base(x, "log10", self.c.log10_2, self.c.log10_e)

    def asinh(self, x: Number) -> Number:
        """The inverse of sinh: log1p(|x| + x² / (1 + sqrt(1 + x²)))."""
        size = abs(x)
        square = x * x
        argument = size + square / (1.0 + self.sqrt(1.0 + square))
        is_large = size > self.c.large
        argument = self.select(is_large, size, argument)
        return self.signed(self._log1p(argument, self.select(is_large, 1.0, 0.0)), x)

    def acosh(self, x: Number) -> Number:
        """The inverse of cosh: with t = x - 1, log1p(t + sqrt(t (t + 2)))."""
        t = x - 1.0
        is_large = x > self.c.large
        argument = self.select(is_large, x, t + self.sqrt(t * (t + 2.0)))
        value = self._log1p(argument, self.select(is_large, 1.0, 0.0))
        return self.select(self.compare("<", x, 1.0), math.nan, value)

    def atanh(self, x: Number) -> Number:
        """The inverse of tanh: log1p(2|x| / (1 - |x|)) / 2."""
        size = abs(x)
        return self.signed(0.5 * self._log1p((size + size) / (1.0 - size)), x)

    def _normal(self, x: Number) -> tuple[Number, Number]:
        """Return x, or a multiple of it if it is subnormal, and the exponent of the factor."""
        is_tiny = x < self.form.tiny
        moved = self.form.digits + 2.0
        return self.select(is_tiny, x * 2.0**moved, x), self.select(is_tiny, moved, 0.0)

    def _split(self, x: Number) -> tuple[Number, Any]:
        """Find m and the bits of k, where x = m 2 ** k and sqrt(1/2) <= m < sqrt(2)."""
        digits, bits = self.word(self.form.digits), self.bits(x)
        # Subtracting the bits of sqrt(1/2) makes the exponent count from there.
        k = self.build.ashr(self.build.sub(bits, self.word(_SQRT_HALF[self.form.digits])), digits)
        return self.of_bits(self.build.sub(bits, self.build.shl(k, digits))), k

    def _atanh_terms(self, f: Number, table: Sequence[float]) -> tuple[Number, Number]:
        """f²/2 and a small rest, where log(1 + f) = f - f²/2 + rest."""
        s = f / (f + 2.0)
        z = s * s
        half = 0.5 * f * f
        return half, s * self.muladd(z, self.polynomial(z, table), half)

    def _logarithm(self, f: Number, k: Number) -> Number:
        """The sum of k ln 2 and log(1 + f)."""
        half, rest = self._atanh_terms(f, self.c.log)
        low = self.muladd(k, self.c.ln2[1], rest)
        return self.muladd(k, self.c.ln2[0], f - (half - low))

    def _at_limits(self, x: Number, value: Number) -> Number:
        """A logarithm of x, also where that is not finite."""
        value = self.select(self.compare("<", x, math.inf), value, x)  # inf and nan are kept
        value = self.select(self.compare("<", x, 0.0), math.nan, value)
        return self.select(self.compare("==", x, 0.0), -math.inf, value)

    def _log1p(self, x: Number, more: Any = 0.0) -> Number:
        """log(1 + x) + more ln 2; +0 for zeros.

        For 1 + x = 2 ** k (1 + f), f is rounded once: it is 2 ** -k x + (2 ** -k - 1).
        """
        is_large = x > self.c.large
        shrink = 64.0 if self.form == DOUBLE else 32.0
        part, one = self.select(is_large, x * 2.0**-shrink, x), self.select(is_large, 0.0, 1.0)
        whole = part + one
        _, bits = self._split(whole)
        scale = self.power_of_two(self.build.sub(self.word(0), bits))
        f = self.muladd(part, scale, one * scale - 1.0)
        k = self.as_number(bits) + self.select(is_large, shrink, 0.0)
        return self._at_limits(whole, self._logarithm(f, k + more))

    def _to_base(self, x: Number, name: str, unit: Pair, factor: Pair) -> Number:
        """The product of `unit` and k, plus that of `factor` and log(m), where x = m 2 ** k."""

        def combined(k: Number, f: Number) -> Number:
            half, rest = self._atanh_terms(f, self.c.log)
            high = f - half
            low = ((f - high) - half) + rest
            whole = k * unit[0]
            total = self.muladd(high, factor[0], whole)
            lost = self.fused(high, factor[0], whole - total)
            low = self.muladd(low, factor[0], self.muladd(high, factor[1], lost))
            return total + (self.muladd(k, unit[1], low) if unit[1] else low)

        return self._for_normal(x, name, combined)

    def _for_normal(
        self, x: Number, name: str, combined: Callable[[Number, Number], Number]
    ) -> Number:
        """A logarithm: a function of k and m - 1, where x = m 2 ** k, written for normal numbers.

        Other numbers are rare: the C library has their logarithm.
        """
        m, bits = self._split(x)
        build, digits = self.build, self.form.digits
        above = build.sub(self.bits(x), self.word(1 << digits))  # the bits of the smallest one
        is_normal = build.icmp_unsigned("<", above, self.word(2 * self.form.bias << digits))
        usual = combined(self.as_number(bits), m - 1.0)
        return self.rarely(self.build.not_(is_normal), usual, lambda: self.library(name, x))

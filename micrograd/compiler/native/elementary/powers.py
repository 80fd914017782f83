"""Powers and roots.

Source of the accurate logarithm: Muller et al., Handbook of Floating-Point Arithmetic (2018).
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

from micrograd.compiler.native.elementary import coefficients as tables
from micrograd.compiler.native.elementary.lanes import DOUBLE, Number
from micrograd.compiler.native.elementary.logarithms import Logarithms
from micrograd.compiler.native.writing import word


class Powers(Logarithms):
    """Powers, roots, and remainders."""

    def power(self, x: Number, y: Number) -> Number:
        """A power, in doubles with the logarithm to 66 bits."""
        size = abs(x)
        scaled, moved = self._normal(size)
        m, bits = self._split(scaled)
        k = self.as_number(bits) - moved
        f = m - 1.0
        # s = f / (2 + f) and log(m) = 2 s (1 + z / 3 + …), each as a sum of two numbers.
        below, lost = self.quick_sum(self.number(2.0), f)
        inverse = 1.0 / below
        s = f * inverse
        s_low = (self.fused(-s, below, f) - s * lost) * inverse
        z = s * s
        z_low = self.muladd(s + s, s_low, self.fused(s, s, -z))
        third, third_low = self.c.third
        u, lost = self.product(z, third)
        lost = lost + self.muladd(z_low, third, z * third_low)
        u, u_low = self.quick_sum(u, self.muladd(z * z, self.polynomial(z, tables.LOG_TAIL), lost))
        p, lost = self.product(s, u)
        lost = lost + self.muladd(s, u_low, s_low * u)
        high, rest = self.quick_sum(s, p)
        rest = rest + (lost + s_low)
        # Add k ln 2.
        total, lost = self.quick_sum(k * self.c.ln2[0], high + high)
        log, log_low = self.quick_sum(total, lost + self.muladd(k, self.c.ln2[1], rest + rest))
        return self._power_by_log(x, y, log, log_low)

    def power_of_floats(self, x: Number, y: Number) -> Number:
        """A power of floats, computed in doubles to some 30 bits."""
        m, bits = self._split(abs(x))
        f, k = m - 1.0, self.as_number(bits)
        half, rest = self._atanh_terms(f, tables.LOG_HALF)
        log = self.muladd(k, math.log(2), f - (half - rest))
        return self._power_by_log(x, y, log, None)

    def _power_by_log(self, x: Number, y: Number, log: Number, low: Number | None) -> Number:
        """A power, given the logarithm of |x|; special numbers as in the C library."""
        size, nan, inf = abs(x), math.nan, math.inf
        # Larger exponents give the same result, and an infinite one would give nan.
        bound = self.larger(self.smaller(y, 2.0**65), -(2.0**65))
        exponent = bound * log
        if low is not None:
            low = self.muladd(bound, low, self.fused(bound, log, -exponent))
        far = self.signed(self.number(1e4), y)
        exponent = self.select(self.compare("==", size, 0.0), -far, exponent)
        exponent = self.select(self.compare("==", size, inf), far, exponent)
        if low is None:
            clamped = self.larger(self.smaller(exponent, 700.0), -700.0)
            shifted, r = self._turned_down(clamped)
            series = 1.0 + self.muladd(r * r, self.polynomial(r, tables.EXP_HALF), r)
            power = self._moved(series, shifted)
        else:
            low = self.select(self.compare("<", abs(exponent), 800.0), low, 0.0)
            power = self._exp(exponent, low)
        # A negative base: the exponent is whole, or the result is nan; odd, and it is negative.
        half = 0.5 * y
        build = self.build
        is_odd = build.and_(
            self.compare("!=", half, self.intrinsic("trunc", half)),
            self.compare("==", y, self.intrinsic("trunc", y)),
        )
        power = self.select(is_odd, self.signed(power, x), power)
        is_broken = build.and_(
            self.compare("<", x, 0.0), self.compare("!=", y, self.intrinsic("trunc", y))
        )
        is_broken = build.and_(is_broken, self.compare("<", size, inf))
        power = self.select(is_broken, nan, power)
        power = self.select(build.fcmp_unordered("uno", x.ir, y.ir), nan, power)
        is_one = build.or_(self.compare("==", y, 0.0), self.compare("==", x, 1.0))
        return self.select(is_one, 1.0, power)

    def whole_power(self, x: Number, n: Any) -> Number:
        """A power with a whole exponent from -15 to 15, which is a word, as products."""
        build, zero = self.build, word(0)
        is_negative = build.icmp_signed("<", n, zero)
        size = build.select(is_negative, build.sub(zero, n), n)
        base = self.branch(is_negative, lambda: 1.0 / x, x)
        result = self.number(1.0)
        for place in range(4):
            bit = build.trunc(build.lshr(size, word(place)), ir.IntType(1))
            result = self.select(bit, result * base, result)
            base = base * base
        return result

    def half_power(self, x: Number, y: Number) -> Number:
        """A power with an exponent y that is 1/2 or -1/2 in all lanes."""
        root = self.sqrt(x) + 0.0  # of -0, it is +0
        root = self.select(self.compare("==", x, -math.inf), math.inf, root)
        return self.select(self.compare("<", y, 0.0), 1.0 / root, root)

    def remainder(self, x: Number, y: Number) -> Number:
        """The remainder with the sign of x, as fmod."""
        quotient = self.intrinsic("trunc", x / y)
        rest = self.fused(-quotient, y, x)
        # The quotient may have been rounded up to the next whole number.
        is_past = self.compare("<", self.signed(1.0, x) * rest, 0.0)
        rest = self.select(is_past, rest + self.signed(abs(y), x), rest)
        rest = self.signed(rest, x)
        is_hard = self.exceeds(abs(quotient), 2.0**52)
        is_hard = self.build.or_(is_hard, self.compare("==", abs(y), math.inf))
        return self.rarely(is_hard, rest, lambda: self.library("fmod", x, y))

    def cbrt(self, x: Number) -> Number:
        """The cube root, by two steps after Newton from a polynomial."""
        size = abs(x)
        build, form = self.build, self.form
        moved = 54.0 if form == DOUBLE else 24.0
        is_tiny = size < form.tiny
        scaled = self.select(is_tiny, size * 2.0**moved, size)
        digits, bits = self.word(form.digits), self.bits(scaled)
        exponent = build.sub(build.lshr(bits, digits), self.word(form.bias - 1))
        m = self.of_bits(build.sub(bits, build.shl(exponent, digits)))  # 1/2 <= m < 1
        k = self.as_number(exponent)
        shifted = self.muladd(k - 1.0, 1 / 3, form.magic)  # the quotient, rounded down
        rest = k - 3.0 * (shifted - form.magic)
        is_one, is_two = self.compare("==", rest, 1.0), self.compare("==", rest, 2.0)
        inverse = self.polynomial(m, self.c.root)
        inverse = inverse * self.select(
            is_two, 2 ** (-2 / 3), self.select(is_one, 2 ** (-1 / 3), 1.0)
        )
        m = m * self.select(is_two, 4.0, self.select(is_one, 2.0, 1.0))
        square = inverse * inverse
        e = self.fused(-(m * square), inverse, 1.0)
        inverse = self.muladd(inverse * e, self.muladd(e, 2 / 9, 1 / 3), inverse)
        square = inverse * inverse
        root = m * square
        high, low = self.product(root, root)
        error = self.fused(-root, high, m) - root * low
        root = self.muladd(error, square * (1 / 3), root)
        n = build.sub(
            self.whole(shifted), build.select(is_tiny, self.word(int(moved) // 3), self.word(0))
        )
        root = self.signed(root * self.power_of_two(n), x)
        is_ordinary = build.and_(self.compare(">", size, 0.0), self.compare("<", size, math.inf))
        return self.select(is_ordinary, root, x)

    def hypot(self, x: Number, y: Number) -> Number:
        """The length of a vector, whose squares are scaled where they would not fit."""
        double = self.form == DOUBLE
        x, y = abs(x), abs(y)
        largest = self.larger(x, y)
        is_large = largest > (2.0**500 if double else 2.0**60)
        is_small = largest < (2.0**-500 if double else 2.0**-40)
        down, up = (2.0**-600, 2.0**600) if double else (2.0**-80, 2.0**100)
        scale = self.select(is_large, down, self.select(is_small, up, 1.0))
        back = self.select(is_large, 1 / down, self.select(is_small, 1 / up, 1.0))
        a, b = x * scale, y * scale
        length = back * self.sqrt(self.muladd(a, a, b * b))
        length = self.select(self.compare("==", x, math.inf), math.inf, length)
        return self.select(self.compare("==", y, math.inf), math.inf, length)

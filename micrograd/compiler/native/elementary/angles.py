"""Trigonometric functions, their inverses, and the angles of vectors.

Sources: sin, asin and acos after fdlibm (Sun, 1993), atan after Cephes (Moshier, 1989), the
reduction by fused multiplication after Muller et al., Handbook of Floating-Point Arithmetic (2018).
"""

from __future__ import annotations

import math
from typing import Any

from micrograd.compiler.native.elementary.lanes import Number
from micrograd.compiler.native.elementary.powers import Powers


class Angles(Powers):
    """Trigonometric functions and their inverses."""

    def sin(self, x: Number) -> Number:
        """The sine."""
        return self._wave(x, "sin", 0)

    def cos(self, x: Number) -> Number:
        """The cosine."""
        return self._wave(x, "cos", 1)

    def tan(self, x: Number) -> Number:
        """The tangent, from that of half the angle; in odd quadrants, -1 divided by it."""
        shifted, r, low, is_far = self._turned(x)
        u = 0.5 * r
        z = u * u
        t = u + self.muladd(u * z, self.polynomial(z, self.c.tan), 0.5 * low)
        above, below = t + t, self.fused(-t, t, 1.0)
        is_odd = self._bit(shifted, 0)
        value = self.select(is_odd, -below, above) / self.select(is_odd, above, below)
        value = self._unless_tiny(x, value)
        return self.rarely(is_far, value, lambda: self.library("tan", x))

    def _turned(self, x: Number) -> tuple[Number, Number, Number, Any]:
        """Find n + magic, r and a small rest, where x = n π / 2 + r + rest; and where that fails.

        It fails for large numbers, and close to multiples of π / 2. Elsewhere the first product is
        subtracted exactly: it is a multiple of a unit of π / 2, and r is less than 2 ** 53 of these
        units.
        """
        high, low = self.c.half_pi
        size = abs(x)
        shifted = self.muladd(x, 2 / math.pi, self.form.magic)
        n = shifted - self.form.magic
        first = self.fused(n, -high, x)
        r = self.fused(n, -low, first)
        rest = self.fused(n, -low, first - r)
        is_close = self.compare("<", abs(r), abs(n) * self.c.close)
        return shifted, r, rest, self.build.or_(is_close, self.exceeds(size, self.c.turns))

    def _bit(self, shifted: Number, place: int) -> Any:
        """Whether n has a bit, given n + magic."""
        bits = self.build.and_(self.bits(shifted), self.word(1 << place))
        return self.build.icmp_unsigned("!=", bits, self.word(0))

    def _wave(self, x: Number, name: str, quadrant: int) -> Number:
        shifted, r, rest, is_far = self._turned(x)
        z = r * r
        sine = r + self.muladd(r * z, self.polynomial(z, self.c.sin), rest)
        half = 0.5 * z
        near = 1.0 - half
        tail = self.muladd(z * z, self.polynomial(z, self.c.cos), (1.0 - near) - half)
        cosine = near + (tail - r * rest)
        quadrants = shifted + float(quadrant) if quadrant else shifted
        value = self.select(self._bit(quadrants, 0), cosine, sine)
        value = self.select(self._bit(quadrants, 1), -value, value)
        if name == "sin":
            value = self.select(self.compare("==", x, 0.0), x, value)
        return self.rarely(is_far, value, lambda: self.library(name, x))

    def asin(self, x: Number) -> Number:
        """The inverse of sin."""
        high, low = self.c.half_pi
        is_large, s, rest = self._arc(x)
        far = (high - 2.0 * s) - (2.0 * rest - low)
        return self.signed(self.select(is_large, far, s + rest), x)

    def acos(self, x: Number) -> Number:
        """The inverse of cos."""
        high, low = self.c.half_pi
        is_large, s, rest = self._arc(x)
        angle = s + rest
        double = angle + angle
        far = self.select(self.compare("<", x, 0.0), 2 * high - (double - 2 * low), double)
        return self.select(is_large, far, high - (self.signed(angle, x) - low))

    def _arc(self, x: Number) -> tuple[Any, Number, Number]:
        """Whether |x| > 1/2; and s and asin(s) - s, where s = |x| or sqrt((1 - |x|) / 2)."""
        size = abs(x)
        is_large = size > 0.5
        z = self.select(is_large, self.muladd(size, -0.5, 0.5), x * x)
        s = self.select(is_large, self.sqrt(z), size)
        return is_large, s, s * z * self.polynomial(z, self.c.asin)

    def atan(self, x: Number) -> Number:
        """The inverse of tan."""
        return self.signed(self._angle(abs(x), self.number(1.0)), x)

    def atan2(self, y: Number, x: Number) -> Number:
        """The angle of a vector; the first operand is the ordinate."""
        high, low = self.c.half_pi
        a, b = abs(y), abs(x)
        is_large = self.larger(a, b) > 2.0 ** (self.form.bias - 3)
        scale = self.select(is_large, 2.0**-8, 1.0)
        angle = self._angle(a * scale, b * scale)
        is_left = self.build.icmp_signed("<", self.bits(x), self.word(0))
        angle = self.select(is_left, 2 * high - (angle - 2 * low), angle)
        angle = self.select(self.compare("!=", x, x), x, angle)
        return self.signed(angle, y)

    def _angle(self, a: Number, b: Number) -> Number:
        """The angle of a vector with ordinate a >= 0 and abscissa b >= 0.

        It is 0, π/4 or π/2, and the arctangent of a number below tan(π/8).
        """
        high, low = self.c.half_pi
        is_steep = a > 2.414213562373095 * b
        is_flat = self.build.or_(a < 0.41421356237309503 * b, self.compare("==", a, 0.0))
        equal = self.compare("==", a, b)
        above = self.select(is_steep, -b, self.select(is_flat, a, a - b))
        below = self.select(is_steep, a, self.select(is_flat, b, a + b))
        t = self.select(equal, 0.0, above / below)
        base = self.select(is_steep, high, self.select(is_flat, 0.0, 0.5 * high))
        rest = self.select(is_steep, low, self.select(is_flat, 0.0, 0.5 * low))
        z = t * t
        return base + (t + self.muladd(t * z, self.polynomial(z, self.c.atan), rest))

"""Numbers in a few characters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from micrograd.table.floats import to_float
from micrograd.writing.labels import shortened
from micrograd.writing.names import superscript

NO_GRADIENT = "—"


def as_float(x: Any) -> float | None:
    """The number of a Value's `data` or `grad`; None if something else was stored there."""
    try:
        return to_float(x)
    except (TypeError, ValueError, OverflowError):
        return None


def number(x: Any) -> str:
    """A number in a few characters: four decimals, or four digits if it is small or large.

    Zeros at the end are dropped only where nothing was rounded: `0.5` is exact, `0.5000` is not.
    """
    known = as_float(x)
    if known is None:
        return shortened(str(x))
    if (digits := _DIGITS.get()) is not None:
        return brief(known, digits)
    x, size = known, abs(known)
    if size == 0 or not math.isfinite(x):
        return f"{x:g}"
    if not 1e-3 <= size < 1e6:
        mantissa, exponent = _tidied(f"{x:.3e}", x).split("e")
        return f"{mantissa}e{int(exponent)}"
    return _tidied(f"{x:.4f}" if size >= 0.1 else f"{x:#.4g}", x)


def _tidied(text: str, x: float) -> str:
    if float(text) != x:
        return text
    digits, e, exponent = text.partition("e")
    return digits.rstrip("0").rstrip(".") + e + exponent


def gradient(grad: Any) -> str:
    """A gradient, or `—` for the integer 0, which it is until a backward pass reaches the value.

    `backward` leaves a float even where the derivative is 0; `zero_grad` sets the integer again.
    """
    return NO_GRADIENT if type(grad) is int and grad == 0 else number(grad)


_DIGITS: ContextVar[int | None] = ContextVar("digits", default=None)


@contextmanager
def significant(digits: int | None) -> Iterator[None]:
    """Within this context, `number` writes `digits` significant digits, without trailing zeros.

    >>> with significant(2):
    ...     number(2 / 3), number(0.1 * 8.5), number(1e-9 / 3)
    ('0.67', '0.85', '3.3e-10')
    """
    token = _DIGITS.set(checked_digits(digits))
    try:
        yield
    finally:
        _DIGITS.reset(token)


def checked_digits(digits: Any) -> int | None:
    """The number of significant digits, or None; ValueError if it is out of range."""
    if digits is not None and (type(digits) is not int or not 1 <= digits <= 17):
        raise ValueError(f"digits is a number of significant digits from 1 to 17, got {digits!r}")
    return digits


def rounded(x: Any, digits: int = 4) -> str:
    """A number with the given significant digits, without trailing zeros, as pictures show it.

    >>> [rounded(x) for x in (0.1 * 8.5, 2 / 3, -1234567.0, 1e-7, 1 / 30000)]
    ['0.85', '0.6667', '−1234567', '1×10⁻⁷', '3.333×10⁻⁵']
    """
    if as_float(x) is None:
        return shortened(str(x))
    text, e, power = brief(x, digits).replace("inf", "∞").partition("e")
    text = text.replace("-", "−")
    return f"{text}×10{superscript(power)}" if e else text


def typographic(text: str) -> str:
    """A formula in text with the signs of print, and powers of ten as such.

    >>> typographic("x1e2 - 2.5e-7 + 1e9")
    'x1e2 − 2.5·10⁻⁷ + 10⁹'
    """

    def power(found: re.Match[str]) -> str:
        digits, exponent = found.groups()
        return f"{'' if digits == '1' else f'{digits}·'}10{superscript(exponent)}"

    return _POWER.sub(power, text).replace("-", "−")


_POWER = re.compile(r"(?<![\w.])([0-9.]+)e(-?[0-9]+)")


def brief(x: Any, digits: int = 4) -> str:
    """A number with the given significant digits, and all digits before the point.

    Trailing zeros are dropped, whether or not the number was rounded.

    >>> brief(0.1 * 8.5), brief(-123456.7), brief(1e-9 / 3)
    ('0.85', '-123457', '3.333e-10')
    """
    known = as_float(x)
    if known is None:
        return shortened(str(x))
    x = known
    mantissa, e, power = f"{x + 0.0:.{digits - 1}e}".partition("e")
    if not e:  # not finite
        return mantissa
    if -4 <= int(power) < 7:
        return f"{x + 0.0:.{max(digits, int(power) + 1)}g}"
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(power)}"

"""Estimates of the noise of a function: single precision inside, iterations, tables of numbers.

The k-th differences of a smooth function at close, equally spaced points soon vanish as k grows;
those of noise stay, as large as the noise times a binomial coefficient (Hamming, Introduction to
Applied Numerical Analysis, 1971; Moré and Wild, Estimating Computational Noise, SIAM J. Sci.
Comput. 33, 2011). The median over the points distinguishes noise from a single kink or jump.

An iteration that stops at a tolerance is smooth as long as the number of its steps stays the same,
and yet inaccurate. That shows in the coefficients of a Chebyshev series over a wider range: those
of a smooth function fall until they reach the noise, where they level off.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from micrograd.testing.differences import PiecewiseFunction

_HALF = 8  # points on either side of the center
# The first reaches as far as the first step of the differences; one is not a power of two, so that
# not all keep step with numbers that were rounded.
_SPACINGS = (2.0**-7, 0.0031, 2.0**-11, 2.0**-14)
_ORDERS = (4, 5, 6, 7, 8)
_ALIKE = 3  # successive orders that show the same noise
_TINY = 1e-5  # of the function's size: a few jumps or kinks below this are noise, too
_DOUBLE = 2.0**-48  # of the function's size: less is rounding in doubles, which is bounded
_DEGREE = 64
_MIDDLE, _END = slice(24, 37), slice(48, 65)  # of the coefficients
_SMALL = 1e-3  # of the function's size: a larger tail of a series is a kink's


def level_beside(f: PiecewiseFunction, center: float, unit: float) -> float:
    """The noise of f near a point: how far f(x) may lie from a smooth function.

    It is 0 if no noise is seen: the differences vanish as those of a smooth function do, or the
    point is beside a branch.

    Args:
        f: the function, with its branches.
        center: the point.
        unit: the scale on which x varies.
    """
    return max(_at(f, center, unit, unit * spacing) for spacing in _SPACINGS)


def _at(f: PiecewiseFunction, center: float, unit: float, spacing: float) -> float:
    if abs(spacing) < 16 * math.ulp(center):
        return 0.0
    value, branches = f(center)
    if not math.isfinite(value):
        return 0.0
    values = [value]
    for side in (1, -1):
        for k in range(1, _HALF + 1):
            number, there = f(center + side * k * spacing)
            if there != branches or not math.isfinite(number):
                break
            values.append(number)
        values.reverse()
    # The points themselves are rounded, in proportion to their distance from 0.
    slope = (max(values) - min(values)) / (len(values) * abs(spacing))
    found = level(values)
    return found if found > 8 * _DOUBLE * slope * max(abs(center), unit) else 0.0


def level(values: Sequence[float], highest: int = _ORDERS[2], unsettled: float = 0.0) -> float:
    """The noise in equally spaced values of a function; 0 if no noise is seen.

    Args:
        values: the values.
        highest: the order of the highest differences. Those up to 8 show the noise of a function
            that bends, and also show a jump as noise.
        unsettled: what to return if the differences of no order are those of noise, since the
            function itself moves more.
    """
    spread: list[float] = []
    widest: list[float] = []
    row = list(values)
    for k in range(1, min(highest, len(values) // 2) + 1):
        row = [after - before for before, after in pairwise(row)]
        if k in _ORDERS:
            sizes = [abs(difference) / math.comb(k, k // 2) for difference in row]
            # Twice the middle coefficient bounds what one jump of size 1 leaves.
            spread.append(4 * median(sizes))
            widest.append(2 * max(sizes))
    size = max(map(abs, values))
    for first in range(len(spread) - _ALIKE + 1):  # the lowest orders may be the function's own
        near, far = spread[first : first + _ALIKE], widest[first : first + _ALIKE]
        if _stays(far) and far[-1] <= _TINY * size:
            found = max(far)
        elif _stays(near):  # the largest difference may be a kink's, which the median does not see
            found = min(max(far), 4 * max(near))
        else:
            continue
        return found if found > _DOUBLE * size else 0.0
    return unsettled


def tail(f: PiecewiseFunction, center: float, reach: float) -> float:
    """The noise of f within `reach` of a point, by the tail of its Chebyshev series.

    It is 0 if the coefficients do not level off, as beside a kink or a pole.
    """
    angles = [math.pi * j / _DEGREE for j in range(_DEGREE + 1)]
    found = [f(center + reach * math.cos(angle)) for angle in angles]
    values = [value for value, _ in found]
    if len({branches for _, branches in found}) > 1 or not all(map(math.isfinite, values)):
        return 0.0
    values[0], values[-1] = values[0] / 2, values[-1] / 2
    coefficients = []
    for k in range(_DEGREE + 1):
        waves = (value * math.cos(k * angle) for value, angle in zip(values, angles, strict=True))
        coefficients.append(abs(math.fsum(waves)) * 2 / _DEGREE)
    middle, end = median(coefficients[_MIDDLE]), median(coefficients[_END])
    # A jump of size 1 has the coefficients 2 / (pi k): about 1/48 or more at the middle and beyond.
    noise = 48 * max(middle, end)
    levels_off = middle <= 2.5 * end
    return noise if levels_off and noise <= _SMALL * max(coefficients) else 0.0


def has_jumps(f: Callable[[float], float], center: float, reach: float, least: float) -> bool:
    """Whether f jumps by at least so much within `reach` of a point.

    The half in which the function moves more is halved again, down to adjacent numbers.
    """
    low, high = center - reach, center + reach
    while low < (middle := (low + high) / 2) < high:
        below, value, above = f(low), f(middle), f(high)
        is_lower = abs(value - below) > abs(above - value)
        low, high = (low, middle) if is_lower else (middle, high)
    return abs(f(high) - f(low)) > least


def _stays(levels: Sequence[float]) -> bool:
    """Whether the levels of successive orders agree, where a smooth function's fall."""
    return min(levels) > 0 and max(levels) <= 8 * min(levels)


def is_single(number: float) -> bool:
    """Whether a number has no more digits than single precision."""
    try:
        return bool(struct.unpack("f", struct.pack("f", number))[0] == number)
    except OverflowError:
        return False

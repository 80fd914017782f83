"""Differentiation by differences, with an estimate of the error.

Central differences at steps that halve, extrapolated to step 0 (Richardson; the table and the
choice of the best entry are Ridders', Advances in Engineering Software 4, 1982). An entry's error
is the change against its neighbours plus what rounding does at its step. Only points of the same
branches are used; if one of the sides has none, the other side is used alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from itertools import pairwise
from typing import NamedTuple

PiecewiseFunction = Callable[[float], tuple[float, Hashable]]
"""The value at a number, and the branches taken there."""


class Estimate(NamedTuple):
    """A derivative by differences: how far it may be off, its largest step, and its side.

    The side is -1 or 1 for differences from one side, and 0 for central ones.
    """

    value: float
    error: float
    step: float = 0.0
    side: int = 0


class Slopes(NamedTuple):
    """What differences say: a derivative, or at a kink the derivatives from both sides."""

    estimate: Estimate | None
    left: Estimate | None = None
    right: Estimate | None = None
    jumps: bool = False  # whether the function is not continuous there

    @property
    def sides(self) -> list[Estimate]:
        """The derivatives from the left and from the right, as far as they are known."""
        return [side for side in (self.left, self.right) if side is not None]

    @property
    def is_kink(self) -> bool:
        """Whether there is a derivative from either side, and no other."""
        return self.estimate is None and len(self.sides) == 2

    def surround(self, number: float, error: float) -> bool:
        """Whether a number lies between the derivatives from both sides, up to an error."""
        low = [side.value - side.error - error for side in self.sides]
        high = [side.value + side.error + error for side in self.sides]
        return len(low) == 2 and min(low) <= number <= max(high)


_LEVELS = 9
_SHARP = 1e-12  # a relative error at which the search ends
_POOR = 1e-7  # a relative error at which another scale of steps is tried
# Scales of steps below the first, as powers of ½; the last are for features of the size 1e-300.
_DEPTHS = (9, 18, 27, 36, 45, 60, *range(80, 1060, 40))
_STENCILS = {0: (1.0, -1.0), 1: (2.0, 1.0), -1: (-1.0, -2.0)}


def differentiate(
    f: PiecewiseFunction,
    x: float,
    noise: float,
    step: float | None = None,
    *,
    thorough: bool = False,
) -> Slopes:
    """The derivative of a function at a number.

    Args:
        f: the function.
        x: the number.
        noise: how far rounding may move f(x).
        step: the first step to try, in place of the automatic one.
        thorough: whether to try all scales of steps.
    """
    search = _StepSearch(f, x, noise, thorough)
    if not math.isfinite(search.value):
        return Slopes(None)
    central = search.best(0, search.branches, step)
    if central is not None and (_is_sharp(central, _POOR) or not search.met_other_branches):
        return Slopes(central)
    sides = [search.best(side, search.branches, step) for side in (-1, 1)]
    if central is not None:
        found = [estimate for estimate in (central, *sides) if estimate is not None]
        return Slopes(min(found, key=lambda estimate: estimate.error))
    if search.met_other_branches:
        for place, side in enumerate((-1, 1)):
            sides[place] = sides[place] or search.best_beside(side, step)
    else:  # the border of the domain, where slopes often diverge
        sides = [side if side is not None and _is_sharp(side, 1e-6) else None for side in sides]
    left, right = sides
    if left is not None and right is not None:
        return search.at_kink(left, right)
    return Slopes(search.at_border(left or right))


def beside(f: PiecewiseFunction, x: float, noise: float) -> Slopes:
    """The derivatives of f from the left and from the right, where they exist."""
    search = _StepSearch(f, x, noise, thorough=False)
    return search.at_kink(*(search.best_beside(side, None) for side in (-1, 1)))


class _StepSearch:
    def __init__(self, f: PiecewiseFunction, x: float, noise: float, thorough: bool) -> None:
        self.f, self.x, self.thorough = f, x, thorough
        self.value, self.branches = f(x)
        self.noise = noise + abs(self.value) * 2.0**-53
        self.met_other_branches = False
        self.is_noisy = self.noise > 2.0**-36 * abs(self.value)

    def best(self, side: int, branches: Hashable, step: float | None) -> Estimate | None:
        """The best estimate from one side (0: from both) on the piece of those branches."""
        found: Estimate | None = None
        for first in self._scales(step):
            estimate = self._extrapolated(side, branches, first)
            if estimate is not None and (found is None or _is_better(estimate, found)):
                found = estimate
            if found is None or self.thorough:
                continue
            if _is_sharp(found, _POOR) or found.value == 0:
                break
            if self.is_noisy and self.noise * 2.0**11 > first * found.error:
                break  # finer steps would only add noise
        return found

    def best_beside(self, side: int, step: float | None) -> Estimate | None:
        """The derivative from one side on the piece that begins there."""
        for first in self._scales(step):
            near = self.x + side * first * 2.0**-_LEVELS
            value, branches = self.f(near)
            if math.isfinite(value) and (found := self.best(side, branches, step)) is not None:
                return found
        return None

    def at_kink(self, left: Estimate | None, right: Estimate | None) -> Slopes:
        """The derivatives from both sides, and whether the function is continuous there."""
        slopes = Slopes(None, left, right)
        jumps = slopes.is_kink and any(map(self._jumps, (-1, 1), slopes.sides))
        return slopes._replace(jumps=jumps)

    def at_border(self, estimate: Estimate | None) -> Estimate | None:
        """The derivative from one side, unless the function goes on at the other."""
        if estimate is None or self._jumps(estimate.side, estimate):
            return None
        beyond = self.x - estimate.side * max(estimate.step * 2.0**-_LEVELS, 4 * math.ulp(self.x))
        return None if math.isfinite(self.f(beyond)[0]) else estimate

    def _jumps(self, side: int, estimate: Estimate) -> bool:
        """Whether the value near the point does not approach the value at the point."""
        gaps = []
        for exponent in (10, 20, 30, 40, 50):
            h = max(estimate.step * 2.0**-exponent, 4 * math.ulp(self.x))
            gaps.append(abs(self.f(self.x + side * h)[0] - self.value))
        # The last two steps may be the same, the least that moves x.
        nearest = 4 * self.noise + 8 * math.ulp(self.x) * abs(estimate.value)
        return any(not gap <= nearest + before / 4 for before, gap in pairwise(gaps))

    def _scales(self, step: float | None) -> Iterator[float]:
        """First steps: powers of two, so that x ± h is exact or nearly so."""
        if step is not None:
            yield step
            return
        size = abs(self.x)
        tried: set[int] = set()
        depths = _DEPTHS if self.thorough else _DEPTHS[:4]
        for scale in (max(size, 1.0), size, *(max(size, 1.0) * 2.0**-k for k in depths)):
            exponent = math.frexp(scale)[1] - 4
            if scale and exponent not in tried and 2.0**exponent > math.ulp(self.x):
                tried.add(exponent)
                yield 2.0**exponent

    def _extrapolated(self, side: int, branches: Hashable, first: float) -> Estimate | None:
        order = 1 if side else 2  # the powers of h in the error: all, or the even ones
        best: Estimate | None = None
        above: list[float] = []  # the row of the table for the step before
        for level in range(_LEVELS):
            h = first * 2.0**-level
            difference = self._difference(side, branches, h)
            if difference is None:
                above = []
                continue
            slope, noise = difference
            row = [slope]
            for j, coarser in enumerate(above):
                row.append(row[j] + (row[j] - coarser) / (2.0 ** (order * (j + 1)) - 1))
                change = max(abs(row[j + 1] - row[j]), abs(row[j + 1] - coarser))
                estimate = Estimate(row[j + 1], 2 * change + 4 * noise, h * 2.0 ** (j + 1), side)
                converges = change <= 1e-4 * abs(estimate.value) + 4 * noise
                if converges and estimate.error < (best.error if best else math.inf):
                    best = estimate
            if best is not None and (_is_sharp(best, _SHARP) or noise > best.error):
                break
            above = row
        return best

    def _difference(self, side: int, branches: Hashable, h: float) -> tuple[float, float] | None:
        """The quotient of differences and its noise; None if a point cannot be used."""
        far, near = (self.x + factor * h for factor in _STENCILS[side])
        if far == near:
            return None
        (at_far, far_branches), (at_near, near_branches) = self.f(far), self.f(near)
        if far_branches != branches or near_branches != branches:
            self.met_other_branches = True
            return None
        width = far - near
        slope = (at_far - at_near) / width
        noise = (2 * self.noise + 2.0**-52 * max(abs(at_far), abs(at_near))) / width
        return (slope, noise) if math.isfinite(slope) and math.isfinite(noise) else None


def _is_better(finer: Estimate, coarser: Estimate) -> bool:
    """Whether an estimate from finer steps replaces one from coarser steps.

    It does if its error is smaller, or if it shows that the coarser steps miss what is there.
    """
    gap = abs(finer.value - coarser.value)
    missed = gap > finer.error + coarser.error and finer.error <= 0.01 * abs(finer.value)
    return missed or finer.error < coarser.error


def _is_sharp(estimate: Estimate, relative: float) -> bool:
    return estimate.error <= relative * abs(estimate.value)


def is_smooth(slope: Callable[[float], float], center: float, width: float, error: float) -> bool:
    """Whether a slope varies smoothly on the scale of a difference's step, so that it resolves it.

    The cubic through the slope at four points beside the center must predict four more, up to an
    `error`. The slope at the center itself, which is in question, is not used.
    """
    if not abs(width) > 64 * math.ulp(center):
        return False
    at = {t: (slope(center + width * t), slope(center - width * t)) for t in (1, 0.5, 0.25, 0.75)}
    seen = [number for pair in at.values() for number in pair]
    if not all(map(math.isfinite, seen)):
        return False
    even = {t: (above + below) / 2 for t, (above, below) in at.items()}
    odd = {t: (above - below) / 2 for t, (above, below) in at.items()}
    square = (even[1] - even[0.5]) * 4 / 3
    cubic = (odd[1] - 2 * odd[0.5]) * 4 / 3
    allowed = 0.02 * (max(seen) - min(seen)) + error
    return all(
        abs(even[1] + square * (t * t - 1) - even[t]) <= allowed
        and abs(t * (odd[1] + cubic * (t * t - 1)) - odd[t]) <= allowed
        for t in (0.25, 0.75)
    )


def resolved(
    f: PiecewiseFunction,
    x: float,
    noise: Callable[[float], float],
    slope: Callable[[float], float],
    error: float,
    first: float | None = None,
) -> Estimate | None:
    """The best derivative whose steps resolve the function, from ever smaller steps, or None.

    Args:
        f: the function.
        x: where to differentiate it.
        noise: the rounding of f at a number.
        slope: the derivative to be checked, as a function.
        error: the rounding of that derivative.
        first: the first step to try, in place of the automatic one.
    """
    best: Estimate | None = None
    for _ in range(9):
        found = differentiate(f, x, noise(x), first, thorough=first is None).estimate
        if found is None:
            break
        sides = (found.side,) if found.side else (1, -1)
        outermost = (x + side * found.step for side in sides)
        found = found._replace(error=found.error + 4 * max(map(noise, outermost)) / found.step)
        if resolves(found, x, slope, error) and (best is None or found.error < best.error):
            best = found
        first = found.step / 64
        if best is not None or x + first == x:
            break
    return best


def resolves(estimate: Estimate, x: float, slope: Callable[[float], float], error: float) -> bool:
    """Whether the steps of an estimate are fine enough for the function."""
    unit = math.ulp(x)
    nearest = [slope(x + k * unit) for k in (-2, -1, 1, 2)]
    if max(nearest) - min(nearest) > 0.1 * max(map(abs, nearest)) + error:
        return False  # the slope differs at the next number: no step is fine enough
    return is_smooth(slope, x + estimate.side * 1.5 * estimate.step, estimate.step, error)

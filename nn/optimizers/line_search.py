"""The search along a line for a point with the strong Wolfe conditions, as in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.optimizers.optimizer import Array

_DECREASE = 1e-4  # of what the slope at the start promises: the least decrease
_FLATTER = 0.9  # of the slope at the start: the steepest slope at the end
_EDGE = 0.1  # of a bracket, from its ends: points that are nearer make too little progress


class Place(NamedTuple):
    """A point of the line: how far it is, the loss, the gradient, and the slope along the line."""

    t: float
    loss: float
    gradient: Array
    slope: float


def search(
    at: Callable[[float], tuple[float, Array]],
    start: Place,
    direction: Array,
    first: float,
    most: int,
    tolerance: float,
) -> Place:
    """Return the best point that was found, which is `start` if the loss falls nowhere.

    A bracket is widened, then narrowed by cubic interpolation (Nocedal and Wright, Numerical
    Optimization, 2006, algorithms 3.5 and 3.6).

    Args:
        at: the loss and its gradient at a distance along the direction.
        start: the place at distance 0.
        direction: the direction, downhill.
        first: the first distance to try.
        most: the most points to try after the first one.
        tolerance: end where the numbers would change by less than this.
    """

    def placed(t: float) -> Place:
        loss, gradient = at(t)
        return Place(t, loss, gradient, float(gradient @ direction))

    def is_high(place: Place) -> bool:
        return not place.loss <= start.loss + _DECREASE * place.t * start.slope

    def is_flat(place: Place) -> bool:
        return abs(place.slope) <= -_FLATTER * start.slope

    before, here, count = start, placed(first), 0
    while count < most:
        if is_high(here) or (count > 1 and here.loss >= before.loss):
            break
        if is_flat(here):
            return here
        if not here.slope < 0:
            break
        bounds = here.t + 0.01 * (here.t - before.t), 10 * here.t
        before, here, count = here, placed(_lowest(before, here, bounds)), count + 1
    else:
        before = start
    low, high = (here, before) if here.loss < before.loss else (before, here)  # which may be nan
    width, is_slow = float(np.abs(direction).max()), False
    while count < most and not abs(high.t - low.t) * width <= tolerance:
        left, right = sorted((low.t, high.t))
        t = _lowest(*((before, here) if before.t <= here.t else (here, before)), (left, right))
        edge = _EDGE * (right - left)
        if min(right - t, t - left) < edge:
            if is_slow or not left < t < right:
                t = right - edge if abs(t - right) < abs(t - left) else left + edge
                is_slow = False
            else:
                is_slow = True
        else:
            is_slow = False
        place, count = placed(t), count + 1
        if is_high(place) or place.loss >= low.loss:
            high = place
            if high.loss < low.loss:
                low, high = high, low
        else:
            if is_flat(place):
                return place
            if place.slope * (high.t - low.t) >= 0:
                high = low
            low = place
        before, here = low, high
    return low


def _lowest(one: Place, other: Place, bounds: tuple[float, float]) -> float:
    """Where the cubic through two points, the first one on the left, is lowest between bounds."""
    across = one.slope + other.slope - 3 * (one.loss - other.loss) / (one.t - other.t)
    square = across * across - one.slope * other.slope
    least, largest = bounds
    if not square >= 0:  # also if it is nan
        return (least + largest) / 2
    root = math.sqrt(square)
    share = (other.slope + root - across) / (other.slope - one.slope + 2 * root or math.nan)
    t = other.t - (other.t - one.t) * share
    return min(max(t, least), largest) if math.isfinite(t) else (least + largest) / 2

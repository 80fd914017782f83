"""Richardson's table: quotients of differences at steps that halve, extrapolated to step 0.

The entry with the smallest estimated error is chosen (Ridders, Advances in Engineering Software 4,
1982). The arrays have an axis for the rows, or directions, one for the steps from the largest to
the smallest, and one for the outputs of the function.
"""

from __future__ import annotations

from functools import cache

import numpy as np

_COLUMNS = 7  # of the table: higher orders gain nothing
_SLOW = 0.3  # the share of a change that is left at the next step: more for a fractional power
_SEEN = 3  # of the smallest steps: how far the quotients there vary shows noise


def extrapolated(
    quotients: np.ndarray, rounding: np.ndarray, ratio: int, allowed: float
) -> tuple[np.ndarray, np.ndarray]:
    """The best entry of Richardson's table for each row and output, and its error.

    Quotients at smaller steps deny an entry if they are farther off than its own, by more than
    `allowed` times their rounding.
    """
    column, candidates, errors, growth = quotients, [], [], 1.0
    change = column[:, 1:] - column[:, :-1]
    for order in range(1, min(_COLUMNS, quotients.shape[1] - 2) + 1):
        power = float(ratio) ** order
        column = column[:, 1:] + change / (power - 1)
        growth *= (power + 1) / (power - 1)  # of rounding
        size, change = abs(change), column[:, 1:] - column[:, :-1]
        # A change that is smaller than its predecessor lets expect is small by accident.
        least = np.maximum(np.maximum(size[:, 1:], size[:, :-1] / power), _rest(abs(change)))
        candidates.append(column[:, 1:])
        errors.append(least + growth * rounding[:, order + 1 :])
    everything, error = np.concatenate(candidates, axis=1), np.concatenate(errors, axis=1)
    limit, least = _best(everything, error)
    apart = abs(quotients - limit[:, None])
    # If each step comes closer but for its rounding, which doubles, none can deny the limit.
    if not (apart[:, 1:] > apart[:, :-1] + allowed / 2 * rounding[:, 1:]).any():
        return limit, least
    return _best(everything, error + _denial_below(quotients, allowed * rounding, everything))


def _rest(change: np.ndarray) -> np.ndarray | float:
    """What a geometric series adds to each entry of a column whose changes are slow as one.

    So it is at the border of a domain, where a fractional power of the step remains.
    """
    ratio = change[:, 1:] / change[:, :-1]
    before, now = ratio[:, :-1], ratio[:, 1:]
    is_slow = (now > _SLOW) & (now < 1) & (abs(now - before) <= 0.05 * now)
    if not is_slow.any():
        return 0.0
    rest = np.zeros_like(change)
    rest[:, 2:] = np.where(is_slow, change[:, 2:] * now / (1 - now), 0.0)
    return rest


def _best(limits: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    error = np.where(np.isfinite(error), error, np.inf)
    best = error.argmin(axis=1)[:, None]
    return (
        np.take_along_axis(limits, best, axis=1)[:, 0],
        np.take_along_axis(error, best, axis=1)[:, 0],
    )


def _denial_below(quotients: np.ndarray, allowed: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """By how much quotients at smaller steps deny each entry of Richardson's table.

    The quotients of a function that is resolved come ever closer to the limit. Those of steps that
    are many periods of an oscillation may agree by accident, and smaller steps show it.
    """
    last = _last_levels(quotients.shape[1])
    floors, ceilings = quotients - allowed, quotients + allowed
    floors[:, ::-1] = np.fmax.accumulate(floors[:, ::-1], axis=1)
    ceilings[:, ::-1] = np.fmin.accumulate(ceilings[:, ::-1], axis=1)
    beyond = np.maximum(floors[:, last] - limits, limits - ceilings[:, last])
    own = np.maximum(abs(quotients[:, last] - limits), abs(quotients[:, last - 1] - limits))
    found: np.ndarray = np.fmax(beyond - own, 0.0)
    return found


@cache
def _last_levels(count: int) -> np.ndarray:
    """The smallest step of each entry of Richardson's table, in the order of `extrapolated`."""
    orders = range(1, min(_COLUMNS, count - 2) + 1)
    return np.concatenate([np.arange(order + 1, count) for order in orders])


def variation(limit: np.ndarray, quotients: np.ndarray, ratio: int) -> np.ndarray:
    """How far the limits from the smallest steps alone are off, by the noise of the function."""
    near, power = quotients[:, -_SEEN - 3 :], ratio
    for _ in range(3):
        near = near[:, 1:] + (near[:, 1:] - near[:, :-1]) / (power - 1)
        power *= ratio
    apart = abs(near - limit[:, None])
    found: np.ndarray = apart[:, -1]
    for back in range(2, _SEEN + 1):  # noise grows as the steps shrink
        found = np.maximum(found, np.where(apart[:, -back] <= 8 * apart[:, -1], apart[:, -back], 0))
    return found

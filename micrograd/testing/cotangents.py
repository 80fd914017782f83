"""What a backward pass computes if it takes dout for another array, or leaves a part of it out.

An entry of the gradient is a sum of terms, one for each entry of the result: dout there, times the
derivative of the result there. So the terms show what the entry would be with dout reversed, or
shifted by one, and what is missing from it if one term is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

_MANY = 64  # indices of an axis that are left out one by one
_SHIFTS = (1, -1, 2, -2)


def from_terms(terms: np.ndarray, cotangent: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What some entries of a gradient would be by mistakes with dout.

    Args:
        terms: the terms of these entries, of the shape of the result and one axis more.
        cotangent: dout, without zeros.
    """
    axes = [axis for axis in range(cotangent.ndim) if cotangent.shape[axis] > 1]
    slopes = terms / cotangent[..., None]

    def entries(dout: np.ndarray) -> np.ndarray:
        made: np.ndarray = (slopes * dout[..., None]).reshape(-1, terms.shape[-1]).sum(axis=0)
        return made

    for count in range(1, len(axes) + 1):
        for kept in itertools.combinations(axes, count):
            yield from _only_one(terms, kept)
    whole = entries(cotangent)
    for axis in axes:
        size = cotangent.shape[axis]
        for index in range(size if 2 < size <= _MANY else 0):
            rest = whole - np.take(terms, index, axis).reshape(-1, len(whole)).sum(axis=0)
            yield f"the contribution of index {index} of axis {axis} of the result is missing", rest
    for axis in axes:
        yield (
            f"it is the gradient for dout reversed along axis {axis}",
            entries(np.flip(cotangent, axis)),
        )
        for by in _SHIFTS:
            if abs(by) >= cotangent.shape[axis]:
                continue
            rolled = np.roll(cotangent, by, axis)
            moved = np.moveaxis(rolled.copy(), axis, 0)
            moved[slice(by) if by > 0 else slice(by, None)] = 0
            words = f"it is the gradient for dout shifted by {abs(by)} along axis {axis}"
            for shifted in (rolled, np.moveaxis(moved, 0, axis)):
                yield f"{words}: is an index or a step wrong?", entries(shifted)
    if cotangent.ndim > 1 and cotangent.shape[-1] == cotangent.shape[-2] > 1:
        yield "it is the gradient for dout transposed", entries(cotangent.swapaxes(-1, -2))


def _only_one(terms: np.ndarray, kept: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """The entries with only the last, or only the first, of the terms along some axes."""
    places = terms.shape[-1]
    summed = terms.sum(axis=tuple(axis for axis in range(terms.ndim - 1) if axis not in kept))
    summed = summed.reshape(-1, places)
    size = abs(terms).max()
    for which, ordered in (("last", summed[::-1]), ("first", summed)):
        place = (abs(ordered) > 1e-6 * size).argmax(axis=0)  # that reaches the entry at all
        axes = " and ".join(map(str, kept))
        words = (
            f"only the {which} of several contributions is there, over axis {axes} of the result:"
            " is it = where += is needed?"
        )
        yield words, ordered[0]
        yield words, ordered[place, np.arange(places)]

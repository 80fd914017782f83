"""Many slots read as slices, reshapes and repetitions of an array, instead of a gather.

XLA compiles these to plain loops, which it fuses with what uses them, and so are their derivatives.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

MOST_AXES = 5
MOST_PARTS = 16
"""The most slices that one read may consist of; a read of more becomes a gather."""


class Pattern(NamedTuple):
    """The places `base + sum(i * stride)`, where each index i runs from 0 up to its count.

    The last index runs fastest. A stride of 0 repeats places.
    """

    base: int
    counts: tuple[int, ...]
    strides: tuple[int, ...]


def pattern_of(places: Any) -> Pattern | None:
    """Return places as a pattern of a few indices, or None.

    >>> pattern_of(np.array([5, 6, 9, 10]))
    Pattern(base=5, counts=(2, 2), strides=(4, 1))
    >>> pattern_of(np.array([5, 5, 9, 10])) is None
    True
    """
    counts: list[int] = []
    strides: list[int] = []
    heads = np.asarray(places)
    while len(heads) > 1 or not counts:
        if len(counts) == MOST_AXES:
            return None
        steps = np.diff(heads)
        breaks = np.flatnonzero(steps != steps[0]) if len(steps) else steps
        count = int(breaks[0]) + 1 if len(breaks) else len(heads)
        if len(heads) % count:
            return None
        block = heads.reshape(-1, count)
        if (block - block[:, :1] != block[0] - block[0, 0]).any():
            return None
        counts.insert(0, count)
        strides.insert(0, int(steps[0]) if len(steps) else 1)
        heads = block[:, 0]
    return Pattern(int(places[0]), tuple(counts), tuple(strides))


def viewed(array: Any, pattern: Pattern, parts: int = MOST_PARTS) -> Any:
    """Return the places of a pattern among the rows of an array, or None if there is no such view.

    Args:
        array: an array of one or more axes, the first of which is read.
        pattern: the places.
        parts: the most slices that may be joined.

    Returns:
        An array with an axis for each index of the pattern, of length 1 where places are repeated,
        in place of the first axis of `array`.

    >>> viewed(jnp.arange(8), Pattern(1, (2, 3, 2), (4, 0, 1))).tolist()
    [[[1, 2]], [[5, 6]]]
    """
    counts, strides = pattern.counts, pattern.strides
    axes = [i for i, stride in enumerate(strides) if stride and counts[i] > 1]
    axes.sort(key=lambda i: -strides[i])
    rows = _nested(array, pattern.base, [(counts[i], strides[i]) for i in axes])
    if rows is not None:
        order = [*np.argsort(axes).tolist(), *range(len(axes), rows.ndim)]
        rows = rows if order == sorted(order) else rows.transpose(order)
        held = (count if i in axes else 1 for i, count in enumerate(counts))
        return rows.reshape(*held, *array.shape[1:])
    for axis in sorted(axes, key=lambda i: counts[i]):  # windows that overlap, or run backwards
        count = counts[axis]
        if count > parts:
            return None
        rest = [each[:axis] + each[axis + 1 :] for each in (counts, strides)]
        bases = (pattern.base + i * strides[axis] for i in range(count))
        found = [viewed(array, Pattern(base, *rest), parts // count) for base in bases]
        if all(each is not None for each in found):
            return jnp.stack(found, axis=axis)
    return None


def _nested(array: Any, base: int, levels: list[tuple[int, int]]) -> Any:
    """Return places by counts and falling strides, each a whole number of the next; or None."""
    if len(levels) == 1 and levels[0][1] > 1:
        # Not a reshaped array: on a processor, XLA (of jaxlib 0.10) may overwrite an array in place
        # while the same kernel reads it reshaped.
        ((count, stride),) = levels
        return array[base : base + (count - 1) * stride + 1 : stride]
    if not levels or levels[-1][1] > 1:
        levels = [*levels, (1, 1)]
    extents = [count * stride for count, stride in levels]
    if any(stride < 1 for _, stride in levels):
        return None
    if any(b > a for (_, a), b in zip(levels, extents[1:], strict=False)):
        return None
    stop = base + extents[0]
    # Where the last group is cut off, all begin that much earlier.
    late = max(0, stop - len(array))
    if late and (len(levels) == 1 or late > base or late + extents[1] > levels[0][1]):
        return None
    rows = array if extents[0] == len(array) else array[base - late : stop - late]
    lead: tuple[int, ...] = ()
    for (count, stride), extent in zip(levels, extents[1:], strict=False):
        rows = rows.reshape(*lead, count, stride, *array.shape[1:])
        lead += (count,)
        if extent < stride:
            rows = rows[(slice(None),) * len(lead) + (slice(late, late + extent),)]
        late = 0
    if levels[-1] == (1, 1):
        rows = rows.reshape(*lead, *array.shape[1:])
    return rows


def taken(array: Any, places: Any) -> Any:
    """Return the rows of an array at some places, of length 1 if all are the same place.

    >>> taken(jnp.arange(9), np.array([1, 2, 5, 6])).tolist()
    [1, 2, 5, 6]
    """
    rest, pattern = array.shape[1:], pattern_of(places)
    if pattern is not None:
        if not any(pattern.strides) and len(places) > 1:
            return array[pattern.base : pattern.base + 1]
        rows = viewed(array, pattern)
        if rows is not None:
            rows = jnp.broadcast_to(rows, (*pattern.counts, *rest))
            return rows.reshape(prod(pattern.counts), *rest)
    return array.at[places].get(mode="promise_in_bounds")


def runs(places: Any) -> list[tuple[int, int]]:
    """Return where runs of neighbouring places, in rising order, begin and end.

    >>> runs(np.array([5, 6, 9]))
    [(0, 2), (2, 3)]
    """
    ends = [*(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(places)]
    return list(zip([0, *ends[:-1]], ends, strict=True))

"""Slots of a program, where instructions read and write numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

Rows = slice | Any  # neighbouring slots, or an array of slots
Place = tuple[bool, int]  # a slot: whether it is in `v`, and its number


class Operand(NamedTuple):
    """Where an instruction reads: slots of `v`, if `varies` is true, or of `u`."""

    varies: bool
    rows: Rows


class Places(NamedTuple):
    """Slots that are read one by one, each of `v`, where `varies` is true, or of `u`."""

    varies: Any
    slots: Any


def in_spaces(varies: Any, chosen: Any = True) -> Iterator[tuple[bool, Any]]:
    """Yield each space in which some places are, and their numbers among all of them.

    Args:
        varies: which places are in `v`.
        chosen: which places to look at; by default all.

    >>> [(space, here.tolist()) for space, here in in_spaces(np.array([True, False, True]))]
    [(False, [1]), (True, [0, 2])]
    """
    for space in (False, True):
        here = np.flatnonzero((varies == space) & chosen)
        if len(here):
            yield space, here


def even_matrix(slots: Any) -> tuple[int, int, int] | None:
    """Return the first slot of a matrix, and its strides down and to the right.

    None if the slots are not evenly spaced.

    >>> even_matrix(np.array([[4, 6], [14, 16]])), even_matrix(np.array([[4, 6], [14, 17]]))
    ((4, 10, 2), None)
    """
    (rows, columns), base = slots.shape, int(slots[0, 0])
    down = int(slots[1, 0]) - base if rows > 1 else columns
    right = int(slots[0, 1]) - base if columns > 1 else 1
    even = base + down * np.arange(rows)[:, None] + right * np.arange(columns)
    return (base, down, right) if (slots == even).all() else None


def rows_of(slots: Sequence[int] | Any) -> Rows:
    """Return slots as a slice if they are neighbours in rising order, otherwise as an array.

    >>> rows_of([3, 4, 5]), rows_of([3, 5])
    (slice(3, 6, None), array([3, 5]))
    """
    slots = np.asarray(slots, dtype=np.intp)
    if len(slots) and slots[-1] - slots[0] == len(slots) - 1 and (np.diff(slots) == 1).all():
        return slice(int(slots[0]), int(slots[-1]) + 1)
    return slots


def slots_of(rows: Rows) -> Any:
    """Return the slots of rows as an array.

    >>> slots_of(slice(3, 6))
    array([3, 4, 5])
    """
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else np.asarray(rows)


def count_of(rows: Rows) -> int:
    """Return the number of slots.

    >>> count_of(slice(3, 6)), count_of(np.array([4, 4]))
    (3, 2)
    """
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)


def repeats(slots: Any) -> bool:
    """Return whether a slot occurs more than once.

    Sorting is faster than `np.unique`, which takes up to 40 times longer for 100,000 slots.

    >>> repeats(np.array([[4, 6], [5, 4]])), repeats(np.array([4, 6]))
    (True, False)
    """
    ordered = np.sort(slots, axis=None)
    return bool((ordered[1:] == ordered[:-1]).any())


def runs(marks: Any) -> list[slice]:
    """Return where runs of true values are.

    >>> runs(np.array([True, True, False, True]))
    [slice(0, 2, None), slice(3, 4, None)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marks, [False])))).tolist()
    return [*map(slice, edges[::2], edges[1::2])]

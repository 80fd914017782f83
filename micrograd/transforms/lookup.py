"""`take(table, index)`: an entry of a table, such as the embedding of a token."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from operator import index as as_index
from typing import Any

from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.lines import line_of_user
from micrograd.engine.value import Value
from micrograd.transforms.propagation import multiplied
from micrograd.transforms.structures import flatten_rows, is_array, unflatten

__all__ = ["take"]


_FEW = 8
"""Up to this many entries, comparisons are as fast as an instruction of their own."""


def in_trace() -> Callable[[Any, Sequence[Any]], Value] | None:
    """Return what records a lookup in a column, while a function is traced.

    The compiler replaces this.
    """
    return None


def take(table: Any, index: Any) -> Any:
    """Return the entry of a table at an index, which may be an argument of a compiled function.

    The gradient goes to the entry that was taken; the index gets none. In a compiled function, an
    index that is an argument reads the entry when the program runs, which takes as long for a long
    table as for a short one. In a derivative within the function, and in exported source, it is
    compared with the number of each entry instead.

    Args:
        table: a list, a tuple or an array of entries, which are numbers and Values, or lists and
            arrays of them, all of one structure.
        index: a whole number, which may be a Value or an argument of a compiled function; negative
            ones count from the end. Or a list or an array of such numbers.

    Returns:
        The entry; for a list of indices a list of entries, and for an array an array.

    Raises:
        IndexError: if the index is out of range. In a compiled function, an index that is not among
            the numbers of the entries gives nan.
        TypeError: if the index is not a whole number.
        ValueError: if the table is empty, or if its entries differ in structure.

    >>> take([[1.0, 2.0], [3.0, 4.0]], 1)
    [3.0, 4.0]
    >>> from micrograd import compile, grad
    >>> grad(lambda table: take(table, 2) ** 2)([1.0, 2.0, 3.0])
    [0.0, 0.0, 6.0]
    >>> embedding = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    >>> compile(lambda i: sum(take(embedding, i)), batched=True)([2, 0, -2]).tolist()
    [11.0, 3.0, 7.0]
    """
    if not (isinstance(table, list | tuple) or is_array(table)):
        raise TypeError(
            f"take needs a list, a tuple or an array of entries, got {type(table).__name__}"
        )
    if not len(table):
        raise ValueError("take needs a table with at least one entry")
    if isinstance(index, list | tuple):
        return [take(table, each) for each in index]
    if is_array(index):
        import numpy as np

        return np.array([take(table, each) for each in index])
    if isinstance(index, Value) and index._is_traced:
        return _taken(table, index)
    return table[_place(index, len(table))]


def _place(index: Any, count: int) -> int:
    """Return an index as an int in the range of a table."""
    number: Any = index.data if isinstance(index, Value) else index
    try:
        is_whole = isinstance(number, float) and number.is_integer()
        place = int(number) if is_whole else as_index(number)
    except TypeError:
        raise TypeError(
            f"take: the index is a whole number, got {number!r}\n  at {line_of_user()}"
        ) from None
    if not -count <= place < count:
        raise IndexError(
            f"take: the index {place} is out of range for a table of {count} entries"
            f"\n  at {line_of_user()}"
        )
    return place


def _taken(table: Sequence[Any], index: Value) -> Any:
    """Return an entry by a number that is not known yet."""
    rows, structure = flatten_rows(table, "take: entry")
    where, eq, count = VOCABULARY["where"], VOCABULARY["eq"], float(len(table))
    columns = zip(*rows, strict=True)
    given, entry = index, in_trace()
    index = where(index < 0, index + count, index)
    if entry is not None and len(table) > _FEW:
        return unflatten(structure, [entry(index, column) for column in columns])
    is_whole = eq(VOCABULARY["floor"](given), given)
    is_inside = is_whole * (given >= -count) * (given < count)
    chosen = [eq(index, float(i)) for i in range(len(table))]
    sums = (reduce(add, map(multiplied, chosen, column)) for column in columns)
    return unflatten(structure, [where(is_inside, each, math.nan) for each in sums])

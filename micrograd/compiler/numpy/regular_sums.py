"""Weighted sums that are alike, as calls of NumPy over all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.program.instructions import WeightedSums
from micrograd.compiler.program.slots import Operand, rows_of, slots_of


class _Term(NamedTuple):
    """The same term of all sums: whether it is added or subtracted, and its factors."""

    positive: bool
    left: Operand
    right: Operand | None


_FEW, _LONG = 4, 64  # terms of a sum; samples
_RUN = 8  # sums in a row; for fewer, views do not pay


def are_regular(sums: WeightedSums, lanes: int) -> bool:
    """Return whether several sums of `v` have the same form, and are best computed at once.

    Args:
        sums: the sums.
        lanes: the length of a row.
    """
    count, lengths = len(sums.start), np.diff(sums.bounds)
    if not sums.varies or count < 2 or (lengths != lengths[0]).any():
        return False
    if lengths[0] > _FEW and lanes < _LONG:
        return False
    for sign, _, left_varies, right, right_varies in _columns(sums):
        form = np.stack([sign, left_varies, right_varies, right < 0])
        if (form != form[:, :1]).any() or abs(sign[0]) != 1:
            return False
    return True


def _columns(sums: WeightedSums) -> Iterator[Any]:
    """Yield the columns of each term, with an entry for each sum."""
    count = len(sums.start)
    return zip(*(column.reshape(count, -1).T for column in sums.columns), strict=True)


def _terms(sums: WeightedSums) -> Iterator[_Term]:
    for sign, left, left_varies, right, right_varies in _columns(sums):
        factor = None if right[0] < 0 else Operand(bool(right_varies[0]), rows_of(right))
        yield _Term(sign[0] > 0, Operand(bool(left_varies[0]), rows_of(left)), factor)


def _runs(sums: WeightedSums) -> Iterator[WeightedSums]:
    """Yield the sums in runs whose slots follow each other, so that they are read as views."""
    out, count = slots_of(sums.out), len(sums.start)
    slots = [out, *(each for _, left, _, right, _ in _columns(sums) for each in (left, right))]
    follows = [np.diff(each) == (each[0] >= 0) for each in slots]
    cuts = (np.flatnonzero(~np.logical_and.reduce(follows)) + 1).tolist()
    if _RUN * len(cuts) > count:
        yield sums
        return
    for first, last in pairwise([0, *cuts, count]):
        start, stop = sums.bounds[[first, last]].tolist()
        columns = (column[start:stop] for column in sums.columns)
        begins = sums.start[first:last] - start
        part = WeightedSums(True, rows_of(out[first:last]), begins, *columns)
        yield part._replace(mode=sums.mode)


def regular_calls(memory: Memory, sums: WeightedSums) -> Iterator[Call]:
    """Yield the calls that compute such sums on the arrays of a memory, term by term in place."""
    for run in _runs(sums):
        yield from _calls(memory, run)


def _calls(memory: Memory, sums: WeightedSums) -> Iterator[Call]:
    terms = [*_terms(sums)]

    def read(operand: Operand) -> Any:
        return memory.read(operand, wide=True)

    mode = sums.mode
    (positive, left, right), *more = terms
    is_copy = not more and positive and right is None and left.varies
    if is_copy and mode != "total" and isinstance(left.rows, slice):
        yield memory.adding(True, sums.out, read(left), "add" if mode == "add" else "first")
        return
    target, following = memory.target(True, sums.out, mode, len(sums.start))
    share = memory.scratch(target.shape, 1)
    for i, (positive, left, right) in enumerate(terms):
        product = share if i else target
        if right is not None:
            yield partial(_times, read(left), read(right), product)
        elif i:
            product = read(left)
        else:
            yield partial(_copy, target, read(left))
        if i:
            yield partial(_add, np.add if positive else np.subtract, target, product)
        elif not positive:
            yield partial(np.negative, target, target)
    yield from following


def _now(operand: Any) -> Any:
    return operand() if callable(operand) else operand


def _times(left: Any, right: Any, out: Any) -> None:
    np.multiply(_now(left), _now(right), out)


def _copy(target: Any, source: Any) -> None:
    np.copyto(target, _now(source))


def _add(add: Any, target: Any, share: Any) -> None:
    add(target, _now(share), target)

"""Weighted sums that are alike, as calls of NumPy over all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.program import Operand, WeightedSums, rows_of


class _Term(NamedTuple):
    """The same term of all sums: whether it is added or subtracted, and its factors."""

    positive: bool
    left: Operand
    right: Operand | None


_FEW, _LONG = 4, 64  # terms of a sum; samples


def regular_terms(sums: WeightedSums, lanes: int) -> list[_Term] | None:
    """Return the terms of several sums of `v` that have the same form.

    Args:
        sums: the sums.
        lanes: the length of a row.

    Returns:
        The terms of each sum; None if the forms differ, or if other calls are faster.
    """
    count = len(sums.start)
    lengths = np.diff(sums.bounds)
    if not sums.varies or count < 2 or (lengths != lengths[0]).any():
        return None
    if lengths[0] > _FEW and lanes < _LONG:
        return None
    columns = [column.reshape(count, -1).T for column in sums.columns]
    terms = []
    for sign, left, left_varies, right, right_varies in zip(*columns, strict=True):
        form = np.stack([sign, left_varies, right_varies, right < 0])
        if (form != form[:, :1]).any() or abs(sign[0]) != 1:
            return None
        factor = None if right[0] < 0 else Operand(bool(right_varies[0]), rows_of(right))
        terms.append(_Term(sign[0] > 0, Operand(bool(left_varies[0]), rows_of(left)), factor))
    return terms


def regular_calls(memory: Memory, sums: WeightedSums, terms: list[_Term]) -> Iterator[Call]:
    """Yield the calls that compute such sums on the arrays of a memory, term by term in place."""

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

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
    count = sums.out.stop - sums.out.start
    lengths = np.diff(sums.bounds)
    if not sums.varies or count < 2 or (lengths != lengths[0]).any():
        return None
    if lengths[0] > _FEW and lanes < _LONG:
        return None
    columns = [column.reshape(count, -1).T for column in sums[3:]]
    terms = []
    for sign, left, left_varies, right, right_varies in zip(*columns, strict=True):
        form = np.stack([sign, left_varies, right_varies, right < 0])
        if (form != form[:, :1]).any() or abs(sign[0]) != 1:
            return None
        factor = None if right[0] < 0 else Operand(bool(right_varies[0]), rows_of(right))
        terms.append(_Term(sign[0] > 0, Operand(bool(left_varies[0]), rows_of(left)), factor))
    return terms


class RegularSumsOn:
    """The calls for such sums on the arrays of a memory."""

    def __init__(self, memory: Memory, sums: WeightedSums, terms: list[_Term]) -> None:
        self.memory, self.out, self.terms = memory, sums.out, terms

    def forward(self) -> Iterator[Call]:
        """Yield the calls that compute them, term by term in place."""
        memory, target = self.memory, self.memory.v[self.out]
        share = memory.scratch(target.shape, 0)
        for i, (positive, left, right) in enumerate(self.terms):
            product = share if i else target
            if right is not None:
                yield partial(_times, self._read(left), self._read(right), product)
            elif i:
                product = self._read(left)
            else:
                yield partial(_copy, target, self._read(left))
            if i:
                yield partial(_add, np.add if positive else np.subtract, target, product)
            elif not positive:
                yield partial(np.negative, target, target)

    def backward(self) -> Iterator[Call]:
        """Yield the calls that pass their adjoints on to all factors."""
        memory, g = self.memory, self.memory.gv[self.out]
        for positive, left, right in self.terms:
            for this, other in ((left, right), (right, left)):
                if this is not None and memory.is_active(*this):
                    yield from self._into(g, positive, this, other)

    def _read(self, operand: Operand) -> Any:
        return self.memory.read(operand, wide=True)

    def _into(self, g: Any, positive: bool, this: Operand, other: Operand | None) -> Iterator[Call]:
        memory, factor = self.memory, 1.0 if other is None else self._read(other)
        target = memory.stored(*this)
        share = memory.scratch(g.shape, 0) if target is None else target
        yield partial(_times, g, factor, share)
        if not positive:
            yield partial(np.negative, share, share)
        if target is None and not this.varies:
            total = np.empty(len(g), g.dtype)
            yield partial(np.add.reduce, share, axis=1, out=total)
            share = total
        if target is None:
            yield memory.adding(*this, share)


def _now(operand: Any) -> Any:
    return operand() if callable(operand) else operand


def _times(left: Any, right: Any, out: Any) -> None:
    np.multiply(_now(left), _now(right), out)


def _copy(target: Any, source: Any) -> None:
    np.copyto(target, _now(source))


def _add(add: Any, target: Any, share: Any) -> None:
    add(target, _now(share), target)

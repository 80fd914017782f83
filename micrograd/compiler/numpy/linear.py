"""Matrix products, weighted sums and folds as calls of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.program import Fold, Operand, Product, WeightedSums, even_matrix, rows_of

_LONG = 64  # samples; see SumsOn


class ProductOn:
    """The calls for a matrix product on the arrays of a memory."""

    def __init__(self, memory: Memory, product: Product) -> None:
        self.memory, self.product = memory, product
        self.matrix = _matrix(memory.u, product)
        self.inputs = _vectors(memory.v if product.varies else memory.u, product)

    def forward(self) -> Iterator[Call]:
        """Yield the calls that compute it."""
        memory, product, varies = self.memory, self.product, self.product.varies
        out = _outputs(memory.v if varies else memory.u, product)
        if varies:
            yield _calling(np.matmul, self.matrix, self.inputs, out)
        else:
            yield _calling(np.matmul, self.inputs, _transposed(self.matrix), out)
        if product.bias is not None:
            bias = memory.read(Operand(False, product.bias), wide=varies)
            yield _calling(np.add, out, bias, out)

    def backward(self) -> Iterator[Call]:
        """Yield the calls that pass its adjoints on to the inputs, the matrix and the bias."""
        memory, product, varies = self.memory, self.product, self.product.varies
        g = _outputs(memory.gv if varies else memory.gu, product)
        if memory.is_active(varies, product.inputs.ravel()):
            yield from self._into_inputs(g)
        if memory.is_active(False, product.matrix.ravel()):
            yield from self._into_matrix(g)
        if product.bias is not None and memory.is_active(False, product.bias):
            share = memory.scratch((len(product.matrix),), 0)
            if varies and g.ndim == 2:
                # As a product with ones, which is faster than a sum over rows.
                yield partial(np.dot, g, np.ones(memory.length, g.dtype), share)
            else:
                axes = (0, 2) if g.ndim == 3 else 0
                yield partial(np.add.reduce, g, axis=axes, out=share)
            yield memory.adding(False, product.bias, share)

    def _into_inputs(self, g: Any) -> Iterator[Call]:
        memory, product, varies = self.memory, self.product, self.product.varies
        slots, rest = product.inputs, (memory.length,) if varies else ()
        rows = rows_of(slots.ravel())
        target = memory.stored(varies, rows)
        stores = target is not None
        if not stores:
            target = memory.scratch((slots.size, *rest), 0)
        into = target.reshape(*g.shape[: g.ndim - 1 - varies], slots.shape[1], *rest)
        alone = g.size == 1 or (varies and g.ndim == 2 and len(g) == 1)
        times: Callable[..., Any] = np.multiply if alone else np.matmul
        if varies:
            yield _calling(times, _transposed(self.matrix), g, into)
        else:
            yield _calling(times, g, self.matrix, into)
        if not stores:
            yield memory.adding(varies, rows, target)

    def _into_matrix(self, g: Any) -> Iterator[Call]:
        memory, product, varies = self.memory, self.product, self.product.varies
        inputs, share = self.inputs, memory.scratch(product.matrix.shape, 0)
        if not varies:
            times: Callable[..., Any] = np.multiply if g.size == 1 else np.matmul
            yield _calling(times, g.T, inputs, share)
        elif g.ndim == 2:
            yield _calling(np.matmul, g, _transposed(inputs), share)
        else:
            yield _calling(_summed_products, g, _transposed(inputs), share)
        view = _matrix(memory.gu, product)
        if callable(view) or len(np.unique(product.matrix)) < product.matrix.size:
            yield memory.adding(False, product.matrix, share)
        else:
            yield partial(np.add, view, share, view)


def _calling(function: Callable[..., Any], *arguments: Any) -> Call:
    """Return a call; arguments that are functions are called each time."""
    if not any(map(callable, arguments)):
        return partial(function, *arguments)
    return lambda: function(*(each() if callable(each) else each for each in arguments))


def _transposed(array: Any) -> Any:
    """Return an array with its last two axes exchanged."""
    if callable(array):
        return lambda: array().swapaxes(-1, -2)
    return array.swapaxes(-1, -2)


def _summed_products(a: Any, b: Any, out: Any) -> None:
    """Store the sum of the products of several vectors."""
    np.add.reduce(np.matmul(a, b), axis=0, out=out)


def _matrix(array: Any, product: Product) -> Any:
    """Return the matrix: a strided view if its slots are evenly spaced, or what gathers it."""
    slots = product.matrix
    base, *steps = even_matrix(slots) or (0, 0, 0)
    if min(steps) > 0:
        strides = [step * array.itemsize for step in steps]
        return np.lib.stride_tricks.as_strided(array[base:], slots.shape, strides)
    return lambda: array[slots]


def _vectors(array: Any, product: Product) -> Any:
    """Return the input vectors, of shape (vectors, rows) or (vectors, rows, lanes)."""
    slots = product.inputs
    alone = len(slots) == 1 and product.varies
    if isinstance(rows := rows_of(slots.ravel()), slice):
        view = array[rows].reshape(*slots.shape, *array.shape[1:])
        return view[0] if alone else view
    return lambda: array[slots[0] if alone else slots]


def _outputs(array: Any, product: Product) -> Any:
    rows = array[product.out]
    if len(product.inputs) == 1 and product.varies:
        return rows
    return rows.reshape(len(product.inputs), -1, *array.shape[1:])


class FoldOn:
    """The calls for maxima or minima on the arrays of a memory."""

    def __init__(self, memory: Memory, fold: Fold) -> None:
        self.memory, self.fold = memory, fold

    def forward(self) -> Iterator[Call]:
        """Yield the call that computes them."""
        fold, array = self.fold, self.memory.v if self.fold.varies else self.memory.u
        target, reduce = array[fold.out], getattr(np, fold.operation.name).reduceat
        yield lambda: reduce(array[fold.slots], fold.start, axis=0, out=target)

    def backward(self) -> Iterator[Call]:
        """Yield nothing, as no gradient passes."""
        return iter(())


# ------------------------------------------------------------------------------------ weighted sums


Term = tuple[float, int, bool, int, bool]


def sum_calls(memory: Memory, target: Any, terms: Sequence[Term]) -> Iterator[Call]:
    """Yield the calls that compute a weighted sum, term by term in place."""
    rows, share = memory.rows, memory.scratch(target.shape, 0)
    for i, (sign, left, left_varies, right, right_varies) in enumerate(terms):
        term = rows[left_varies][left]
        if right >= 0:
            product = share if i else target
            yield partial(np.multiply, term, rows[right_varies][right], product)
            term = product
        if i:
            yield partial(np.add if sign > 0 else np.subtract, target, term, target)
        elif sign < 0:
            yield partial(np.negative, term, target)
        elif right < 0:
            yield partial(np.copyto, target, term)


def sum_back_calls(memory: Memory, g: Any, terms: Sequence[Term]) -> Iterator[Call]:
    """Yield the calls that pass the adjoint of a weighted sum to its factors."""
    rows, active, share = memory.rows, memory.active, memory.scratch(g.shape, 0)
    for sign, left, left_varies, right, right_varies in terms:
        add = np.add if sign > 0 else np.subtract
        for this, varies, other, other_varies in (
            (left, left_varies, right, right_varies),
            (right, right_varies, left, left_varies),
        ):
            if this < 0 or not active[varies][this]:
                continue
            if other >= 0:
                yield partial(np.multiply, g, rows[other_varies][other], share)
            yield memory.adding_row(add, g if other < 0 else share, this, varies)


class SumsOn:
    """The calls for weighted sums on the arrays of a memory.

    Long rows are added up term by term; for short ones, gathering all terms takes less time.
    """

    def __init__(self, memory: Memory, sums: WeightedSums) -> None:
        self.memory, self.sums = memory, sums
        self.is_long = sums.varies and memory.length >= _LONG
        self.sign = sums.sign.astype(memory.u.dtype)
        if sums.varies:
            self.sign = self.sign[:, None]

    def _one_by_one(self, rows: Any) -> Iterator[tuple[Any, list[Term]]]:
        """Yield the row and the terms of each sum."""
        terms = self.sums.terms()
        for row, (first, last) in zip(rows, pairwise(self.sums.bounds.tolist()), strict=True):
            yield row, terms[first:last]

    def forward(self) -> Iterator[Call]:
        """Yield the calls that compute them."""
        memory, sums = self.memory, self.sums
        target = (memory.v if sums.varies else memory.u)[sums.out]
        if self.is_long:
            for row, terms in self._one_by_one(target):
                yield from sum_calls(memory, row, terms)
            return

        def call() -> None:
            left, right = map(self._factor, *zip(*sums.sides, strict=True))
            np.add.reduceat(self.sign * left * right, sums.start, axis=0, out=target)

        yield call

    def _factor(self, slots: Any, varies: Any) -> Any:
        """Return the factor of every term; 1 for one that is missing."""
        memory, wide = self.memory, self.sums.varies
        factor = np.ones((len(slots), memory.length) if wide else len(slots), memory.u.dtype)
        here, there = _spaces(slots, varies)
        if wide:
            factor[here] = memory.v[slots[here]]
            factor[there] = memory.u[slots[there]][:, None]
        else:
            factor[there] = memory.u[slots[there]]
        return factor

    def backward(self) -> Iterator[Call]:
        """Yield the calls that pass their adjoints on to all factors."""
        memory, sums = self.memory, self.sums
        adjoint = (memory.gv if sums.varies else memory.gu)[sums.out]
        if self.is_long:
            for slots, kinds in sums.sides:
                memory.writers.touch(slots[kinds & (slots >= 0)])
            for g, terms in self._one_by_one(adjoint):
                yield from sum_back_calls(memory, g, terms)
            return
        lengths = np.diff(sums.bounds)
        parts = [[*self._parts(slots, kinds)] for slots, kinds in sums.sides]

        def call() -> None:
            left, right = map(self._factor, *zip(*sums.sides, strict=True))
            g = self.sign * np.repeat(adjoint, lengths, axis=0)
            for part, other in zip(parts, (right, left), strict=True):
                for chosen, slots, add in part:
                    add(g[chosen] * other[chosen], slots)

        yield call

    def _parts(self, slots: Any, varies: Any) -> Iterator[tuple[Any, Any, Callable[..., None]]]:
        """Yield the terms with an active factor in a space, its slots, and what adds adjoints."""
        memory = self.memory
        for chosen, space in zip(_spaces(slots, varies), (True, False), strict=True):
            if not chosen.any() or not memory.is_active(space, slots[chosen]):
                continue
            if space:
                memory.writers.touch(slots[chosen])
            total = self.sums.varies and not space
            yield chosen, slots[chosen], partial(_scatter, memory.gv if space else memory.gu, total)


def _scatter(adjoints: Any, total: bool, share: Any, slots: Any) -> None:
    np.add.at(adjoints, slots, share.sum(axis=1) if total else share)


def _spaces(slots: Any, varies: Any) -> tuple[Any, Any]:
    """Return which factors are in `v` and which in `u`; missing ones are in neither."""
    return (slots >= 0) & varies, (slots >= 0) & ~varies

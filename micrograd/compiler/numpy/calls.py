"""Operations, matrix products, weighted sums and folds as calls of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd.compiler.numpy.memory import Call, Memory, calling, strided
from micrograd.compiler.numpy.operations import in_place, stopping_matmul, stopping_product
from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import Elementwise, Fold, Mode, Product, WeightedSums
from micrograd.compiler.program.slots import Operand, Rows, count_of, slots_of
from micrograd.table.formulas import WHOLE

_FEW, _LONG = 4, 192  # terms; samples; see sums_calls


def elementwise_calls(memory: Memory, step: Elementwise) -> Iterator[Call]:
    """Yield the calls for an operation, or a flow, on the arrays of a memory."""
    varies, out, row, operands, mode = step
    target, following = memory.target(varies, out, mode, count_of(out))
    read = [memory.read(each, varies) for each in operands]
    exponent = memory.program.common_constant(operands[-1]) if row.operands[-1] == "y" else None
    function = in_place(row, exponent if exponent in WHOLE else None, stops=memory.stops)
    yield calling(function, *read, out=target)
    if memory.stops and isinstance(row, Flow):
        yield calling(_stop, read[0], out=target)
    yield from following


def _stop(adjoint: Any, out: Any) -> None:
    """Pass nothing on where an adjoint is 0."""
    np.copyto(out, 0.0, where=np.equal(adjoint, 0.0))


def product_calls(memory: Memory, product: Product) -> Iterator[Call]:
    """Yield the calls for a matrix product on the arrays of a memory."""
    varies, out, slots, inputs, bias, mode = product
    (rows, columns), vectors = slots.shape, len(inputs)
    if mode == "total":
        yield from _total_calls(memory, product)
        return
    space = memory.v if varies else memory.u
    matrix, read = _matrix(memory.u, slots), _vectors(space, inputs, alone=varies)
    target, following = memory.target(varies, _in_rows(out, rows), mode, vectors * rows)
    results = target
    if not varies or vectors > 1:
        results = target.reshape(vectors, rows, *space.shape[1:])
    times: Callable[..., Any] = np.matmul
    if memory.stops and mode != "value":
        times = stopping_matmul
    elif columns == 1 and mode != "value":
        times = np.multiply
    if varies:
        yield calling(times, matrix, read, out=results)
    else:
        yield calling(times, read, _transposed(matrix), out=results)
    if bias is not None:
        yield calling(np.add, results, memory.read(Operand(False, bias), wide=varies), out=results)
    yield from following


def _total_calls(memory: Memory, product: Product) -> Iterator[Call]:
    """Yield the calls for a product of two matrices of rows, summed over the lanes."""
    shape = len(product.inputs), len(product.matrix)
    left = _vectors(memory.v, product.inputs.T, alone=True)
    right = _vectors(memory.v, product.matrix.T, alone=True)
    share = memory.scratch(*shape)
    times: Callable[..., Any] = stopping_matmul if memory.stops else np.matmul
    if product.inputs.shape[1] > 1:
        times = partial(_summed_products, times)
    yield calling(times, left, _transposed(right), out=share)
    yield memory.adding(False, slots_of(product.out).reshape(shape), share.ravel(), "total")


def _in_rows(out: Rows, count: int) -> Rows:
    """Return slots as a matrix with this many in a row, unless they are neighbours."""
    return out if isinstance(out, slice) else out.reshape(-1, count)


def _transposed(array: Any) -> Any:
    """Return an array with its last two axes exchanged."""
    if callable(array):
        return lambda: array().swapaxes(-1, -2)
    return array.swapaxes(-1, -2)


def _summed_products(times: Callable[..., Any], a: Any, b: Any, out: Any) -> None:
    """Store the sum of the products of several vectors."""
    np.add.reduce(times(a, b), axis=0, out=out)


def _matrix(array: Any, slots: Any) -> Any:
    """Return a matrix of rows of an array: a view, or what gathers it."""
    view = strided(array, slots)
    if view is not None:
        return view
    if slots.flags.c_contiguous:
        return lambda: array[slots]
    slots = slots.T  # gathered in the order in which they are in memory
    return lambda: array[slots].swapaxes(0, 1)


def _vectors(array: Any, slots: Any, *, alone: bool) -> Any:
    """Return vectors of rows of an array; without the first axis for one vector, if `alone`."""
    found = _matrix(array, slots)
    if not alone or len(slots) > 1:
        return found
    return (lambda: found()[0]) if callable(found) else found[0]


def fold_calls(memory: Memory, fold: Fold) -> Iterator[Call]:
    """Yield the call for maxima or minima on the arrays of a memory."""
    array = memory.v if fold.varies else memory.u
    target, reduce = array[fold.out], getattr(np, fold.operation.name).reduceat
    yield lambda: reduce(array[fold.slots], fold.start, axis=0, out=target)


# ------------------------------------------------------------------------------------ weighted sums


def sums_calls(memory: Memory, sums: WeightedSums) -> Iterator[Call]:
    """Yield the calls for weighted sums on the arrays of a memory.

    Long rows, and few of them, are added up term by term; for others, gathering all terms takes
    less time.
    """
    varies, mode, count = sums.varies, sums.mode, len(sums.start)
    if varies and (memory.length >= _LONG or len(sums.sign) <= _FEW):
        yield from _term_by_term(memory, sums)
        return
    is_total = mode == "total"  # the terms are summed over the lanes, and then as numbers
    target, following = memory.target(
        varies and not is_total, sums.out, "add" if is_total else mode, count
    )
    left, right = (_reader(memory, *side, wide=varies) for side in sums.sides)
    factors = [right] if (sums.right >= 0).any() else []
    if (sums.sign != 1).any():
        sign = sums.sign.astype(memory.u.dtype)
        factors.append(lambda: sign[:, None] if varies else sign)
    single, times = len(sums.sign) == count, _times(memory, mode)

    def call() -> None:
        terms = left()
        for factor in factors:
            terms = times(terms, factor())
        if is_total:
            terms = np.add.reduce(terms, axis=1)
        if single:
            np.copyto(target, terms)
        else:
            np.add.reduceat(terms, sums.start, axis=0, out=target)

    yield call
    yield from following


def _times(memory: Memory, mode: Mode) -> Callable[..., Any]:
    """Return how the factors of a term are multiplied."""
    return stopping_product if memory.stops and mode != "value" else np.multiply


def _term_by_term(memory: Memory, sums: WeightedSums) -> Iterator[Call]:
    """Yield the calls that compute each sum, which varies over the batch, in place."""
    rows, adds = memory.rows, sums.mode in ("add", "total")
    share, all_terms, times = memory.scratch(memory.length), sums.terms(), _times(memory, sums.mode)
    bounds = pairwise(sums.bounds.tolist())
    for slot, (first, last) in zip(slots_of(sums.out).tolist(), bounds, strict=True):
        target = rows[sums.mode != "total"][slot]
        for i, (sign, left, left_varies, right, right_varies) in enumerate(all_terms[first:last]):
            term, is_further = rows[left_varies][left], adds or i > 0
            if right >= 0:
                product = share if is_further else target
                yield partial(times, term, rows[right_varies][right], product)
                term = product
            if is_further:
                yield _adding_row(np.add if sign > 0 else np.subtract, term, target, sums.mode)
            elif sign < 0:
                yield partial(np.negative, term, target)
            elif right < 0:
                yield partial(np.copyto, target, term)


def _adding_row(add: Callable[..., Any], share: Any, target: Any, mode: Mode) -> Call:
    """Return the call that adds a row to a result or, in the mode "total", its sum."""
    if mode == "total":
        return lambda: add(target, share.sum(), target)
    return partial(add, target, share, target)


def _reader(memory: Memory, slots: Any, varies: Any, *, wide: bool) -> Callable[[], Any]:
    """Return what gives the factor of every term; 1 for one that is missing."""
    here, there = (slots >= 0) & varies, (slots >= 0) & ~varies
    in_v, in_u, u, v = slots[here], slots[there], memory.u, memory.v
    if here.all():
        return partial(v.take, in_v, axis=0, mode="clip")
    if there.all():
        return (lambda: u[in_u][:, None]) if wide else partial(u.take, in_u, mode="clip")
    factor = np.ones((len(slots), memory.length) if wide else len(slots), u.dtype)

    def read() -> Any:
        if wide:
            factor[here] = v[in_v]
            factor[there] = u[in_u][:, None]
        else:
            factor[there] = u[in_u]
        return factor

    return read

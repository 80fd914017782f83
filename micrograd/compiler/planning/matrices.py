"""Finds matrix products among the weighted sums of one level: sums of the same inputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.planning.sums import LEAST_UNIFORM, Sums, terms_of
from micrograd.compiler.program.slots import Operand, Rows, repeats, rows_of

LEAST_VARYING = 8
"""With fewer multiplications, a matrix product is not faster than single sums."""
_MOST_PARTS = 3  # of a product that uses a weight in several columns: their sum can be fused
MOST_ADDENDS = 2  # a bias, and what a residual block adds


class Block(NamedTuple):
    """A matrix product: `sums[c, m]` is row m of the matrix times input vector c, plus addends.

    `sums` has positions among the sums that were searched; `matrix` and `inputs` have slots. An
    addend that is the same for every vector is `bias[m]`, a slot of `u`; without one, that is None.
    Each of `addends` has other addends in the order of `sums`, such as those of a residual block.
    `further` has the matrices and inputs of products that are added to the first one.
    """

    sums: Any
    matrix: Any
    inputs: Any
    bias: Rows | None
    addends: list[Operand]
    further: list[tuple[Any, Any]]


class _Sum(NamedTuple):
    weights: Any  # slots, in the order of the inputs
    inputs: Any  # slots in rising order
    addends: list[tuple[bool, int]]  # whether it is in `v`, and its slot; those in `u` first


def find_products(
    sums: Sums,
    bounds: Any,
    places: Any,
    slot: Any,
    varying: Any,
    varies: bool,
    constants: slice,
) -> tuple[list[Block], list[int]]:
    """Return the matrix products among some sums, and the positions of the sums that are in none.

    Args:
        sums: the terms of all sums of the graph.
        bounds: where the terms of each sum begin, and where the last one ends.
        places: the numbers of the sums to look at.
        slot: the slot of each node.
        varying: whether each node varies over the batch.
        varies: whether these sums do.
        constants: the slots of constants.
    """
    canonical = partial(_canonical, sums, bounds, places, slot, varying, varies)
    found, rest = _products(canonical(written=False), varies, constants)
    if rest and not varies and _is_mixed(sums, terms_of(bounds, places)[0], slot):
        # In `q @ k.T`, where both were computed together, the slots of neither come first.
        other = _products(canonical(written=True), varies, constants)
        if len(other[1]) < len(rest):
            return other
    return found, rest


def _is_mixed(sums: Sums, terms: Any, slot: Any) -> bool:
    """Return whether the slots of the first factors come first in some of the terms only."""
    terms = terms[sums.right[terms] >= 0]
    rises = slot[sums.left[terms]] <= slot[sums.right[terms]]
    return bool(rises.any() and not rises.all())


def _products(
    sums: Sequence[_Sum | None], varies: bool, constants: slice
) -> tuple[list[Block], list[int]]:
    """Return what `find_products` does, given the sums in the form of `_canonical`."""
    by_inputs: dict[Any, list[tuple[int, _Sum]]] = {}
    rest: list[int] = []
    for position, found in enumerate(sums):
        if found is None:
            rest.append(position)
        else:
            key = found.inputs.tobytes(), *(kind for kind, _ in found.addends)
            by_inputs.setdefault(key, []).append((position, found))

    by_matrix: dict[Any, list[list[tuple[int, _Sum]]]] = {}
    for (_, *kinds), rows in by_inputs.items():
        if len(rows) > 1:
            rows.sort(key=lambda row: (row[1].weights[0], row[1].addends))
        matrix = b"".join([row.weights.tobytes() for _, row in rows])
        by_matrix.setdefault((len(rows), matrix, *kinds), []).append(rows)

    blocks = []
    for columns in by_matrix.values():
        columns.sort(key=lambda rows: int(rows[0][1].inputs[0]))
        block = _block(columns, varies, constants)
        if block is None:
            rest += [position for rows in columns for position, _ in rows]
        else:
            blocks.append(block)
    return blocks, sorted(rest)


def _canonical(
    sums: Sums, bounds: Any, places: Any, slot: Any, varying: Any, varies: bool, *, written: bool
) -> list[_Sum | None]:
    """Return sums as weights times inputs plus addends; None if one does not have that form.

    In `u`, the first factors are the weights if `written` is true, otherwise those whose slots come
    first.
    """
    terms, start = terms_of(bounds, places)
    left, right = sums.left[terms], sums.right[terms]
    plain = right < 0
    wrong = sums.sign[terms] != 1
    if varies:
        swap = varying[left]
        wrong |= ~plain & (swap == varying[right])
    else:
        swap = np.zeros(len(left), bool) if written else slot[left] > slot[right]
    lengths = np.append(start[1:], len(terms)) - start
    addends = np.add.reduceat(plain, start, dtype=np.intp)
    fits = ~np.logical_or.reduceat(wrong, start) & (addends <= MOST_ADDENDS) & (addends < lengths)
    of = np.repeat(np.arange(len(start)), lengths)
    weights, inputs = slot[np.where(swap, right, left)], slot[np.where(swap, left, right)]
    # Products first, then addends by their space and slot.
    kinds, slots = varying[left], slot[left]
    first = np.where(plain, kinds, inputs)
    order = np.lexsort((np.where(plain, slots, weights), first, plain, of))
    weights, inputs, kinds, slots = (x[order] for x in (weights, inputs, kinds, slots))
    ends = start + lengths
    found: list[_Sum | None] = []
    of_sums = (x.tolist() for x in (fits, start, ends - addends, ends))
    for is_fit, begin, middle, end in zip(*of_sums, strict=True):
        if not is_fit:
            found.append(None)
            continue
        added = slice(middle, end)
        read = (
            zip(kinds[added].tolist(), slots[added].tolist(), strict=True) if end > middle else ()
        )
        found.append(_Sum(weights[begin:middle], inputs[begin:middle], [*read]))
    return found


def _block(columns: list[list[tuple[int, _Sum]]], varies: bool, constants: slice) -> Block | None:
    rows = [row for _, row in columns[0]]
    matrix = np.array([row.weights for row in rows])
    size = matrix.size if varies else matrix.size * len(columns)
    if size < (LEAST_VARYING if varies else LEAST_UNIFORM):
        return None
    if matrix.size == 1 and constants.start <= matrix[0, 0] < constants.stop:
        return None  # many numbers times a constant
    inputs = np.array([column[0][1].inputs for column in columns])
    if _is_filter(matrix, inputs, constants) or _is_filter(inputs, matrix, constants):
        return None
    bias, addends = None, []
    for k, (kind, _) in enumerate(rows[0].addends):
        slots = np.array([[row.addends[k][1] for _, row in column] for column in columns])
        if bias is None and not kind and (slots == slots[0]).all():
            bias = rows_of(slots[0])
        else:
            addends.append(Operand(kind, rows_of(slots.ravel())))
    positions = np.array([[position for position, _ in column] for column in columns])
    count = matrix.shape[1]
    width = 1 if count <= _MOST_PARTS and repeats(matrix) else count
    parts = (slice(j, j + width) for j in range(0, count, width))
    first, *further = ((matrix[:, part], inputs[:, part]) for part in parts)
    return Block(positions, *first, bias, addends, further)


def _is_filter(weights: Any, inputs: Any, constants: slice) -> bool:
    """Return whether inputs that overlap are multiplied by the same few constants.

    As a product, each input would be copied as often as it is used.
    """
    is_constant = len(weights) == 1 and ((weights >= constants.start) & (weights < constants.stop))
    return bool(np.all(is_constant)) and repeats(inputs)

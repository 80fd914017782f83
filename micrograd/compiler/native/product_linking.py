"""Turns matrix products into rows of words; operands without a stride are gathered first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from micrograd.compiler.native.rows import Field
from micrograd.compiler.program import Product, Rows, even_matrix

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


def needed(instruction: Product) -> tuple[int, int]:
    """Return how many numbers of `u` and rows of `v` a product has to gather."""
    varies, _, matrix, inputs, bias = instruction
    numbers = 0 if _affine(matrix, varies) else matrix.size
    numbers += 0 if bias is None or _line(bias) else len(matrix)
    rows = inputs.size if _windows(inputs, varies) is None else 0
    return (numbers, rows) if varies else (numbers + rows, 0)


def forward(linked: Linked, i: int, instruction: Product) -> None:
    """Add the rows that compute a product.

    Args:
        linked: the program, as far as it is linked.
        i: the number of the instruction.
        instruction: the product.
    """
    varies, out, matrix, inputs, bias = instruction
    (m, k), c = matrix.shape, len(inputs)
    a, down, right = _matrix(linked, i, instruction)
    b, step = _vectors(linked, i, instruction)
    fields, mode = _bias(linked, i, bias)
    fields |= {Field.INTO: out.start, Field.INTO_STEP: m, Field.INTO_DOWN: m}
    if varies:
        kernel = linked.kernel("rank_v", mode=mode)
        fields |= {Field.COUNT: c, Field.ROWS: m, Field.COLUMNS: k}
        fields |= {Field.A: a, Field.A_DOWN: down, Field.A_RIGHT: right}
        fields |= {Field.B: b, Field.B_STEP: step}
    elif _slides(m, step, c, k):
        kernel = linked.kernel("line_u", mode=mode)
        fields |= {Field.ROWS: 1, Field.COLUMNS: k, Field.LANES: c}
        fields |= {Field.A: a, Field.A_RIGHT: right, Field.B: b, Field.B_STEP: 1}
    else:
        kernel = linked.kernel("dot_u", mode=mode)
        fields |= {Field.ROWS: c, Field.COLUMNS: m, Field.LANES: k}
        fields |= {Field.A: b, Field.A_DOWN: step, Field.B: a, Field.B_STEP: down}
    linked.emit(varies, kernel, fields)


def _bias(linked: Linked, i: int, bias: Rows | None) -> tuple[dict[Any, int], str]:
    if bias is None:
        return {}, "zero"
    found = _line(bias)
    if found is None:
        found = linked.gather(i, "bias", False, bias), 1
    return dict(zip((Field.BIAS, Field.BIAS_STEP), found, strict=True)), "bias"


def _matrix(linked: Linked, i: int, instruction: Product) -> tuple[int, int, int]:
    """Return the place and the strides of the matrix, which is gathered if need be."""
    found = _affine(instruction.matrix, instruction.varies)
    if found is not None:
        return found
    place = linked.gather(i, "matrix", False, instruction.matrix)
    return place, instruction.matrix.shape[1], 1


def _vectors(linked: Linked, i: int, instruction: Product) -> tuple[int, int]:
    """Return the place of the first input vector, and the distance to the next one."""
    found = _windows(instruction.inputs, instruction.varies)
    if found is not None:
        return found
    slots = instruction.inputs
    return linked.gather(i, "inputs", instruction.varies, slots), slots.shape[1]


def backward(linked: Linked, i: int, instruction: Product) -> None:
    """Add the rows that pass the adjoints of a product to its inputs, matrix and bias.

    Args:
        linked: the program, which has the product forwards.
        i: the number of the instruction.
        instruction: the product.
    """
    varies, out, matrix, inputs, bias = instruction
    (m, k), c = matrix.shape, len(inputs)
    g = out.start + linked.shift(varies)
    if linked.is_active(varies, inputs):
        _into_inputs(linked, i, instruction, g)
    if linked.is_active(False, matrix):
        a, down, right = _found(linked, i, instruction)
        b, step = _inputs(linked, i, instruction)
        fields = {Field.ROWS: m, Field.COLUMNS: k, Field.A: g, Field.B: b}
        fields |= {Field.INTO: a + linked.adjoints_u}
        if varies:
            kernel = linked.kernel("dot_v")
            fields |= {Field.COUNT: c, Field.A_DOWN: m, Field.B_STEP: step}
            fields |= {Field.INTO_DOWN: down, Field.INTO_STEP: right}
        else:
            kernel = linked.kernel("rank_u" if m > 1 else "line_u", mode="add")
            fields |= {Field.COLUMNS: c, Field.LANES: k, Field.A_DOWN: 1, Field.A_RIGHT: m}
            fields |= {Field.B_STEP: step, Field.INTO_STEP: down}
        linked.emit(varies, kernel, fields)
        if (i, "matrix") in linked.gathers:
            linked.scatter(a, False, matrix)
    if bias is not None and linked.is_active(False, bias):
        gathered = linked.gathers.get((i, "bias"))
        place, step = _line(bias) if gathered is None else (gathered, 1)
        fields = {Field.BIAS: place + linked.adjoints_u, Field.BIAS_STEP: step}
        fields |= {Field.COUNT: c, Field.ROWS: m, Field.A: g, Field.A_DOWN: m}
        linked.emit(varies, linked.kernel("row_totals" if varies else "column_totals"), fields)
        if gathered is not None:
            linked.scatter(gathered, False, bias)


def _into_inputs(linked: Linked, i: int, instruction: Product, g: int) -> None:
    varies, inputs = instruction.varies, instruction.inputs
    (m, k), c = instruction.matrix.shape, len(inputs)
    a, down, right = _found(linked, i, instruction)
    place, step = _inputs(linked, i, instruction)
    gathered = (i, "inputs") in linked.gathers
    into = place + linked.shift(varies)
    fields = {Field.INTO: into}
    if varies:
        stores = gathered or linked.writers.stores(slice(place, place + inputs.size))
        kernel = linked.kernel("rank_v", mode="zero" if stores else "add")
        fields |= {Field.COUNT: c, Field.ROWS: k, Field.COLUMNS: m}
        fields |= {Field.A: a, Field.A_DOWN: right, Field.A_RIGHT: down}
        fields |= {Field.B: g, Field.B_STEP: m, Field.INTO_STEP: k}
        linked.emit(varies, kernel, fields)
    else:
        kernel = linked.kernel("rank_u" if step >= k else "line_u", mode="add")
        fields |= {Field.ROWS: c, Field.COLUMNS: m, Field.LANES: k}
        fields |= {Field.A: g, Field.A_DOWN: m, Field.A_RIGHT: 1}
        fields |= {Field.B: a, Field.B_STEP: down, Field.INTO_STEP: step}
        for part in _apart(fields, step, right):
            linked.emit(varies, kernel, part)
    if gathered:
        if varies:
            linked.writers.touch(inputs.ravel())
        linked.scatter(place, varies, inputs)


def _inputs(linked: Linked, i: int, instruction: Product) -> tuple[int, int]:
    """Return the same as `_vectors`, after it has run."""
    place, k = linked.gathers.get((i, "inputs")), instruction.inputs.shape[1]
    found = _windows(instruction.inputs, instruction.varies)
    return cast("tuple[int, int]", found if place is None else (place, k))


def _found(linked: Linked, i: int, instruction: Product) -> tuple[int, int, int]:
    place = linked.gathers.get((i, "matrix"))
    if place is not None:
        return place, instruction.matrix.shape[1], 1
    return cast("tuple[int, int, int]", _affine(instruction.matrix, instruction.varies))


def _line(rows: Any) -> Any:
    """Return the place and the stride of evenly spaced numbers; None for others."""
    if isinstance(rows, slice):
        return rows.start, 1
    start = int(rows[0])
    step = int(rows[1]) - start if len(rows) > 1 else 1
    return (start, step) if (rows == start + step * np.arange(len(rows))).all() else None


def contiguous(slots: Any) -> bool:
    """Return whether slots are neighbours, in rising order."""
    first = slots.flat[0]
    return bool((slots.ravel() == np.arange(first, first + slots.size)).all())


def _windows(inputs: Any, varies: bool) -> tuple[int, int] | None:
    """Return the place of the first input vector, and the distance to the next one.

    In `u` they may overlap, as the windows of a filter do. None if they have to be gathered.
    """
    if contiguous(inputs):
        return int(inputs[0, 0]), inputs.shape[1]
    found = None if varies else even_matrix(inputs)
    if found is None or found[1] <= 0 or (found[2] != 1 and inputs.shape[1] > 1):
        return None
    return found[0], found[1]


def _slides(m: int, step: int, c: int, k: int) -> bool:
    """Return whether one row is multiplied with `c` windows of `k` numbers, each one further."""
    return m == 1 and step == 1 and c > k > 1


def _apart(fields: dict[Any, int], step: int, right: int) -> Iterator[dict[Any, int]]:
    """Yield the fields of a product in `u` in parts whose results do not overlap.

    Args:
        fields: those of the product that passes adjoints to windows, a row for each window.
        step: the distance from one window to the next.
        right: that from one column of the matrix to the next.
    """
    c, m, k = fields[Field.ROWS], fields[Field.COLUMNS], fields[Field.LANES]
    if step >= k:
        yield fields
    elif _slides(m, step, c, k):
        g, a, into = (fields[each] for each in (Field.A, Field.B, Field.INTO))
        line = fields | {Field.ROWS: 1, Field.A: a, Field.A_RIGHT: right}
        last = k - 1  # the first number that is in `k` windows
        yield line | {
            Field.COLUMNS: k,
            Field.LANES: c - last,
            Field.B: g + last,
            Field.B_STEP: -1,
            Field.INTO: into + last,
        }
        for j in range(k):  # those before it, and those after the last such number
            part = line | {Field.COLUMNS: 1, Field.A: a + right * j}
            yield part | {Field.LANES: last - j, Field.B: g, Field.INTO: into + j}
            yield part | {Field.LANES: j, Field.B: g + c - j, Field.INTO: into + c}
    else:
        for i in range(c):
            part = {Field.ROWS: 1, Field.INTO: fields[Field.INTO] + step * i}
            yield fields | part | {Field.A: fields[Field.A] + m * i}


def _affine(matrix: Any, varies: bool) -> tuple[int, int, int] | None:
    """Return the place and the strides of a matrix; None if its places are not evenly spaced.

    In `u` alone, each row must be contiguous, and rows must not overlap.
    """
    found = even_matrix(matrix)
    if found and not varies and (found[2] != 1 or found[1] < matrix.shape[1]):
        return None
    return found

"""Turns matrix products into rows of words; operands without a stride are gathered first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from micrograd.compiler.native.rows import Field, words
from micrograd.compiler.program.instructions import Product
from micrograd.compiler.program.slots import Rows, even_matrix, rows_of, slots_of

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


def needed(instruction: Product) -> tuple[int, int]:
    """Return how many numbers of `u` and rows of `v` a product has to gather."""
    varies, _, matrix, inputs, bias, _ = instruction
    numbers = 0 if _affine(matrix, varies) else matrix.size
    numbers += 0 if bias is None or _line(bias) else len(matrix)
    rows = inputs.size if _windows(inputs, varies) is None else 0
    return (numbers, rows) if varies else (numbers + rows, 0)


def forward(linked: Linked, instruction: Product) -> None:
    """Add the rows that compute a product.

    Args:
        linked: the program, as far as it is linked.
        instruction: the product.
    """
    if instruction.mode == "total":
        _total(linked, instruction)
    elif instruction.varies:
        _in_v(linked, instruction)
    else:
        _in_u(linked, instruction)


def _in_v(linked: Linked, instruction: Product) -> None:
    _, out, matrix, inputs, bias, mode = instruction
    (m, k), c = matrix.shape, len(inputs)
    a, down, right = _matrix(linked, matrix, varies=True)
    b, step = _vectors(linked, inputs, varies=True)
    fields = words(count=c, rows=m, columns=k, a=a, a_down=down, a_right=right, b=b, b_step=step)
    start, own = _bias(linked, bias)
    is_slice = isinstance(out, slice)
    if mode == "add" and is_slice:
        start = "add"
    place = out.start if is_slice else linked.reserve(c * m, varies=True)
    linked.emit(
        True, linked.kernel("rank_v", mode=start), fields | own | words(into=place, into_step=m)
    )
    if not is_slice:
        linked.scatter(place, True, out, mode)


def _in_u(linked: Linked, instruction: Product) -> None:
    _, out, matrix, inputs, bias, mode = instruction
    (m, k), c = matrix.shape, len(inputs)
    slots = slots_of(out).reshape(c, m)
    into = _windows(slots, varies=False)
    place, pitch = into or (linked.reserve(c * m, varies=False), m)
    start, fields = _bias(linked, bias)
    start = "add" if mode == "add" else start  # what is reserved in `u` is 0 at first
    fields |= words(into=place, into_step=pitch, into_down=pitch)
    turned = mode == "add" and _turned(linked, matrix, inputs)
    if turned:  # the rows of the result are sums of rows of the transposed matrix
        (a, down, right), (b, _, step) = turned
        fields |= words(rows=c, columns=k, lanes=m)
        fields |= words(a=a, a_down=down, a_right=right, b=b, b_step=step)
        kernel = linked.kernel("rank_u" if c > 1 and pitch >= m else "line_u", mode=start)
        for part in _apart(fields, pitch):
            linked.emit(False, kernel, part)
    else:
        a, down, right = _matrix(linked, matrix, varies=False)
        b, step = _vectors(linked, inputs, varies=False)
        if _slides(m, step, c, k):
            kernel = linked.kernel("line_u", mode=start)
            fields |= words(rows=1, columns=k, lanes=c, a=a, a_right=right, b=b, b_step=1)
        else:
            kernel = linked.kernel("dot_u", mode=start)
            fields |= words(rows=c, columns=m, lanes=k, a=b, a_down=step, b=a, b_step=down)
        linked.emit(False, kernel, fields)
    if into is None:
        linked.scatter(place, False, slots)


def _total(linked: Linked, instruction: Product) -> None:
    """Add the rows of a product of rows of `v`, summed over the lanes, for a matrix of `u`."""
    left, right = instruction.inputs.T, instruction.matrix.T
    (c, m), k = left.shape, right.shape[1]
    a, a_step = _vectors(linked, left, varies=True)
    b, b_step = _vectors(linked, right, varies=True)
    slots = slots_of(instruction.out).reshape(m, k)
    into = even_matrix(slots)
    place, down, across = into or (linked.reserve(slots.size, varies=False), k, 1)
    fields = words(count=c, rows=m, columns=k, a=a, a_down=a_step, b=b, b_step=b_step)
    fields |= words(into=place, into_down=down, into_step=across)
    linked.emit(True, linked.kernel("dot_v"), fields)
    if into is None:
        linked.scatter(place, False, slots)


def _bias(linked: Linked, bias: Rows | None) -> tuple[str, dict[Any, int]]:
    """Return what a product begins with, and the words that say where that is."""
    if bias is None:
        return "zero", {}
    place, step = _line(bias) or (linked.gather(False, bias), 1)
    return "bias", words(bias=place, bias_step=step)


def _matrix(linked: Linked, slots: Any, *, varies: bool) -> tuple[int, int, int]:
    """Return the place and the strides of a matrix, which is gathered if need be."""
    found = _affine(slots, varies) or _gathered(linked, False, slots)
    if found is None or not (varies or found[2] == 1):
        found = linked.gather(False, slots), slots.shape[1], 1
    return found


def _vectors(linked: Linked, slots: Any, *, varies: bool) -> tuple[int, int]:
    """Return the place of the first vector, and the distance to the next one."""
    found = _windows(slots, varies)
    if found is None:
        held = _gathered(linked, varies, slots)
        place = held[0] if held and held[2] == 1 else linked.gather(varies, slots)
        found = place, slots.shape[1]
    return found


def _turned(linked: Linked, matrix: Any, inputs: Any) -> tuple[Any, Any] | None:
    """Return the places and strides of inputs and of a matrix whose columns are contiguous."""
    a, b = (_gathered(linked, False, each) or even_matrix(each) for each in (inputs, matrix))
    return (a, b) if a and b and (b[1] == 1 or len(matrix) == 1) else None


def _gathered(linked: Linked, varies: bool, slots: Any) -> tuple[int, int, int] | None:
    """Return where the program has gathered slots before its backward pass, and the strides."""
    if not linked.is_back:
        return None
    (rows, columns), gathers = slots.shape, linked.gathers
    if (place := gathers.get((varies, slots.tobytes()))) is not None:
        return place, columns, 1
    if (place := gathers.get((varies, slots.T.tobytes()))) is not None:
        return place, 1, rows
    return None


def _line(rows: Any) -> Any:
    """Return the place and the stride of evenly spaced numbers; None for others."""
    found = even_matrix(slots_of(rows)[None])
    return found and (found[0], found[2])


def contiguous(slots: Any) -> bool:
    """Return whether slots are neighbours, in rising order."""
    return isinstance(rows_of(slots.ravel()), slice)


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


def _apart(fields: dict[Any, int], step: int) -> Iterator[dict[Any, int]]:
    """Yield the fields of a product in `u` in parts whose results do not overlap.

    Args:
        fields: those of the product, a row for each window that it adds to.
        step: the distance from one window to the next.
    """
    c, m, k = fields[Field.ROWS], fields[Field.COLUMNS], fields[Field.LANES]
    if step >= k:
        yield fields
    elif _slides(m, step, c, k):
        g, a, into = (fields[each] for each in (Field.A, Field.B, Field.INTO))
        line = fields | words(rows=1, a=a, a_right=1)
        last = k - 1  # the first number that is in `k` windows
        whole = words(columns=k, lanes=c - last, b=g + last, b_step=-1, into=into + last)
        yield line | whole
        for j in range(k):  # those before it, and those after the last such number
            part = line | words(columns=1, a=a + j)
            yield part | words(lanes=last - j, b=g, into=into + j)
            yield part | words(lanes=j, b=g + c - j, into=into + c)
    else:
        for i in range(c):
            a = fields[Field.A] + fields[Field.A_DOWN] * i
            yield fields | words(rows=1, into=fields[Field.INTO] + step * i, a=a)


def _affine(matrix: Any, varies: bool) -> tuple[int, int, int] | None:
    """Return the place and the strides of a matrix; None if its places are not evenly spaced.

    In `u` alone, each row must be contiguous, and rows must not overlap.
    """
    found = even_matrix(matrix)
    if found and not varies and (found[2] != 1 or found[1] < matrix.shape[1]):
        return None
    return found

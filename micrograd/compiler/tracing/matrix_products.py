"""Matrix products of traced arrays, recorded at once and differentiated as matrix products.

`W @ x` is one node of the graph of traced values, whose operands are all numbers of both matrices.
Each number of the result is an entry of this node. In the recorder, and so in a program, they are
the sums of products that NumPy would have computed number by number.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import cache, reduce
from typing import Any

import numpy as np

from micrograd.compiler.tracing import recorder as recorders
from micrograd.compiler.tracing.graph import Structural
from micrograd.compiler.tracing.inner_products import packed
from micrograd.compiler.tracing.recorder import Recorder
from micrograd.compiler.tracing.structural import Result, Shares
from micrograd.compiler.tracing.traced import Traced, leaf
from micrograd.engine import traced_arrays
from micrograd.engine.graph import More
from micrograd.engine.value import Value
from micrograd.ops import STOPPING, TABLE, Operation
from micrograd.transforms.propagation import Joint, multiplied

_NUMBERS = frozenset({Traced, Value, float, int, np.float64})
_MUL, _STOPPING = TABLE["mul"], STOPPING["stopping_mul"]


def matrix_product(a: Any, b: Any) -> Any:
    """Return `a @ b` as traced values; None if NumPy has to compute it number by number.

    Args:
        a: an array with one or two axes.
        b: another one. All numbers of one of them must be traced.
    """
    recorder = recorders.active
    is_product = 0 < a.ndim < 3 > b.ndim > 0 and a.size and b.size and a.shape[-1] == len(b)
    if not is_product or recorder is None:
        return None
    left, of_left = _taken(recorder, a if a.ndim == 1 else a.ravel())
    right, of_right = _taken(recorder, b if b.ndim == 1 else b.T.ravel())
    if of_left is None or of_right is None:
        rest = right if of_left else left
        if of_left is of_right or not _NUMBERS.issuperset(map(type, rest)):
            return None
    found = _numbers(recorder, _MUL, left, right, len(b), of_left, of_right)
    if len(found) == 1 and a.ndim == b.ndim == 1:
        return found[0]
    return _array(found, a.shape[:-1] + b.shape[1:])


traced_arrays.matrix_product = matrix_product


def _taken(recorder: Recorder, array: Any) -> tuple[list[Any], bytes | None]:
    """Return the numbers of an array with one axis, and their places as `_places` does."""
    if array.dtype.char != "O":
        return array.tolist(), None
    key = array.tobytes()
    found = recorder.matrices.get(key)
    if found is None:
        numbers = array.tolist()
        places = _places(numbers)
        if places is None:
            return numbers, None
        recorder.matrices[key] = found = numbers, places
    return found


def _places(numbers: Sequence[Any]) -> bytes | None:
    """Return the packed places of traced values; None if not all of them are."""
    try:
        return packed([x._place for x in numbers])
    except AttributeError:
        return None


def _array(numbers: Sequence[Any], shape: tuple[int, ...]) -> Any:
    made = np.empty(len(numbers), object)
    made[:] = numbers
    return made.reshape(shape)


def _numbers(
    recorder: Recorder,
    row: Operation,
    left: Sequence[Any],
    right: Sequence[Any],
    length: int,
    of_left: bytes | None,
    of_right: bytes | None,
) -> list[Traced]:
    """Record a matrix product, and return the numbers of the result, row by row.

    Those of the left matrix are given row by row, and those of the right one column by column; and
    their places, if all numbers are traced.
    """
    made = _made(row, len(left) // length, len(right) // length, length)
    places = recorder.multiplied(
        made.kind,
        of_left or packed(recorder.places(left)),
        of_right or packed(recorder.places(right)),
    )
    node = leaf(places[0])
    node._row, node._y = made, More((*left, *right))
    found = [*map(leaf, places)]
    for number, entry in zip(found, _numbered(len(found)), strict=False):
        number._row, number._x = entry, node
    return found


@cache
def _made(row: Operation, rows: int, columns: int, length: int) -> MatrixProduct:
    return MatrixProduct(row, rows, columns, length)


class Entry(Result):
    """A number of a matrix product."""

    name = "entry"

    def recorded(self, recorder: Recorder, places: Sequence[Any]) -> int:
        """Return the place of this number, given the places of all numbers of the result."""
        place: int = places[0][self.index]
        return place

    def reads(self, node: Value) -> Iterable[Any]:
        """Return the numbers of one row and one column."""
        made: MatrixProduct = node._x._row
        left, right = made.matrices(node._x)
        row, column = divmod(self.index, right.shape[1])
        return [*left[row], *right[:, column]]


_entries_made: list[Entry] = []


def _numbered(count: int) -> list[Entry]:
    """Return at least `count` entries, in order; all products share them."""
    if len(_entries_made) < count:
        _entries_made.extend(map(Entry, range(len(_entries_made), count)))
    return _entries_made


class MatrixProduct(Structural, Joint):
    """A matrix product.

    Its operands are the rows of the left matrix and then the columns of the right one.

    Args:
        row: the operation of each product.
        rows: the number of rows of the result.
        columns: the number of its columns.
        length: the number of terms of each sum.
    """

    name = "matrix product"

    def __init__(self, row: Operation, rows: int, columns: int, length: int) -> None:
        self.shape, self.length = (rows, columns), length
        self.kind = row, (rows, columns, length)

    def matrices(self, node: Value) -> tuple[Any, Any]:
        """Return both matrices of a node as arrays of objects."""
        rows, columns = self.shape
        held, count = node._y.operands, rows * self.length
        left = _array(held[:count], (rows, self.length))
        return left, _array(held[count:], (columns, self.length)).T

    def recorded(self, recorder: Recorder, places: Sequence[int]) -> Any:
        """Record the product of other operands, and return the places of the results."""
        count = self.shape[0] * self.length
        return recorder.multiplied(self.kind, packed(places[:count]), packed(places[count:]))

    def pull(
        self, node: Value, adjoint: Any, active: Container[Value]
    ) -> Iterable[tuple[Value, Any]]:
        """Return the adjoints of both matrices: products of one with that of the result."""
        left, right = self.matrices(node)
        given = np.full(left.shape[0] * right.shape[1], None, object)
        given[[*adjoint]] = [*adjoint.values()]
        given = given.reshape(self.shape)
        # Adjoints come from the last result to the first one.
        if any(x in active for x in left.flat if isinstance(x, Value)):
            yield from _shares(left, _product(given[:, ::-1], right.T[::-1]), active)
        if any(x in active for x in right.flat if isinstance(x, Value)):
            yield from _shares(right, _product(given.T[:, ::-1], left[::-1]).T, active)

    def push(self, node: Value, tangents: dict[Value, Any]) -> Any:
        """Return the tangents of the entries, by the number of each."""
        left, right = self.matrices(node)
        parts = []
        for matrix, other in ((left, right), (right.T, left.T)):
            flat = [tangents.get(x) if isinstance(x, Value) else None for x in matrix.flat]
            parts.append(_product(_array(flat, matrix.shape), other))
        found = (_sum(pair) for pair in zip(parts[0].flat, parts[1].T.flat, strict=True))
        return Shares({i: each for i, each in enumerate(found) if each is not None})


def _shares(matrix: Any, shares: Any, active: Container[Value]) -> Iterable[tuple[Value, Any]]:
    for x, share in zip(matrix.flat, shares.flat, strict=True):
        if share is not None and isinstance(x, Value) and x in active:
            yield x, share


def _product(factors: Any, slopes: Any) -> Any:
    """Return a product of an array of adjoints or tangents, None for nothing, and a matrix."""
    shape = len(factors), slopes.shape[1]
    left = factors.ravel().tolist()
    of_left = _places(left)
    if of_left is not None:
        right = slopes.T.ravel().tolist()
        found = _numbers(
            recorders.current(), _STOPPING, left, right, len(slopes), of_left, _places(right)
        )
        return _array(found, shape)
    columns = slopes.T.tolist()
    found = [_sum(map(_times, row, column)) for row in factors.tolist() for column in columns]
    return _array(found, shape)


def _times(factor: Any, slope: Any) -> Any:
    if not isinstance(factor, Value) and not factor:
        return None
    return multiplied(factor, slope if isinstance(slope, Value) else Value(slope))


def _sum(shares: Iterable[Any]) -> Any:
    """Return the sum of what is not None, or None if all are."""
    found = [share for share in shares if share is not None]
    return reduce(lambda x, y: x + y, found) if found else None

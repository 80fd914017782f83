"""Operations on arrays and nested lists: elementwise with broadcasting, and sums over many numbers.

Numbers, Values and values of a traced function may be mixed. NumPy is imported only for arrays.

>>> [round(share, 4) for share in softmax([1000.0, 999.0])]
[0.7311, 0.2689]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING, Any, overload

from micrograd.engine.definitions import VOCABULARY, is_array_like
from micrograd.engine.foreign import refuse_foreign
from micrograd.engine.value import Value, to_number
from micrograd.table.floats import to_float

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from micrograd.engine.signatures import Array, Reals, Scalar, Scalars

__all__ = ["dot", "log_softmax", "logsumexp", "mean", "norm", "prod", "softmax", "var"]


@overload
def mean(xs: Reals, axis: None = None) -> float: ...  # type: ignore[overload-overlap]
@overload
def mean(xs: Scalars, axis: None = None) -> Value: ...
@overload
def mean(xs: Any, axis: int | None = None) -> Any: ...
def mean(xs: Any, axis: int | None = None) -> Any:
    """Compute the arithmetic mean.

    Args:
        xs: numbers and Values: a list, nested lists or an array.
        axis: the axis to average over; by default all numbers are averaged.

    Raises:
        ValueError: the argument is empty.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    return _reduced(_mean, xs, axis, "mean")


@overload
def prod(xs: Reals, axis: None = None) -> float: ...  # type: ignore[overload-overlap]
@overload
def prod(xs: Scalars, axis: None = None) -> Value: ...
@overload
def prod(xs: Any, axis: int | None = None) -> Any: ...
def prod(xs: Any, axis: int | None = None) -> Any:
    """Compute the product of all numbers, whose derivatives are right where factors are 0.

    Args:
        xs: numbers and Values: a list, nested lists or an array.
        axis: the axis to multiply along; by default all numbers are multiplied.

    Raises:
        ValueError: the argument is empty.

    >>> prod([2.0, 3.0, 4.0])
    24.0
    """
    return _reduced(_prod, xs, axis, "prod")


@overload
def var(xs: Reals, axis: None = None, *, ddof: int = 0) -> float: ...  # type: ignore[overload-overlap]
@overload
def var(xs: Scalars, axis: None = None, *, ddof: int = 0) -> Value: ...
@overload
def var(xs: Any, axis: int | None = None, *, ddof: int = 0) -> Any: ...
def var(xs: Any, axis: int | None = None, *, ddof: int = 0) -> Any:
    """Compute the variance: the mean square deviation from the mean.

    Args:
        xs: numbers and Values: a list, nested lists or an array.
        axis: the axis along which to compute it; by default over all numbers.
        ddof: what is subtracted from the count of the numbers in the denominator, as in NumPy; 1
            for the unbiased estimate.

    Raises:
        ValueError: there are at most `ddof` numbers.

    >>> var([1.0, 2.0, 3.0]), var([1.0, 2.0, 3.0], ddof=1)
    (0.6666666666666666, 1.0)
    """

    def variance(numbers: Sequence[Any]) -> Any:
        if len(numbers) <= ddof:
            raise ValueError(f"var with ddof={ddof} needs more numbers, got {len(numbers)}")
        middle = _mean(numbers)
        return _total([_square(x - middle) for x in numbers]) / (len(numbers) - ddof)

    return _reduced(variance, xs, axis, "var")


@overload
def norm(xs: Reals, axis: None = None) -> float: ...  # type: ignore[overload-overlap]
@overload
def norm(xs: Scalars, axis: None = None) -> Value: ...
@overload
def norm(xs: Any, axis: int | None = None) -> Any: ...
def norm(xs: Any, axis: int | None = None) -> Any:
    """Compute the Euclidean norm. Its derivative where all numbers are 0 is 0, by convention.

    Args:
        xs: numbers and Values: a list, nested lists or an array.
        axis: the axis along which to compute it; by default over all numbers.

    >>> norm([3.0, 4.0])
    5.0
    >>> x, y = Value(0.0), Value(0.0)
    >>> norm([x, y]).backward()
    >>> x.grad
    0.0
    """
    return _reduced(_norm, xs, axis, "norm")


@overload
def logsumexp(xs: Reals, axis: None = None) -> float: ...  # type: ignore[overload-overlap]
@overload
def logsumexp(xs: Scalars, axis: None = None) -> Value: ...
@overload
def logsumexp(xs: Any, axis: int | None = None) -> Any: ...
def logsumexp(xs: Any, axis: int | None = None) -> Any:
    """Compute the logarithm of the sum of the exponentials, for numbers of any size.

    Args:
        xs: numbers and Values: a list, nested lists or an array.
        axis: the axis along which to compute it; by default over all numbers.

    >>> round(logsumexp([1000.0, 1000.0]), 4)
    1000.6931
    """
    return _reduced(_logsumexp, xs, axis, "logsumexp")


@overload
def softmax(xs: Sequence[float], axis: int = -1) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def softmax(xs: Sequence[Scalar], axis: int = -1) -> list[Value]: ...
@overload
def softmax(xs: Array, axis: int = -1) -> NDArray[Any]: ...
def softmax(xs: Any, axis: int = -1) -> Any:
    """Compute positive numbers that add up to 1, in proportion to the exponentials.

    Args:
        xs: scores of any size, numbers or Values: a list, nested lists or an array.
        axis: the axis along which the results add up to 1.

    Returns:
        A list for a list of scores, else an array of the same shape.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    return _mapped(_softmax, xs, axis, "softmax")


@overload
def log_softmax(xs: Sequence[float], axis: int = -1) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def log_softmax(xs: Sequence[Scalar], axis: int = -1) -> list[Value]: ...
@overload
def log_softmax(xs: Array, axis: int = -1) -> NDArray[Any]: ...
def log_softmax(xs: Any, axis: int = -1) -> Any:
    """Compute the logarithms of `softmax`, which are finite even where `softmax` would be 0.

    Args:
        xs: scores of any size, numbers or Values: a list, nested lists or an array.
        axis: the axis along which the exponentials of the results add up to 1.

    Returns:
        A list for a list of scores, else an array of the same shape.

    >>> log_softmax([0.0, 1000.0])
    [-1000.0, 0.0]
    """
    return _mapped(_log_softmax, xs, axis, "log_softmax")


@overload
def dot(xs: Reals, ys: Reals) -> float: ...  # type: ignore[overload-overlap]
@overload
def dot(xs: Scalars, ys: Scalars) -> Value: ...
def dot(xs: Any, ys: Any) -> Any:
    """Compute the scalar product of two vectors. For matrices, write `A @ B` on arrays.

    Args:
        xs: numbers and Values, a list or an array with one axis.
        ys: as many numbers and Values.

    Raises:
        ValueError: the lengths differ, or the arguments are empty.

    >>> dot([1.0, 2.0], [3.0, 4.0])
    11.0
    """
    left, right = (_vector(each, "dot") for each in (xs, ys))
    if len(left) != len(right):
        raise ValueError(f"dot needs two vectors of one length, got {len(left)} and {len(right)}")
    return _total([x * y for x, y in zip(left, right, strict=True)])


# --------------------------------------------------------------------------- on lists of numbers


def _total(numbers: Sequence[Any]) -> Any:
    """The sum, without the 0 that Python's `sum` begins with."""
    return reduce(lambda x, y: x + y, numbers)


def _mean(numbers: Sequence[Any]) -> Any:
    return _total(numbers) / len(numbers)


def _prod(numbers: Sequence[Any]) -> Any:
    return reduce(lambda x, y: x * y, numbers)


def _square(x: Any) -> Any:
    return VOCABULARY["square"](x)


def _norm(numbers: Sequence[Any]) -> Any:
    """The root of the sum of squares; where squares do not fit, of shares of the largest number."""
    is_traced = _is_traced(numbers)
    plain = numbers if is_traced else _plain(numbers)
    total = _total([_square(x) for x in plain])
    fits = (total > _SMALL) * (total < math.inf)
    if not is_traced and fits:
        return _root(numbers)
    scale = VOCABULARY["maximum"](_shift([VOCABULARY["abs"](_detached(x)) for x in plain]), _TINY)
    scaled = _root([x / scale for x in numbers]) * scale
    if not is_traced:
        return scaled
    root = _root(numbers)
    return VOCABULARY["where"](fits, root, VOCABULARY["where"](scale, scaled, root))


def _root(numbers: Sequence[Any]) -> Any:
    total = _total([_square(x) for x in numbers])
    return VOCABULARY["where"](total, VOCABULARY["sqrt"](total), 0.0)


def _is_traced(numbers: Sequence[Any]) -> bool:
    return any(isinstance(x, Value) and x._is_traced for x in numbers)


def _plain(numbers: Sequence[Any]) -> list[Any]:
    return [x.data if isinstance(x, Value) else x for x in numbers]


_SMALL = 1e-30
"""From here on a sum of squares is as accurate as any other, in single precision too."""
_TINY = 1e-300
"""A number with a finite reciprocal; in single precision it is 0."""


def _shift(numbers: Sequence[Any]) -> Any:
    """The largest number as a constant; 0 if it is infinite. It may be subtracted from all."""
    if not _is_traced(numbers):
        numbers = _plain(numbers)
    largest = reduce(VOCABULARY["maximum"], (_detached(x) for x in numbers))
    return VOCABULARY["where"](abs(largest) < math.inf, largest, 0.0)


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, Value) else x


def _exponentials(numbers: Sequence[Any]) -> tuple[list[Any], Any]:
    """The numbers less the largest, and the largest."""
    largest = _shift(numbers)
    return [x - largest for x in numbers], largest


def _logsumexp(numbers: Sequence[Any]) -> Any:
    shifted, largest = _exponentials(numbers)
    return VOCABULARY["log"](_total([VOCABULARY["exp"](x) for x in shifted])) + largest


def _softmax(numbers: Sequence[Any]) -> list[Any]:
    exponentials = [VOCABULARY["exp"](x) for x in _exponentials(numbers)[0]]
    total = _total(exponentials)
    return [VOCABULARY["div"](each, total) for each in exponentials]


def _log_softmax(numbers: Sequence[Any]) -> list[Any]:
    shifted, _ = _exponentials(numbers)
    total = VOCABULARY["log"](_total([VOCABULARY["exp"](x) for x in shifted]))
    return [x - total for x in shifted]


# ---------------------------------------------------------------------------- lists and arrays


def _vector(xs: Any, name: str) -> list[Any]:
    found = _listed(xs, name)
    if _is_nested(found):
        raise ValueError(f"{name} takes vectors, with one axis, got {xs!r}")
    return _numbers(found, name)


def refuse_lossy(array: Any, place: str = "the array") -> None:
    """TypeError for an array whose mask would be lost, or its derivative by JAX or PyTorch.

    Args:
        array: the array, or anything else.
        place: what the message calls it.
    """
    refuse_foreign(array, place)
    if hasattr(array, "filled") and hasattr(array, "mask") and array.mask.any():
        raise TypeError(
            f"{place} has masked entries; give them numbers with .filled(…), or leave them out "
            "with .compressed()"
        )


def refuse_unusual(array: Any, place: str = "the array") -> None:
    """TypeError for an array of NumPy that an array of Values cannot stand for.

    Args:
        array: the array, or anything else.
        place: what the message calls it.
    """
    refuse_lossy(array, place)
    if hasattr(array, "A1"):
        raise TypeError(
            f"{place} is an np.matrix, which multiplies differently from other arrays: give "
            "np.asarray(x) instead"
        )


def _listed(xs: Any, name: str) -> list[Any]:
    refuse_lossy(xs)
    is_flat = not hasattr(xs, "__iter__") or getattr(xs, "shape", None) == ()
    if is_flat or isinstance(xs, set | dict | str | bytes):
        raise TypeError(f"{name} takes a list or an array of numbers and Values, got {xs!r}")
    found = xs.tolist() if hasattr(xs, "tolist") else list(xs)  # Python's numbers, not NumPy's
    if not found:
        raise ValueError(f"{name} of an empty list: give at least one number")
    return found


def _numbers(found: Sequence[Any], name: str) -> list[Any]:
    """Values as they are, other numbers as floats."""
    if not found:
        raise ValueError(f"{name} of an empty list: give at least one number")
    return [x if isinstance(x, Value) else to_float(to_number(x, name)) for x in found]


def _is_nested(found: Sequence[Any]) -> bool:
    return any(isinstance(each, list | tuple) or getattr(each, "shape", ()) for each in found)


def _reduced(f: Callable[[Sequence[Any]], Any], xs: Any, axis: int | None, name: str) -> Any:
    found = _listed(xs, name)
    if not _is_nested(found):
        if axis is not None:
            _check_axis(axis, 1, name)
        return f(_numbers(found, name))
    import numpy as np

    array = _objects(xs if hasattr(xs, "shape") else found)
    if axis is None:
        return f(_numbers(array.ravel().tolist(), name))
    _check_axis(axis, array.ndim, name)
    rows = np.moveaxis(array, axis, -1)
    return _compact(_objects([f(row) for row in _vectors(rows, name)]).reshape(rows.shape[:-1]))


def _mapped(f: Callable[[Sequence[Any]], list[Any]], xs: Any, axis: int, name: str) -> Any:
    import numpy as np

    found = _listed(xs, name)
    if not _is_nested(found):
        _check_axis(axis, 1, name)
        results = f(_numbers(found, name))
        return results if isinstance(xs, list | tuple) else _compact(_objects(results))
    array = _objects(xs if hasattr(xs, "shape") else found)
    _check_axis(axis, array.ndim, name)
    rows = np.moveaxis(array, axis, -1)
    flat = [*chain.from_iterable(f(row) for row in _vectors(rows, name))]
    return _compact(np.moveaxis(_objects(flat).reshape(rows.shape), -1, axis))


def _check_axis(axis: Any, dimensions: int, name: str) -> None:
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise TypeError(f"{name}: axis is a whole number, got {axis!r}")
    if not -dimensions <= axis < dimensions:
        shown = "a vector" if dimensions == 1 else f"an array with {dimensions} axes"
        raise ValueError(f"{name}: there is no axis {axis} of {shown}")


def _vectors(rows: Any, name: str) -> list[list[Any]]:
    """The vectors along the last axis."""
    if not rows.size:
        raise ValueError(f"{name} of an empty list: give at least one number")
    return [_numbers(row.tolist(), name) for row in rows.reshape(-1, rows.shape[-1])]


def _objects(xs: Any) -> Any:
    """An array of objects with the shape of an array or of regular nested lists."""
    import numpy as np

    refuse_lossy(xs)
    array = np.asarray(xs, dtype=object)
    if any(isinstance(each, list | tuple) for each in array.ravel().tolist()):
        raise ValueError("nested lists must be regular: every row needs the same length")
    return array


def _compact(array: Any) -> Any:
    """An array of floats if all entries are floats; a traced array if any entry is traced."""
    kinds = {*map(type, array.ravel().tolist())}
    return array.astype(float) if kinds <= {float} else as_traced(array, kinds)


def as_traced(array: Any, kinds: Iterable[type]) -> Any:
    """The array itself, or a traced array, which can be compared, if it has traced values.

    Args:
        array: an array of objects.
        kinds: the types of the objects.
    """
    if not any(getattr(kind, "_is_traced", False) for kind in kinds):
        return array
    from micrograd.engine.traced_arrays import TracedArray

    return array.view(TracedArray)


def elementwise(f: Callable[..., Any], operands: Sequence[Any]) -> Any:
    """A function of numbers and Values applied to arrays of them, which are broadcast."""
    import numpy as np

    arrays = [_objects(x) if is_array_like(x) else np.array(x, dtype=object) for x in operands]
    with np.errstate(all="ignore"):  # nan and infinities are results like any other
        found = np.frompyfunc(f, len(arrays), 1)(*arrays)
    return _compact(found) if isinstance(found, np.ndarray) else found

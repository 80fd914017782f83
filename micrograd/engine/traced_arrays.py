"""`TracedArray`: an array of traced values, in which `x > 0` gives traced values too.

On other arrays of objects NumPy turns the result of each comparison into a bool, which a traced
value does not have. NumPy also asks here for its functions of single Values, traced or not.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd.engine import numpy_functions
from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.value import Value
from micrograd.ops import TABLE


class NumPyProtocols:
    """The two methods by which NumPy's functions ask an operand for the result."""

    __slots__ = ()

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any
    ) -> Any:
        """Compute a function of NumPy on plain arrays, with comparisons that keep their values."""
        if ufunc is np.matmul and not options and out is None:
            found = _dot(*inputs)
            if found is not None:
                return _traced(found)
        if out is not None:
            options["out"] = tuple(map(_plain, out))
        if "where" in options:
            options["where"] = _plain(options["where"])
        ours = _OF_VALUES.get(ufunc.__name__, ufunc)
        compute, operands = getattr(ours, method), [*map(_plain, inputs)]
        try:
            found = compute(*operands, **options)
        except (TypeError, AttributeError) as error:
            found = _instead(error, ufunc, method, operands, options, explain=False)
        if out is not None:
            return out if len(out) > 1 else out[0]
        return _traced(found)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """Compute any other function of NumPy; some of them return plain arrays."""
        at_once = _AT_ONCE.get(function)
        found = None if at_once is None else at_once(*args, **options)
        if found is not None:
            return _traced(found)
        ours = _FUNCTIONS.get(function) or _own(function)
        return _traced(ours(*map(_array, args), **options))


class TracedArray(NumPyProtocols, np.ndarray[Any, Any]):
    """An array of objects that contains traced values.

    NumPy's functions return another one, unless `np.array` or `np.asarray` makes a plain array of
    it. Comparisons of its entries may be combined by `&`, `|`, `^` and `~`.
    """

    def __matmul__(self, other: Any) -> Any:
        """Compute a matrix product; NumPy would ask for it in a way that takes longer."""
        found = _product(self, other) if type(other) in (TracedArray, np.ndarray) else None
        return super().__matmul__(other) if found is None else _traced(found)


def matrix_product(a: Any, b: Any) -> Any:
    """Return the product of two matrices, or None; replaced by the compiler, if it is in use."""
    return None


FEW = 8
"""Matrix products of fewer multiplications are recorded number by number, which takes less time."""


def _product(a: Any, b: Any) -> Any:
    """Return a product of two arrays that is recorded at once, or None."""
    if not a.ndim or a.size * b.size < FEW * a.shape[-1]:
        return None
    return matrix_product(a, b)


def _dot(left: Any, right: Any, out: Any = None) -> Any:
    return _product(np.asarray(left), np.asarray(right)) if out is None else None


def _convolved(a: Any, v: Any, mode: str = "full") -> Any:
    """Return a convolution whose inner part is a matrix product of windows, or None."""
    a, v = sorted(map(np.asarray, (a, v)), key=len, reverse=True)
    count = len(v)
    lefts = {"valid": 0, "same": count // 2, "full": count - 1}
    if a.ndim != 1 or v.ndim != 1 or not count or mode not in lefts:
        return None
    left = lefts[mode]
    right = left if mode != "same" else count - left - 1
    v = v[::-1]
    windows = np.lib.stride_tricks.sliding_window_view(a, count)
    parts = [
        *((a[: count - i], v[i:]) for i in range(left, 0, -1)),
        (windows, v),
        *((a[i - count :], v[: count - i]) for i in range(1, right + 1)),
    ]
    found = [matrix_product(*part) for part in parts]
    return None if any(each is None for each in found) else np.hstack(found)


_AT_ONCE = {np.dot: _dot, np.convolve: _convolved}
"""Functions of NumPy that are recorded as matrix products; None if one cannot be."""


def _array(operand: Any) -> Any:
    """Return an operand that NumPy passes to the two methods above, even within an array."""
    return _traced(_plain(operand)) if isinstance(operand, Value) else operand


def _plain(operand: Any) -> Any:
    """Return an operand that NumPy computes with by itself."""
    if isinstance(operand, Value):
        return np.array(operand, dtype=object)
    kind = getattr(operand, "dtype", None)
    if kind is not None and kind.char == "g":  # long double
        # As an object, a number of this type would call the methods above again, without end.
        return operand.astype(float)
    return operand.view(np.ndarray) if isinstance(operand, TracedArray) else operand


def _traced(found: Any) -> Any:
    if type(found) in (list, tuple):
        return type(found)(map(_traced, found))
    is_of_objects = isinstance(found, np.ndarray) and found.dtype == object
    return found.view(TracedArray) if is_of_objects else found


def ufunc_of_value(ufunc: Any, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    """Apply a ufunc to operands among which is a Value by itself."""
    if not options and ufunc in _OPERATORS and method == "__call__" and _is_number(inputs[0]):
        return _OPERATORS[ufunc](float(inputs[0]), inputs[1])
    operands = []
    for x in inputs:
        if isinstance(x, NumPyProtocols):
            return NotImplemented
        operands.append(_plain(x))
    try:
        found = getattr(ufunc, method)(*operands, **options)
    except (TypeError, AttributeError) as error:
        return _instead(error, ufunc, method, operands, options)
    if isinstance(found, Value) and numpy_functions.wants_array():
        return np.array(found, dtype=object)
    return found


def _is_number(x: Any) -> bool:
    """Whether it is a real number of NumPy, or an array of one that is of no other class."""
    is_single = isinstance(x, np.generic) or (type(x) is np.ndarray and not x.shape)
    return is_single and x.dtype.kind in "bfiu"


def function_of_value(function: Any, types: Any, args: Any, options: dict[str, Any]) -> Any:
    """Call any other function of NumPy with a Value by itself."""
    known = Value.__array_function__, np.ndarray.__array_function__
    if any(kind.__array_function__ not in known for kind in types):
        return NotImplemented
    try:
        return _own(function)(*args, **options)
    except (TypeError, AttributeError) as error:
        return _instead(error, function, "__call__", args, options)


def _instead(
    error: Exception,
    function: Any,
    method: str,
    args: Any,
    options: dict[str, Any],
    *,
    explain: bool = True,
) -> Any:
    """Call what takes the place of a function that refused Values by an error."""
    text = numpy_functions.explanation(error)
    if text is None:
        raise error
    name = function.__name__
    ours = _FUNCTIONS.get(function) or _OF_VALUES.get(name)
    if ours is None and (row := TABLE.get(name)) and row.arity == getattr(function, "nin", 0):
        ours = np.frompyfunc(VOCABULARY[name], row.arity, 1)  # such as erf of SciPy
    if ours is None or "out" in options:
        if not explain:
            raise error
        raise TypeError(text) from error
    with np.errstate(all="ignore"):  # nan and infinities are results like any other
        return getattr(ours, method)(*args, **options)


def _where(condition: Any, *branches: Any) -> Any:
    if branches and np.asarray(_plain(condition)).dtype == object:
        return VOCABULARY["where"](condition, *branches)
    return _own(np.where)(condition, *branches)


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    found = default
    for condition, choice in reversed([*zip(condlist, choicelist, strict=True)]):
        found = _where(condition, choice, found)
    return found


def _nan_to_num(
    x: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Compute `np.nan_to_num`, which by itself returns arrays of objects as they are."""
    largest, where = sys.float_info.max, VOCABULARY["where"]
    found = where(VOCABULARY["ne"](x, x), nan, x)
    found = where(VOCABULARY["gt"](x, largest), largest if posinf is None else posinf, found)
    return where(VOCABULARY["lt"](x, -largest), -largest if neginf is None else neginf, found)


def _own(function: Any) -> Callable[..., Any]:
    """NumPy's own code of a function, which calls others of its functions."""
    return function._implementation  # type: ignore[no-any-return]


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: _where,
    np.nan_to_num: _nan_to_num,
    np.select: _select,
    np.sinc: VOCABULARY["sinc"],
}

_COMPARING: dict[Any, Callable[..., Any]] = {
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}
_OPERATORS: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.floor_divide: operator.floordiv,
    np.remainder: operator.mod,
    np.divmod: divmod,
    **_COMPARING,
}

_BY_ARITY: dict[int, dict[str, Callable[..., Any]]] = {
    1: {
        "invert": operator.invert,
        "logical_not": operator.invert,
        "isnan": lambda x: VOCABULARY["ne"](x, x),
        "isinf": lambda x: VOCABULARY["eq"](abs(x), math.inf),
        "isfinite": lambda x: VOCABULARY["lt"](abs(x), math.inf),
        "signbit": lambda x: VOCABULARY["lt"](x, 0),
        "sign": VOCABULARY["sign"],
        "expit": VOCABULARY["sigmoid"],  # of SciPy
        "gammaln": VOCABULARY["lgamma"],
        "psi": VOCABULARY["digamma"],
    },
    2: {
        **{ufunc.__name__: compare for ufunc, compare in _COMPARING.items()},
        "bitwise_and": operator.and_,
        "logical_and": operator.and_,
        "bitwise_or": operator.or_,
        "logical_or": operator.or_,
        "bitwise_xor": operator.xor,
        "logical_xor": operator.xor,
        "maximum": VOCABULARY["maximum"],
        "minimum": VOCABULARY["minimum"],
        "copysign": VOCABULARY["copysign"],
        "float_power": operator.pow,
        "logaddexp": VOCABULARY["logaddexp"],
    },
    3: {"clip": VOCABULARY["clip"]},
}
"""Functions of NumPy by name that do not do for traced values what they do for numbers."""
_OF_VALUES = {
    name: np.frompyfunc(f, arity, 1, identity=None)  # reduces several axes at once
    for arity, functions in _BY_ARITY.items()
    for name, f in functions.items()
}

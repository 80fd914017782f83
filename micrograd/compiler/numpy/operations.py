"""The table's operations on NumPy arrays: functions of NumPy and SciPy, and the few written here.

`in_place` gives each operation as a function that writes into a given array.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from micrograd.compiler.program.flows import Flow
from micrograd.ops import STOPPING, TABLE, Operation, lookup, on_define
from micrograd.table.floats import GRID, GRID_SINGLE
from micrograd.table.formulas import (
    ADJOINT,
    RESULT,
    WHOLE,
    Call,
    Tree,
    substituted,
    whole_power,
)
from micrograd.table.interpreters import Interpreter, Texts


def _erf(x: Any, out: Any = None) -> Any:
    try:
        from scipy.special import erf
    except ImportError:
        found = np.vectorize(math.erf, otypes=[float])(x)
        return np.positive(found, out=out, casting="same_kind")
    return erf(x, out=out)


def _gauss(x: Any, out: Any = None) -> Any:
    size = np.abs(x)
    np.minimum(size, 28.0, out=size)
    grid = GRID_SINGLE if size.dtype == np.float32 else GRID
    near = size + grid
    near -= grid
    rest = size - near
    size += near
    rest *= size
    near *= near
    np.exp(np.negative(near, out=near), out=near)
    # 1 - rest (1 - rest / 2 (1 - rest / 3))
    np.multiply(rest, -1 / 3, out=size)
    for factor in (-0.5, -1.0):
        size += 1.0
        size *= rest
        size *= factor
    return np.multiply(near, np.add(size, 1.0, out=size), out=out)


def _sech2(x: Any, out: Any = None) -> Any:
    e = np.exp(np.negative(np.abs(x)))  # twice as fast as the hyperbolic cosine
    out = np.divide(e + e, np.multiply(e, e) + 1.0, out=out)
    return np.multiply(out, out, out=out)


def _sign(x: Any, out: Any = None) -> Any:
    return np.copysign(np.sign(x), x, out=out)  # zeros keep their sign


def _copysign(x: Any, y: Any, out: Any = None) -> Any:
    return np.copysign(x, np.where(np.isnan(y), 1.0, y), out=out)


def _step(x: Any, out: Any = None) -> Any:
    return np.heaviside(x, 0.0, out=out)


def _relu(x: Any, out: Any = None) -> Any:
    return np.maximum(x, 0.0, out=out)


def _pow(x: Any, y: Any, out: Any = None) -> Any:
    out = np.power(x, y, out=out)
    halves = np.equal(y, 0.5)
    if np.any(halves):  # NumPy takes the square root: nan at minus infinity, -0.0 at -0.0
        np.copyto(out, math.inf, where=halves & (x == -math.inf))
        np.copyto(out, 0.0, where=halves & (x == 0))
    return out


def stopping_product(x: Any, y: Any, out: Any = None) -> Any:
    """Return the product of two arrays, which is 0 where a factor is, whatever the other one is.

    >>> stopping_product(np.array([0.0, 2.0]), np.array([np.inf, 3.0])).tolist()
    [0.0, 6.0]
    """
    with np.errstate(invalid="ignore"):
        out = np.multiply(x, y, out=out)
    if not math.isfinite(np.add.reduce(out, axis=None)):
        np.copyto(out, 0.0, where=np.equal(x, 0.0) | np.equal(y, 0.0))
    return out


def stopping_matmul(a: Any, b: Any, out: Any = None) -> Any:
    """Return `a @ b` of matrices, or stacks of them, where a factor of zero stops any other one.

    >>> stopping_matmul(np.array([[0.0, 2.0]]), np.array([[np.inf], [3.0]])).tolist()
    [[6.0]]
    """
    columns, rows = (np.isfinite(x).reshape(-1, a.shape[-1]) for x in (a, b.swapaxes(-1, -2)))
    plain = columns.all(axis=0) & rows.all(axis=0)
    out = np.matmul(a[..., plain], b[..., plain, :], out=out)
    for k in np.flatnonzero(~plain).tolist():
        out += stopping_product(a[..., k, None], b[..., k, None, :])
    return out


# Operations that NumPy has under another name.
_NAMES = {f"a{name}": f"arc{name}" for name in "sin cos tan sinh cosh tanh tan2".split()}
# Those for which NumPy's function of that name would be missing, wrong or slow.
PRIMITIVES: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, numpy) for name, numpy in _NAMES.items()},
    "square": np.square,
    "reciprocal": np.reciprocal,
    "erf": _erf,
    "gauss": _gauss,
    "round": np.rint,
    "floordiv": np.floor_divide,
    "sech2": _sech2,
    "sign": _sign,
    "copysign": _copysign,
    "step": _step,
    "relu": _relu,
    "pow": _pow,
    "stopping_mul": stopping_product,
}
_ARITHMETIC = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide"}


def primitive(name: str) -> Callable[..., Any]:
    """Return the function of NumPy or SciPy with that name, which takes an array `out`."""
    found = getattr(np, name, None)
    if not isinstance(found, np.ufunc):
        try:
            from scipy import special
        except ImportError:
            special = None
        found = getattr(special, name, None)
    if not isinstance(found, np.ufunc):
        raise NotImplementedError(
            f"operation {name!r} is a primitive, and neither NumPy nor SciPy has a ufunc of that "
            "name: give it a formula of other operations, or add it to PRIMITIVES in "
            "micrograd/compiler/numpy/operations.py"
        )
    return found


class _OnArrays(Interpreter):
    def primitive(self, name: str) -> Callable[..., Any]:
        return primitive(name)

    def of_function(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return of_function(lookup(name))


def of_function(row: Operation) -> Callable[..., Any]:
    """Return the function of an operation that a user defined by one, with an array `out`."""
    function = row.array_function
    if function is None:
        raise NotImplementedError(
            f"operation {row.name!r} is defined by a function on floats: give define(…, array=f) a "
            "function on NumPy arrays, or define it by a formula, to compile it"
        )

    def call(*operands: Any, out: Any = None) -> Any:
        found = np.asarray(function(*operands), dtype=float)
        return np.positive(found, out=out, casting="same_kind")

    return call


ON_ARRAYS = _OnArrays(
    "arrays of NumPy",
    {
        **PRIMITIVES,
        **{f"_{name}": getattr(np, numpy) for name, numpy in _ARITHMETIC.items()},
        "_copyto": np.copyto,
        "_where": np.where,
    },
    texts=Texts("pow", "_where"),
)


@on_define
def _enter(row: Operation) -> None:
    ON_ARRAYS.enter(row)
    in_place.cache_clear()


for _row in (*TABLE.values(), *STOPPING.values()):
    ON_ARRAYS.enter(_row)


@cache
def in_place(
    row: Operation | Flow, exponent: float | None = None, *, stops: bool = False
) -> Callable[..., Any]:
    """Return an operation, or what flows back, as a function that writes into its argument `out`.

    Args:
        row: the operation, or what flows back to an operand.
        exponent: the number of `WHOLE` that the last operand is known to have, or None: what was
            made for each number is kept.
        stops: whether products of what flows back are 0 where a factor is, whatever the other is.
    """
    if stops and isinstance(row, Flow):
        tree: Tree | None = row.stopping()
    else:
        tree = _whole_power(row, exponent)
    if tree is None and not isinstance(row, Flow):
        found = ON_ARRAYS.value(row)
        if row.function is not None or isinstance(found, np.ufunc) or row.name in PRIMITIVES:
            return found
    renamed = {RESULT: "_out"}
    tree = substituted(row.computed if tree is None else tree, renamed)
    names = ", ".join(renamed.get(name, name) for name in row.operands)
    if isinstance(tree, Call) and tree.name in _ARITHMETIC:
        factors = ", ".join(map(ON_ARRAYS.text, tree.operands))
        return _meaning(f"lambda {names}, out: _{tree.name}({factors}, out=out)")
    return _meaning(f"lambda {names}, out: _copyto(out, {ON_ARRAYS.text(tree)})")


def _meaning(text: str) -> Callable[..., Any]:
    found: Callable[..., Any] = ON_ARRAYS.meaning(text)
    return found


_POWER = TABLE["pow"]  # a row that is defined in its place has other powers


def _whole_power(row: Operation | Flow, exponent: float | None) -> Tree | None:
    """Return a power from 3 to 8, or what flows back to its base, as products, or None.

    They take a tenth of the time of a power.
    """
    slope = row == Flow(_POWER, 0)
    if exponent not in WHOLE or not (slope or row is _POWER):
        return None
    k = WHOLE[exponent]
    if not slope:
        return whole_power(k)
    return Call("mul", (ADJOINT, Call("mul", (float(k), whole_power(k - 1)))))

"""The table's operations on arrays of JAX, with the table's own derivatives and conventions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial, reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy import special

from micrograd.ops import STOPPING, TABLE, Operation, on_define
from micrograd.table.floats import GRID, GRID_SINGLE
from micrograd.table.formulas import ADJOINT, COMPARISONS, RESULT, Call, Tree, size
from micrograd.table.interpreters import ATOM, SUM, Interpreter, Text, Texts


class _Behind(Texts):
    """Writes operations behind a barrier, which XLA's algebraic rewriting does not cross.

    It would turn `x / y / z` into `x / (y * z)`, which is 0 if `y * z` overflows, `sqrt(x * x)`
    into `abs(x)`, `log(exp(x))` into `x`, `x - a - b` with numbers a and b into `x - (a + b)`, and
    so on.
    """

    def __init__(self, *called: str) -> None:
        super().__init__(*called)
        bare = {"add", "sub", "mul", "_truth", *(f"_{name}" for name in COMPARISONS)}
        self.update((name, _behind(self[name])) for name in self.keys() - bare)
        self.update((name, _apart(self[name])) for name in ("add", "sub"))

    def __missing__(self, name: str) -> Callable[..., Text]:
        return _behind(super().__missing__(name))


def _behind(written: Callable[..., Text]) -> Callable[..., Text]:
    return lambda *operands: (f"_barrier({written(*operands)[0]})", ATOM)


def _apart(written: Callable[..., Text]) -> Callable[..., Text]:
    def apart(x: Text, y: Text) -> Text:
        follows = x[1] == SUM and y[0][0].isdigit()
        return written((f"_barrier({x[0]})", ATOM) if follows else x, y)

    return apart


def _div(x: Any, y: Any) -> Any:
    # XLA would multiply by the reciprocal of a number that all lanes share, which may overflow.
    shape = jnp.broadcast_shapes(jnp.shape(x), jnp.shape(y))
    return x / lax.optimization_barrier(jnp.broadcast_to(y, shape))


def _exp(x: Any) -> Any:
    # XLA would turn log(exp(x)) into x, and products of exponentials into exponentials.
    return lax.optimization_barrier(jnp.exp(x))


def _gauss(x: Any) -> Any:
    size = jnp.minimum(jnp.abs(x), 28.0)
    grid = GRID_SINGLE if size.dtype == jnp.float32 else GRID
    near = lax.optimization_barrier(size + grid) - grid
    rest = (size - near) * (size + near)
    return jnp.exp(-near * near) * (1.0 - rest * (1.0 - 0.5 * rest * (1.0 - rest / 3)))


def _sech2(x: Any) -> Any:
    e = _exp(-jnp.abs(x))  # XLA would take a second exponential for e * e
    return jnp.square((e + e) / (1.0 + e * e))


def _hypot_slope(x: Any, y: Any) -> Any:
    most = jnp.finfo(jnp.result_type(x, y)).max  # infinite points count as the ends of the range
    x, y = jnp.clip(x, -most, most), jnp.clip(y, -most, most)
    size = jnp.maximum(jnp.abs(x), jnp.abs(y))
    # XLA would multiply the divisors, which may overflow.
    x, y = lax.optimization_barrier((x / size, y / size))
    return x / jnp.sqrt(x * x + y * y)


def _cosh(x: Any) -> Any:
    e = _exp(0.5 * jnp.abs(x))  # XLA's cosh loses ten bits at 700
    return (0.5 * e) * e + (0.5 / e) / e


def _sinh(x: Any) -> Any:
    size = jnp.abs(x)
    e, near = _exp(0.5 * size), jnp.expm1(jnp.minimum(size, 1.0))
    far = (0.5 * e) * e - (0.5 / e) / e
    return jnp.copysign(jnp.where(size < 1.0, 0.5 * (near + near / (near + 1.0)), far), x)


def _log1p(x: Any) -> Any:
    # XLA's log1p is 128 units off at -0.414, but accurate for arguments above 0.
    below = (x < 0) & (x >= -1)
    found = jnp.log1p(jnp.where(below, -x / (1.0 + x), x))
    return jnp.where(below, -found, found)


def _atanh(x: Any) -> Any:
    size = jnp.abs(x)  # XLA's atanh is 12 units off
    return jnp.copysign(0.5 * jnp.log1p((size + size) / (1.0 - size)), x)


_FEW = 8  # up to this many rows or terms are added one by one
_LONG = 500  # variables, numbers and operations of a formula that XLA compiles in half a second


class _OnJax(Interpreter):
    """Formulas in which the calls of a row with a long formula are the steps of a loop.

    XLA would compile the formula anew for each call, ten times for `polygamma`.
    """

    def compiled(self, parameters: Sequence[str], tree: Tree) -> Callable[..., Any]:
        """Return a formula as a function of its variables."""
        found: dict[str, dict[Call, str]] = defaultdict(dict)

        def renamed(tree: Tree) -> Tree:
            if not isinstance(tree, Call):
                return tree
            if tree.name not in TABLE or size(TABLE[tree.name].expression) < _LONG:
                return Call(tree.name, tuple(map(renamed, tree.operands)))
            return found[tree.name].setdefault(tree, f"_{tree.name}{len(found[tree.name])}")

        text = self.text(renamed(tree))
        for name, calls in found.items():
            given = [f"[{', '.join(map(self.text, call.operands))}]" for call in calls]
            results = f"_together({name}, {', '.join(given)})"
            text = f"(lambda {', '.join(calls.values())}: {text})(*{results})"
        made: Callable[..., Any] = self.meaning(f"lambda {', '.join(parameters)}: {text}")
        return made


def _together(function: Callable[..., Any], *calls: Sequence[Any]) -> list[Any]:
    """Return the results of several calls of a function, in a loop over those of equal shapes."""
    if len(calls) == 1:
        return [function(*calls[0])]
    shapes = [tuple(map(jnp.shape, call)) for call in calls]
    found: dict[Any, Iterator[Any]] = {}
    for shape in dict.fromkeys(shapes):
        alike = (call for call, other in zip(calls, shapes, strict=True) if other == shape)
        columns = [*map(jnp.stack, zip(*alike, strict=True))]
        found[shape] = iter(lax.map(lambda call: function(*call), columns))
    return [next(found[shape]) for shape in shapes]


ON_JAX = _OnJax(
    "arrays of JAX",
    {
        # Of two zeros with different signs, the second one, as for Values; XLA goes by the sign.
        "maximum": lambda x, y: jnp.where((x > y) | jnp.isnan(x), x, y),
        "minimum": lambda x, y: jnp.where((x < y) | jnp.isnan(x), x, y),
        "_where": jnp.where,
        "pow": jnp.power,
        "div": _div,
        "_barrier": lax.optimization_barrier,
        "_together": _together,
        "gauss": _gauss,
        "sech2": _sech2,
        "log1p": _log1p,
        "cosh": _cosh,
        "sinh": _sinh,
        "atanh": _atanh,
        "hypot_slope": _hypot_slope,
        "floordiv": jnp.floor_divide,
        "round": jnp.rint,
        "copysign": lambda x, y: jnp.copysign(x, jnp.where(jnp.isnan(y), 1.0, y)),
        "step": lambda x: jnp.where(x > 0, 1.0, jnp.where(x <= 0, 0.0, x)),
    },
    libraries=[jnp, special],
    texts=_Behind("div", "pow", "_where"),
    place="ON_JAX in micrograd/compiler/jax/operations.py",
)


@on_define
def _enter(row: Operation) -> None:
    ON_JAX.enter(row)
    function.cache_clear()


for _row in (*TABLE.values(), *STOPPING.values()):
    ON_JAX.enter(_row)


def flow(row: Operation, place: int) -> Callable[..., Any] | None:
    """Return what passes an adjoint back to the operand at `place`, or None if nothing does.

    It is a function of the adjoint of the result, the result and the operands.
    """
    tree = row.flow(place)
    return None if tree is None else ON_JAX.compiled((ADJOINT, RESULT, *row.operands), tree)


POWER = TABLE["pow"]
_KEPT = 256  # functions: there are as many powers as exponents


def _flow_of_power(exponent: float) -> Callable[..., Any] | None:
    """Return what passes an adjoint back to the base of a power, or None if it has many cases.

    For any exponent, XLA would compute the cases of all, with three powers.
    """
    if 0.5 <= exponent <= 8:
        return lambda g, out, x, y: g * (y * lax.optimization_barrier(jnp.power(x, y - 1.0)))
    if exponent > 0 or exponent % 1 == 0 or not math.isfinite(exponent):
        return None
    # Below 0, the power is nan.
    return lambda g, out, x, y: g * (y * lax.optimization_barrier(_div(out, jnp.abs(x))))


@lru_cache(_KEPT)
def function(row: Operation, exponent: float | None = None) -> Callable[..., Any]:
    """Return an operation on arrays; where its adjoint is zero, nothing is passed back.

    Args:
        row: the operation.
        exponent: the number that the exponent of a power is known to be, or None.
    """
    value = ON_JAX.value(row)
    pulls = [flow(row, place) for place in range(row.arity)]
    if exponent is not None:
        pulls = [_flow_of_power(exponent) or pulls[0], None]  # a constant has no adjoint

    def forward(*operands: Any) -> tuple[Any, Any]:
        out = value(*operands)
        return out, (out, operands)

    def backward(kept: Any, g: Any) -> tuple[Any, ...]:
        out, operands = kept
        shares = (
            jnp.where(g == 0, 0.0, pull(g, out, *operands)) if pull else jnp.zeros_like(g)
            for pull in pulls
        )
        return tuple(
            _summed_to(share, operand.shape)
            for share, operand in zip(shares, operands, strict=True)
        )

    made: Callable[..., Any] = jax.custom_vjp(value)
    made.defvjp(forward, backward)  # type: ignore[attr-defined]
    return made


def _summed_to(share: Any, shape: tuple[int, ...]) -> Any:
    """Return the sum of a share over the axes along which the operand is repeated."""
    if share.shape == shape:
        return share
    if share.shape[1:] != shape[1:]:
        share = share.sum(axis=1, keepdims=True)
    if share.shape[0] == shape[0]:
        return share
    if len(share) <= _FEW:
        return reduce(add, (share[i : i + 1] for i in range(len(share))))
    return share.sum(axis=0, keepdims=True)


def summed(terms: Any) -> Any:
    """Return the sums over the second axis; that of zeros has the sign of their sum."""
    return _summed(terms, terms.shape[1])


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _summed(terms: Any, count: int) -> Any:
    if count <= _FEW:
        return reduce(add, (terms[:, i] for i in range(count)))
    return lax.reduce(terms, terms.dtype.type(-0.0), lambda x, y: x + y, (1,))


def _spread(count: int, _: None, g: Any) -> tuple[Any]:
    return (jnp.broadcast_to(g[:, None], (len(g), count, *g.shape[1:])),)


_summed.defvjp(lambda terms, count: (_summed(terms, count), None), _spread)

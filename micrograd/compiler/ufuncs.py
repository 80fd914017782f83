"""The table's formulas as calls of NumPy's ufuncs, each of which writes where it is told.

A formula becomes a function that allocates nothing: `square(x + 1)` is `_add(x, 1.0, out=_s0)` and
`_multiply(_s0, _s0, out=_target)`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast

import numpy as np

from micrograd.formulas import GRID, GRID_SINGLE
from micrograd.kernels import ADJOINT, flow_text, value_text
from micrograd.ops import STOPPING, TABLE, Operation, lookup, on_define

TARGET = "_target"


class InPlace(NamedTuple):
    """`call(target, *scratch, *masks, *operands)`; of a flow, adjoint and result come first."""

    call: Callable[..., Any]
    scratch: int  # arrays like the target
    masks: int  # arrays of truth values like it


def _erf(x: Any, out: Any) -> Any:
    try:
        from scipy.special import erf
    except ImportError:
        out[...] = np.vectorize(math.erf, otypes=[float])(x)
        return out
    return erf(x, out=out)


def _gauss(x: Any, out: Any) -> Any:
    size = np.minimum(np.abs(x), 28.0)
    grid = GRID_SINGLE if size.dtype == np.float32 else GRID
    near = size + grid
    near -= grid
    rest = (size - near) * (size + near)
    near *= near
    np.exp(np.negative(near, out=near), out=near)
    return np.multiply(near, 1.0 - rest * (1.0 - 0.5 * rest * (1.0 - rest / 3)), out=out)


def _sech2(x: Any, out: Any) -> Any:
    e = np.exp(np.negative(np.abs(x)))  # twice as fast as the hyperbolic cosine
    np.divide(e + e, np.multiply(e, e) + 1.0, out=out)
    return np.multiply(out, out, out=out)


def _sign(x: Any, out: Any) -> Any:
    np.copysign(np.sign(x), x, out=out)  # zeros keep their sign
    return out


def _pow(x: Any, y: Any, out: Any) -> Any:
    np.power(x, y, out=out)
    halves = np.equal(y, 0.5)
    if np.any(halves):  # NumPy takes the square root: nan at minus infinity, -0.0 at -0.0
        np.copyto(out, math.inf, where=halves & (x == -math.inf))
        np.copyto(out, 0.0, where=halves & (x == 0))
    return out


def stopping_product(x: Any, y: Any, out: Any) -> Any:
    """The product, which is 0 where a factor is, even if the other is infinite or nan."""
    np.multiply(x, y, out=out)
    if not math.isfinite(np.add.reduce(out, axis=None)):
        np.copyto(out, 0.0, where=np.equal(x, 0.0) | np.equal(y, 0.0))
    return out


@lru_cache(4)
def _zeros(length: int, dtype: Any) -> Any:
    """Zeros as a row: with a number instead, `maximum` takes twice as long."""
    return np.zeros(length, dtype)


_NAMES = {
    **{name: name for name in "exp expm1 log log1p log2 log10 sqrt sin cos tan".split()},
    **{name: name for name in "sinh cosh tanh abs maximum minimum hypot".split()},
    **{f"a{name}": f"arc{name}" for name in "sin cos tan sinh cosh tanh tan2".split()},
    **{name: name for name in "square reciprocal".split()},
}
_CALLS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, numpy) for name, numpy in _NAMES.items()},
    "relu": lambda x, out: np.maximum(x, _zeros(out.shape[-1], out.dtype), out=out),
    "step": lambda x, out: np.heaviside(x, 0.0, out=out),
    "erf": _erf,
    "gauss": _gauss,
    "sech2": _sech2,
    "sign": _sign,
    "_pow": _pow,
    "stopping_mul": stopping_product,
}
_COMPOUND = ast.BinOp | ast.UnaryOp | ast.Call
_ARITHMETIC = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide"}
_COMPARISONS = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
_SCOPE: dict[str, Any] = {
    "__builtins__": {},
    **{f"_{name}": each for name, each in _CALLS.items()},
    **{f"_{name}": getattr(np, name) for name in (*_ARITHMETIC.values(), *_COMPARISONS.values())},
    "_negative": np.negative,
    "_logical_not": np.logical_not,
    "_copyto": np.copyto,
    "inf": math.inf,
}


@cache
def value(row: Operation) -> InPlace:
    """The result of an operation, of its operands."""
    if row.name in _CALLS and row in (TABLE.get(row.name), STOPPING.get(row.name)):
        arguments = ", ".join(row.operands)
        text = f"lambda {TARGET}, {arguments}: _{row.name}({arguments}, out={TARGET})"
        return InPlace(eval(text, _SCOPE), 0, 0)  # noqa: S307 (a name and operands of the table)
    return _written(value_text(row), row.operands)


@cache
def flow(row: Operation, place: int, careful: bool) -> InPlace | None:
    """What flows back to an operand, of the adjoint, the result and the operands.

    Where a 0 is chosen, the other choice is multiplied by a mask, which is much faster; only a
    careful flow gives 0 where that other choice, or one of two factors, is infinite or nan.
    """
    text = flow_text(row, place, "stopping_mul" if careful else "")
    return None if text is None else _written(text, (ADJOINT, "out", *row.operands), not careful)


@on_define
def _forget(row: Operation) -> None:
    """What was written may call an operation that is another one now."""
    value.cache_clear()
    flow.cache_clear()


def _written(text: str, arguments: tuple[str, ...], masked: bool = False) -> InPlace:
    writer = _Writer(masked)
    writer.formula(TARGET, ast.parse(text, mode="eval").body, {name: name for name in arguments})
    scratch = [f"_s{i}" for i in range(writer.scratch)]
    masks = [f"_m{i}" for i in range(writer.masks)]
    parameters = ", ".join((TARGET, *scratch, *masks, *arguments))
    body = "\n    ".join(writer.lines)
    made: dict[str, Any] = {}
    exec(f"def call({parameters}):\n    {body}", _SCOPE, made)  # noqa: S102 (checked formulas)
    return InPlace(made["call"], writer.scratch, writer.masks)


class _Writer:
    """Writes the statements of a formula; arrays for intermediate results are used again.

    What occurs in a formula several times is computed once, and kept until its end.
    """

    def __init__(self, masked: bool) -> None:
        self.masked = masked
        self.lines: list[str] = []
        self.scratch = self.masks = 0
        self._free: list[str] = []
        self._kept: dict[str, str | None] = {}  # where it is; None before it was computed

    def formula(self, target: str, node: ast.expr, names: dict[str, str]) -> None:
        """The value of a whole formula, into an array."""
        texts = [ast.unparse(part) for part in ast.walk(node) if isinstance(part, _COMPOUND)]
        outer, self._kept = (
            self._kept,
            dict.fromkeys(each for each in texts if texts.count(each) > 1),
        )
        self.into(target, node, names)
        self._free += filter(None, self._kept.values())
        self._kept = outer

    def into(self, target: str, node: ast.expr, names: dict[str, str]) -> None:
        """The value of a formula, into an array."""
        match node:
            case ast.Constant() | ast.Name():
                self.lines.append(f"_copyto({target}, {self._operand(node, names)})")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._apply(target, "negative", [operand], names)
            case ast.UnaryOp(operand=operand):
                self.into(target, operand, names)
            case ast.BinOp(left=left, op=op, right=right):
                self._apply(target, _ARITHMETIC[type(op)], [left, right], names)
            case ast.Call(
                func=ast.Name(id="_where"),
                args=[test, ast.Constant(value=0), chosen] | [test, chosen, ast.Constant(value=0)],
            ) if self.masked:
                mask = self._test(test, names)
                if node.args[2] is chosen:
                    self.lines.append(f"_logical_not({mask}, out={mask})")
                name, held = self._evaluated(chosen, names)
                self.lines.append(f"_multiply({name}, {mask}, out={target})")
                self._free += held
            case ast.Call(func=ast.Name(id="_where"), args=[test, then, otherwise]):
                mask = self._test(test, names)
                name, held = self._evaluated(then, names)
                self.into(target, otherwise, names)
                self.lines.append(f"_copyto({target}, {name}, where={mask})")
                self._free += held
            case ast.Call(func=ast.Name(id=name), args=arguments):
                if name in _CALLS:
                    self._apply(target, name, arguments, names)
                else:
                    self._inline(target, lookup(name), arguments, names)
            case _:
                raise AssertionError(ast.dump(node))

    def _apply(
        self, target: str, function: str, arguments: list[ast.expr], names: dict[str, str]
    ) -> None:
        read, held = self._all_evaluated(arguments, names)
        self.lines.append(f"_{function}({', '.join(read)}, out={target})")
        self._free += held

    def _inline(
        self, target: str, row: Operation, arguments: list[ast.expr], names: dict[str, str]
    ) -> None:
        """An operation that is composed of others."""
        read, held = self._all_evaluated(arguments, names)
        formula = ast.parse(value_text(row), mode="eval").body
        self.formula(target, formula, dict(zip(row.operands, read, strict=True)))
        self._free += held

    def _all_evaluated(
        self, nodes: list[ast.expr], names: dict[str, str]
    ) -> tuple[list[str], list[str]]:
        read, held = [], []
        for node in nodes:
            name, more = self._evaluated(node, names)
            read.append(name)
            held += more
        return read, held

    def _evaluated(self, node: ast.expr, names: dict[str, str]) -> tuple[str, list[str]]:
        """Where the value of a formula is, and the scratch arrays that this takes."""
        if isinstance(node, ast.Constant | ast.Name):
            return self._operand(node, names), []
        text = ast.unparse(node)
        if (kept := self._kept.get(text)) is not None:
            return kept, []
        if self._free:
            name = self._free.pop()
        else:
            name = f"_s{self.scratch}"
            self.scratch += 1
        self.into(name, node, names)
        if text in self._kept:
            self._kept[text] = name
            return name, []
        return name, [name]

    def _operand(self, node: ast.expr, names: dict[str, str]) -> str:
        if isinstance(node, ast.Name):
            return names[node.id]
        return repr(cast("ast.Constant", node).value)

    def _test(self, node: ast.expr, names: dict[str, str]) -> str:
        mask = f"_m{self.masks}"
        self.masks += 1
        if isinstance(node, ast.Compare):
            function, nodes = _COMPARISONS[type(node.ops[0])], [node.left, node.comparators[0]]
            read, held = self._all_evaluated(nodes, names)
        else:
            name, held = self._evaluated(node, names)
            function, read = "not_equal", [name, "0.0"]
        self.lines.append(f"_{function}({', '.join(read)}, out={mask})")
        self._free += held
        return mask

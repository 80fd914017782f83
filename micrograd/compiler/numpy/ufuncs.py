"""The table's formulas as calls of NumPy's ufuncs, each of which writes where it is told.

A formula becomes a function that allocates nothing: `square(x + 1)` is `_add(x, 1.0, out=_s0)` and
`_multiply(_s0, _s0, out=_target)`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from micrograd.ops import STOPPING, TABLE, Operation, lookup, on_define
from micrograd.table.floats import GRID, GRID_SINGLE
from micrograd.table.formulas import ADJOINT, COMPARISONS, Call, Tree, parts
from micrograd.table.interpreters import IEEE

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


def _lgamma(x: Any, out: Any) -> Any:
    try:
        from scipy.special import gammaln
    except ImportError:
        out[...] = np.vectorize(IEEE["lgamma"], otypes=[float])(x)
        return out
    gammaln(x, out=out)
    np.copyto(out, math.inf, where=np.isneginf(x))  # as in C
    return out


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


# Operations that NumPy has under another name, and those that are better off with its own.
_NAMES = {
    **{f"a{name}": f"arc{name}" for name in "sin cos tan sinh cosh tanh tan2".split()},
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "neg": "negative",
    "square": "square",
    "reciprocal": "reciprocal",
    "round": "rint",
    "mod": "remainder",
    "floordiv": "floor_divide",
}
_CALLS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, numpy) for name, numpy in _NAMES.items()},
    "relu": lambda x, out: np.maximum(x, _zeros(out.shape[-1], out.dtype), out=out),
    "step": lambda x, out: np.heaviside(x, 0.0, out=out),
    "erf": _erf,
    "gauss": _gauss,
    "lgamma": _lgamma,
    "sech2": _sech2,
    "sign": _sign,
    "pow": _pow,
    "stopping_mul": stopping_product,
}
_TESTS = dict(
    zip(
        (f"_{name}" for name in COMPARISONS),
        ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
        strict=True,
    )
)
_SCOPE: dict[str, Any] = {
    "__builtins__": {},
    **{f"_{name}": each for name, each in _CALLS.items()},
    **{name: getattr(np, numpy) for name, numpy in _TESTS.items()},
    "_logical_not": np.logical_not,
    "_copyto": np.copyto,
    "inf": math.inf,
}


def _primitive(name: str) -> Callable[..., Any]:
    """A function of NumPy or SciPy that writes where it is told."""
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
            "name: give it a formula of other operations, or add it to "
            "micrograd.compiler.numpy.ufuncs"
        )
    return found


def _of_function(row: Operation) -> Callable[..., Any]:
    """The function on arrays of an operation that a user defined by a function on floats."""
    function = row.array_function
    if function is None:
        raise NotImplementedError(
            f"operation {row.name!r} is defined by a function on floats: give define(…, array=f) a "
            "function on NumPy arrays, or define it by a formula, to compile it"
        )

    def call(*operands: Any, out: Any) -> Any:
        out[...] = function(*operands)
        return out

    return call


def _is_called(row: Operation) -> bool:
    """Whether one function computes a row, which it finds then; else the row's formula does."""
    if row.function is not None:
        _SCOPE[f"_{row.name}"] = _CALLS[row.name] = _of_function(row)
    elif row.name not in _CALLS and row.is_primitive and row.computed == row.expression:
        _SCOPE[f"_{row.name}"] = _CALLS[row.name] = _primitive(row.name)
    return row.name in _CALLS and row in (TABLE.get(row.name), STOPPING.get(row.name))


@cache
def value(row: Operation) -> InPlace:
    """The result of an operation, of its operands."""
    if _is_called(row):
        arguments = ", ".join(row.operands)
        text = f"lambda {TARGET}, {arguments}: _{row.name}({arguments}, out={TARGET})"
        return InPlace(eval(text, _SCOPE), 0, 0)  # noqa: S307 (a name and operands of the table)
    return _written(row.computed, row.operands)


@cache
def flow(row: Operation, place: int, careful: bool) -> InPlace | None:
    """What flows back to an operand, of the adjoint, the result and the operands.

    Where a 0 is chosen, the other choice is multiplied by a mask, which is much faster; only a
    careful flow gives 0 where that other choice, or one of two factors, is infinite or nan.
    """
    tree = row.flow(place, "stopping_mul" if careful else "mul")
    return None if tree is None else _written(tree, (ADJOINT, "out", *row.operands), not careful)


@on_define
def _forget(row: Operation) -> None:
    """What was written may call an operation that is another one now."""
    value.cache_clear()
    flow.cache_clear()


def _written(tree: Tree, arguments: tuple[str, ...], masked: bool = False) -> InPlace:
    writer = _Writer(masked)
    writer.formula(TARGET, tree, {name: name for name in arguments})
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
        self._kept: dict[Tree, str | None] = {}  # where it is; None before it was computed

    def formula(self, target: str, tree: Tree, names: dict[str, str]) -> None:
        """The value of a whole formula, into an array."""
        count = Counter(part for part in parts(tree) if isinstance(part, Call))
        outer, self._kept = self._kept, {part: None for part in count if count[part] > 1}
        self.into(target, tree, names)
        self._free += filter(None, self._kept.values())
        self._kept = outer

    def into(self, target: str, tree: Tree, names: dict[str, str]) -> None:
        """The value of a formula, into an array."""
        match tree:
            case Call("_where", (Call() as test, 0.0, chosen) | (Call() as test, chosen, 0.0)) if (
                self.masked
            ):
                mask = self._test(test, names)
                if tree.operands[2] is chosen:
                    self.lines.append(f"_logical_not({mask}, out={mask})")
                name, held = self._evaluated(chosen, names)
                self.lines.append(f"_mul({name}, {mask}, out={target})")
                self._free += held
            case Call("_where", (Call() as test, then, otherwise)):
                mask = self._test(test, names)
                name, held = self._evaluated(then, names)
                self.into(target, otherwise, names)
                self.lines.append(f"_copyto({target}, {name}, where={mask})")
                self._free += held
            case Call(name, operands):
                read, held = self._all_evaluated(operands, names)
                row = lookup(name)
                if _is_called(row):
                    self.lines.append(f"_{name}({', '.join(read)}, out={target})")
                else:
                    self.formula(target, row.computed, dict(zip(row.operands, read, strict=True)))
                self._free += held
            case _:
                self.lines.append(f"_copyto({target}, {self._operand(tree, names)})")

    def _all_evaluated(
        self, trees: Iterable[Tree], names: dict[str, str]
    ) -> tuple[list[str], list[str]]:
        read, held = [], []
        for tree in trees:
            name, more = self._evaluated(tree, names)
            read.append(name)
            held += more
        return read, held

    def _evaluated(self, tree: Tree, names: dict[str, str]) -> tuple[str, list[str]]:
        """Where the value of a formula is, and the scratch arrays that this takes."""
        if not isinstance(tree, Call):
            return self._operand(tree, names), []
        if (kept := self._kept.get(tree)) is not None:
            return kept, []
        if self._free:
            name = self._free.pop()
        else:
            name = f"_s{self.scratch}"
            self.scratch += 1
        self.into(name, tree, names)
        if tree in self._kept:
            self._kept[tree] = name
            return name, []
        return name, [name]

    def _operand(self, tree: str | float, names: dict[str, str]) -> str:
        return names[tree] if isinstance(tree, str) else repr(tree)

    def _test(self, tree: Call, names: dict[str, str]) -> str:
        mask = f"_m{self.masks}"
        self.masks += 1
        read, held = self._all_evaluated(tree.operands, names)
        if tree.name == "_truth":
            tree, read = Call("_ne", ()), [*read, "0.0"]
        self.lines.append(f"{tree.name}({', '.join(read)}, out={mask})")
        self._free += held
        return mask

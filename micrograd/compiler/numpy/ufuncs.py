"""The table's formulas as calls of NumPy's ufuncs that write into given arrays.

A formula becomes a function that allocates nothing: `square(x + 1)` is `_add(x, 1.0, out=_s0)` and
`_square(_s0, out=_target)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.numpy.operations import PRIMITIVES, of_function, primitive
from micrograd.compiler.program.flows import Flow
from micrograd.ops import STOPPING, TABLE, Operation, lookup, on_define
from micrograd.table.formulas import ADJOINT, COMPARISONS, Tree, fold

TARGET = "_target"


class InPlace(NamedTuple):
    """A formula as a function that writes its value into an array.

    Args:
        call: takes the target, the scratch arrays, the masks, and the operands.
        scratch: the number of scratch arrays, which have the shape and type of the target.
        masks: the number of arrays of truth values of that shape.
    """

    call: Callable[..., Any]
    scratch: int
    masks: int


@lru_cache(4)
def _zeros(length: int, dtype: Any) -> Any:
    """Return a row of zeros: with a number instead, `maximum` takes twice as long."""
    return np.zeros(length, dtype)


_NAMES = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative"}
_CALLS: dict[str, Callable[..., Any]] = {
    **PRIMITIVES,
    **{name: getattr(np, numpy) for name, numpy in _NAMES.items()},
    "relu": lambda x, out: np.maximum(x, _zeros(out.shape[-1], out.dtype), out=out),
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
    "_not": np.logical_not,
    "_copyto": np.copyto,
    "inf": math.inf,
}
_MASKS = frozenset({*_TESTS, "_not"})  # functions whose results are truth values


def _is_called(row: Operation) -> bool:
    """Return whether one function computes a row; otherwise its formula is written out."""
    if row.function is not None:
        _SCOPE[f"_{row.name}"] = _CALLS[row.name] = of_function(row)
    elif row.name not in _CALLS and row.is_primitive and row.computed == row.expression:
        _SCOPE[f"_{row.name}"] = _CALLS[row.name] = primitive(row.name)
    return row.name in _CALLS and row in (TABLE.get(row.name), STOPPING.get(row.name))


@cache
def value(row: Operation | Flow) -> InPlace:
    """Return an operation, or what flows back to an operand, as a function of its operands.

    Where the formula of a flow chooses between 0 and something else, the latter is multiplied by a
    mask, which is much faster than a choice. It gives nan where the other choice is infinite or
    nan, as a product of 0 and infinity does.
    """
    writer = _Writer(masked=isinstance(row, Flow))
    if not isinstance(row, Flow) and _is_called(row):
        result = writer[row.name](*row.operands)
    else:
        names = dict(zip(row.operands, row.operands, strict=True))
        result = writer.value(row.computed, names)
    return writer.function(result, row.operands)


_POWER = TABLE["pow"]  # a row that is defined in its place has other powers
WHOLE = frozenset({3.0, 4.0, 5.0, 6.0, 7.0, 8.0})


@cache
def power(row: Operation | Flow, exponent: float) -> InPlace | None:
    """Return a power with a small whole exponent, or what flows back to its base, as products.

    They take a tenth of the time of a power. Returns None for other operations.

    Args:
        row: an operation, or what flows back to an operand.
        exponent: one of `WHOLE`.
    """
    slope = row == Flow(_POWER, 0)
    if not (slope or row is _POWER):
        return None
    writer = _Writer(masked=False)
    result = writer.power(int(exponent) - slope)
    if slope:
        result = writer["mul"](ADJOINT, writer["mul"](repr(exponent), result))
    return writer.function(result, row.operands)


@on_define
def _forget(row: Operation) -> None:
    """Forget what was written, which may call an operation that has been redefined."""
    value.cache_clear()


_Operand = int | str  # the number of a step, or the text of a variable or a number


class _Writer(dict[str, Callable[..., _Operand]]):
    """A vocabulary of formulas that collects one step for each operation, and each step only once.

    The vocabulary is that of `with_truths`, which keeps truth values and numbers apart.
    """

    def __init__(self, *, masked: bool) -> None:
        self.steps: dict[tuple[str, tuple[_Operand, ...]], int] = {}
        super().__init__({name: partial(self._step, name) for name in _TESTS})
        self["_truth"] = lambda x: self._step("_ne", x, "0.0")
        self["_where"] = self._masked_choice if masked else partial(self._step, "_where")

    def __missing__(self, name: str) -> Callable[..., _Operand]:
        row = lookup(name)
        if _is_called(row):
            return partial(self._step, f"_{name}")
        return lambda *operands: self.value(
            row.computed, dict(zip(row.operands, operands, strict=True))
        )

    def value(self, tree: Tree, variables: dict[str, Any]) -> _Operand:
        """Return the step, variable or number that has the value of a formula."""
        result: _Operand = fold(tree, self, variables, repr)
        return result

    def power(self, exponent: int) -> _Operand:
        """Return the step that has a power of x, as squares and products."""
        if exponent == 1:
            return "x"
        squared = self["square"](self.power(exponent // 2))
        return self["mul"](squared, "x") if exponent % 2 else squared

    def _step(self, function: str, *operands: _Operand) -> int:
        return self.steps.setdefault((function, operands), len(self.steps))

    def _masked_choice(self, test: _Operand, then: _Operand, otherwise: _Operand) -> int:
        if otherwise == "0.0":
            return self._step("_mul", then, test)
        if then == "0.0":
            return self._step("_mul", otherwise, self._step("_not", test))
        return self._step("_where", test, then, otherwise)

    def function(self, result: _Operand, arguments: tuple[str, ...]) -> InPlace:
        """Return the function that writes `result`."""
        lines, scratch, masks = self._lines(result)
        parameters = ", ".join((TARGET, *scratch, *masks, *arguments))
        body = "\n    ".join(lines)
        made: dict[str, Any] = {}
        exec(f"def call({parameters}):\n    {body}", _SCOPE, made)  # noqa: S102 (checked formulas)
        return InPlace(made["call"], len(scratch), len(masks))

    def _lines(self, result: _Operand) -> tuple[list[str], list[str], list[str]]:
        """Return the statements, and the names of the scratch arrays and masks that they use.

        Going backwards, the first step that reads a result is the last one to do so: there it gets
        an array, which is free again before the step that computes it.
        """
        if isinstance(result, str):
            return [f"_copyto({TARGET}, {result})"], [], []
        steps = list(self.steps)
        arrays: dict[_Operand, str] = {result: TARGET}
        scratch: list[str] = []
        masks: list[str] = []
        lines: list[str] = []
        free: dict[bool, list[str]] = {True: [], False: []}
        for number, (function, operands) in reversed([*enumerate(steps)]):
            target = arrays.get(number)
            if target is None:  # nothing reads it
                continue
            chooses = function == "_where"
            in_place = chooses and isinstance(operands[2], int) and operands[2] not in arrays
            if in_place:
                arrays[operands[2]] = target
            for operand in operands:
                if isinstance(operand, int) and operand not in arrays:
                    is_mask = steps[operand][0] in _MASKS
                    if not free[is_mask]:
                        made = masks if is_mask else scratch
                        made.append(f"_{'sm'[is_mask]}{len(made)}")
                        free[is_mask].append(made[-1])
                    arrays[operand] = free[is_mask].pop()
            read = [arrays.get(operand, str(operand)) for operand in operands]
            if chooses:
                lines.append(f"_copyto({target}, {read[1]}, where={read[0]})")
                if not in_place:
                    lines.append(f"_copyto({target}, {read[2]})")
            else:
                lines.append(f"{function}({', '.join(read)}, out={target})")
            if not in_place:
                free[function in _MASKS].append(target)
        return lines[::-1], scratch, masks

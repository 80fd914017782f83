"""Each row of the table as a function of Values and numbers: `exp(v)`, `maximum(v, 0)`, `where(…)`.

Given numbers alone, a function returns a float. Type checkers read `functions.pyi` (see
`micrograd.stubs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine import Value, apply, to_number
from micrograd.formulas import to_float
from micrograd.ops import TABLE, Operation, Row, add_row


def define(
    name: str,
    formula: str,
    partials: Sequence[str],
    *,
    typeset: str = "",
    symbol: str = "",
    domain: str = "",
    kink: str = "",
    note: str = "",
) -> Callable[..., Any]:
    """Add an operation: a method of Value, a name for other formulas, and the function returned.

    `formula` speaks of `x`, or `x` and `y`, or `x`, `y` and `z`; each of `partials`, one per
    operand, also of the result, `out`. Both may use numbers, `+ - * / **`, comparisons, and any
    operation of the table. The other columns are described in `micrograd.ops`.

    Raises ValueError, naming the operation, if anything in it is not such a formula.

        >>> swish = define("swish", "x * sigmoid(x)", ["sigmoid(x) + out * (1 - sigmoid(x))"])
        >>> x = Value(1.0)
        >>> swish(x).backward()
        >>> round(x.grad, 6)
        0.927671
    """
    row = Row(
        name=name,
        formula=formula,
        partials=partials,
        typeset=typeset,
        symbol=symbol,
        domain=domain,
        kink=kink,
        note=note,
    )
    made = VOCABULARY[name] = _function(add_row(row))
    return made


def _function(row: Operation) -> Callable[..., Any]:
    def apply_row(*operands: Any) -> Any:
        if len(operands) != row.arity:
            raise TypeError(f"{row.name} takes {row.arity} operands, got {len(operands)}")
        if any(isinstance(operand, Value) for operand in operands):
            return apply(row, *operands)
        return row.value(*(_float(operand, row) for operand in operands))

    def call_method(x: Any) -> Any:
        if isinstance(x, Value):
            return getattr(x, row.name)()
        return row.value(_float(x, row))

    function = call_method if row.arity == 1 else apply_row
    function.__name__ = function.__qualname__ = row.name
    function.__doc__ = row.document
    return function


def _float(operand: Any, row: Operation) -> float:
    return to_float(to_number(operand, row.name))


def _number(operand: Any) -> float:
    number: float = operand.data if isinstance(operand, Value) else operand
    return number


# What the calls in a formula mean on Values; `_number` is for conditions.
VOCABULARY: dict[str, Callable[..., Any]] = {row.name: _function(row) for row in TABLE.values()}
VOCABULARY["_number"] = _number

globals().update((name, VOCABULARY[name]) for name in TABLE)
__all__ = ["define", *TABLE]

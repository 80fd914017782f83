"""What the calls in a formula mean on Values and numbers; and `define`, which adds a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine.value import Value, apply, to_number
from micrograd.ops import TABLE, Operation, Row, add_row
from micrograd.table.floats import to_float


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
    note_zh: str = "",
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
        note_zh=note_zh,
    )
    made = VOCABULARY[name] = _function(add_row(row))
    return made


def _function(row: Operation) -> Callable[..., Any]:
    """A row as a function: a Value if there is one among the operands, else a float."""

    def unary(x: Any) -> Any:
        return getattr(x, row.name)() if isinstance(x, Value) else row.value(_float(x, row))

    def binary(x: Any, y: Any) -> Any:
        if isinstance(x, Value) or isinstance(y, Value):
            return apply(row, x, y)
        return row.value(_float(x, row), _float(y, row))

    def ternary(x: Any, y: Any, z: Any) -> Any:
        if isinstance(x, Value) or isinstance(y, Value) or isinstance(z, Value):
            return apply(row, x, y, z)
        return row.value(_float(x, row), _float(y, row), _float(z, row))

    function: Callable[..., Any] = (unary, binary, ternary)[row.arity - 1]
    function.__name__ = function.__qualname__ = row.name
    function.__module__ = "micrograd.engine.functions"  # where pickles find it
    function.__doc__ = row.document
    return function


def _float(operand: Any, row: Operation) -> float:
    return to_float(to_number(operand, row.name))


# What the operations of a formula mean on Values.
VOCABULARY: dict[str, Callable[..., Any]] = {row.name: _function(row) for row in TABLE.values()}

"""The operations as functions of Values and numbers; and `define`, which adds an operation."""

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
    """Add an operation to the table.

    It becomes a method of `Value`, a name that other formulas may call, and an attribute of
    `micrograd`. It can be differentiated any number of times, compiled, drawn and explained.

    Args:
        name: the name, a Python identifier. A name that you defined before is replaced.
        formula: the result, as a formula of `x`, of `x` and `y`, or of `x`, `y` and `z`. Formulas
            may use numbers, `+ - * / **`, comparisons, and all operations of the table.
        partials: the derivative with respect to each operand, as formulas that may also use the
            result, `out`.
        typeset: LaTeX for the operation, in terms of the operands; by default the
            name in upright letters, followed by the operands in brackets.
        symbol: the text in a picture; by default the name.
        domain: a formula that is true where the operation is differentiable, if not everywhere.
        kink: a formula that is 0 where a derivative jumps.
        note: the convention at such points, a sentence for readers.
        note_zh: the note in Chinese.

    Returns:
        A function of Values and numbers. Its result is a float if all operands are numbers.

    Raises:
        ValueError: the name is reserved or a formula is wrong. The message names the operation and
            the column.

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
    """A row as a function, whose result is a Value if an operand is one, and a float otherwise."""

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
    function.__module__ = "micrograd.engine.functions"  # where pickle looks for it
    function.__doc__ = row.document
    return function


def _float(operand: Any, row: Operation) -> float:
    return to_float(to_number(operand, row.name))


# The operations by name, as formulas on Values call them.
VOCABULARY: dict[str, Callable[..., Any]] = {row.name: _function(row) for row in TABLE.values()}

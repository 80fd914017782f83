"""The operations as functions of Values and numbers; and `define`, which adds an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from micrograd.engine.symbols import tree_of
from micrograd.engine.value import Value, apply, to_number
from micrograd.locks import forkable_property
from micrograd.ops import TABLE, Operation, Row, add_row
from micrograd.table.floats import to_float
from micrograd.table.formulas import LETTERS, Call, FormulaError, Tree
from micrograd.table.interpreters import ON_FLOATS
from micrograd.table.operations import complete

if TYPE_CHECKING:
    from micrograd.engine.signatures import Elementwise

Partial = str | Callable[..., Any]


def define(
    name: str,
    formula: str | Callable[..., float],
    partials: Sequence[Partial],
    *,
    array: Callable[..., Any] | None = None,
    typeset: str = "",
    symbol: str = "",
    domain: str = "",
    kink: str = "",
    note: str = "",
    note_zh: str = "",
) -> Elementwise:
    """Add an operation to the table.

    It becomes a method of `Value`, a name that other formulas may call, and an attribute of
    `micrograd`. It can be differentiated any number of times, compiled, drawn and explained.

    Args:
        name: the name, a Python identifier. A name that you defined before is replaced.
        formula: the result, as a formula of `x`, of `x` and `y`, or of `x`, `y` and `z`; or a
            function of floats, such as `scipy.special.j0`, with any number of parameters up to 18.
            Where it raises a `ValueError` or a `ZeroDivisionError`, the result is nan, and where it
            raises an `OverflowError`, an infinity; `detect_anomaly` finds the first one.
            Formulas may use numbers, `+ - * / // % **`, comparisons, and all operations of the
            table.
        partials: the derivative with respect to each operand: formulas that may also use the
            result, `out`; names of operations, to be applied to the operands; or functions of
            Values, which are made of operations and are read when they are first needed.
        array: for a function of floats, the same function of NumPy arrays, so that the operation
            can be compiled with `backend="numpy"`. A NumPy ufunc needs none.
        typeset: LaTeX for the operation, in terms of the operands; by default the
            name in upright letters, followed by the operands in brackets.
        symbol: the text in a picture; by default the name.
        domain: a formula that is true where the operation is differentiable, if not everywhere.
        kink: a formula that is 0 where a derivative jumps.
        note: the convention at such points, a sentence for readers.
        note_zh: the note in Chinese.

    Returns:
        A function of Values and numbers, whose result is a float if all operands are numbers. It
        also takes arrays and nested lists of these, which are broadcast, and gives an array.

    Raises:
        ValueError: the name is reserved or a formula is wrong. The message names the operation and
            the column.

    >>> swish = define("swish", "x * sigmoid(x)", ["sigmoid(x) + out * (1 - sigmoid(x))"])
    >>> x = Value(1.0)
    >>> swish(x).backward()
    >>> round(x.grad, 6)
    0.927671
    """
    given = tuple(partials) if isinstance(partials, list | tuple) else partials
    row = Row(
        name=name,
        formula="" if callable(formula) else formula,
        partials=given,
        typeset=typeset,
        symbol=symbol,
        domain=domain,
        kink=kink,
        note=note,
        note_zh=note_zh,
    )
    if callable(formula):
        function = formula
        if array is None and hasattr(formula, "nin") and hasattr(formula, "reduce"):
            array = formula  # a ufunc

        def make(row: Row, known: dict[str, int]) -> Operation:
            return FunctionOperation(row, function, array)

        made = VOCABULARY[name] = _function(add_row(row, make))
        return made
    if array is not None:
        raise TypeError(f"operation {name!r}: array= is for functions, and {formula!r} is text")
    if isinstance(given, tuple) and any(map(callable, given)):
        row = row._replace(partials=_as_texts(row))
    made = VOCABULARY[name] = _function(add_row(row))
    return made


def _as_texts(row: Row) -> tuple[str, ...]:
    """The partials as text, where some of them are functions of Values."""
    names = LETTERS[: len(row.partials)]
    return tuple(
        ON_FLOATS.text(tree_of(each, names, f"operation {row.name!r}: partial for {x}"))
        if callable(each)
        else each
        for x, each in zip(names, row.partials, strict=True)
    )


class FunctionOperation(Operation):
    """An operation whose values come from a function on floats.

    Its partials are read when they are first needed, so that two operations may refer to each
    other.
    """

    def __init__(
        self, row: Row, function: Callable[..., float], array: Callable[..., Any] | None
    ) -> None:
        name = f"operation {row.name!r}"
        if not isinstance(row.partials, tuple) or not 0 < len(row.partials) <= len(LETTERS):
            raise FormulaError(
                f"{name}: partials is a list with one for each operand, 1 to {len(LETTERS)} of them"
            )
        for each in row.partials:
            if not isinstance(each, str) and not callable(each):
                raise FormulaError(f"{name}: a partial is a formula or a function, got {each!r}")
        operands = LETTERS[: len(row.partials)]
        row = complete(row)._replace(formula=f"{row.name}({', '.join(operands)})")
        super().__init__(row, Call(row.name, operands), ())
        self.function, self.array_function = function, array
        del self.__dict__["partials"], self.__dict__["slopes"]  # until they are known
        for column in (row.domain, row.kink):
            if column:
                self.read(column)

    @forkable_property
    def slopes(self) -> tuple[Tree, ...]:
        """The partials as trees."""
        return tuple(map(self._read, self.operands, self.row.partials))

    @forkable_property
    def partials(self) -> tuple[str, ...]:  # type: ignore[override]
        """The partials as text."""
        return tuple(map(ON_FLOATS.text, self.slopes))

    @property
    def is_known(self) -> bool:
        """Whether the trees of the partials are known already."""
        return "slopes" in self.__dict__

    @property
    def document(self) -> str:
        """The docstring of the method and the function."""
        note = f"\n\n{self.note}" if self.note else ""
        return f"{self.formula}, by the function {self.function!r}.{note}"

    def _read(self, operand: str, partial: Any) -> Tree:
        place = f"operation {self.name!r}: partial for {operand}"
        if callable(partial):
            return tree_of(partial, self.operands, place)
        if partial in TABLE and TABLE[partial].arity == self.arity:
            return Call(partial, self.operands)
        return self.read(partial, place)


def _function(row: Operation) -> Elementwise:
    """A row as a function, whose result is a Value if an operand is one, and a float otherwise."""

    def of_scalars(*operands: Any) -> Any:
        if any(isinstance(x, Value) for x in operands):
            return apply(row, *operands)
        return row.value(*(to_float(to_number(x, row.name)) for x in operands))

    def general(*operands: Any) -> Any:
        if len(operands) != row.arity:
            raise TypeError(f"{row.name} takes {row.arity} operands, got {len(operands)}")
        if any(map(is_array_like, operands)):
            return _elementwise(of_scalars, *operands)
        return of_scalars(*operands)

    def unary(x: Any) -> Any:
        if isinstance(x, Value):
            return getattr(x, row.name)()
        return _elementwise(unary, x) if is_array_like(x) else of_scalars(x)

    def binary(x: Any, y: Any) -> Any:
        if is_array_like(x) or is_array_like(y):
            return _elementwise(of_scalars, x, y)
        return of_scalars(x, y)

    def ternary(x: Any, y: Any, z: Any) -> Any:
        if is_array_like(x) or is_array_like(y) or is_array_like(z):
            return _elementwise(of_scalars, x, y, z)
        return of_scalars(x, y, z)

    function: Callable[..., Any] = (unary, binary, ternary, general)[min(row.arity, 4) - 1]
    function.__name__ = function.__qualname__ = row.name
    function.__module__ = "micrograd.engine.functions"  # where pickle looks for it
    function.__doc__ = row.document
    return function


_SCALARS = frozenset({Value, float, int, bool})


def is_array_like(x: Any) -> bool:
    """Whether this is a list, a tuple, an array with axes, or an array of one Value."""
    if type(x) in _SCALARS or isinstance(x, float):
        return False
    shape = getattr(x, "shape", None)
    return isinstance(x, list | tuple) or bool(shape) or (shape == () and x.dtype == object)


def _elementwise(f: Callable[..., Any], *operands: Any) -> Any:
    from micrograd.engine.arrays import elementwise

    return elementwise(f, operands)


# The operations by name, as formulas on Values call them.
VOCABULARY: dict[str, Callable[..., Any]] = {row.name: _function(row) for row in TABLE.values()}

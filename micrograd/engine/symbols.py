"""Formulas from functions: run a function on symbols, which record what it computes as a tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NoReturn

from micrograd.engine.method_source import method_names
from micrograd.engine.value import Value, to_number
from micrograd.ops import TABLE, Operation, on_define
from micrograd.table.floats import to_float
from micrograd.table.formulas import Call, FormulaError, Tree


def tree_of(function: Callable[..., Any], names: Sequence[str], place: str) -> Tree:
    """The formula that a function computes.

    Args:
        function: a function of Values, made of operations of the table.
        names: the variables of the formula, one for each parameter.
        place: what the function is, for the beginning of an error message.

    Raises:
        FormulaError: the function reads the numbers of its parameters, branches on them, or returns
            something other than a number.
    """
    try:
        result = function(*(_symbol_class()(name) for name in names))
        return _tree(result)
    except FormulaError as error:
        raise FormulaError(f"{place}: {error}") from None
    except TypeError as error:
        raise FormulaError(
            f"{place}: a function of {len(names)} Values that computes with operations of "
            f"micrograd is needed ({error})"
        ) from error


class Symbol(Value):
    """A value without a number, which is a formula."""

    __slots__ = ("tree",)
    _is_traced = True

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._row = self._x = self._y = self._dx = self._dy = None
        self.grad = self._mark = 0

    @staticmethod
    def _applied(row: Operation, *arguments: Any) -> Symbol:
        result = _symbol_class()(Call(row.name, tuple(map(_tree, arguments))))
        if row.is_comparison:  # so that & and | accept it
            result._row = row
        return result

    @property
    def data(self) -> NoReturn:  # type: ignore[override]
        """There is none: FormulaError."""
        raise FormulaError(
            "the function reads the number of a Value (.data), which is not known while its "
            "formula is found: compute with the Value itself"
        )

    def __bool__(self) -> NoReturn:
        raise FormulaError("the function branches on a comparison: use micrograd.where instead")

    def __repr__(self) -> str:
        return f"Value({self.tree})"


def _tree(thing: Any) -> Tree:
    if isinstance(thing, Symbol):
        return thing.tree
    if isinstance(thing, Value):
        return to_float(thing.data)
    return to_float(to_number(thing, "a formula"))


@cache
def _symbol_class() -> type[Symbol]:
    """Symbols with a method for each operation that there is now."""

    def method(row: Operation, name: str) -> Callable[..., Any]:
        if name.startswith("__r") and name != row.operator:
            return lambda self, other: _applied(row, other, self)
        return lambda self, *others: _applied(row, self, *others)

    def _applied(row: Operation, *operands: Any) -> Any:
        try:
            return Symbol._applied(row, *operands)
        except TypeError:
            if row.operator:
                return NotImplemented
            raise

    methods = {name: method(row, name) for row in TABLE.values() for name in method_names(row)}
    return type("Symbol", (Symbol,), {"__slots__": (), "__hash__": Value.__hash__, **methods})


@on_define
def _forget(row: Operation) -> None:
    _symbol_class.cache_clear()

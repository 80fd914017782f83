"""The formulas of the table on other kinds of numbers: complex, exact, bounded, observed.

A kind of number supplies the primitives of the table, division, powers and comparisons. The other
rows follow from their formulas, so a row that a user adds is understood at once. No local partial
of the table is read here: what a kind finds out about a function is independent of them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from micrograd.ops import Operation, lookup
from micrograd.table.formulas import COMPARISONS, RESULT, Tree
from micrograd.table.interpreters import ATOM, Interpreter, Text, Texts

Function = Callable[..., Any]


class NotApplicable(Exception):  # noqa: N818 (no error: a witness that has nothing to say)
    """A kind of number has no answer here; the text says why."""


class Kind(Interpreter):
    """One kind of number.

    `number` makes one from a float, and `real` gives the real number by which it is compared.
    `primitives` are functions of such numbers by the names of the rows, with `div` and `pow`, for
    which Python's operators do not do. Other primitives of the table are those of `libraries`; one
    that is in none is not applicable. `name` says what the numbers are.
    """

    def __init__(
        self,
        name: str,
        number: Function,
        real: Callable[[Any], Any],
        primitives: Mapping[str, Function],
        libraries: Sequence[ModuleType] = (),
    ) -> None:
        given: dict[str, Function] = {f"_{each}": _comparing(each, real) for each in COMPARISONS}
        given |= {"_number": number, "_truth": lambda x: real(x) != 0, **primitives}
        super().__init__(name, given, libraries=libraries, texts=_TEXTS, literal=_literal)
        self.number = number
        self._known: dict[tuple[Operation, int | None], Function] = {}

    def function(self, row: Operation) -> Function:
        """The row's formula as a function of such numbers."""
        if (row, None) not in self._known:
            self._known[row, None] = self.value(row)
        return self._known[row, None]

    def partial(self, row: Operation, index: int) -> Function:
        """The row's local partial as a function of the operands and of the result."""
        if (row, index) not in self._known:
            names = (*row.operands, RESULT)
            self._known[row, index] = self.compiled(names, row.slopes[index])
        return self._known[row, index]

    def compiled(self, parameters: Sequence[str], tree: Tree) -> Function:
        """A formula as a function of its variables."""
        for name in self.called(tree) - self.scope.keys():
            self.enter(lookup(name))
        return super().compiled(parameters, tree)

    def primitive(self, name: str) -> Function:
        """The function of that name in a library, or one that says that there is none."""
        try:
            return super().primitive(name)
        except NotImplementedError:

            def refuse(*_: Any) -> Any:
                raise NotApplicable(f"{name} is not defined on {self.name}") from None

            return refuse

    def of_function(self, name: str, function: Function) -> Function:
        """There is no answer: the function is known on floats alone."""

        def refuse(*_: Any) -> Any:
            raise NotApplicable(f"{name} is defined by a function on floats")

        return refuse


def _comparing(name: str, real: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    compare = getattr(operator, name)
    return lambda x, y: compare(real(x), real(y))


# Python's own numbers do not leak into a formula.
_TEXTS = Texts("div", "pow", "_truth", *(f"_{name}" for name in COMPARISONS))


def _literal(number: float) -> Text:
    return f"_number({number!r})".replace("inf", "1e309"), ATOM

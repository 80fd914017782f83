"""Expressions as text, typed by a person: parsed, checked, and evaluated on Values.

    >>> f = Expression("tanh(x1 * w1 + b)", ["x1", "w1", "b"])
    >>> f(2.0, -3.0, 6.5)
    0.46211715726000974
    >>> Expression("x + y", ["x"])
    Traceback (most recent call last):
        ...
    micrograd.table.formulas.FormulaError: ... unknown name 'y'; the names are x, at column 5

The language is that of the table of operations; nothing in the text reaches Python otherwise.
"""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.value import Value
from micrograd.ops import TABLE
from micrograd.table.floats import to_float
from micrograd.table.formulas import FormulaError, fold
from micrograd.table.reading import parse

if TYPE_CHECKING:
    from inspect import Signature


class Expression:
    """A function of the named variables, for numbers and for Values.

    Raises FormulaError, a ValueError that says at which column the text is wrong.
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        for name in names:
            if not name.isidentifier() or keyword.iskeyword(name):
                raise FormulaError(f"expression: {name!r} is no name of a variable")
            if name in TABLE:
                raise FormulaError(f"expression: {name!r} is an operation; name it otherwise")
        if len(set(names)) < len(names):
            raise FormulaError(f"expression: a name comes twice in {', '.join(names)}")
        known = {row.name: row.arity for row in TABLE.values()}
        self.text, self.names = text.strip(), tuple(names)
        self.__name__ = self.text
        self._tree = parse(text, names=self.names, known=known, place="expression")

    def __call__(self, *numbers: Any) -> Any:
        """The expression at numbers (a float) or Values (a Value), one for each name."""
        result = fold(self._tree, VOCABULARY, dict(zip(self.names, numbers, strict=True)))
        return result if isinstance(result, Value) else to_float(result)

    @property
    def __signature__(self) -> Signature:
        """The names, for whoever asks which arguments there are."""
        from inspect import Parameter, Signature

        return Signature([Parameter(x, Parameter.POSITIONAL_OR_KEYWORD) for x in self.names])

    def __repr__(self) -> str:
        return self.text

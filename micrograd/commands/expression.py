"""An expression that a person typed: its options, its syntax, and its value as a graph.

    >>> f = TypedExpression("tanh(x1 * w1 + b)", ["x1", "w1", "b"])
    >>> f(2.0, -3.0, 6.5)
    0.46211715726000974
    >>> TypedExpression("x + y", ["x"])
    Traceback (most recent call last):
        ...
    micrograd.table.formulas.FormulaError: ... unknown name 'y'; the names are x, at column 5

The syntax is that of the formulas in the table of operations. No part of the text is run by Python.
"""

from __future__ import annotations

import argparse
import keyword
import math
import re
from collections.abc import Sequence
from inspect import Parameter, Signature
from typing import Any
from unicodedata import normalize

from micrograd.commands.options import CommandError
from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.value import Value
from micrograd.ops import TABLE, read
from micrograd.table.floats import to_float
from micrograd.table.formulas import FormulaError, fold, variables
from micrograd.writing.messages import meant

OUTPUT = "f"  # the label of the expression itself, unless a variable has it


class TypedExpression:
    """A function of named variables, for numbers and for Values.

    Args:
        text: the expression.
        names: its variables, in the order of the arguments.

    Raises FormulaError, a ValueError that says at which column the text is wrong.
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        for name in names:
            if not name.isidentifier() or keyword.iskeyword(name):
                raise FormulaError(f"expression: {name!r} cannot be the name of a variable")
            if name in TABLE:
                raise FormulaError(f"expression: {name!r} is an operation; choose another name")
        if len(set(names)) < len(names):
            raise FormulaError(f"expression: a name is given twice in {', '.join(names)}")
        self.text, self.names = text.strip(), tuple(names)
        self.__name__ = self.text
        parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        self.__signature__ = Signature(parameters)
        self._tree = read(text, self.names, "expression")
        self.used = variables(self._tree)

    def __call__(self, *numbers: Any) -> Any:
        """Return a float for numbers, or a Value for Values, one for each name."""
        result = fold(self._tree, VOCABULARY, dict(zip(self.names, numbers, strict=True)))
        return result if isinstance(result, Value) else to_float(result)

    def __repr__(self) -> str:
        return self.text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command take an expression and the values of its names."""
    parser.add_argument("expression", help="arithmetic and calls of operations")
    # Without a default, argparse would list it among the missing arguments.
    parser.add_argument(
        "at", nargs="*", default=[], metavar="NAME=NUMBER", help="the value of each name"
    )


def function_and_point(options: argparse.Namespace) -> tuple[TypedExpression, list[float]]:
    """Return the expression as a function of its names, and their values."""
    names, point = [], []
    for assignment in options.at:
        name, equals, number = assignment.partition("=")
        try:
            point.append(float(number))
        except ValueError:
            wrong = f": {number!r} is not a number" if equals else ""
            raise CommandError(
                f"expected NAME=NUMBER, such as x=0.5, got {assignment!r}{wrong}"
            ) from None
        names.append(normalize("NFKC", name.strip()))  # as Python reads the names in the text
    try:
        function = TypedExpression(options.expression, names)
        if unused := [name for name in names if name not in function.used]:
            raise CommandError(
                f"{function.text!r} does not use {', '.join(unused)}: leave out the value"
            )
        return function, point
    except FormulaError as error:
        hint = "; give each name a number, NAME=NUMBER" if "unknown name" in str(error) else ""
        called = re.search(r"'(\w+)' is not an operation", str(error))
        hint += meant(called[1], TABLE) if called else ""
        raise CommandError(f"{error}{hint}") from None


def graph(options: argparse.Namespace) -> tuple[Value, dict[str, Value]]:
    """Return the value of the expression, and the variables by name."""
    return _evaluated(*function_and_point(options))


def symbolic_graph(options: argparse.Namespace) -> tuple[Value, dict[str, Value]]:
    """Return the value of an expression whose names have no values, at numbers made up for them.

    The numbers are inside the domains of as many operations as possible.
    """
    from micrograd.source.names import variables_of

    names = variables_of(options.expression, TABLE)
    options.at = [f"{name}=0" for name in names]
    function, _ = function_and_point(options)
    for size in (0.5, 1.5, 4.0, -0.5):
        spread = (math.modf((i + 1) * _GOLDEN)[0] for i in range(len(names)))
        output, variables = _evaluated(function, [size * (1 + share / 2) for share in spread])
        if math.isfinite(output.data):
            break
    return output, variables


_GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples are spread evenly between whole numbers


def _evaluated(function: TypedExpression, point: Sequence[float]) -> tuple[Value, dict[str, Value]]:
    variables = {
        name: Value(number, label=name) for name, number in zip(function.names, point, strict=True)
    }
    output = function(*variables.values())
    if not isinstance(output, Value):
        raise CommandError(f"{function.text!r} is a number that depends on no name")
    if not output.label and OUTPUT not in variables:
        output.label = OUTPUT
    return output, variables

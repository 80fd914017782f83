"""`Expression`: a short list of operations, with the point at which to evaluate it."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from textwrap import indent
from typing import Any, NamedTuple

from micrograd.engine.value import Value, apply
from micrograd.ops import ROWS, TABLE, Operation, lookup
from micrograd.table.floats import to_float
from micrograd.table.formulas import Call, calls, fold
from micrograd.table.interpreters import ATOM, Text, Texts, literal

Operand = int | float
Vocabulary = Mapping[str, Callable[..., Any]]

BUILT_IN = tuple(row.name for row in ROWS)

_LONGEST = 60  # characters of a subexpression that is written in place


class ExpressionStep(NamedTuple):
    """One operation of an expression.

    An operand that is a float is a constant. One that is an int is the number of a slot; the slots
    are the variables, then the results of the steps, counted from 0.
    """

    operation: str
    operands: tuple[Operand, ...]


class WithSource(ABC):
    """Something that shows itself as the Python program that makes it."""

    @property
    @abstractmethod
    def source(self) -> str:
        """The program."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}\n{indent(self.source, '    ')}\n>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """The same for Hypothesis and IPython, which would list the fields of a dataclass."""
        for number, line in enumerate(repr(self).splitlines()):
            if number:
                printer.break_()
            printer.text(line)


@dataclass(frozen=True, repr=False)
class Expression(WithSource):
    """A function of some variables: the result of the last of its steps.

    A result may be an operand of many steps, so the graph has shared subexpressions.

    Args:
        names: the names of the variables.
        at: a point at which every step is defined, a number for each variable.
        steps: the operations, each after those on which it depends.

    >>> steps = ExpressionStep("mul", (0, 1)), ExpressionStep("add", (2, 2))
    >>> product = Expression(("x", "y"), (2.0, 3.0), steps)
    >>> print(product.source)
    def f(x, y):
        t1 = x * y
        return t1 + t1
    <BLANKLINE>
    at = (2.0, 3.0)
    >>> product(*product.at)
    12.0
    """

    names: tuple[str, ...]
    at: tuple[float, ...]
    steps: tuple[ExpressionStep, ...]

    def __call__(self, *arguments: Any, vocabulary: Vocabulary | None = None) -> Any:
        """The result at floats (a float), at Values (a Value), or at numbers of another type.

        Args:
            *arguments: a number for each variable.
            vocabulary: for numbers of another type, the function of each operation that is not an
                operator of Python: `expression(*fractions, vocabulary={"exp": my_exp})`.
        """
        if len(arguments) != len(self.names):
            raise TypeError(f"{self!r} takes {len(self.names)} numbers, got {len(arguments)}")
        slots = list(arguments)
        for name, operands in self.steps:
            values = [slots[operand] if type(operand) is int else operand for operand in operands]
            slots.append(_result(lookup(name), values, vocabulary or {}))
        return slots[-1]

    @property
    def operations(self) -> tuple[str, ...]:
        """The distinct operations in order of their first use."""
        return tuple(dict.fromkeys(step.operation for step in self.steps))

    @cached_property
    def source(self) -> str:
        """A Python program that defines the function `f` and the point `at`.

        It has the definition of each operation that a user added.
        """
        called = [row for name in self.operations if _is_called(row := lookup(name))]
        imported, definitions = preamble(called)
        parts = (imported, "\n".join(definitions), self._function(), f"at = {self.at!r}")
        return "\n\n".join(filter(None, parts))

    def _function(self) -> str:
        uses = Counter(o for step in self.steps for o in step.operands if type(o) is int)
        temporary = (name for k in count(1) if (name := f"t{k}") not in {*self.names, *TABLE})
        written: list[Text] = [(name, ATOM) for name in self.names]
        lines = []
        for slot, step in enumerate(self.steps, len(self.names)):
            written.append(_written(step, written))
            text = written[-1][0]
            if uses[slot] > 1 or (uses[slot] == 1 and len(text) > _LONGEST):
                name = next(temporary)
                lines.append(f"    {name} = {text}")
                written[-1] = name, ATOM
        lines.append(f"    return {written[-1][0]}")
        return "\n".join((f"def f({', '.join(self.names)}):", *lines))


def _result(row: Operation, operands: Sequence[Any], vocabulary: Vocabulary) -> Any:
    """What the source of a step computes: a function of the vocabulary, an operator or a method."""
    if row.name in vocabulary:
        return vocabulary[row.name](*operands)
    if all(isinstance(operand, int | float) for operand in operands):
        return row.value(*map(to_float, operands))
    with_values = any(isinstance(operand, Value) for operand in operands)
    if row.operator and not (with_values and row.is_equality):
        return getattr(operator, row.operator)(*operands)
    first, *others = operands
    if isinstance(first, Value) and not row.operator:
        return getattr(first, row.name)(*others)
    if with_values:
        return apply(row, *operands)
    raise KeyError(f"the vocabulary has no {row.name!r}, and Python has no operator for it")


# ----------------------------------------------------------------------------- as Python text


def _is_called(row: Operation) -> bool:
    """Whether it is written as a call. So is `==`, which does not compare two Values."""
    return not row.operator or row.is_equality


def _written(step: ExpressionStep, slots: Sequence[Text]) -> Text:
    row = lookup(step.operation)
    operands = [slots[o] if type(o) is int else literal(float(o)) for o in step.operands]
    # The formula of an operator is that operator, so it says how the operator is written.
    tree = Call(row.name, row.operands) if _is_called(row) else row.expression
    texts = Texts(row.name) if _is_called(row) else Texts()
    return fold(tree, texts, dict(zip(row.operands, operands, strict=True)))


def preamble(rows: Sequence[Operation]) -> tuple[str, list[str]]:
    """The import of these operations as Python text, and the definitions of those a user added."""
    added = _added(rows)
    names = {row.name for row in rows} - added.keys() | ({"define"} if added else set())
    imported = f"from micrograd import {', '.join(sorted(names))}" if names else ""
    definitions = [
        f"{name} = define({name!r}, {row.formula!r}, {list(row.partials)!r}"
        + (f", domain={row.domain!r})" if row.domain else ")")
        for name, row in added.items()
    ]
    return imported, definitions


def _added(rows: Iterable[Operation]) -> dict[str, Operation]:
    """The rows that a user added, each after those that its formulas call."""
    found: dict[str, Operation] = {}
    for row in rows:
        if row.name not in BUILT_IN:
            below = set().union(*map(calls, (row.expression, *row.slopes))) - {row.name}
            found |= _added(map(lookup, sorted(below - found.keys()))) | {row.name: row}
    return found

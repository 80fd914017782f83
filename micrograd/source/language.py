"""`Language`: a vocabulary that writes formulas as the source text of a programming language."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from textwrap import wrap
from typing import NamedTuple

from micrograd.ops import TABLE, Operation, lookup
from micrograd.source.substitutes import SUBSTITUTES
from micrograd.source.trees import ACCURATE, Definition, accurate, ready, shared
from micrograd.table.formulas import Call, Tree, calls, fold, variables
from micrograd.table.interpreters import ATOM, SIGN, Text, called

WIDTH = 100
"""The length of a line in source files, in characters."""


class Syntax(NamedTuple):
    """What a function looks like in a language.

    Args:
        head: the first line of a function, with places for `name` and `parameters`.
        local: the definition of a local variable, with places for `name` and `value`.
        result: the line that returns a number, with a place for `value`.
        end: the last line of a function, if it has one.
        parameter: a parameter that is a number, with a place for its name.
        indent: what lines within a function begin with.
        unused: a line for a parameter that a function does not use, so that no compiler warns.
        brackets: what a value of several lines is enclosed in.
    """

    head: str
    local: str
    result: str
    end: str
    parameter: str
    indent: str
    unused: str = ""
    brackets: tuple[str, str] = ("", "")


@lru_cache(maxsize=1024)
def _formula_of(row: Operation) -> Tree:
    """The formula of an operation, made ready to be written."""
    return ready(accurate(row.expression))


class Language(dict[str, Callable[..., Text]]):
    """A vocabulary of `ready` formulas, which writes them in a programming language.

    An operation is written by an operator, or as a call of a function of the language's own
    library, or of a function that `runtime` writes, from one of the `SUBSTITUTES` or from the
    formula of the row.

    Args:
        name: the language, for messages.
        operators: the vocabulary of what is written by operators.
        library: the text that calls each function of the library, by the name of its row.
        texts: the source text of functions that calls of the library need, by their names.
        words: names that a function or a variable cannot have.
        functions: further names that functions of the runtime cannot have.
        syntax: how functions are written.
        special: how infinity and nan are written.
        prefix: what the names of the functions in the runtime begin with.
    """

    def __init__(
        self,
        name: str,
        *,
        operators: Mapping[str, Callable[..., Text]],
        library: Mapping[str, str],
        texts: Mapping[str, str] | None = None,
        words: Collection[str],
        functions: Collection[str] = (),
        syntax: Syntax,
        special: tuple[str, str],
        prefix: str = "",
    ) -> None:
        super().__init__(operators)
        self.name, self.syntax, self.special, self.prefix = name, syntax, special, prefix
        plain = {accurate: library[each] for each, accurate in ACCURATE.items() if each in library}
        self.library, self.texts = plain | dict(library), dict(texts or {})
        self.words = frozenset({*words, *self.texts})
        self._taken = self.words | {*functions}

    def __missing__(self, name: str) -> Callable[..., Text]:
        return called(self.function_name(name))

    def function_name(self, name: str) -> str:
        """What is written to call an operation; KeyError for one that is not known."""
        if self._is_of_library(name):
            return self.library[name]
        if name not in SUBSTITUTES:
            lookup(name)  # no other text gets into the code
        own = f"{self.prefix}{name}"
        return f"{own}_" if own in self._taken else own

    def _is_of_library(self, name: str) -> bool:
        row = TABLE.get(name)  # of a row with a formula, the formula counts
        is_open = row is None or (row.is_primitive and row.function is None)
        return is_open and name in self.library

    def number(self, number: float) -> Text:
        """A number as text; a negative one begins with a sign."""
        if number != number:
            return self.special[1], ATOM
        if math.isinf(number):
            text = self.special[0] if number > 0 else f"-{self.special[0]}"
        else:
            text = repr(number)
        return text, SIGN if math.copysign(1, number) < 0 else ATOM

    def text(self, tree: Tree) -> str:
        """A formula that is ready, as text; its variables have their final names."""
        names: dict[str, Text] = {name: (name, ATOM) for name in variables(tree)}
        return fold(tree, self, names, self.number)[0]

    def line(self, template: str, value: str, name: str = "") -> str:
        """A line of a function, or several if it is long.

        Args:
            template: the line, with places for `name` and `value`.
            value: the text of a formula.
            name: the name of a local variable.
        """
        indent = self.syntax.indent
        text = template.format(name=name, value=value)
        if len(indent + text) <= WIDTH:
            return text
        opening, closing = self.syntax.brackets
        text = template.format(name=name, value=f"{opening}{value}{closing}")
        lines = wrap(text, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
        return f"\n{2 * indent}".join(lines)

    # ----------------------------------------------------------------------------------- functions

    def runtime(self, operations: Iterable[str]) -> list[str]:
        """The functions that formulas call, each after those that it calls itself.

        Args:
            operations: the names of all operations in the formulas, `calls(ready(tree))`.

        Raises:
            NotImplementedError: an operation has no formula, and the language has no such function.
        """
        found: dict[str, str] = {}
        for name in sorted(operations):
            self._enter(name, found)
        return list(found.values())

    def has(self, operations: Iterable[str]) -> bool:
        """Whether there are functions for all operations in formulas, so that `runtime` succeeds.

        Args:
            operations: the names of the operations.
        """
        try:
            self.runtime(operations)
        except NotImplementedError:
            return False
        return True

    def _enter(self, name: str, found: dict[str, str]) -> None:
        if name in found or name in self:
            return
        if self._is_of_library(name):
            self._enter_text(self.library[name], found)
            return
        operands, tree = self._formula(name)
        for other in sorted(calls(tree)):
            self._enter(other, found)
        found[name] = self._function(name, operands, tree)

    def _enter_text(self, function: str, found: dict[str, str]) -> None:
        """Enter the source of a function, after that of the functions that it calls."""
        if function in self.texts and f"{function}(" not in found:
            for other in self.texts:
                if other != function and re.search(rf"(?<![\w.]){other}\(", self.texts[function]):
                    self._enter_text(other, found)
            found[f"{function}("] = self.texts[function]

    def _formula(self, name: str) -> tuple[Sequence[str], Tree]:
        if name in SUBSTITUTES:
            return SUBSTITUTES[name].operands, _formula_of(SUBSTITUTES[name])
        row = lookup(name)
        if row.function is not None:
            raise NotImplementedError(
                f"operation {name!r} is defined by a Python function, which {self.name} cannot "
                "call: define it by a formula"
            )
        if row.is_primitive and ready(row.expression) == Call(name, row.operands):
            raise NotImplementedError(
                f"operation {name!r} is a primitive, and {self.name} has no function of that name: "
                f"give it a formula of other operations, or add it to the library of {self.name} "
                f"in micrograd/source/{self.name.lower()}.py, or to SUBSTITUTES in "
                "micrograd/source/substitutes.py"
            )
        return row.operands, _formula_of(row)

    def _function(self, name: str, operands: Sequence[str], tree: Tree) -> str:
        """A function of numbers that computes a formula."""
        syntax = self.syntax
        taken = {*operands, *map(self.function_name, calls(tree) - self.keys())}
        fresh = (text for i in count(1) if (text := f"t{i}") not in taken)
        *locals_, result = shared([Definition("", tree)], fresh)
        parameters = ", ".join(syntax.parameter.format(name=each) for each in operands)
        head = syntax.head.format(name=self.function_name(name), parameters=parameters)
        used = variables(tree)
        unused = [syntax.unused.format(name=each) for each in operands if each not in used]
        body = [*filter(None, unused)]
        body += [self.line(syntax.local, self.text(tree), each) for each, tree in locals_]
        body.append(self.line(syntax.result, self.text(result.tree)))
        return "\n".join(
            [head, *(f"{syntax.indent}{line}" for line in body), *filter(None, [syntax.end])]
        )

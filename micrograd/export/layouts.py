"""How a source file with one function is laid out in each language."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from micrograd.source.language import WIDTH, Language
from micrograd.source.trees import Definition
from micrograd.table.formulas import Tree, substituted

_LONGEST_FUNCTION = 100  # lines of a function in C
Nest = Any
"""A formula, such as the name of a variable, or a nested list of formulas."""


class Function(NamedTuple):
    """A function as it is laid out.

    Attributes:
        name: its name.
        parameters: the name of each parameter, and the names of the numbers in it.
        forwards: the local variables that compute the value.
        backwards: the local variables that compute the derivatives.
        value: the value.
        gradient: the derivatives, in the structure of the parameters.
        titles: comments for the two parts.
    """

    name: str
    parameters: Sequence[tuple[str, Nest]]
    forwards: Sequence[Definition]
    backwards: Sequence[Definition]
    value: Tree
    gradient: Nest
    titles: tuple[str, str]


class Layout(ABC):
    """Lays out a source file.

    Args:
        language: writes formulas.
        module: whether the file is a module, where the language has scripts and modules.
    """

    mark = "//"
    """What a comment begins with."""

    def __init__(self, language: Language, *, module: bool) -> None:
        self.language, self.module = language, module

    def locals(self, definitions: Iterable[Definition]) -> Iterator[str]:
        """The lines that define local variables."""
        for name, tree in definitions:
            yield self.language.line(self.language.syntax.local, self.language.text(tree), name)

    def file(
        self, comments: Sequence[str], runtime: Sequence[str], function: str, name: str
    ) -> str:
        """The file: comments, what the function calls, and the function."""
        head = "\n".join(
            f"{self.mark} {line}" for text in comments for line in wrap(text, WIDTH - 3) or [""]
        )
        parts = [f"{head}\n{self.preamble}".rstrip(), *runtime, function, self.ending(name)]
        return f"\n{self.gap}".join(filter(None, parts)) + "\n"

    preamble = ""
    gap = "\n"

    def ending(self, name: str) -> str:
        """What follows the function."""
        return ""

    @abstractmethod
    def function(self, function: Function) -> str:
        """The text of the function."""

    def body(
        self,
        function: Function,
        first: Iterable[str],
        forwards: Iterable[str],
        backwards: Iterable[str],
    ) -> str:
        """The lines within a function, with a comment before each of its two parts."""
        value, derivatives = (f"{self.mark} {title}" for title in function.titles)
        return self.indented(*first, value, *forwards, derivatives, *backwards)

    def indented(self, *lines: str) -> str:
        """Lines within a function."""
        return "\n".join(f"{self.language.syntax.indent}{line}" for line in lines)

    def listed(self, nest: Nest) -> str:
        """A nested list as text, in several lines if it is long."""
        if not isinstance(nest, list):
            return self.language.text(nest)
        text = ", ".join(map(self.listed, nest))
        if len(text) < WIDTH or "\n" in text:
            return f"[{text}]"
        lines = wrap(text, WIDTH - 8, break_long_words=False, break_on_hyphens=False)
        indent = self.language.syntax.indent
        return "\n".join(["[", *(2 * indent + line for line in lines), f"{indent}]"])


class JavaScriptLayout(Layout):
    """A function that returns an object; a script, which Node can require, or a module."""

    def function(self, function: Function) -> str:  # noqa: D102
        head = ", ".join(self.listed(nest) for _, nest in function.parameters)
        gradient = self.listed(function.gradient)
        result = f"return {{ value: {self.listed(function.value)}, gradient: {gradient} }};"
        backwards = [*self.locals(function.backwards), result]
        body = self.body(function, (), self.locals(function.forwards), backwards)
        export = "export " if self.module else ""
        return f"{export}function {function.name}({head}) {{\n{body}\n}}"

    def ending(self, name: str) -> str:  # noqa: D102
        if self.module:
            return ""
        return f'if (typeof module !== "undefined") module.exports = {{ {name} }};'


class PythonLayout(Layout):
    """A function that returns a pair."""

    mark = "#"
    preamble = "import math"
    gap = "\n\n"

    def function(self, function: Function) -> str:  # noqa: D102
        head = ", ".join(name for name, _ in function.parameters)
        unpacked = [
            f"{self.listed(nest)} = {name}" for name, nest in function.parameters if name != nest
        ]
        result = f"return {self.listed(function.value)}, {self.listed(function.gradient)}"
        backwards = [*self.locals(function.backwards), result]
        body = self.body(function, unpacked, self.locals(function.forwards), backwards)
        return f"def {function.name}({head}):\n{body}"


class CLayout(Layout):
    """A function that returns the value and fills an array.

    A long function is written in parts that work on one array, because the time that a compiler
    takes for a function grows faster than its length.
    """

    preamble = "\n#include <math.h>"

    def function(self, function: Function) -> str:  # noqa: D102
        if len(function.forwards) + len(function.backwards) > _LONGEST_FUNCTION:
            return self._in_parts(function)
        lines = [f"const double {name} = {entry};" for name, entry in _entries(function)]
        forwards, backwards = self.locals(function.forwards), self.locals(function.backwards)
        return self._whole(function, lines, forwards, backwards)

    def _whole(
        self,
        function: Function,
        first: Iterable[str],
        forwards: Iterable[str],
        backwards: Iterable[str],
    ) -> str:
        heads = [
            f"const double {name}[{len([*_flat(nest)])}]" if name != nest else f"double {name}"
            for name, nest in function.parameters
        ]
        derivatives = [self.language.text(tree) for tree in _flat(function.gradient)]
        heads.append(f"double gradient[{max(1, len(derivatives))}]")
        value = self.language.text(function.value)
        filled = [f"gradient[{i}] = {text};" for i, text in enumerate(derivatives)]
        forwards = [*forwards, f"if (!gradient) return {value};"]
        backwards = [*backwards, *filled, f"return {value};"]
        body = self.body(function, first, forwards, backwards)
        return f"double {function.name}({', '.join(heads)}) {{\n{body}\n}}"

    def _in_parts(self, function: Function) -> str:
        given = [name for _, nest in function.parameters for name in _flat(nest)]
        named = [*given, *(each.name for each in (*function.forwards, *function.backwards))]
        places: dict[str, Tree] = {name: f"v[{i}]" for i, name in enumerate(named)}
        entries = dict(_entries(function))
        first = [f"double v[{len(named)}];"]
        first += [f"{places[name]} = {entries.get(name, name)};" for name in given]
        parts: list[str] = []

        def calls(definitions: Sequence[Definition]) -> list[str]:
            made = []
            for start in range(0, len(definitions), _LONGEST_FUNCTION):
                name = f"{self.language.prefix}_part{len(parts) + 1}"
                lines = [
                    f"{places[each.name]} = {self.language.text(substituted(each.tree, places))};"
                    for each in definitions[start : start + _LONGEST_FUNCTION]
                ]
                parts.append(f"static void {name}(double v[]) {{\n{self.indented(*lines)}\n}}")
                made.append(f"{name}(v);")
            return made

        whole = self._whole(
            function._replace(
                value=substituted(function.value, places),
                gradient=[substituted(tree, places) for tree in _flat(function.gradient)],
            ),
            first,
            calls(function.forwards),
            calls(function.backwards),
        )
        return "\n\n".join([*parts, whole])


def _entries(function: Function) -> Iterator[tuple[str, str]]:
    """The names of the numbers in arrays, and where they are."""
    for name, nest in function.parameters:
        if name != nest:
            for i, each in enumerate(_flat(nest)):
                yield each, f"{name}[{i}]"


def _flat(nest: Nest) -> Iterator[Any]:
    if not isinstance(nest, list):
        yield nest
    else:
        for each in nest:
            yield from _flat(each)

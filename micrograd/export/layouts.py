"""How a source file with one function is laid out in each language."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from micrograd.export.language import Language
from micrograd.export.trees import Definition

_WIDTH = 100
Nest = Any
"""A text, or a nested list of texts."""


class Function(NamedTuple):
    """A function as it is laid out.

    Attributes:
        name: its name.
        parameters: the name of each parameter, and the names of the numbers in it.
        forwards: the lines that compute the value.
        backwards: the lines that compute the derivatives.
        value: the text of the value.
        gradient: the texts of the derivatives, in the structure of the parameters.
        titles: comments for the two parts.
    """

    name: str
    parameters: Sequence[tuple[str, Nest]]
    forwards: Sequence[str]
    backwards: Sequence[str]
    value: str
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

    def local(self, definition: Definition) -> str:
        """The line that defines a local variable."""
        name, tree = definition
        return self.language.syntax.local.format(name=name, value=self.language.text(tree))

    def file(
        self, comments: Sequence[str], runtime: Sequence[str], function: str, name: str
    ) -> str:
        """The file: comments, what the function calls, and the function."""
        head = "\n".join(
            f"{self.mark} {line}" for text in comments for line in wrap(text, _WIDTH - 3) or [""]
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

    def indented(self, *lines: str) -> str:
        """Lines within a function."""
        return "\n".join(f"{self.language.syntax.indent}{line}" for line in lines)

    def listed(self, nest: Nest) -> str:
        """A nested list as text, in several lines if it is long."""
        if isinstance(nest, str):
            return nest
        text = ", ".join(map(self.listed, nest))
        if len(text) < _WIDTH or "\n" in text:
            return f"[{text}]"
        lines = wrap(text, _WIDTH - 8, break_long_words=False, break_on_hyphens=False)
        indent = self.language.syntax.indent
        return "\n".join(["[", *(2 * indent + line for line in lines), f"{indent}]"])


class JavaScriptLayout(Layout):
    """A function that returns an object; a script, which Node can require, or a module."""

    def function(self, function: Function) -> str:  # noqa: D102
        head = ", ".join(self.listed(nest) for _, nest in function.parameters)
        gradient = self.listed(function.gradient)
        body = self.indented(
            f"// {function.titles[0]}",
            *function.forwards,
            f"// {function.titles[1]}",
            *function.backwards,
            f"return {{ value: {function.value}, gradient: {gradient} }};",
        )
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
        body = self.indented(
            *unpacked,
            f"# {function.titles[0]}",
            *function.forwards,
            f"# {function.titles[1]}",
            *function.backwards,
            f"return {function.value}, {self.listed(function.gradient)}",
        )
        return f"def {function.name}({head}):\n{body}"


class CLayout(Layout):
    """A function that returns the value and fills an array."""

    preamble = "\n#include <math.h>"

    def function(self, function: Function) -> str:  # noqa: D102
        heads, unpacked = [], []
        for name, nest in function.parameters:
            if name == nest:
                heads.append(f"double {name}")
                continue
            entries = [*_flat(nest)]
            heads.append(f"const double {name}[{len(entries)}]")
            unpacked += [f"const double {each} = {name}[{i}];" for i, each in enumerate(entries)]
        derivatives = [*_flat(function.gradient)]
        heads.append(f"double gradient[{max(1, len(derivatives))}]")
        body = self.indented(
            *unpacked,
            f"// {function.titles[0]}",
            *function.forwards,
            f"if (!gradient) return {function.value};",
            f"// {function.titles[1]}",
            *function.backwards,
            *(f"gradient[{i}] = {text};" for i, text in enumerate(derivatives)),
            f"return {function.value};",
        )
        return f"double {function.name}({', '.join(heads)}) {{\n{body}\n}}"


def _flat(nest: Nest) -> Iterator[str]:
    if isinstance(nest, str):
        yield nest
    else:
        for each in nest:
            yield from _flat(each)

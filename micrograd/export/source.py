"""`export_source`: a function and its gradient as source text without dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd.derivation.naming import variable_names
from micrograd.engine.callables import positional_parameters
from micrograd.engine.value import Value
from micrograd.export.layouts import CLayout, Function, JavaScriptLayout, Layout, PythonLayout
from micrograd.export.program import of_formula, of_function, of_graph
from micrograd.ops import TABLE, read
from micrograd.source.c import C
from micrograd.source.javascript import JAVASCRIPT
from micrograd.source.language import Language
from micrograd.source.names import Identifiers, comment, variables_of
from micrograd.source.python import PYTHON
from micrograd.source.straight import StraightLine
from micrograd.source.trees import Definition, shared
from micrograd.table.formulas import Call, FormulaError, Tree, calls, fold, substituted
from micrograd.table.interpreters import ATOM, Texts, literal
from micrograd.writing import languages

LANGUAGES: dict[str, tuple[Language, type[Layout]]] = {
    "javascript": (JAVASCRIPT, JavaScriptLayout),
    "python": (PYTHON, PythonLayout),
    "c": (C, CLayout),
}
SUFFIXES = {".js": "javascript", ".mjs": "javascript", ".py": "python", ".c": "c"}

_MOST_PARAMETERS = 20  # of a graph; more of them are the entries of one array
_LONGEST = 100  # characters of a formula in the comment


class _Request(NamedTuple):
    """What is exported: its code, its formula for the comment, and its parameters by structure."""

    line: StraightLine
    formula: str
    parameters: Sequence[tuple[str, Any]]  # a name, and a key or a nested list of keys
    name: str


def export_source(
    f: Value | str | Callable[..., Any],
    language: str = "javascript",
    *,
    example: Sequence[Any] = (),
    parameters: Sequence[Value] | None = None,
    names: Mapping[str, Any] | Sequence[str] | None = None,
    name: str = "",
    module: bool = False,
    lang: str = "en",
) -> str:
    """Write a function and its gradient as source text that needs nothing else.

    The function computes the value forwards and the derivatives backwards, as straight-line code
    in which equal operations are done once. It follows the conventions of the table of operations:
    at kinks, for infinities and nan, and where a factor of the chain rule is 0.

    Args:
        f: a Value, whose graph is written; an expression as text; or a function of numbers, which
            is made of operations and does not branch on its arguments.
        language: `"javascript"`, `"python"` or `"c"`. In JavaScript, the function returns an object
            with `value` and `gradient`; in Python, a pair of them. In C99, it returns the value,
            and fills an array with the gradient unless that is a null pointer.
        example: for a function, arguments of the structure it takes: numbers and nested lists. By
            default, every argument is a number.
        parameters: for a Value, the leaves that become parameters, in this order; the others keep
            their numbers. By default, all leaves are parameters; more than 20 of them are passed as
            one array.
        names: for a Value, a mapping from names to Values, such as `locals()`, for those without a
            label; for an expression, its names in the order of the parameters, by default that in
            which they appear; for a function, other names for its parameters.
        name: the name of the function; by default that of `f`, else `f`.
        module: in JavaScript, write an ES module, which exports the function. By default, the text
            is a script, which Node can also `require`.
        lang: the language of the comments, `"en"` or `"zh"`.

    Returns:
        The text of a source file. Names that the language does not allow are changed, and the
        comment at its head says how.

    Raises:
        ValueError: the language is not known, or the expression is wrong.
        TypeError: an operation of the graph was made by hand, or the function branches on its
            arguments.
        NotImplementedError: an operation was defined by a Python function.

    >>> text = export_source("exp(x) * w", "javascript")
    >>> print(text[text.index("function f") :])
    function f(x, w) {
      // the value
      const v1 = Math.exp(x);
      const v2 = v1 * w;
      // the derivatives, backwards
      const d_x = stopping_mul(w, v1);
      return { value: v2, gradient: [d_x, v1] };
    }
    <BLANKLINE>
    if (typeof module !== "undefined") module.exports = { f };
    <BLANKLINE>
    """
    if language not in LANGUAGES:
        raise ValueError(f"language is one of {', '.join(LANGUAGES)}, got {language!r}")
    if module and language != "javascript":
        raise ValueError(f"module=True is for JavaScript, got language={language!r}")
    languages.checked(lang)
    request = _request(f, example, parameters, names)
    if name:
        request = request._replace(name=name)
    return _Writer(request, language, module=module, lang=lang).text()


def _request(
    f: Any, example: Sequence[Any], parameters: Sequence[Value] | None, names: Any
) -> _Request:
    if parameters is not None and not isinstance(f, Value):
        raise TypeError("export_source: parameters= is for a Value; give a function its arguments")
    if example and isinstance(f, Value | str):
        raise TypeError("export_source: example= is for a function")
    if isinstance(f, Value):
        return _of_value(f, parameters, names)
    if isinstance(f, str):
        return _of_text(f, names)
    if not callable(f):
        raise TypeError(
            "export_source takes a Value, the text of an expression, or a function, got "
            f"{type(f).__name__}"
        )
    return _of_function(f, example, names)


def _of_value(
    output: Value, parameters: Sequence[Value] | None, names: Mapping[str, Any] | None
) -> _Request:
    line = of_graph(output, parameters, variable_names(names))
    keys = line.parameters
    for i, key in enumerate(keys, start=1):
        line.names[key] = line.names.get(key) or f"x{i}"
    if len(keys) > _MOST_PARAMETERS:
        packed: list[tuple[str, Any]] = [("parameters", keys)]
    else:
        packed = [(line.names[key], key) for key in keys]
    return _Request(line, _formula(line), packed, "f")


def _of_text(text: str, names: Sequence[str] | None) -> _Request:
    variables = variables_of(text, TABLE) if names is None else [*names]
    for name in variables:
        if not name.isidentifier():
            raise FormulaError(f"expression: {name!r} cannot be the name of a variable")
        if variables.count(name) > 1 or name in TABLE:
            wrong = "is an operation" if name in TABLE else "is given twice"
            raise FormulaError(f"expression: the name {name!r} {wrong}; choose another")
    line = of_formula(read(text, variables, "expression"), variables)
    return _Request(line, text.strip(), [*zip(variables, line.parameters, strict=True)], "f")


def _of_function(
    f: Callable[..., Any], example: Sequence[Any], names: Sequence[str] | None
) -> _Request:
    called = [each.name for each in positional_parameters(f)] if names is None else [*names]
    if not example:
        example = [0.0] * len(called)
    elif names is None:  # of *args, and without the defaults
        called = [*called, *(f"x{i}" for i in range(len(called), len(example)))][: len(example)]
    if len(called) != len(example):
        raise ValueError(
            f"export_source: {len(called)} names for {len(example)} arguments: {', '.join(called)}"
        )
    line = of_function(f, example)
    keys = iter(line.parameters)
    packed = [
        (name, _nested(each, name, keys, line.names))
        for name, each in zip(called, example, strict=True)
    ]
    own = getattr(f, "__name__", "f")
    return _Request(line, _formula(line), packed, own if own.isidentifier() else "f")


def _nested(example: Any, name: str, keys: Iterator[str], names: dict[str, str]) -> Any:
    """The keys of the leaves in the structure of an argument; their names are entered."""
    if hasattr(example, "tolist"):
        example = example.tolist()
    if isinstance(example, list | tuple):
        return [_nested(each, f"{name}[{i}]", keys, names) for i, each in enumerate(example)]
    if isinstance(example, dict):
        raise TypeError(f"export_source: arguments are numbers and lists; {name} is a dict")
    key = next(keys)
    names[key] = name
    return key


def _formula(line: StraightLine) -> str:
    """The formula of a short function; otherwise no text."""
    if len(line.steps) > _LONGEST:
        return ""
    texts: dict[str, Any] = {key: (line.names[key], ATOM) for key in line.parameters}
    for step in line.steps:
        tree = Call(step.row.name, step.operands)
        texts[step.key] = fold(tree, Texts(), texts, literal)
        if len(texts[step.key][0]) > _LONGEST:
            return ""
    output = line.output
    return str(texts[output][0]) if isinstance(output, str) else repr(output)


# ------------------------------------------------------------------------------------------ writing


class _Writer:
    """Writes one function in one language."""

    def __init__(self, request: _Request, language: str, *, module: bool, lang: str) -> None:
        self.request, self.line = request, request.line
        self.language, layout = LANGUAGES[language]
        self.layout = layout(self.language, module=module)
        self.words = languages.words(lang, "export")
        self.identifiers = Identifiers(self.language, is_plain=language == "c")
        self.function = self.identifiers.new(request.name, "f")
        self.chosen: dict[str, str] = {}
        for name, keys in request.parameters:
            if not isinstance(keys, str):  # an array has a name of its own
                self.chosen[name] = self.identifiers.new(name)
        for key in (*self.line.parameters, *(step.key for step in self.line.steps)):
            if label := self.line.names.get(key):
                self.chosen[key] = self.identifiers.new(label)
        self._values = self.identifiers.numbered("v")

    def text(self) -> str:
        """The source file."""
        forwards = self.line.forwards()
        for each in forwards:
            if each.name not in self.chosen:
                self.chosen[each.name] = next(self._values)
        backwards, gradient = self.line.backwards(lambda key: f"d_{key}")
        for each in backwards:
            key, _, part = each.name.removeprefix("d_").partition(" ")
            self.chosen[each.name] = self.identifiers.new(
                f"d_{self.chosen[key]}{f'_{part}' * bool(part)}"
            )
        used = set().union(*(calls(each.tree) for each in (*forwards, *backwards)))
        named = [
            Definition(self.chosen[n], self._named(tree)) for n, tree in (*forwards, *backwards)
        ]
        count = len(forwards)
        marked = [*named[:count], Definition("", 0.0), *named[count:]]
        lines = shared(marked, self.identifiers.numbered("t"))
        middle = next(i for i, each in enumerate(lines) if not each.name)
        layout = self.layout
        parameters = self.request.parameters
        body = layout.function(
            Function(
                name=self.function,
                parameters=[
                    (self._of_parameter(name, keys), _each(keys, self.chosen.__getitem__))
                    for name, keys in parameters
                ],
                forwards=lines[:middle],
                backwards=lines[middle + 1 :],
                value=self._named(self.line.output),
                gradient=_each(
                    [keys for _, keys in parameters], lambda key: self._named(gradient[key])
                ),
                titles=(self.words["value"], self.words["derivatives"]),
            )
        )
        return layout.file(self._comments(), self.language.runtime(used), body, self.function)

    def _named(self, tree: Tree) -> Tree:
        return substituted(tree, self.chosen)

    def _of_parameter(self, name: str, keys: Any) -> str:
        return self.chosen[keys if isinstance(keys, str) else name]

    def _comments(self) -> list[str]:
        """The lines of the comment at the head of the file."""
        names = [name for name, _ in self.request.parameters]
        head = f"{self.request.name}({', '.join(names)})"
        if self.request.formula:
            first = f"{head} = {self.request.formula}"
        else:
            first = self.words["large"].format(function=head, operations=len(self.line.steps))
        listed = ", ".join(self._of_parameter(name, keys) for name, keys in self.request.parameters)
        changed = [(self.request.name, self.function)]
        changed += [
            (name, self._of_parameter(name, keys)) for name, keys in self.request.parameters
        ]
        renamed = [
            self.words["renamed"].format(name=name, identifier=identifier)
            for name, identifier in changed
            if name != identifier
        ]
        made = self.words["returns"].format(names=listed)
        return [comment(text) for text in (first, made, self.words["made"], *renamed)]


def _each(keys: Any, meaning: Callable[[str], Any]) -> Any:
    """What the keys mean, in the structure of the parameters."""
    return meaning(keys) if isinstance(keys, str) else [_each(key, meaning) for key in keys]

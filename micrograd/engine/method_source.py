"""Write the methods of `Value` from the rows of the table, compile them and attach them.

A method is straight-line code, so building a graph costs little more than storing the attributes of
its nodes. The text is registered in `linecache`, so debuggers and tracebacks show it.
"""

from __future__ import annotations

import linecache
from typing import Any

from micrograd.engine.methods import Methods
from micrograd.ops import Operation
from micrograd.table.formulas import gated, variables, with_truths
from micrograd.table.interpreters import ERRORS, ON_FLOATS

_UNARY = """
def {name}(self):
    {document!r}
    _node = _next(_blank)
    x = self.data
    try:
        _node.data = {out}{value}
        _node._dx = {dx}
    except _ERRORS:
        return _apply(_row_{name}, self)
    _node._x = self
    _node._dy = _node._y = None
    _node._row = _row_{name}
    _node.grad = _node._mark = 0
    return _node
"""

# The other operand is a Value (two partials), or a float or int (a constant: one partial).
_BINARY = """
def {method}(self, other):
    {document!r}
    _node = _next(_blank)
    x = self.data
    try:
        if _type(other) is _Value:
            y = other.data
            _node.data = {out}{value}
            {both}
        elif _type(other) is _float or _type(other) is _int:
            y = _float(other)
            _node.data = {out}{value}
            _node._dx = {dx}
            _node._dy = None
        else:
            return _coerce(_row_{name}, self, other)
    except _ERRORS:
        return _apply(_row_{name}, self, other)
    _node._x = self
    _node._y = other
    _node._row = _row_{name}
    _node.grad = _node._mark = 0
    return _node
"""

# Python calls this only if the operand on the left does not know the operation: for a number.
_REFLECTED = """
def {reflected}(self, other):
    {document!r}
    if _type(other) is not _float and _type(other) is not _int:
        return _coerce(_row_{name}, self, other, reflected=True)
    _node = _next(_blank)
    y = self.data
    try:
        x = _float(other)
        _node.data = {out}{value}
        _node._dy = {dy}
    except _ERRORS:
        return _apply(_row_{name}, other, self)
    _node._dx = None
    _node._x = other
    _node._y = self
    _node._row = _row_{name}
    _node.grad = _node._mark = 0
    return _node
"""

# Lists and dicts compare two Values often, so identity is tested first.
_EQUALITY = """
def {method}(self, other):
    {document!r}
    if _type(other) is _Value:
        return self {identity} other
    return _coerce(_row_{name}, self, other)
"""

_GENERAL = """
def {name}(self{others}):
    {document!r}
    return _apply(_row_{name}, self{others})
"""


def method_names(row: Operation) -> tuple[str, ...]:
    """The names of the methods made from a row; a reflected one comes last."""
    if row.arity == 1 and row.operator:
        return row.name, row.operator
    if not row.operator:
        return (row.name,)
    if row.is_comparison:  # Python itself reflects `<` into `>`
        return (row.operator,)
    return row.operator, f"__r{row.operator[2:]}"


def source(row: Operation) -> str:
    """The source text of the methods of a row."""
    names = method_names(row)
    columns = {
        "name": row.name,
        "document": row.document,
        "identity": "is" if row.name == "eq" else "is not",
        "value": ON_FLOATS.text(row.expression),
        "method": names[0],
        "reflected": names[-1],
    }
    if row.arity > 2 or row.function is not None:
        others = "".join(f", {name}" for name in row.operands[1:])
        return _GENERAL.format(**columns, others=others)
    if row.is_equality:
        return _EQUALITY.format(**columns)
    trees = [gated(with_truths(slope)) for slope in row.slopes]
    dx, dy = (ON_FLOATS.text(tree) for tree in (trees[0], trees[-1]))
    both = (
        f"_node._dx = {dx}\n            _node._dy = {dy}"
        if dx != dy
        else f"_node._dx = _node._dy = {dx}"
    )
    out = "out = " if any("out" in variables(tree) for tree in trees) else ""
    columns |= {"dx": dx, "dy": dy, "both": both, "out": out}
    if row.arity == 1:
        return _UNARY.format(**columns)
    return "".join(text.format(**columns) for text in (_BINARY, _REFLECTED)[: len(names)])


class Installer:
    """Attaches the methods of rows to `Methods`; `tools` are the functions that they call."""

    def __init__(self, tools: dict[str, Any]) -> None:
        self._globals = tools | {
            "__builtins__": {},
            "_ERRORS": ERRORS,
            "_float": float,
            "_int": int,
            "_type": type,
        }

    def defer(self, row: Operation) -> None:
        """Attach methods that are compiled when they are first used, to keep the import fast."""
        for name in method_names(row):
            setattr(Methods, name, _Deferred(self, row, name))

    def install(self, row: Operation) -> None:
        """Compile the methods and attach them."""
        text = source(row)
        filename = f"<micrograd {row.name}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        self._globals[f"_row_{row.name}"] = row
        trees = [row.expression, *(row.slopes if row.function is None else ())]
        called = set().union(*map(ON_FLOATS.called, trees))
        # A redefined operation may be called by methods that exist already.
        called |= {row.name} & self._globals.keys()
        self._globals |= {name: ON_FLOATS.found(name) for name in called}
        functions: dict[str, Any] = {}
        exec(compile(text, filename, "exec"), self._globals, functions)  # noqa: S102 (checked text)
        names = method_names(row)
        for name in names:
            method = functions.get(name, functions[names[0]])
            method.__module__ = "micrograd.engine.value"
            method.__qualname__ = f"Value.{method.__name__}"
            setattr(Methods, name, method)


class _Deferred:
    """A method that is compiled when it is first used."""

    def __init__(self, installer: Installer, row: Operation, name: str) -> None:
        self._installer, self._row, self._name = installer, row, name

    def __get__(self, value: Any, kind: type) -> Any:
        self._installer.install(self._row)
        return vars(Methods)[self._name].__get__(value, kind)

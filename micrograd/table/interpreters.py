"""`Interpreter`: formulas as Python functions of one kind of number; and two of them for floats.

A formula is written as Python text and compiled. In the text, `where` evaluates only one branch.

Two interpreters compute on floats. FLOATS has Python's own arithmetic, which is fast but raises an
error where IEEE 754 defines a result (`1/0`, `log(0)`, `exp(1000)`). IEEE gives the result of IEEE
754, as NumPy does.
"""

from __future__ import annotations

import math
from collections import ChainMap, Counter
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from micrograd.locks import forkable_property
from micrograd.table.floats import SHARED, completed, power, quotient, real
from micrograd.table.formulas import (
    COMPARISONS,
    Call,
    Tree,
    calls,
    fold,
    parts,
    variables,
    with_truths,
)

if TYPE_CHECKING:
    from micrograd.table.operations import Operation

# ----------------------------------------------------------------------------------- Python text

Text = tuple[str, int]
"""Python text, and how tightly it binds (CHOICE to ATOM)."""

CHOICE, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(7)


def in_brackets(text: Text, least: int) -> str:
    """The text, in brackets if it binds less tightly than `least`."""
    return text[0] if text[1] >= least else f"({text[0]})"


def infix(sign: str, strength: int, left: int, right: int) -> Callable[..., Text]:
    """How an operator is written, and how tightly its operands must bind."""
    return lambda x, y: (f"{in_brackets(x, left)} {sign} {in_brackets(y, right)}", strength)


def called(name: str) -> Callable[..., Text]:
    """How a call is written."""
    return lambda *operands: (f"{name}({', '.join(text for text, _ in operands)})", ATOM)


def _conditional(test: Text, then: Text, otherwise: Text) -> Text:
    first, second = (in_brackets(each, COMPARISON) for each in (then, test))
    return f"{first} if {second} else {otherwise[0]}", CHOICE


SIGNS = dict(zip(COMPARISONS, ("<", "<=", ">", ">=", "==", "!="), strict=True))
"""The comparisons by name, as Python writes them."""
_OPERATORS: dict[str, Callable[..., Text]] = {
    "add": infix("+", SUM, SUM, PRODUCT),
    "sub": infix("-", SUM, SUM, PRODUCT),
    "mul": infix("*", PRODUCT, PRODUCT, SIGN),
    "div": infix("/", PRODUCT, PRODUCT, SIGN),
    "mod": infix("%", PRODUCT, PRODUCT, SIGN),
    "floordiv": infix("//", PRODUCT, PRODUCT, SIGN),
    "pow": infix("**", POWER, ATOM, POWER),
    "neg": lambda x: (f"-{in_brackets(x, SIGN)}", SIGN),
    **{name: infix(sign, COMPARISON, SUM, SUM) for name, sign in SIGNS.items()},
    **{f"_{name}": infix(sign, COMPARISON, SUM, SUM) for name, sign in SIGNS.items()},
    "_truth": lambda x: x,
    "_where": _conditional,
}


class Texts(dict[str, Callable[..., Text]]):
    """How operations are written in Python: by its operators where there is one, or as calls.

    Args:
        *called: the operations to write as calls although Python has an operator for them.
    """

    def __init__(self, *called: str) -> None:
        super().__init__(_OPERATORS)
        for name in called:
            self.pop(name, None)

    def __missing__(self, name: str) -> Callable[..., Text]:
        return called(name)


def literal(number: float) -> Text:
    """A number as Python text. A negative one binds less tightly, since it begins with a sign."""
    return repr(number).replace("inf", "1e309"), SIGN if math.copysign(1, number) < 0 else ATOM


# ---------------------------------------------------------------------------- computing formulas


class Interpreter:
    """Compiles formulas to Python functions that compute on one kind of number.

    A row of the table means what `primitives` says. A primitive row that is missing there is the
    function of its name in one of the libraries, and all other rows follow from their formulas.

    Args:
        name: the kind of numbers, for messages.
        primitives: functions on such numbers, by the names of their rows.
        libraries: modules in which other primitives are found by name.
        texts: how operations are written. Those written as calls, including the truth values
            `_lt`, …, `_truth` and the choice `_where` of `with_truths`, are looked up in
            `primitives`.
        literal: how numbers are written.
        place: the table of primitives and its file, for messages.

    Raises:
        NotImplementedError: when a formula is compiled that calls a primitive found nowhere.
    """

    def __init__(
        self,
        name: str,
        primitives: Mapping[str, Any],
        *,
        libraries: Sequence[ModuleType] = (),
        texts: Texts,
        literal: Callable[[float], Text] = literal,
        place: str = "",
    ) -> None:
        self.name, self.libraries, self.texts, self.literal = name, libraries, texts, literal
        self.place = place or f"the primitives of {name}"
        self.scope: dict[str, Any] = {"__builtins__": {}, **primitives}
        self._given = frozenset(primitives)

    def text(self, tree: Tree) -> str:
        """A formula as Python text."""
        tree = with_truths(tree)
        names = {name: (name, ATOM) for name in variables(tree)}
        return fold(tree, self.texts, names, self.literal)[0]

    def called(self, tree: Tree) -> set[str]:
        """The names of the functions that the text of a formula calls."""
        return calls(with_truths(tree)) - self.texts.keys()

    def compiled(self, parameters: Sequence[str], tree: Tree) -> Callable[..., Any]:
        """A formula as a function of its variables."""
        function: Callable[..., Any] = self.meaning(
            f"lambda {', '.join(parameters)}: {self.text(tree)}"
        )
        return function

    def meaning(self, text: str) -> Any:
        """Evaluate Python text that was written from checked formulas."""
        return eval(text, self.scope)  # noqa: S307 (checked, and without builtins)

    def value(self, row: Operation) -> Callable[..., Any]:
        """A row as a function of its operands."""
        if row.name in self._given:
            return cast("Callable[..., Any]", self.scope[row.name])
        if row.function is not None:
            return self.of_function(row.name, row.function)
        is_apart = with_truths(row.expression) == row.expression  # no comparison or choice
        if row.is_primitive and is_apart and row.name not in self.texts:
            return self.primitive(row.name)
        return self.compiled(row.operands, row.expression)

    def primitive(self, name: str) -> Callable[..., Any]:
        """The function of that name in a library."""
        for library in self.libraries:
            if found := getattr(library, name, None):
                return cast("Callable[..., Any]", found)
        places = " or ".join(library.__name__ for library in self.libraries)
        raise NotImplementedError(
            f"operation {name!r} is a primitive, and {self.name} have no function of that name"
            f"{f' in {places}' * bool(places)}: give it a formula of other operations, or "
            f"add it to {self.place}"
        )

    def of_function(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """An operation that a user defined by a function on floats."""
        raise NotImplementedError(
            f"operation {name!r} is defined by a function on floats, which {self.name} cannot "
            "call: define it by a formula, or compile with backend='numpy'"
        )

    def enter(self, row: Operation) -> None:
        """Let formulas call a row. Its function is compiled when it is first called."""
        if row.name not in self._given:
            self.scope[row.name] = _Deferred(self, row)

    def found(self, name: str) -> Callable[..., Any]:
        """The function that formulas call by this name, compiled if it was not called before."""
        found: Callable[..., Any] = self.scope[name]
        return found.made if isinstance(found, _Deferred) else found


class _Deferred:
    """A row that is compiled when it is first called, and then replaces itself."""

    def __init__(self, interpreter: Interpreter, row: Operation) -> None:
        self._interpreter, self._row = interpreter, row

    @forkable_property
    def made(self) -> Callable[..., Any]:
        scope, name = self._interpreter.scope, self._row.name
        made = self._interpreter.value(self._row)
        if scope.get(name) is self:
            scope[name] = made
        return made

    def __call__(self, *operands: Any) -> Any:
        return self.made(*operands)


# ------------------------------------------------------------------- the vocabulary of floats

ERRORS = (ArithmeticError, ValueError)  # raised by FLOATS where IEEE defines a result


_OFTEN = 4
"""How many times a part of a formula occurs that is computed once and kept in a variable."""


def _kept(tree: Tree) -> tuple[Tree, list[str]]:
    """The formula with parts that occur often as `_keep(name, part)` and then as the name.

    Parts are evaluated from the left, and the test of a choice before its branches, so a part that
    was met in a branch is not known in the other one, nor after the choice.
    """
    counts = Counter(part for part in parts(tree) if isinstance(part, Call))
    names: list[str] = []

    def kept(tree: Tree, known: dict[Tree, str]) -> Tree:
        if not isinstance(tree, Call):
            return tree
        if tree in known:
            return known[tree]
        if tree.name == "_where":
            test, *branches = tree.operands
            test = kept(test, known)
            found = Call("_where", (test, *(kept(branch, dict(known)) for branch in branches)))
        else:
            found = Call(tree.name, tuple(kept(each, known) for each in tree.operands))
        if counts[tree] < _OFTEN:
            return found
        names.append(f"_t{len(names)}")
        known[tree] = names[-1]
        return Call("_keep", (names[-1], found))

    return kept(tree, {}), names


def _keep(name: Text, value: Text) -> Text:
    return f"({name[0]} := {value[0]})", ATOM


class _Floats(Interpreter):
    def text(self, tree: Tree) -> str:
        tree, fresh = _kept(with_truths(tree))
        names = {name: (name, ATOM) for name in (*variables(tree), *fresh)}
        return fold(tree, ChainMap({"_keep": _keep}, self.texts), names, self.literal)[0]

    def of_function(self, name: str, function: Callable[..., Any]) -> Callable[..., float]:
        return lambda *operands: real(function(*operands), name)


class _Complete(_Floats):
    def primitive(self, name: str) -> Callable[..., float]:
        return completed(name, super().primitive(name))

    def of_function(self, name: str, function: Callable[..., Any]) -> Callable[..., float]:
        return completed("", super().of_function(name, function))


_PLACE = "SHARED in micrograd/table/floats.py"
ON_FLOATS = _Floats(
    "floats", SHARED | {"pow": math.pow}, libraries=[math], texts=Texts("pow"), place=_PLACE
)
ON_IEEE = _Complete(
    "floats",
    SHARED | {"pow": power, "div": quotient},
    libraries=[math],
    texts=Texts("pow", "div", "mod", "floordiv"),
    place=_PLACE,
)
FLOATS, IEEE = ON_FLOATS.scope, ON_IEEE.scope
"""The functions that formulas on floats call; the table adds its rows."""

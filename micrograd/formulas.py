"""The language of formulas: arithmetic as text, read into a tree, computed on any kind of number.

A formula speaks of the operands `x`, `y`, `z` (and, in a partial, of the result `out`), of numbers,
`+ - * / **`, `< <= > >= == !=`, and calls of known operations. Nothing else is admitted, so no text
in a formula reaches Python beyond arithmetic.

Its tree is a variable, a number, or an operation of the table with its operands, each of them a
tree. Whoever interprets formulas has a vocabulary, which says what each operation is (on arrays, in
LaTeX, in LLVM's language), and folds the tree with it. Python text is such an interpretation; what
is computed often is compiled from it, in which `where` evaluates one branch alone.

Two kinds of numbers live here, both floats: FLOATS is Python's own arithmetic, which is fast but
raises where IEEE 754 has an answer (`1/0`, `log(0)`, `exp(1000)`); IEEE gives that answer, as NumPy
does.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from micrograd.floats import SHARED, completed, power, quotient

Number = int | float

OPERANDS = ("x", "y", "z")
RESULT = "out"
ADJOINT = "_g"  # of the result, where it is told what flows back to an operand


class FormulaError(ValueError):
    """A row whose text is not arithmetic on its operands and known operations."""


# ----------------------------------------------------------------------------------------- trees


class Call(NamedTuple):
    """An operation, by the name of its row, of operands."""

    name: str
    operands: tuple[Tree, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.operands))})"


Tree = str | float | Call
"""A formula: a variable by its name, a number, or an operation."""

T = TypeVar("T")
_FLOAT: Any = float


def fold(
    tree: Tree,
    vocabulary: Mapping[str, Callable[..., T]],
    variables: Mapping[str, T],
    number: Callable[[float], T] = _FLOAT,
) -> T:
    """What a formula means: `vocabulary` says it of each operation, of what its operands mean."""
    if isinstance(tree, Call):
        operands = [fold(each, vocabulary, variables, number) for each in tree.operands]
        return vocabulary[tree.name](*operands)
    return variables[tree] if isinstance(tree, str) else number(tree)


def parts(tree: Tree) -> Iterator[Tree]:
    """A formula and all formulas in it, level by level."""
    level = [tree]
    while level:
        yield from level
        level = [each for part in level if isinstance(part, Call) for each in part.operands]


def variables(tree: Tree) -> set[str]:
    """The variables that a formula uses."""
    return {part for part in parts(tree) if isinstance(part, str)}


def calls(tree: Tree) -> set[str]:
    """The operations in a formula."""
    return {part.name for part in parts(tree) if isinstance(part, Call)}


COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
_TRUTHS = frozenset(COMPARISONS)


def with_truths(tree: Tree) -> Tree:
    """The formula with truths and numbers apart, for kinds of numbers whose truths are no numbers.

    A truth is `_lt(x, y)` and so on, or `_truth(x)` of a number; it occurs only as the first
    operand of `_where`. A comparison in the place of a number is a choice of 1 and 0.
    """
    if not isinstance(tree, Call):
        return tree
    if tree.name in _TRUTHS:
        return Call("_where", (_test(tree), 1.0, 0.0))
    if tree.name == "where":
        test, then, otherwise = tree.operands
        return Call("_where", (_test(test), with_truths(then), with_truths(otherwise)))
    return Call(tree.name, tuple(map(with_truths, tree.operands)))


def _test(tree: Tree) -> Tree:
    if isinstance(tree, Call) and tree.name in _TRUTHS:
        return Call(f"_{tree.name}", tuple(map(with_truths, tree.operands)))
    return Call("_truth", (with_truths(tree),))


def gated(partial: Tree) -> Tree:
    """A partial with the variable None in place of each literal 0 that it can choose."""
    if partial == 0:
        return "None"
    if isinstance(partial, Call) and partial.name == "_where":
        test, then, otherwise = partial.operands
        return Call("_where", (test, gated(then), gated(otherwise)))
    return partial


def flow(partial: Tree, product: str = "mul") -> Tree | None:
    """What flows back: the adjoint times a partial, whose choices are outside of the product.

    None if it never is anything; `product` is the operation that multiplies.
    """
    if partial == 0:
        return None
    if partial == 1:
        return ADJOINT
    if isinstance(partial, Call) and partial.name == "_where":
        test, *branches = partial.operands
        flows = [flow(branch, product) for branch in branches]
        if flows == [None, None]:
            return None
        return Call("_where", (test, *(0.0 if each is None else each for each in flows)))
    return Call(product, (ADJOINT, partial))


# --------------------------------------------------------------------------------------- reading

# The operators of the language, and the row of the table that each one is.
_ARITHMETIC: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
}
_COMPARING: dict[type[ast.AST], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}
_LONGEST = 10_000  # characters
_DEEPEST = 100  # levels; Python's own compiler is recursive, and so is whoever folds a tree


def parse(text: str, *, names: Sequence[str], known: Mapping[str, int], place: str) -> Tree:
    """The tree of a formula, which is checked.

    `names` are the variables it may use, `known` the functions with their numbers of operands.
    Raises FormulaError (a ValueError) that begins with `place` and says at which column it is.
    """
    if not isinstance(text, str):
        raise FormulaError(f"{place}: a formula is text, got {type(text).__name__} {text!r}")
    if len(text) > _LONGEST:
        raise FormulaError(f"{place}: a formula of {len(text)} characters, limit {_LONGEST}")
    text = text.strip()
    place = f"{place}: {text!r}"
    try:
        node = ast.parse(text, mode="eval").body
        if len(text) > _DEEPEST and _depth(node) > _DEEPEST:  # a short text is not deep
            raise RecursionError
        return _Reader(text, names, known, place).read(node)
    except FormulaError:
        raise
    except SyntaxError as error:
        column = error.offset or len(text) + 1  # no offset: the text ends too early
        raise FormulaError(f"{place} is not a formula: {error.msg}, at column {column}") from None
    except ValueError as error:
        raise FormulaError(f"{place} is not a formula: {error}") from None
    except (RecursionError, MemoryError):
        raise FormulaError(
            f"{place[:200]} is nested too deeply, the limit is {_DEEPEST} levels"
        ) from None


def _depth(node: ast.AST) -> int:
    depth, level = 0, [node]
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


class _Reader:
    """Reads arithmetic on the names and calls of the known functions, and refuses the rest."""

    def __init__(
        self, text: str, names: Sequence[str], known: Mapping[str, int], place: str
    ) -> None:
        self.text, self.names, self.known, self.place = text, names, known, place

    def read(self, node: ast.expr) -> Tree:
        match node:
            case ast.Constant(value=value) if type(value) in (int, float):
                return to_float(value)
            case ast.Name(id=name) if name in self.names:
                return name
            case ast.Name(id=name) if name in self.known:
                raise self.refusal(node, f"{name!r} is an operation, call it: {name}(…)")
            case ast.Name(id=name):
                raise self.refusal(
                    node, f"unknown name {name!r}; the names are {', '.join(self.names)}"
                )
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                tree = Call(_ARITHMETIC[type(op)], (self.read(left), self.read(right)))
                if tree.name == "pow" and not variables(tree):
                    number = fold(tree, IEEE, {})
                    if not math.isfinite(number):
                        raise self.refusal(node, f"a constant power that is {number}")
                return tree
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Call("neg", (self.read(operand),))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARING:
                return Call(_COMPARING[type(op)], (self.read(left), self.read(right)))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                if name not in self.known:
                    raise self.refusal(node, f"{name!r} is no operation of the table")
                if len(arguments) != self.known[name]:
                    raise self.refusal(
                        node, f"{name} takes {self.known[name]} operands, got {len(arguments)}"
                    )
                return Call(name, tuple(map(self.read, arguments)))
            case ast.BinOp(op=ast.BitXor()):
                raise self.refusal(node, "a power is written **, not ^")
            case _:
                raise self.refusal(
                    node,
                    f"{type(node).__name__} is not allowed; a formula has numbers, "
                    "+ - * / **, < <= > >= == !=, and calls of operations",
                )

    def refusal(self, node: ast.expr, reason: str) -> FormulaError:
        before = self.text.encode().splitlines()[node.lineno - 1][: node.col_offset].decode()
        return FormulaError(f"{self.place}: {reason}, at column {len(before) + 1}")


# ----------------------------------------------------------------------------------- Python text

Text = tuple[str, int]
"""Python text, and how tightly it binds."""

CHOICE, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(7)


def _in_brackets(text: Text, least: int) -> str:
    return text[0] if text[1] >= least else f"({text[0]})"


def _infix(sign: str, strength: int, left: int, right: int) -> Callable[..., Text]:
    return lambda x, y: (f"{_in_brackets(x, left)} {sign} {_in_brackets(y, right)}", strength)


def _called(name: str) -> Callable[..., Text]:
    return lambda *operands: (f"{name}({', '.join(text for text, _ in operands)})", ATOM)


def _conditional(test: Text, then: Text, otherwise: Text) -> Text:
    first, second = (_in_brackets(each, COMPARISON) for each in (then, test))
    return f"{first} if {second} else {otherwise[0]}", CHOICE


_SIGNS = dict(zip(COMPARISONS, ("<", "<=", ">", ">=", "==", "!="), strict=True))
_OPERATORS: dict[str, Callable[..., Text]] = {
    "add": _infix("+", SUM, SUM, PRODUCT),
    "sub": _infix("-", SUM, SUM, PRODUCT),
    "mul": _infix("*", PRODUCT, PRODUCT, SIGN),
    "div": _infix("/", PRODUCT, PRODUCT, SIGN),
    "pow": _infix("**", POWER, ATOM, POWER),
    "neg": lambda x: (f"-{_in_brackets(x, SIGN)}", SIGN),
    **{name: _infix(sign, COMPARISON, SUM, SUM) for name, sign in _SIGNS.items()},
    **{f"_{name}": _infix(sign, COMPARISON, SUM, SUM) for name, sign in _SIGNS.items()},
    "_truth": lambda x: x,
    "_where": _conditional,
}


class Texts(dict[str, Callable[..., Text]]):
    """How operations are written in Python: by its operators; as calls, if they are `called`."""

    def __init__(self, *called: str) -> None:
        super().__init__(_OPERATORS)
        for name in called:
            self.pop(name, None)

    def __missing__(self, name: str) -> Callable[..., Text]:
        return _called(name)


def literal(number: float) -> Text:
    """A number in Python; a constant of its own, as `-2.0` is not, binds most tightly."""
    return repr(number).replace("inf", "1e309"), SIGN if math.copysign(1, number) < 0 else ATOM


# ---------------------------------------------------------------------------- computing formulas


class Rule(Protocol):
    """What is asked of a row of the table here."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def operands(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def expression(self) -> Tree: ...  # noqa: D102
    @property
    def is_primitive(self) -> bool: ...  # noqa: D102


class Interpreter:
    """Computes formulas on one kind of number, by Python functions that are compiled from them.

    `primitives` are functions of such numbers by the names of the rows. A primitive of the table
    that is not among them is the function of that name in one of `libraries`; NotImplementedError
    if there is none. The other rows follow from their formulas. `texts` says how operations are
    written; in what is written as a call, `_lt`, …, `_truth` and `_where` are those of
    `with_truths`. `literal` writes numbers, and `name` is for messages.
    """

    def __init__(
        self,
        name: str,
        primitives: Mapping[str, Any],
        *,
        libraries: Sequence[ModuleType] = (),
        texts: Texts,
        literal: Callable[[float], Text] = literal,
    ) -> None:
        self.name, self.libraries, self.texts, self.literal = name, libraries, texts, literal
        self.scope: dict[str, Any] = {"__builtins__": {}, **primitives}
        self._given = frozenset(primitives)

    def text(self, tree: Tree) -> str:
        """A formula as Python text."""
        tree = with_truths(tree)
        names = {name: (name, ATOM) for name in variables(tree)}
        return fold(tree, self.texts, names, self.literal)[0]

    def called(self, tree: Tree) -> set[str]:
        """What the text of a formula calls."""
        return calls(with_truths(tree)) - self.texts.keys()

    def compiled(self, parameters: Sequence[str], tree: Tree) -> Callable[..., Any]:
        """A formula as a function of its variables."""
        function: Callable[..., Any] = self.meaning(
            f"lambda {', '.join(parameters)}: {self.text(tree)}"
        )
        return function

    def meaning(self, text: str) -> Any:
        """What Python text, written from checked formulas, means."""
        return eval(text, self.scope)  # noqa: S307 (checked, and without builtins)

    def value(self, row: Rule) -> Callable[..., Any]:
        """A row as a function of its operands."""
        if row.name in self._given:
            return cast("Callable[..., Any]", self.scope[row.name])
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
            f"add it to the primitives of {self.name}"
        )

    def enter(self, row: Rule) -> None:
        """Let formulas call a row, which is made when it is first called."""
        if row.name not in self._given:
            self.scope[row.name] = _Deferred(self, row)

    def found(self, name: str) -> Callable[..., Any]:
        """What a formula calls by this name, made if need be."""
        found: Callable[..., Any] = self.scope[name]
        return found.made if isinstance(found, _Deferred) else found


class _Deferred:
    """A row that is made when it is first called, and takes its own place then."""

    def __init__(self, interpreter: Interpreter, row: Rule) -> None:
        self._interpreter, self._row = interpreter, row

    @cached_property
    def made(self) -> Callable[..., Any]:
        scope, name = self._interpreter.scope, self._row.name
        made = self._interpreter.value(self._row)
        if scope.get(name) is self:
            scope[name] = made
        return made

    def __call__(self, *operands: Any) -> Any:
        return self.made(*operands)


# ------------------------------------------------------------------- the vocabulary of floats

ERRORS = (ArithmeticError, ValueError)  # what FLOATS raises where IEEE has an answer


def to_float(number: Any) -> float:
    """The nearest float of a real number; one beyond the range of floats is an infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


class _Complete(Interpreter):
    def primitive(self, name: str) -> Callable[..., float]:
        return completed(name, super().primitive(name))


ON_FLOATS = Interpreter("floats", SHARED | {"pow": math.pow}, libraries=[math], texts=Texts("pow"))
ON_IEEE = _Complete(
    "floats", SHARED | {"pow": power, "div": quotient}, libraries=[math], texts=Texts("pow", "div")
)
FLOATS, IEEE = ON_FLOATS.scope, ON_IEEE.scope
"""What is called in a formula on floats; the table enters its rows."""

"""The language of formulas: arithmetic as text, checked, and evaluated on any kind of number.

A formula speaks of the operands `x`, `y`, `z` (and, in a partial, of the result `out`), of numbers,
`+ - * / **`, `< <= > >= == !=`, and calls of known operations. Nothing else is admitted, so no text
in a formula reaches Python beyond arithmetic.

A vocabulary is what the calls mean for one kind of number. Two of them live here, both for floats:
FLOATS is Python's own arithmetic, which is fast but raises where IEEE 754 has an answer (`1/0`,
`log(0)`, `exp(1000)`); IEEE gives that answer, as NumPy does.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, cast

Number = int | float

OPERANDS = ("x", "y", "z")
RESULT = "out"


class FormulaError(ValueError):
    """A row whose text is not arithmetic on its operands and known operations."""


# The operators of the language, and the row of the table that each one is.
Rows = dict[type[ast.AST], str]
_ARITHMETIC: Rows = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
}
_COMPARISONS: Rows = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}
OPERATIONS = _ARITHMETIC | _COMPARISONS
_LONGEST = 10_000  # characters
_DEEPEST = 100  # levels; Python's own compiler and printer of syntax trees are recursive


def parse(text: str, *, names: Sequence[str], known: Mapping[str, int], place: str) -> ast.expr:
    """The checked syntax tree of a formula.

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
        tree = ast.parse(text, mode="eval").body
        if len(text) > _DEEPEST and _depth(tree) > _DEEPEST:  # a short text is not deep
            raise RecursionError
        _Checker(text, names, known, place).check(tree)
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
    return tree


def _depth(tree: ast.AST) -> int:
    depth, level = 0, [tree]
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


class _Checker:
    """Refuses what is not arithmetic on the names and calls of the known functions."""

    def __init__(
        self, text: str, names: Sequence[str], known: Mapping[str, int], place: str
    ) -> None:
        self.text, self.names, self.known, self.place = text, names, known, place

    def check(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=value) if type(value) in (int, float):
                pass
            case ast.Name(id=name) if name in self.names:
                pass
            case ast.Name(id=name) if name in self.known:
                self.refuse(node, f"{name!r} is an operation, call it: {name}(…)")
            case ast.Name(id=name):
                self.refuse(node, f"unknown name {name!r}; the names are {', '.join(self.names)}")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                self.check(left)
                self.check(right)
                if isinstance(op, ast.Pow) and not variables(node):
                    number = compiled(value_source(node, divide=True), IEEE)
                    if not math.isfinite(number):
                        self.refuse(node, f"a constant power that is {number}")
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                self.check(operand)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                self.check(left)
                self.check(right)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                if name not in self.known:
                    self.refuse(node, f"{name!r} is no operation of the table")
                if len(arguments) != self.known[name]:
                    self.refuse(
                        node, f"{name} takes {self.known[name]} operands, got {len(arguments)}"
                    )
                for argument in arguments:
                    self.check(argument)
            case ast.BinOp(op=ast.BitXor()):
                self.refuse(node, "a power is written **, not ^")
            case _:
                self.refuse(
                    node,
                    f"{type(node).__name__} is not allowed; a formula has numbers, "
                    "+ - * / **, < <= > >= == !=, and calls of operations",
                )

    def refuse(self, node: ast.expr, reason: str) -> NoReturn:
        before = self.text.encode().splitlines()[node.lineno - 1][: node.col_offset].decode()
        raise FormulaError(f"{self.place}: {reason}, at column {len(before) + 1}")


def variables(expression: ast.expr) -> set[str]:
    """The variables that a checked formula uses."""
    called = {id(node.func) for node in ast.walk(expression) if isinstance(node, ast.Call)}
    return {
        node.id
        for node in ast.walk(expression)
        if isinstance(node, ast.Name) and id(node) not in called
    }


def calls(expression: ast.expr) -> set[str]:
    """The operations that a checked formula calls by name."""
    return {
        node.func.id
        for node in ast.walk(expression)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


# ------------------------------------------------------------------- the vocabulary of numbers

ERRORS = (ArithmeticError, ValueError)  # what FLOATS raises where IEEE has an answer


def to_float(number: Any) -> float:
    """The nearest float of a real number; one beyond the range of floats is an infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def _minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


def _sign(x: float) -> float:
    return 1.0 if x > 0 else -1.0 if x < 0 else x * 0.0


def _step(x: float) -> float:
    return 1.0 if x > 0 else 0.0 if x <= 0 else x


def _where(x: float, y: float, z: float) -> float:
    return y if x else z


GRID = 1.5 * 2.0**31
"""Added and taken away, it rounds to a multiple of 2**-21: a number up to 2**5 then has a square
that is a float."""

GRID_SINGLE = 1.5 * 2.0**15
"""The same for single precision: a multiple of 2**-8, of a number up to 2**4."""


def _gauss(x: float) -> float:
    if -2 < x < 2:  # the square is off by half a unit of 4 at most
        return math.exp(-(x * x))
    x = abs(x)
    if not x < 28:
        return x if x != x else 0.0
    near = (x + GRID) - GRID
    rest = (x - near) * (x + near)
    return math.exp(-(near * near)) * (1.0 - rest * (1.0 - 0.5 * rest * (1.0 - rest / 3)))


def _div(x: float, y: float) -> float:
    if y != 0:
        return x / y
    return math.nan if x == 0 or x != x else math.copysign(math.inf, x) * math.copysign(1.0, y)


def _pow(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        if x != 0:
            return math.nan  # a negative base with a fractional exponent
        return math.copysign(math.inf, x) if y % 2 == 1 else math.inf


def _completed(
    function: Callable[[float], float], poles: Mapping[float, float]
) -> Callable[[float], float]:
    """`function` of the math module with IEEE's answers where it would raise."""

    def complete(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.copysign(math.inf, x if function is math.sinh else 1.0)
        except ValueError:
            return poles.get(x, math.nan)

    return complete


_MATH = (
    "exp expm1 log log1p log2 log10 sqrt sin cos tan asin acos atan"
    " sinh cosh tanh asinh acosh atanh erf"
).split()
_POLES = {
    "log": {0.0: -math.inf},
    "log2": {0.0: -math.inf},
    "log10": {0.0: -math.inf},
    "log1p": {-1.0: -math.inf},
    "atanh": {1.0: math.inf, -1.0: -math.inf},
}
_SHARED: dict[str, Any] = {
    "__builtins__": {},
    "abs": abs,
    "sign": _sign,
    "step": _step,
    "where": _where,
    "maximum": _maximum,
    "minimum": _minimum,
    "hypot": math.hypot,
    "atan2": math.atan2,
    "gauss": _gauss,
}
FLOATS: dict[str, Any] = _SHARED | {name: getattr(math, name) for name in _MATH} | {"pow": math.pow}
IEEE: dict[str, Any] = (
    _SHARED
    | {name: _completed(getattr(math, name), _POLES.get(name, {})) for name in _MATH}
    | {"pow": _pow, "div": _div}
)


class Rewriting(ast.NodeTransformer):
    """Rewrites a formula into a new one; a NodeTransformer by itself would change the old one."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:  # noqa: D102 (called by ast)
        return ast.BinOp(self.visit(node.left), node.op, self.visit(node.right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:  # noqa: D102 (called by ast)
        return ast.UnaryOp(node.op, self.visit(node.operand))

    def visit_Compare(self, node: ast.Compare) -> Any:  # noqa: D102 (called by ast)
        return ast.Compare(self.visit(node.left), node.ops, [*map(self.visit, node.comparators)])

    def visit_Call(self, node: ast.Call) -> ast.expr:  # noqa: D102 (called by ast)
        return ast.Call(node.func, [*map(self.visit, node.args)], [])


class _Calling(Rewriting):
    """Calls `div` and `pow`, which follow IEEE 754 where Python's operators raise."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        name = {ast.Div: "div", ast.Pow: "pow"}.get(type(node.op))
        if name is None:
            return super().visit_BinOp(node)
        return ast.Call(ast.Name(name), [self.visit(node.left), self.visit(node.right)], [])


class _NumbersOnly(Rewriting):
    """Reads the number of each operand."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Call(ast.Name("_number"), [node], [])


class _Choosing(Rewriting):
    """Makes a choice of `where`, so that one branch alone is evaluated."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if cast("ast.Name", node.func).id != "where":
            return super().visit_Call(node)
        test, then, otherwise = node.args
        return ast.IfExp(self.condition(test), self.visit(then), self.visit(otherwise))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        written: ast.expr = super().visit_Compare(node)
        if isinstance(node.ops[0], ast.Eq | ast.NotEq):  # which of two Values is of identity
            name = OPERATIONS[type(node.ops[0])]
            return ast.Call(ast.Name(name), [*map(self.visit, (node.left, *node.comparators))], [])
        return written

    def condition(self, node: ast.expr) -> ast.expr:
        """The formula as a test; it has no derivative, so numbers will do."""
        test: ast.expr = _NumbersOnly().visit(node)
        return test


class _ChoosingAndCalling(_Choosing, _Calling):
    """Both."""


class _OnFloats(_Choosing):
    """Writes for floats: `where` chooses, `**` is real, a comparison is 1.0 or 0.0."""

    def __init__(self, *, divide: bool) -> None:
        self.divide = divide  # `x / y` becomes `div(x, y)`, which never raises

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(to_float(cast("Number", node.value)))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("pow"), [left, right], [])
        if isinstance(node.op, ast.Div) and self.divide:
            return ast.Call(ast.Name("div"), [left, right], [])
        return ast.BinOp(left, node.op, right)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return ast.IfExp(self.condition(node), ast.Constant(1.0), ast.Constant(0.0))

    def condition(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Compare):
            return cast("ast.expr", Rewriting.visit_Compare(self, node))
        test: ast.expr = self.visit(node)
        return test


def _gate(node: ast.expr) -> ast.expr:
    """A partial for floats, with None in place of each literal 0 that it can choose."""
    match node:
        case ast.Constant(value=0):
            return ast.Constant(None)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return ast.IfExp(test, _gate(body), _gate(orelse))
    return node


def value_source(expression: ast.expr, *, divide: bool = False) -> str:
    """Python text of a formula at floats; `divide=True` for the vocabulary IEEE."""
    return ast.unparse(_OnFloats(divide=divide).visit(expression))


def slope_source(expression: ast.expr, *, divide: bool = False) -> str:
    """Python text of a local partial at floats: None where it is literally 0."""
    return ast.unparse(_gate(_OnFloats(divide=divide).visit(expression)))


def choosing_source(expression: ast.expr, *, calling: bool = False) -> str:
    """Python text of a local partial on Values and numbers: None where it is literally 0.

    With `calling`, division and power follow IEEE 754 for constants too, but take longer.
    Its vocabulary needs `_number`, which gives the number of an operand for a condition.
    """
    rewriting = _ChoosingAndCalling() if calling else _Choosing()
    return ast.unparse(_gate(rewriting.visit(expression)))


def compiled(source: str, vocabulary: dict[str, Any]) -> Any:
    """What Python text, written from checked formulas, means in a vocabulary."""
    return eval(source, vocabulary)  # noqa: S307 (checked, and without builtins)


def evaluate(expression: ast.expr, vocabulary: Mapping[str, Any], **operands: Any) -> Any:
    """Evaluate a checked formula on any kind of number (Values, arrays, fractions).

    `vocabulary` supplies the functions that the formula calls; its operators are those of the
    operands' type.
    """
    code = compile(ast.fix_missing_locations(ast.Expression(expression)), "<formula>", "eval")
    return eval(code, {**vocabulary, "__builtins__": {}}, operands)  # noqa: S307 (checked)

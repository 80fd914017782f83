"""The table of operations: each row says how a result is computed and what its local partials are.

Everything else in this project is an interpreter of the table. A new operation is one line here
(or one call of `define`): eager evaluation, gradients, pictures, tests and documentation follow.

- Partials are local: the derivative of `out` with respect to one operand.
- The table is closed under differentiation: whatever a partial calls is itself a row.
- A partial, or a branch of a `where` in a partial, that is literally `0` lets no gradient pass, not
  even `0 * inf`.
- A row whose formula only calls itself is a primitive: a vocabulary supplies it.
- Numbers follow IEEE 754 as NumPy does: `log(0)` is `-inf`, `1/0` is `inf`, `sqrt(-1)` is `nan`.

The columns: `formula` and `partials` in the language of `micrograd.formulas`; `typeset`, LaTeX in
terms of the operands; `symbol`, what a picture shows; `domain`, where the operation is defined and
its partials are its derivatives; `kink`, a formula that is 0 where a derivative jumps; `note`, the
convention there; `operator`, the special method of Python's data model that means it.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from micrograd.formulas import (
    ERRORS,
    FLOATS,
    IEEE,
    OPERANDS,
    RESULT,
    FormulaError,
    Number,
    calls,
    function,
    parse,
    slope_source,
    to_float,
    value_source,
    variables,
)

Partials = tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is written in the table, before it is checked."""

    name: str
    formula: str
    partials: Sequence[str]
    typeset: str = ""
    symbol: str = ""
    domain: str = ""
    kink: str = ""
    note: str = ""
    operator: str = ""


def _row(name: str, formula: str, partials: list[str], typeset: str, **columns: str) -> Row:
    return Row(name=name, formula=formula, partials=partials, typeset=typeset, **columns)


# The table is lined up beyond the formatter's taste, so that a wrong sign is seen at once.
# fmt: off
ROWS = (
    _row("add", "x + y",  ["1", "1"],            "x + y",       symbol="+", operator="__add__"),
    _row("sub", "x - y",  ["1", "-1"],           "x - y",       symbol="-", operator="__sub__"),
    _row("mul", "x * y",  ["y", "x"],            r"x \cdot y",  symbol="*", operator="__mul__"),
    _row("div", "x / y",  ["1 / y", "-out / y"], r"\frac{x}{y}", symbol="/", operator="__truediv__", domain="abs(y) > 0"),
    _row("pow", "x ** y", ["where(hypot(x, y) <= 0, 0, y * x ** (y - 1))",
                           "where((abs(x) <= 0) * (y >= 0), 0, out * log(x))"], "x^{y}", symbol="**", operator="__pow__",
         domain="x > 0", note="0 ** 0 is 1, with derivatives 0. At x = 0 the derivative with respect to y >= 0 is 0."),
    _row("neg", "-x",     ["-1"],                "-x",          operator="__neg__"),

    _row("exp",        "exp(x)",   ["out"],                     "e^{x}"),
    _row("expm1",      "expm1(x)", ["out + 1"],                 "e^{x} - 1"),
    _row("log",        "log(x)",   ["1 / x"],                   r"\ln x",            domain="x > 0"),
    _row("log1p",      "log1p(x)", ["1 / (1 + x)"],             r"\ln(1 + x)",       domain="x > -1"),
    _row("log2",       "log2(x)",  ["1.4426950408889634 / x"],  r"\log_{2} x",       domain="x > 0"),
    _row("log10",      "log10(x)", ["0.4342944819032518 / x"],  r"\log_{10} x",      domain="x > 0"),
    _row("sqrt",       "sqrt(x)",  ["0.5 / out"],               r"\sqrt{x}",         domain="x > 0"),
    _row("square",     "x * x",    ["2 * x"],                   "x^{2}"),
    _row("reciprocal", "1 / x",    ["-out * out"],              r"\frac{1}{x}",      domain="abs(x) > 0"),

    _row("sin",   "sin(x)",   ["cos(x)"],                              r"\sin x"),
    _row("cos",   "cos(x)",   ["-sin(x)"],                             r"\cos x"),
    _row("tan",   "tan(x)",   ["1 + out * out"],                       r"\tan x",                  domain="abs(cos(x)) > 0"),
    _row("asin",  "asin(x)",  ["1 / sqrt((1 - x) * (1 + x))"],         r"\arcsin x",               domain="abs(x) < 1"),
    _row("acos",  "acos(x)",  ["-1 / sqrt((1 - x) * (1 + x))"],        r"\arccos x",               domain="abs(x) < 1"),
    _row("atan",  "atan(x)",  ["1 / (1 + x * x)"],                     r"\arctan x"),
    _row("sinh",  "sinh(x)",  ["cosh(x)"],                             r"\sinh x"),
    _row("cosh",  "cosh(x)",  ["sinh(x)"],                             r"\cosh x"),
    _row("tanh",  "tanh(x)",  ["1 - out * out"],                       r"\tanh x"),
    _row("asinh", "asinh(x)", ["1 / hypot(x, 1)"],                     r"\operatorname{arsinh} x"),
    _row("acosh", "acosh(x)", ["1 / (sqrt(x - 1) * sqrt(x + 1))"],     r"\operatorname{arcosh} x", domain="x > 1"),
    _row("atanh", "atanh(x)", ["1 / ((1 - x) * (1 + x))"],             r"\operatorname{artanh} x", domain="abs(x) < 1"),

    _row("sigmoid",    "1 / (1 + exp(-x))",                            ["out * (1 - out)"],           r"\sigma(x)"),
    _row("softplus",   "maximum(x, 0) + log1p(exp(-abs(x)))",          ["sigmoid(x)"],                r"\ln(1 + e^{x})"),
    _row("relu",       "where(x <= 0, 0, x)",                          ["where(x <= 0, 0, 1)"],       r"\max(0, x)", symbol="ReLU",
         kink="x", note="The derivative at 0 is 0."),
    _row("leaky_relu", "where(x <= 0, 0.01 * x, x)",                   ["where(x <= 0, 0.01, 1)"],    r"\max(0.01 x, x)",
         kink="x", note="The derivative at 0 is 0.01."),
    _row("elu",        "where(x <= 0, expm1(x), x)",                   ["where(x <= 0, out + 1, 1)"], r"\operatorname{elu}(x)",
         kink="x", note="The derivative at 0 is 1; the second derivative jumps there."),
    _row("gelu",       "0.5 * x * (1 + erf(0.7071067811865476 * x))",
         ["0.5 * (1 + erf(0.7071067811865476 * x)) + 0.3989422804014327 * x * exp(-0.5 * x * x)"],    r"x \, \Phi(x)",
         note="The exact form, by the distribution function of the normal law."),
    _row("silu",       "x * sigmoid(x)",                               ["sigmoid(x) * (1 + x * sigmoid(-x))"], r"x \, \sigma(x)"),
    _row("mish",       "x * tanh(softplus(x))",
         ["tanh(softplus(x)) + x * sigmoid(x) * (1 - square(tanh(softplus(x))))"],                    r"x \tanh(\ln(1 + e^{x}))"),

    _row("abs",    "abs(x)",  ["sign(x)"],                              r"\left|x\right|",          operator="__abs__",
         kink="x", note="The derivative at 0 is 0."),
    _row("sign",   "sign(x)", ["0"],                                    r"\operatorname{sgn}(x)",   kink="x", note="sign(0) is 0."),
    _row("step",   "step(x)", ["0"],                                    r"\operatorname{step}(x)",  kink="x", note="step(0) is 0."),
    _row("erf",    "erf(x)",  ["1.1283791670955126 * exp(-x * x)"],     r"\operatorname{erf}(x)"),
    _row("detach", "x",       ["0"],                                    r"\operatorname{detach}(x)", domain="0",
         note="The same number, treated as a constant."),

    _row("maximum", "maximum(x, y)", ["where(x < y, 0, where(x > y, 1, 0.5))", "where(y < x, 0, where(y > x, 1, 0.5))"],
         r"\max(x, y)", kink="x - y", note="Equal operands share the gradient, one half each. A nan is the result."),
    _row("minimum", "minimum(x, y)", ["where(x > y, 0, where(x < y, 1, 0.5))", "where(y > x, 0, where(y < x, 1, 0.5))"],
         r"\min(x, y)", kink="x - y", note="Equal operands share the gradient, one half each. A nan is the result."),
    _row("hypot",   "hypot(x, y)",   ["where(out <= 0, 0, x / out)", "where(out <= 0, 0, y / out)"],
         r"\sqrt{x^{2} + y^{2}}", domain="hypot(x, y) > 0", note="The derivatives at the origin are 0."),
    _row("atan2",   "atan2(x, y)",   ["y / (x * x + y * y)", "-x / (x * x + y * y)"],
         r"\operatorname{atan2}(x, y)", domain="hypot(x, y) > 0", note="The first operand is the ordinate, as in math.atan2."),

    _row("lt", "x < y",  ["0", "0"], "x < y",    symbol="<",  operator="__lt__", kink="x - y", note="1.0 if true, else 0.0."),
    _row("le", "x <= y", ["0", "0"], r"x \le y", symbol="<=", operator="__le__", kink="x - y", note="1.0 if true, else 0.0."),
    _row("gt", "x > y",  ["0", "0"], "x > y",    symbol=">",  operator="__gt__", kink="x - y", note="1.0 if true, else 0.0."),
    _row("ge", "x >= y", ["0", "0"], r"x \ge y", symbol=">=", operator="__ge__", kink="x - y", note="1.0 if true, else 0.0."),
    _row("where", "where(x, y, z)", ["0", "where(x, 1, 0)", "where(x, 0, 1)"],
         r"y \text{ if } x \text{ else } z",
         note="y where x is not 0, else z. Nothing of the branch not taken reaches value or gradient."),
)
# fmt: on

COMPARISONS = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation(Row):
    """A checked row of the table."""

    expression: ast.expr = field(repr=False)
    slopes: tuple[ast.expr, ...] = field(repr=False)

    @property
    def arity(self) -> int:
        """The number of operands."""
        return len(self.slopes)

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the operands in the formula."""
        return OPERANDS[: self.arity]

    @property
    def is_primitive(self) -> bool:
        """Whether the formula only calls the row itself, so that a vocabulary supplies it."""
        return calls(self.expression) >= {self.name}

    @property
    def is_comparison(self) -> bool:
        """Whether the result has a truth value."""
        return self.operator in COMPARISONS

    @cached_property
    def document(self) -> str:
        """The docstring of the method and of the function: formula, derivatives, domain, note."""
        slopes = (f"d/d{x}: {text}" for x, text in zip(self.operands, self.partials, strict=True))
        first = f"{self.name}({', '.join(self.operands)})"
        return "\n\n".join(
            part
            for part in (
                f"{first}." if self.is_primitive else f"{first} = {self.formula}.",
                f"Local derivatives, {'; '.join(slopes)}.",
                f"Domain: {self.domain}." if self.domain else "",
                self.note,
            )
            if part
        )

    def __reduce__(self) -> tuple[Callable[[str], Operation], tuple[str]]:
        return lookup, (self.name,)

    def value(self, *operands: Number) -> float:
        """The result at numbers."""
        try:
            result: float = FLOATS[self.name](*operands)
        except ERRORS:
            result = IEEE[self.name](*map(to_float, operands))
        return result

    def evaluate(self, *operands: Number) -> tuple[float, Partials]:
        """The result and the local partials at numbers; None where no gradient passes."""
        try:
            answer: tuple[float, Partials] = self._fast(*operands)
        except ERRORS:
            answer = self._exact(*map(to_float, operands))
        return answer

    @cached_property
    def _fast(self) -> Callable[..., tuple[float, Partials]]:
        return self._kernel(divide=False)

    @cached_property
    def _exact(self) -> Callable[..., tuple[float, Partials]]:
        return self._kernel(divide=True)

    def _kernel(self, *, divide: bool) -> Callable[..., tuple[float, Partials]]:
        value = value_source(self.expression, divide=divide)
        slopes = "".join(f"{slope_source(slope, divide=divide)}, " for slope in self.slopes)
        return function(
            f"lambda {', '.join(self.operands)}: (lambda out: (out, ({slopes})))({value})",
            IEEE if divide else FLOATS,
        )


TABLE: dict[str, Operation] = {}
_BUILT_IN = {row.name: len(row.partials) for row in ROWS}
_RESERVED = {*OPERANDS, RESULT, "self", "other"}
_listeners: list[Callable[[Operation], None]] = []


def on_define(listener: Callable[[Operation], None]) -> None:
    """Call `listener` with each row that a user adds."""
    _listeners.append(listener)


def reserve(names: Iterable[str]) -> None:
    """Refuse these names to rows that a user adds."""
    _RESERVED.update(names)


def lookup(name: str) -> Operation:
    """The row of that name; KeyError says how to bring back one that a user had defined."""
    try:
        return TABLE[name]
    except KeyError:
        raise KeyError(
            f"no operation {name!r} here: call micrograd.define({name!r}, …) first"
        ) from None


def add_row(row: Row) -> Operation:
    """Check a user's row and add it to the table.

    Raises FormulaError, a ValueError that names the row, if anything in it is wrong; the table is
    unchanged then. A row of the same name that a user added before is replaced.
    """
    name = f"operation {row.name!r}"
    if not isinstance(row.name, str) or not row.name.isidentifier() or keyword.iskeyword(row.name):
        raise FormulaError(f"{name}: a name is a Python identifier")
    if row.name.startswith("_") or row.name in _RESERVED:
        raise FormulaError(f"{name}: the name is reserved; choose another")
    if row.name in _BUILT_IN:
        raise FormulaError(f"{name} is a row of the table already; choose another name")
    operation = checked(row, {known.name: known.arity for known in TABLE.values()})
    _enter(operation)
    for listener in _listeners:
        listener(operation)
    return operation


def checked(row: Row, known: dict[str, int]) -> Operation:
    """The row parsed; FormulaError if it is wrong. `known` are the rows it may call, with arities."""
    name = f"operation {row.name!r}"
    if isinstance(row.partials, str) or not isinstance(row.partials, Sequence):
        raise FormulaError(f"{name}: partials is a list of formulas, one per operand")
    expression = parse(row.formula, names=OPERANDS, known=known, place=f"{name}: formula")
    used = variables(expression)
    arity = len(used)
    names = OPERANDS[:arity]
    if not used or used != set(names):
        raise FormulaError(
            f"{name}: the formula {row.formula!r} uses {', '.join(sorted(used)) or 'no operand'}; "
            "its operands are x, or x and y, or x, y and z"
        )
    if len(row.partials) != arity:
        raise FormulaError(f"{name}: {arity} operands need {arity} partials, got {row.partials!r}")
    slopes = tuple(
        parse(
            text,
            names=(*names, RESULT),
            known=known | {row.name: arity},
            place=f"{name}: partial for {operand}",
        )
        for operand, text in zip(names, row.partials, strict=True)
    )
    for column in ("domain", "kink"):
        if text := getattr(row, column):
            parse(text, names=names, known=known, place=f"{name}: {column}")
    written = ", ".join(names)
    return Operation(
        name=row.name,
        formula=row.formula,
        partials=tuple(row.partials),
        typeset=row.typeset or rf"\operatorname{{{row.name}}}({written})".replace("_", r"\_"),
        symbol=row.symbol or row.name,
        domain=row.domain,
        kink=row.kink,
        note=row.note,
        operator=row.operator,
        expression=expression,
        slopes=slopes,
    )


def _enter(operation: Operation) -> None:
    """Put a checked row into the table and let other formulas call it."""
    TABLE[operation.name] = operation
    for vocabulary in (FLOATS, IEEE):
        if operation.name in _BUILT_IN and operation.name in vocabulary:
            continue
        value = value_source(operation.expression, divide=vocabulary is IEEE)
        vocabulary[operation.name] = function(
            f"lambda {', '.join(operation.operands)}: {value}", vocabulary
        )


for _each in ROWS:
    _enter(checked(_each, _BUILT_IN))

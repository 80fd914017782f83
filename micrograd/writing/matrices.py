r"""Matrices and what is computed entry by entry: `W⁽¹⁾X`, `δ ⊙ h`, `1[z > 0]`, and their numbers.

>>> h = symbol("H", 1)
>>> slope = elementwise(Call("mul", ("out", Call("sub", (1.0, "out")))), {"out": h})
>>> from micrograd.writing.marks import latex
>>> slope.text, latex(slope.mark)
('H⁽¹⁾ ⊙ (1 - H⁽¹⁾)', 'H^{(1)} \\odot (1 - H^{(1)})')
>>> print(matrix([[1.0, 0.5], [2.0, 4.0]]).text)
⎡ 1  0.5 ⎤
⎣ 2    4 ⎦
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from micrograd.ops import TABLE
from micrograd.table.formulas import Call, Tree, calls, variables
from micrograd.writing import notation
from micrograd.writing.labels import in_columns
from micrograd.writing.marks import Mark, row
from micrograd.writing.names import subscript
from micrograd.writing.notation import Formula
from micrograd.writing.numbers import typographic
from micrograd.writing.parts import OPPOSITE
from micrograd.writing.template import ATOM, FRACTION, LOOSE, PRODUCT, SUM

# ------------------------------------------------------------------------------------------- names


def symbol(letter: str, layer: int | str | None = None, column: str = "") -> Formula:
    """The name of a vector or a matrix, such as W⁽¹⁾.

    Args:
        letter: the name without scripts.
        layer: the layer, or a letter for any layer; None for what belongs to no layer.
        column: a letter for the number of a column of the matrix, as in δ⁽¹⁾ₛ.
    """
    below = f"_{column}" if column else ""
    above = "" if layer is None else f"^{{({layer})}}"
    return notation.named(f"{letter}{below}{above}")


def transposed(name: Formula) -> Formula:
    """The transpose of a matrix with a name: W⁽²⁾ᵀ."""
    top = ("mo", "⊤")
    mark = name.mark
    if mark[0] == "msup":
        return Formula(f"{name.text}ᵀ", ("msup", mark[1], ("mrow", mark[2], top)))
    return Formula(f"{name.text}ᵀ", ("msup", mark, top))


def derived(function: Formula) -> Formula:
    """The name of the derivative of a function: f′."""
    return Formula(f"{function.text}′", ("msup", function.mark, ("mo", "′")))


def applied(function: Formula, *operands: Formula) -> Formula:
    """A function with a name, of these operands: f(z)."""
    inside = notation.point(operands)
    return Formula(function.text + inside.text, row(function.mark, inside.mark))


# ---------------------------------------------------------------------------------------- products


def multiplied(*factors: Formula) -> Formula:
    """The product of matrices, written without a sign: W⁽¹⁾X."""
    text = " ".join(factor.text for factor in factors)
    return Formula(text, row(*(factor.mark for factor in factors)), PRODUCT, PRODUCT)


def hadamard(*factors: Formula) -> Formula:
    """The product entry by entry: δ ⊙ h."""
    if len(factors) == 1:
        return factors[0]
    # In text, `a ⊙ b / c` would have to be read twice.
    least = [FRACTION if " / " in factor.text else PRODUCT for factor in factors]
    shown = [factor.bracketed(each) for factor, each in zip(factors, least, strict=True)]
    return notation.joined("⊙", shown, PRODUCT)


def summed(term: Formula, over: str = "") -> Formula:
    """A sum of terms, over an index if it is given: ∑ₛ δₛ."""
    term = term.bracketed(PRODUCT)
    sign: Mark = ("mo", "∑")
    text = "∑"
    if over:
        sign, text = ("msub", sign, ("mi", over)), f"∑{subscript(over)}"
    return Formula(f"{text} {term.text}", row(sign, term.mark), FRACTION, FRACTION)


# --------------------------------------------------------------------------------- entry by entry


def elementwise(
    tree: Tree, operands: Mapping[str, Formula], scalars: Iterable[str] = ()
) -> Formula:
    """A formula whose variables are matrices, computed entry by entry.

    Args:
        tree: the formula.
        operands: what its variables are called.
        scalars: the variables that are numbers.
    """
    return notation.formula(with_products(tree, frozenset(scalars)), operands, _SIGNS)


def with_products(tree: Tree, scalars: frozenset[str] = frozenset()) -> Tree:
    """The formula with products of matrices, and choices of 0, as operations of their own."""
    if not isinstance(tree, Call):
        return tree
    match tree:
        case Call("where", (Call(name, sides), 0.0, other)) if name in OPPOSITE:
            return _gated(other, Call(OPPOSITE[name], sides), scalars)
        case Call("where", (Call(name) as test, other, 0.0)) if name in OPPOSITE:
            return _gated(other, test, scalars)
    shown = tuple(with_products(each, scalars) for each in tree.operands)
    match tree.name, tree.operands:
        case "mul", (left, right) if variables(left) - scalars and variables(right) - scalars:
            return Call("_hadamard", shown)
        case ("square", (str(base),)) | ("pow", (str(base), 2.0)) if base not in scalars:
            return Call("_hadamard", (base, base))
    return _scaled(Call(tree.name, shown))


def _scaled(tree: Call) -> Call:
    """A number times a product: the number goes with the first factor."""
    match tree:
        case Call("mul", (number, Call("_hadamard", (first, *others)))):
            return Call("_hadamard", (_scaled(Call("mul", (number, first))), *others))
    return tree


def has_choice(tree: Tree) -> bool:
    """Whether there is a choice in a formula that is not between a formula and 0."""
    return "where" in calls(with_products(tree))


def _gated(other: Tree, test: Call, scalars: frozenset[str]) -> Tree:
    indicator = Call("_indicator", (with_products(test, scalars),))
    if other == 1:
        return indicator
    if variables(other) - scalars:
        return Call("_hadamard", (indicator, with_products(other, scalars)))
    return Call("mul", (other, indicator))


def _indicator(test: Formula) -> Formula:
    return Formula(f"1[{test.text}]", row(("mn", "1"), ("fence", "[", test.mark, "]")))


def scaled(number: Formula, of: Formula) -> Formula:
    """A number times a formula, without a sign before a bracket or a sum: 2(ŷ - y)."""
    shown = of.bracketed(FRACTION)
    if not shown.text.startswith(("(", "∑")):
        return notation.operation(TABLE["mul"], [number, of])
    left, exact = number.bracketed(PRODUCT), number.exact and of.exact
    between = " " if shown.text.startswith("∑") else ""
    return Formula(
        left.text + between + shown.text, row(left.mark, shown.mark), PRODUCT, PRODUCT, exact
    )


def _absolute(x: Formula) -> Formula:
    mark = notation.operation(TABLE["abs"], [x]).mark
    return Formula(f"|{x.text}|", mark, exact=x.exact)


_SIGNS: Mapping[str, Callable[..., Formula]] = {
    "abs": _absolute,
    "_hadamard": hadamard,
    "_indicator": _indicator,
    "mul": scaled,
}

# ----------------------------------------------------------------------------------------- numbers

MOST = 6
"""Rows and columns of a matrix that are written down."""


def matrix(numbers: Sequence[Sequence[Any]], most: int = MOST) -> Formula:
    """The numbers of a matrix in brackets; the middle of a large one is left out.

    Args:
        numbers: the rows.
        most: the most rows, and the most columns, that are written down.
    """
    entries = [[notation.number(x + 0.0) for x in line] for line in numbers]  # no -0
    exact = all(entry.exact for line in entries for entry in line)
    if len(entries) == len(entries[0]) == 1:
        return entries[0][0]
    wide = len(entries[0]) > most
    shown = [_shortened(line, most, _ACROSS) for line in entries]
    if len(entries) > most:
        between = [_DOWN] * len(shown[0])
        if wide:
            between[-2] = _DIAGONAL
        shown = [*shown[: most - 2], between, shown[-1]]
    texts = [[typographic(entry.text) for entry in line] for line in shown]
    lines = in_columns(texts, right=True)
    marks = (tuple(entry.mark for entry in line) for line in shown)
    return Formula(_in_brackets(lines), ("matrix", *marks), ATOM, ATOM, exact)


_ACROSS, _DOWN, _DIAGONAL = (Formula(dots, ("mo", dots)) for dots in "⋯⋮⋱")


def _shortened(line: list[Formula], most: int, dots: Formula) -> list[Formula]:
    return line if len(line) <= most else [*line[: most - 2], dots, line[-1]]


def _in_brackets(lines: Sequence[str]) -> str:
    if len(lines) == 1:
        return f"[ {lines[0]} ]"
    middle = len(lines) - 2
    sides = zip("⎡" + "⎢" * middle + "⎣", lines, "⎤" + "⎥" * middle + "⎦", strict=True)
    return "\n".join(map(" ".join, sides))


def fraction(above: float, below: Formula) -> Formula:
    """A number over a name, as a factor: (2/n)."""
    number = notation.number(above)
    return Formula(f"({number.text}/{below.text})", ("mfrac", number.mark, below.mark))


def shaped(formula: Formula, rows: int, across: int) -> Formula:
    """A formula with the shape of what it gives, as in `W x    (4 × 1)`."""
    size = shape(rows, across).bracketed(ATOM)
    mark = row(formula.mark, ("gap",), size.mark)
    return Formula(f"{formula.text}    {size.text}", mark, LOOSE, LOOSE, formula.exact)


def shape(rows: int, across: int) -> Formula:
    """The shape of a matrix: 4 × 3."""
    mark = row(("mn", str(rows)), ("mo", "×"), ("mn", str(across)))
    return Formula(f"{rows}×{across}", mark, SUM, SUM)

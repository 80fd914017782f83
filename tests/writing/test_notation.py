"""Formulas are written so that they can be read back: brackets stand where they must."""

import ast
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograd.derivation.partials import simplified
from micrograd.ops import ROWS, TABLE
from micrograd.table.formulas import fold
from micrograd.table.interpreters import IEEE
from micrograd.table.reading import parse
from micrograd.writing import notation
from micrograd.writing.notation import Formula, named
from micrograd.writing.numbers import typographic
from tests.derivation.common import evaluated

LETTERS = {x: named(x) for x in "xyz"}
KNOWN = {row.name: TABLE[row.name].arity for row in ROWS}


def tree(text):
    return parse(text, names=("x", "y", "z"), known=KNOWN, place="test")


def text(formula):
    return notation.formula(tree(formula), LETTERS).text


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("x + y - z", "x + y - z"),
        ("x - (y - z)", "x - (y - z)"),
        ("x - (y + z)", "x - (y + z)"),
        ("(x + y) * z", "(x + y)·z"),
        ("x * y * z", "x·y·z"),
        ("x * (y * z)", "x·(y·z)"),
        ("x / y / z", "x / y / z"),
        ("x / (y / z)", "x / (y / z)"),
        ("x / (y * z)", "x / (y·z)"),
        ("-x * y", "(-x)·y"),
        ("-(x * y)", "-x·y"),
        ("-(x + y)", "-(x + y)"),
        ("x + -y", "x + (-y)"),
        ("-x + y", "-x + y"),
        ("x ** 2", "x²"),
        ("(x + y) ** 2", "(x + y)²"),
        ("(x ** 2) ** 3", "(x²)³"),
        ("x ** y", "x^y"),
        ("x ** (y + 1)", "x^(y + 1)"),
        ("x ** -1", "x⁻¹"),
        ("(-x) ** 2", "(-x)²"),
        ("-(x ** 2)", "-x²"),
        ("x * x", "x²"),
        ("(x + 1) * (x + 1)", "(x + 1)²"),
        ("tanh(x + y) * z", "tanh(x + y)·z"),
        ("tanh(x) ** 2", "(tanh(x))²"),
        ("maximum(x, y + 1)", "max(x, y + 1)"),
        ("x <= y", "x ≤ y"),
        ("(x < y) * z", "(x < y)·z"),
        ("x * 0.5", "x·0.5"),
        ("+x", "x"),
        ("expm1(x) * y", "(exp(x) - 1)·y"),
        ("log1p(x - y)", "ln(1 + (x - y))"),
        ("log1p(-x)", "ln(1 + (-x))"),
        ("floordiv(x + y, z)", "floor((x + y) / z)"),
    ],
)
def test_brackets_stand_where_a_reader_needs_them_and_nowhere_else(formula, shown):
    assert text(formula) == shown


def test_a_negative_number_stands_in_brackets_within_a_formula():
    numbers = {x: notation.number(n) for x, n in zip("xyz", (-2.0, 3.0, -0.5), strict=True)}
    for formula, shown in (
        ("x + y", "-2 + 3"),
        ("y + x", "3 + (-2)"),
        ("y - x", "3 - (-2)"),
        ("x * y", "(-2)·3"),
        ("y / z", "3 / (-0.5)"),
        ("x ** 2", "(-2)²"),
        ("-x", "-(-2)"),
        ("tanh(x)", "tanh(-2)"),
        ("(x * 0.0000005) ** 2", "((-2)·5e-7)²"),
        ("0.0000005 ** y", "(5e-7)³"),
        ("y * 0.0000005", "3·5e-7"),
    ):
        assert notation.formula(tree(formula), numbers).text == shown


# Numbers that are printed in full, so that what is read back is the same.
exact = st.integers(-12, 12).map(lambda n: n / 4)


@st.composite
def formulas(draw, depth=4):
    """Text of a formula over x, y and z, with every operator."""
    if not depth or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(["x", "y", "z", "2", "0.5"]))
    kind = draw(st.sampled_from("+ - * / ** neg call < <=".split()))
    left = draw(formulas(depth - 1))
    if kind == "neg":
        return f"(-({left}))"
    if kind == "call":
        return f"abs({left})"
    right = draw(st.sampled_from("23")) if kind == "**" else draw(formulas(depth - 1))
    return f"(({left}) {kind} ({right}))"


@given(formulas(), exact, exact, exact)
def test_what_is_written_reads_back_as_the_same_number(formula, x, y, z):
    parsed = tree(formula)
    numbers = {"x": x, "y": y, "z": z}
    expected = fold(parsed, IEEE, numbers)
    assume(math.isfinite(expected))
    shown = notation.formula(parsed, {name: notation.number(n) for name, n in numbers.items()})
    try:
        got = evaluated(shown.text)
    except (ZeroDivisionError, OverflowError):
        assume(False)
    assert got == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_operation_and_every_partial_is_written_and_reads_back(row):
    operation = TABLE[row.name]
    at = (0.5, 0.25, 2.0)[: operation.arity]
    out, slopes = operation.evaluate(*at)
    shown = notation.operation(operation, [notation.number(x) for x in at])
    assert evaluated(shown.text) == pytest.approx(out, nan_ok=True)
    assert notation.latex(shown.mark)
    numbers = dict(zip((*operation.operands, "out"), (*at, out), strict=True))
    # Six digits of 0.7071 and the like are printed as four, and the result as well: 1e-3 is enough
    # to tell a wrong formula, and a wrong sign of any term, at this point.
    for slope, expected in zip(operation.slopes, slopes, strict=True):
        chosen = simplified(slope, numbers, {}).formula
        figures = {name: notation.number(x) for name, x in numbers.items()}
        got = evaluated(notation.formula(chosen, figures).text)
        assert got == pytest.approx(expected or 0.0, rel=1e-3, nan_ok=True)


# ------------------------------------------------------------------------------------ the partials


def slope(name, place, *at, constants=()):
    row = TABLE[name]
    numbers = dict(zip((*row.operands, "out"), (*at, row.value(*at)), strict=True))
    held = {row.operands[i]: at[i] for i in constants}
    found = simplified(row.told[1 + place], numbers, held)
    names = LETTERS | {"out": named("f")}
    return (
        notation.formula(found.formula, names).text,
        [notation.formula(condition, names).text for condition in found.conditions],
    )


@pytest.mark.parametrize(
    ("arguments", "constants", "shown"),
    [
        (("tanh", 0, 0.5), (), ("1 - f²", [])),
        (("relu", 0, 2.0), (), ("1", ["x > 0"])),
        (("relu", 0, -2.0), (), ("0", ["x ≤ 0"])),
        (("relu", 0, 0.0), (), ("0", ["x ≤ 0"])),
        (("relu", 0, math.nan), (), ("1", [])),
        (("maximum", 0, 1.0, 2.0), (), ("0", ["x < y"])),
        (("maximum", 0, 2.0, 1.0), (), ("1", ["x ≥ y", "x > y"])),
        (("maximum", 0, 1.0, 1.0), (), ("0.5", ["x ≥ y", "x ≤ y"])),
        (("maximum", 0, 2.0, 1.0), (1,), ("1", ["x ≥ 1", "x > 1"])),
        (("pow", 0, 2.0, 3.0), (1,), ("3·x²", [])),
        (("pow", 0, 2.0, 2.0), (1,), ("2·x", [])),
        (("pow", 0, 2.0, 1.0), (1,), ("1", [])),
        (("pow", 0, 2.0, -1.0), (1,), ("(-1)·x⁻²", [])),
        (("pow", 1, 2.0, 3.0), (0,), ("f·0.6931", [])),
        (("pow", 0, 0.0, 0.0), (), ("0", [])),
        (("mul", 0, 2.0, 3.0), (1,), ("3", [])),
        (("div", 0, 2.0, 4.0), (1,), ("0.25", [])),
        (("div", 1, 2.0, 4.0), (0,), ("-f / y", [])),
        (("where", 1, 1.0, 5.0, 6.0), (), ("1", ["x = 1"])),
        (("where", 1, 0.0, 5.0, 6.0), (), ("0", ["x = 0"])),
        (("detach", 0, 5.0), (), ("0", [])),
    ],
)
def test_a_partial_is_read_with_the_branch_that_the_numbers_take(arguments, constants, shown):
    assert slope(*arguments, constants=constants) == shown


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_a_simplified_partial_has_the_value_of_the_partial(name):
    row = TABLE[name]
    for at in ((0.5, 2.0, 3.0), (-0.75, 0.25, 1.0), (2.0, 2.0, 0.0)):
        operands = at[: row.arity]
        out, slopes = row.evaluate(*operands)
        numbers = dict(zip((*row.operands, "out"), (*operands, out), strict=True))
        for constants in ({}, {"y": at[1]} if row.arity > 1 else {}):
            for tree, expected in zip(row.slopes, slopes, strict=True):
                formula = simplified(tree, numbers, constants).formula
                got = fold(formula, IEEE, numbers)
                assert got == pytest.approx(expected or 0.0, rel=1e-15, nan_ok=True)


def test_an_equation_shows_each_side_once():
    one, two = notation.number(1.0), notation.number(2.0)
    assert notation.equation([one, one, two, two]).text == "1 = 2"
    assert notation.equation([two]) == two


def test_products_and_sums_put_their_parts_in_brackets():
    a, b = named("a"), named("b")
    total = notation.total(
        [a, notation.number(-1.0), notation.product([a, notation.total([a, b])])]
    )
    assert total.text == "a + (-1) + a · (a + b)"
    assert notation.product([a]) == a
    assert isinstance(total, Formula)
    assert ast.parse(total.text.replace("·", "*"))


def test_a_denominator_that_is_a_number_with_a_power_of_ten_stands_in_brackets():
    row = TABLE["div"]
    shown = notation.operation(row, [notation.number(x) for x in (2.0, 2.5e-7)])
    assert typographic(shown.text) == "2 / (2.5·10⁻⁷)"
    product = notation.operation(TABLE["mul"], [notation.number(x) for x in (2.0, 1e-7)])
    assert notation.latex(product.mark) == r"2 \cdot 10^{-7}"

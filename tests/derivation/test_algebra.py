"""Simplified formulas are those of a blackboard, and equal what they were made from."""

import math
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from micrograd.derivation.algebra import simplified
from micrograd.derivation.sums import rational
from micrograd.ops import TABLE
from micrograd.table.balls import Ball, on_balls
from micrograd.table.formulas import COMPARISONS, Call, fold, parts
from micrograd.table.reading import parse
from micrograd.writing import notation

KNOWN = {row.name: row.arity for row in TABLE.values()}
NAMES = ("a", "b", "c", "p", "s")


def read(text):
    return parse(text, names=NAMES, known=KNOWN, place="here")


def board(text, **known):
    tree = simplified(read(text), {name: read(formula) for name, formula in known.items()})
    return notation.formula(tree, {name: notation.named(name) for name in NAMES}).text


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a * a * a * 6 * a * a", "6·a⁵"),
        ("-2 * (a - b) * (-1) * c", "2·(a - b)·c"),
        ("2 * (a - b) * b * (1 - b) * c", "2·(a - b)·b·(1 - b)·c"),
        ("2 * (b - a) * -1", "-2·(b - a)"),
        ("(b - a) * (a - b)", "-(b - a)²"),
        ("1 - tanh(a) * tanh(a)", "1 - (tanh(a))²"),
        ("a / a", "1"),
        ("a - a", "0"),
        ("a * 0 + b * 1 + 0", "b"),
        ("a ** 0 + b ** 1", "1 + b"),
        ("(a + b) / (2 * b + 2 * a)", "1 / 2"),
        ("0.5 / sqrt(a) * 2 * sqrt(a) ** 3", "a"),
        ("exp(a - c) / (exp(a - c) + exp(b - c))", "exp(a) / (exp(a) + exp(b))"),
        ("log(exp(a - c) + exp(b - c)) + c - a", "ln(exp(a) + exp(b)) - a"),
        ("exp(a) / (exp(a) + exp(b)) + exp(b) / (exp(a) + exp(b))", "1"),
        ("exp(-0.5 * a * a) * exp(b)", "exp(b - a² / 2)"),
        ("log(exp(a))", "a"),
        ("2 * (a + 1) - 2", "2·a"),
        ("0.25 * a * b * -2 + 0.25 * a * c * -2", "-a·(b + c) / 2"),
        ("where(1 < 2, a, b) + where(a < b, c, c)", "a + c"),
        ("-1 + a", "a - 1"),
        ("1 / (a + b) - a / (a + b) ** 2 - b / (a + b) ** 2", "0"),
        ("a / 0", "a / 0"),
        ("(a - a) / (b - b)", "0 / 0"),
        ("a ** b * a", "a·a^b"),
        ("b * a ** (b - 1)", "b·a^(b - 1)"),
        ("a ** b * b * a ** (b - 1) / a ** b", "b·a^(b - 1)"),
        ("(1 - a) + b - a", "1 - 2·a + b"),
        ("2 * (1 - a - (a + 1) + b) * c", "2·(b - 2·a)·c"),
        ("(2 * (a - b) - 3 * (a + b)) * c", "-(a + 5·b)·c"),
        ("((a - s) * 2 + (b - s) * 2 + (c - s) * 2) / 2", "a - s + (b - s) + (c - s)"),
        ("a / sqrt(a)", "sqrt(a)"),
        ("sqrt(a) * b / a", "b / sqrt(a)"),
        ("sin(a) * b / cos(a)", "b·tan(a)"),
        ("a ** b / a", "a^(b - 1)"),
        ("(a ** b) ** 2 / a", "a^(2·b - 1)"),
        ("(a ** b) ** 0.25 / a", "(a^b)^0.25 / a"),  # which may be the root of a positive power
        ("-2 / a + b + c + s", "b + c + s - 2 / a"),
        ("(1 + a / (1 - a)) / a", "1 / (a·(1 - a))"),
    ],
)
def test_a_formula_is_written_as_on_a_blackboard(formula, expected):
    assert board(formula) == expected


def test_known_formulas_are_written_by_their_names():
    assert board("-(1 / p) * a * (1 / s - a / (s * s))", p="a / s") == "p - 1"
    assert board("1 / (b + a)", s="a + b") == "1 / s"
    assert board("2 * (a - b) * c", s="b - a") == "-2·s·c"
    assert board("exp(a) * b", p="exp(a)") == "p·b"
    assert board("a + 1", p="2 * a") == "a + 1"  # p / 2 + 1 would be longer
    assert board("a / c", p="2 * a / c") == "p / 2"
    assert board("6 * b * (a / c) ** 2", p="2 * a / c") == "3·b·p² / 2"
    assert board("c * a ** (c - 1) * b ** s", p="a ** c * b ** s") == "c·p / a"
    assert board("0.25 * a ** -0.75 * b ** 0.75 * c", p="a ** 0.25 * b ** 0.75 * c") == "p / (4·a)"
    assert board("c * a ** (c - 1)", p="a ** c") == "c·a^(c - 1)"  # as one learns it


def test_numbers_are_fractions_of_small_numbers_or_decimals():
    assert rational(1 / 3) == Fraction(1, 3)
    assert rational(0.1) == Fraction(1, 10)
    assert rational(0.1234567890123) == Fraction("0.1234567890123")
    assert simplified(Call("mul", (0.1, Call("mul", (2.0, "a")))), decimals=True) == read("0.2 * a")


ARITHMETIC = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "pow": lambda x, n: x ** int(n),
}

trees = st.recursive(
    st.sampled_from(("a", "b", "c")) | st.integers(-3, 3).map(float) | st.just(0.5),
    lambda inner: (
        st.builds(
            lambda name, x, y: Call(name, (x, y)),
            st.sampled_from(("add", "sub", "mul", "div")),
            inner,
            inner,
        )
        | st.builds(lambda x: Call("neg", (x,)), inner)
        | st.builds(lambda x, n: Call("pow", (x, n)), inner, st.sampled_from((-2.0, 0.0, 1.0, 3.0)))
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(trees, st.booleans())
def test_arithmetic_is_equal_on_fractions_wherever_it_was_defined(tree, has_names):
    point = {"a": Fraction(7, 3), "b": Fraction(-5, 4), "c": Fraction(11, 6)}
    known = {"s": read("a + b"), "p": read("2 * a / c")} if has_names else {}
    here = point | {
        name: fold(formula, ARITHMETIC, point, Fraction) for name, formula in known.items()
    }
    try:
        before = fold(tree, ARITHMETIC, point, Fraction)
    except ZeroDivisionError:
        return
    after = fold(simplified(tree, known), ARITHMETIC, here, Fraction)
    # Only fractions of large numbers are written as decimals, of 53 binary digits.
    assert abs(after - before) <= Fraction(1, 2**48) * abs(before)


# ------------------------------------------------------------------------- functions and choices

ONE_OPERAND = ("square", "reciprocal", "neg", "exp", "log", "sqrt", "abs", "tanh")
atoms = st.sampled_from(("a", "b", "c")) | st.integers(-2, 2).map(float)


def call(names, *operands):
    """A call of one of the operations."""
    return st.builds(lambda name, *each: Call(name, each), st.sampled_from(names), *operands)


comparisons = call(COMPARISONS, atoms, atoms)
tests = comparisons | call(["add"], comparisons, comparisons)
formulas = st.recursive(
    atoms,
    lambda inner: (
        call(ONE_OPERAND, inner)
        | call(("add", "sub", "mul", "div"), inner, inner)
        | call(["pow"], inner, st.sampled_from((-1.0, 0.5, 2.0, 3.0, "a")))
        | call(["where"], tests, inner, inner)
        | call(["where"], tests, st.just(0.0), inner)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(formulas)
@example(read("square(a) * b"))
@example(read("reciprocal(a) * b"))
@example(read("log(a ** 3)"))
@example(read("log(b * b)"))
@example(read("log(b ** 2 * exp(a))"))
@example(read("sqrt(b * b)"))
@example(read("sqrt(a) ** 3"))
@example(read("a * a ** (b - 1)"))
@example(read("where(1 < 1, a, b) + where(1 <= 1, a, c)"))
@example(read("where(2 > 1, a, b) + where(1 >= 2, a, c)"))
@example(read("where(1 == 2, a, b) + where(1 != 2, a, c)"))
@example(read("where((a < b) + (b < 0), 0, c)"))
@example(read("where((a < b) + (b > 0), 0, c)"))
@example(read("where((a < b) + (c <= 0), 0, c)"))
def test_functions_and_choices_are_equal_wherever_they_were_defined(tree):
    for at in ((7 / 3, -1.25, 11 / 6), (-0.75, 0.375, 1.5), (0.625, 1.75, -0.3)):
        point = {name: Ball(x) for name, x in zip("abc", at, strict=True)}
        if not all(math.isfinite(on_balls(part, point).mid) for part in parts(tree)):
            continue  # a choice, too, is defined only where both of its formulas are
        before = on_balls(tree, point)
        after = on_balls(simplified(tree), point)
        # Fractions of large numbers are written as decimals, of 53 binary digits.
        room = before.rad + after.rad + 2.0**-46 * abs(before.mid)
        assert abs(after.mid - before.mid) <= room, (at, before, after)

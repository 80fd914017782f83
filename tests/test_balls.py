"""Balls: the true number is within their radius."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from micrograd.ops import TABLE
from micrograd.table.balls import LIBRARY, ON_BALLS, Ball, on_balls
from micrograd.table.formulas import RESULT

UNARY = [name for name, row in TABLE.items() if row.arity == 1]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
def test_the_exact_result_is_within_the_radius(name):
    exact = {
        "add": Fraction.__add__,
        "sub": Fraction.__sub__,
        "mul": Fraction.__mul__,
        "div": Fraction.__truediv__,
    }[name]
    for x in (0.1, -1.7, 3e10, 1e-9):
        for y in (0.3, -0.1, 7e-5):
            for wide in (0.0, 1e-12):
                ball = ON_BALLS[name](Ball(x, wide), Ball(y, wide))
                for dx in (-wide, wide):
                    for dy in (-wide, wide):
                        true = exact(Fraction(x) + Fraction(dx), Fraction(y) + Fraction(dy))
                        # To first order: the product of two radii is left out.
                        room = Fraction(ball.rad) * Fraction(1 + 1e-6) + Fraction(wide) ** 2
                        assert abs(Fraction(ball.mid) - true) <= room


@pytest.mark.parametrize("name", UNARY)
def test_a_formula_and_its_textbook_form_are_within_the_radii_of_each_other(name):
    row = TABLE[name]
    for x in (0.3, -0.8, 1.7):
        out, slopes = row.evaluate(x)
        if math.isfinite(out) and slopes[0] is not None and math.isfinite(slopes[0]):
            result = Ball(out, LIBRARY * abs(out))
            for known, formula in zip((out, slopes[0]), row.told, strict=True):
                ball = on_balls(formula, {"x": Ball(x), RESULT: result})
                assert abs(ball.mid - known) <= ball.rad + LIBRARY * abs(known), (x, formula)


def test_a_choice_takes_the_branch_of_the_middle():
    tree = TABLE["where"].read("where(x <= 0, y, 2 * y)")
    assert on_balls(tree, {"x": Ball(1.0), "y": Ball(3.0)}).mid == 6.0
    assert on_balls(tree, {"x": Ball(-1.0), "y": Ball(3.0)}).mid == 3.0


def test_an_operation_that_was_replaced_has_its_new_value():
    from micrograd import define

    for factor in (2, 3):
        define("multiple", f"{factor} * x", [str(factor)])
        assert ON_BALLS["multiple"](Ball(1.0)).mid == factor

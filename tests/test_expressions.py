"""Expressions typed by a person: what they mean, and what is refused, at which column."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd import Value, grad
from micrograd.commands.expression import TypedExpression
from micrograd.table.formulas import FormulaError


def test_an_expression_is_a_function_of_numbers_and_of_values():
    f = TypedExpression(" tanh(x * w + b) ", ["x", "w", "b"])
    expected = math.tanh(2.0 * -3.0 + 6.5)
    assert f(2.0, -3.0, 6.5) == expected == f(Value(2.0), -3.0, 6.5).data
    assert grad(f, argnums=2)(2.0, -3.0, 6.5) == 1 - expected**2
    assert repr(f) == "tanh(x * w + b)"


def test_names_may_be_in_any_script():
    assert TypedExpression("权重 * 输入", ["权重", "输入"])(2.0, 3.0) == 6.0


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("x + y", 5),
        ("x + nosuch(x)", 5),
        ("x * tanh", 5),
        ("x + (x).real", 5),
        ("x + tanh(x, x)", 5),
        ("x + (", 5),
        ("x +* x", 4),
        ("x + 'a'", 5),
        ("重 + x", 1),
        ("x + 9 ** 9 ** 9", 5),
    ],
)
def test_a_malformed_expression_is_refused_with_the_column_of_the_error(text, column):
    with pytest.raises(FormulaError, match=f"at column {column}$"):
        TypedExpression(text, ["x"])


@pytest.mark.parametrize("name", ["tanh", "1x", "a b", "", "x.y", "lambda"])
def test_invalid_names_of_variables_are_refused(name):
    with pytest.raises(ValueError, match="expression"):
        TypedExpression("1", [name])
    with pytest.raises(ValueError, match="twice"):
        TypedExpression("1", ["x", "x"])


@settings(max_examples=300)
@given(
    st.text(max_size=40)
    | st.text(alphabet="xyz0123456789.+-*/()<=>, tanhexp_'\"[]{}:", max_size=40)
)
def test_any_text_is_an_expression_or_a_formula_error(text):
    try:
        f = TypedExpression(text, ["x"])
    except FormulaError:
        return
    assert isinstance(f(Value(0.5)), Value | float)
    assert type(f(0.5)) is float


def test_numbers_follow_ieee_754_in_constants_too():
    f = TypedExpression("x / 0 + 0 * (1 / 0) ** -1", ["x"])
    assert f(1.0) == math.inf == f(Value(1.0)).data

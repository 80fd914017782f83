"""Derivatives by reverse and forward mode, to any order and depth."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from micrograd import (
    Value,
    derivative,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    sin,
    value_and_grad,
    vjp,
)
from micrograd.engine.definitions import VOCABULARY
from micrograd.ops import ROWS, TABLE
from tests.numeric import difference, is_smooth, slope
from tests.transforms.common import cube

SMOOTH = [TABLE[row.name] for row in ROWS if row.domain != "0" and not TABLE[row.name].constants]
UNIT = 2**16
numbers = st.just(0.0) | st.integers(-4 * UNIT, 4 * UNIT).map(lambda k: k / UNIT)
filtered = settings(max_examples=10, suppress_health_check=[HealthCheck.filter_too_much])


def every_row():
    return pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)


def rosenbrock(x):
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


@pytest.mark.slow
@every_row()
@filtered
@given(data=st.data())
def test_reverse_and_forward_mode_give_the_partials_of_every_row_to_the_bit(row, data):
    point = data.draw(st.tuples(*[numbers] * row.arity))
    assume(is_smooth(row, point))
    function = VOCABULARY[row.name]
    value, gradient = value_and_grad(function, argnums=tuple(range(row.arity)))(*point)
    assert value == row.value(*point)
    for i in range(row.arity):
        direction = tuple(float(i == j) for j in range(row.arity))
        assert gradient[i] == slope(row, i, point) == jvp(function, point, direction)[1]


@pytest.mark.slow
@every_row()
@filtered
@given(data=st.data())
def test_second_derivatives_of_every_row_agree_with_numeric_differentiation(row, data):
    point = data.draw(st.tuples(*[numbers] * row.arity))
    assume(is_smooth(row, point))
    function = VOCABULARY[row.name]
    for i in range(row.arity):
        first = grad(function, argnums=i)
        for j in range(row.arity):
            expected, bound = difference(lambda *p, i=i: slope(row, i, p), point, j)
            reverse = grad(first, argnums=j)(*point)
            direction = tuple(float(j == k) for k in range(row.arity))
            forward = jvp(first, point, direction)[1]
            assert abs(reverse - expected) <= bound
            assert abs(forward - expected) <= bound


def test_derivatives_nest_to_any_order():
    f = lambda x: x**7  # noqa: E731
    expected = 1.0
    for order in range(1, 8):
        f = grad(f)
        expected *= 8 - order
        assert f(1.5) == pytest.approx(expected * 1.5 ** (7 - order), rel=1e-14)
    assert grad(f)(1.5) == 0.0


def test_the_derivatives_of_sine_come_round_after_four():
    f = sin
    for expected in (math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x), math.sin):
        f = grad(f)
        assert f(0.7) == pytest.approx(expected(0.7), rel=1e-15)


def test_a_derivative_that_is_zero_at_the_point_still_has_derivatives():
    assert [f(0.0) for f in (grad(cube), grad(grad(cube)), grad(grad(grad(cube))))] == [0, 0, 6]


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=5), st.data())
@settings(max_examples=40)
def test_a_hessian_times_a_vector_is_what_hvp_gives(x, data):
    vector = data.draw(st.lists(st.floats(-2, 2), min_size=len(x), max_size=len(x)))
    matrix = hessian(rosenbrock)(x)
    assert matrix.shape == (len(x), len(x))
    # every entry is a sum of at most 8 products below 1e5, each rounded a few times
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)
    np.testing.assert_allclose(hvp(rosenbrock, x, vector), matrix @ vector, atol=1e-9)


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3))
@settings(max_examples=40)
def test_the_jacobian_is_the_same_by_rows_and_by_columns(x):
    def wide(x):
        return [x[0] * x[1], sin(x[2])]

    def tall(x):
        return [x[0] * x[1], sin(x[2]), x[0] + x[2], exp(x[1])]

    by_rows, by_columns = jacobian(wide)(x), jacobian(tall)(x)
    assert by_rows.shape == (2, 3)
    assert by_columns.shape == (4, 3)
    np.testing.assert_array_equal(by_rows, by_columns[:2])
    for i in range(4):
        np.testing.assert_array_equal(by_columns[i], grad(lambda x, i=i: tall(x)[i])(x))


def test_vjp_and_jvp_are_transposed():
    def f(x, y):
        return {"a": [x * y, sin(x)], "b": y / x}

    value, pullback = vjp(f, 2.0, 3.0)
    assert value == {"a": [6.0, math.sin(2.0)], "b": 1.5}
    tangents = (0.25, -0.5)
    again, pushed = jvp(f, (2.0, 3.0), tangents)
    assert again == value
    cotangent = {"a": [1.0, 2.0], "b": -4.0}
    pulled = pullback(cotangent)
    left = pushed["a"][0] + 2 * pushed["a"][1] - 4 * pushed["b"]
    assert left == pytest.approx(pulled[0] * 0.25 + pulled[1] * -0.5, rel=1e-15)
    assert pullback({"a": [0.0, 0.0], "b": 0.0}) == (0.0, 0.0)


@pytest.mark.slow
def test_deep_functions_are_differentiated_in_both_modes():
    depth = 10_000

    def f(x):
        y = x
        for _ in range(depth):
            y = y * 0.99999 + 0.00001
        return y

    expected = 0.99999**depth
    assert grad(f)(0.5) == pytest.approx(expected, rel=1e-10)
    assert jvp(f, (0.5,), (1.0,))[1] == pytest.approx(expected, rel=1e-10)
    assert grad(grad(lambda x: f(x) ** 2))(0.5) == pytest.approx(2 * expected**2, rel=1e-9)


def test_a_hessian_vector_product_makes_a_small_multiple_of_the_operations_of_a_function():
    """Values are counted; nothing is timed."""
    from micrograd.engine.graph import order

    rng = random.Random(0)
    x = [Value(rng.uniform(-1, 1)) for _ in range(20)]
    y = rosenbrock(x)
    again = derivative(y, x)
    assert len(order(again)) < 8 * len(order(y))

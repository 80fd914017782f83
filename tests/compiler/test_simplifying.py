"""Powers become cheaper operations and constants are folded; numbers and gradients stay."""

from __future__ import annotations

import math

import pytest

from micrograd import (
    Value,
    compile,  # noqa: A004
    derivative,
    pow_slope_x,
    value_and_grad,
    where,
)

BASES = [0.0, -0.0, 1.5, -2.0, 1e200, -1e-200, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("exponent", [2, 1, -1, 2.0])
@pytest.mark.parametrize("base", BASES)
def test_a_power_of_a_small_exponent_keeps_value_and_gradient(exponent, base, backend):
    def f(x):
        return x**exponent

    value, slope = compile(f, backend=backend).value_and_grad(base)
    expected, expected_slope = value_and_grad(f)(base)
    for got, wanted in ((value, expected), (slope, expected_slope)):
        assert got == pytest.approx(wanted, rel=2.0**-51, abs=0.0, nan_ok=True)
        assert math.copysign(1, got) == math.copysign(1, wanted) or got != got


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [-1, 1, 2, 3, 4, 7, 8, 9, 2.5])
@pytest.mark.parametrize("base", BASES)
def test_the_derivative_of_a_power_taken_inside_keeps_value_and_gradient(exponent, base):
    def slope(x):
        return derivative(x**exponent * 3.0, x) + derivative(2.0 * x**exponent, x)

    value, second = compile(slope, backend="numpy").value_and_grad(base)
    x = Value(base)
    (expected,) = [out := slope(x)]
    out.backward()
    # Two roundings more or fewer in each product.
    assert value == pytest.approx(expected.data, rel=2.0**-50, abs=0.0, nan_ok=True)
    assert second == pytest.approx(x.grad, rel=2.0**-50, abs=0.0, nan_ok=True)


@pytest.mark.parametrize("exponent", [-1, 1, 2, 3, 4, 8])
def test_the_derivative_of_a_whole_power_taken_inside_has_no_cases(exponent):
    program = compile(lambda x, y: y * derivative(y * x**exponent, x), backend="numpy")
    assert program(2.0, 3.0) == 9 * exponent * 2.0 ** (exponent - 1)
    assert "where" not in str(program)
    assert "hypot" not in str(program)


@pytest.mark.parametrize("exponent", [0.5, 1.5, 9, -2])
def test_the_derivative_of_another_power_keeps_its_cases(exponent):
    program = compile(lambda x: derivative(x**exponent, x), backend="numpy")
    assert program(2.0) == pytest.approx(exponent * 2.0 ** (exponent - 1), rel=2.0**-50)
    assert "pow_slope_x" in str(program)


def test_choices_that_are_no_derivative_of_a_power_are_kept():
    def f(x):
        return where(x > 0, 2 * x, where(x > -1, 5 * x, pow_slope_x(x, 3.0)))

    def g(x):
        return where(x > 0, 3 * x, where(x > -1, 5 * x, x * pow_slope_x(x, 3.0)))

    for each in (f, g):
        program = compile(each, backend="numpy")
        for x in (1.0, -0.5, -3.0):
            assert program(x) == each(Value(x)).data
            assert program.value_and_grad(x) == value_and_grad(each)(x)


def test_a_square_is_one_operation_and_no_power():
    program = compile(lambda x: (x - 1) ** 2, backend="numpy")
    assert program(3.0) == 4.0
    assert "square" in str(program)
    assert "pow" not in str(program)


def test_other_powers_stay():
    program = compile(lambda x: x**3 + 2**x + x**0.5, backend="numpy")
    assert program(4.0) == 64 + 16 + 2
    assert "pow" in str(program)


def test_operations_on_constants_are_done_when_the_program_is_made():
    constant = Value(3.0)
    program = compile(lambda x: x * (constant * 2).tanh().exp() + (x * 0 + 1), backend="numpy")
    assert program(2.0) == pytest.approx(2 * math.exp(math.tanh(6.0)) + 1, rel=2.0**-50)
    assert "tanh" not in str(program)


@pytest.mark.slow
def test_a_long_chain_of_constants_is_folded_in_one_pass():
    c = Value(0.5)
    for _ in range(20_000):
        c = (c * 0.999).tanh()
    program = compile(lambda x: x + c, backend="numpy")
    assert program(1.0) == 1.0 + c.data
    assert len(str(program).splitlines()) == 4


def test_the_exponent_of_a_derivative_is_folded_too():
    program = compile(lambda x: derivative(x**3, x), backend="numpy")
    assert program(2.0) == 12.0
    assert "square" in str(program)


def test_a_function_that_returns_constants_works():
    assert compile(lambda x: [2.0 * Value(3.0), x**1], backend="numpy")(5.0) == [6.0, 5.0]


@pytest.mark.parametrize("constant", [2.0, 1.0, -1.0])
def test_a_constant_at_the_end_leaves_the_arguments_as_they_are(constant):
    assert compile(lambda x: [x, constant], backend="numpy")(5.0) == [5.0, constant]

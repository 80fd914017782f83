"""Numbers and functions of `Value` follow IEEE 754, and their derivatives are right."""

import math
import operator
from fractions import Fraction

import numpy as np
import pytest

import micrograd
from micrograd import Value, derivative, grad, ops
from tests.engine.common import INF, NAN, gradient, same

HOSTILE = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-308, 1e308, -1e308, 1000.0, -1000.0]
HOSTILE += [INF, -INF, NAN, 5e-324, 709.0, 710.0]

ARITHMETIC = {
    "+": (operator.add, np.add),
    "-": (operator.sub, np.subtract),
    "*": (operator.mul, np.multiply),
    "/": (operator.truediv, np.divide),
}


@pytest.mark.parametrize("symbol", ARITHMETIC)
@pytest.mark.parametrize("x", HOSTILE)
def test_arithmetic_is_that_of_numpy_on_every_kind_of_number(symbol, x):
    ours, theirs = ARITHMETIC[symbol]
    for y in HOSTILE:
        with np.errstate(all="ignore"):
            expected = float(theirs(np.float64(x), np.float64(y)))
        for result in (ours(Value(x), Value(y)), ours(Value(x), y), ours(x, Value(y))):
            assert same(result.data, expected), (x, symbol, y, result.data, expected)


@pytest.mark.parametrize("x", HOSTILE)
def test_powers_follow_ieee(x):
    for y in [*HOSTILE, 2.0, 400.0, 401.0, -401.0, -3.0]:
        if y == 0.5 and math.copysign(1, x) < 0:
            continue  # NumPy uses sqrt, whose results at -0.0 and -inf differ from those of pow
        with np.errstate(all="ignore"):
            expected = float(np.power(np.float64(x), np.float64(y)))
        for result in (Value(x) ** Value(y), Value(x) ** y, x ** Value(y)):
            if expected in (0, INF, -INF) or expected != expected:
                assert same(result.data, expected), (x, y, result.data, expected)
            else:  # two libraries, each accurate to about an ulp
                assert result.data == pytest.approx(expected, rel=4 * 2.0**-52, abs=5e-324)


@pytest.mark.parametrize(
    "name",
    "exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh square reciprocal".split(),
)
def test_functions_follow_ieee(name):
    for x in HOSTILE:
        with np.errstate(all="ignore"):
            expected = float(getattr(np, name)(np.float64(x)))
        result = getattr(Value(x), name)().data
        if expected in (0, INF, -INF) or expected != expected:
            assert same(result, expected), (name, x, result, expected)
        else:
            assert result == pytest.approx(expected, rel=8 * 2.0**-52, abs=5e-324), (name, x)


def test_the_exceptional_results_of_the_specification():
    assert Value(0.0).log().data == -INF
    assert math.isnan(Value(-1.0).log().data)
    assert (1 / Value(0.0)).data == INF
    assert (1 / Value(-0.0)).data == -INF
    assert math.isnan((Value(0.0) / 0.0).data)
    assert Value(1000.0).exp().data == INF
    assert math.isnan(Value(NAN).relu().data)
    assert math.isnan((Value(-1.0) ** 0.5).data)
    assert type((Value(-1.0) ** 0.5).data) is float
    assert math.isnan(Value(INF).sin().data)
    for name in ("maximum", "minimum"):
        combine = getattr(micrograd, name)
        assert math.isnan(combine(Value(NAN), 1.0).data)
        assert math.isnan(combine(1.0, Value(NAN)).data)


def test_sigmoid_softplus_and_tanh_are_stable_at_a_thousand():
    for name, low, high in [("sigmoid", 0.0, 1.0), ("softplus", 0.0, 1000.0), ("tanh", -1.0, 1.0)]:
        assert getattr(Value(-1000.0), name)().data == low
        assert getattr(Value(1000.0), name)().data == high
    assert gradient(Value.sigmoid, 1000.0) == gradient(Value.sigmoid, -1000.0) == [0.0]
    assert gradient(Value.softplus, 1000.0) == [1.0]
    assert gradient(Value.softplus, -1000.0) == [0.0]
    assert gradient(Value.tanh, 1000.0) == [0.0]


def test_zero_to_the_zero_is_one_with_derivative_zero():
    assert (Value(0.0) ** 0).data == 1.0
    assert (0 ** Value(0.0)).data == 1.0
    assert gradient(lambda x: x**0, 0.0) == [0.0]
    assert gradient(lambda x, y: x**y, 0.0, 0.0) == [0.0, 0.0]
    assert gradient(lambda x: 0.0**x, 2.0) == [0.0]


def test_powers_of_every_kind_have_their_derivatives():
    log2 = math.log(2)
    assert gradient(lambda x: x**3, 2.0) == [12.0]
    assert gradient(lambda x: x**-2, 2.0) == [-0.25]
    assert gradient(lambda x: x**2, 0.0) == [0.0]
    assert gradient(lambda x: x**1, 0.0) == [1.0]
    assert gradient(lambda x: x**2, -3.0) == [-6.0]
    assert gradient(lambda x: 2**x, 3.0) == [8 * log2]
    assert gradient(lambda x, y: x**y, 2.0, 3.0) == [12.0, 8 * log2]
    # x ** x: two contributions, each of a few roundings.
    assert gradient(lambda x: x**x, 2.0) == pytest.approx([4 * (1 + log2)], rel=8 * 2.0**-53)


def test_numbers_that_overflow_become_infinite():
    assert (Value(1e200) * 1e200).data == INF
    assert (Value(-1e200) * 1e200).data == -INF
    assert (Value(10.0) ** 400).data == INF
    assert (Value(-10.0) ** 401).data == -INF
    assert (Value(10.0) ** -400).data == 0.0


@pytest.mark.parametrize(
    "huge",
    [10**400, -(10**400), Fraction(10**5000, 3), -Fraction(10**5000, 3)],
    ids=["positive", "negative", "positive fraction", "negative fraction"],
)
def test_a_number_beyond_the_range_of_floats_is_an_infinity(huge):
    infinity = math.copysign(INF, 1 if huge > 0 else -1)
    assert Value(huge).data == infinity
    assert (Value(1.0) + huge).data == infinity
    assert (huge * Value(2.0)).data == infinity
    assert Value(1.0).maximum(huge).data == max(1.0, infinity)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "softplus", "log_ndtr", "softsign"])
def test_values_and_derivatives_at_infinity_are_those_of_a_number_near_it(name):
    f = getattr(micrograd, name)
    for x in (INF, -INF):
        near = math.copysign(1e200, x)
        for g in (f, grad(f), grad(grad(f))):
            # A value that grows is infinite; one that is 1e-200 or less there is 0.
            expected = math.copysign(INF, g(near)) if abs(g(near)) > 1e100 else round(g(near))
            assert g(x) == expected, (name, x)


@pytest.mark.parametrize(
    ("x", "y", "slopes"),
    [
        (INF, 1.0, (1, 0)),
        (-INF, 2.0, (-1, 0)),
        (-3.0, INF, (0, 1)),
        (INF, -INF, (0.5**0.5, -(0.5**0.5))),
    ],
)
def test_the_derivatives_of_a_distance_to_infinity_are_those_in_its_direction(x, y, slopes):
    # A finite coordinate is as small beside the largest float as it can be.
    assert gradient(micrograd.hypot, x, y) == pytest.approx(slopes, rel=2.0**-52, abs=1e-307)
    assert gradient(micrograd.atan2, x, y) == [0.0, 0.0]


def test_polygamma_at_zero_is_the_limit_from_above():
    assert [micrograd.polygamma(n, 0.0) for n in range(5)] == [-INF, INF, -INF, INF, -INF]
    assert grad(micrograd.digamma)(0.0) == INF


def test_relu_and_abs_have_slope_zero_at_zero():
    for x in (0.0, -0.0):
        assert gradient(Value.relu, x) == [0.0]
        assert gradient(abs, x) == [0.0]
    assert gradient(Value.relu, 5e-324) == [1.0]
    assert gradient(abs, -2.0) == [-1.0]


def test_equal_operands_of_maximum_and_minimum_share_the_gradient():
    for combine in (micrograd.maximum, micrograd.minimum):
        assert gradient(combine, 1.0, 1.0) == [0.5, 0.5]
        assert gradient(lambda x, f=combine: f(x, x), 1.0) == [1.0]
    assert gradient(micrograd.maximum, 1.0, 2.0) == [0.0, 1.0]
    assert gradient(micrograd.minimum, 1.0, 2.0) == [1.0, 0.0]
    assert gradient(lambda x: micrograd.maximum(x, 0), 0.0) == [0.5]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.maximum(3),
        lambda x: x.minimum(-3),
        lambda x: micrograd.maximum(3, x),
        lambda x: micrograd.where(x > 0, 3, x),
        lambda x: micrograd.where(x < 0, x, 3),
        lambda x: micrograd.where(1, x, 3),
        lambda x: x + 3,
        lambda x: x**0,
        lambda x: abs(x * 2),
        lambda x: x.relu() * 0,
        lambda x: x < 3,
        lambda x: micrograd.hypot(x, 0),
    ],
)
def test_the_data_of_every_result_is_a_float(make):
    assert type(make(Value(1.0)).data) is float


@pytest.mark.parametrize("number", [1, True, np.float64(1), np.int64(1)])
def test_the_data_of_every_leaf_is_a_float(number):
    assert type(Value(number).data) is float


def test_every_public_function_of_numbers_returns_a_float():
    for name, row in ops.TABLE.items():
        call = getattr(micrograd, name, None) or getattr(micrograd.engine.functions, name)
        for numbers in ((1, 1, 1), (1.0, 1.0, 1.0), (0, 0, 0), (np.float64(2), 3, 1)):
            result = call(*numbers[: row.arity])
            assert type(result) is float, (name, numbers, result)


def test_every_public_function_of_a_value_returns_a_value():
    for name, row in ops.TABLE.items():
        result = getattr(micrograd, name)(*[Value(0.5)] * row.arity)
        assert type(result) is Value
        assert type(result.data) is float, name


@pytest.mark.parametrize(
    ("y", "dy", "dxx", "dxy", "dyy"), [(-0.5, 0, 0, 0, 0), (2, INF, 2, INF, INF), (3, *[INF] * 4)]
)
def test_the_derivatives_of_powers_of_infinity_are_their_limits(y, dy, dxx, dxy, dyy):
    x, exponent = Value(INF), Value(y)
    slopes = derivative(x**exponent, [x, exponent])
    assert getattr(slopes[1], "data", slopes[1]) == dy
    found = [*derivative(slopes[0], [x, exponent]), derivative(slopes[1], exponent)]
    assert [each.data for each in found] == [dxx, dxy, dyy]

"""`taylor`: power series through the graph."""

import gc
import math
from contextlib import nullcontext

import pytest

import micrograd
from micrograd import (
    Value,
    custom_derivative,
    define,
    grad,
    jacobian,
    jvp,
    logsumexp,
    softmax,
    taylor,
    where,
)
from micrograd.transforms.power_series import Series

mpmath = pytest.importorskip("mpmath", reason="the true series need mpmath: pip install mpmath")
from mpmath import mp, mpf  # noqa: E402

X = 0.7
SMOOTH = {
    **{name: getattr(mp, name) for name in "exp sin cos tan sinh cosh tanh asin acos atan".split()},
    **{name: getattr(mp, name) for name in "asinh atanh log sqrt expm1 log1p erf erfc".split()},
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log(1 + mp.exp(x)),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "lgamma": lambda x: mp.re(mp.loggamma(x)),
    "digamma": lambda x: mp.psi(0, x),
    "cbrt": mp.cbrt,
    "ndtr": mp.ncdf,
    "exp2": lambda x: mpf(2) ** x,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
}


def true_series(f, x, order):
    with mp.workdps(60):
        return [float(mp.re(each)) for each in mp.taylor(f, mpf(x), order)]


@pytest.mark.slow
@pytest.mark.parametrize("name", SMOOTH)
def test_the_series_of_an_operation_follows_from_its_partials(name):
    found = taylor(getattr(micrograd, name), X, 8)
    # Every coefficient is a sum of at most k products of lower ones, each with a few roundings.
    for k, (ours, true) in enumerate(zip(found, true_series(SMOOTH[name], X, 8), strict=True)):
        assert ours == pytest.approx(true, rel=1e-12, abs=1e-13), k


def test_a_high_order_is_right():
    found = taylor(lambda x: 1 / (1 + x * x), 0.3, 50)
    assert found == pytest.approx(true_series(lambda x: 1 / (1 + x * x), 0.3, 50), rel=1e-12)


def test_the_first_coefficients_are_value_and_derivatives():
    f = lambda x: micrograd.tanh(x * x) * micrograd.exp(x)  # noqa: E731
    found = taylor(f, 0.5, 3)
    slopes = [f(0.5), grad(f)(0.5), grad(grad(f))(0.5) / 2, grad(grad(grad(f)))(0.5) / 6]
    assert found == pytest.approx(slopes, rel=1e-14)


def test_polynomials_are_exact_also_at_zero():
    assert taylor(lambda x: x**3 + 2 * x, 0.0, 5) == [0.0, 2.0, 0.0, 1.0, 0.0, 0.0]
    assert taylor(lambda x: (1 + x) ** 4, 0.0, 4) == [1.0, 4.0, 6.0, 4.0, 1.0]
    assert taylor(lambda x: x**-2, 1.0, 3) == [1.0, -2.0, 3.0, -4.0]
    assert taylor(lambda x: 3.0, 0.0, 2) == [3.0, 0.0, 0.0]


def test_arguments_and_results_may_be_structures_with_several_directions():
    f = lambda p: {"a": p[0] * p[1], "b": [micrograd.exp(p[0])]}  # noqa: E731
    along = taylor(f, [1.0, 2.0], 2, direction=[1.0, 1.0])
    assert along == {"a": [2.0, 3.0, 1.0], "b": [pytest.approx([math.e, math.e, math.e / 2])]}
    both = taylor(lambda p: p[0] * p[1], [1.0, 2.0], 1, directions=[[1.0, 0.0], [0.0, 1.0]])
    assert both == [[2.0, 2.0], [2.0, 1.0]]


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (abs, 0.0),
        (micrograd.relu, 0.0),
        (micrograd.floor, 2.0),
        (lambda x: micrograd.maximum(x, 1.0), 1.0),
        (lambda x: where(x > 1, x, 2 * x), 1.0),
        (micrograd.sqrt, 0.0),
        (lambda x: x**0.5, 0.0),
        (lambda x: x**-1, 0.0),
        (lambda x: (-1.0) ** x, 2.0),
        (micrograd.log, -1.0),
    ],
)
def test_there_is_no_series_at_a_kink_or_outside_of_the_domain(f, x):
    with pytest.raises(ValueError, match="and has no Taylor series there"):
        taylor(f, x, 2)


def test_beside_a_kink_the_branch_that_is_taken_has_a_series():
    assert taylor(abs, -2.0, 2) == [2.0, -1.0, 0.0]
    assert taylor(lambda x: where(x > 0, x * x, x), -1.0, 2) == [-1.0, 1.0, 0.0]


def test_an_operation_of_a_user_has_a_series():
    cube = define("cube_t", "x * x * x", ["3 * x * x"])
    assert taylor(cube, 1.0, 4) == [1.0, 3.0, 3.0, 1.0, 0.0]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="order is a whole number from 0"):
        taylor(abs, 1.0, -1)
    with pytest.raises(TypeError, match="a direction is needed"):
        taylor(lambda p: p[0], [1.0], 1)
    with pytest.raises(ValueError, match="a different structure from x"):
        taylor(lambda p: p[0], [1.0], 1, direction=[1.0, 2.0])
    with pytest.raises(TypeError, match="not both"):
        taylor(abs, 1.0, 1, direction=1.0, directions=[1.0])


def test_a_long_chain_has_a_series():
    def f(x):
        for _ in range(5_000):
            x = x + 0.001
        return x * x

    assert taylor(f, 1.0, 2) == pytest.approx([36.0, 12.0, 1.0], rel=1e-9)


def test_coefficients_can_be_differentiated_with_respect_to_an_outer_variable():
    def third(a):  # a**3 / 6
        return taylor(lambda x: micrograd.exp(a * x), 0.0, 3)[3]

    assert third(2.0) == pytest.approx(8 / 6)
    assert grad(third)(2.0) == pytest.approx(2.0)
    assert grad(grad(third))(2.0) == pytest.approx(2.0)
    assert jvp(third, (2.0,), (3.0,)) == pytest.approx((8 / 6, 6.0))
    assert taylor(third, 2.0, 4) == pytest.approx([8 / 6, 2.0, 1.0, 1 / 6, 0.0])  # nested
    assert jacobian(lambda a: taylor(lambda x: a * x * x, 1.0, 2))(3.0).tolist() == [1.0, 2.0, 1.0]
    assert grad(lambda a: taylor(lambda x: a * a * 1.0, 0.0, 1)[0])(3.0) == 6.0


def test_derivatives_of_coefficients_are_right_where_a_coefficient_is_zero():
    assert grad(lambda a: taylor(lambda x: (a * x) * micrograd.sin(x), 0.0, 2)[2])(0.0) == 1.0
    # The coefficients of (1 + x)**a are polynomials of a, also where the exponent is whole.
    assert grad(lambda a: taylor(lambda x: (1 + x) ** a, 0.0, 2)[2])(2.0) == pytest.approx(1.5)
    assert grad(lambda a: taylor(lambda x: 1 / (1 - a * x), 0.0, 3)[1])(0.0) == 1.0


def test_the_point_and_the_direction_may_be_values():
    x, slope = Value(2.0), Value(3.0)
    value, first, second, _ = taylor(lambda t: t**3, x, 3, direction=slope)
    assert [value.data, first.data, second.data] == [8.0, 36.0, 54.0]
    (first + second).backward()
    assert (x.grad, slope.grad) == (6 * 2 * 3 + 3 * 9, 3 * 4 + 6 * 2 * 3)
    assert grad(lambda x: taylor(micrograd.tanh, x, 1)[1])(0.5) == pytest.approx(
        grad(grad(micrograd.tanh))(0.5), rel=1e-14
    )
    both = taylor(lambda p: p[0] * p[1], [x, 1.0], 1, directions=[[1.0, 0.0], [0.0, slope]])
    assert [float_of(each) for pair in both for each in pair] == [2.0, 1.0, 2.0, 6.0]


def float_of(number):
    return number.data if isinstance(number, Value) else number


def newton(a):
    x = a
    while abs(x * x - a) > 1e-14:
        x = (x + a / x) / 2
    return x


@pytest.mark.parametrize(
    "rule",
    [
        {"vjp": lambda args, x, g: (g / (2 * x),)},
        {"jvp": lambda args, x, tangents: tangents[0] / (2 * x)},
    ],
)
def test_a_function_with_a_derivative_of_its_own_has_a_series(rule):
    root = custom_derivative(newton, **rule)
    expected = taylor(micrograd.sqrt, 4.0, 8)
    assert taylor(root, 4.0, 8) == pytest.approx(expected, rel=1e-12)
    outer = [
        grad(lambda a, f=f: taylor(lambda x: f(a + x * x), 0.0, 4)[4])(2.0)
        for f in (root, micrograd.sqrt)
    ]
    assert outer[0] == pytest.approx(outer[1], rel=1e-12)
    still = root(Value(4.0)).data
    assert taylor(lambda x: x * root(Value(4.0)), 1.0, 1) == [still, still]


def test_an_operation_made_by_hand_needs_functions_for_its_partials():
    def square(x, slope):
        return Value(x.data**2, (x,), "square_h", local_grads=[slope])

    assert taylor(lambda x: x * square(x, lambda x: 2 * x), 1.0, 4) == [1.0, 3.0, 3.0, 1.0, 0.0]
    with pytest.raises(ValueError, match=r"'square_h' was made by hand .* local_grads"):
        taylor(lambda x: square(x, 2 * x.data), 1.0, 2)


def test_what_does_not_depend_on_the_variable_may_be_at_a_kink():
    assert taylor(lambda x: x + micrograd.relu(Value(0.0)), 1.0, 1) == [1.0, 1.0]


def test_conditions_that_hold_around_the_point_may_be_combined_and_compared():
    for holds in (
        lambda x: (x > 1) | (x < -1) & ~(x > 5),
        lambda x: (x > 1) ^ (x > 5),
        lambda x: micrograd.floor(x) >= 3,
        lambda x: (x > 1) + (x < 5) == 2,
    ):
        assert taylor(lambda x, h=holds: where(h(x), x * x, x), 3.5, 2) == [12.25, 7.0, 1.0]


def test_what_stands_still_in_a_direction_may_be_at_a_kink():
    assert taylor(lambda p: abs(p[0]) + p[1], [0.0, 1.0], 1, direction=[0.0, 1.0]) == [1.0, 1.0]
    assert taylor(lambda p: p[0] ** (2 * p[1]), [-1.0, 1.0], 2, direction=[1.0, 0.0]) == [1, -2, 1]


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: micrograd.atan2(-x, -1.0), 0.0),
        (lambda x: micrograd.atan2(x * -1.0, -1.0), 0.0),
        (lambda x: x * math.inf, 0.0),
    ],
)
def test_the_first_coefficient_is_the_value_also_at_signed_zeros_and_infinities(f, x):
    assert str(taylor(f, x, 0)[0]) == str(f(Value(x)).data)


def test_a_long_rule_of_a_function_with_a_derivative_of_its_own_has_a_series():
    def rule(args, result, g):
        slope = micrograd.cos(args[0])
        for _ in range(5_000):
            slope = slope * 1.0
        return (g * slope,)

    assert taylor(custom_derivative(math.sin, vjp=rule), 0.5, 2) == taylor(micrograd.sin, 0.5, 2)


def test_softmax_and_logsumexp_of_equal_scores_have_a_series():
    assert taylor(lambda x: logsumexp([x, 2 * x]), 0.0, 2) == pytest.approx(
        [math.log(2), 1.5, 0.125]
    )
    assert taylor(lambda x: softmax([x, 2 * x])[0], 0.0, 1) == pytest.approx([0.5, -0.25])


@pytest.mark.slow
@pytest.mark.parametrize("x", [X, 0.0])
def test_the_series_are_freed_at_once_also_after_an_error(x):
    gc.collect()
    gc.disable()
    try:
        with nullcontext() if x else pytest.raises(ValueError, match="at a kink"):
            taylor(lambda x: abs(x).tanh() * x.exp(), x, 4)
        assert [each for each in gc.get_objects() if isinstance(each, Series)] == []
    finally:
        gc.enable()


def branched(t):
    return micrograd.where(t > 0, micrograd.exp(t) * micrograd.sin(t), abs(t) ** 3)


@pytest.mark.parametrize(
    "f", [branched, micrograd.gelu, micrograd.lgamma, lambda t: t**4 / (1 + t * t)]
)
def test_a_compiled_function_may_compute_series(f):
    pytest.importorskip("numpy")
    program = micrograd.compile(lambda x: taylor(f, x, 4), backend="numpy")
    for x in (-0.6, 0.5, 1.7):
        assert program(x) == pytest.approx(taylor(f, x, 4), rel=1e-12, abs=1e-14)
        slopes = [grad(lambda t, k=k: taylor(f, t, 4)[k])(x) for k in range(5)]
        assert program.jacobian(x).tolist() == pytest.approx(slopes, rel=1e-11, abs=1e-12)


def test_series_in_a_compiled_function_follow_the_conventions_at_kinks():
    pytest.importorskip("numpy")
    program = micrograd.compile(lambda x: taylor(micrograd.relu, x, 2), backend="numpy")
    assert program(0.0) == [0.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="is at a kink"):
        taylor(micrograd.relu, 0.0, 2)

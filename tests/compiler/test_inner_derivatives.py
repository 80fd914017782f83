"""Derivatives taken within a compiled function."""

from __future__ import annotations

import math

import pytest

from micrograd import (
    Value,
    derivative,
    exp,
    grad,
    hessian,
    jacobian,
    jvp,
    log,
    maximum,
    repeat,
    scan,
    sqrt,
    taylor,
    where,
    while_,
)
from micrograd.compiler import compile  # noqa: A004
from micrograd.ops import TABLE
from nn import MLP
from tests.compiler.conftest import QUICK


def test_derivatives_may_be_taken_inside():
    assert compile(grad(lambda x: x**3)).value_and_grad(2.0) == (12.0, 12.0)
    second = compile(lambda x: derivative(derivative(exp(x) * x, x), x))
    assert second(0.5) == pytest.approx(2.5 * math.exp(0.5), rel=1e-14)
    kinked = compile(grad(lambda x: maximum(x, 1.0) * x + where(x > 2, x * x, 0.0)), batched=True)
    assert kinked([0.5, 1.0, 1.5, 3.0]).tolist() == [1.0, 1.5, 3.0, 12.0]


def test_derivatives_inside_at_numbers_follow_the_arguments_around_them():
    for f, expected in (
        (lambda x: grad(lambda s: s * s * x)(3.0) * x, 24.0),
        (lambda x: jvp(lambda s: s * s * x, (3.0,), (1.0,))[1] * x, 24.0),
        (lambda x: hessian(lambda s: s[0] * s[0] * s[1] * x)([3.0, 1.0])[0][0] * x, 8.0),
        (lambda x: jacobian(lambda s: [s[0] * x, s[1]])([3.0, 1.0])[0][0] * x, 4.0),
    ):
        assert f(Value(2.0)).data == expected
        assert compile(f)(2.0) == expected


def test_derivatives_at_numbers_go_into_the_steps_of_loops(backend):
    for f, expected in (
        (lambda x: grad(lambda t: repeat(lambda s: s * t, x, 3))(2.0), 12.0),
        (
            lambda x: grad(lambda t: scan(lambda s, y: (s * t + y, None), x, [1.0, 2.0])[0])(2.0),
            5.0,
        ),
        (lambda x: grad(lambda t: while_(lambda s: s < 10, lambda s: s * t + 1, x))(2.0), 17.0),
        (lambda x: jvp(lambda t: repeat(lambda s: s * exp(t), x, 3), (0.0,), (1.0,))[1], 3.0),
        (
            lambda x: hessian(lambda t: repeat(lambda s: s * t[0] * t[1], x, 2))([2.0, 3.0])[0][1],
            24.0,
        ),
        (lambda x: grad(grad(lambda t: repeat(lambda s: s * t, x, 3)))(2.0), 12.0),
        # A loop in the step of another one.
        (
            lambda x: repeat(
                lambda c: grad(lambda t: repeat(lambda s: s * t + c, x, 2))(2.0), x, 2
            ),
            9.0,
        ),
    ):
        assert f(1.0) == expected
        assert compile(f, backend=backend)(1.0) == expected
    f = compile(lambda x: grad(lambda t: repeat(lambda s: s * t, x, 3))(2.0), backend=backend)
    assert f.value_and_grad(1.0) == (12.0, 12.0)


@pytest.mark.parametrize("power", [1, 2])
def test_a_derivative_with_respect_to_a_constant_of_a_step_is_refused(power):
    def f(x):
        t = Value(2.0)
        inner = repeat(lambda s: repeat(lambda r: r * t, s, power), x * t, 3)
        return derivative(inner, t)

    assert f(Value(1.0)).data == (3 * power + 1) * 2.0 ** (3 * power)
    with pytest.raises(
        TypeError, match="the step of a loop in a compiled function uses this Value"
    ):
        compile(f)(1.0)


def test_a_series_through_a_loop_of_a_compiled_function_is_refused():
    f = compile(lambda x: taylor(lambda t: repeat(lambda s: s * t, x, 2), 0.5, 3))
    with pytest.raises(ValueError, match="taylor does not go through the loops"):
        f(1.0)


@pytest.mark.usefixtures("quick_xla")
def test_zero_stops_before_an_infinite_slope_in_an_inner_derivative_too(backend):
    for f, expected in (
        (lambda x: derivative(exp(-1 / x), x), 0.0),
        (lambda x: derivative(0.0 * sqrt(x) + x, x), 1.0),
        (lambda x: derivative(where(x > 0, log(x), x), x), 1.0),
    ):
        assert f(Value(0.0)).data == expected
        assert compile(f, backend=backend)(0.0) == expected


def test_a_hessian_vector_product_of_a_network_agrees_with_eager_mode():
    model = MLP(2, [4, 1], activation="tanh")
    parameters = model.parameters()
    vector = [math.sin(i) for i in range(len(parameters))]

    def product(x, y):
        slopes = derivative((model(x) - y) ** 2, parameters)
        along = sum(slope * v for slope, v in zip(slopes, vector, strict=True))
        return derivative(along, parameters)

    expected = [each.data for each in product([0.5, -1.0], 1.0)]
    # A few hundred roundings of numbers below 100.
    assert compile(product, parameters)([0.5, -1.0], 1.0) == pytest.approx(expected, abs=1e-11)


EDGES = (0.0, -0.0, 0.5, 1.0, -1.0, -2.0, 1000.0, -1000.0)


@pytest.mark.slow
@pytest.mark.parametrize("backend", QUICK, indirect=True)
@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.arity == 1])
def test_a_branch_that_is_not_taken_passes_nothing_on_whatever_it_holds(name, backend):
    apply = {"neg": lambda x: -x, "abs": abs}.get(name, lambda x: getattr(x, name)())

    def slopes(x):
        """Of x, twice in a branch beside it: where results or slopes are infinite or nan too."""
        first = derivative(where(0 * x > 0, apply(x) * apply(x + 0.0), 3 * x * x), x)
        return [first, derivative(first, x)]

    for found, expected in zip(
        compile(slopes, batched=True, backend=backend)(EDGES),
        ([6 * x for x in EDGES], [6.0] * len(EDGES)),
        strict=True,
    ):
        assert found.tolist() == expected


@pytest.mark.usefixtures("quick_xla")
def test_what_was_stopped_is_as_wild_as_what_it_was_stopped_before(backend):

    def curvature(x):
        return derivative(derivative(log(x * x) ** 3, x), x)

    assert curvature(Value(0.0)).data == math.inf
    assert compile(curvature, backend=backend)(0.0) == math.inf

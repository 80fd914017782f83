"""Kinks, infinities, and zero times infinity in the chain rule, in every mode and order."""

from __future__ import annotations

import math

import pytest

from micrograd import (
    Value,
    acos,
    atan,
    clip,
    cos,
    derivative,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    maximum,
    relu,
    sin,
    sqrt,
    tanh,
    vjp,
    where,
)


def test_a_constant_zero_gives_infinities_not_errors():
    x = Value(2.0)
    assert derivative(x / 0.0, x).data == math.inf
    assert derivative(0.0 / x, x).data == 0.0
    assert derivative(x**-1.0 / 0.0 - x / 0.0, x).data == -math.inf
    assert grad(grad(lambda x: x / 0))(1.0) == 0.0


def test_conventions_at_kinks_are_those_of_backward():
    assert grad(relu)(0.0) == 0.0
    assert grad(abs)(0.0) == 0.0
    assert grad(maximum, argnums=(0, 1))(1.0, 1.0) == (0.5, 0.5)
    assert grad(grad(relu))(1.0) == 0.0


def test_an_adjoint_of_zero_stops_also_when_it_may_be_differentiated_again():
    def f(x):
        return where(x > 0, log(x), 0 * x) + 0 * sqrt(x)

    assert grad(f)(0.0) == 0.0
    assert grad(lambda x: grad(f)(x) + x)(0.0) == 1.0


MEETINGS = {
    "sqrt(x)**2": (lambda x: sqrt(x) ** 2, 0.0),
    "sqrt(x**2)": (lambda x: sqrt(x * x), 0.0),
    "1/(1/x)": (lambda x: 1 / (1 / x), 0.0),
    "tanh(log(x))": (lambda x: tanh(log(x)), 0.0),
    "acos(cos(x))": (lambda x: acos(cos(x)), 0.0),
    "atan(exp(x))": (lambda x: atan(exp(x)), 1000.0),
    "atan(2*exp(x))": (lambda x: atan(2 * exp(x)), 1000.0),
    "atan(exp(x) + 1)": (lambda x: atan(exp(x) + 1), 1000.0),
    "atan(relu(exp(x)))": (lambda x: atan(relu(exp(x))), 1000.0),
    "log(0*x + exp(x))": (lambda x: log(0 * x + 0.0 * x + exp(x)), -800.0),
    "0*sqrt(x)": (lambda x: 0.0 * sqrt(x), 0.0),
    "0*exp(x) + sin(x)": (lambda x: 0.0 * exp(x) + sin(x), 1000.0),
}


@pytest.mark.parametrize("name", MEETINGS)
def test_zero_times_infinity_in_the_chain_rule_is_zero_in_every_mode_and_order(name):
    f, x = MEETINGS[name]

    def forward(g):
        return lambda x: jvp(g, (x,), (1.0,))[1]

    def along(g):
        return lambda x: vjp(g, x)[1](1.0)[0]

    def of_array(g):
        return lambda x: jacobian(lambda x: [g(x), x])(x)[0]

    value = Value(x)
    f(value).backward()
    first = [t(f)(x) for t in (grad, forward, along, jacobian, of_array)] + [value.grad]
    first += [t(f)(Value(x)).data for t in (grad, forward, along)]
    assert first == [first[0]] * len(first), "the modes agree"
    assert first[0] == (math.cos(1000.0) if "sin" in name else 0.0)
    second = [outer(inner(f))(x) for outer in (grad, forward) for inner in (grad, forward, along)]
    second += [hessian(f)(x), hvp(f, x, 1.0)]
    assert second == [second[0]] * len(second), "so do their nestings"


def test_limits_that_equal_the_number_pass_its_whole_gradient():
    assert grad(lambda t: clip(t, t, t))(1.0) == 1.0
    assert grad(clip, argnums=(0, 1, 2))(1.0, 1.0, 2.0) == (1.0, 0.0, 0.0)

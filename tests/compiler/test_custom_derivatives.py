"""Derivatives that are given by `custom_derivative`, in compiled functions."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from micrograd import (
    Value,
    custom_derivative,
    derivative,
    exp,
    grad,
    hessian,
    jvp,
    maximum,
    repeat,
    scan,
    sin,
    while_,
)
from micrograd.compiler import TraceError, compile  # noqa: A004
from tests.compiler.test_derivatives import assert_close


def newton(a):
    x = a * 0 + 1.0
    for _ in range(40):
        x = (x + a / x) / 2
    return x


root = custom_derivative(newton, vjp=lambda args, x, g: (g / (2 * x),))
# A straight-through estimator: the derivative is not that of the value.
through = custom_derivative(lambda x: (x > 0) * 2.0 - 1.0, vjp=lambda args, y, g: (g,))
swapped = custom_derivative(
    lambda x, pair: [x * pair["a"], maximum(x, pair["b"]), 3.0],
    jvp=lambda args, result, tangents: [tangents[1]["b"] * args[0], 7.0 * tangents[0], 0.0],
)


@pytest.mark.usefixtures("quick_xla")
def test_the_derivative_in_a_program_is_the_one_that_was_given(backend):
    f = compile(lambda x: through(x * x - 2) * 3 + x, backend=backend)
    assert f(1.0) == -2.0
    assert f.value_and_grad(1.0) == (-2.0, 7.0)
    assert f.jacobian(1.0) == 7.0
    program = compile(lambda a: root(a) * 3, backend=backend)
    assert_close(program.value_and_grad(9.0), (9.0, 0.5))
    batched = compile(lambda a: root(a) * 3, batched=True, backend=backend)
    values, slopes = batched.value_and_grad([4.0, 9.0, 25.0])
    assert_close(values, np.array([6.0, 9.0, 15.0]))
    assert_close(slopes, np.array([0.75, 0.5, 0.3]))


def test_derivatives_of_it_of_any_order_are_those_of_values():
    def f(a):
        return root(a) * sin(a) + exp(root(a * 2))

    at = 2.5
    program = compile(f, backend="numpy")
    assert_close(program.hessian(at), hessian(f)(at))
    second, third = grad(grad(f)), grad(grad(grad(f)))
    assert_close(compile(second, backend="numpy").value_and_grad(at), (second(at), third(at)))
    assert_close(compile(third, backend="numpy")(at), third(at))
    assert_close(program.jvp((at,), (2.0,)), jvp(f, (at,), (2.0,)))


def test_a_rule_for_the_forward_mode_and_several_results_is_recorded():
    def f(x, pair):
        first, second, third = swapped(x, pair)
        return first * second + third

    x, pair = 2.0, {"a": 3.0, "b": -1.0}
    program = compile(f, backend="numpy")
    value, gradients = program.value_and_grad(x, pair)
    assert value == f(x, pair)
    assert_close(gradients, grad(f, argnums=(0, 1))(x, pair))
    assert_close(program.hessian(x, pair), hessian(f)(x, pair))


def test_parameters_get_their_derivative_from_the_rule():
    w = Value(4.0)
    program = compile(lambda x: root(w) * x, [w], batched=True, backend="numpy")
    mean, gradient = program.value_and_grad([1.0, 3.0])
    assert mean == 4.0
    assert_close(gradient, np.array([0.5]))


@pytest.mark.slow
@pytest.mark.usefixtures("quick_xla")
def test_it_is_used_in_the_steps_of_loops(backend):
    half = custom_derivative(lambda a: a**0.5, vjp=lambda args, x, g: (g / (2 * x),))
    for f in (
        lambda x: repeat(lambda s: half(s) + x, x, 3),
        lambda x: scan(lambda s, y: (s * y, half(y) * s), x, [x, x * x])[1][1],
        lambda x: while_(lambda s: s < 2 * x, lambda s: half(s) + x * x, x),
        lambda x: repeat(lambda s: s + grad(half)(x) * half(s), x, 2),
    ):
        program = compile(f, backend=backend)
        assert_close(program.value_and_grad(2.0), (f(2.0), grad(f)(2.0)))
        assert_close(program.hessian(2.0), hessian(f)(2.0))
        third = grad(grad(grad(f)))
        if backend == "numpy":
            assert_close(compile(third, backend=backend)(2.0), third(2.0))


def test_an_infinite_number_stays_what_it_is():
    ramp = custom_derivative(lambda x: maximum(x, 0.0), vjp=lambda args, y, g: (g * (y > 0),))
    program = compile(ramp, backend="numpy")
    assert program.value_and_grad(math.inf) == (math.inf, 1.0)
    assert program.value_and_grad(-math.inf) == (0.0, 0.0)


def test_a_value_that_needs_numbers_is_refused_with_the_reason():
    for f in (
        lambda x: x if x > 0 else -x,
        math.sqrt,
        lambda x: np.interp(x, [0.0, 1.0], [0.0, 2.0]),
    ):
        measured = custom_derivative(f, vjp=lambda args, y, g: (g,))
        with pytest.raises(TraceError, match="has a custom derivative, and can be compiled if"):
            compile(lambda x, measured=measured: measured(x) * 2)(1.0)


def test_programs_with_a_given_derivative_can_be_pickled():
    program = compile(lambda a: root(a), backend="numpy")
    expected = program.value_and_grad(2.0)
    assert pickle.loads(pickle.dumps(program)).value_and_grad(2.0) == expected


def test_a_constant_with_a_given_derivative_is_a_constant_in_a_program(backend):
    own_root = custom_derivative(math.sqrt, vjp=lambda args, root, g: (g / (2 * root),))
    four = Value(4.0)
    outside = own_root(four)
    for f in (
        lambda x: x * own_root(four) * outside,
        lambda x: repeat(lambda s: s + own_root(four) * outside, 0.0, 3) * x / 3,
        lambda x: grad(lambda t: t * own_root(four))(1.0) * outside * x,
        lambda x: grad(lambda t: x * own_root(four + 0 * four) * outside * t)(x),
    ):
        assert compile(f, backend=backend).value_and_grad(3.0) == (12.0, 4.0)


@pytest.mark.parametrize("rule", ["jvp", "vjp"])
def test_a_variable_that_is_not_among_the_arguments_is_refused(rule):
    rules = {"jvp": lambda args, y, t: t[0], "vjp": lambda args, y, g: (g,)}

    def f(x, factor=2.0):
        def inner(t):
            return custom_derivative(lambda a: a * t, **{rule: rules[rule]})(x) * factor

        return grad(inner)(3.0)

    with pytest.raises(TypeError, match="takes a real number, got Value"):
        f(Value(2.0))
    with pytest.raises(TypeError, match="says nothing of a variable that is not among its"):
        compile(f)(2.0)
    with pytest.raises(TypeError, match="says nothing of a variable that is not among its"):
        compile(lambda x: repeat(lambda s: f(s, x), x, 2))(2.0)


def test_what_is_not_among_the_arguments_has_no_known_derivative(backend):
    def times(y):
        return custom_derivative(lambda a: a * y, vjp=lambda args, result, g: (g * y,))

    for f in (lambda x, y: times(y)(x) * 1, lambda x, y: repeat(times(y), x, 1)):
        program = compile(f, backend=backend)
        assert program(2.0, 3.0) == 6.0
        assert program.value_and_grad(2.0, 3.0, argnums=0) == (6.0, 3.0)
        _, (known, unknown) = program.value_and_grad(2.0, 3.0)
        assert known == 3.0
        assert math.isnan(unknown)
    w = Value(3.0)
    assert math.isnan(compile(lambda x: times(w)(x), w, backend=backend).value_and_grad(2.0)[1])
    assert math.isnan(compile(lambda x: times(x + 1)(x), backend=backend).value_and_grad(2.0)[1])
    assert math.isnan(compile(lambda x, y: derivative(times(y)(x), y), backend=backend)(2.0, 3.0))


def test_what_is_detached_is_a_constant_beside_the_arguments():
    def f(x):
        factor = (x * x).detach()
        return custom_derivative(lambda a: a * factor, vjp=lambda args, y, g: (g * factor,))(x)

    assert compile(f).value_and_grad(2.0) == (8.0, 4.0)
    assert compile(grad(f))(2.0) == 4.0

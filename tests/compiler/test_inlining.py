"""Programs on Values: inside transforms, other traced functions, and checks of gradients."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import micrograd
from micrograd import (
    Value,
    custom_derivative,
    derivative,
    grad,
    hessian,
    jacobian,
    repeat,
    sin,
    tanh,
)
from micrograd.compiler import TraceError, compile  # noqa: A004
from micrograd.testing import check_gradients
from tests.compiler.conftest import QUICK
from tests.compiler.test_derivatives import assert_close


def f(x, y):
    return sin(x[0]) * y + x[1] ** 3


@pytest.mark.parametrize("backend", QUICK)
def test_a_program_on_values_has_derivatives_of_every_order(backend):
    program = compile(f, backend=backend)
    x, y = [Value(0.5), Value(2.0)], Value(3.0)
    made = program(x, y)
    assert made.data == f([0.5, 2.0], 3.0)
    first = derivative(made, y)
    assert derivative(first, x[0]).data == math.cos(0.5)
    at = [0.5, 2.0], 3.0
    assert_close(grad(program)(*at), grad(f)(*at))
    assert_close(hessian(program, (0, 1))(*at), hessian(f, (0, 1))(*at))
    assert_close(jacobian(program)(np.array(at[0]), at[1]), jacobian(f)(np.array(at[0]), at[1]))
    assert_close(
        grad(grad(lambda y: program([0.5, y], y)))(2.0), grad(grad(lambda y: f([0.5, y], y)))(2.0)
    )
    assert program(*at) == f(*at)  # and numbers still run as a program


@pytest.mark.parametrize("backend", QUICK)
def test_a_program_inside_another_traced_function_is_a_part_of_it(backend):
    inner = compile(f, backend=backend)
    outer = compile(lambda x: inner([x, 2 * x], x) * x, backend=backend)
    value, slope = outer.value_and_grad(0.7)
    expected = micrograd.value_and_grad(lambda x: f([x, 2 * x], x) * x)(0.7)
    assert_close((value, slope), expected)
    w = Value(2.0)
    with_parameters = compile(lambda x: w * x * x, [w], backend=backend)
    for _ in range(3):
        assert with_parameters(3.0) == 18.0  # by a shortcut at last
    twice = compile(lambda x: with_parameters(with_parameters(x)), [w], backend=backend)
    value, gradient = twice.value_and_grad(3.0)
    assert value == 2.0 * (2.0 * 9.0) ** 2
    assert_close(gradient, np.array([3 * 2.0**2 * 81.0]))
    constant = compile(lambda x: x + with_parameters(3.0), [w], backend=backend)
    for _ in range(3):
        assert constant.value_and_grad(1.0)[1].tolist() == [9.0]


@pytest.mark.parametrize("backend", QUICK)
def test_a_program_of_numbers_that_uses_variables_around_it_is_a_part_of_the_function(backend):
    def within(x):
        return compile(lambda t: t * t * x, backend=backend)(3.0) * x

    assert grad(within)(2.0) == 36.0
    assert grad(grad(within))(2.0) == 18.0
    assert micrograd.jvp(within, (2.0,), (1.0,)) == (36.0, 36.0)
    assert compile(within, backend=backend).value_and_grad(2.0) == (36.0, 36.0)
    assert compile(grad(within), backend=backend)(2.0) == 36.0

    def in_loops(x):
        inner = compile(lambda t: repeat(lambda s: s * x, t, 2), backend=backend)
        return repeat(lambda s: s + inner(3.0), x, 2)

    assert grad(in_loops)(2.0) == 25.0
    assert compile(in_loops, backend=backend).value_and_grad(2.0) == (26.0, 25.0)

    def in_batch(x):
        return compile(lambda t: [t * x, x * x], batched=True, backend=backend)([3.0, 4.0])

    assert jacobian(in_batch)(2.0).tolist() == [[3.0, 4.0], [4.0, 4.0]]


def test_the_gradient_of_a_program_that_uses_variables_around_it_is_refused():
    for f in (
        lambda x: compile(lambda t: t * x).value_and_grad(3.0)[0],
        lambda x: compile(lambda t: repeat(lambda s: s * x, t, 2)).value_and_grad(3.0)[0],
        lambda x: compile(lambda t: t * x).jacobian(3.0),
        lambda x: compile(lambda t: t * x).hvp(3.0, 1.0),
    ):
        with pytest.raises(TraceError, match="uses a variable of the function around it"):
            grad(f)(2.0)
    w = Value(2.0)  # no variable, but a constant

    def of_given_slope(x):
        doubled = custom_derivative(lambda a: 2 * a, vjp=lambda args, y, g: (g * x,))(w) + 1
        return compile(lambda t: t * doubled).value_and_grad(3.0)[0]

    def of_alias(t):
        return compile(lambda s: s * (t + 1)).value_and_grad(3.0)[0]

    for f, at in ((of_given_slope, 2.0), (of_alias, w)):
        with pytest.raises(TraceError, match="uses a variable of the function around it"):
            grad(f)(at)
    kept = []
    grad(lambda x: kept.append(x) or x)(2.0)  # a variable once, and a constant now
    for two in (w, kept[0]):
        program = compile(lambda t, two=two: t * two)
        assert grad(lambda x, p=program: p.value_and_grad(3.0)[0] * x)(5.0) == 6.0


def test_a_program_within_a_derivative_may_take_derivatives_itself():
    def f(s):
        return s * grad(lambda t: t * t * s)(2.0)

    assert grad(lambda x: compile(f).value_and_grad(3.0)[1] * x)(5.0) == 24.0


def test_gradients_of_a_program_can_be_checked():
    report = check_gradients(compile(f), [0.5, 2.0], 3.0, order=2)
    assert report
    w = Value(2.0)
    assert check_gradients(compile(lambda x: tanh(w * x), [w]), 0.3)


def test_a_batch_of_values_gives_a_batch_of_values():
    w = Value(2.0)
    program = compile(
        lambda x, s: {"a": [w * x[0], x[1] * s], "b": np.array([x[0], s])},
        [w],
        batched=True,
        in_axes=(0, None),
    )
    X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    s = Value(0.5)
    found, expected = program(X, s), program(X, 0.5)
    assert [each.tolist() for each in found["a"]] != expected
    assert_close([x.data for x in found["a"][1]], expected["a"][1].tolist())
    assert found["b"].shape == expected["b"].shape == (3, 2)
    total = sum(found["a"][0])
    assert derivative(total, w).data == 9.0
    keyed = compile(lambda d: d["x"] * d["y"], batched=True)
    made = keyed({"x": [Value(1.0), Value(2.0)], "y": np.array([3.0, 4.0])})
    assert [each.data for each in made] == [3.0, 8.0]
    with pytest.raises(ValueError, match="batches of different lengths"):
        compile(lambda x, y: x * y, batched=True)([Value(1.0)], [1.0, 2.0])


def test_a_program_with_static_arguments_works_on_values():
    program = compile(lambda x, n: x**n, static="n")
    assert grad(lambda x: program(x, 3))(2.0) == 12.0
    assert grad(lambda x: program(x, n=3))(2.0) == 12.0


def test_numbers_of_parameters_cannot_be_given_for_values():
    w = Value(2.0)
    program = compile(lambda x: w * x, [w])
    with pytest.raises(TypeError, match="argument 0 takes a real number, got Value"):
        program(Value(1.0), parameters=[3.0])


def test_a_program_has_the_signature_and_the_name_of_its_function():
    program = compile(f)
    assert inspect.signature(program) == inspect.signature(f)
    assert inspect.unwrap(program) is f

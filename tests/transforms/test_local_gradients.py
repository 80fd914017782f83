"""Operations written by hand: a `_backward`, or local gradients as numbers or functions."""

from __future__ import annotations

import math
import pickle
from functools import partial

import pytest

from micrograd import (
    Value,
    cos,
    derivative,
    grad,
    hessian,
    hvp,
    jvp,
)


def test_a_step_written_by_hand_is_refused_where_its_formula_would_be_needed():
    def f(x):
        out = Value(math.sin(x.data), (x,), "sin")
        out._backward = lambda: None
        return out

    for transform in (grad(grad(f)), hessian(f), lambda x: jvp(f, (x,), (1.0,))):
        with pytest.raises(TypeError, match=r"define.*local_grads"):
            transform(1.0)


def test_the_gradient_follows_a_step_written_by_hand():
    def f(x):
        out = Value(math.sin(x.data), (x,), "sin")

        def step():
            x.grad += math.cos(x.data) * out.grad

        out._backward = step
        return 3 * out

    assert grad(f)(1.0) == 3 * math.cos(1.0)


def test_local_gradients_given_as_numbers_are_followed_once():
    def f(x):
        return 3 * Value(math.sin(x.data), (x,), "sin", local_grads=(math.cos(x.data),))

    assert grad(f)(1.0) == 3 * math.cos(1.0) == jvp(f, (1.0,), (1.0,))[1]
    x = Value(1.0)
    slope = derivative(f(x), x)
    assert slope.data == 3 * math.cos(1.0)
    for again in (
        slope.backward,
        lambda: derivative(slope, x),
        lambda: grad(grad(f))(1.0),
        lambda: jvp(grad(f), (1.0,), (1.0,)),
        lambda: grad(lambda x: jvp(f, (x,), (1.0,))[1])(1.0),
        lambda: hessian(f)(1.0),
        lambda: hvp(f, 1.0, 1.0),
    ):
        with pytest.raises(TypeError, match=r"'sin' were given as numbers.*give functions"):
            again()


@pytest.mark.parametrize(
    "slope",
    [lambda x: math.cos(x.data), lambda x: Value(math.cos(x.data)), lambda x: 1 / (x.data - 1)],
)
def test_local_gradients_by_a_function_that_reads_numbers_are_followed_once(slope):
    def f(x):
        return Value(5.0, (x,), "sin", local_grads=[slope])

    for at in (0.0, 0.5, -2.0, 1e200):
        found = slope(Value(at))
        assert grad(f)(at) == (found.data if isinstance(found, Value) else found)
        with pytest.raises(TypeError, match=r"'sin' were given .*read \.data.*give functions"):
            grad(grad(f))(at)


def test_local_gradients_by_a_function_may_be_constant():
    w = Value(3.0)
    for local in (
        lambda x: 2.0,
        lambda x: w,
        lambda x: 1.0 if x > 0 else 0.1,
        lambda x: float(x.data >= 0),
        lambda x: math.nan,
    ):
        made = partial(lambda local, x: Value(5.0, (x,), local_grads=[local]), local)
        for at in (0.0, 1.5, -2.0, math.inf):
            assert grad(grad(made))(at) == 0.0


def test_an_inner_derivative_that_nothing_around_it_varies_needs_no_second_one():
    def f(x):
        return Value(math.sin(x.data), (x,), "sin", local_grads=(math.cos(x.data),))

    assert grad(lambda x: x * grad(f)(1.0))(2.0) == math.cos(1.0)
    assert jvp(lambda x: x * grad(f)(1.0), (2.0,), (1.0,))[1] == math.cos(1.0)


def test_local_gradients_given_as_functions_are_right_in_every_order():
    def f(x):
        return Value(math.sin(x.data), (x,), "sin", local_grads=[cos])

    def product(x, y, z):
        slopes = [lambda x, y, z: y * z, lambda x, y, z: x * z, lambda x, y, z: x * y]
        return Value(x.data * y.data * z.data, (x, y, z), "product", local_grads=slopes)

    for transform, expected in (
        (f, math.sin),
        (grad(f), math.cos),
        (grad(grad(f)), lambda x: -math.sin(x)),
        (grad(grad(grad(f))), lambda x: -math.cos(x)),
        (lambda x: jvp(grad(f), (x,), (1.0,))[1], lambda x: -math.sin(x)),
    ):
        found = transform(Value(1.0))
        assert found.data == pytest.approx(expected(1.0), rel=1e-15)
    assert hessian(lambda x: product(*x))([2.0, 3.0, 5.0]).tolist() == [
        [0.0, 5.0, 3.0],
        [5.0, 0.0, 2.0],
        [3.0, 2.0, 0.0],
    ]
    x = Value(1.0)
    copied = pickle.loads(pickle.dumps(Value(math.sin(1.0), (x,), "sin", local_grads=[cos])))
    copied.backward()
    assert copied._children[0].grad == math.cos(1.0)
    with pytest.raises(TypeError, match=r"local_grads takes a real number, got str"):
        Value(1.0, (x,), local_grads=[lambda x: "1"])


def test_a_function_may_refer_to_the_variable_of_an_outer_transform():
    def outer(y):
        def inner(x):
            return Value(3 * x.data, (x,), "by hand", local_grads=(lambda _: y,))

        return grad(inner)(2.0)

    assert grad(outer)(5.0) == 1.0

"""Transforms nest without confusion, change no Value, and do not see each other's threads."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from micrograd import (
    Value,
    derivative,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    sin,
    value_and_grad,
    vjp,
)
from micrograd.transforms.runs import _running
from nn import MLP
from tests.transforms.common import cube


def test_the_classic_program_with_a_constant_inner_function_gives_zero():
    assert grad(lambda x: x * grad(lambda y: x)(2.0))(1.0) == 0.0


def test_an_inner_derivative_does_not_see_the_outer_variable():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(3.0))(5.0) == 10.0
    # the inner point is the outer variable itself: d/dx of x * (d/dy x*y at y = x) is 2x
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(5.0) == 10.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(5.0) == 20.0


@pytest.mark.parametrize("outer", ["reverse", "forward"])
@pytest.mark.parametrize("inner", ["reverse", "forward"])
def test_modes_nest_in_each_other(outer, inner):
    def by(mode, f):
        return grad(f) if mode == "reverse" else lambda x: jvp(f, (x,), (1.0,))[1]

    g = by(outer, lambda x: x * by(inner, lambda y: sin(x * y) * x)(x))
    x = 0.7
    # x * d/dy [x sin(x y)] at y = x is x³ cos(x²)
    assert g(x) == pytest.approx(3 * x**2 * math.cos(x * x) - 2 * x**4 * math.sin(x * x), rel=1e-14)


def test_no_gradient_of_any_value_is_touched():
    w = Value(3.0)
    w.grad = 17.0
    h = w * w
    h.grad = 5.0
    for transform in (grad, value_and_grad, jacobian, hessian):
        transform(lambda x: x * h + w)(2.0)
    jvp(lambda x: x * h, (2.0,), (1.0,))
    hvp(lambda x: x * x * h, 2.0, 1.0)
    vjp(lambda x: x * h, 2.0)[1](1.0)
    derivative(h * w, w)
    assert (w.grad, h.grad, w.data, h.data) == (17.0, 5.0, 3.0, 9.0)


def test_values_that_the_function_closes_over_are_constants():
    w = Value(3.0)
    assert grad(lambda x: x * w)(2.0) == 3.0


def test_an_argument_that_is_a_value_gives_a_value_to_be_differentiated_again():
    x = Value(2.0)
    slope = grad(lambda t: t**3)(x)
    assert isinstance(slope, Value)
    slope.backward()
    assert (slope.data, x.grad) == (12.0, 12.0)


def test_an_error_in_the_function_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: 1 // 0)(1.0)
    assert _running.depth == 0
    assert grad(cube)(2.0) == 12.0


@pytest.mark.parametrize(
    "inner",
    [
        lambda f: grad(f)(2.0),
        lambda f: value_and_grad(f)(2.0)[1],
        lambda f: jvp(f, (2.0,), (1.0,))[1],
        lambda f: vjp(f, 2.0)[1](1.0)[0],
        lambda f: hvp(lambda y: f(y) * y, 2.0, 0.25),  # of x * y**3: 6 * x * y / 4
        lambda f: jacobian(f)(2.0),
        lambda f: hessian(lambda y: f(y) * y)(2.0) / 3,
    ],
    ids=["grad", "value_and_grad", "jvp", "vjp", "hvp", "jacobian", "hessian"],
)
def test_an_inner_transform_in_another_thread_sees_the_variables_around_it(inner):
    def product(x):
        return pool.submit(lambda: number(inner(lambda y: x * y * y))).result()

    def number(found):
        return found.item() if getattr(found, "shape", None) == () else found

    expected = inner(lambda y: 1.0 * y * y)
    with ThreadPoolExecutor(1) as pool:
        for found, factor in (
            (grad(product)(3.0), 1),
            (jvp(product, (3.0,), (1.0,))[1], 1),
            (grad(lambda x: product(x) * x)(3.0), 6),
            (hessian(lambda x: product(x) * x)(3.0), 2),
        ):
            assert found == pytest.approx(factor * expected, rel=1e-15)  # of a few roundings


def test_an_inner_transform_that_uses_no_variable_around_it_gives_plain_numbers():
    with ThreadPoolExecutor(1) as pool:
        found = []
        grad(lambda x: found.append(pool.submit(grad(sin), 0.0).result()) or x)(1.0)
        assert found == [1.0]
    kept = []
    grad(lambda x: kept.append(x) or x * x)(2.0)
    assert type(grad(lambda y: kept[0] * y)(3.0)) is float, "the run of that variable is over"


@pytest.mark.parametrize(
    "transform",
    [
        lambda f, x: grad(f)(x),
        lambda f, x: value_and_grad(f)(x)[1],
        lambda f, x: jvp(f, (x,), (1.0,))[1],
        lambda f, x: vjp(f, x)[1](1.0)[0],
        lambda f, x: linearize(f, x)[1](1.0),
        lambda f, x: jacobian(f)(x).item(),
        lambda f, x: hvp(f, x, 1.0),
        lambda f, x: grad(grad(f))(x),
        lambda f, x: hessian(f)(x).item(),
    ],
)
def test_earlier_values_are_constants_at_numbers_and_reached_by_backward_at_values(transform):
    c = Value(3.0)
    assert transform(lambda t: c * t**3, 2.0) == 36.0  # both 3 c t² and 6 c t
    assert type(transform(lambda t: c * t**3, 2.0)) is not Value
    slope = transform(lambda t: c * t**3, Value(2.0))
    slope.backward()
    assert (slope.data, c.grad) == (36.0, 12.0)


def test_a_network_is_trained_by_the_derivative_of_its_output():
    model = MLP(1, [4, 1])

    def loss(x):
        return (grad(lambda t: model([t]))(Value(x)) - 1.0) ** 2

    loss(0.5).backward()
    for p in model.parameters():
        at, h = p.data, 1e-5
        beside = []
        for p.data in (at - h, at + h):
            beside.append(loss(0.5).data)
        p.data = at
        # The error is of the order of h² = 1e-10, and rounding of 1e-16 / h.
        assert (beside[1] - beside[0]) / (2 * h) == pytest.approx(p.grad, abs=1e-7)


def test_threads_do_not_see_each_others_transforms():
    seen = []

    def work():
        seen.append([type(grad(cube)(2.0)) for _ in range(200)])

    def outer(x):
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return x

    grad(outer)(1.0)
    assert all(kind is float for kinds in seen for kind in kinds)
    assert len(seen) == 3

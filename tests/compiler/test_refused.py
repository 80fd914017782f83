"""What a compiled function must not do, and what it is told."""

from __future__ import annotations

import copy
import math
import random

import numpy as np
import pytest

from micrograd import (
    Value,
)
from micrograd.compiler import TraceError, compile  # noqa: A004
from nn import MLP


@pytest.mark.parametrize(
    ("f", "deed", "remedy"),
    [
        (lambda x: x if x > 0 else -x, "branches on a value", "micrograd.where"),
        (lambda x: max(x, 1.0), "branches on a value", "maximum(a, b)"),
        (lambda x: math.exp(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: x * int(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: round(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: x and 1, "branches on a value", "where"),
        (lambda x: x * x.data, "reads the number of a value (.data)", "v.detach()"),
        (lambda x: x.backward(), "calls backward()", "derivative(output, wrt)"),
        (lambda x: setattr(x, "data", 1.0), "sets the number of a value", "return the new value"),
        (lambda x: x * x.grad, "reads the gradient of a value (.grad)", "derivative(output, wrt)"),
        (lambda x: setattr(x, "grad", 0.0), "sets the gradient of a value", "leave it out"),
    ],
)
def test_what_depends_on_a_number_is_refused_with_the_line_and_the_remedy(f, deed, remedy):
    with pytest.raises(TraceError) as refusal:
        compile(f)(1.0)
    assert deed in str(refusal.value)
    assert remedy in str(refusal.value)
    assert "test_refused.py, line" in str(refusal.value)
    assert isinstance(refusal.value, TypeError)


def test_reading_a_parameter_is_refused_as_well():
    w = Value(2.0)
    for f in (lambda x: x * w.data, lambda x: x if w > 1 else -x):
        with pytest.raises(TraceError):
            compile(f, [w])(1.0)


def test_gradients_within_a_function_are_refused_and_stay_as_they_were():
    model = MLP(2, [3, 1])
    for p in model.parameters():
        p.grad = 7.0

    def zeroing(x):
        model.zero_grad()
        return model(x)

    for f in (zeroing, lambda x: model(x) * model.parameters()[0].grad):
        with pytest.raises(TraceError, match="gradient of a value"):
            compile(f, model.parameters())([1.0, 2.0])
        assert {p.grad for p in model.parameters()} == {7.0}


def test_a_value_that_was_kept_from_another_function_is_refused():
    w = Value(2.0)
    kept = []

    def keeping(x):
        kept.append((w * x).tanh())
        return kept[-1]

    compile(keeping, [w])(1.0)
    for early in kept:
        for f in (
            lambda y, early=early: (y * y).exp() + early,
            lambda y, early=early: y.sin() * early,
            lambda y, early=early: (early + y) ** 2,
            lambda y, early=early: early,
        ):
            with pytest.raises(TraceError, match="return what you need from it"):
                compile(f, [w])(0.5)

    def kept_between_runs(x):
        kept.append(x.exp())
        return kept[0] * x

    kept.clear()
    with pytest.raises(TraceError, match="return what you need from it"):
        compile(kept_between_runs)(0.5)


def test_a_program_of_the_same_parameters_is_refused_within_a_function():
    w = Value(2.0)
    inner = compile(lambda x: x * w, [w])
    assert inner(3.0) == 6.0
    with pytest.raises(TraceError, match="calls a program of its own parameters"):
        compile(lambda x: x * inner(3.0), [w])(1.0)
    assert compile(lambda x: x * inner(3.0))(2.0) == 12.0  # a constant there


def test_the_line_is_the_users_also_behind_functions_of_numpy_and_python():
    for f in (lambda x: np.sort([x, x])[0], lambda x: copy.copy(x)):
        with pytest.raises(TraceError, match=r"test_refused\.py, line"):
            compile(f)(1.0)


@pytest.mark.parametrize("turn", [math.exp, float, int])
def test_turning_a_value_into_a_number_is_refused(turn):
    with pytest.raises(TypeError, match="turns a value into a number"):
        compile(lambda x: turn(x))(1.0)


def test_random_numbers_and_outside_state_are_refused():
    count = iter(range(100))
    steps = []

    def growing(x):
        steps.append(x)
        return sum(steps)

    for f in (lambda x: x * random.random(), lambda x: x * next(count), growing):
        with pytest.raises(
            TypeError, match=r"when it was run again|after the function had returned"
        ):
            compile(f)(1.0)


def test_a_value_that_leaves_its_function_is_refused_later():
    kept = []
    compile(lambda x: kept.append(x) or x * 2)(1.0)
    with pytest.raises(TraceError, match="after the function had returned"):
        kept[0] * 2


def test_operations_made_by_hand_are_refused():
    by_hand = Value(2.0, (Value(1.0),), "mine", local_grads=(1.0,))
    with pytest.raises(TraceError, match=r"'mine', an operation made by hand.*micrograd\.define"):
        compile(lambda x: x * by_hand)(1.0)


def test_an_error_of_the_function_comes_through_and_leaves_everything_usable():
    w = Value(2.0)

    def f(x):
        if len(x) > 1:
            raise KeyError("mine")
        return x[0] * w

    compiled = compile(f, [w])
    with pytest.raises(KeyError, match="mine"):
        compiled([1.0, 2.0])
    assert type(w) is Value
    assert compiled([3.0]) == 6.0

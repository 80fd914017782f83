"""`detect_anomaly`: the first nan or infinity is an error that says where it came from."""

from __future__ import annotations

import math
import threading

import pytest

from micrograd import (
    Value,
    compile,  # noqa: A004
    cos,
    derivative,
    detect_anomaly,
    grad,
    hessian,
    jvp,
    log,
    sqrt,
    where,
)
from micrograd.anomaly import AnomalyError
from micrograd.engine.methods import Methods
from nn import Neuron


def message(make) -> str:
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        make()
    return str(caught.value)


@pytest.mark.parametrize(
    ("make", "operation"),
    [
        (lambda: Value(0.0).log(), "log(0.0) is -inf"),
        (lambda: log(Value(-1.0)), "log(-1.0) is nan"),
        (lambda: 1 / Value(0.0), "div(1, 0.0) is inf"),
        (lambda: Value(1e200) * Value(1e200), "mul(1e+200, 1e+200) is inf"),
        (lambda: Value(10.0) ** 400, "pow(10.0, 400) is inf"),
        (lambda: where(Value(1.0), Value(2.0) * 1e400, 0), "mul(2.0, inf) is inf"),
        (lambda: Value(math.nan, (Value(1.0),), "made"), "made(1.0) is nan"),
    ],
)
def test_the_first_number_that_is_not_finite_names_its_operation_and_operands(make, operation):
    assert message(make).startswith(operation)


def test_the_line_that_built_it_is_shown():
    def make():
        x = Value(2.0) - 2
        return x.log() + 1

    text = message(make)
    assert "test_anomaly.py, line" in text
    assert text.endswith("return x.log() + 1")


def test_the_line_is_the_users_own_not_one_of_the_library():
    def make():
        neuron = Neuron(1, activation="log")
        neuron.b.data = -5.0
        return neuron([0.0])

    assert message(make).endswith("return neuron([0.0])")


@pytest.mark.parametrize("inside", [True, False], ids=["built inside", "built outside"])
def test_a_gradient_that_is_not_finite_names_the_operation_that_made_it(inside):
    def build():
        return sqrt(Value(1.0) - 1) * 3

    def run():
        (build() if inside else root).backward()

    root = build()
    text = message(run)
    assert "gradient of 0.0 became inf" in text
    assert "sqrt(0.0), whose gradient is 3.0 and whose local derivative for it is inf" in text
    assert ("return sqrt(" in text) == inside
    assert ("unknown line" in text) != inside


def test_gradients_are_as_they_were_after_the_error():
    x = Value(1.0)
    x.grad = 7.0
    root = sqrt(x - 1)
    with pytest.raises(AnomalyError), detect_anomaly():
        root.backward()
    assert x.grad == 7.0


def test_transforms_are_watched_too():
    with pytest.raises(AnomalyError, match="sqrt"), detect_anomaly():
        grad(lambda x: sqrt(x) * 2)(0.0)
    with pytest.raises(AnomalyError), detect_anomaly():
        grad(grad(lambda x: sqrt(x)))(0.0)


@pytest.mark.parametrize(
    ("f", "operation"),
    [
        (lambda x: cos(sqrt(x)), "sqrt(0.0) is inf"),
        (lambda x: sqrt(x) ** 2, "sqrt(0.0) is inf"),
        (lambda x: 0.0 * sqrt(x) + x, "sqrt(0.0) is inf"),
        (lambda x: 3 * ((sqrt(x) * 0.0) + x), "sqrt(0.0) is inf"),
        (lambda x: Value(0.0, (x,), "made", local_grads=[math.nan]) * 0.0, "made(0.0) is nan"),
    ],
)
def test_zero_times_infinity_in_the_chain_rule_names_its_operation(f, operation):
    x = Value(0.0)
    root = f(x)
    assert "zero times infinity" in message(root.backward)
    assert operation in message(root.backward)
    assert x.grad == 0
    for transform in (lambda: grad(f)(0.0), lambda: derivative(root, x), lambda: hessian(f)(0.0)):
        assert operation in message(transform)
    # Forward mode reaches the infinity first, and names the operation that multiplies it by 0.
    assert "zero times infinity" in message(lambda: jvp(f, (0.0,), (1.0,)))


def test_what_was_not_asked_for_or_not_taken_is_not_an_anomaly():
    for f in (
        lambda x: where(x > 0, sqrt(x), 0.0) + x,
        lambda x: (sqrt(x) - 1).relu() + x,
        lambda x: sqrt(x).detach() + x,
    ):
        with detect_anomaly():
            assert grad(f)(0.0) == jvp(f, (0.0,), (1.0,))[1] == 1.0
    with detect_anomaly():
        assert jvp(lambda x, y: x + sqrt(y), (1.0, 0.0), (1.0, 0.0))[1] == 1.0


@pytest.mark.parametrize(
    "f",
    [
        lambda x: where(x > 0, sqrt(x) * sqrt(x), x),
        lambda x: where(x == 0, x, cos(sqrt(x))),
        lambda x: where(x > 0, where(x > 1, x, sqrt(x) ** 2), 2 * x),
    ],
)
def test_a_zero_that_meets_infinity_in_a_branch_not_taken_is_not_an_anomaly_in_any_mode(f):
    def push(f):
        return lambda x: jvp(f, (x,), (1.0,))[1]

    with detect_anomaly():
        for derived in (grad(f), push(f), grad(push(f)), push(push(f)), push(grad(f))):
            assert math.isfinite(derived(0.0))

    # But if another output depends on it, a derivative is hidden.
    def both(x):
        wave = cos(sqrt(x))
        return [wave, where(x == 0, x, wave)]

    assert "zero times infinity" in message(lambda: jvp(both, (0.0,), (1.0,)))


def test_a_function_may_be_compiled_while_anomalies_are_detected():
    with detect_anomaly():
        assert compile(lambda x: where(x > 0, sqrt(x), 1 + x), backend="numpy")(4.0) == 2.0


def test_finite_numbers_and_infinite_leaves_pass():
    with detect_anomaly():
        x = Value(2.0)
        y = (x * 3).tanh() + x.relu() - Value(math.inf).sign()
        y.backward()
    assert x.grad > 0


def test_nothing_is_left_behind():
    before = dict(vars(Methods))
    for _ in range(2):
        with pytest.raises(AnomalyError), detect_anomaly(), detect_anomaly():
            Value(0.0).log()
    after = vars(Methods)
    assert {name for name in before if type(before[name]).__name__ == "function"} <= {
        name for name in after if before.get(name) is after[name]
    }
    assert Value(0.0).log().data == -math.inf


def test_only_the_thread_that_entered_is_watched():
    seen = []

    def work():
        seen.append(Value(0.0).log().data)

    with detect_anomaly():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [-math.inf]

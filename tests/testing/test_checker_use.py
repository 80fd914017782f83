"""What the gradient checker takes, and what its report tells."""

from __future__ import annotations

import math
import random

import pytest

import nn
from micrograd import Value, define, detach, exp, sigmoid, sin, tanh
from micrograd.testing import (
    GradientMismatch,
    check_gradients,
    check_grads,
    check_operation,
    gradient_checked,
)
from tests.testing.common import BUILT_IN, by_hand, defined, mismatch

# --------------------------------------------------------------------------------------- the report


def test_the_report_shows_every_witness_and_the_bound():
    report = check_gradients(lambda x, y: x * y / (1 + x * x), 0.5, -1.5)
    assert report
    for text in (
        "reverse",
        "forward",
        "difference",
        "complex step",
        "exact",
        "rounding",
        "order 2",
    ):
        assert text in str(report)
    assert [witness.silent for witness in report.witnesses] == [""] * 4
    assert all(bound < 1e-14 for bound in report.bounds)


def test_the_exact_witness_is_exact_and_the_reverse_mode_is_within_the_stated_rounding():
    report = check_gradients(lambda x: x**5 / 3 - x.square() / (1 + x), 0.1, modes=["exact"])
    (witness,) = report.witnesses
    from fractions import Fraction

    x = Fraction(0.1)
    slope = 5 * x**4 / 3 - (2 * x * (1 + x) - x**2) / (1 + x) ** 2
    assert witness.found[0].value == float(slope)
    assert math.fabs(report.gradient[0] - slope) <= report.bounds[0]


def test_silent_witnesses_say_why():
    report = check_gradients(by_hand("sine", math.sin, lambda x, out: math.cos(x)), 0.5)
    silent = {witness.name: witness.silent for witness in report.witnesses if witness.silent}
    assert set(silent) == {"forward", "complex step", "exact"}
    assert "'sine' was made by hand" in silent["exact"]


def test_an_input_that_never_reaches_the_output_is_reported_and_is_not_a_failure():
    report = check_gradients(lambda x, y, z: x * y, 1.0, 2.0, 3.0)
    assert report
    assert "never reaches the output: z" in str(report)


def test_taylors_remainder_is_of_order_2_for_a_true_gradient_and_1_for_a_wrong_one():
    assert "order 2.0" in check_gradients(lambda x: sin(x), 0.5).taylor
    wrong = defined("sin(x)", "1.1 * cos(x)")
    assert "order 1.0" in check_gradients(wrong, 0.5, raise_exception=False).taylor
    assert "order 1.0" in str(mismatch(wrong, 0.5, modes=["taylor"]))


# ------------------------------------------------------------------------------------ what it takes


def test_inputs_may_be_nested_lists_tuples_and_dicts():
    def f(w, p):
        return w["a"][0] * w["a"][1] + sin(w["b"]) * p[0] - p[1][0]

    report = check_gradients(f, {"a": [1.0, 2.0], "b": 3}, (0.5, [1.5]))
    assert report.names == ["w['a'][0]", "w['a'][1]", "w['b']", "p[0]", "p[1][0]"]
    assert report.gradient == pytest.approx([2, 1, 0.5 * math.cos(3), math.sin(3), -1])


def test_values_may_be_given_as_inputs_and_stay_as_they_are():
    x = Value(0.5, label="alpha")
    x.grad = 7
    report = check_gradients(lambda x: x * x, x)
    assert report.names == ["alpha"]
    assert (x.data, x.grad) == (0.5, 7)


def test_every_output_is_checked():
    wrong = defined("x * x", "x")
    assert check_gradients(lambda x: [x * x, {"y": sin(x)}], 0.5)
    assert mismatch(lambda x: [x * x, wrong(x)], 0.5).guilty == wrong.__name__


@pytest.mark.parametrize("by", ["parameters", "module"])
def test_a_model_with_a_loss_is_checked_and_left_as_it_was(by):
    random.seed(1)
    model = nn.MLP(2, [4, 1])
    for parameter in model.parameters():
        parameter.grad = random.random()
    before = [(p.data.hex(), p.grad.hex()) for p in model.parameters()]

    def loss(scale=1.0):
        points = [([1.0, -2.0], 1.0), ([0.5, 0.25], -1.0)]
        return scale * sum((1 - y * model(x)).relu() for x, y in points)

    wrt = model if by == "module" else model.parameters()
    report = check_gradients(loss, 2.0, wrt=wrt)
    assert report
    assert len(report.gradient) == 17
    assert [(p.data.hex(), p.grad.hex()) for p in model.parameters()] == before


def test_a_wrong_activation_in_a_model_is_named():
    random.seed(1)
    wrong = defined("x / (1 + exp(-x))", "sigmoid(x)")
    model = nn.MLP(2, [3, 1], activation=wrong)
    error = mismatch(lambda: (model([1.0, -2.0]) - 1) ** 2, wrt=model)
    assert error.guilty == wrong.__name__
    assert error.input.startswith("parameters[")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [0.0, 1e-5])
def test_a_model_of_hundreds_of_parameters_is_checked_on_lines_and_then_one_by_one(fault):
    random.seed(3)
    wrong = defined("x + 0", f"1 + {fault!r}")
    model = nn.MLP(2, [16, 16, 1], activation="tanh")

    def loss():
        score = model([0.3, -0.7])
        return (wrong(model.layers[0].neurons[5].w[1]) + score) ** 2

    if not fault:
        report = check_gradients(loss, wrt=model)
        assert "moved together" in str(report)
    else:
        error = mismatch(loss, wrt=model)
        assert (error.guilty, error.input) == (wrong.__name__, "parameters[16]")


def test_what_a_function_closes_over_keeps_its_gradient():
    w = Value(3.0)
    w.grad = 0.25
    assert check_gradients(lambda x: x * w, 2.0)
    assert (w.data, w.grad) == (3.0, 0.25)


def test_a_user_may_bring_step_tolerances_and_modes():
    wrong = defined("x * x", "2.002 * x")
    assert mismatch(wrong, 1.0, modes=["fwd", "rev", "fd"], eps=1e-3).guilty == wrong.__name__
    assert check_gradients(wrong, 1.0, rtol=1e-2)
    assert check_gradients(wrong, 1.0, atol=1e-2)
    assert check_grads is check_gradients


# ------------------------------------------------------------------------------------- second order


def test_second_derivatives_are_checked_in_the_same_way():
    report = check_gradients(lambda x, y: tanh(x * y) * exp(y) + x**3, 0.5, -1.5, order=2)
    assert len(report.deeper) == 2
    assert "d f/dx" in str(report)


def test_a_rule_that_is_right_in_value_and_wrong_in_its_own_derivative_is_caught_at_order_2():
    detached = defined("x * x", "2 * detach(x)")
    assert check_gradients(detached, 1.5)
    second = mismatch(detached, 1.5, order=2)
    assert "second derivative" in str(second)
    report = check_gradients(lambda x: detached(x) * detach(x), 1.5, order=2)
    assert report.is_undecided
    assert "a rule detaches a number" in str(report)
    assert check_gradients(lambda x: sin(x) * detach(x), 1.5, order=2)
    lost = mismatch(lambda x: detached(x) + x * cut(x), 1.5, order=2)
    assert lost.report.function == "d f/dx"


def cut(x):
    """A value whose slope is right and whose second derivative is lost."""
    return Value(x.data**2, (x,), "cut", local_grads=[lambda x: 2 * x.detach()])


def test_third_derivatives_are_checked_too():
    assert check_gradients(lambda x: sin(x) * exp(x), 0.7, order=3)


# --------------------------------------------------------------------------------------- one-liners


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "detach"])
def test_every_row_of_the_table_passes_at_points_of_its_domain(name):
    assert check_operation(name, points=12)


def test_a_row_that_claims_no_derivative_anywhere_is_not_confirmed():
    reports = check_operation("detach")
    assert not reports
    assert "undecided" in str(reports)


def test_check_operation_takes_what_define_returned_and_names_a_wrong_row():
    assert check_operation(define("cube_", "x * x * x", ["3 * x * x"]))
    with pytest.raises(GradientMismatch, match="cube_"):
        check_operation(define("cube_", "x * x * x", ["3 * x"]))
    with pytest.raises(KeyError):
        check_operation("no_such_row")


def test_the_decorator_makes_a_function_a_test():
    @gradient_checked(0.5, -1.0, 3, order=2)
    def swish(x):
        return x * sigmoid(x)

    assert swish() is None
    assert swish.__name__ == "swish"

    @gradient_checked((0.5, 2.0))
    def wrong(x, y):
        return x * y.data

    with pytest.raises(GradientMismatch):
        wrong()
    with pytest.raises(ValueError, match="points"):
        gradient_checked()


def test_the_decorated_test_fails_where_the_check_is_undecided():
    @gradient_checked(1.0, -1.0)
    def logarithm(x):
        return x.log()

    with pytest.raises(AssertionError, match="UNDECIDED"):
        logarithm()


@gradient_checked(0.5, (2.0,))
def test_the_decorator_is_understood_by_pytest(x):
    return x * tanh(x)


def test_one_output_may_be_written_by_hand_and_another_not():
    def cube(x, wrong=0.0):
        out = Value(x.data**3, (x,), "cube")

        def step():
            x.grad += (3 * x.data**2 + wrong) * out.grad

        out._backward = step
        return out

    assert check_gradients(lambda x: [x * x, cube(x)], 2.0)
    with pytest.raises(GradientMismatch, match="cube"):
        check_gradients(lambda x: [x * x, cube(x, wrong=1.0)], 2.0)

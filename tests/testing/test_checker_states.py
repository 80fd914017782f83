"""The three states of a check: confirmed, wrong, and undecided, with the reason."""

from __future__ import annotations

import math

import numpy as np
import pytest

import micrograd
from micrograd import (
    Value,
    acos,
    cos,
    define,
    detach,
    exp,
    hypot,
    log,
    maximum,
    minimum,
    relu,
    sqrt,
    tanh,
    where,
)
from micrograd.testing import GradientMismatch, check_gradients, check_operation, mutation_report
from micrograd.testing.report import Report
from tests.testing.common import by_hand, defined, mismatch

# --------------------------------------------------------------------------- what is not confirmed


def test_a_report_is_true_only_if_nothing_is_wrong_and_nothing_is_undecided():
    report = Report("f", ["x"], [1.0], undecided=["nobody said anything"])
    assert not report
    assert report.is_undecided
    assert not report.is_wrong
    above = Report("f", [], [], deeper=[report])
    assert not above
    assert above.is_undecided
    assert "nobody said anything" in repr(above)


def test_an_undecided_report_raises_nothing_and_fails_an_assertion_with_the_reason():
    report = check_gradients(log, -1.0)
    assert report.is_undecided
    assert "undecided: the value is nan" in str(report)
    assert repr(report) == str(report)


MODES = [("fwd", "rev"), ("rev",), ("fwd",), ["forward"], "reverse", "rev", ("fd",), "taylor"]


@pytest.mark.parametrize("modes", MODES, ids=str)
def test_each_mode_that_is_named_is_compared_with_a_witness_that_does_not_share_the_rules(modes):
    wrong = defined("tanh(x)", "1 - x * x")
    assert check_gradients(tanh, 0.5, modes=modes)
    with pytest.raises(GradientMismatch):
        check_gradients(wrong, 0.5, modes=modes)


def test_a_witness_that_is_asked_alone_and_is_silent_decides_nothing():
    wrong = defined("tanh(x)", "1 - x * x")
    for f in (wrong, tanh):
        report = check_gradients(f, 0.5, modes=["exact"])
        assert report.is_undecided
        assert "exact is silent" in str(report)
    assert check_gradients(lambda x: x * x * x, 0.5, modes=["exact"])


def test_a_forward_mode_that_is_named_and_silent_is_reported():
    sine = by_hand("sine", math.sin, lambda x, out: math.cos(x))
    assert check_gradients(sine, 0.5)
    report = check_gradients(sine, 0.5, modes=["fwd", "rev"])
    assert report.is_undecided
    assert "forward was asked" in str(report)


@pytest.mark.parametrize(
    ("f", "x"),
    [(lambda x: log(exp(x) + 1), 1000.0), (log, 0.0), (log, -1.0), (lambda x: x / 0.0, 1.0)],
    ids=["log(exp(x) + 1)", "log(0)", "log(-1)", "x / 0"],
)
def test_a_value_that_is_infinite_or_nan_is_undecided(f, x):
    assert check_gradients(f, x).is_undecided


def test_a_function_without_inputs_is_undecided():
    assert check_gradients(lambda: Value(3.0)).is_undecided
    assert check_gradients(lambda: Value(3.0), wrt=[]).is_undecided


def test_constants_and_inputs_that_are_not_used_are_confirmed():
    assert check_gradients(lambda x: 3.0, 1.0)
    assert check_gradients(lambda x: Value(3.0), 1.0)
    assert check_gradients(lambda x, y: x * 2, 1.0, 2.0)
    assert check_gradients(lambda q: q[0] * q[1], [1.0] * 500)
    assert check_gradients(lambda q: 3.0, [1.0] * 500)


# ------------------------------------------------------------------- conventions that hide things

HIDDEN = {
    "cos(sqrt(x))": (lambda x: cos(sqrt(x)), 1),
    "1 / (1 / x)": (lambda x: 1 / (1 / x), 1),
    "sqrt(x) ** 2": (lambda x: sqrt(x) ** 2, 1),
    "tanh(log(x))": (lambda x: tanh(log(x)), 1),
    "acos(cos(x))": (lambda x: acos(cos(x)), 1),
    "sqrt(x * x)": (lambda x: sqrt(x * x), 1),
    "relu(x) - relu(-x)": (lambda x: relu(x) - relu(-x), 1),
    "abs(x) ** 2": (lambda x: abs(x) ** 2, 2),
    "abs(x) * abs(x)": (lambda x: abs(x) * abs(x), 2),
    "maximum(x, -x) ** 2": (lambda x: maximum(x, -x) ** 2, 2),
    "minimum and maximum": (lambda x: minimum(x, 0) ** 2 + maximum(x, 0) ** 2, 2),
    "two relus": (lambda x: relu(x) ** 2 + relu(-x) ** 2, 2),
    "hypot(x, y) ** 2": (lambda x, y: hypot(x, y) ** 2, 2),
    "where(x > 0, 1 + x, x)": (lambda x: where(x > 0, 1 + x, x), 1),
    "where(x >= 0, 1 + x, x)": (lambda x: where(x >= 0, 1 + x, x), 1),
    "a jump in Python": (lambda x: 1 + x if x.data > 0 else x * 1, 1),
    "step": (micrograd.step, 1),
    "sign": (micrograd.sign, 1),
    "a jump by hand": (by_hand("up", lambda x: x + (x > 0), lambda x, out: 1.0), 1),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_a_convention_that_hides_the_derivative_is_not_confirmed(case):
    f, order = HIDDEN[case]
    point = (0.0, 0.0) if "hypot" in case else (0.0,)
    report = check_gradients(f, *point, order=order, raise_exception=False)
    assert not report
    assert report.is_wrong or "undecided:" in str(report)


@pytest.mark.parametrize("case", HIDDEN)
def test_beside_such_a_point_the_same_function_is_confirmed(case):
    f, order = HIDDEN[case]
    point = (0.75, 0.5) if "hypot" in case else (0.75,)
    assert check_gradients(f, *point, order=order)


def test_a_slope_that_is_infinite_on_a_branch_not_taken_does_no_harm():
    assert check_gradients(lambda x: where(x > 1, 1 / x, x * 3), 0.0)


def test_a_bound_that_is_infinite_confirms_nothing():
    lost = defined("x + 1e300 * 1e10 * 0", "1")  # inf * 0: no bound of it is finite
    assert not check_gradients(lambda x: lost(x) * 2, 1.0, raise_exception=False)


# ------------------------------------------------------------------------------ graphs that are cut

CUT = {
    "x.data ** 2": lambda x: x.data**2,
    "a NumPy float": lambda x: np.float64(x.data) * 2,
    "an array": lambda x: np.array([x.data * 2, 1.0]),
    "one output of several": lambda x: [1 * x, x.data * 2],
    "the first output of several": lambda x: [x.data * 2, 1 * x],
    "in a dict": lambda x: {"a": x * 1, "b": x.data},
    "deep inside": lambda x: [{"a": (x, x * x)}, [x.data**3]],
    "a factor": lambda x: x * math.sin(x.data),
    "a new Value": lambda x: Value(x.data) * 3,
    "beside a detached one": lambda x: detach(x) + x.data,
}


@pytest.mark.parametrize("case", CUT)
@pytest.mark.parametrize("x", [3.0, -0.5])
def test_a_graph_that_is_cut_is_a_mismatch_that_says_so(case, x):
    error = mismatch(CUT[case], x)
    assert ".data" in str(error)
    assert error.input == "x"


def test_a_graph_that_is_cut_shows_even_where_the_derivative_is_zero():
    assert ".data" in str(mismatch(lambda x: x.data**2, 0.0))


def test_a_parameter_of_which_only_the_data_is_used_is_named():
    w, b = Value(2.0, label="w"), Value(1.0, label="b")
    error = mismatch(lambda: w.data * b, wrt=[w, b])
    assert ".data" in str(error)
    assert error.input == "w"


def test_a_number_that_is_read_but_cancels_is_not_a_cut():
    def log_sum_exp(xs):
        largest = max(x.data for x in xs)
        return log(sum(exp(x - largest) for x in xs)) + largest

    assert check_gradients(log_sum_exp, [1.0, 2.0, 3.0])


# ---------------------------------------------------------------------- options that make no sense


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"eps": -1.0}, ValueError, "-1.0"),
        ({"eps": 0}, ValueError, "got 0"),
        ({"eps": math.nan}, ValueError, "nan"),
        ({"eps": math.inf}, ValueError, "inf"),
        ({"eps": "1e-3"}, TypeError, "'1e-3'"),
        ({"eps": True}, TypeError, "True"),
        ({"atol": -1.0}, ValueError, "-1.0"),
        ({"atol": math.inf}, ValueError, "inf"),
        ({"rtol": math.nan}, ValueError, "nan"),
        ({"rtol": None}, TypeError, "None"),
        ({"order": 1.5}, TypeError, "1.5"),
        ({"order": True}, TypeError, "True"),
        ({"order": "2"}, TypeError, "'2'"),
        ({"order": 0}, ValueError, "got 0"),
        ({"order": -1}, ValueError, "-1"),
        ({"order": 5}, ValueError, "got 5"),
        ({"modes": []}, ValueError, r"\[\]"),
        ({"modes": "magic"}, ValueError, "'magic'"),
        ({"modes": ["rev", "magic"]}, ValueError, "'magic'"),
        ({"modes": ["rev", 3]}, TypeError, "got 3"),
        ({"modes": None}, TypeError, "None"),
        ({"modes": b"rev"}, TypeError, "b'rev'"),
        ({"backward": 3}, TypeError, "got 3"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused_with_the_value_that_was_given(options, error, said):
    with pytest.raises(error, match=said):
        check_gradients(lambda x: x * x, 1.0, **options)


def test_something_that_is_not_a_function_is_refused():
    with pytest.raises(TypeError, match="a function, got 3"):
        check_gradients(3, 1.0)


def test_numbers_of_numpy_and_any_list_of_names_serve_as_options():
    assert check_gradients(tanh, 0.5, eps=np.float64(0.01), order=np.int64(2), modes={"fd", "rev"})
    assert check_gradients(tanh, 0.5, modes=iter(["fwd"]))


def test_a_string_is_one_name_wherever_a_list_of_names_is_expected():
    assert {mutant.row for mutant in mutation_report("tanh", points=2).mutants} == {"tanh"}
    with pytest.raises(KeyError, match="magic"):
        mutation_report("magic")
    with pytest.raises(ValueError, match="at least one"):
        mutation_report([])


@pytest.mark.parametrize("points", [0, -3, 1.5, True])
def test_a_check_of_no_points_is_refused(points):
    for check in (check_operation, mutation_report):
        with pytest.raises((TypeError, ValueError), match=str(points)):
            check("tanh", points=points)


# ------------------------------------------------------------------------------ second derivatives


def test_a_rule_that_is_right_only_at_the_point_has_a_wrong_second_derivative():
    cube = define("cube_at_1_5", "x * x * x", ["3 * 1.5 * 1.5 + 0 * x"])
    assert check_gradients(cube, 1.5)
    error = mismatch(lambda x, y: cube(x) + y * y, 1.5, 0.5, order=2)
    assert "a point beside the given one" in str(error)
    assert "second derivative" in str(error)
    assert error.guilty == "cube_at_1_5"
    assert (error.input, error.got) == ("x", 6.75)
    assert error.expected == pytest.approx(3 * error.report.point[0] ** 2)
    assert error.report.point[0] != 1.5


def test_second_derivatives_of_every_output_are_checked():
    cube = define("cube_at_1_5", "x * x * x", ["3 * 1.5 * 1.5 + 0 * x"])
    assert check_gradients(lambda x: [x * x, x * x * x], 1.5, order=2)
    with pytest.raises(GradientMismatch):
        check_gradients(lambda x: [x * x, cube(x)], 1.5, order=2)


@pytest.mark.parametrize("thing", [5, None, [5]])
def test_something_that_is_not_an_operation_or_a_model_is_refused_by_name(thing):
    with pytest.raises(TypeError, match=r"operation must be a name(,| or) what define returned"):
        check_operation(thing)
    with pytest.raises(
        TypeError, match="wrt= takes a model or Values that no operation made, got 5"
    ):
        check_gradients(exp, 1.0, wrt=5)


@pytest.mark.parametrize("f", [lambda x, y: hypot(x, y) ** 2, lambda x, y: hypot(x, 0 * y) ** 2])
def test_a_second_derivative_hidden_by_a_convention_is_undecided_and_not_called_a_cut(f):
    report = check_gradients(f, 0.0, 0.0, order=2)
    assert report.is_undecided
    assert "its own convention at hypot(0.0, 0.0)" in str(report)


@pytest.mark.slow
@pytest.mark.parametrize("at", [(30.0, 1.0), (1.0, 1e-9), (-30.0, 1.0), (1e-3, 40.0)])
def test_second_derivatives_of_hypot_are_confirmed_where_one_side_is_far_the_longer(at):
    assert check_gradients(hypot, *at, order=2)


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("at", [0.7, -1.3, 1e3])
def test_a_jump_is_seen_however_small_it_is(size, at):
    report = check_gradients(lambda x: where(x > at, x + size, x), at)
    assert report.is_undecided
    assert "the function jumps here" in str(report)

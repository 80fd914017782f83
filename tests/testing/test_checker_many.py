"""Many inputs and outputs: moved together, and the one that is wrong is found all the same."""

from __future__ import annotations

import math
import random

import pytest

from micrograd import Value, define, detach, exp, log, relu, tanh, where
from micrograd.testing import check_gradients
from micrograd.testing.witnesses import Probe
from tests.testing.common import by_hand, defined, mismatch


def drawn(count, seed=0):
    rng = random.Random(seed)
    return [rng.gauss(0, 1) for _ in range(count)]


def layer_norm(x):
    mean = sum(x) / len(x)
    variance = sum((each - mean) ** 2 for each in x) / len(x)
    return [(each - mean) / (variance + 1e-5) ** 0.5 for each in x]


def sum_of_squares(q):
    return sum(each * each for each in q)


@pytest.fixture
def runs(monkeypatch):
    """How often functions were run beside the point, while a check goes on."""
    count = [0]
    before = Probe._run

    def counted(probe, moved):
        count[0] += 1
        return before(probe, moved)

    monkeypatch.setattr(Probe, "_run", counted)
    return count


@pytest.mark.slow
@pytest.mark.parametrize("count", [100, 300, 1000])
def test_the_cost_does_not_grow_with_the_number_of_inputs(count, runs):
    report = check_gradients(sum_of_squares, drawn(count))
    assert report
    assert "moved together" in str(report)
    assert runs[0] <= 200


def test_second_derivatives_do_not_cost_a_check_for_each_input(runs):
    report = check_gradients(sum_of_squares, drawn(100), order=2)
    assert report
    assert len(report.deeper) == 1
    assert runs[0] <= 600


def test_a_layer_norm_with_as_many_outputs_as_inputs_is_checked(runs):
    assert check_gradients(layer_norm, drawn(40))
    assert runs[0] <= 400


@pytest.mark.slow
@pytest.mark.parametrize("position", [0, 1, 99, 157, 199])
@pytest.mark.parametrize("factor", [1.5, 1 + 1e-6])
def test_a_wrong_rule_hidden_in_one_of_two_hundred_inputs_is_named(position, factor):
    wrong = defined("x * x", f"2 * {factor!r} * x")

    def f(q):
        return sum(wrong(x) if i == position else x * x for i, x in enumerate(q))

    error = mismatch(f, drawn(200))
    assert (error.index, error.input) == (position, f"q[{position}]")
    assert error.guilty == wrong.__name__


@pytest.mark.slow
def test_a_wrong_step_by_hand_hidden_in_one_of_a_hundred_inputs_is_named():
    wrong = by_hand("wrong", math.sin, lambda x, out: 1.001 * math.cos(x))
    error = mismatch(lambda q: sum(wrong(x) if i == 73 else x * x for i, x in enumerate(q)),
                     drawn(100))  # fmt: skip
    assert (error.index, error.guilty) == (73, "wrong")


def test_a_gradient_that_is_wrong_everywhere_names_three_entries_and_says_that_there_are_more():
    wrong = defined("x * x", "1.9 * x")
    error = mismatch(lambda q: sum(wrong(x) for x in q), drawn(100))
    assert len(error.report.problems) == 3
    assert "further wrong entries" in str(error)


def test_two_errors_that_cancel_in_a_sum_are_found():
    up, down = defined("x * x", "2 * x + 0.01"), defined("x * x", "2 * x - 0.01")

    def f(q):
        return sum(up(x) if i == 5 else down(x) if i == 100 else x * x for i, x in enumerate(q))

    report = check_gradients(f, drawn(150), raise_exception=False)
    assert {problem.index for problem in report.problems} == {5, 100}


def test_a_graph_that_is_cut_at_one_of_many_inputs_is_named():
    def f(q):
        return sum(x * x for x in q[:-1]) + q[-1].data ** 2

    error = mismatch(f, drawn(100))
    assert error.index == 99
    assert ".data" in str(error)
    error = mismatch(lambda q: sum(x.data for x in q), drawn(100))
    assert ".data" in str(error)


def test_one_wrong_output_of_many_is_named():
    wrong = defined("tanh(x)", "1 - x * x")
    error = mismatch(lambda q: [wrong(x) if i == 63 else tanh(x) for i, x in enumerate(q)],
                     drawn(100))  # fmt: skip
    assert error.index == 63
    assert error.guilty == wrong.__name__
    error = mismatch(lambda q: [x.data if i == 63 else tanh(x) for i, x in enumerate(q)],
                     drawn(100))  # fmt: skip
    assert error.index == 63


def test_a_wrong_second_derivative_hidden_in_one_of_fifty_inputs_is_named():
    cube = define("cube_at_half", "x * x * x", ["3 * 0.5 * 0.5 + 0 * x"])
    q = drawn(50)
    q[41] = 0.5

    def f(q):
        return sum(cube(x) if i == 41 else x * x * x for i, x in enumerate(q))

    assert check_gradients(f, q)
    assert "d f/dq[41]" in str(mismatch(f, q, order=2))


def test_one_entry_among_many_that_nothing_confirms_is_undecided():
    def f(q):
        return sum(x * x for x in q[1:]) + (relu(q[0]) - relu(-q[0]))

    report = check_gradients(f, [0.0, *drawn(100)])
    assert report.is_undecided
    assert "d f/dq[0]" in str(report)


@pytest.mark.slow
def test_many_kinks_at_once_are_confirmed_between_their_sides():
    assert check_gradients(lambda q: sum(relu(x) for x in q), [0.0] * 200)


def test_inputs_of_all_magnitudes_are_checked_together():
    q = [10.0 ** (i % 13 - 6) for i in range(150)]
    assert check_gradients(lambda q: sum(x.log() + x * 2 for x in q), q)
    wrong = defined("log(x)", "1.001 / x")
    error = mismatch(lambda q: sum(wrong(x) if i == 117 else x.log() for i, x in enumerate(q)), q)
    assert error.index == 117


@pytest.mark.slow
@pytest.mark.parametrize("position", [3, 60, 119])
def test_an_entry_of_any_size_is_seen_beside_larger_ones(position):
    wrong = defined("x * x", "2.2 * x")
    q = [10.0 ** (i % 40 - 20) for i in range(120)]
    assert check_gradients(sum_of_squares, q)
    error = mismatch(
        lambda q: sum(wrong(x) if i == position else x * x for i, x in enumerate(q)), q
    )
    assert error.index == position


def test_taylors_remainder_alone_decides_if_nothing_else_is_asked():
    wrong = defined("sin(x)", "1.1 * cos(x)")
    assert check_gradients(lambda q: sum(tanh(x) for x in q), drawn(200), modes="taylor")
    mismatch(lambda q: sum(wrong(x) for x in q), drawn(200), modes="taylor")


@pytest.mark.slow
def test_slopes_that_are_infinite_at_a_few_of_many_inputs_are_undecided():
    def f(q):
        return sum(where(x > 0, log(x), 0) for x in q)

    q = [abs(x) for x in drawn(80)]
    assert check_gradients(f, q)
    report = check_gradients(f, [0.0, *q])
    assert report.is_undecided
    assert "infinite slope" in str(report)


@pytest.mark.slow
def test_detached_numbers_of_many_inputs_are_held():
    assert check_gradients(lambda q: sum(x * detach(x) for x in q), drawn(100))
    error = mismatch(lambda q: sum(x * detach(x) for x in q) + 3 * q[5].data, drawn(100))
    assert error.index == 5


def test_a_function_that_uses_few_of_many_inputs_is_confirmed():
    assert check_gradients(lambda q: exp(q[3]) * q[7], drawn(500))
    assert check_gradients(lambda q: Value(1.0), drawn(500))

"""Functions that are noisy beside rounding: right rules are confirmed, wrong ones still named."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from micrograd import Value, sin
from micrograd.testing import check_gradients
from micrograd.testing.noise import level, level_beside, tail


def operation(value, slope, factor=1.0):
    def noisy(x):
        slopes = (factor * slope(x.data),)
        return Value(value(x.data), (x,), "noisy", local_grads=slopes)

    return noisy


def root(p, tolerance):
    """The solution of y³ + y = p by bisection and Newton's method, up to a tolerance."""
    low, high, y = -10.0, 10.0, 0.5
    while True:
        low, high = (y, high) if y**3 + y < p else (low, y)
        step = (y**3 + y - p) / (3 * y * y + 1)
        if abs(step) < tolerance:
            return y
        y = y - step if low < y - step < high else (low + high) / 2


def root_by_bisection(p, tolerance):
    low, high = -10.0, 10.0
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (middle, high) if middle**3 + middle < p else (low, middle)
    return (low + high) / 2


def root_slope(p):
    return 1 / (3 * root(p, 1e-15) ** 2 + 1)


def fixed_point(p, tolerance):
    """The number that is cos of p times itself."""
    x = 0.5
    for _ in range(1000):
        x, before = math.cos(p * x), x
        if abs(x - before) < tolerance:
            break
    return x


def fixed_point_slope(p):
    x = fixed_point(p, 1e-15)
    return -math.sin(p * x) * x / (1 + p * math.sin(p * x))


GRID = np.linspace(-5, 5, 10_001)
SINES = np.sin(GRID)


def interpolated(x):
    return float(np.interp(x, GRID, SINES))


def cell_slope(x):
    cell = np.searchsorted(GRID, x) - 1
    return float((SINES[cell + 1] - SINES[cell]) / (GRID[cell + 1] - GRID[cell]))


def single(function):
    return lambda x: float(function(np.float32(x)))


NOISY = {
    "single precision": (single(np.sin), math.cos, 0.7),
    "single precision, steep": (
        lambda x: float(np.tanh(np.float32(10 * x))), lambda x: 10 / math.cosh(10 * x) ** 2, 0.1),
    "single precision, large": (single(np.sqrt), lambda x: 0.5 / math.sqrt(x), 12345.6),
    "single precision, small": (single(np.log), lambda x: 1 / x, 0.01),
    "single precision within double": (
        lambda x: float(np.float32(math.exp(x))) * x, lambda x: (1 + x) * math.exp(x), 1.3),
    "six digits": (lambda x: round(math.sin(x), 6), math.cos, 0.7),
    "four digits": (lambda x: round(math.exp(x), 4), math.exp, 1.7),
    "Newton's method up to 1e-3": (lambda p: root(p, 1e-3), root_slope, 2.0),
    "Newton's method up to 1e-8": (lambda p: root(p, 1e-8), root_slope, 0.7),
    "bisection up to 1e-8": (lambda p: root_by_bisection(p, 1e-8), root_slope, 2.0),
    "an iteration up to 1e-6": (lambda p: fixed_point(p, 1e-6), fixed_point_slope, 0.3),
    "an iteration up to 1e-8": (lambda p: fixed_point(p, 1e-8), fixed_point_slope, 0.9),
    "a table": (interpolated, math.cos, 0.7003),
    "pseudo-random noise": (
        lambda x: x * x + 1e-8 * ((hash(x) % 1000) / 1000 - 0.5), lambda x: 2 * x, 1.3),
}  # fmt: skip


@pytest.mark.parametrize("case", NOISY)
def test_a_right_rule_of_a_noisy_function_is_confirmed(case):
    value, slope, x = NOISY[case]
    for f in (operation(value, slope), lambda x: 3 * operation(value, slope)(x) + x * x):
        assert check_gradients(f, x, raise_exception=False)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.02, 0.98, -1.0, 0.0])
@pytest.mark.parametrize("case", [case for case in NOISY if "1e-3" not in case])
def test_a_wrong_rule_of_a_noisy_function_is_found_and_named(case, factor):
    value, slope, x = NOISY[case]
    report = check_gradients(operation(value, slope, factor), x, raise_exception=False)
    assert report.is_wrong
    assert report.culprit.operation == "noisy"


@pytest.mark.parametrize("factor", [1.02, 0.98, -1.0, 0.0])
def test_a_tolerance_that_may_explain_a_difference_of_two_percent_confirms_nothing(factor):
    value, slope, x = NOISY["Newton's method up to 1e-3"]
    report = check_gradients(operation(value, slope, factor), x, raise_exception=False)
    assert not report
    assert report.is_wrong == (abs(factor - 1) > 0.1)


def test_the_derivative_of_the_table_itself_is_right_as_well():
    assert check_gradients(operation(interpolated, cell_slope), 0.7003)


def test_a_fine_structure_that_looks_like_noise_is_not_taken_for_it():
    def value(x):
        return x + 1e-4 * math.sin(1e6 * x)

    assert check_gradients(operation(value, lambda x: 1 + 100 * math.cos(1e6 * x)), 0.3)
    assert not check_gradients(operation(value, lambda x: 1.0), 0.3, raise_exception=False)


def test_the_report_states_the_noise_and_where_it_knows_it_from():
    report = check_gradients(operation(single(np.sin), math.cos), 0.7)
    assert 1e-8 < report.noise < 1e-6
    assert "noise of the function" in str(report)
    assert "as differences show" in str(report)
    report = check_gradients(lambda x: x.sin(), 0.7)
    assert 0 < report.noise < 1e-14
    assert "by rounding" in str(report)


@pytest.mark.slow
def test_a_network_in_single_precision_is_checked_and_a_wrong_entry_is_named():
    weights = np.random.default_rng(0).normal(size=(8, 200)).astype(np.float32)

    def network(x, wrong=None):
        hidden = np.tanh(weights @ np.array([each.data for each in x], dtype=np.float32))
        slopes = weights.T.astype(float) @ (1 - hidden.astype(float) ** 2)
        if wrong is not None:
            slopes[wrong] *= 1.1
        grads = tuple(map(float, slopes))
        return Value(float(hidden.sum()), tuple(x), "network", local_grads=grads)

    x = list(np.random.default_rng(1).normal(size=200) * 0.1)
    assert check_gradients(network, x)
    report = check_gradients(lambda x: network(x, wrong=37), x, raise_exception=False)
    assert report.is_wrong
    assert report.problems[0].index == 37


# ------------------------------------------------------------------------------------ the estimates

SMOOTH = {
    "sin": (math.sin, 0.7),
    "exp": (math.exp, 2.0),
    "a pole nearby": (lambda x: 1 / (1 + 25 * x * x), 0.2),
    "steep": (lambda x: math.tanh(10 * x), 0.1),
    "a kink nearby": (lambda x: max(x, 0.1 * x), 0.03),
    "at a kink": (lambda x: max(x, 0.1 * x), 0.0),
    "a jump nearby": (lambda x: x + (x > 0.71), 0.7),
    "a constant": (lambda x: 3.0, 1.0),
}


@pytest.mark.parametrize("case", SMOOTH)
def test_no_noise_is_seen_in_a_smooth_function_or_beside_a_kink(case):
    f, x = SMOOTH[case]
    assert level_beside(lambda t: (f(t), ()), x, abs(x) or 1.0) == 0


@pytest.mark.parametrize("amplitude", [1e-9, 1e-6, 1e-3])
def test_the_level_of_noise_is_found_within_a_factor_of_ten(amplitude):
    rng = np.random.default_rng(0)
    for _ in range(50):
        noise = rng.uniform(-1, 1, size=17) * amplitude
        values = [math.sin(1 + 0.01 * k) + float(noise[k]) for k in range(17)]
        assert amplitude / 10 < level(values) < 10 * amplitude


def test_a_jump_is_noise_only_if_it_is_tiny():
    values = [math.sin(1 + 0.01 * k) for k in range(17)]
    for jump, expected in ((1e-7, True), (1e-2, False)):
        assert (level([v + jump * (k > 9) for k, v in enumerate(values)]) > 0) == expected


def test_the_tail_of_a_series_shows_a_tolerance_that_no_small_table_shows():
    def solved(p):
        return root(p, 1e-6), ()

    errors = [abs(solved(p)[0] - root(p, 1e-15)) for p in np.linspace(1, 3, 101)]
    assert max(errors) / 10 < tail(solved, 2.0, 1.0) < 100 * max(errors)
    assert tail(lambda p: (math.sin(p), ()), 2.0, 1.0) < 1e-13
    assert tail(lambda p: (abs(p - 2.3), ()), 2.0, 1.0) == 0
    assert tail(lambda p: (abs(p) ** 3, ()), 0.1, 0.5) == 0  # its coefficients fall slowly
    assert tail(lambda p: (math.sin(p), p > 2), 2.0, 1.0) == 0


def test_the_differences_of_a_polynomial_vanish():
    values = [float(k**3) for k in range(17)]
    for _ in range(4):
        values = [after - before for before, after in pairwise(values)]
    assert values == [0.0] * 13
    assert level([float(k**3) for k in range(17)]) == 0


def kepler(p, tolerance):
    """The solution of y - 0.6 sin(y) = p by steps that stop at a tolerance."""
    y = 0.3
    while True:
        step = (y - 0.6 * math.sin(y) - p) * 0.75
        y -= step
        if abs(step) < tolerance:
            return y


def kepler_slope(p):
    return 1 / (1 - 0.6 * math.cos(kepler(p, 1e-15)))


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-9])
def test_the_rule_of_a_solver_is_right_anywhere_and_a_wrong_one_is_not(tolerance):
    for k in range(15):
        p = -7.5 + 1.0346 * k
        solve = operation(lambda x: kepler(x, tolerance), kepler_slope)
        assert check_gradients(solve, p), p
        doubled = operation(lambda x: kepler(x, tolerance), kepler_slope, 2.0)
        assert check_gradients(doubled, p, raise_exception=False).is_wrong, p


@pytest.mark.parametrize("x", [9.1, 12.5, 25.0])
def test_single_precision_that_is_flat_does_not_accuse_a_slope_that_it_cannot_hold(x):
    flat = operation(lambda x: float(np.tanh(np.float32(x))), lambda x: 1 / math.cosh(x) ** 2)
    assert not check_gradients(flat, x, raise_exception=False).is_wrong
    steep = operation(lambda x: float(np.tanh(np.float32(x))), lambda x: 1e-3)
    assert check_gradients(steep, x, raise_exception=False).is_wrong


def test_single_precision_beside_double_precision_is_not_a_fine_structure():
    def single(value, slope):
        return operation(lambda x: float(value(np.float32(x))), slope)

    square = single(np.square, lambda x: 2 * x)
    none = single(np.square, lambda x: 0.0)
    for a in (0.3, 1.7, -0.9, 2.25):
        assert check_gradients(lambda a, b: square(a) * b + square(b) * sin(a), a, 0.7)
        wrong = check_gradients(lambda a: none(a) + sin(a), a, raise_exception=False)
        assert wrong.is_wrong


@pytest.mark.parametrize("kink", [0.0, 0.7, -1.3, 2.0, 1e3, 1e-3])
@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_the_kink_of_a_function_by_hand_is_not_noise_wherever_it_is(kink, slope):
    relu = operation(
        lambda x: max(x - kink, 0.0), lambda x: slope if x == kink else float(x > kink)
    )
    assert check_gradients(relu, kink)
    wrong = operation(lambda x: max(x - kink, 0.0), lambda x: 2.0)
    assert check_gradients(wrong, kink, raise_exception=False).is_wrong


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_whether_wide_steps_are_meant_or_noise_is_undecided(slope):
    rounded = operation(lambda x: float(round(x)), lambda x: slope)
    report = check_gradients(rounded, 1000.1)
    assert report.is_undecided
    assert "between which it is flat" in str(report)

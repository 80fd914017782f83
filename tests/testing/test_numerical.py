"""Numerical derivatives: their values lie within the errors that they state."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest

from benchmarks import numerical as benchmark
from micrograd.testing import numerical_gradient, numerical_hessian, numerical_jacobian

FUNCTIONS = {
    **benchmark.FUNCTIONS,  # those with which numdifftools tests itself
    "fast": (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_derivative_is_within_its_error_which_is_small(name):
    f, df = FUNCTIONS[name]
    for x in (0.1, 0.5, 0.9):
        value, error = numerical_gradient(f, x)
        true = float(df(x))
        assert abs(value - true) <= error + 1e-16 * abs(true)
        assert error <= 1e-12 * max(abs(true), abs(f(x)))
        assert isinstance(value, float)


def test_the_scale_of_a_function_is_found():
    for f, x, true in (
        (np.log, 1e-9, 1e9),
        (np.sin, 1000.0, math.cos(1000)),
        (np.exp, 100.0, math.exp(100)),
        (lambda x: x**3, 1e8, 3e16),
    ):
        value, error = numerical_gradient(f, x)
        assert abs(value - true) <= error <= 1e-9 * abs(true)


# Functions that lose digits inside, jump to infinity beside the point, or repeat at large steps,
# and where they are differentiated.
HARD = {
    "fast": (lambda x, m: m.sin(50 * x), (-100, 100)),
    "cancels": (lambda x, m: (1 - m.cos(x)) / x**2, (0.01, 3)),
    "pole": (lambda x, m: m.exp(-1 / x), (1e-4, 1)),
    "far from 0": (lambda x, m: 1e8 + m.sin(x), (-1000, 1000)),
    "small": (lambda x, m: m.exp(-x * x), (-15, 15)),
}


SCALED = {
    "gauss": (lambda u: np.exp(-u * u), lambda u: -2 * u * np.exp(-u * u)),
    "sin": (np.sin, np.cos),
    "log": (np.log, lambda u: 1 / u),
    "sqrt": (np.sqrt, lambda u: 0.5 / np.sqrt(u)),
}


@pytest.mark.parametrize("name", SCALED)
def test_a_function_that_varies_with_the_size_of_a_tiny_point_is_differentiated_there(name):
    f, df = SCALED[name]
    for scale in (1e-9, 1e-12, 1e-15, 1e-100):
        value, error = numerical_gradient(lambda x, s=scale: f(x / s), 0.3 * scale)
        assert abs(value * scale - df(0.3)) <= error * scale + 1e-15
        assert error * scale < 1e-4
        (value,), (error,) = numerical_hessian(lambda x, s=scale: f(x[0] / s), [0.3 * scale])
        second = (df(0.3 + 1e-5) - df(0.3 - 1e-5)) / 2e-5
        assert abs(value[0] * scale * scale - second) <= error[0] * scale * scale + 1e-7


@pytest.mark.slow
def test_hard_functions_are_within_their_errors_in_98_of_100_points():
    rng, outside, count = np.random.default_rng(0), 0, 0
    for f, (low, high) in HARD.values():
        points = rng.uniform(low, high, 60)
        if low > 0:
            points = np.exp(rng.uniform(np.log(low), np.log(high), 60))
        for x in map(float, points):
            value, error = numerical_gradient(lambda x, f=f: f(x, np), x)
            with mpmath.workdps(60):
                true = float(mpmath.diff(lambda x, f=f: f(x, mpmath), mpmath.mpf(x)))
            outside, count = outside + (abs(value - true) > error + 2.0**-52 * abs(true)), count + 1
    assert outside <= count / 50


@pytest.mark.parametrize("scale", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("x", [0.3, 1.0, 10.0, 137.0, 1e3, 1e4, 3.3e7, 1e8, 1e9])
def test_steps_of_many_periods_do_not_settle_on_a_wrong_limit(x, scale):
    scale = min(scale, 1e9 / x)
    for f, true in (
        (lambda z: math.sin(scale * z), scale * math.cos(scale * x)),
        (lambda z: z + math.sin(scale * z) / scale, 1 + math.cos(scale * x)),
        (math.sin, math.cos(x)),
        (lambda z: math.sin(z) / z, math.cos(x) / x - math.sin(x) / x**2),
    ):
        value, error = numerical_gradient(f, x)
        assert abs(value - true) <= 2 * error < 1e-2 * max(abs(true), scale / 100)


@pytest.mark.parametrize("x", [0.0, 10.0, 1e3, 1e5])
def test_steps_do_not_pass_over_a_narrow_peak(x):
    peak = x + 3e-5
    value, error = numerical_gradient(lambda z: z + math.exp(-((1e4 * (z - peak)) ** 2)), x)
    assert abs(value - (1 + 6e3 * math.exp(-0.09))) <= error < 1


@pytest.mark.parametrize("x", [1.0, 1e6, 1e8, 1e10])
def test_second_derivatives_of_oscillations_are_within_their_errors(x):
    value, error = numerical_hessian(math.sin, x)
    assert abs(value + math.sin(x)) <= 2 * error < 1e-2


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="f must be a function of a number or an array, got 3"):
        numerical_gradient(3, 1.0)


def calls_of(differentiate, f, x):
    calls = []
    differentiate(lambda x: calls.append(x) or f(x), x)
    return len(calls)


@pytest.mark.parametrize("name", benchmark.FUNCTIONS)
def test_a_function_is_called_a_few_times_even_where_a_step_would_leave_its_domain(name):
    """numdifftools calls each 31 times."""
    f, _ = benchmark.FUNCTIONS[name]
    for x in (0.1, 0.5, 0.9):
        halvings = math.ceil(math.log2(0.5 / (1 - x if "arc" in name else x))) + 1
        assert calls_of(numerical_gradient, f, x) <= 25 + 2 * max(halvings, 0)
    assert calls_of(numerical_gradient, math.sin, 1.0) <= 21


def test_outputs_that_wide_steps_do_not_leave_keep_them():
    found = numerical_jacobian(lambda x: np.array([np.cos(x), np.log(x)]), 1e-6)
    true = np.array([-math.sin(1e-6), 1e6])
    assert (abs(found.value - true) <= found.error).all()
    assert found.error[0] < 1e-12
    assert found.error[1] < 1e-4


def test_gradients_have_the_shape_of_the_point():
    x = np.array([[0.3, -1.0], [2.0, 0.5]])
    value, error = numerical_gradient(lambda x: np.sum(np.sin(x) * x[0, 0]), x)
    true = np.cos(x) * 0.3
    true[0, 0] += np.sin(x).sum()
    assert value.shape == error.shape == x.shape
    assert (abs(value - true) <= error).all()


def test_the_jacobian_has_the_shapes_of_result_and_point():
    x = np.array([0.3, -1.0, 2.0])
    found = numerical_jacobian(lambda x: np.outer(np.exp(x), x[:2]), x)
    assert found.value.shape == (3, 2, 3)
    e = np.exp(x)
    true = np.einsum("i,ik,j->ijk", e, np.eye(3), x[:2]) + np.einsum("i,jk->ijk", e, np.eye(3)[:2])
    assert (abs(found.value - true) <= found.error + 1e-15).all()
    assert numerical_jacobian(lambda x: np.array([x, x * x]), 3.0).value == pytest.approx([1, 6])


@pytest.mark.parametrize("method", ["central", "forward", "complex"])
def test_every_method_finds_gradient_and_hessian(method):
    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x = np.array([-1.2, 1.0, 0.5])
    gradient = numerical_gradient(rosenbrock, x, method=method)
    assert gradient.value == pytest.approx([-215.6, 112.0, -100.0], rel=1e-11)
    hessian = numerical_hessian(rosenbrock, x, method=method)
    true = np.array([[1330, 480, 0], [480, 1202, -400], [0, -400, 200]])
    assert hessian.value == pytest.approx(true, abs=1e-9)
    assert (abs(hessian.value - true) <= hessian.error + 1e-12).all()
    assert (hessian.error < 1e-7).all()


def test_the_complex_step_is_exact_to_rounding():
    for f, df in [FUNCTIONS["tanh"], FUNCTIONS["exp"]]:
        assert numerical_gradient(f, 0.7, method="complex").value == pytest.approx(
            df(0.7), rel=4e-16
        )


def test_noise_widens_the_error_and_stays_within():
    rng = np.random.default_rng(1)
    for noise in (1e-4, 1e-8, 1e-11):

        def f(x, noise=noise):
            return math.sin(x) + noise * rng.uniform(-1, 1)

        value, error = numerical_gradient(f, 0.5)
        assert abs(value - math.cos(0.5)) <= error <= 1e4 * noise


def test_single_precision_has_an_error_that_fits():
    for x in (np.float32(0.5), np.array([0.5, 2.0], np.float32)):
        value, error = numerical_gradient(lambda x: np.sum(np.sin(x)), x)
        assert np.all(abs(value - np.cos(x)) <= error)
        assert np.all(error < 1e-4)
    value, error = numerical_gradient(lambda x: np.float32(math.sin(x)), 0.5)
    assert abs(value - math.cos(0.5)) <= error < 1e-4


def test_at_a_kink_the_error_reaches_both_slopes():
    value, error = numerical_gradient(abs, 0.0)
    assert (value, error) == (0.0, 1.0)
    value, error = numerical_gradient(abs, 1e-9)
    assert abs(value - 1) <= error < 1e-9


def test_outside_the_domain_there_is_no_number():
    value, error = numerical_gradient(math.sqrt, 0.0)
    assert math.isnan(value)
    assert error == math.inf
    value, error = numerical_gradient(lambda x: math.sqrt(x) ** 3, 0.0, method="forward")
    assert abs(value) <= 4 * error < 1e-3


def test_bad_input_is_refused_with_a_remedy():
    for call, words in (
        (lambda: numerical_gradient(lambda x: x, [1.0, 2.0]), "numerical_jacobian"),
        (lambda: numerical_hessian(lambda x: x, [1.0, 2.0]), "result is a number"),
        (lambda: numerical_gradient(abs, 1.0, method="backward"), "central, forward, complex"),
        (lambda: numerical_gradient(abs, 1.0, step=-1), "positive"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    for call, words in (
        (lambda: numerical_gradient(abs, 1j), "x must be a number"),
        (lambda: numerical_gradient(abs, "1"), "x must be a number"),
        (lambda: numerical_gradient(str, 1.0), "must return numbers"),
        (lambda: numerical_gradient(math.exp, 1.0, method="complex"), 'method="central"'),
        (lambda: numerical_gradient(abs, 1.0, method="complex"), 'method="central"'),
    ):
        with pytest.raises(TypeError, match=words):
            call()


def test_no_warning_leaves_it():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside = numerical_gradient(np.log, 0.01)
        border = numerical_gradient(lambda x: x**1.5, 0.0, method="forward")
    assert abs(inside.value - 100) <= inside.error <= 1e-9
    # At the border, the slope goes to 0 as a root, which no extrapolation by whole orders follows.
    assert abs(border.value) <= 2 * border.error <= 1e-4


def test_a_point_without_numbers_has_derivatives_without_entries():
    x = np.zeros(0)
    assert numerical_gradient(lambda x: 1.0, x).value.shape == (0,)
    assert numerical_jacobian(lambda x: np.ones(2), x).error.shape == (2, 0)
    assert numerical_hessian(lambda x: 1.0, x).value.shape == (0, 0)


# Functions that lose digits inside and are 0 at their minimum, with their second derivatives.
MINIMA = {
    "log1p": (lambda u: math.log(1 + u * u), 2.0),
    "log cosh": (lambda u: math.log(math.cosh(u)), 1.0),
    "hyperbola": (lambda u: math.sqrt(1 + u * u) - 1, 1.0),
    "cosine": (lambda u: 1 - math.cos(u), 1.0),
}


@pytest.mark.parametrize("name", MINIMA)
@pytest.mark.parametrize("center", [0.0, 0.2])
def test_the_curvature_of_a_minimum_is_within_its_error_at_every_scale(name, center):
    f, curvature = MINIMA[name]
    for scale in (1.0, 1.93744, 3.3, 5.7, 6.09874, 10.12144, 20.5, 44.13674, 60.21874, 99.0):
        value, error = numerical_hessian(lambda x, a=scale: f(a * (x - center)), center)
        true = curvature * scale**2
        assert abs(value - true) <= 3 * error <= 1e-6 * true


ROUNDED = {
    "single precision": lambda y: float(np.float32(y)),
    "half precision": lambda y: float(np.float16(y)),
    "6 decimals": lambda y: round(float(y), 6),
    "single precision, scaled": lambda y: float(np.float32(y)) * math.pi / math.pi,
}


@pytest.mark.parametrize("rounded", ROUNDED)
def test_a_function_of_doubles_that_is_rounded_inside_has_wide_errors(rounded):
    """Of 36 points, a third was off by thousands of times the error."""
    off = []
    for f, df in ((np.sin, np.cos), (np.exp, np.exp), (lambda x: x**3, lambda x: 3 * x * x)):
        for x in np.random.default_rng(4).uniform(-3, 3, 12).tolist():
            value, error = numerical_gradient(lambda x, f=f: ROUNDED[rounded](f(x)), x)
            off.append(abs(value - df(x)) / error)
    assert sum(one > 1 for one in off) <= 2, off
    assert sum(one > 10 for one in off) <= 1, off


@pytest.mark.parametrize("name", ["sin", "tanh", "exp", "arcsinh"])
def test_doubles_with_the_digits_of_single_precision_do_not_agree_by_accident(name):
    f, df = benchmark.FUNCTIONS[name]
    for x in (0.0, 0.5, 7.75):
        for rounded in (
            lambda z: float(np.float32(f(z))),
            lambda z: float(f(np.float32(z))),
        ):
            value, error = numerical_gradient(rounded, x)
            assert abs(value - df(x)) <= error < 1e-4 * max(1.0, abs(f(x)))
    # Polynomials may have numbers as short at steps that are powers of two.
    value, error = numerical_gradient(lambda z: z * z, 0.5)
    assert abs(value - 1) <= error < 1e-14


def test_a_rounded_term_beside_an_exact_one_does_not_vanish():
    """Between two jumps of the rounded term, only the exact one moves the function."""
    points = np.linspace(-2, 2, 15).tolist()
    inside = 0
    for x in points:
        value, error = numerical_gradient(lambda x: float(np.float32(np.sin(x))) + 0.3 * x, x)
        inside += abs(value - math.cos(x) - 0.3) <= error
    assert inside >= 13


ROUNDED_WAVES = {
    "the result": lambda w, z: float(np.float32(math.cos(w * z + 10))),
    "the argument": lambda w, z: math.cos(w * float(np.float32(z)) + 10),
    "the phase": lambda w, z: math.cos(float(np.float32(w * z + 10))),
    "nothing": lambda w, z: math.cos(w * z + 10),
}


@pytest.mark.slow
@pytest.mark.parametrize("where", ROUNDED_WAVES)
@pytest.mark.parametrize("w", [100.0, 1e3, 1e5, 2048 * math.pi])
def test_steps_of_whole_periods_are_denied_by_smaller_ones(w, where):
    """Rounding in single precision hid, at a third of such points, that the steps agree wrongly."""
    f, off = ROUNDED_WAVES[where], 0
    for x in np.linspace(-0.5, 0.7, 41).tolist():
        value, error = numerical_gradient(lambda z: f(w, z), x)
        slope = -w * math.sin(w * x + 10)
        # If the argument is rounded, the function is another one, whose slope is off by as much.
        moved = (
            2.0**-24 * w * w * (abs(x) + 10 / w) if where in ("the argument", "the phase") else 0
        )
        off += abs(value - slope) > 3 * error + moved
    assert off <= 1


@pytest.mark.parametrize("w", [1e8, 1e9, 1e10, 1e12])
def test_the_fastest_oscillations_have_no_small_error(w):
    points = np.linspace(-1, 1, 25).tolist()
    off = 0
    for x in points:
        value, error = numerical_gradient(lambda z: math.sin(w * z), x)
        off += abs(value - w * math.cos(w * x)) > 3 * error
    assert off <= 2


def test_a_staircase_is_asked_for_its_jump_once():
    asked = []

    def stairs(x):
        asked.append(x)
        return math.floor(100 * x) / 100

    value, error = numerical_gradient(stairs, 1.582647713859684)
    assert abs(value - 1) <= error <= 0.1
    assert len(asked) < 1000  # it was twice as many with a search for the jump at each step


def test_a_staircase_of_few_steps_is_flat():
    value, error = numerical_gradient(lambda x: math.floor(3 * x) / 3, 0.5)
    assert (value, error) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize("count", [8, 32])
def test_a_staircase_of_some_steps_is_flat(count):
    x = 0.5 + 0.3 / count
    value, error = numerical_gradient(lambda x: math.floor(count * x) / count, x)
    assert (value, error) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize("distance", [2.0**-10, 2.0**-14, 2.0**-16, 2.0**-20, 1e-5])
@pytest.mark.parametrize("kink", [0.0, 1.0, -1.7])
def test_beside_a_kink_a_flat_function_is_flat(kink, distance):
    """Numbers at powers of 2 look like those of a staircase, and nothing jumps."""
    value, error = numerical_gradient(lambda x: max(float(x) - kink, 0.0), kink - distance)
    assert abs(value) <= error <= 1e-3


@pytest.mark.parametrize("power", [1.25, 1.5, 1.75, 2.5])
def test_a_fractional_power_at_the_border_of_a_domain_is_within_its_error(power):
    for f, slope in ((lambda x: x**power, 0.0), (lambda x: x**power + math.sin(x), 1.0)):
        value, error = numerical_gradient(f, 0.0, method="forward")
        assert abs(value - slope) <= error < 1e-2


@pytest.mark.parametrize("f", [math.sqrt, lambda x: x * math.log(x) if x else 0.0])
def test_an_infinite_slope_at_the_border_of_a_domain_has_an_infinite_error(f):
    assert numerical_gradient(f, 0.0, method="forward").error == math.inf


@pytest.mark.parametrize("exponent", [-9, -11, -13, -20, -30, -90])
def test_a_pole_beside_the_point_is_nearer_than_the_usual_steps(exponent):
    x = 1.1 * 10.0**exponent
    for f, slope, second in (
        (lambda x: 1 / x, -1 / x**2, 2 / x**3),
        (math.log, 1 / x, -1 / x**2),
    ):
        found = numerical_gradient(f, x)
        assert abs(found.value - slope) <= found.error <= 1e-5 * abs(slope)
        found = numerical_hessian(f, x)
        assert abs(found.value - second) <= found.error <= 1e-2 * abs(second)


def test_a_small_number_of_a_smooth_function_keeps_the_usual_steps():
    found = numerical_gradient(lambda x: x[0] * x[1] + math.cos(x[0]), [1e-13, 1e-13])
    assert (abs(found.value - [0.0, 1e-13]) <= found.error).all()
    assert (found.error < 1e-12).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("f", "true"),
    [
        (lambda x: (1 - math.cos(x)) / x**2, lambda x: (1 - mpmath.cos(x)) / x**2),
        (lambda x: (1 - math.cos(x)) / x, lambda x: (1 - mpmath.cos(x)) / x),
        (lambda x: (x - math.sin(x)) / x**3, lambda x: (x - mpmath.sin(x)) / x**3),
        (lambda x: (math.tan(x) - x) / x**3, lambda x: (mpmath.tan(x) - x) / x**3),
    ],
)
def test_rounding_inside_a_removable_singularity_is_not_taken_for_a_slope(f, true):
    """Near 0 the numerator is a few units in the last place, and the function jumps with it."""
    random = np.random.default_rng(7)
    for x in (10.0 ** random.uniform(-9.5, -1, 60)).tolist():
        with mpmath.workdps(60):
            slope = float(mpmath.diff(true, mpmath.mpf(x)))
        found = numerical_gradient(f, x)
        assert abs(found.value - slope) <= 3 * found.error, x


@pytest.mark.parametrize("x", [1e-7, 3e-6, -2e-5])
def test_a_narrow_structure_without_jumps_is_still_seen(x):
    found = numerical_gradient(lambda x: math.sin(x) + 1e-3 * math.atan(x / 1e-6), x)
    slope = math.cos(x) + 1e-3 * 1e-6 / (1e-12 + x * x)
    assert abs(found.value - slope) <= found.error < 1e-3 * slope


BESIDE_0 = {
    "(exp(x) - 1) / x": (lambda x: (np.exp(x) - 1) / x, 1 / 2, 1 / 3),
    "log(1 + x) / x": (lambda x: np.log(1 + x) / x, -1 / 2, 2 / 3),
    "(sqrt(1 + x) - 1) / x": (lambda x: (np.sqrt(1 + x) - 1) / x, -1 / 8, 1 / 8),
    "(exp(x) - 1 - x) / x²": (lambda x: (np.exp(x) - 1 - x) / x**2, 1 / 6, 1 / 12),
}


@pytest.mark.parametrize("name", BESIDE_0)
def test_rounding_beside_a_removable_singularity_at_a_tiny_point_is_no_structure(name):
    f, slope, curvature = BESIDE_0[name]
    found, second = numerical_gradient(f, 1e-12), numerical_hessian(f, 1e-12)
    assert abs(found.value - slope) <= found.error
    assert abs(second.value - curvature) <= 2 * second.error  # all noise, which has no bound

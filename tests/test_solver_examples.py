"""`examples/pendulum.py` and `examples/implicit.py`: the claims hold, against exact formulas."""

from __future__ import annotations

import math

import pytest

np = pytest.importorskip("numpy")
mpmath = pytest.importorskip("mpmath")

from examples import implicit, pendulum  # noqa: E402
from micrograd import grad, jacobian  # noqa: E402
from micrograd.testing import check_gradients  # noqa: E402


@pytest.mark.slow
def test_twenty_terms_keep_the_energy_where_runge_kutta_does_not():
    found = pendulum.run()
    assert found.holds is True
    assert found.numbers["series"] < 1e-13
    assert found.numbers["runge_kutta"] > 1e-5


@pytest.mark.slow
def test_the_pendulum_is_where_the_elliptic_function_says():
    seconds = pendulum.STEPS * pendulum.LENGTH
    k = mpmath.sin(pendulum.START[0] / 2)
    exact = 2 * mpmath.asin(k * mpmath.ellipfun("cd", seconds, m=k**2))
    assert pendulum.run().numbers["angle"] == pytest.approx(float(exact), abs=1e-13)


def test_the_series_begins_with_the_derivatives_by_hand():
    angle, velocity = 0.7, -0.3
    found = pendulum.series(angle, velocity, 5)
    sine, cosine = math.sin(angle), math.cos(angle)
    jerk = -cosine * velocity
    snap = sine * velocity**2 + cosine * sine
    assert found == pytest.approx([angle, velocity, -sine / 2, jerk / 6, snap / 24], rel=1e-15)


def test_implicit_derivatives_agree_with_those_through_the_solver_and_with_differences():
    found = implicit.run()
    assert found.holds is True
    for name, difference in found.numbers.items():
        assert difference <= (1e-8 if "differences" in name else 1e-12), name


def test_the_derivatives_of_the_root_are_those_by_hand():
    M, e = 0.8, 0.6
    E = implicit.kepler(M, e)
    assert e * math.sin(E) + M == pytest.approx(E, abs=1e-15)
    slope = 1 / (1 - e * math.cos(E))
    assert grad(implicit.kepler, (0, 1))(M, e) == pytest.approx((slope, math.sin(E) * slope))
    check_gradients(implicit.kepler_unrolled, M, e)


def test_the_derivatives_of_the_solution_are_those_by_hand():
    A, b = implicit.MATRIX, implicit.RIGHT
    inverse, x = np.linalg.inv(A), np.linalg.solve(A, b)
    by_A, by_b = jacobian(implicit.solve, (0, 1))(A, b)
    np.testing.assert_allclose(by_b, inverse, atol=1e-15)
    np.testing.assert_allclose(by_A, -np.einsum("ij,k->ijk", inverse, x), atol=1e-15)

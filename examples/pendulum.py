"""A pendulum by power series: twenty terms of the solution in each step.

python -m examples.pendulum

The equation is θ″ = −sin θ. The series of the solution about the present time follows from itself:
put the terms known so far into the right-hand side, and `taylor` gives the next two terms. A step
adds the series up. The energy ω²/2 − cos θ should not change; its drift over 80 steps of a quarter
of a second is compared with that of the classical Runge–Kutta method with the same steps.
"""

from __future__ import annotations

from functools import partial, reduce
from math import cos
from typing import Any

from micrograd import sin, taylor

from ._training import Result, report

TERMS = 20
STEPS = 80
LENGTH = 0.25  # of a step
START = (2.0, 0.0)  # angle and angular velocity

State = tuple[float, float]


def acceleration(angle: Any) -> Any:
    """The right-hand side of the equation, on numbers or Values."""
    return -sin(angle)


def polynomial(coefficients: list[float], t: Any) -> Any:
    """The sum of coefficients times powers of `t`, lowest first, by Horner's rule."""
    return reduce(lambda total, c: total * t + c, reversed(coefficients))


def acceleration_along(path: list[float], t: Any) -> Any:
    """The acceleration at the time `t`, if the angle has these coefficients."""
    return acceleration(polynomial(path, t))


def series(angle: float, velocity: float, terms: int = TERMS) -> list[float]:
    """The first coefficients of the angle as a power series in time, from the present on.

    Where the coefficients of the angle are known up to t^k, so are those of the acceleration;
    integrated twice, they give the angle up to t^(k + 2) (Picard's iteration).
    """
    found = [angle, velocity]
    while len(found) < terms:
        forces = taylor(partial(acceleration_along, found), 0.0, len(found) - 1)
        twice = [force / ((k + 1) * (k + 2)) for k, force in enumerate(forces)]
        found = [angle, velocity, *twice]
    return found[:terms]


def taylor_step(state: State, length: float) -> State:
    """The state a step later, by the series."""
    coefficients = series(*state)
    slopes = [k * c for k, c in enumerate(coefficients)][1:]
    return polynomial(coefficients, length), polynomial(slopes, length)


def runge_kutta_step(state: State, length: float) -> State:
    """The state a step later, by the classical Runge–Kutta method of order 4."""

    def slopes(by: float, along: State) -> State:
        angle, velocity = (x + by * slope for x, slope in zip(state, along, strict=True))
        return velocity, acceleration(angle)

    k1 = slopes(0.0, (0.0, 0.0))
    k2 = slopes(length / 2, k1)
    k3 = slopes(length / 2, k2)
    k4 = slopes(length, k3)
    angle, velocity = (
        x + length / 6 * (a + 2 * b + 2 * c + d)
        for x, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True)
    )
    return angle, velocity


def energy(state: State) -> float:
    """The energy, which the motion keeps."""
    return state[1] ** 2 / 2 - cos(state[0])


def drift(step: Any, steps: int) -> tuple[float, State]:
    """The largest change of the energy over the steps, and the last state."""
    state, largest = START, 0.0
    for _ in range(steps):
        state = step(state, LENGTH)
        largest = max(largest, abs(energy(state) - energy(START)))
    return largest, state


def run(steps: int = STEPS) -> Result:
    """Compute the motion by both methods; the claim is a drift of the energy below 1e-13."""
    by_series, end = drift(taylor_step, steps)
    by_runge_kutta, other = drift(runge_kutta_step, steps)
    numbers = {"series": by_series, "runge_kutta": by_runge_kutta, "angle": end[0]}
    lines = [
        f"a pendulum released at {START[0]} rad, {steps} steps of {LENGTH} s",
        f"{TERMS} terms of the series: energy drifts by {by_series:.1e}, angle {end[0]:.12f}",
        f"Runge–Kutta, order 4:    energy drifts by {by_runge_kutta:.1e}, angle {other[0]:.12f}",
    ]
    return Result(numbers, lines, by_series < 1e-13)


if __name__ == "__main__":
    raise SystemExit(report(run()))

"""Motion: differential equations, filters and bodies under constraints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import micrograd
from benchmarks.workloads.loops import jax_repeat
from benchmarks.workloads.workload import Workload, workload
from micrograd import repeat, scan


def runge_kutta(rate: Callable[[Any], Any], state: Any, h: float) -> Any:
    """The state after one step of the classical Runge-Kutta method of order 4."""
    k1 = rate(state)
    k2 = rate(state + h / 2 * k1)
    k3 = rate(state + h / 2 * k2)
    k4 = rate(state + h * k3)
    return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


@workload("Lotka-Volterra fit, 100 steps", 100, small=(5,))
def predators(draw: Any, steps: int) -> Workload:
    """The error of a simulated population, differentiated with respect to four rates."""
    seen = np.exp(draw.normal(0, 0.3, (steps, 2)))

    def error(array: Callable[..., Any], loop: Callable[..., Any], rates: Any) -> Any:
        a, b, c, d = rates

        def rate(state: Any) -> Any:
            hares, foxes = state
            return array([a * hares - b * hares * foxes, d * hares * foxes - c * foxes])

        def step(state: Any, at: Any) -> tuple[Any, Any]:
            state = runge_kutta(rate, state, 0.1)
            return state, ((state - at) ** 2).sum()

        return sum(loop(step, np.ones(2), seen)[1])

    return Workload(
        lambda rates: error(np.array, scan, rates),
        lambda rates: error(jnp.array, lambda *a: _summed(*a), rates),
        (np.array([1.1, 0.4, 0.9, 0.3]),),
    )


def _summed(step: Any, state: Any, xs: Any) -> Any:
    last, results = jax.lax.scan(step, state, xs)
    return last, [results.sum()]


def _pendulum(m: Any, state: Any) -> list[Any]:
    """The rates of two rods of length and mass 1: two angles and two angular velocities."""
    a, b, da, db = state
    sine, cosine = m.sin(a - b), m.cos(a - b)
    g, below = 9.81, 3 - m.cos(2 * a - 2 * b)
    turn_a = -3 * g * m.sin(a) - g * m.sin(a - 2 * b) - 2 * sine * (db * db + da * da * cosine)
    turn_b = 2 * sine * (2 * da * da + 2 * g * m.cos(a) + db * db * cosine)
    return [da, db, turn_a / below, turn_b / below]


@workload("double pendulum, 200 steps", 200, small=(4,))
@workload("double pendulum, 2,000 steps", 2_000, small=(3,))
def pendulum(draw: Any, steps: int) -> Workload:
    """The final height of a double pendulum, differentiated with respect to its initial state."""

    def height(m: Any, array: Any, loop: Callable[..., Any], state: Any) -> Any:
        def step(state: Any) -> Any:
            return runge_kutta(lambda each: array(_pendulum(m, each)), state, 1e-3)

        last = loop(step, state, steps)
        return m.cos(last[0]) + m.cos(last[1])

    return Workload(
        lambda state: height(micrograd, np.array, repeat, state),
        lambda state: height(jnp, jnp.array, jax_repeat, state),
        (np.array([1.0, 2.0, 0.1, -0.2]),),
    )


def _neuron(m: Any, array: Any, conductances: Any, current: Any, state: Any) -> Any:
    """The state of Hodgkin and Huxley's neuron 0.01 ms later: the voltage and three gates."""
    sodium, potassium, leak = conductances
    v, n, a, b = state
    rates = [
        (0.01 * (v + 55) / (1 - m.exp(-(v + 55) / 10)), 0.125 * m.exp(-(v + 65) / 80)),
        (0.1 * (v + 40) / (1 - m.exp(-(v + 40) / 10)), 4 * m.exp(-(v + 65) / 18)),
        (0.07 * m.exp(-(v + 65) / 20), 1 / (1 + m.exp(-(v + 35) / 10))),
    ]
    gates = [
        x + 0.01 * (up * (1 - x) - down * x) for x, (up, down) in zip((n, a, b), rates, strict=True)
    ]
    through = sodium * a**3 * b * (v - 50) + potassium * n**4 * (v + 77) + leak * (v + 54.387)
    return array([v + 0.01 * (current - through), *gates])


REST = np.array([-65.0, 0.317, 0.053, 0.596])
CONDUCTANCES = np.array([120.0, 36.0, 0.3])


@workload("Hodgkin-Huxley, 500 steps", 500, small=(3,))
def neuron(draw: Any, steps: int) -> Workload:
    """The final voltage, differentiated with respect to three conductances."""

    def voltage(m: Any, array: Any, loop: Callable[..., Any], conductances: Any) -> Any:
        return loop(lambda each: _neuron(m, array, conductances, 10.0, each), REST, steps)[0]

    return Workload(
        lambda g: voltage(micrograd, np.array, repeat, g),
        lambda g: voltage(jnp, jnp.array, jax_repeat, g),
        (CONDUCTANCES,),
    )


@workload("Hodgkin-Huxley, one step of 10,000 neurons", 10_000, small=(4,))
def neurons(draw: Any, count: int) -> Workload:
    """The next voltages of many neurons, differentiated with respect to their states."""

    def voltage(m: Any, array: Any, current: Any, state: Any) -> Any:
        return _neuron(m, array, CONDUCTANCES, current, state)[0]

    return Workload(
        lambda *args: voltage(micrograd, np.array, *args),
        lambda *args: voltage(jnp, jnp.array, *args),
        (draw.normal(10, 1, count), REST * draw.normal(1, 0.05, (count, 4))),
        batched=True,
    )


@workload("N-body, 5 bodies, 100 steps", 5, 100, small=(3, 2))
def bodies(draw: Any, count: int, steps: int) -> Workload:
    """How far five bodies travel, differentiated with respect to their initial states."""
    others = ~np.eye(count, dtype=bool)

    def forces(m: Any, array: Any, p: Any) -> Any:
        rows = []
        for i in range(count):
            apart = p[others[i]] - p[i]
            cube = ((apart * apart).sum(axis=1) + 0.01) ** 1.5
            rows.append((apart / cube[:, None]).sum(axis=0))
        return array(rows)

    def far(m: Any, array: Any, loop: Callable[..., Any], p: Any, v: Any) -> Any:
        def step(state: Any) -> Any:
            p, v = state
            v = v + 0.005 * forces(m, array, p)
            p = p + 0.01 * v
            return p, v + 0.005 * forces(m, array, p)

        return (loop(step, (p, v), steps)[0] ** 2).sum()

    return Workload(
        lambda *args: far(micrograd, np.array, repeat, *args),
        lambda *args: far(jnp, jnp.array, jax_repeat, *args),
        (draw.normal(size=(count, 2)), draw.normal(0, 0.3, (count, 2))),
    )


@workload("rope of 12, 30 steps", 12, 30, small=(4, 2))
def rope(draw: Any, count: int, steps: int) -> Workload:
    """A swinging rope: Verlet's method, with links of length 1 that are corrected in turn."""

    def theirs_array(points: Any) -> Any:
        return jnp.stack(points)

    def right(m: Any, array: Any, p: Any) -> Any:
        p = list(p)
        for i in range(count - 1):
            apart = p[i + 1] - p[i]
            shift = 0.5 * (1 - 1 / m.sqrt(apart @ apart)) * apart
            p[i + 1] = p[i + 1] - shift * (2 if i == 0 else 1)
            p[i] = p[i] + shift * (0 if i == 0 else 1)
        return array(p)

    def end(m: Any, array: Any, loop: Callable[..., Any], start: Any, gravity: Any) -> Any:
        def step(state: Any) -> Any:
            p, before = state
            fall = np.arange(count)[:, None].clip(0, 1) * gravity
            return right(m, array, 2 * p - before + 0.001 * fall), p

        return (loop(step, (start, start), steps)[0][-1] ** 2).sum()

    at = np.stack([np.arange(count), 0.1 * np.arange(count)], axis=1) + draw.normal(
        0, 0.05, (count, 2)
    )
    return Workload(
        lambda *args: end(micrograd, np.array, repeat, *args),
        lambda *args: end(jnp, theirs_array, jax_repeat, *args),
        (at, np.array([0.3, -9.81])),
    )


@workload("Gray-Scott, 16 x 16 cells, 20 steps", 16, 20, small=(4, 2))
def spots(draw: Any, side: int, steps: int) -> Workload:
    """How much a reaction yields that spreads over a torus, differentiated by where it begins."""

    def yielded(roll: Callable[..., Any], loop: Callable[..., Any], feed: Any, spores: Any) -> Any:
        def spread(x: Any) -> Any:
            return roll(x, 1, 0) + roll(x, -1, 0) + roll(x, 1, 1) + roll(x, -1, 1) - 4 * x

        def step(state: Any) -> Any:
            u, v = state
            reaction = u * v * v
            u, v = (
                u + 0.16 * spread(u) - reaction + 0.035 * (1 - u),
                v + 0.08 * spread(v) + reaction - 0.1 * v,
            )
            return u, v

        return (loop(step, (feed, spores), steps)[1] ** 2).sum()

    return Workload(
        lambda *args: yielded(np.roll, repeat, *args),
        lambda *args: yielded(jnp.roll, jax_repeat, *args),
        (draw.uniform(0.9, 1, (side, side)), draw.uniform(0, 0.2, (side, side))),
    )


@workload("Kalman filter, 50 observations", 50, small=(4,))
def kalman(draw: Any, steps: int) -> Workload:
    """The likelihood of a track, differentiated with respect to the logarithms of two noises."""
    seen = np.cumsum(draw.normal(0.5, 1, steps))

    def likelihood(m: Any, loop: Callable[..., Any], noises: Any) -> Any:
        q, r = m.exp(noises[0]), m.exp(noises[1])

        def step(state: Any, z: Any) -> Any:
            (x, v), (pxx, pxv, pvv) = state
            x, pxx, pxv, pvv = x + v, pxx + 2 * pxv + pvv + q / 3, pxv + pvv + q / 2, pvv + q
            s, off = pxx + r, z - x
            k, kv = pxx / s, pxv / s
            after = (x + k * off, v + kv * off), ((1 - k) * pxx, (1 - k) * pxv, pvv - kv * pxv)
            return after, m.log(s) + off * off / s

        return sum(loop(step, ((0.0, 0.0), (10.0, 0.0, 10.0)), seen)[1])

    return Workload(
        lambda noises: likelihood(micrograd, scan, noises),
        lambda noises: likelihood(jnp, _summed, noises),
        (np.array([-1.0, 0.2]),),
    )

"""Numerical methods and signals: sums, filters, transforms and linear systems."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import micrograd
from benchmarks.workloads.workload import Workload, both, workload
from micrograd import jacobian, take


@workload("Rosenbrock, 1,000 variables", 1_000, small=(5,))
def rosenbrock(draw: Any, count: int) -> Workload:
    """The valley on which optimizers are tested."""

    def ours(x: Any) -> Any:
        return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))

    def theirs(x: Any) -> Any:
        return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return Workload(ours, theirs, (draw.normal(size=count),))


@workload("polynomial of degree 100, 1,000 points", 100, 1_000, small=(4, 3))
def polynomial(draw: Any, degree: int, points: int) -> Workload:
    """Horner's method, and the slope at each point."""
    coefficients = draw.normal(size=degree + 1)

    def horner(x: Any) -> Any:
        return reduce(lambda y, c: y * x + c, coefficients)

    return Workload(
        horner,
        lambda x: jnp.polyval(coefficients, x, unroll=16),
        (draw.uniform(-1, 1, points),),
        batched=True,
    )


@workload("tall Jacobian, 2 to 1,000", 1_000, small=(3,))
def tall_jacobian(draw: Any, points: int) -> Workload:
    """The Jacobian of the residuals of a decay with respect to two parameters."""
    t = np.linspace(0, 4, points)

    def residuals(m: Any, at: Any) -> Any:
        return at[0] * m.exp(-at[1] * t) - 1

    ours, theirs = both(residuals)
    return Workload(
        lambda at: jacobian(ours)(at), jax.jacfwd(theirs), (np.array([2.0, 0.7]),), gradient=False
    )


@workload("tridiagonal system of 1,000", 1_000, small=(4,))
def thomas(draw: Any, count: int) -> Workload:
    """The square of the solution by Thomas's method, differentiated: diagonal and right side."""

    def ours(diagonal: Any, right: Any) -> Any:
        c, d = [-1 / diagonal[0]], [right[0] / diagonal[0]]
        for i in range(1, count):
            pivot = diagonal[i] + c[-1]
            c.append(-1 / pivot)
            d.append((right[i] + d[-1]) / pivot)
        x = [d[-1]]
        for i in range(count - 2, -1, -1):
            x.append(d[i] - c[i] * x[-1])
        return sum(each * each for each in x)

    def theirs(diagonal: Any, right: Any) -> Any:
        def down(state: Any, row: Any) -> Any:
            pivot = row[0] + state[0]
            after = -1 / pivot, (row[1] + state[1]) / pivot
            return after, after

        def up(below: Any, row: Any) -> Any:
            x = row[1] - row[0] * below
            return x, x

        _, rows = jax.lax.scan(down, (0.0, 0.0), (diagonal, right))
        return jnp.sum(jax.lax.scan(up, 0.0, rows, reverse=True)[1] ** 2)

    return Workload(ours, theirs, (draw.uniform(3, 4, count), draw.normal(size=count)))


@workload("FIR of 16 on 10,000 samples", 16, 10_000, small=(3, 7))
def fir(draw: Any, taps: int, samples: int) -> Workload:
    """The power of a filtered signal, differentiated with respect to taps and signal."""

    def ours(h: Any, x: Any) -> Any:
        filtered = [x[i : i + taps] @ h for i in range(samples - taps + 1)]
        return sum(y * y for y in filtered)

    def theirs(h: Any, x: Any) -> Any:
        return jnp.sum(jnp.convolve(x, h[::-1], "valid") ** 2)

    return Workload(ours, theirs, (draw.normal(size=taps), draw.normal(size=samples)))


@workload("IIR of order 2 on 10,000 samples", 10_000, small=(5,))
def iir(draw: Any, samples: int) -> Workload:
    """The power of a resonance, differentiated with respect to coefficients and signal."""

    def ours(a: Any, x: Any) -> Any:
        power, y, before = 0.0, 0.0, 0.0
        for each in x:
            y, before = a[0] * y + a[1] * before + each, y
            power = power + y * y
        return power

    def theirs(a: Any, x: Any) -> Any:
        def step(state: Any, each: Any) -> Any:
            y = a[0] * state[0] + a[1] * state[1] + each
            return (y, state[0]), y

        return jnp.sum(jax.lax.scan(step, (0.0, 0.0), x)[1] ** 2)

    return Workload(ours, theirs, (np.array([1.6, -0.8]), draw.normal(size=samples)))


def _spectrum(x: Any) -> list[Any]:
    """The powers of the frequencies, by the fast Fourier transform of Cooley and Tukey."""

    def transform(real: list[Any], imaginary: list[Any]) -> tuple[list[Any], list[Any]]:
        if len(real) == 1:
            return real, imaginary
        a, b = transform(real[::2], imaginary[::2])
        c, d = transform(real[1::2], imaginary[1::2])
        half = np.pi / len(c) * np.arange(len(c))
        turned = [
            (u * cos + v * sin, v * cos - u * sin)
            for u, v, cos, sin in zip(c, d, np.cos(half), np.sin(half), strict=True)
        ]
        first = [(p + u, q + v) for p, q, (u, v) in zip(a, b, turned, strict=True)]
        second = [(p - u, q - v) for p, q, (u, v) in zip(a, b, turned, strict=True)]
        real, imaginary = map(list, zip(*first, *second, strict=True))
        return real, imaginary

    real, imaginary = transform(list(x), [0.0] * len(x))
    return [a * a + b * b for a, b in zip(real, imaginary, strict=True)]


def _flatness(m: Any, powers: Any) -> Any:
    return sum(m.log(1 + p) for p in powers)


@workload("FFT of 64 samples", 64, small=(4,))
def fft(draw: Any, samples: int) -> Workload:
    """The logarithms of a spectrum, differentiated with respect to the signal."""

    def theirs(x: Any) -> Any:
        return jnp.sum(jnp.log1p(jnp.abs(jnp.fft.fft(x)) ** 2))

    return Workload(
        lambda x: _flatness(micrograd, _spectrum(x)), theirs, (draw.normal(size=samples),)
    )


@workload("FFT of 64 samples, 1,000 signals", 64, 1_000, small=(4, 3))
def ffts(draw: Any, samples: int, signals: int) -> Workload:
    """The same for many signals."""
    at = draw.normal(size=(signals, samples))
    return fft(draw, samples)._replace(arguments=(at,), batched=True)


@workload("Ising, 32 x 32 spins", 32, small=(3,))
def ising(draw: Any, side: int) -> Workload:
    """The energy of soft spins on a torus, differentiated with respect to each."""

    def energy(m: Any, roll: Callable[..., Any], fields: Any) -> Any:
        s = m.tanh(fields)
        return -(s * (roll(s, 1, 0) + roll(s, 1, 1) + 0.1)).sum()

    return Workload(
        lambda x: energy(micrograd, np.roll, x),
        lambda x: energy(jnp, jnp.roll, x),
        (draw.normal(size=(side, side)),),
    )


@workload("XY model, 16 x 16 spins, 256 samples", 16, 256, small=(3, 2))
def xy_model(draw: Any, side: int, samples: int) -> Workload:
    """The energy of directions on a torus, differentiated with respect to each, in a batch."""

    def energy(m: Any, roll: Callable[..., Any], angles: Any) -> Any:
        return -(m.cos(angles - roll(angles, 1, 0)) + m.cos(angles - roll(angles, 1, 1))).sum()

    return Workload(
        lambda x: energy(micrograd, np.roll, x),
        lambda x: energy(jnp, jnp.roll, x),
        (draw.normal(size=(samples, side, side)),),
        batched=True,
    )


@workload("Hopfield, 64 units", 64, small=(3,))
def hopfield(draw: Any, units: int) -> Workload:
    """The energy of a network with memories, differentiated with respect to its state."""
    patterns = draw.choice([-1.0, 1.0], (5, units))
    w = patterns.T @ patterns / units

    def energy(m: Any, x: Any) -> Any:
        return -0.5 * (x @ w @ x) + 0.1 * (x * x).sum()

    return Workload(*both(energy), (draw.normal(size=units),))


@workload("cubic spline of 20 knots, 10,000 points", 20, 10_000, small=(4, 3))
def spline(draw: Any, knots: int, points: int) -> Workload:
    """The square of a natural cubic spline, differentiated with respect to its values at knots."""
    at = draw.uniform(0, knots - 1, points)

    def curvatures(y: Any) -> list[Any]:
        """The second derivatives at the knots, by Thomas's method."""
        factors, rests, found = [0.0], [0.0], [0.0]
        for i in range(1, knots - 1):
            pivot = 4 - factors[-1]
            rests.append((6 * (y[i + 1] - 2 * y[i] + y[i - 1]) - rests[-1]) / pivot)
            factors.append(1 / pivot)
        for factor, rest in zip(factors[:0:-1], rests[:0:-1], strict=True):
            found.append(rest - factor * found[-1])
        return [0.0, *found[:0:-1], 0.0]

    def value(y: Any, curves: Any, read: Callable[..., Any], k: Any, u: Any) -> Any:
        w = 1 - u
        line = w * read(y, k) + u * read(y, k + 1)
        return line + ((w**3 - w) * read(curves, k) + (u**3 - u) * read(curves, k + 1)) / 6

    def ours(y: Any, k: Any, u: Any) -> Any:
        return value(y, curvatures(y), take, k, u) ** 2

    def theirs(y: Any, k: Any, u: Any) -> Any:
        curves = jnp.array(curvatures(y))
        return value(y, curves, lambda table, i: table[i.astype(int)], k, u) ** 2

    whole = np.floor(at)
    return Workload(ours, theirs, (whole, at - whole), (draw.normal(size=knots),), batched=True)

"""Likelihoods and prices: statistics and finance."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import micrograd
from benchmarks.workloads.workload import Workload, both, workload
from micrograd import erf, log, log_softmax, logsumexp, scan, sqrt


@workload("GP likelihood, 1,000 sets of 10", 10, 1_000, small=(3, 2))
def gaussian_process(draw: Any, points: int, sets: int) -> Workload:
    """The marginal likelihood, by Cholesky's method, of three parameters of the kernel."""

    def kernel(m: Any, theta: Any, x: Any) -> Any:
        length, scale, noise = m.exp(theta[0]), m.exp(theta[1]), m.exp(theta[2])
        apart = (x[:, None] - x[None, :]) / length
        return scale * m.exp(-0.5 * apart * apart) + (noise + 1e-6) * np.eye(points)

    def ours(theta: Any, x: Any, y: Any) -> Any:
        k = kernel(micrograd, theta, x)
        low = np.zeros((points, points), object)
        z: list[Any] = []
        for i in range(points):
            for j in range(i):
                low[i, j] = (k[i, j] - low[i, :j] @ low[j, :j]) / low[j, j]
            low[i, i] = sqrt(k[i, i] - low[i, :i] @ low[i, :i])
            z.append((y[i] - low[i, :i] @ np.array(z, object)) / low[i, i])
        return sum(0.5 * each * each + log(low[i, i]) for i, each in enumerate(z))

    def theirs(theta: Any, x: Any, y: Any) -> Any:
        low = jnp.linalg.cholesky(kernel(jnp, theta, x))
        z = jax.scipy.linalg.solve_triangular(low, y, lower=True)
        return 0.5 * z @ z + jnp.sum(jnp.log(jnp.diag(low)))

    data = draw.uniform(0, 5, (sets, points)), draw.normal(size=(sets, points))
    return Workload(ours, theirs, data, (np.array([0.1, 0.2, -1.5]),), batched=True)


@workload("mixture of 4 Gaussians, 10,000 points", 4, 10_000, small=(2, 3))
def mixture(draw: Any, components: int, points: int) -> Workload:
    """The negative logarithm of the likelihood; weights, centres and widths are fitted."""

    def density(m: Any, total: Any, weights: Any, centres: Any, widths: Any, x: Any) -> Any:
        apart = (x - centres) * m.exp(-widths)
        each = weights - (apart * apart).sum(axis=1) / 2 - widths.sum(axis=1)
        return total(weights) - total(each)

    return Workload(
        lambda *args: density(micrograd, logsumexp, *args),
        lambda *args: density(jnp, jax.nn.logsumexp, *args),
        (draw.normal(size=(points, 2)),),
        (
            draw.normal(0, 0.3, components),
            draw.normal(size=(components, 2)),
            draw.normal(0, 0.3, (components, 2)),
        ),
        batched=True,
    )


@workload("hidden Markov model, 5 states, 50 steps", 5, 50, small=(2, 3))
def hidden_markov_model(draw: Any, states: int, steps: int) -> Workload:
    """The likelihood by the forward algorithm; transitions and observations are fitted."""

    def ours(transitions: Any, seen: Any) -> Any:
        logs = np.array([log_softmax(row) for row in transitions])

        def step(alpha: Any, each: Any) -> tuple[Any, None]:
            return np.array([logsumexp(alpha + column) for column in logs.T]) + each, None

        return logsumexp(scan(step, seen[0], seen[1:])[0])

    def theirs(transitions: Any, seen: Any) -> Any:
        logs = jax.nn.log_softmax(transitions, axis=1)

        def step(alpha: Any, each: Any) -> tuple[Any, None]:
            return jax.nn.logsumexp(alpha[:, None] + logs, axis=0) + each, None

        return jax.nn.logsumexp(jax.lax.scan(step, seen[0], seen[1:])[0])

    return Workload(
        ours, theirs, (draw.normal(size=(states, states)), draw.normal(size=(steps, states)))
    )


@workload("normalizing flow, 4 couplings, 1,000 points", 4, 1_000, small=(2, 3))
def normalizing_flow(draw: Any, couplings: int, points: int) -> Workload:
    """The negative logarithm of a density in the plane, made by affine couplings."""

    def loss(m: Any, weights: Any, x: Any) -> Any:
        a, b = x
        total = 0.0
        for scales, shifts in weights:
            hidden = m.tanh(scales[:4] * a + scales[4:])
            scale = m.tanh((shifts[:4] * hidden).sum())
            a, b = b * m.exp(scale) + (shifts[4:] * hidden).sum(), a
            total = total + scale
        return 0.5 * (a * a + b * b) - total

    weights = draw.normal(0, 0.3, (couplings, 2, 8))
    return Workload(*both(loss), (draw.normal(size=(points, 2)),), (weights,), batched=True)


def _normal(m: Any, tail: Any, x: Any) -> Any:
    return 0.5 * (1 + tail(x * 0.5**0.5))


@workload("implied volatility, 100,000 options", 100_000, small=(3,))
def implied_volatility(draw: Any, options: int) -> Workload:
    """Five steps of Newton's method from a price to its volatility."""

    def call(m: Any, tail: Any, strike: Any, time: Any, sigma: Any) -> tuple[Any, Any]:
        spread = sigma * m.sqrt(time)
        upper = -m.log(strike) / spread + spread / 2
        price = _normal(m, tail, upper) - strike * _normal(m, tail, upper - spread)
        vega = m.exp(-upper * upper / 2) * (2 * np.pi) ** -0.5 * m.sqrt(time)
        return price, vega

    def volatility(m: Any, tail: Any, strike: Any, time: Any, price: Any) -> Any:
        sigma = 0.3
        for _ in range(5):
            value, vega = call(m, tail, strike, time, sigma)
            sigma = sigma - (value - price) / vega
        return sigma

    strike, time = draw.uniform(0.9, 1.1, options), draw.uniform(0.5, 2, options)
    price, _ = call(jnp, jax.lax.erf, strike, time, draw.uniform(0.2, 0.4, options))
    return Workload(
        lambda *args: volatility(micrograd, erf, *args),
        lambda *args: volatility(jnp, jax.lax.erf, *args),
        (strike, time, np.asarray(price)),
        batched=True,
        gradient=False,
    )


@workload("Heston, 10,000 paths of 50 steps", 50, 10_000, small=(3, 4))
def heston(draw: Any, steps: int, paths: int) -> Workload:
    """A call option under stochastic volatility, and the slopes of five parameters."""

    def payoff(m: Any, loop: Any, model: Any, noise: Any) -> Any:
        start, kappa, theta, xi, rho = model
        h = 1 / steps

        def step(state: Any, z: Any) -> tuple[Any, Any]:
            log_spot, v = state
            swing = m.sqrt(m.maximum(v, 1e-4) * h)
            turned = rho * z[0] + m.sqrt(1 - rho * rho) * z[1]
            return (
                log_spot - v * h / 2 + swing * z[0],
                v + kappa * (theta - v) * h + xi * swing * turned,
            ), 0.0

        (log_spot, _), _ = loop(step, (0.0, start), noise)
        return m.maximum(m.exp(log_spot) - 1, 0)

    return Workload(
        lambda *args: payoff(micrograd, scan, *args),
        lambda model, noise: payoff(jnp, jax.lax.scan, (*model,), noise),
        (draw.normal(size=(paths, steps, 2)),),
        (np.array([0.04, 1.5, 0.05, 0.5, -0.6]),),
        batched=True,
    )


@workload("GARCH(1, 1) likelihood, 1,000 returns", 1_000, small=(4,))
def garch(draw: Any, count: int) -> Workload:
    """The likelihood of returns whose variance depends on the last return and variance."""
    returns = draw.standard_t(5, size=count)

    def likelihood(m: Any, scan_: Any, at: Any) -> Any:
        def step(variance: Any, x: Any) -> Any:
            following = at[0] + at[1] * x * x + at[2] * variance
            return following, m.log(variance) + x * x / variance

        return scan_(step, 1.0, returns)[1].sum()

    return Workload(
        lambda at: likelihood(micrograd, scan, at),
        lambda at: likelihood(jnp, jax.lax.scan, at),
        (np.array([0.1, 0.1, 0.8]),),
    )

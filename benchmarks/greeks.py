"""Black and Scholes: the price of a call option and five greeks, at many points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.timing import Effort, Engine, Run, available, compare, print_times
from micrograd import compile, derivative, erf, exp, log, sqrt  # noqa: A004


def price(library: Any, spot: Any, strike: Any, time: Any, rate: Any, volatility: Any) -> Any:
    """The price of a European call option; `library` has the functions."""
    spread = volatility * library.sqrt(time)
    upper = (library.log(spot / strike) + (rate + volatility * volatility / 2) * time) / spread
    discounted = strike * library.exp(-rate * time)
    return spot * normal(library, upper) - discounted * normal(library, upper - spread)


def normal(library: Any, x: Any) -> Any:
    """The distribution function of the normal distribution."""
    return 0.5 * (1 + library.erf(x * 0.5**0.5))


def points(count: int) -> tuple[Any, ...]:
    """Arrays of spot, strike, time, rate and volatility."""
    draw = np.random.default_rng(0).uniform
    ranges = (80, 120), (80, 120), (0.1, 2), (0.0, 0.1), (0.1, 0.5)
    return tuple(draw(*each, count) for each in ranges)


class Ours:
    """Functions of Values."""

    exp, log, sqrt, erf = map(staticmethod, (exp, log, sqrt, erf))


def scalars(spot: Any, strike: Any, time: Any, rate: Any, volatility: Any) -> list[Any]:
    """The price and its derivatives, from the formula of the price alone."""
    value = price(Ours, spot, strike, time, rate, volatility)
    delta, per_time, rho, vega = derivative(value, [spot, time, rate, volatility])
    return [value, delta, derivative(delta, spot), vega, -per_time, rho]


def compiled(backend: str) -> Engine:
    """The function of scalars, compiled."""
    program = compile(scalars, batched=True, backend=backend)
    return lambda *at: partial(program, *at)


def formulas(library: Any, *at: Any) -> tuple[Any, ...]:
    """The formulas of a textbook; common parts are computed once."""
    spot, strike, time, rate, volatility = at
    root = library.sqrt(time)
    spread = volatility * root
    upper = (library.log(spot / strike) + (rate + volatility * volatility / 2) * time) / spread
    discounted = strike * library.exp(-rate * time)
    above, below = normal(library, upper), normal(library, upper - spread)
    density = library.exp(-upper * upper / 2) * (2 * np.pi) ** -0.5
    return (
        spot * above - discounted * below,
        above,
        density / (spot * spread),
        spot * density * root,
        -spot * density * volatility / (2 * root) - rate * discounted * below,
        time * discounted * below,
    )


def numpy_by_hand() -> Engine:
    """The formulas on arrays of NumPy and SciPy."""
    from scipy.special import erf

    library = SimpleNamespace(exp=np.exp, log=np.log, sqrt=np.sqrt, erf=erf)
    return lambda *at: partial(formulas, library, *at)


def jax_formulas() -> Engine:
    """The formulas, compiled by JAX."""
    return _jax(formulas)


def jax_derivatives() -> Engine:
    """Derivatives of the price at one point, mapped over all points, compiled by JAX."""
    import jax

    def greeks(library: Any, *at: Any) -> tuple[Any, ...]:
        def one(*at: Any) -> tuple[Any, ...]:
            both = jax.value_and_grad(partial(price, library), argnums=(0, 2, 3, 4))

            def delta(spot: Any) -> Any:
                value, slopes = both(spot, *at[1:])
                return slopes[0], (value, slopes)

            _, gamma, (value, slopes) = jax.jvp(delta, at[:1], (1.0,), has_aux=True)
            return value, slopes[0], gamma, slopes[3], -slopes[1], slopes[2]

        return jax.vmap(one)(*at)

    return _jax(greeks)


def _jax(function: Callable[..., Any]) -> Engine:
    import jax
    import jax.numpy as jnp

    library = SimpleNamespace(exp=jnp.exp, log=jnp.log, sqrt=jnp.sqrt, erf=jax.lax.erf)
    jitted = jax.jit(partial(function, library))

    def engine(*at: Any) -> Run:
        held = jax.device_put(at)
        return lambda: jax.block_until_ready(jitted(*held))

    return engine


PEERS = {
    "NumPy, formulas": numpy_by_hand,
    "JAX jit, formulas": jax_formulas,
    "JAX jit, derivatives": jax_derivatives,
}


def measure(count: int, backends: Sequence[str], peers: bool, effort: Effort) -> None:
    """Print the table."""
    ours = {f"compiled, {backend}": compiled(backend) for backend in backends}
    theirs = available(PEERS if peers else {})
    times = compare({**ours, **theirs}, points(count), effort)
    print_times(f"price and five greeks at {count:,} points", times)

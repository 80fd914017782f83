"""Loops for both libraries: `repeat(step, state, n)` and `scan(step, state, xs)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

import micrograd


def _repeat(step: Callable[[Any], Any], state: Any, n: int) -> Any:
    for _ in range(n):
        state = step(state)
    return state


def _scan(step: Callable[[Any, Any], Any], state: Any, xs: Any) -> tuple[Any, list[Any]]:
    results = []
    for x in xs:
        state, result = step(state, x)
        results.append(result)
    return state, results


repeat = getattr(micrograd, "repeat", _repeat)
scan = getattr(micrograd, "scan", _scan)


def jax_repeat(step: Callable[[Any], Any], state: Any, n: int) -> Any:
    """The state after n steps, by a loop that JAX can differentiate."""
    return jax.lax.scan(lambda state, _: (step(state), None), state, length=n)[0]

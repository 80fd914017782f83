"""Loops of JAX that can be differentiated, beside `micrograd.repeat` and `micrograd.scan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax


def jax_repeat(step: Callable[[Any], Any], state: Any, n: int) -> Any:
    """The state after n steps."""
    return jax.lax.scan(lambda state, _: (step(state), None), state, length=n)[0]

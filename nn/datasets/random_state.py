"""What `random_state` may be, and the generator that it means."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

RandomState = int | np.random.RandomState | None


def generator_of(random_state: Any) -> np.random.RandomState:
    """Return the generator that `random_state` means."""
    if random_state is None:
        return np.random.mtrand._rand  # the one that numpy.random.seed seeds
    if isinstance(random_state, np.random.RandomState):
        return random_state
    if isinstance(random_state, Integral) and 0 <= int(random_state) < 2**32:
        return np.random.RandomState(int(random_state))
    raise ValueError(
        f"random_state is an int from 0 to 2**32 - 1, a numpy.random.RandomState or None, "
        f"got {random_state!r}"
    )

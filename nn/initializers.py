"""First numbers for weights: functions that draw one, for so many inputs and outputs.

An initializer is called as `draw(fan_in, fan_out, generator)`, with a `random.Random`.

>>> import random
>>> draw = known("xavier_uniform")
>>> abs(draw(4, 2, random.Random(0))) <= 1.0
True
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from nn.options import by_name, real

Initializer = Callable[[int, int, Random], float]


def uniform(low: float = -1.0, high: float = 1.0) -> Initializer:
    """Between two numbers; those of Karpathy's micrograd by default."""
    low, high = real(low, "low"), real(high, "high", least=low)
    return lambda fan_in, fan_out, generator: generator.uniform(low, high)


def constant(number: float) -> Initializer:
    """Always the same number."""
    number = real(number, "the number of constant")
    return lambda fan_in, fan_out, generator: number


def zeros(fan_in: int, fan_out: int, generator: Random) -> float:
    """Always 0."""
    return 0.0


def xavier_uniform(fan_in: int, fan_out: int, generator: Random) -> float:
    """Uniform, of variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010): for tanh, sigmoid."""
    bound = math.sqrt(6 / (fan_in + fan_out))
    return generator.uniform(-bound, bound)


def xavier_normal(fan_in: int, fan_out: int, generator: Random) -> float:
    """Normal, of variance 2 / (fan_in + fan_out)."""
    return generator.gauss(0.0, math.sqrt(2 / (fan_in + fan_out)))


def he_uniform(fan_in: int, fan_out: int, generator: Random) -> float:
    """Uniform, of variance 2 / fan_in (He and others, 2015): for relu."""
    bound = math.sqrt(6 / fan_in)
    return generator.uniform(-bound, bound)


def he_normal(fan_in: int, fan_out: int, generator: Random) -> float:
    """Normal, of variance 2 / fan_in."""
    return generator.gauss(0.0, math.sqrt(2 / fan_in))


INITIALIZERS: dict[str, Initializer] = {
    "uniform": uniform(),
    "zeros": zeros,
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
}
"""The initializers by name."""


def known(initializer: str | Initializer) -> Initializer:
    """The initializer of a name, or one that was given; ValueError for an unknown name."""
    if callable(initializer):
        return initializer
    otherwise = "a function of fan_in, fan_out and a random generator"
    return by_name(initializer, "initializer", INITIALIZERS, otherwise)

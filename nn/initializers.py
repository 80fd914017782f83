"""Initializers: functions that draw the initial weight of one connection.

An initializer is called as `draw(fan_in, fan_out, generator)` with the number of inputs and of
outputs of the layer and a `random.Random`, and returns a number.

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
    """Return an initializer that draws uniformly from an interval.

    Args:
        low: the lower end. The default interval is that of Karpathy's micrograd.
        high: the upper end, at least `low`.

    >>> -0.5 <= uniform(-0.5, 0.5)(4, 2, Random(0)) <= 0.5
    True
    """
    low, high = real(low, "low"), real(high, "high", least=low)
    return lambda fan_in, fan_out, generator: generator.uniform(low, high)


def constant(number: float) -> Initializer:
    """Return an initializer that always gives the same number.

    Args:
        number: the weight.

    >>> constant(0.25)(4, 2, Random(0))
    0.25
    """
    number = real(number, "the number of constant")
    return lambda fan_in, fan_out, generator: number


def zeros(fan_in: int, fan_out: int, generator: Random) -> float:
    """Return 0.

    Args:
        fan_in: the number of inputs of the layer.
        fan_out: the number of outputs of the layer.
        generator: a `random.Random`.

    >>> zeros(4, 2, Random(0))
    0.0
    """
    return 0.0


def xavier_uniform(fan_in: int, fan_out: int, generator: Random) -> float:
    """Draw uniformly with variance `2 / (fan_in + fan_out)`, for tanh and sigmoid.

    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
    networks", https://proceedings.mlr.press/v9/glorot10a.html.

    Args:
        fan_in: the number of inputs of the layer.
        fan_out: the number of outputs of the layer.
        generator: a `random.Random`.

    >>> abs(xavier_uniform(4, 2, Random(0))) <= 1.0
    True
    """
    bound = math.sqrt(6 / (fan_in + fan_out))
    return generator.uniform(-bound, bound)


def xavier_normal(fan_in: int, fan_out: int, generator: Random) -> float:
    """Draw from a normal distribution with variance `2 / (fan_in + fan_out)`.

    The normal counterpart of `xavier_uniform`.

    Args:
        fan_in: the number of inputs of the layer.
        fan_out: the number of outputs of the layer.
        generator: a `random.Random`.

    >>> xavier_normal(4, 2, Random(0)) == xavier_normal(4, 2, Random(0))
    True
    """
    return generator.gauss(0.0, math.sqrt(2 / (fan_in + fan_out)))


def he_uniform(fan_in: int, fan_out: int, generator: Random) -> float:
    """Draw uniformly with variance `2 / fan_in`, for relu (He and others 2015, arXiv:1502.01852).

    Args:
        fan_in: the number of inputs of the layer.
        fan_out: the number of outputs of the layer.
        generator: a `random.Random`.

    >>> abs(he_uniform(6, 2, Random(0))) <= 1.0
    True
    """
    bound = math.sqrt(6 / fan_in)
    return generator.uniform(-bound, bound)


def he_normal(fan_in: int, fan_out: int, generator: Random) -> float:
    """Draw from a normal distribution with variance `2 / fan_in`.

    The normal counterpart of `he_uniform`.

    Args:
        fan_in: the number of inputs of the layer.
        fan_out: the number of outputs of the layer.
        generator: a `random.Random`.

    >>> he_normal(4, 2, Random(0)) == he_normal(4, 2, Random(0))
    True
    """
    return generator.gauss(0.0, math.sqrt(2 / fan_in))


INITIALIZERS: dict[str, Initializer] = {
    "uniform": uniform(),
    "zeros": zeros,
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
}
"""The initializers by their names."""


def known(initializer: str | Initializer) -> Initializer:
    """Return the initializer of a name, or the function itself if one is given.

    Args:
        initializer: a name in `INITIALIZERS`, or a function.

    Raises:
        ValueError: for an unknown name.

    >>> known("zeros") is zeros
    True
    """
    if callable(initializer):
        return initializer
    otherwise = "a function of fan_in, fan_out and a random generator"
    return by_name(initializer, "initializer", INITIALIZERS, otherwise)

"""Schedules of the learning rate, named and constructed as in PyTorch.

Call `step()` after each epoch; `nn.fit` does so. The rate is a function of the first rate, `base`,
and of the number of epochs that are done; an epoch may also be a batch. Each group of parameters
has its own first rate. A warm-up is a `LinearLR` that others follow:

>>> from micrograd import Value
>>> from nn.optimizers import SGD
>>> optimizer = SGD([Value(0.0)], lr=1.0)
>>> rise = LinearLR(optimizer, start_factor=0.25, total_iters=3)
>>> schedule = SequentialLR(optimizer, [rise, CosineAnnealingLR(optimizer, T_max=4)], [3])
>>> rates = []
>>> for epoch in range(8):
...     rates.append(round(optimizer.lr, 2))
...     schedule.step()
>>> rates
[0.25, 0.5, 0.75, 1.0, 0.85, 0.5, 0.15, 0.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable

from nn.optimizers import Optimizer
from nn.options import by_name
from nn.schedules.compound import ChainedScheduler, SequentialLR
from nn.schedules.formulas import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from nn.schedules.one_cycle import OneCycleLR, has_momentum
from nn.schedules.plateau import ReduceLROnPlateau
from nn.schedules.schedule import Schedule, rates_of

__all__ = [
    "SCHEDULES",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "Schedule",
    "SequentialLR",
    "StepLR",
    "named",
]

SCHEDULES: dict[str, Callable[[Optimizer, int], Schedule]] = {
    "linear": lambda optimizer, steps: LinearLR(optimizer, 1.0, 0.0, steps),
    "polynomial": lambda optimizer, steps: PolynomialLR(optimizer, steps, power=2.0),
    "exponential": lambda optimizer, steps: ExponentialLR(optimizer, 0.01 ** (1 / steps)),
    "step": lambda optimizer, steps: StepLR(optimizer, math.ceil(steps / 3)),
    "cosine": lambda optimizer, steps: CosineAnnealingLR(optimizer, steps),
    "cosine_warm_restarts": lambda optimizer, steps: CosineAnnealingWarmRestarts(
        optimizer, math.ceil(steps / 4)
    ),
    "one_cycle": lambda optimizer, steps: OneCycleLR(
        optimizer, rates_of(optimizer), steps, cycle_momentum=has_momentum(optimizer)
    ),
    "plateau": lambda optimizer, steps: ReduceLROnPlateau(optimizer),
}
"""For each name that `fit` takes, a function of the optimizer and the number of steps.

"linear", "polynomial" (a square) and "cosine" fall to 0, "exponential" falls to a hundredth; "step"
divides the rate by 10 after each third, "cosine_warm_restarts" restarts after each quarter, and
"one_cycle" has the optimizer's rate at its top. "plateau" has the defaults of `ReduceLROnPlateau`.
The other classes need numbers that a name does not tell; `fit` takes a function that makes one.
"""

_ALIASES = {
    "LinearLR": "linear",
    "PolynomialLR": "polynomial",
    "ExponentialLR": "exponential",
    "StepLR": "step",
    "CosineAnnealingLR": "cosine",
    "CosineAnnealingWarmRestarts": "cosine_warm_restarts",
    "OneCycleLR": "one_cycle",
    "ReduceLROnPlateau": "plateau",
}


def named(name: str, optimizer: Optimizer, steps: int) -> Schedule:
    """Return a schedule that ends after a given number of steps.

    Args:
        name: a name in `SCHEDULES`, or the name of a class.
        optimizer: the optimizer.
        steps: the number of calls of `step()` in the whole training.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = named("linear", SGD([Value(0.0)], lr=1.0), 4)
    >>> [schedule.rate(1.0, epoch) for epoch in range(5)]
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """
    others = "a function of the optimizer, such as lambda o: ConstantLR(o, 0.5, total_iters=10)"
    make = by_name(_ALIASES.get(name, name), "schedule", SCHEDULES, others)
    return make(optimizer, steps)

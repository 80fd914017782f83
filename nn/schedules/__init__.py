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
from nn.schedules.named import SCHEDULES, named
from nn.schedules.one_cycle import OneCycleLR
from nn.schedules.plateau import ReduceLROnPlateau
from nn.schedules.schedule import Schedule

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

"""Schedules of the learning rate, named and constructed as those of PyTorch.

`step()` once an epoch; the rate after so many epochs is a formula of the first one.

>>> from micrograd import Value
>>> from nn.optimizers import SGD
>>> optimizer = SGD([Value(0.0)], lr=1.0)
>>> schedule = StepLR(optimizer, step_size=2, gamma=0.1)
>>> rates = []
>>> for epoch in range(5):
...     rates.append(round(optimizer.lr, 6))
...     schedule.step()
>>> rates
[1.0, 1.0, 0.1, 0.1, 0.01]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nn.optimizers import Optimizer


class Schedule:
    """Base of the schedules: the rate in epoch `epoch`, 0 at first, is `base * factor(epoch)`."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer, self.base, self.epoch = optimizer, optimizer.lr, 0
        self._set()

    def factor(self, epoch: int) -> float:
        """What the first rate is multiplied by."""
        raise NotImplementedError(f"{type(self).__name__} has no formula: define factor")

    def step(self) -> None:
        """The next epoch begins."""
        self.epoch += 1
        self._set()

    def _set(self) -> None:
        self.optimizer.lr = self.base * self.factor(self.epoch)

    def state_dict(self) -> dict[str, Any]:
        """All that further epochs depend on, besides the arguments of the constructor."""
        return {"name": type(self).__name__, "base": self.base, "epoch": self.epoch}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave. Raises ValueError if that was another schedule's."""
        if not isinstance(saved, dict) or set(saved) != {"name", "base", "epoch"}:
            raise ValueError("this is not what the state_dict of a schedule gives")
        if saved["name"] != type(self).__name__:
            raise ValueError(f"the state is one of {saved['name']}, not of {type(self).__name__}")
        self.base, self.epoch = float(saved["base"]), int(saved["epoch"])
        self._set()


class LambdaLR(Schedule):
    """`lr_lambda(epoch)` is the factor."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:  # noqa: D102 (see Schedule)
        return self.lr_lambda(epoch)


class StepLR(Schedule):
    """`gamma ** (epoch // step_size)`."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = _count(step_size, "step_size"), gamma
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:  # noqa: D102 (see Schedule)
        return float(self.gamma ** (epoch // self.step_size))


class ExponentialLR(Schedule):
    """`gamma ** epoch`."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:  # noqa: D102
        return float(self.gamma**epoch)


class CosineAnnealingLR(Schedule):
    """Half a wave of the cosine, from the first rate to `eta_min` in `T_max` epochs.

    Loshchilov and Hutter, 2017, without restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = _count(T_max, "T_max"), eta_min
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:  # noqa: D102
        if not self.base:
            return 1.0
        low = self.eta_min / self.base
        return low + (1 - low) * (1 + math.cos(math.pi * epoch / self.T_max)) / 2


class LinearLR(Schedule):
    """From `start_factor` to `end_factor` in `total_iters` epochs, then level.

    With the defaults it is a warm-up of five epochs.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = _count(total_iters, "total_iters")
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:  # noqa: D102
        share = min(epoch, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class WarmupCosineLR(Schedule):
    """A linear rise in `warmup` epochs, then half a wave of the cosine down to 0 at `total`."""

    def __init__(self, optimizer: Optimizer, warmup: int, total: int) -> None:
        self.warmup, self.total = _count(warmup, "warmup"), _count(total, "total")
        if self.total <= self.warmup:
            raise ValueError(f"total is more epochs than warmup, got {total} and {warmup}")
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:  # noqa: D102
        if epoch < self.warmup:
            return (epoch + 1) / (self.warmup + 1)
        share = min(1.0, (epoch - self.warmup) / (self.total - self.warmup))
        return (1 + math.cos(math.pi * share)) / 2


def _count(number: int, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{name} is a whole number of epochs, at least 1, got {number!r}")
    return number

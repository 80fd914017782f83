"""Schedules of the learning rate, named and constructed as those of PyTorch.

`step()` once an epoch. A rate is a formula of the first one and of the count of epochs. A warm-up
is a line that others come after:

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
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nn.optimizers import Optimizer
from nn.options import OptionError, real, whole

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "Schedule",
    "SequentialLR",
    "StepLR",
]


class Schedule:
    """Base of the schedules. A schedule of one's own defines `rate`."""

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"a schedule takes an optimizer, got {type(optimizer).__name__}")
        self.optimizer, self.base, self.last_epoch = optimizer, optimizer.lr, 0
        self._set()

    def rate(self, base: float, epoch: int) -> float:
        """The rate in an epoch, counted from 0, where the first one is `base`."""
        raise NotImplementedError(f"{type(self).__name__} has no formula: define rate")

    def step(self) -> None:
        """The next epoch begins."""
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """The rate now, in a list, as in PyTorch."""
        return [self.rate(self.base, self.last_epoch)]

    def state_dict(self) -> dict[str, Any]:
        """All that further epochs depend on, besides the arguments of the constructor."""
        return {"name": type(self).__name__, "base": self.base, "last_epoch": self.last_epoch}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave. Raises ValueError if that was another schedule's."""
        if not isinstance(saved, dict) or set(saved) != {"name", "base", "last_epoch"}:
            raise ValueError("this is not what the state_dict of a schedule gives")
        if saved["name"] != type(self).__name__:
            raise ValueError(f"the state is one of {saved['name']}, not of {type(self).__name__}")
        base = real(saved["base"], "the base of a schedule", least=0)
        epoch = whole(saved["last_epoch"], "last_epoch", 0)
        try:
            self.rate(base, epoch)
        except OverflowError:
            raise ValueError(
                f"last_epoch is {repr(epoch)[:40]}, more than can be trained"
            ) from None
        self.base, self.last_epoch = base, epoch
        self._set()

    def _set(self) -> None:
        rate = self.rate(self.base, self.last_epoch)
        self.optimizer.lr = real(rate, f"the rate of {type(self).__name__}", least=0)


class LambdaLR(Schedule):
    """`base * lr_lambda(epoch)`."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        if not callable(lr_lambda):
            raise OptionError(f"lr_lambda is a function of the epoch, got {lr_lambda!r}")
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102 (see Schedule)
        return base * real(self.lr_lambda(epoch), "what lr_lambda gives", least=0)


class StepLR(Schedule):
    """`base * gamma ** (epoch // step_size)`."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = _epochs(step_size, "step_size"), _gamma(gamma)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return float(base * self.gamma ** (epoch // self.step_size))


class MultiStepLR(Schedule):
    """`base * gamma ** n` after n of the milestones, which are epochs."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = sorted(_milestones(milestones)), _gamma(gamma)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return float(base * self.gamma ** bisect_right(self.milestones, epoch))


class ExponentialLR(Schedule):
    """`base * gamma ** epoch`."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = _gamma(gamma)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return float(base * self.gamma**epoch)


class CosineAnnealingLR(Schedule):
    """Half a wave of the cosine, from the first rate to `eta_min` in `T_max` epochs, and back.

    Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = _epochs(T_max, "T_max"), real(eta_min, "eta_min", least=0)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        wave = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        return self.eta_min + (base - self.eta_min) * wave


class LinearLR(Schedule):
    """From `base * start_factor` to `base * end_factor` in `total_iters` epochs, then level.

    With the defaults it is a warm-up of five epochs.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = real(start_factor, "start_factor", above=0, most=1)
        self.end_factor = real(end_factor, "end_factor", least=0, most=1)
        self.total_iters = _epochs(total_iters, "total_iters")
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        share = min(epoch / self.total_iters, 1.0)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class SequentialLR(Schedule):
    """One schedule after another, each counting from the milestone where it begins.

    Make them in the order in which they come: the base is what the first one found.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]
    ) -> None:
        schedulers, milestones = list(schedulers), _milestones(milestones)
        for each in schedulers:
            if not isinstance(each, Schedule):
                raise OptionError(f"the schedules of SequentialLR are schedules, got {each!r}")
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "SequentialLR takes a milestone between each schedule and the next: "
                f"got {len(schedulers)} schedules and {len(milestones)} milestones"
            )
        if any(each.optimizer is not optimizer for each in schedulers):
            raise ValueError("the schedules of SequentialLR belong to its optimizer")
        if milestones != sorted(set(milestones)) or any(each < 1 for each in milestones):
            raise ValueError(f"milestones are epochs, each after the one before, got {milestones}")
        self.schedulers, self.milestones = schedulers, milestones
        optimizer.lr = self.schedulers[0].base
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        begun = bisect_right(self.milestones, epoch)
        start = self.milestones[begun - 1] if begun else 0
        return self.schedulers[begun].rate(base, epoch - start)


def _epochs(number: Any, name: str) -> int:
    return whole(number, name, unit="of epochs, ")


def _gamma(number: Any) -> float:
    return real(number, "gamma", least=0)


def _milestones(given: Any) -> list[int]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise OptionError(f"milestones are epochs, a list of whole numbers, got {given!r}")
    return [whole(each, "each of the milestones", 0) for each in given]

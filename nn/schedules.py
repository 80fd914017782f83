"""Schedules of the learning rate, named and constructed as in PyTorch.

Call `step()` after each epoch; `nn.fit` does so. The rate is a function of the first rate, `base`,
and of the number of epochs that are done. A warm-up is a `LinearLR` that others follow:

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
from nn.optimizers.optimizer import check_state
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
    """Base of the schedules. A subclass defines `rate`.

    Args:
        optimizer: the optimizer, whose `lr` is the first rate and is set from now on.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> class InverseLR(Schedule):
    ...     def rate(self, base, epoch):
    ...         return base / (1 + epoch)
    >>> schedule = InverseLR(SGD([Value(0.0)], lr=1.0))
    >>> schedule.step()
    >>> schedule.optimizer.lr
    0.5
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"a schedule takes an optimizer, got {type(optimizer).__name__}")
        self.optimizer, self.base, self.last_epoch = optimizer, optimizer.lr, 0
        self._set()

    def rate(self, base: float, epoch: int) -> float:
        """Return the rate of an epoch.

        Args:
            base: the first rate.
            epoch: the number of epochs that are done, from 0.
        """
        raise NotImplementedError(f"{type(self).__name__} has no formula: define rate")

    def step(self) -> None:
        """Set the rate of the next epoch."""
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """Return the current rate, in a list, as in PyTorch."""
        return [self.rate(self.base, self.last_epoch)]

    def state_dict(self) -> dict[str, Any]:
        """Return all that further epochs depend on, besides the constructor's arguments."""
        return {"name": type(self).__name__, "base": self.base, "last_epoch": self.last_epoch}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue from a state.

        Args:
            saved: what `state_dict` returned.

        Raises:
            ValueError: if it is not the state of such a schedule; nothing is changed then.
        """
        check_state(saved, self, "a schedule", base=object, last_epoch=object)
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
    """The first rate times a function of the epoch.

    Args:
        optimizer: the optimizer.
        lr_lambda: a function of the number of epochs that are done; it returns a factor of at
            least 0.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = LambdaLR(SGD([Value(0.0)], lr=1.0), lambda epoch: 1 / (1 + epoch))
    >>> [schedule.rate(1.0, epoch) for epoch in range(4)]
    [1.0, 0.5, 0.3333333333333333, 0.25]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        if not callable(lr_lambda):
            raise OptionError(f"lr_lambda is a function of the epoch, got {lr_lambda!r}")
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102 (see Schedule)
        return base * real(self.lr_lambda(epoch), "what lr_lambda gives", least=0)


class StepLR(Schedule):
    """The rate is multiplied by `gamma` every `step_size` epochs.

    Args:
        optimizer: the optimizer.
        step_size: the number of epochs between two changes.
        gamma: the factor, at least 0.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = StepLR(SGD([Value(0.0)], lr=1.0), step_size=2, gamma=0.5)
    >>> [schedule.rate(1.0, epoch) for epoch in range(4)]
    [1.0, 1.0, 0.5, 0.5]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = _epochs(step_size, "step_size"), _gamma(gamma)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return float(base * self.gamma ** (epoch // self.step_size))


class MultiStepLR(Schedule):
    """The rate is multiplied by `gamma` at each milestone.

    Args:
        optimizer: the optimizer.
        milestones: the numbers of epochs after which the rate changes, in any order.
        gamma: the factor, at least 0.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = MultiStepLR(SGD([Value(0.0)], lr=1.0), milestones=[1, 3], gamma=0.5)
    >>> [schedule.rate(1.0, epoch) for epoch in range(4)]
    [1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = sorted(_milestones(milestones)), _gamma(gamma)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return float(base * self.gamma ** bisect_right(self.milestones, epoch))


class ExponentialLR(Schedule):
    """The rate is multiplied by `gamma` after every epoch.

    Args:
        optimizer: the optimizer.
        gamma: the factor, at least 0.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = ExponentialLR(SGD([Value(0.0)], lr=1.0), gamma=0.5)
    >>> [schedule.rate(1.0, epoch) for epoch in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = _gamma(gamma)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return float(base * self.gamma**epoch)


class CosineAnnealingLR(Schedule):
    """The rate falls along half a cosine to `eta_min` in `T_max` epochs, and then rises again.

    Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts.

    Args:
        optimizer: the optimizer.
        T_max: the number of epochs until the rate is `eta_min`.
        eta_min: the lowest rate, at least 0.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = CosineAnnealingLR(SGD([Value(0.0)], lr=1.0), T_max=4)
    >>> [round(schedule.rate(1.0, epoch), 3) for epoch in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = _epochs(T_max, "T_max"), real(eta_min, "eta_min", least=0)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        wave = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        return self.eta_min + (base - self.eta_min) * wave


class LinearLR(Schedule):
    """The rate changes linearly from one multiple of the first rate to another, and then stays.

    The defaults are a warm-up of five epochs.

    Args:
        optimizer: the optimizer.
        start_factor: the first multiple, above 0 and at most 1.
        end_factor: the last multiple, from 0 to 1.
        total_iters: the number of epochs until the last multiple is reached.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = LinearLR(SGD([Value(0.0)], lr=1.0), start_factor=0.5, total_iters=2)
    >>> [schedule.rate(1.0, epoch) for epoch in range(4)]
    [0.5, 0.75, 1.0, 1.0]
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
    """One schedule after another; each counts the epochs from its own start.

    Construct the schedules in the order in which they are used, since the first one defines the
    base rate of all.

    Args:
        optimizer: the optimizer.
        schedulers: the schedules, all of this optimizer.
        milestones: the epochs at which the second and each later schedule starts, in ascending
            order.

    Raises:
        ValueError: if there is not one milestone fewer than schedules, if they are not ascending,
            or if a schedule belongs to another optimizer.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> optimizer = SGD([Value(0.0)], lr=1.0)
    >>> parts = [LinearLR(optimizer, 0.5, total_iters=2), ExponentialLR(optimizer, gamma=0.5)]
    >>> schedule = SequentialLR(optimizer, parts, milestones=[2])
    >>> [schedule.rate(1.0, epoch) for epoch in range(5)]
    [0.5, 0.75, 1.0, 0.5, 0.25]
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

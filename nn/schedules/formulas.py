"""The schedules that are a formula of the first rate and the epoch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nn.optimizers import Optimizer
from nn.options import OptionError, real, whole
from nn.schedules.schedule import Schedule, cosine, epochs_of, exact


class LambdaLR(Schedule):
    """The first rate times a function of the epoch.

    Args:
        optimizer: the optimizer.
        lr_lambda: a function of the number of epochs that are done; it returns a factor of at
            least 0. Or a list of such functions, one for each group of parameters.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = LambdaLR(SGD([Value(0.0)], lr=1.0), lambda epoch: 1 / (1 + epoch))
    >>> [schedule.rate(1.0, epoch) for epoch in range(4)]
    [1.0, 0.5, 0.3333333333333333, 0.25]
    """

    _starts_anew = True

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
    ) -> None:
        self._belong_to(optimizer)
        count = len(self.base_lrs)
        given: list[Any] = (
            list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * count
        )
        if len(given) != count or not all(map(callable, given)):
            raise OptionError(
                f"lr_lambda is a function of the epoch, or one for each of the {count} groups of "
                f"parameters, got {lr_lambda!r}"
            )
        self.lr_lambda, self._lambdas = lr_lambda, given
        self._begin()

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102 (see Schedule)
        return self._rates([base], epoch)[0]

    def _rates(self, bases: list[float], epoch: int) -> list[float]:
        return [
            base * real(factor(epoch), "what lr_lambda gives", least=0)
            for base, factor in zip(bases, self._lambdas, strict=False)
        ]


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
        self.step_size, self.gamma = epochs_of(step_size, "step_size"), _gamma(gamma)
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
        self.milestones, self.gamma = sorted(milestones_of(milestones)), _gamma(gamma)
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
        self.total_iters = epochs_of(total_iters, "total_iters")
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        share = min(epoch / self.total_iters, 1.0)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class ConstantLR(Schedule):
    """The rate is a multiple of the first rate for some epochs, and then the first rate.

    Args:
        optimizer: the optimizer.
        factor: the multiple, above 0 and at most 1.
        total_iters: the number of epochs with that multiple.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = ConstantLR(SGD([Value(0.0)], lr=1.0), factor=0.5, total_iters=2)
    >>> [schedule.rate(1.0, epoch) for epoch in range(4)]
    [0.5, 0.5, 1.0, 1.0]
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5) -> None:
        self.factor = real(factor, "factor", above=0, most=1)
        self.total_iters = epochs_of(total_iters, "total_iters")
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return base * self.factor if epoch < self.total_iters else base


class PolynomialLR(Schedule):
    """The rate falls to 0 in `total_iters` epochs, as a power of the share that is left.

    Args:
        optimizer: the optimizer.
        total_iters: the number of epochs until the rate is 0.
        power: the power, at least 0; with 1 the rate falls linearly.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = PolynomialLR(SGD([Value(0.0)], lr=1.0), total_iters=4, power=2.0)
    >>> [schedule.rate(1.0, epoch) for epoch in range(5)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0) -> None:
        self.total_iters = epochs_of(total_iters, "total_iters")
        self.power = real(power, "power", least=0)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return float(base * (1 - min(epoch / self.total_iters, 1.0)) ** self.power)


class CosineAnnealingLR(Schedule):
    """The rate falls along half a cosine to `eta_min` in `T_max` epochs, and then rises again.

    Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts.

    Args:
        optimizer: the optimizer.
        T_max: the number of epochs until the rate is `eta_min`; 10.0 is 10.
        eta_min: the lowest rate, at least 0.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = CosineAnnealingLR(SGD([Value(0.0)], lr=1.0), T_max=4)
    >>> [round(schedule.rate(1.0, epoch), 3) for epoch in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = epochs_of(T_max, "T_max"), real(eta_min, "eta_min", least=0)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return cosine(base, self.eta_min, epoch / self.T_max)

    def _chained(self, bases: list[float], epoch: int, before: list[float]) -> list[float]:
        least, period = self.eta_min, self.T_max
        if epoch and (epoch - 1 - period) % (2 * period) == 0:  # it was at the lowest rate
            rises = [cosine(0.0, base - least, 1 / period) for base in bases]
            return [was + rise for was, rise in zip(before, rises, strict=True)]
        factor = cosine(1.0, 0.0, epoch / period) / cosine(1.0, 0.0, max(epoch - 1, 0) / period)
        return [least + (was - least) * factor for was in before]


class CosineAnnealingWarmRestarts(Schedule):
    """The rate falls along half a cosine to `eta_min`, and starts again at the first rate.

    Loshchilov and Hutter 2017, arXiv:1608.03983.

    Args:
        optimizer: the optimizer.
        T_0: the number of epochs until the first restart.
        T_mult: each period is this many times as long as the one before, a whole number.
        eta_min: the lowest rate, at least 0.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> schedule = CosineAnnealingWarmRestarts(SGD([Value(0.0)], lr=1.0), T_0=2, T_mult=2)
    >>> [round(schedule.rate(1.0, epoch), 3) for epoch in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    _starts_anew = True

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0
    ) -> None:
        self.T_0, self.T_mult = epochs_of(T_0, "T_0"), whole(exact(T_mult), "T_mult")
        self.eta_min = real(eta_min, "eta_min", least=0)
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        period = self.T_0
        if self.T_mult == 1:
            epoch %= period
        while epoch >= period:
            epoch, period = epoch - period, period * self.T_mult
        return cosine(base, self.eta_min, epoch / period)


def _gamma(number: Any) -> float:
    return real(number, "gamma", least=0)


def milestones_of(given: Any) -> list[int]:
    """Return milestones as a list of whole numbers."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise OptionError(f"milestones are epochs, a list of whole numbers, got {given!r}")
    return [whole(exact(each), "each of the milestones", 0) for each in given]

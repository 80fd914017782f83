"""`Schedule`, the base of the schedules, and what their options have in common."""

from __future__ import annotations

import math
from typing import Any

from nn.optimizers import Optimizer
from nn.optimizers.optimizer import check_state
from nn.options import OptionError, real, whole


class Schedule:
    """Base of the schedules. A subclass defines `rate`.

    Several schedules of one optimizer multiply their factors, as in PyTorch: a step starts from the
    present rate if another schedule, or the user, has changed it. The first schedule of an
    optimizer defines the base rate of those after it, until the user sets another rate.

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

    base_lrs: list[float]
    """The first rate of each group of parameters."""
    _last: list[float]
    """The rate of each group that this schedule set last."""
    _is_alone = True  # whether nothing else has changed the rates
    _starts_anew = False  # whether each step starts from the first rate, as it does in PyTorch

    def __init__(self, optimizer: Optimizer) -> None:
        self._belong_to(optimizer)
        self._begin()

    @property
    def base(self) -> float:
        """The first rate, that of the first group of parameters."""
        return self.base_lrs[0]

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
        present = rates_of(self.optimizer)
        self._is_alone &= present == self._last
        if self._is_alone:
            self._set()
        else:
            self._set(self._chained(self.base_lrs, self.last_epoch, present))

    def get_last_lr(self) -> list[float]:
        """Return the rate that the last step set for each group of parameters, as in PyTorch."""
        return [*self._last]

    def state_dict(self) -> dict[str, Any]:
        """Return all that further epochs depend on, besides the constructor's arguments."""
        base = self.base_lrs if len(self.base_lrs) > 1 else self.base
        present = rates_of(self.optimizer)
        rates = {} if self._is_alone and present == self._last else {"rates": present}
        return {"name": type(self).__name__, "base": base, "last_epoch": self.last_epoch, **rates}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue from a state.

        Args:
            saved: what `state_dict` returned.

        Raises:
            ValueError: if it is not the state of such a schedule; nothing is changed then.
        """
        is_alone = not isinstance(saved, dict) or "rates" not in saved
        more = {} if is_alone else {"rates": list}
        check_state(saved, self, "a schedule", base=object, last_epoch=object, **more)
        bases = self._one_each(saved["base"], "the base of a schedule", least=0)
        epoch = whole(saved["last_epoch"], "last_epoch", 0)
        name = "a rate of the schedule"
        last = None if is_alone else self._one_each(saved["rates"], name, least=0)
        try:
            self._rates(bases, epoch)
        except OverflowError:
            raise ValueError(
                f"last_epoch is {repr(epoch)[:40]}, more than can be trained"
            ) from None
        self.base_lrs, self.last_epoch, self._is_alone = bases, epoch, is_alone
        self._set(last)

    def _belong_to(self, optimizer: Optimizer | None) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"a schedule takes an optimizer, got {type(optimizer).__name__}")
        self.optimizer, self.last_epoch = optimizer, 0
        present = rates_of(optimizer)
        bases, last = vars(optimizer).get("_scheduled", (present, present))
        self.base_lrs = bases if present == last else present

    def _begin(self) -> None:
        """Set the first rate, beside what other schedules have done."""
        present = rates_of(self.optimizer)
        self._is_alone = present == self.base_lrs
        self._set(None if self._is_alone else self._chained(self.base_lrs, 0, present))

    def _rates(self, bases: list[float], epoch: int) -> list[float]:
        """Return the rate of each group of parameters."""
        return [self.rate(base, epoch) for base in bases]

    def _chained(self, bases: list[float], epoch: int, before: list[float]) -> list[float]:
        """Return the rates of an epoch if `before` are rates that other schedules have changed."""
        if self._starts_anew:
            return self._rates(bases, epoch)
        last = self._rates(bases, epoch - 1) if epoch else bases
        rates = zip(before, self._rates(bases, epoch), last, strict=True)
        return [was * rate / since if since else was for was, rate, since in rates]

    def _set(self, rates: list[float] | None = None) -> None:
        """Set these rates; without any, those that the formula gives for the epoch."""
        found = self._rates(self.base_lrs, self.last_epoch) if rates is None else rates
        name = f"the rate of {type(self).__name__}"
        self._last = [real(rate, name, least=0) for rate in found]
        for group, rate in zip(self.optimizer.param_groups, self._last, strict=True):
            group["lr"] = rate
        vars(self.optimizer)["_scheduled"] = self.base_lrs, self._last

    def _one_each(self, given: Any, name: str, **bounds: float) -> list[float]:
        """Return a number for each group of parameters, from one number or a list of them."""
        count = len(self.optimizer.param_groups)
        numbers = list(given) if isinstance(given, list | tuple) else [given] * count
        if len(numbers) != count:
            raise OptionError(
                f"{name} is a number, or one for each of the {count} groups of parameters, "
                f"got {given!r}"
            )
        return [real(number, name, **bounds) for number in numbers]


def rates_of(optimizer: Optimizer) -> list[float]:
    """Return the present rate of each group of parameters."""
    return [group["lr"] for group in optimizer.param_groups]


def cosine(start: float, end: float, share: float) -> float:
    """Return the point on half a cosine from `start` to `end` after a share of the way."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def exact(number: Any) -> Any:
    """Return a whole number that is a float, such as 10.0, as an int; all else as it is."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def epochs_of(number: Any, name: str, least: int = 1) -> int:
    """Return a number of epochs, which may be a float such as 10.0."""
    return whole(exact(number), name, least, unit="of epochs, ")

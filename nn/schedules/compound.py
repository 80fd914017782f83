"""Schedules that consist of others, one after another or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from nn.optimizers import Optimizer
from nn.options import OptionError
from nn.schedules.formulas import milestones_of
from nn.schedules.one_cycle import OneCycleLR
from nn.schedules.plateau import ReduceLROnPlateau
from nn.schedules.schedule import Schedule, rates_of


class _Compound(Schedule):
    """Base of the schedules made of other `schedulers`; the first of these sets the first rates."""

    schedulers: list[Schedule]

    def _consist_of(self, given: Sequence[Schedule]) -> None:
        """Take the schedules, all of the optimizer, and the first rates of the first of them."""
        name, schedulers = type(self).__name__, list(given)
        for each in schedulers:
            if not isinstance(each, Schedule):
                raise OptionError(f"the schedules of {name} are schedules, got {each!r}")
            if isinstance(each, ReduceLROnPlateau):
                raise OptionError(
                    f"{name} cannot contain ReduceLROnPlateau, which takes a metric: call its step "
                    "beside this one"
                )
            if isinstance(each, OneCycleLR) and each.cycle_momentum:
                raise OptionError(
                    f"{name} changes rates only, and OneCycleLR the momentum too: set "
                    "cycle_momentum=False"
                )
        if not schedulers:
            raise ValueError(f"{name} takes at least one schedule, got 0 schedules")
        if any(each.optimizer is not self.optimizer for each in schedulers):
            raise ValueError(f"the schedules of {name} belong to its optimizer")
        self.schedulers = schedulers
        self.base_lrs = self._built = schedulers[0].base_lrs

    def rate(self, base: float, epoch: int) -> float:
        return self._rates([base] * len(self.base_lrs), epoch)[0]

    def _bases_of(self, part: Schedule, bases: list[float]) -> list[float]:
        """Return the first rates of a part when those of the whole are `bases`.

        A part may have first rates of its own, as `OneCycleLR` has.
        """
        pairs = zip(part.base_lrs, bases, self._built, strict=True)
        return [base if own == first else own for own, base, first in pairs]


class SequentialLR(_Compound):
    """One schedule after another; each counts the epochs from its own start.

    Construct the schedules in the order in which they are used, since the first one defines the
    base rate of all.

    Args:
        optimizer: the optimizer.
        schedulers: the schedules, all of this optimizer.
        milestones: the epochs at which the second and each later schedule starts, in ascending
            order.

    Raises:
        ValueError: if the number of milestones is not one less than that of schedules, if they are
            not ascending, or if a schedule belongs to another optimizer.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> from nn.schedules import ExponentialLR, LinearLR
    >>> optimizer = SGD([Value(0.0)], lr=1.0)
    >>> parts = [LinearLR(optimizer, 0.5, total_iters=2), ExponentialLR(optimizer, gamma=0.5)]
    >>> schedule = SequentialLR(optimizer, parts, milestones=[2])
    >>> [schedule.rate(1.0, epoch) for epoch in range(5)]
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]
    ) -> None:
        self._belong_to(optimizer)
        self._consist_of(schedulers)
        milestones = milestones_of(milestones)
        if len(milestones) != len(self.schedulers) - 1:
            raise ValueError(
                "SequentialLR takes a milestone between each schedule and the next: "
                f"got {len(self.schedulers)} schedules and {len(milestones)} milestones"
            )
        if milestones != sorted(set(milestones)) or any(each < 1 for each in milestones):
            raise ValueError(f"milestones are epochs, each after the one before, got {milestones}")
        self.milestones = milestones
        self._set()

    def _rates(self, bases: list[float], epoch: int) -> list[float]:
        part, since = self._part(epoch)
        return part._rates(self._bases_of(part, bases), since)

    def _chained(self, bases: list[float], epoch: int, before: list[float]) -> list[float]:
        part, since = self._part(epoch)
        if epoch and not since:  # a later schedule starts from the first rate, in PyTorch too
            return self._rates(bases, epoch)
        return part._chained(self._bases_of(part, bases), since, before)

    def _part(self, epoch: int) -> tuple[Schedule, int]:
        """Return the schedule of an epoch, and the number of epochs since it began."""
        begun = bisect_right(self.milestones, epoch)
        return self.schedulers[begun], epoch - (self.milestones[begun - 1] if begun else 0)


class ChainedScheduler(_Compound):
    """Several schedules at once, whose factors are multiplied, as in PyTorch.

    The schedules change the rate one after another. `LambdaLR`, `OneCycleLR` and
    `CosineAnnealingWarmRestarts` start from the first rate, and so replace the rates of those
    before them. Construct the first schedule first, since it defines the base rate of all.

    Args:
        schedulers: the schedules, all of one optimizer.
        optimizer: the optimizer; that of the schedules by default.

    Raises:
        ValueError: if there is no schedule, or one belongs to another optimizer.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> from nn.schedules import ConstantLR, ExponentialLR
    >>> optimizer = SGD([Value(0.0)], lr=1.0)
    >>> parts = [ConstantLR(optimizer, 0.5, total_iters=2), ExponentialLR(optimizer, gamma=0.5)]
    >>> schedule = ChainedScheduler(parts)
    >>> [schedule.rate(1.0, epoch) for epoch in range(4)]
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[Schedule], optimizer: Optimizer | None = None) -> None:
        schedulers = list(schedulers)
        if optimizer is None and schedulers:
            optimizer = getattr(schedulers[0], "optimizer", None)
        if not schedulers:
            raise ValueError("ChainedScheduler takes at least one schedule, got an empty list")
        self._belong_to(optimizer)
        self._consist_of(schedulers)
        self._done: tuple[list[float], int, list[float]] | None = None  # bases, epoch and rates
        self._begin()

    def _rates(self, bases: list[float], epoch: int) -> list[float]:
        if self._done is None or self._done[0] != bases or self._done[1] > epoch:
            self._done = bases, -1, bases
        _, done, rates = self._done
        for each in range(done + 1, epoch + 1):
            rates = self._chained(bases, each, rates)
        self._done = bases, epoch, rates
        return rates

    def _chained(self, bases: list[float], epoch: int, before: list[float]) -> list[float]:
        for part in self.schedulers:
            before = part._chained(self._bases_of(part, bases), epoch, before)
        return before

    def _begin(self) -> None:
        present = rates_of(self.optimizer)  # each part has made its first change
        self._is_alone = present == self._rates(self.base_lrs, 0)
        self._set(present)

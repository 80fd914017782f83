"""`OneCycleLR`, which also changes the momentum."""

from __future__ import annotations

from bisect import bisect_left

from nn.optimizers import Optimizer
from nn.options import OptionError, flag, one_of, real, whole
from nn.schedules.schedule import Schedule, cosine, epochs_of, exact


class OneCycleLR(Schedule):
    """The rate rises to `max_lr` and falls far below where it began, in one cycle.

    It is meant for a step after each batch (Smith and Topin 2018, arXiv:1708.07120). The momentum,
    or the first of the `betas`, goes the other way.

    Args:
        optimizer: the optimizer. Its `lr` is replaced by `max_lr / div_factor`.
        max_lr: the highest rate, or a list with one for each group of parameters.
        total_steps: the number of steps in the cycle.
        epochs: instead of `total_steps`, the number of epochs, together with `steps_per_epoch`.
        steps_per_epoch: the number of batches of an epoch.
        pct_start: the share of the steps in which the rate rises, from 0 to 1.
        anneal_strategy: `"cos"` or `"linear"`, how rates and momentum change.
        cycle_momentum: whether the momentum changes too.
        base_momentum: the lowest momentum, or one for each group of parameters.
        max_momentum: the highest momentum, or one for each group of parameters.
        div_factor: the highest rate divided by the first one.
        final_div_factor: the first rate divided by the last one.
        three_phase: whether the rate first falls to where it began, in as many steps as it rose.

    Raises:
        ValueError: if it makes more steps than the cycle has.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> optimizer = SGD([Value(0.0)])
    >>> schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=5, pct_start=0.5)
    >>> for _ in range(5):
    ...     print(round(optimizer.lr, 3), round(optimizer.momentum, 3))
    ...     schedule.step()
    0.04 0.95
    0.76 0.875
    0.905 0.86
    0.345 0.915
    0.0 0.95
    """

    _starts_anew = True

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        self._belong_to(optimizer)
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise OptionError("OneCycleLR takes total_steps, or both epochs and steps_per_epoch")
        if total_steps is None:
            total_steps = epochs_of(epochs, "epochs") * whole(
                exact(steps_per_epoch), "steps_per_epoch"
            )
        self.total_steps = whole(exact(total_steps), "total_steps")
        share = real(pct_start, "pct_start", least=0, most=1)
        one_of(anneal_strategy, "anneal_strategy", ("cos", "linear"))
        self._anneal = cosine if anneal_strategy == "cos" else line
        div_factor = real(div_factor, "div_factor", above=0)
        final = real(final_div_factor, "final_div_factor", above=0)
        steps = self.total_steps
        # The step at which each phase ends, the rate then, as a multiple of the first rate, and the
        # momentum, from 0 for the lowest to 1 for the highest.
        self._points = [
            (0.0, 1.0, 1.0),
            (share * steps - 1, div_factor, 0.0),
            (steps - 1.0, 1 / final, 1.0),
        ]
        if flag(three_phase, "three_phase"):
            self._points.insert(2, (2 * share * steps - 2, 1.0, 1.0))
        highest = self._one_each(max_lr, "max_lr", least=0)
        self.base_lrs = [each / div_factor for each in highest]
        self.cycle_momentum = flag(cycle_momentum, "cycle_momentum")
        if self.cycle_momentum and not has_momentum(optimizer):
            raise OptionError(
                f"{type(optimizer).__name__} has no momentum: set cycle_momentum=False"
            )
        self._lowest = self._one_each(base_momentum, "base_momentum", least=0, below=1)
        self._highest = self._one_each(max_momentum, "max_momentum", least=0, below=1)
        self._set()

    def rate(self, base: float, epoch: int) -> float:  # noqa: D102
        return base * self._at(epoch)[0]

    def _at(self, step: int) -> tuple[float, float]:
        """Return the multiple of the first rate, and the momentum from 0 to 1."""
        if step > self.total_steps:
            raise ValueError(
                f"OneCycleLR makes {self.total_steps} steps, as total_steps says, and this is "
                f"step {step}: give the number of all batches, or of all epochs"
            )
        ends = [point[0] for point in self._points[1:-1]]
        phase = bisect_left(ends, step)
        (before, *start), (last, *end) = self._points[phase : phase + 2]
        # In the step after the last one PyTorch goes on beyond the end, even below 0.
        share = min((step - before) / (last - before), 1.0) if last > before else 1.0
        factor, momentum = (self._anneal(*each, share) for each in zip(start, end, strict=True))
        return factor, momentum

    def _set(self, rates: list[float] | None = None) -> None:
        super()._set(rates)
        if not self.cycle_momentum:
            return
        share = self._at(self.last_epoch)[1]
        limits = zip(self._lowest, self._highest, strict=True)
        for group, (low, high) in zip(self.optimizer.param_groups, limits, strict=True):
            momentum = low + (high - low) * share
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


def line(start: float, end: float, share: float) -> float:
    """Return the point on a line from `start` to `end` after a share of the way."""
    return start + (end - start) * share


def has_momentum(optimizer: Optimizer) -> bool:
    """Return whether the optimizer has an option for momentum."""
    return bool({"momentum", "betas"} & set(optimizer.options()))

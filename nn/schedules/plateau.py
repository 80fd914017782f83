"""`ReduceLROnPlateau`, which follows a metric."""

from __future__ import annotations

import math
from typing import Any

from micrograd import Value
from nn.optimizers import Optimizer
from nn.optimizers.optimizer import check_state
from nn.options import one_of, real, whole
from nn.schedules.schedule import Schedule, epochs_of

_COUNTS = ("last_epoch", "num_bad_epochs", "cooldown_counter")


class ReduceLROnPlateau(Schedule):
    """The rate is multiplied by `factor` when a metric has not improved for `patience` epochs.

    `step` takes the metric. `fit` gives it the loss, that of the validation data if there are any;
    with `mode="max"`, the first of its metrics.

    Args:
        optimizer: the optimizer.
        mode: `"min"` if a smaller metric is better, `"max"` if a larger one is.
        factor: the factor, at least 0 and below 1.
        patience: the number of epochs without an improvement that are tolerated, at least 0.
        threshold: by how much a metric must be better than the best one to be an improvement.
        threshold_mode: `"rel"` if the threshold is a share of the best metric, `"abs"` if not.
        cooldown: the number of epochs after a change in which none is counted as bad.
        min_lr: the lowest rate, or one for each group of parameters.
        eps: a change of the rate by at most this is left out.

    >>> from micrograd import Value
    >>> from nn.optimizers import SGD
    >>> optimizer = SGD([Value(0.0)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0, 1.0]:
    ...     schedule.step(loss)
    ...     print(optimizer.lr)
    1.0
    1.0
    1.0
    0.5
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        self._belong_to(optimizer)
        self.mode = one_of(mode, "mode", ("min", "max"))
        self.factor = real(factor, "factor", least=0, below=1)
        self.patience = epochs_of(patience, "patience", 0)
        self.threshold = real(threshold, "threshold", least=0)
        self.threshold_mode = one_of(threshold_mode, "threshold_mode", ("rel", "abs"))
        self.cooldown = epochs_of(cooldown, "cooldown", 0)
        self.min_lrs = self._one_each(min_lr, "min_lr", least=0)
        self.eps = real(eps, "eps", least=0)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def step(self, metric: float) -> None:  # type: ignore[override]
        """Count an epoch, and lower the rate if the metric has stopped improving.

        Args:
            metric: the metric after this epoch; nan is never an improvement.
        """
        self.last_epoch += 1
        metric = metric.data if isinstance(metric, Value) else float(metric)
        if self._improves(metric):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.num_bad_epochs, self.cooldown_counter = 0, self.cooldown
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                rate = max(group["lr"] * self.factor, least)
                if group["lr"] - rate > self.eps:
                    group["lr"] = rate

    def get_last_lr(self) -> list[float]:
        """Return the current rate of each group of parameters, as in PyTorch."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return all that further epochs depend on, besides the constructor's arguments."""
        state = {name: getattr(self, name) for name in ("best", *_COUNTS)}
        return {"name": type(self).__name__, "rates": self.get_last_lr(), **state}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue from a state.

        Args:
            saved: what `state_dict` returned.

        Raises:
            ValueError: if it is not the state of such a schedule; nothing is changed then.
        """
        types = dict.fromkeys(_COUNTS, int)
        check_state(saved, self, "a schedule", rates=list, best=float, **types)
        rates = self._one_each(saved["rates"], "a rate of the schedule", least=0)
        counts = {name: whole(saved[name], name, 0) for name in _COUNTS}
        vars(self).update(counts, best=saved["best"])
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def _improves(self, metric: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * metric > sign * self.best * (1 + sign * self.threshold)
        return sign * metric > sign * self.best + self.threshold

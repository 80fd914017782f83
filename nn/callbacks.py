"""What is called after each epoch of `fit`, and when training may stop before its last epoch.

A callback is a function of the `State`; it may read everything, change the optimizer's `lr`, and
call `state.stop()`. If it has a method `finish`, that is called with the state when training is
over, also if Ctrl-C ended it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nn.history import History
from nn.options import OptionError, flag, one_of, real, whole

Callback = Callable[["State"], Any]


@dataclass
class State:
    """Training after an epoch; the model's weights are those of now."""

    model: Any
    optimizer: Any
    history: History
    epochs: int
    X: Any
    y: Any
    stopped: bool = False

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return self.history.epochs

    def stop(self) -> None:
        """Let this epoch be the last."""
        self.stopped = True


@dataclass(frozen=True)
class EarlyStopping:
    """Stop when a column of the history has not improved for `patience` epochs.

    Only a change by more than `min_delta` is an improvement. `monitor` is `val_loss` if there are
    validation data, else `loss`; `mode` is `"min"` or `"max"`, by default what is better for the
    column, and `"min"` for a metric of your own. With `restore_best`, the model gets the weights of
    the best epoch back.
    """

    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = True
    monitor: str | None = None
    mode: str | None = None

    def __post_init__(self) -> None:
        whole(self.patience, "patience", unit="of epochs, ")
        real(self.min_delta, "min_delta", least=0)
        flag(self.restore_best, "restore_best")
        if self.monitor is not None and not isinstance(self.monitor, str):
            raise OptionError(f"monitor is the name of a column, got {self.monitor!r}")
        if self.mode is not None:
            one_of(self.mode, "mode", ("min", "max"))

    def improves(self, number: float, best: float) -> bool:
        """Whether a number of the column is better than the best one before it."""
        if math.isnan(best):
            return not math.isnan(number)
        gain = number - best if self.mode == "max" else best - number
        return gain > self.min_delta

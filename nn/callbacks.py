"""Callbacks of `fit`, and early stopping.

A callback is a function that `fit` calls with a `State` after each epoch. It may read everything
there, change the optimizer's `lr`, and call `state.stop()`. If it has a method `finish`, that is
called with the state at the end of training, even if Ctrl-C ended it.
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
    """The state of training after an epoch, as callbacks get it.

    Args:
        model: the model, with its current weights.
        optimizer: the optimizer.
        history: what has been recorded so far.
        epochs: the number of epochs that were asked for.
        X: the training inputs, an array of shape (samples, inputs).
        y: the training targets, an array of shape (samples, outputs).
        stopped: whether a callback has asked to stop.

    >>> from nn import MLP, fit
    >>> def stop_early(state):
    ...     if state.epoch == 2:
    ...         state.stop()
    >>> history = fit(MLP(1, [1]), [[1.0]], [1.0], callbacks=stop_early, progress=False)
    >>> history.epochs, history.end
    (2, 'callback')
    """

    model: Any
    optimizer: Any
    history: History
    epochs: int
    X: Any
    y: Any
    stopped: bool = False

    @property
    def epoch(self) -> int:
        """The number of epochs that are done."""
        return self.history.epochs

    def stop(self) -> None:
        """End training after this epoch."""
        self.stopped = True


@dataclass(frozen=True)
class EarlyStopping:
    """Stop training when a column of the history has not improved for some epochs.

    Args:
        patience: the number of epochs to wait for an improvement.
        min_delta: only a change by more than this is an improvement; at least 0.
        restore_best: whether the model gets the weights of the best epoch back.
        monitor: the name of the column. The default is `val_loss` if there are validation data,
            and `loss` otherwise.
        mode: `"min"` or `"max"`. The default is `"max"` for the metrics that should be large,
            `accuracy` and `r2`, and `"min"` for the losses and for other metrics.

    >>> from nn import MLP, fit
    >>> stopping = EarlyStopping(patience=3, min_delta=100.0)
    >>> fit(MLP(1, [1]), [[1.0]], [1.0], early_stopping=stopping, progress=False).end
    'early stopping'
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
        """Return whether a number of the column is better than the best one before it.

        Args:
            number: the new number. nan is never better.
            best: the best number so far. If it is nan, any other number is better.
        """
        if math.isnan(best):
            return not math.isnan(number)
        gain = number - best if self.mode == "max" else best - number
        return gain > self.min_delta

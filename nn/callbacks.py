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
    column. With `restore_best`, the model gets the weights of the best epoch back.
    """

    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = True
    monitor: str | None = None
    mode: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.patience, bool) or int(self.patience) != self.patience:
            raise TypeError(f"patience is a number of epochs, got {self.patience!r}")
        if self.patience < 1:
            raise ValueError(f"patience is 1 epoch or more, got {self.patience}")
        if not 0 <= self.min_delta < math.inf:
            raise ValueError(f"min_delta is 0 or more, got {self.min_delta}")
        if self.mode not in (None, "min", "max"):
            raise ValueError(f"mode is 'min' or 'max', got {self.mode!r}")

    def improves(self, number: float, best: float) -> bool:
        """Whether a number of the column is better than the best one before it."""
        gain = number - best if self.mode == "max" else best - number
        return gain > self.min_delta

"""Measures of a model on data, by name: functions of the outputs and the targets, as arrays.

Both have a row for each sample, or are lists of one number for each: what `predict` gives. Other
functions of that kind can be given to `fit` too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from nn.options import by_name, several
from nn.samples import ANY, WISHES, finite, numbers, one_hot

Metric = Callable[[Any, Any], float]


def accuracy(
    outputs: Any, targets: Any, *, threshold: float | None = None, middle: float | None = None
) -> float:
    """The share of samples whose class is right.

    With several outputs, the class is the place of the largest; targets are class numbers, or as
    wide as the outputs. With one, there are two classes: outputs are parted by `threshold`, targets
    by `middle`; both are the middle of the two targets unless they are given. For scores, whose
    sign tells the class, give threshold=0. An output of nan is never right. Raises ValueError if
    there are not two classes.
    """
    outputs, targets = _rows(outputs, "outputs"), finite(_rows(targets, "targets"), "targets")
    _same("rows", len(outputs), len(targets))
    known = ~np.isnan(outputs).any(axis=1)
    if outputs.shape[1] > 1:
        if targets.shape[1] == 1:
            targets = one_hot(targets[:, 0], outputs.shape[1], "targets")
        _same("columns", outputs.shape[1], targets.shape[1])
        return float(np.mean(known & (outputs.argmax(axis=1) == targets.argmax(axis=1))))
    _same("columns", 1, targets.shape[1])
    if middle is None:
        middle = _between(targets)
    right = (outputs > (middle if threshold is None else threshold)) == (targets > middle)
    return float(np.mean(known & right[:, 0]))


def _between(targets: Any) -> float:
    labels = np.unique(targets)
    if len(labels) == 1:
        raise ValueError(
            f"all targets are {labels[0]:g}, which does not tell what the other class is: "
            "give middle=, a number between the two"
        )
    if len(labels) != 2:
        raise ValueError(
            f"accuracy counts two classes where the model has one output, but the targets are "
            f"{len(labels)} different numbers: use 'r2' or 'rmse'"
        )
    return float(labels.mean())


def r2(outputs: Any, targets: Any) -> float:
    """1 - (sum of squared errors) / (that of the best constant); the mean of several columns."""
    outputs, targets = _alike(outputs, targets)
    errors = ((outputs - targets) ** 2).sum(axis=0)
    spread = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(spread > 0, 1 - errors / spread, np.where(errors == 0, 1.0, 0.0 * errors))
    return float(scores.mean())


def mse(outputs: Any, targets: Any) -> float:
    """The mean of the squared errors."""
    outputs, targets = _alike(outputs, targets)
    return float(np.mean((outputs - targets) ** 2))


def rmse(outputs: Any, targets: Any) -> float:
    """The square root of `mse`, in the unit of the targets."""
    return float(np.sqrt(mse(outputs, targets)))


def mae(outputs: Any, targets: Any) -> float:
    """The mean of the absolute errors."""
    outputs, targets = _alike(outputs, targets)
    return float(np.mean(np.abs(outputs - targets)))


def _rows(given: Any, name: str) -> Any:
    """A row for each sample, also of a list with a number for each."""
    array = numbers(given, name)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} has a row for each sample, got shape {np.shape(given)}")
    return array


def _alike(outputs: Any, targets: Any) -> tuple[Any, Any]:
    found = _rows(outputs, "outputs"), finite(_rows(targets, "targets"), "targets")
    _same("rows", *map(len, found))
    _same("columns", *(each.shape[1] for each in found))
    return found


def _same(what: str, outputs: int, targets: int) -> None:
    if outputs != targets:
        raise ValueError(f"the outputs have {outputs} {what}, and the targets {targets}")


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "r2": r2,
    "mse": mse,
    "rmse": rmse,
    "mae": mae,
}
LARGER_IS_BETTER = ("accuracy", "r2")


def named(
    metrics: str | Metric | Iterable[str | Metric], loss: str, targets: Any
) -> dict[str, Metric]:
    """The functions by name, as they are to be used beside a loss and these targets."""
    chosen: dict[str, Metric] = {}
    for each in several(metrics, "metrics"):
        if isinstance(each, str):
            name = each
            metric = by_name(each, "metric", METRICS, "a function of outputs and targets")
            if metric is accuracy and targets.shape[1] == 1:
                wish = WISHES.get(loss, ANY)
                middle = _between(targets) if wish.middle is None else wish.middle
                metric = partial(accuracy, threshold=wish.threshold, middle=middle)
        elif callable(each):
            name, metric = getattr(each, "__name__", type(each).__name__), each
        else:
            raise TypeError(f"a metric is a name or a function, got {each!r}")
        if name in chosen or name in ("loss", "lr", "gradient_norm"):
            raise ValueError(f"two columns would be called {name!r}: rename the metric's function")
        chosen[name] = metric
    return chosen

"""Metrics: how good a model is on data, as functions of its outputs and the targets.

Outputs and targets are arrays of shape (samples, columns), or lists with a number for each sample,
as `predict` returns them. `fit` takes the names in `METRICS`, and any other function like these.
The outputs come first, as in the losses of `nn.losses` and of PyTorch. `confusion_matrix` and
`classification_report` take classes instead, the true ones first, as scikit-learn does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from nn.classification import ClassificationReport as ClassificationReport
from nn.classification import classification_report as classification_report
from nn.classification import confusion_matrix as confusion_matrix
from nn.options import by_name, several
from nn.samples import ANY, WISHES, finite, numbers, one_hot
from nn.samples import weights as weights_of

Metric = Callable[..., float]

_ORDER = "; give the outputs first, as in accuracy(outputs, targets)"


def accuracy(
    outputs: Any,
    targets: Any,
    *,
    threshold: float | None = None,
    middle: float | None = None,
    sample_weight: Any = None,
) -> float:
    """Return the share of samples that are classified correctly, from 0 to 1.

    With several outputs, the class is the index of the largest output. With one output there are
    two classes, and the model predicts the one with the larger target if its output is above
    `threshold`. An output of nan is never correct.

    Args:
        outputs: the predictions, of shape (samples,) or (samples, classes).
        targets: the classes: their numbers from 0, or as many columns as the outputs. With one
            output, two different numbers.
        threshold: where one output separates the two classes; `middle` by default. For scores,
            whose sign gives the class, give 0.
        middle: where the targets of one output separate; the mean of the two different targets by
            default.
        sample_weight: the weight of each sample; all count alike by default.

    Raises:
        ValueError: if the shapes differ; or if there is one output, `middle` is not given, and the
            targets are not two different numbers, or look like outputs.

    >>> accuracy([0.9, 0.2, 0.6], [1, 0, 0])
    0.6666666666666666
    >>> accuracy([[2.0, 1.0], [0.0, 1.0]], [0, 1])
    1.0
    """
    outputs, targets = _rows(outputs, "outputs"), finite(_rows(targets, "targets"), "targets")
    _same("rows", len(outputs), len(targets))
    known = ~np.isnan(outputs).any(axis=1)
    if outputs.shape[1] > 1:
        if targets.shape[1] == 1:
            targets = one_hot(targets[:, 0], outputs.shape[1], "targets")
        _same("columns", outputs.shape[1], targets.shape[1])
        right = known & (outputs.argmax(axis=1) == targets.argmax(axis=1))
        return _mean(right, sample_weight)
    _same("columns", 1, targets.shape[1])
    if middle is None:
        middle = _between(targets)
        if (outputs == np.floor(outputs)).all() and (targets != np.floor(targets)).any():
            raise ValueError(f"the targets, such as {targets[0, 0]:g}, look like outputs{_ORDER}")
    right = (outputs > (middle if threshold is None else threshold)) == (targets > middle)
    return _mean(known & right[:, 0], sample_weight)


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
            f"{len(labels)} different numbers: use 'r2' or 'rmse'{_ORDER}"
        )
    return float(labels.mean())


def r2(outputs: Any, targets: Any, *, sample_weight: Any = None) -> float:
    """Return the coefficient of determination, the mean over the columns.

    It compares the sum of squared errors with that of the best constant prediction: 1 is perfect,
    and 0 means no better than the mean of the targets. Unlike `r2_score` of scikit-learn, it takes
    the outputs first, and gives another number if the two are swapped.

    Args:
        outputs: the predictions, of shape (samples,) or (samples, columns).
        targets: the true values, of the same shape.
        sample_weight: the weight of each sample; all count alike by default.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.7857142857142857
    """
    outputs, targets = _alike(outputs, targets)
    weights = weights_of(sample_weight, len(targets))
    mean = np.average(targets, axis=0, weights=weights)
    scale = 1 if weights is None else weights[:, None]
    errors = (scale * (outputs - targets) ** 2).sum(axis=0)
    spread = (scale * (targets - mean) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(spread > 0, 1 - errors / spread, np.where(errors == 0, 1.0, 0.0 * errors))
    return float(scores.mean())


def mse(outputs: Any, targets: Any, *, sample_weight: Any = None) -> float:
    """Return the mean of the squared errors.

    Args:
        outputs: the predictions, of shape (samples,) or (samples, columns).
        targets: the true values, of the same shape.
        sample_weight: the weight of each sample; all count alike by default.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    outputs, targets = _alike(outputs, targets)
    return _mean(((outputs - targets) ** 2).mean(axis=1), sample_weight)


def rmse(outputs: Any, targets: Any, *, sample_weight: Any = None) -> float:
    """Return the square root of the mean of the squared errors, in the unit of the targets.

    Args:
        outputs: the predictions, of shape (samples,) or (samples, columns).
        targets: the true values, of the same shape.
        sample_weight: the weight of each sample; all count alike by default.

    >>> rmse([1.0, 2.0], [4.0, -1.0])
    3.0
    """
    return float(np.sqrt(mse(outputs, targets, sample_weight=sample_weight)))


def mae(outputs: Any, targets: Any, *, sample_weight: Any = None) -> float:
    """Return the mean of the absolute errors, in the unit of the targets.

    Args:
        outputs: the predictions, of shape (samples,) or (samples, columns).
        targets: the true values, of the same shape.
        sample_weight: the weight of each sample; all count alike by default.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    outputs, targets = _alike(outputs, targets)
    return _mean(np.abs(outputs - targets).mean(axis=1), sample_weight)


def _rows(given: Any, name: str) -> Any:
    """Return an array with a row for each sample; a list of numbers becomes one column."""
    array = numbers(given, name)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} has a row for each sample, got shape {np.shape(given)}")
    return array


def _mean(scores: Any, sample_weight: Any) -> float:
    return float(np.average(scores, weights=weights_of(sample_weight, len(scores))))


def _alike(outputs: Any, targets: Any) -> tuple[Any, Any]:
    found = _rows(outputs, "outputs"), finite(_rows(targets, "targets"), "targets")
    _same("rows", *map(len, found))
    _same("columns", *(each.shape[1] for each in found))
    return found


def _same(what: str, outputs: int, targets: int) -> None:
    if outputs != targets:
        raise ValueError(f"the outputs have {outputs} {what}, and the targets {targets}")


METRICS: dict[str, Metric] = {each.__name__: each for each in (accuracy, r2, mse, rmse, mae)}
LARGER_IS_BETTER = ("accuracy", "r2")


def named(
    metrics: str | Metric | Iterable[str | Metric], loss: str, targets: Any
) -> dict[str, Metric]:
    """Return the metrics by name, ready for a loss and its targets.

    Args:
        metrics: names in `METRICS`, or functions of outputs and targets; one or several.
        loss: the name of the loss, which says how `accuracy` separates two classes.
        targets: the training targets, an array of shape (samples, outputs).

    Raises:
        ValueError: for an unknown name, or if two columns of the history would have the same name.
        TypeError: for something that is neither a name nor a function.

    >>> list(named(["mae", "r2"], "mse", np.zeros((3, 1))))
    ['mae', 'r2']
    """
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

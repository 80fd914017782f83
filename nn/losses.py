"""Losses, named as in PyTorch: functions of a prediction and a target, on Values or numbers.

The prediction may be one number or a nested list of numbers, for one sample or for a batch; the
target has the same shape. With `reduction="mean"`, the default, the result is the mean over all
numbers that are compared; with `"sum"` it is their sum, and with `"none"` there is one loss for
each of them, in the structure of the prediction: a number, nested lists or an array. All losses can
be compiled, and their gradients are accurate for predictions as large as ±1000.

>>> from micrograd import Value
>>> mse_loss([Value(1.0), Value(2.0)], [1.0, 4.0]).data
2.0
>>> mse_loss([1.0, 2.0], [1.0, 4.0], reduction="none")
[0.0, 4.0]
>>> round(cross_entropy([Value(1000.0), Value(0.0)], 1).data, 6)
1000.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import index
from typing import Any, Literal

from micrograd import Value, detach, log, log1p, minimum, relu, softplus, square, where
from micrograd.engine.arrays import elementwise, refuse_unusual
from micrograd.engine.value import to_number
from nn.functional import log_softmax, total_of
from nn.options import real

Loss = Callable[..., Any]
LossName = Literal[
    "mse",
    "l1",
    "huber",
    "hinge",
    "squared_hinge",
    "bce",
    "bce_with_logits",
    "cross_entropy",
    "kl_div",
]
"""The names in `LOSSES`, for type checkers."""

# The least divisor in the slope of PyTorch's binary_cross_entropy.
_LEAST_VARIANCE = 1e-12


def mse_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the squared error, `(prediction - target)²`.

    Args:
        prediction: a Value or a number, or a nested list of them.
        target: the true value of each, of the shape of `prediction`.
        reduction: `"mean"` or `"sum"` over all numbers that are compared, or `"none"`.

    >>> mse_loss([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return _reduced("mse_loss", lambda p, t: square(p - t), prediction, target, reduction)


def l1_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the absolute error, `|prediction - target|`. Its slope at no error is 0.

    Args:
        prediction: a Value or a number, or a nested list of them.
        target: the true value of each, of the shape of `prediction`.
        reduction: `"mean"` or `"sum"` over all numbers that are compared, or `"none"`.

    >>> l1_loss([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return _reduced("l1_loss", lambda p, t: abs(p - t), prediction, target, reduction)


def huber_loss(prediction: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Return the Huber loss: quadratic for small errors, and linear for large ones.

    It is half the square of an error of at most `delta`, and `delta * (|error| - delta / 2)` of a
    larger one, so that outliers weigh less than in `mse_loss` (Huber 1964,
    doi:10.1214/aoms/1177703732).

    Args:
        prediction: a Value or a number, or a nested list of them.
        target: the true value of each, of the shape of `prediction`.
        reduction: `"mean"` or `"sum"` over all numbers that are compared, or `"none"`.
        delta: the size of the error, above 0, at which the loss becomes linear.

    >>> huber_loss([0.5, 3.0], [0.0, 0.0], "sum")
    2.625
    """
    delta = real(delta, "delta", above=0)

    def loss(p: Any, t: Any) -> Any:
        error = p - t
        size = abs(error)
        return where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta))

    return _reduced("huber_loss", loss, prediction, target, reduction)


def hinge_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the hinge loss, `max(0, 1 - target * prediction)`, of support vector machines.

    A score on the right side costs nothing once its distance from 0 is at least the margin 1
    (Cortes and Vapnik 1995, doi:10.1007/BF00994018).

    Args:
        prediction: a score, or a nested list of scores. Its sign is the predicted class.
        target: -1 or 1 for each score, of the shape of `prediction`.
        reduction: `"mean"` or `"sum"` over all numbers that are compared, or `"none"`.

    >>> hinge_loss([0.5, 2.0, 0.25], [1, 1, -1], "sum")
    1.75
    """
    return _reduced("hinge_loss", lambda p, t: relu(1 - t * p), prediction, target, reduction)


def squared_hinge_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the square of `hinge_loss`, which has no kink.

    Args:
        prediction: a score, or a nested list of scores. Its sign is the predicted class.
        target: -1 or 1 for each score, of the shape of `prediction`.
        reduction: `"mean"` or `"sum"` over all numbers that are compared, or `"none"`.

    >>> squared_hinge_loss([0.5, 2.0, 0.5], [1, 1, -1], "sum")
    2.5
    """
    return _reduced(
        "squared_hinge_loss", lambda p, t: square(relu(1 - t * p)), prediction, target, reduction
    )


def binary_cross_entropy(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the negative logarithm of the probability that was predicted for the target.

    As in PyTorch, the loss of one prediction p for the target t is at most 100, and its slope is
    `(p - t) / max(p * (1 - p), 1e-12)`: ±1e12 where a wrong answer was certain, and 0 where a right
    one was. For scores, use `binary_cross_entropy_with_logits`, which is accurate at any size.

    Args:
        prediction: a probability from 0 to 1, or a nested list of them.
        target: 0 or 1, or a probability, of the shape of `prediction`.
        reduction: `"mean"` or `"sum"` over all numbers that are compared, or `"none"`.

    >>> round(binary_cross_entropy([0.5, 0.9], [0, 1], "sum"), 6)
    0.798508
    """

    def loss(p: Any, t: Any) -> Any:
        inside = p * (1 - p) >= _LEAST_VARIANCE
        q = where(inside, p, 0.5)  # `where` computes both branches: neither may be infinite
        usual = -(t * log(q) + (1 - t) * log1p(-q))
        # No single function has both PyTorch's value and its slope for a certain answer: the value
        # comes from a constant, and the added term is 0 and has the slope.
        c = detach(p)
        certain = t * minimum(-log(c), 100.0) + (1 - t) * minimum(-log1p(-c), 100.0)
        return where(inside, usual, certain + (p - c) * ((p + c) / 2 - t) / _LEAST_VARIANCE)

    return _reduced("binary_cross_entropy", loss, prediction, target, reduction)


def binary_cross_entropy_with_logits(
    prediction: Any, target: Any, reduction: str = "mean", *, pos_weight: float = 1.0
) -> Any:
    """Return the `binary_cross_entropy` of `sigmoid(prediction)`, accurate for scores of any size.

    Args:
        prediction: a score, the logarithm of the odds, or a nested list of scores.
        target: 0 or 1, or a probability, of the shape of `prediction`.
        reduction: `"mean"` or `"sum"` over all numbers that are compared, or `"none"`.
        pos_weight: the weight of the targets that are 1, at least 0; above 1 if they are rare.

    >>> binary_cross_entropy_with_logits([1000.0, -1000.0], [1, 1])
    500.0
    """
    weight = real(pos_weight, "pos_weight", least=0)

    def loss(p: Any, t: Any) -> Any:
        # softplus(p) - t * p is shorter, but cancels: 20.000000002 - 20 keeps six digits.
        right = t * softplus(-p)
        return (right if weight == 1 else weight * right) + (1 - t) * softplus(p)

    return _reduced("binary_cross_entropy_with_logits", loss, prediction, target, reduction)


def cross_entropy(
    logits: Sequence[Any],
    target: Any,
    reduction: str = "mean",
    *,
    weight: Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> Any:
    """Return the negative logarithm of the probability that `softmax` gives to the target's class.

    Args:
        logits: a score for each class; for a batch, a list of such lists.
        target: the number of the class, from 0, or a list with a probability for each class; for a
            batch, a list of either. A class may be a Value, as in a compiled function.
        reduction: `"mean"` or `"sum"` over the samples of a batch, or `"none"`.
        weight: a weight of at least 0 for each class. The mean over samples is weighted by them, as
            in PyTorch. `fit` calls the loss sample by sample, where nothing is divided by their
            sum; it has `class_weight`.
        label_smoothing: the share of each target, from 0 to 1, that all classes get alike.

    Raises:
        ValueError: if there is no such class. If the class is a Value, the loss is nan instead.

    >>> round(cross_entropy([2.0, 1.0, 0.0], 0), 6)
    0.407606
    >>> round(cross_entropy([[2.0, 1.0], [0.0, 1.0]], [0, 1]), 6)
    0.313262
    >>> round(cross_entropy([[2.0, 1.0], [0.0, 1.0]], [0, 0], weight=[1.0, 3.0]), 6)
    0.813262
    """
    scores, name = _list("cross_entropy", "logits", logits), "cross_entropy"
    _check_reduction(name, reduction)
    rows, targets = [scores], [target]
    while rows and rows[0] and _is_list(rows[0][0]):
        inner = [_list(name, "target", each) for each in targets]
        for row, each in zip(rows, inner, strict=True):
            _same_length(name, row, each)
        rows = [_list(name, "logits", each) for row in rows for each in row]
        targets = [each for part in inner for each in part]
    smoothing = real(label_smoothing, "label_smoothing", least=0, most=1)
    found = []
    for row, each in zip(rows, targets, strict=True):
        logs = log_softmax(row)
        weights = None if weight is None else _weights(weight, len(logs))
        found.append(_entropy(logs, each, weights, smoothing))
    losses = [loss for loss, _ in found]
    if reduction == "none":
        return _structured(iter(losses), logits, lambda each: not _is_list(each[0]))
    if weight is not None and reduction == "mean":
        total = total_of([counted for _, counted in found])
        is_nothing = not isinstance(total, Value) and total == 0
        return math.nan if is_nothing else total_of(losses) / total
    return _combined(losses, reduction)


def _entropy(
    logs: list[Any], target: Any, weights: list[float] | None, smoothing: float
) -> tuple[Any, Any]:
    """Return the cross-entropy of one sample, and how much it counts in a mean."""
    costs = [-log for log in logs]
    if weights is not None:
        costs = [w * cost for w, cost in zip(weights, costs, strict=True)]
    counted: Any = 1.0
    if _is_list(target):
        shares = _list("cross_entropy", "a target", target)
        _same_length("cross_entropy", costs, shares)
        loss = total_of([t * cost for t, cost in zip(shares, costs, strict=True)])
    elif isinstance(target, Value):
        loss = _chosen(target, costs)
        counted = 1.0 if weights is None else _chosen(target, weights)
    else:
        number = _class(target, len(costs))
        loss, counted = costs[number], 1.0 if weights is None else weights[number]
    if smoothing:
        loss = (1 - smoothing) * loss + smoothing / len(costs) * total_of(costs)
    return loss, counted


def _chosen(number: Value, parts: Sequence[Any]) -> Any:
    """Return the part of this number; nan if there is none."""
    ones = [(number <= k) * (number >= k) for k in range(len(parts))]
    chosen = parts[0]
    for one, each in zip(ones[1:], parts[1:], strict=True):
        chosen = where(one, each, chosen)  # one * each is nan where each is infinite
    return where(total_of(ones), chosen, math.nan)


def _weights(weight: Sequence[float], count: int) -> list[float]:
    """Return the weights of the classes as numbers."""
    weights = [real(each, "weight", least=0) for each in _list("cross_entropy", "weight", weight)]
    if len(weights) != count:
        raise ValueError(f"cross_entropy: weight has {len(weights)} numbers for {count} classes")
    return weights


def kl_div(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the terms `target * (log(target) - prediction)` of the Kullback-Leibler divergence.

    With `reduction="sum"` it is the divergence of the targets from the predictions (Kullback and
    Leibler 1951, doi:10.1214/aoms/1177729694). A target of 0 costs nothing.

    Args:
        prediction: the logarithm of a probability, as `log_softmax` gives it, or a nested list.
        target: a probability from 0 to 1 for each, of the shape of `prediction`.
        reduction: `"mean"` or `"sum"` over all numbers that are compared, or `"none"`.

    >>> from math import log
    >>> round(kl_div([log(0.5), log(0.5)], [0.25, 0.75], "sum"), 6)
    0.130812
    """

    def loss(p: Any, t: Any) -> Any:
        nothing = abs(t) <= 0
        return where(nothing, 0.0, t * (log(where(nothing, 1.0, t)) - p))

    return _reduced("kl_div", loss, prediction, target, reduction)


LOSSES: dict[str, Loss] = {
    "mse": mse_loss,
    "l1": l1_loss,
    "huber": huber_loss,
    "hinge": hinge_loss,
    "squared_hinge": squared_hinge_loss,
    "bce": binary_cross_entropy,
    "bce_with_logits": binary_cross_entropy_with_logits,
    "cross_entropy": cross_entropy,
    "kl_div": kl_div,
}
"""The losses by their short names, as `fit` takes them."""


# --------------------------------------------------------------------------------------- penalties


def l1_penalty(parameters: Iterable[Value]) -> Any:
    """Return the sum of the absolute values of the parameters, which makes many of them 0.

    Args:
        parameters: at least one Value.

    >>> l1_penalty([Value(1.0), Value(-2.0)]).data
    3.0
    """
    return total_of([abs(p) for p in _some(parameters)])


def l2_penalty(parameters: Iterable[Value]) -> Any:
    """Return the sum of the squares of the parameters, which keeps them small.

    Args:
        parameters: at least one Value.

    >>> l2_penalty([Value(1.0), Value(-2.0)]).data
    5.0
    """
    return total_of([p * p for p in _some(parameters)])


def _some(parameters: Iterable[Value]) -> list[Value]:
    found = list(parameters)
    if not found:
        raise ValueError("a penalty needs at least one parameter")
    return found


# --------------------------------------------------------------------------------------- reduction


def _reduced(
    name: str, loss: Callable[[Any, Any], Any], prediction: Any, target: Any, reduction: str
) -> Any:
    _check_reduction(name, reduction)
    losses = [loss(p, t) for p, t in _pairs(name, prediction, target)]
    if reduction == "none":
        return _structured(iter(losses), prediction, lambda each: not _is_list(each))
    return _combined(losses, reduction)


def _combined(losses: list[Any], reduction: str) -> Any:
    total = total_of(losses)
    return total / len(losses) if reduction == "mean" and len(losses) > 1 else total


def _check_reduction(name: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}: reduction is 'mean', 'sum' or 'none', got {reduction!r}")


def _structured(losses: Iterator[Any], like: Any, is_one: Callable[[Any], bool]) -> Any:
    """Return the losses in the structure of the prediction, of whose parts each has one loss."""
    if is_one(like):
        return next(losses)
    made = [_structured(losses, each, is_one) for each in like]
    return elementwise(lambda loss: loss, [made]) if hasattr(like, "ndim") else made


def _pairs(name: str, prediction: Any, target: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of one prediction and one target, in order, from nested lists."""
    if not _is_list(prediction) and not _is_list(target):
        return [(_scalar(name, prediction), _scalar(name, target))]
    predictions, targets = _list(name, "prediction", prediction), _list(name, "target", target)
    _same_length(name, predictions, targets)
    return [pair for p, t in zip(predictions, targets, strict=True) for pair in _pairs(name, p, t)]


def _same_length(name: str, predictions: Sequence[Any], targets: Sequence[Any]) -> None:
    if len(predictions) != len(targets):
        raise ValueError(
            f"{name}: {len(predictions)} predictions and {len(targets)} targets: "
            "give one target for each prediction"
        )
    if not predictions:
        raise ValueError(f"{name}: nothing to compare, both lists are empty")


def _is_list(each: Any) -> bool:
    if isinstance(each, Sequence):
        return not isinstance(each, str | bytes)
    return getattr(each, "ndim", 0) > 0  # an array; one without axes is a number


def _scalar(name: str, each: Any) -> Any:
    return each if isinstance(each, Value) else to_number(each, name)


def _list(name: str, what: str, each: Any) -> list[Any]:
    if not _is_list(each):
        raise TypeError(f"{name}: {what} is a list here, got {each!r}")
    refuse_unusual(each)
    return list(each)


def _class(target: Any, count: int) -> int:
    try:
        number: Any = to_number(target, "a class")
        whole = isinstance(number, float) and number.is_integer()
        found = index(int(number) if whole else number)
    except TypeError:
        raise TypeError(
            f"cross_entropy: the target is the number of a class or a list of probabilities, "
            f"got {target!r}"
        ) from None
    if not 0 <= found < count:
        raise ValueError(f"cross_entropy: class {found} of {count} classes, 0 to {count - 1}")
    return found

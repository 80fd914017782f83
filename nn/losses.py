"""Losses, named as those of PyTorch: functions of a prediction and a target, on Values.

A prediction is a Value or a list of them, of one sample or of a batch; the target is nested alike.
`reduction` is "mean" over all that is compared, or "sum". They work within `micrograd.compile` too,
and give right gradients at ±1000.

>>> from micrograd import Value
>>> mse_loss([Value(1.0), Value(2.0)], [1.0, 4.0]).data
2.0
>>> round(cross_entropy([Value(1000.0), Value(0.0)], 1).data, 6)
1000.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import Any

from micrograd import Value, detach, log, log1p, minimum, relu, softplus, square, where
from micrograd.engine.value import to_number
from nn.functional import log_softmax, total_of
from nn.options import real

Loss = Callable[..., Any]

# PyTorch divides by no less in the slope of binary_cross_entropy.
_LEAST_VARIANCE = 1e-12


def mse_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """The squares of the errors."""
    return _reduced("mse_loss", lambda p, t: square(p - t), prediction, target, reduction)


def l1_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """The sizes of the errors."""
    return _reduced("l1_loss", lambda p, t: abs(p - t), prediction, target, reduction)


def huber_loss(prediction: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the square of an error of up to `delta`, and beyond that a line (Huber, 1964)."""
    delta = real(delta, "delta", above=0)

    def loss(p: Any, t: Any) -> Any:
        error = p - t
        size = abs(error)
        return where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta))

    return _reduced("huber_loss", loss, prediction, target, reduction)


def hinge_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """What a score lacks of the margin 1 on the side of its target, which is -1 or 1."""
    return _reduced("hinge_loss", lambda p, t: relu(1 - t * p), prediction, target, reduction)


def squared_hinge_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """The squares of `hinge_loss`."""
    return _reduced(
        "squared_hinge_loss", lambda p, t: square(relu(1 - t * p)), prediction, target, reduction
    )


def binary_cross_entropy(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """-log of the probability that was given to the target, 0 or 1 or a probability itself.

    As in PyTorch, it is at most 100, and its slope is `(p - t) / max(p * (1 - p), 1e-12)`: ±1e12
    where the wrong answer was certain, 0 where the right one was. Scores of any size are for
    `binary_cross_entropy_with_logits`.
    """

    def loss(p: Any, t: Any) -> Any:
        inside = p * (1 - p) >= _LEAST_VARIANCE
        q = where(inside, p, 0.5)  # what is not taken shall not be infinite
        usual = -(t * log(q) + (1 - t) * log1p(-q))
        # Of a certain answer the value and the slope are not those of one function: the value comes
        # from a constant, and what is added is 0 and has the slope.
        c = detach(p)
        certain = t * minimum(-log(c), 100.0) + (1 - t) * minimum(-log1p(-c), 100.0)
        return where(inside, usual, certain + (p - c) * ((p + c) / 2 - t) / _LEAST_VARIANCE)

    return _reduced("binary_cross_entropy", loss, prediction, target, reduction)


def binary_cross_entropy_with_logits(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """`binary_cross_entropy` of the sigmoid of a score: log(sigmoid(x)) is -softplus(-x)."""

    def loss(p: Any, t: Any) -> Any:
        # softplus(p) - t * p is shorter, but what is left of 20.000000002 - 20 has six digits.
        return t * softplus(-p) + (1 - t) * softplus(p)

    return _reduced("binary_cross_entropy_with_logits", loss, prediction, target, reduction)


def cross_entropy(logits: Sequence[Any], target: Any, reduction: str = "mean") -> Any:
    """-log of the share that `softmax` of the scores gives to the target.

    The target is the number of a class, or a list with a probability for each; for a batch, a list
    of lists of scores with a list of targets. A class may be a Value, as a compiled function is
    given it; the loss is nan then if there is no such class, and a ValueError otherwise.
    """
    scores = _list("cross_entropy", "logits", logits)
    if scores and _is_list(scores[0]):
        targets = _list("cross_entropy", "target", target)
        _same_length("cross_entropy", scores, targets)
        losses = [cross_entropy(row, each) for row, each in zip(scores, targets, strict=True)]
        return _combined("cross_entropy", losses, reduction)
    _combine("cross_entropy", reduction)
    logs = log_softmax(scores)
    if _is_list(target):
        shares = list(target)
        _same_length("cross_entropy", logs, shares)
        return -total_of([t * each for t, each in zip(shares, logs, strict=True)])
    if isinstance(target, Value):
        ones = [(target <= k) * (target >= k) for k in range(len(logs))]
        chosen = logs[0]
        for one, each in zip(ones[1:], logs[1:], strict=True):
            chosen = where(one, each, chosen)  # one * each would be nan for a share of 0
        return -where(total_of(ones), chosen, math.nan)
    return -logs[_class(target, len(logs))]


def kl_div(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """`target * (log(target) - prediction)`, where the prediction is a log-probability.

    A target of 0 costs nothing. The divergence of Kullback and Leibler is the sum.
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
"""The losses by short names."""


# --------------------------------------------------------------------------------------- penalties


def l1_penalty(parameters: Iterable[Value]) -> Any:
    """The sum of the sizes of the parameters."""
    return total_of([abs(p) for p in _some(parameters)])


def l2_penalty(parameters: Iterable[Value]) -> Any:
    """The sum of the squares of the parameters."""
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
    return _combined(name, [loss(p, t) for p, t in _pairs(name, prediction, target)], reduction)


def _combined(name: str, losses: list[Any], reduction: str) -> Any:
    mean = _combine(name, reduction)
    total = total_of(losses)
    return total / len(losses) if mean and len(losses) > 1 else total


def _combine(name: str, reduction: str) -> bool:
    """Whether it is the mean; ValueError unless it is one of the two."""
    if reduction not in ("mean", "sum"):
        raise ValueError(f"{name}: reduction is 'mean' or 'sum', got {reduction!r}")
    return reduction == "mean"


def _pairs(name: str, prediction: Any, target: Any) -> list[tuple[Any, Any]]:
    """Predictions and targets one by one."""
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

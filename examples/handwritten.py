"""A layer with a backward pass written by hand, and the mistakes that people make in it.

python -m examples.handwritten

The layer is in NumPy, as in many courses: a linear layer with bias, softmax, and the cross-entropy,
averaged over a batch. `check_gradients` compares its gradients with independent witnesses. The
claim is that the correct backward pass is confirmed, that each of four mistakes is found, and that
only the gradients that are wrong are blamed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd.testing import check_gradients

from ._training import Result, report

Gradients = tuple[Any, Any, Any]
CLASSES = np.array([2, 0, 1, 1, 2, 0])  # of the samples


def probabilities(W: Any, b: Any, X: Any) -> Any:
    """The probability of each class for each sample, by softmax."""
    logits = X @ W + b
    powers = np.exp(logits - logits.max(axis=1, keepdims=True).real)
    return powers / powers.sum(axis=1, keepdims=True)


def loss(W: Any, b: Any, X: Any) -> Any:
    """The cross-entropy, averaged over the batch."""
    return -np.log(probabilities(W, b, X)[range(len(X)), CLASSES]).mean()


def backward(W: Any, b: Any, X: Any) -> Gradients:
    """The gradients with respect to all arguments, from softmax minus one at the true class."""
    d = (probabilities(W, b, X) - np.eye(b.size)[CLASSES]) / len(X)
    return X.T @ d, d.sum(axis=0), d @ W.T


def without_the_mean(W: Any, b: Any, X: Any) -> Gradients:
    """Forgets that the loss is an average."""
    dW, db, dX = backward(W, b, X)
    return dW * len(X), db * len(X), dX * len(X)


def with_the_wrong_sign(W: Any, b: Any, X: Any) -> Gradients:
    """Subtracts the other way round, in the part for the layer below."""
    dW, db, dX = backward(W, b, X)
    return dW, db, -dX


def without_the_truth(W: Any, b: Any, X: Any) -> Gradients:
    """Forgets the one at the true class, for the biases."""
    dW, _, dX = backward(W, b, X)
    return dW, probabilities(W, b, X).mean(axis=0), dX


def transposed(W: Any, b: Any, X: Any) -> Gradients:
    """Multiplies in the other order, which the shape of a square matrix allows."""
    dW, db, dX = backward(W, b, X)
    return dW.T, db, dX


# Each mistake, and the gradients that it makes wrong.
MISTAKES: dict[Callable[..., Gradients], set[str]] = {
    without_the_mean: {"dW", "db", "dX"},
    with_the_wrong_sign: {"dX"},
    without_the_truth: {"db"},
    transposed: {"dW"},
}


def inputs() -> list[Any]:
    """Weights, biases and a batch."""
    generator = np.random.default_rng(0)
    return [generator.normal(size=shape) for shape in ((3, 3), (3,), (len(CLASSES), 3))]


def check(by_hand: Callable[..., Gradients]) -> Any:
    """The report on a backward pass."""
    return check_gradients(loss, *inputs(), gradient=by_hand, raise_exception=False)


def blamed(found: Any) -> set[str]:
    """The names of the gradients that a report calls wrong."""
    return {name for name, _, verdict, *_ in found.rows if verdict == "WRONG"}


def run() -> Result:
    """Check all five backward passes; the claim is that every verdict is correct."""
    confirmed = bool(check(backward))
    lines = [f"{backward.__name__}: {'confirmed' if confirmed else 'not confirmed'}"]
    found = 0
    for mistake, wrong in MISTAKES.items():
        told = check(mistake)
        found += blamed(told) == wrong
        lines.append(f"{mistake.__name__}: {[*told.suspicions, 'not found'][0]}")
    numbers = {"found": found, "mistakes": len(MISTAKES)}
    return Result(numbers, lines, confirmed and found == len(MISTAKES))


if __name__ == "__main__":
    raise SystemExit(report(run()))

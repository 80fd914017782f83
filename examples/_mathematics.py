"""The mathematics that the articles share: the weighted sum and gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from micrograd import Value
from nn import Layer


def dot(x: Iterable[Any], w: Iterable[Any]) -> Any:
    """The weighted sum `x1 * w1 + x2 * w2 + …`, of Values, numbers, or both."""
    return reduce(add, (xi * wi for xi, wi in zip(x, w, strict=True)))


def total(terms: Sequence[Value], label: str) -> Value:
    """The sum of two or more terms, with this label."""
    result = reduce(add, terms)
    result.label = label
    return result


def descent(
    parameters: Sequence[Value], loss: Callable[[], Value], *, step: float, iterations: int
) -> Iterator[float]:
    """Run gradient descent; after each step, yield the loss before it."""
    for _ in range(iterations):
        cost = loss()
        for parameter in parameters:
            parameter.grad = 0
        cost.backward()
        for parameter in parameters:
            parameter.data -= step * parameter.grad
        yield cost.data


def dense(weights: Sequence[Sequence[float]], biases: Sequence[float]) -> Layer:
    """A layer without activation; `weights` has a row for each neuron."""
    layer = Layer(len(weights[0]), len(weights), nonlin=False, initializer="zeros")
    for neuron, row, bias in zip(layer.neurons, weights, biases, strict=True):
        for weight, w in zip(neuron.w, row, strict=True):
            weight.data = w
        neuron.b.data = bias
    return layer

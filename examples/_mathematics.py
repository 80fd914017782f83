"""The mathematics that the articles share: the weighted sum and gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from micrograd import Value


def dot(x: Iterable[Any], w: Iterable[Any]) -> Any:
    """The weighted sum `x1 * w1 + x2 * w2 + …`, of Values, numbers, or both."""
    return reduce(add, (xi * wi for xi, wi in zip(x, w, strict=True)))


def weighted_sum(x: Iterable[Value], w: Iterable[Value], label: str) -> Value:
    """`dot` with a label for every step: products p1, p2, …, partial sums s2, s3, …, the result."""
    products = [xi * wi for xi, wi in zip(x, w, strict=True)]
    for i, each in enumerate(products, 1):
        each.label = f"p{i}"
    return total(products, label)


def total(terms: Sequence[Value], label: str) -> Value:
    """The sum of two or more terms, with this label; partial sums are called s2, s3 and so on."""
    result = terms[0]
    for i, term in enumerate(terms[1:], 2):
        result = result + term
        result.label = f"s{i}" if i < len(terms) else label
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

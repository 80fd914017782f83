"""Softmax and its logarithm, on lists of scores.

Both take Values or numbers, and can be compiled. The largest score is subtracted first, as a
constant, which changes no result and keeps scores of ±1000 accurate.

>>> [round(share, 4) for share in softmax([1000.0, 999.0])]
[0.7311, 0.2689]
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from micrograd import Value, exp, log, maximum


def softmax(scores: Iterable[Any]) -> list[Any]:
    """Return positive numbers that add up to 1, in proportion to `exp(score)`.

    Args:
        scores: a list of at least one Value or number.

    Raises:
        TypeError: if `scores` is not a list, a tuple or an array.
        ValueError: if it is empty.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    exponentials = [exp(score) for score in _shifted(scores)]
    total = total_of(exponentials)
    return [each / total for each in exponentials]


def log_softmax(scores: Iterable[Any]) -> list[Any]:
    """Return the logarithms of `softmax`, accurate also where the softmax underflows to 0.

    Args:
        scores: a list of at least one Value or number.

    >>> log_softmax([0.0, 1000.0])
    [-1000.0, 0.0]
    """
    shifted = _shifted(scores)
    total = log(total_of([exp(score) for score in shifted]))
    return [score - total for score in shifted]


def total_of(numbers: Iterable[Any]) -> Any:
    """Return the sum of at least one number, without the 0 that Python's `sum` starts with.

    Args:
        numbers: Values or numbers.

    >>> total_of([1.0, 2.0])
    3.0
    """
    return reduce(lambda x, y: x + y, numbers)


def identity(x: Any) -> Any:
    """Return the argument: an activation that changes nothing.

    Args:
        x: a Value or a number.

    >>> identity(2.0)
    2.0
    """
    return x


def _shifted(scores: Iterable[Any]) -> list[Any]:
    if not hasattr(scores, "__iter__") or isinstance(scores, set | dict | str):
        raise TypeError(f"softmax takes a list of scores, got {scores!r}")
    found = list(scores)
    if not found:
        raise ValueError("softmax of an empty list: give at least one score")
    largest = reduce(maximum, (x.detach() if isinstance(x, Value) else x for x in found))
    return [score - largest for score in found]

"""Functions of lists of scores: softmax and its logarithm.

They take Values or numbers, within `micrograd.compile` too, and are right for scores of ±1000: the
largest score, as a constant, is subtracted first, which changes nothing.

>>> [round(share, 4) for share in softmax([1000.0, 999.0])]
[0.7311, 0.2689]
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from micrograd import Value, exp, log, maximum


def softmax(scores: Iterable[Any]) -> list[Any]:
    """Positive numbers that add up to 1, in the proportions of exp(score)."""
    exponentials = [exp(score) for score in _shifted(scores)]
    total = total_of(exponentials)
    return [each / total for each in exponentials]


def log_softmax(scores: Iterable[Any]) -> list[Any]:
    """The logarithms of `softmax`, also where those would be 0."""
    shifted = _shifted(scores)
    total = log(total_of([exp(score) for score in shifted]))
    return [score - total for score in shifted]


def total_of(numbers: Iterable[Any]) -> Any:
    """The sum, without the 0 that Python's `sum` begins with."""
    return reduce(lambda x, y: x + y, numbers)


def _shifted(scores: Iterable[Any]) -> list[Any]:
    if not hasattr(scores, "__iter__") or isinstance(scores, set | dict | str):
        raise TypeError(f"softmax takes a list of scores, got {scores!r}")
    found = list(scores)
    if not found:
        raise ValueError("softmax of an empty list: give at least one score")
    largest = reduce(maximum, (x.detach() if isinstance(x, Value) else x for x in found))
    return [score - largest for score in found]

"""Softmax and its logarithm as lists, and the sum of a list. `micrograd.softmax` works on arrays.

>>> [round(share, 4) for share in softmax([1000.0, 999.0])]
[0.7311, 0.2689]
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

import micrograd


def softmax(scores: Iterable[Any]) -> list[Any]:
    """Return positive numbers that add up to 1, in proportion to the exponentials.

    Args:
        scores: a list of Values and numbers of any size.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    given: Any = scores
    return list(micrograd.softmax(given))


def log_softmax(scores: Iterable[Any]) -> list[Any]:
    """Return the logarithms of `softmax`, accurate also where the softmax underflows to 0.

    Args:
        scores: a list of Values and numbers of any size.

    >>> log_softmax([0.0, 1000.0])
    [-1000.0, 0.0]
    """
    given: Any = scores
    return list(micrograd.log_softmax(given))


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

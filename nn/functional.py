"""Softmax and its logarithm, which `micrograd` exports too, and the sum of a list.

>>> [round(share, 4) for share in softmax([1000.0, 999.0])]
[0.7311, 0.2689]
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from micrograd import log_softmax, softmax

__all__ = ["log_softmax", "softmax", "total_of"]


def total_of(numbers: Iterable[Any]) -> Any:
    """Return the sum of at least one number, without the 0 that Python's `sum` starts with.

    Args:
        numbers: Values or numbers.

    >>> total_of([1.0, 2.0])
    3.0
    """
    return reduce(lambda x, y: x + y, numbers)

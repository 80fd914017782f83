"""What several files of the specification of the gradient checker share."""

from __future__ import annotations

from itertools import count

import pytest

from micrograd import Value, define
from micrograd.ops import ROWS
from micrograd.testing import GradientMismatch, check_gradients

BUILT_IN = [row.name for row in ROWS]


def mismatch(f, *at, **options) -> GradientMismatch:
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(f, *at, **options)
    return caught.value


def by_hand(name, value, slope, *, assign=False):
    """An operation of one operand in Karpathy's way."""

    def operation(x):
        out = Value(value(x.data), (x,), name)

        def backward():
            if assign:
                x.grad = slope(x.data, out.data) * out.grad
            else:
                x.grad += slope(x.data, out.data) * out.grad

        out._backward = backward
        return out

    return operation


numbers = count()


def defined(formula, partial):
    return define(f"planted_{next(numbers)}", formula, [partial])

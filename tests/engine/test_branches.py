"""Conditions, comparisons, branches not taken and adjoints of zero pass no gradient."""

import math
import operator

import numpy as np
import pytest

import micrograd
from micrograd import Value, compile, grad, where  # noqa: A004
from micrograd.testing import check_gradients
from tests.engine.common import INF, NAN, gradient


def test_where_lets_nothing_of_the_branch_not_taken_in():
    assert gradient(lambda x: where(x > 0, x.log(), 0), 0.0) == [0.0]
    assert gradient(lambda x: where(x > 0, x.log(), 0.0 * x), 0.0) == [0.0]
    assert gradient(lambda x: where(x > 0, x.sqrt(), 2 * x), 0.0) == [2.0]
    assert gradient(lambda x: where(x > 0, 1 / x, 3 * x), 0.0) == [3.0]
    assert gradient(lambda x: where(x < 1000, x, x.exp()), 5.0) == [1.0]
    assert gradient(lambda x: where(x > 5, x * NAN, x), 1.0) == [1.0]
    assert gradient(lambda x, y: where(x > 0, x, y), 1.0, INF) == [1.0, 0.0]


def test_an_infinite_adjoint_does_not_enter_the_branch_not_taken():
    root_of_abs = lambda x: micrograd.where(x >= 0, x, -x).sqrt()  # noqa: E731
    assert gradient(root_of_abs, 0.0) == [INF]
    x, y = Value(0.0), Value(1.0)
    micrograd.where(x >= 0, x, y).sqrt().backward()
    assert (x.grad, y.grad) == (INF, 0.0)


def test_the_condition_of_where_gets_no_gradient():
    condition = Value(2.0)
    out = micrograd.where(condition, Value(1.0), 5.0)
    out.backward()
    assert out.data == 1.0
    assert condition.grad == 0
    assert micrograd.where(Value(0.0), 1.0, 5.0).data == 5.0
    assert micrograd.where(Value(NAN), 1.0, 5.0).data == 1.0  # nan is not 0, as in NumPy


def test_a_zero_adjoint_stops_where_it_is():
    x = Value(0.0)
    (x.log() * 0).backward()
    assert x.grad == 0
    x, y = Value(0.0), Value(2.0)
    (micrograd.relu(-abs(x.sqrt())) + y).backward()
    assert (x.grad, y.grad) == (0, 1.0)


def test_a_nan_adjoint_does_not_stop():
    x = Value(1.0)
    (x * NAN).backward()
    assert math.isnan(x.grad)


def test_detach_is_the_same_number_and_passes_no_gradient():
    x = Value(3.0)
    d = x.detach()
    assert d.data == 3.0
    (d * x).backward()
    assert x.grad == 3.0
    x = Value(INF)
    (x.detach() + 1).backward()
    assert x.grad == 0


def test_comparisons_are_operations_with_derivative_zero():
    a, b = Value(1.0), Value(2.0)
    for result, expected in [
        (a < b, 1.0),
        (a <= b, 1.0),
        (a > b, 0.0),
        (a >= b, 0.0),
        (a <= a, 1.0),
        (a < 1, 0.0),
        (operator.ge(1, a), 1.0),
        (operator.lt(0, a), 1.0),
        (Value(NAN) < 1, 0.0),
        (Value(NAN) >= 1, 0.0),
    ]:
        assert type(result) is Value
        assert result.data == expected
    ((a < b) * a).backward()
    assert (a.grad, b.grad) == (1.0, 0)


@pytest.mark.parametrize("at", [-1.0, 0.5, 3.0])
@pytest.mark.parametrize(
    "holds",
    [
        lambda x: (x > 0) & (x < 1),
        lambda x: (x < 0) | (x > 1),
        lambda x: (x > 0) ^ (x > 1),
        lambda x: ~((x > 0) & (x < 1)) | (x == 2),
        lambda x: True & (x > 0),
        lambda x: (x > 0) ^ np.True_,
        lambda x: np.False_ | (x > 0),
    ],
)
def test_comparisons_are_combined_by_logical_operators(holds, at):
    expected = bool(holds(np.float64(at)))
    assert bool(holds(Value(at))) is expected
    f = lambda x: where(holds(x), x * x, -x)  # noqa: E731
    slope = 2 * at if expected else -1.0
    assert grad(f)(at) == slope
    assert compile(f).value_and_grad(at) == (at * at if expected else -at, slope)
    assert "silent, the point is at a kink" not in str(check_gradients(f, at))


def test_a_comparison_and_an_array_of_truths_combine_entry_by_entry():
    truths = np.array([True, False])
    assert [each.data for each in (Value(1.0) > 0) & truths] == [1.0, 0.0]
    assert [each.data for each in truths ^ (Value(1.0) > 0)] == [0.0, 1.0]

"""`take`: entries of tables by whole numbers, of Values and in compiled functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from micrograd import Value, exp, grad, hessian, take, tanh
from micrograd.compiler import compile  # noqa: A004
from tests.compiler.test_derivatives import assert_close

TABLE = [[0.5, -1.0], [2.0, 0.25], [-3.0, 1.5]]


def test_an_entry_is_taken_by_an_int_or_a_value():
    row = [Value(1.0), Value(2.0)]
    assert take([row, [0.0, 0.0]], 0) is row
    for index in (1, -1, True, np.int64(1), 1.0, Value(1.0), np.array(1)):
        assert take([3.0, 4.0], index) == 4.0
    assert take((3.0, 4.0), [1, 0, 1]) == [4.0, 3.0, 4.0]
    assert take(np.array(TABLE), np.array([[2, 0]])).tolist() == [[TABLE[2], TABLE[0]]]
    assert take([{"a": 1.0}, {"a": 2.0}], -2) == {"a": 1.0}


def test_anything_but_an_index_is_refused():
    for index in (3, -4, Value(5.0)):
        with pytest.raises(IndexError, match=r"out of range for a table of 3 entries\n.*test_take"):
            take(TABLE, index)
    for index in (0.5, "0", None, math.nan, math.inf, Value(0.5)):
        with pytest.raises(TypeError, match="the index is a whole number"):
            take(TABLE, index)
    with pytest.raises(ValueError, match="at least one entry"):
        take([], 0)
    with pytest.raises(TypeError, match="a list, a tuple or an array of entries, got int"):
        take(3, 0)
    with pytest.raises(ValueError, match="entry 1 has a different structure from entry 0"):
        compile(lambda i: take([1.0, [2.0]], i))(0.0)


@pytest.mark.usefixtures("quick_xla")
def test_a_compiled_lookup_gives_the_entry_and_passes_the_gradient_to_it(backend):
    table = [[Value(x) for x in row] for row in TABLE]
    parameters = [x for row in table for x in row]

    def f(i, y):
        first, second = take(table, i)
        return (tanh(first) * second - y) ** 2

    index, y = np.array([2, 0, 0, -2, 1]), np.linspace(-1.0, 1.0, 5)
    program = compile(f, parameters, batched=True, backend=backend)
    expected = np.array([f(int(i), each).data for i, each in zip(index, y, strict=True)])
    assert_close(program(index, y), expected)
    mean, gradient = program.value_and_grad(index, y)
    for parameter in parameters:
        parameter.grad = 0.0
    (sum(f(int(i), each) for i, each in zip(index, y, strict=True)) / 5).backward()
    assert_close(mean, float(expected.mean()))
    assert_close(gradient, np.array([parameter.grad for parameter in parameters]))
    _, (of_index, of_y) = program.value_and_grad(index, y, argnums=(0, 1))
    assert not of_index.any()
    assert of_y.all()


@pytest.mark.usefixtures("quick_xla")
def test_an_index_outside_of_the_table_gives_nan_in_a_compiled_function(backend):
    program = compile(lambda i: take([5.0, 7.0, 9.0], i), batched=True, backend=backend)
    found = program([0, 2, -3, 3, -4, 0.5, math.nan, 1])
    assert str(found.tolist()) == "[5.0, 9.0, 5.0, nan, nan, nan, nan, 7.0]"


@pytest.mark.usefixtures("quick_xla")
def test_entries_that_were_not_taken_do_not_matter(backend):
    program = compile(lambda i, x: take([x, exp(x), x * math.inf, 1 / (x - 1)], i), backend=backend)
    assert program(0, 1.0) == 1.0
    assert program(1, 1.0) == pytest.approx(math.e)
    assert program.value_and_grad(0, 1.0) == (1.0, (0.0, 1.0))
    assert program(3, 1.0) == math.inf


def test_derivatives_may_be_taken_of_lookups_in_tables_and_of_their_entries():
    def loss(table, i):
        first, second = take(table, i)
        return first**3 * second

    for i in range(3):
        expected = hessian(loss)(TABLE, i)
        assert_close(compile(loss, backend="numpy").hessian(TABLE, i), expected)
        assert_close(compile(grad(loss), backend="numpy")(TABLE, i), grad(loss)(TABLE, i))
    table = np.array(TABLE)
    f = compile(lambda t, i: take(t, i) @ take(t, i), backend="numpy")
    assert f(table, 2) == TABLE[2][0] ** 2 + TABLE[2][1] ** 2
    many = compile(lambda t, i: take(t, i).sum(), backend="numpy")
    assert many(table, np.array([0, 2])) == sum(TABLE[0]) + sum(TABLE[2])


def test_a_lookup_in_a_batch_needs_no_one_hot_vectors_outside_the_program():
    program = compile(lambda i: take([1.0] * 50, i), batched=True, backend="numpy")
    program([3, 4])
    assert program.program.inputs == 1

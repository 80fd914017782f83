"""`take`: entries of tables by whole numbers, of Values and in compiled functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from micrograd import Value, exp, grad, hessian, jvp, repeat, take, tanh, value_and_grad
from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler.program.instructions import Lookup
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


# ------------------------------------------------------------------------------------ long tables

LONG = np.random.default_rng(0).normal(size=(12, 2))


def long_table():
    """A table of Values that is long enough for an instruction of its own."""
    return np.frompyfunc(Value, 1, 1)(LONG)


@pytest.mark.usefixtures("quick_xla")
def test_a_lookup_in_a_long_table_passes_the_gradient_to_the_entries_that_were_taken(backend):
    table = long_table()
    parameters = [*table.ravel()]

    def f(i, y):
        first, second = take(table, i)
        return (tanh(first) * second - y) ** 2

    index, y = np.array([2, 0, 0, -2, 11, 7, -12]), np.linspace(-1.0, 1.0, 7)
    program = compile(f, parameters, batched=True, backend=backend)
    samples = [f(int(i), each) for i, each in zip(index, y, strict=True)]
    (sum(samples) / 7).backward()
    for _ in range(3):  # the later calls are laid out
        assert_close(program(index, y), np.array([each.data for each in samples]))
        mean, gradient = program.value_and_grad(index, y)
        assert_close(mean, sum(each.data for each in samples) / 7)
        assert_close(gradient, np.array([each.grad for each in parameters]))
    assert any(isinstance(each, Lookup) for each in program.program.instructions)
    _, (of_index, of_y) = program.value_and_grad(index, y, argnums=(0, 1))
    assert not of_index.any()
    assert of_y.all()


@pytest.mark.usefixtures("quick_xla")
def test_an_index_outside_of_a_long_table_gives_nan_and_no_gradient(backend):
    table = long_table()[:, 0]
    program = compile(lambda i: take(table, i), [*table], batched=True, backend=backend)
    index = [0, 12, -13, 0.5, math.nan, math.inf, -1]
    expected = [LONG[0, 0], *[math.nan] * 5, LONG[-1, 0]]
    np.testing.assert_array_equal(program(index), expected)
    _, gradient = program.value_and_grad(index)
    assert np.flatnonzero(gradient).tolist() == [0, 11]


@pytest.mark.usefixtures("quick_xla")
def test_entries_of_a_long_table_may_differ_between_samples(backend):
    def f(t, i, x):
        return (take([*t[:9], x, x * x, 0.5, *t[9:]], i) * x) ** 2

    draw = np.random.default_rng(1)
    args = draw.normal(size=(8, 12)), np.array([3, 9, 10, 11, 12, -1, -5, 0]), draw.normal(size=8)
    program = compile(f, batched=True, backend=backend)
    values, (of_t, of_i, of_x) = program.value_and_grad(*args)
    shared = compile(f, batched=True, backend=backend, in_axes=(None, 0, None))
    found = shared(args[0][0], args[1], 0.5)
    for k, (t, i, x) in enumerate(zip(*args, strict=True)):
        value, slopes = value_and_grad(f, argnums=(0, 2))(t.tolist(), int(i), float(x))
        assert_close(values[k], value)
        assert_close(of_t[k], np.array(slopes[0]))
        assert_close(of_x[k], slopes[1])
        assert_close(found[k], f(args[0][0].tolist(), int(i), 0.5))
    assert not of_i.any()
    alone = compile(f, backend=backend)
    assert_close(alone(args[0][0], 3, 0.5), f(args[0][0].tolist(), 3, 0.5))
    _, slopes = alone.value_and_grad(args[0][0], 10, 0.5)
    assert_close(slopes[2], grad(f, argnums=2)(args[0][0].tolist(), 10, 0.5))


@pytest.mark.usefixtures("quick_xla")
def test_a_step_of_a_loop_may_look_up_entries_of_a_long_table(backend):
    table = long_table()

    def f(i, x):
        def step(state):
            k, y = state
            first, second = take(table, k)
            return k - 1, tanh(y * first + second)

        return repeat(step, (i, x), 3)[1]

    index, x = np.array([4, 11, 2]), np.array([0.5, -0.5, 1.0])
    parameters = [*table.ravel()]
    program = compile(f, parameters, batched=True, backend=backend)
    samples = [f(int(i), each) for i, each in zip(index, x, strict=True)]
    (sum(samples) / 3).backward()
    assert_close(program(index, x), np.array([each.data for each in samples]))
    _, gradient = program.value_and_grad(index, x)
    assert_close(gradient, np.array([each.grad for each in parameters]))
    alone = compile(f, backend=backend)
    assert_close(alone.value_and_grad(4, 0.5)[1][1], grad(lambda x: f(4, x))(0.5))


def test_derivatives_may_be_taken_of_lookups_in_long_tables():
    def loss(t, i):
        return take([*t], i) ** 3 * take([*t], i + 1)

    column = LONG[:, 0].tolist()
    compiled = compile(loss, backend="numpy")
    for i in (0, 5, 10):
        assert_close(compiled.hessian(column, i), hessian(lambda t, i=i: loss(t, i))(column))
        tangent = compiled.jvp((column, i), ([1.0] * 12, 0.0))[1]
        assert_close(tangent, sum(grad(lambda t, i=i: loss(t, i))(column)))
    outside = compile(lambda t, i: jvp(lambda t: take([*t], i), (t,), (t,))[1], backend="numpy")
    assert outside(column, 2) == column[2]
    assert outside(column, 12) == 0.0  # as nothing depends on the table


def test_the_size_of_a_program_does_not_depend_on_the_length_of_a_table():
    counts = []
    for length in (20, 2_000):
        table = [Value(1.0) for _ in range(length)]
        program = compile(lambda i, t=table: take(t, i) ** 2, table, batched=True, backend="numpy")
        program([3.0])
        counts.append(len(program.program.instructions))
    assert counts[0] == counts[1]


def test_source_compares_an_index_with_all_entries():
    table = long_table()[:, 0]
    program = compile(lambda i: take(table, i) ** 2, [*table], batched=True, backend="numpy")
    expected = program([3.0, -1.0])
    space = {}
    exec(program.source("numpy"), space)
    f = next(each for name, each in space.items() if name.startswith("_lambda") or name == "f")
    assert_close(f(LONG[:, 0], np.array([3.0, -1.0])), expected)

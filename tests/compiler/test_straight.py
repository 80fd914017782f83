"""Straight code: a graph as one sequence of operations on registers."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="pip install llvmlite")

from llvmlite import ir

from micrograd import compile, define, functions  # noqa: A004
from micrograd.compiler.native.executor import _machine
from micrograd.compiler.native.straight import write_straight
from micrograd.compiler.native.writing import WORD, Writer, word
from micrograd.compiler.tracing.tracer import trace
from micrograd.ops import TABLE

SPECIALS = (0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.5, 700.0, -750.0, np.inf, -np.inf, np.nan)


def straight(f, inputs, dtype, *, wide, parameters=()):
    """Return a function from an array `(inputs, samples)` to one of `(outputs, samples)`."""
    graph = trace(lambda x: f(*x), parameters, inputs)
    machine = _machine()
    w = Writer(dtype, machine.width)
    width = w.width if wide else 1
    memory = w.number.as_pointer()
    read, written, count = w.function(ir.VoidType(), memory, memory, WORD)
    with w.loop(word(0), count, word(width)) as i:
        rows = [w.at(read, w.times(count, word(k)), i) for k in range(graph.leaves)]
        values = write_straight(w, width, graph, lambda k: w.load(rows[k], width))
        for k, value in enumerate(values):
            w.store(value, w.at(written, w.times(count, word(k)), i))
    text = w.finished()
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    run = kind(machine.address(text, lambda: text))

    def call(x):
        x = np.ascontiguousarray(x, dtype)
        out = np.empty((len(values), x.shape[1]), dtype)
        run(x.ctypes.data, out.ctypes.data, x.shape[1])
        return out

    return call


@pytest.mark.exhaustive
@pytest.mark.parametrize("wide", [False, True], ids=["numbers", "vectors"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_straight_code_of_each_operation_gives_the_bits_of_its_kernel(dtype, wide):
    for row in TABLE.values():
        grid = np.array(np.meshgrid(*[SPECIALS] * row.arity), dtype).reshape(row.arity, -1)
        grid = np.concatenate([grid] * 4, axis=1)  # a whole number of vectors
        f = getattr(functions, row.name)
        expected = compile(f, batched=True, backend="numba", dtype=dtype)(*grid)
        got = straight(lambda *x, f=f: [f(*x)], row.arity, dtype, wide=wide)(grid)
        # A power of a single number is the C library's, also in polygamma: two units off at most,
        # as the kernel's are, and a product.
        if wide or not row.name.startswith("po"):
            np.testing.assert_array_equal(got[0], expected, err_msg=row.name)
        else:
            near = 5 * np.finfo(dtype).eps
            np.testing.assert_allclose(got[0], expected, rtol=near, atol=0, err_msg=row.name)
        numbers = expected == expected
        assert (np.signbit(got[0]) == np.signbit(expected))[numbers].all(), row.name


def test_straight_code_reads_each_leaf_and_returns_the_outputs_in_their_order():
    def f(x, y, unused):
        a = x * y + 0.25
        return [a.tanh(), x, a.tanh() / y, 3.0]

    at = np.random.default_rng(0).normal(size=(3, 16))
    got = straight(f, 3, "float64", wide=True)(at)
    a = at[0] * at[1] + 0.25
    expected = [np.tanh(a), at[0], np.tanh(a) / at[1], np.full(16, 3.0)]
    np.testing.assert_allclose(got, expected, rtol=2.0**-50)


def test_straight_code_knows_operations_that_users_define():
    twist = define("twist_for_straight", "x * tanh(y) + exp(-x)", ["tanh(y) - exp(-x)", "0"])
    x, y = np.random.default_rng(1).normal(size=(2, 8))
    (got,) = straight(lambda x, y: [twist(x, y)], 2, "float64", wide=True)(np.array([x, y]))
    np.testing.assert_allclose(got, x * np.tanh(y) + np.exp(-x), rtol=2.0**-49)

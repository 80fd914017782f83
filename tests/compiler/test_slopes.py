"""Slopes that machine code computes beside values are those that it computes on the way back."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="pip install llvmlite")

from micrograd import compile, define  # noqa: A004
from micrograd.compiler.native import linking
from micrograd.compiler.program.slots import count_of
from micrograd.engine import functions
from micrograd.ops import TABLE

SIZE = 11  # a matrix that is too large to be fused
SPECIAL = [0.0, -0.0, 1e-30, 1.0, -1.0, -12.0, 45.0, -800.0, 1e30, np.inf, -np.inf, np.nan]


def layer(f, kind):
    """The weighted results of a layer."""
    matrix = np.eye(SIZE)
    return compile(
        lambda x: sum(f(h) * (k + 1) for k, h in enumerate(matrix @ x)),
        batched=True,
        backend="numba",
        dtype=kind,
    )


def linked(program):
    return program._last.executor.executor._backwards.linked


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["float64", pytest.param("float32", marks=pytest.mark.exhaustive)])
def test_a_slope_beside_a_value_is_exactly_one_on_the_way_back(kind, monkeypatch):
    numbers = np.random.default_rng(0).normal(0, 2, (9, SIZE)).astype(kind)
    batches = [numbers]
    for each in SPECIAL:  # apart: a batch that is not finite is computed again in another way
        numbers = numbers.copy()
        numbers[4, 4] = each
        batches.append(numbers)
    several = []
    for row in TABLE.values():
        if row.arity != 1 or not hasattr(functions, row.name) or row.flow(0) is None:
            continue
        f = getattr(functions, row.name)
        program = layer(f, kind)
        found = [program.value_and_grad(x) for x in batches]
        if not linked(program).slopes:
            continue
        several.append(row.name)
        with monkeypatch.context() as patch:
            patch.setattr(linking, "slopes", lambda *_: {})
            other = layer(f, kind)
            for x, (value, gradient) in zip(batches, found, strict=True):
                value_there, gradient_there = other.value_and_grad(x)
                assert np.array_equal(value, value_there, equal_nan=True), row.name
                assert np.array_equal(gradient, gradient_there, equal_nan=True), row.name
        assert not linked(other).slopes
    assert {"gelu", "silu", "softplus", "sin", "erf"} <= {*several}


def test_each_operand_has_one_slope_beside_a_value_and_none_that_is_cheap():
    program = layer(lambda h: h.relu() + h.log(), "float64")
    program.value_and_grad(np.ones((3, SIZE)))
    assert not linked(program).slopes
    program = layer(lambda h: h.sin() + h.tanh(), "float64")
    program.value_and_grad(np.ones((3, SIZE)))
    stored = [x for x in linked(program).slopes.values() if x.operation.operation.arity == 1]
    assert sum(count_of(each.out) for each in stored) == SIZE


def test_a_slope_that_is_0_in_some_case_is_not_beside_a_value():
    """An infinite adjoint times such a slope would be nan."""
    for k, partial in enumerate(
        ("where(x < 0, 0, exp(x))", "where(x < 0, where(x < -1, 0, x), exp(x))")
    ):
        f = define(f"cut{k}", "x", [partial])
        program = layer(f, "float64")
        program.value_and_grad(np.ones((3, SIZE)))
        assert not linked(program).slopes

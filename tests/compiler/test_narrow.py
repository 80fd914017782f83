"""On NumPy, narrow instructions without a batch are computed together on Python's floats."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest

from micrograd import (
    Value,
    compile,  # noqa: A004
    exp,
    log,
    maximum,
    minimum,
    ndtr,
    sqrt,
    tanh,
    value_and_grad,
    where,
)
from micrograd.compiler.numpy import tape


def price(spot, strike, time, rate, sigma):
    spread = sigma * sqrt(time)
    upper = (log(spot / strike) + (rate + sigma * sigma / 2) * time) / spread
    return spot * ndtr(upper) - strike * exp(-rate * time) * ndtr(upper - spread)


def choices(x, y, z):
    shift = reduce(maximum, [each.detach() for each in (x, y, z, x * y)])
    weights = [exp(each - shift) for each in (x, y, z)]
    return where(x > y, weights[0] * z, weights[1] - z * y) / sum(weights) + minimum(x, z) ** 3


def reused(x, y):
    """Adjoints of `a` and `x` come from several places, also from an instruction that is wide."""
    a = tanh(x * y)
    wide = sum((tanh(a * k) for k in range(1, 61)), 0.0)
    return wide * a + x * a - a / y


CASES = [(price, (1.0, 1.1, 0.5, 0.02, 0.3)), (choices, (0.4, -1.2, 2.0)), (reused, (0.3, -1.5))]


def calls_of(program):
    """Return how many calls compute the values, and how many the adjoints."""
    (found,) = program._last.executor.executor._thread.__dict__.values()
    return tuple(len(calls[False]) for calls in (found.forward, found.backward))


def test_a_formula_of_numbers_is_one_call_each_way():
    program = compile(price, backend="numpy")
    program.value_and_grad(*CASES[0][1])
    assert calls_of(program) == (1, 1)


@pytest.mark.parametrize(("f", "at"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_all_calls_give_the_value_and_the_gradient(f, at):
    """The first ones are computed step by step, and later ones by straight code."""
    program = compile(f, backend="numpy")
    expected, expected_slopes = value_and_grad(f, argnums=(*range(len(at)),))(*at)
    for _ in range(tape._INTERPRETED + 4):
        value, slopes = program.value_and_grad(*at)
        assert value == pytest.approx(expected, rel=1e-13)
        assert slopes == pytest.approx(expected_slopes, rel=1e-12)
        assert program(*at) == pytest.approx(expected, rel=1e-13)


SPECIALS = (0.0, -0.0, 1.0, -2.5, 800.0, 1e308, math.inf, -math.inf, math.nan)


@pytest.mark.parametrize("f", [choices, lambda x, y, z: sqrt(x) / y + log(z) * x - exp(x) * y])
def test_special_numbers_follow_ieee_754(f):
    program = compile(f, backend="numpy")
    program.value_and_grad(1.0, 2.0, 3.0)
    for x in SPECIALS:
        for y in SPECIALS:
            for z in (1.0, -math.inf):
                at = [Value(each) for each in (x, y, z)]
                root = f(*at)
                root.backward()
                value, slopes = program.value_and_grad(x, y, z)
                np.testing.assert_allclose(value, root.data, rtol=1e-13)
                np.testing.assert_allclose(slopes, [each.grad for each in at], rtol=1e-12)


def test_wide_instructions_are_left_to_numpy():
    program = compile(lambda x: (tanh(x) * x + x).sum(), backend="numpy")
    program.value_and_grad(np.ones(200))
    forward, backward = calls_of(program)
    assert forward > 1
    assert backward > 1

"""The NumPy executor adds what several results pass to one row."""

from __future__ import annotations

import numpy as np
import pytest

from micrograd import compile, value_and_grad  # noqa: A004
from micrograd.compiler.numpy import memory

TIMES = {"twice": [3, 1, 3, 0, 1], "all in one": [2] * 9, "with gaps": [0, 4, 4, 0, 5], "once": [4]}


@pytest.mark.parametrize("turns", [1, 100])
@pytest.mark.parametrize("width", [None, 1, 3])
@pytest.mark.parametrize("slots", TIMES.values(), ids=TIMES)
def test_rows_that_occur_several_times_get_all_their_shares(slots, width, turns, monkeypatch):
    monkeypatch.setattr(memory, "_TURNS", turns)
    shape = () if width is None else (width,)
    array, share = np.ones((6, *shape)), np.arange(1.0, 1.0 + len(slots))
    share = share.reshape(-1, *[1] * len(shape)) * np.ones(shape)
    expected = array.copy()
    np.add.at(expected, slots, share)
    call = memory._adding_in_turns(array, np.array(slots), share)
    call()
    np.testing.assert_array_equal(array, expected)
    call()
    np.testing.assert_array_equal(array, 2 * expected - 1)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("uses", [2, 7])
def test_a_number_that_many_operations_read_gets_all_their_adjoints(uses, sign):
    def f(x):
        return sum((x[k % 3] + sign * 0.5 * k).sin() for k in range(3 * uses))

    x = np.random.default_rng(0).normal(size=(4, 3))
    values, slopes = compile(f, batched=True, backend="numpy").value_and_grad(x)
    for sample, value, slope in zip(x, values, slopes, strict=True):
        expected, expected_slope = value_and_grad(f)(sample.tolist())
        assert value == pytest.approx(expected, rel=1e-14)
        assert slope == pytest.approx(expected_slope, rel=1e-13)

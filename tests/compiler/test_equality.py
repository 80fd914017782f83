"""`==` and `!=` in compiled functions: an operation with a number, identity between values."""

import math

import numpy as np
import pytest

from micrograd import Value, eq, grad, ne, where
from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler.tracing.recorder import TraceError

AT = [0.0, -0.0, 1.0, 2.5, math.inf, math.nan]


def test_equality_with_a_number_is_compiled_as_an_operation(backend):
    for f in (
        lambda x: where(x == 0, 1.0, 1 / x),
        lambda x: where(x != 0, x, 7.0),
        lambda x: where(2.5 == x, x * x, 3.0),  # noqa: SIM300 (reflected)
        lambda x: (x != 1) * x,
        lambda x: eq(x, x * 1.0) + 2 * ne(x, -x),
        lambda x: grad(lambda t: where(t == 1.0, t * t, 5 * t))(x),
    ):
        values, slopes = compile(f, batched=True, backend=backend).value_and_grad(AT)
        for number, value, slope in zip(AT, values, slopes, strict=True):
            x = Value(number)
            expected = f(x) * 1.0
            expected.backward()
            assert np.isclose(value, expected.data, rtol=1e-15, equal_nan=True)
            assert np.isclose(slope, x.grad, rtol=1e-15, equal_nan=True)


def test_equality_with_an_array_of_numbers_is_compiled_too(backend):
    f = compile(lambda x: x * (np.array([1.0, 2.5]) == x).sum(), batched=True, backend=backend)
    values, slopes = f.value_and_grad([1.0, 2.0, 2.5])
    assert (values.tolist(), slopes.tolist()) == ([1.0, 0.0, 2.5], [1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * 2 if x == 1 else x,
        lambda x: x * 2 if x != 1 else x,
        lambda x: x if 1.0 == x else x * 2,  # noqa: SIM300 (reflected)
        lambda x: x if x in [1.0, 2.0] else x * 2,
        lambda x: x * [1.0, 2.0].index(x),
        lambda x: x * np.isclose(np.array([x], dtype=object), 1.0)[0],
        lambda x: x if np.float64(1.0) == x else x * 2,
        lambda x: x if not x == 1 else x * 2,  # noqa: SIM201 (negated on purpose)
    ],
)
def test_a_branch_on_equality_with_a_number_is_refused_with_the_usual_advice(f):
    with pytest.raises(TraceError, match=r"where(.|\n)*test_equality\.py"):
        compile(f)(1.0)


def test_traced_values_are_told_apart_and_found_by_identity():
    def f(x, y):
        z = x * 1.0
        assert (x == y) is False
        assert (x != y) is True
        assert len({x, y, z, x}) == 3
        assert [x, y].index(y) == 1
        assert x in [y, x]
        assert x not in [y, z]
        assert {x: 1, y: 2}[y] == 2
        assert (x == None) is False  # noqa: E711 (what is asked here)
        assert x != "x"
        return x - y

    assert compile(f)(3.0, 3.0) == 0.0

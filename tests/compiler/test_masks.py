"""Comparisons of arrays in a compiled function, which choose between entries."""

from __future__ import annotations

import math

import numpy as np
import pytest

from micrograd import (
    clip,
    exp,
    grad,
    jacobian,
    maximum,
    relu,
    softmax,
    value_and_grad,
    where,
)
from micrograd.compiler import compile  # noqa: A004
from tests.compiler.conftest import QUICK

W, B = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]), np.array([0.1, -0.2])
X = np.array([1.0, -2.0, 3.0])


def layer(x):
    h = W @ x + B
    return where(h > 0, h, 0.1 * h).sum()


def joined(x):
    both, either = (x > 0) & (x < 2), (x < -1) | (x == 3)
    return where(both, x * x, where(either ^ both, -x, 0.5)).sum() + where(~(x <= 0), x, 7).prod()


def by_functions_of_numpy(x):
    test = np.logical_or(np.greater(x, 2.5), np.logical_not(np.less_equal(x, 0.0)))
    return where(np.logical_and(test, np.not_equal(x, 1.0)), exp(x), x).sum()


def counted(x):
    return (x * (x > 0)).sum() + 2.0 * (relu(x) >= 1).sum()


def in_place(x):
    x = x.copy()
    x += 1
    x[0] = 2 * x[1]
    return where(x[1:] <= 0, x[1:], np.exp(x[:-1])).mean() + x.var() + np.linalg.norm(x)


def put_together(x):
    rows, flat = np.stack([x, 2 * x]), np.concatenate([x, x * x])
    return where(x.reshape(3, 1) < rows.T, rows.T, 3.0).sum() + where(flat > 1, flat, 2.0).sum()


def by_other_functions_of_numpy(x):
    made = (
        *(np.einsum("ij,j->i", W, x), np.tensordot(W, x, 1), np.dot(W, x), np.outer(x, x)),
        *(np.pad(x, 1), np.append(x, x), np.diag(x), np.roll(x, 1), np.cumsum(x), *np.split(x, 3)),
        *(np.take(x, [0, 2]), np.where([True, False, True], x, 1.0), np.triu(np.outer(x, x))),
    )
    return sum(where(each > 0, each, -2.0 * each).sum() for each in made)


def of_functions(x):
    return where(softmax(x) > 0.1, clip(x, -1, 2), maximum(x, 0.0))[np.array([0, 2])].sum()


def with_an_array_on_the_left(x):
    return where(np.array([0.0, -3.0, 4.0]) < x, x * x, 3 * x).sum()


def chosen_by_numpy(x):
    h = W @ x + B
    chosen = np.select([h > 1, h < -1], [h, h * h], 0.5 * h)
    return np.where(h > 0, h, 0.1 * h).sum() + chosen.sum() + np.where(x > 0, 1.0, [*x]).sum()


def bounded_by_numpy(x):
    bounded = np.maximum(x, 0.3) * np.minimum(2.0, x) + np.clip(x, -1, 2) + x.clip(-1, 2)
    return bounded.sum() + np.max(x) * x.min() + np.ptp(np.stack([x, x * x]), axis=0).sum()


def of_single_values(x):
    bounded = np.maximum(x[0], 0.25) + np.minimum(1.0, x[1]) + np.clip(x[2], 0.5, 2)
    return bounded + np.where(x[0] > 0, x[0], x[1]) + np.sign(x[1]) * np.stack([*x]).sum()


def in_a_gradient(x):
    slopes = grad(lambda y: where(y > 0, y**3, y).sum())(x)
    return where(slopes > 1, slopes, 0).sum()


def in_a_jacobian(x):
    found = jacobian(lambda y: where(W @ y > 0, W @ (y * y), 0))(x)
    return where(found != 0, found * found, 1.0).sum()


FUNCTIONS = (
    *(layer, joined, by_functions_of_numpy, counted, in_place, put_together, of_functions),
    *(chosen_by_numpy, bounded_by_numpy, of_single_values),
    *(by_other_functions_of_numpy, with_an_array_on_the_left, in_a_gradient, in_a_jacobian),
)


@pytest.mark.parametrize("backend", QUICK)
@pytest.mark.parametrize("f", FUNCTIONS)
def test_arrays_are_compared_as_they_are_eagerly(f, backend):
    for x in (X, np.array([-0.5, 2.5, 0.25])):
        value, slopes = value_and_grad(f)(x)
        found = compile(f, backend=backend).value_and_grad(x)
        np.testing.assert_allclose(found[0], value, rtol=1e-13)
        np.testing.assert_allclose(found[1], slopes, rtol=1e-13, atol=1e-13)


def test_functions_of_numpy_have_the_conventions_of_the_table():
    def f(x):
        larger = np.maximum(x[0], x[1]) + np.logaddexp(x[0], x[1]) + np.copysign(x[0], x[1])
        return larger + np.sinc(x[2]) + np.where(np.isnan(x[3]), 0.0, x[3])

    value, slopes = compile(f).value_and_grad(np.array([2.0, 2.0, 0.0, np.nan]))
    assert value == pytest.approx(2 + (2 + np.log(2)) + 2 + 1 + 0)
    assert slopes.tolist() == pytest.approx([0.5 + 0.5 + 1, 0.5 + 0.5, 0, 0])
    curvature = compile(lambda x: grad(grad(np.sinc))(x))(0.0)
    assert curvature == pytest.approx(-(np.pi**2) / 3)


def test_an_array_of_conditions_needs_no_value_to_choose_from_values():
    program = compile(lambda x: np.where([True, False, True], x, 1.0).sum())
    assert program(X) == 1.0 + 1.0 + 3.0
    assert "where" not in str(program)


def test_a_program_chooses_anew_at_every_call():
    program = compile(layer, batched=True)
    xs = np.array([X, -X, [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(program(xs), [layer(x) for x in xs], rtol=1e-14)


def test_the_special_arrays_stay_in_the_compiled_function():
    program = compile(lambda x: {"mask": x > 0, "kept": where(x > 0, x, 0)})
    found = program(X)
    assert {type(each) for each in found.values()} == {np.ndarray}
    assert found["mask"].tolist() == [1.0, 0.0, 1.0]
    assert type(compile(layer).value_and_grad(X)[1]) is np.ndarray


def test_eager_masks_choose_entries():
    found = grad(lambda x: (x[x > 0] ** 2).sum())(X)
    assert found.tolist() == [2.0, 0.0, 6.0]


def test_nan_to_num_replaces_what_is_not_finite(backend):
    at = np.array([math.nan, math.inf, -math.inf, -2.0])
    for options in ({}, {"nan": 1.0, "posinf": 7.0, "neginf": -7.0}):
        program = compile(lambda x, o=options: np.nan_to_num(x, **o), backend=backend)
        assert program(at).tolist() == np.nan_to_num(at, **options).tolist()
    slopes = compile(lambda x: np.nan_to_num(x).sum(), backend=backend).value_and_grad(at)[1]
    assert slopes.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert compile(lambda x: np.nan_to_num(x), backend=backend)(math.nan) == 0.0


def test_arrays_without_axes_are_operands_like_others(backend):
    def f(x):
        return x * np.array(x, dtype=object) + np.polyval([1.0, 2.0, 3.0], x) - np.array(2.0) * x

    assert compile(f, backend=backend).value_and_grad(2.0) == (11.0, 8.0)
